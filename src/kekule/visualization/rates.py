"""Loss against learning rate, as a sweep of rates left it.

The flat part left holds rates too small, the wall right rates too large. What lies between is
the range; the mark in it is where a training may begin to search, not a promise.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from kekule.visualization.canvas import WIDE, house_style, new_figure, only_grid, say
from kekule.visualization.palette import CLASS_COLOURS, FAINT, INK, MODEL, plain


def rates_figure(
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    *,
    smoothed: NDArray[np.float64],
    suggested: float | None,
    own: float,
    title: str,
) -> Figure:
    """Smoothed loss thick, that of single batches thin; the rate suggested and the recipe's own.

    Parameters
    ----------
    rates, losses, smoothed
        float64 (S,).
    suggested, own
        Rates to mark; None where there is nothing to suggest.
    title
        What was trained on what.
    """
    with house_style():
        figure = new_figure(WIDE, 3.6)
        axes = figure.subplots()
        axes.set_title(plain(title, 80))
        if not len(rates):
            say(axes, "The loss was no number from the first step on.")
            return figure
        axes.plot(rates, losses, color=FAINT, alpha=0.6, linewidth=0.7, gid="losses")
        axes.plot(rates, smoothed, color=MODEL, linewidth=2.2, gid="smoothed")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_power))
        axes.axvline(
            own, color=INK, linewidth=1, linestyle=(0, (4, 1.5)), gid="own",
            label=f"this recipe: {own:.1e}",
        )  # fmt: skip
        if suggested is not None:
            axes.plot(
                suggested,
                np.interp(np.log(suggested), np.log(rates), smoothed),
                "o", color=CLASS_COLOURS[1], markersize=8, markeredgecolor="white",
                gid="suggested", label=f"suggested: {suggested:.1e}",
            )  # fmt: skip
        low, high = float(smoothed.min()), max(float(losses[0]), float(smoothed[0]))
        axes.set_ylim(low - 0.15 * (high - low) - 1e-3, high + 0.6 * (high - low) + 1e-3)
        axes.set_xlabel("Learning rate")
        axes.set_ylabel("Training loss (nats per label)")
        axes.legend(loc="lower left")
        only_grid(axes, "y")
    return figure


def _power(rate: float, place: object) -> str:
    """Rate as ``1e-3``: the house style draws no formulas."""
    del place
    return f"1e{round(np.log10(rate)):d}"
