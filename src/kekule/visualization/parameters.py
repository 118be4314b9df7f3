"""What the final model's parameters look like.

A histogram a parameter: one stuck at zero, or a single huge value, tells of a layer
that never learnt or a step size too large.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import WIDE, new_figure, only_grid, say, styled
from kekule.visualization.palette import FAINT, INK, MODEL, MUTED, plain
from kekule.visualization.run_view import RunView

COLUMNS = 4
FEW_VALUES = 12  # below, each value is a line
MOST_PANELS = 24  # the largest parameters; the caption says how many were left out


def shown_parameters(view: RunView) -> list[str]:
    """Names of the parameters drawn, in the model's order: the largest if there are too many."""
    largest = sorted(view.weights, key=lambda name: view.weights[name].size, reverse=True)
    kept = set(largest[:MOST_PANELS])
    return [name for name in view.weights if name in kept]


@styled
def parameters_figure(view: RunView) -> Figure:
    """One histogram of values a parameter."""
    names = shown_parameters(view)
    lines = max(1, -(-len(names) // COLUMNS))
    figure = new_figure(WIDE, 0.2 + 1.5 * lines)
    panels = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
    if not names:
        say(panels[0], "No parameters.")
    for axes, name in zip(panels, names, strict=False):
        _draw_histogram(axes, name, view.weights[name])
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    return figure


def _draw_histogram(axes: Axes, name: str, values: NDArray[np.float32]) -> None:
    """Draw finite values; say how many are not."""
    finite = values[np.isfinite(values)].astype(np.float64).ravel()
    lost = values.size - finite.size
    axes.set_title(plain(name, 30), fontsize=8, weight="normal", color=INK, pad=14)
    if not finite.size:
        say(axes, "no finite value")
        return
    if finite.size < FEW_VALUES:
        axes.vlines(finite, 0, 1, color=MODEL, linewidth=2.2, gid="values")
        axes.margins(x=0.15)
    else:
        n_bins = min(30, max(5, int(np.sqrt(finite.size))))
        counts, edges = np.histogram(finite, bins=n_bins)
        axes.stairs(counts, edges, fill=True, color=MODEL, alpha=0.85, gid="histogram")
    axes.axvline(0, color=FAINT, linewidth=0.8)
    words = f"{values.size:,} values, sd {finite.std():.2g}" + (
        f", {lost} not finite" if lost else ""
    )
    axes.text(0, 1.03, words, transform=axes.transAxes, fontsize=7, color=MUTED, va="bottom")
    only_grid(axes, "y")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.locator_params(axis="x", nbins=4)
