"""Whether a probability means what it says.

Binary tasks: the probability of the positive class against how often it came true.
More classes: the probability of the predicted class (its confidence) against how often
it was right. Ten bins of equal width; whiskers are 95% Wilson intervals, wide where a
bin holds few rows, so a stray dot is not over-read.

Symbols: B bins.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import HALF, new_figure, only_grid, say, styled
from kekule.visualization.palette import FAINT, MODEL, plain
from kekule.visualization.run_view import RunView, known_rows, predicted_class

N_BINS = 10
Z95 = 1.959964


class Bins(NamedTuple):
    """Rows gathered by their probability; float64 (B,) but counts int64; NaN in empty bins."""

    counts: NDArray[np.int64]
    mean: NDArray[np.float64]  # probability said
    share: NDArray[np.float64]  # share that came true
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def calibration_bins(probability: NDArray[np.float64], came_true: NDArray[np.bool_]) -> Bins:
    """Gather rows into ten bins of equal width, with a Wilson interval of each share."""
    index = np.clip((probability * N_BINS).astype(np.int64), 0, N_BINS - 1)
    counts = np.bincount(index, minlength=N_BINS)
    n = np.where(counts > 0, counts, np.nan)
    mean = np.bincount(index, weights=probability, minlength=N_BINS) / n
    share = np.bincount(index, weights=came_true, minlength=N_BINS) / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    return Bins(counts.astype(np.int64), mean, share, centre - half, centre + half)


@styled
def calibration_figure(view: RunView) -> Figure:
    """Reliability above, how many rows each bin holds below."""
    figure = new_figure(HALF, 4.1)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    known = known_rows(view)
    if not known.any():
        say(top, "No row has a prediction.")
        bottom.set_axis_off()
        return figure
    probability, came_true, said, seen = _questions(view, known)
    bins = calibration_bins(probability, came_true)
    _draw_reliability(top, bins)
    top.set_ylabel(seen)
    bottom.bar(
        (np.arange(N_BINS) + 0.5) / N_BINS, bins.counts, width=0.092, color=FAINT, gid="counts"
    )
    only_grid(bottom, "y")
    bottom.set(xlabel=said, ylabel="Rows", xlim=(-0.01, 1.01))
    return figure


def _questions(
    view: RunView, known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], str, str]:
    """Return the probability said, whether it came true, and the names of both axes."""
    if view.positive is not None:
        last = len(view.classes) - 1
        name = plain(view.positive, 18)
        truth = view.truth[known] == last
        return (
            view.probabilities[known, last],
            truth,
            f"Probability of class {name}",
            f"Share that is class {name}",
        )
    right = predicted_class(view)[known] == view.truth[known]
    confidence = view.probabilities[known].max(axis=1)
    return confidence, right, "Probability of the predicted class", "Share that is right"


def _draw_reliability(axes: Axes, bins: Bins) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="ideal")
    held = bins.counts > 0
    x, y = bins.mean[held], bins.share[held]
    axes.vlines(x, bins.low[held], bins.high[held], color=MODEL, linewidth=1.2, alpha=0.55)
    axes.plot(x, y, color=MODEL, linewidth=1.6, marker="o", markersize=5, gid="bins")
    axes.set(ylim=(-0.02, 1.02))
