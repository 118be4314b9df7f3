"""How large each parameter of the final model, and its gradient, was from epoch to epoch.

A line of the map is one array, in the model's order. A gradient that fades from the last layer
to the first, or is zero throughout, tells of a part that cannot learn; values that grow without
end, of a step too large or a decay too small.

Symbols: A arrays, shades are logarithms of root mean squares.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import SHADES, WIDE, new_figure, no_frame, say, styled
from kekule.visualization.palette import INK, RULE, plain
from kekule.visualization.run_view import ParameterHistory, RunView

MOST_LINES = 40  # arrays drawn; of more, those spread evenly over the model
DECADES = 6.0  # below the largest: smaller ones get the lightest shade


def shown_arrays(view: RunView) -> list[int]:
    """Positions of the arrays drawn: all of them, or `MOST_LINES` at even steps."""
    n_arrays = 0 if view.history is None else len(view.history.names)
    if n_arrays <= MOST_LINES:
        return list(range(n_arrays))
    return [int(k) for k in np.linspace(0, n_arrays - 1, MOST_LINES).round()]


@styled
def history_figure(view: RunView) -> Figure:
    """Map of the values left, of the gradients right."""
    shown, history = shown_arrays(view), view.history
    figure = new_figure(WIDE, 1.1 + 0.17 * max(len(shown), 4))
    left, right = figure.subplots(1, 2)
    if history is None or not shown or not len(history.values):
        say(left, "No sizes of parameters were recorded.")
        right.set_axis_off()
        return figure
    _draw_map(left, history.values[:, shown], "Values")
    _draw_map(right, history.gradients[:, shown], "Gradients")
    _name_lines(left, history, shown)
    right.set_yticks([])
    return figure


def _draw_map(axes: Axes, sizes: NDArray[np.float64], title: str) -> None:
    """Draw sizes (epochs, A) with one line an array; what is zero stays blank."""
    axes.set_title(f"{title}, root mean square")
    there = np.isfinite(sizes) & (sizes > 0)
    if not there.any():
        say(axes, "All are zero, or none was recorded.")
        return
    logs = np.full(sizes.shape, np.nan)
    logs[there] = np.log10(sizes[there])
    top = np.ceil(np.nanmax(logs))
    bottom = max(np.floor(np.nanmin(logs)), top - DECADES)
    image = axes.imshow(
        np.ma.masked_invalid(logs.T), aspect="auto", interpolation="nearest", cmap=SHADES,
        vmin=bottom, vmax=max(top, bottom + 1), extent=(0.5, len(sizes) + 0.5, sizes.shape[1], 0),
    )  # fmt: skip
    axes.set_xlabel("Epoch")
    no_frame(axes)
    axes.set_facecolor(RULE)
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02, aspect=30)
    ticks = np.arange(bottom, max(top, bottom + 1) + 1)
    bar.set_ticks(ticks.tolist(), labels=[f"1e{int(tick)}" for tick in ticks])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)


def _name_lines(axes: Axes, history: ParameterHistory, shown: list[int]) -> None:
    names = [plain(history.names[k], 34) for k in shown]
    axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7)
    axes.tick_params(axis="y", labelcolor=INK, length=0)
