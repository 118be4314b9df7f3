"""Which classes are taken for which.

Symbols: C classes; rows are the truth, columns the prediction.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import (
    HALF,
    SHADES,
    WIDE,
    ink_on_shade,
    new_figure,
    no_frame,
    say,
    styled,
)
from kekule.visualization.palette import PAPER, plain
from kekule.visualization.run_view import RunView, predicted_class


def confusion_counts(view: RunView) -> NDArray[np.int64]:
    """Rows of each true class (axis 0) predicted as each class (axis 1); int64 (C, C)."""
    n_classes = len(view.classes)
    predicted = predicted_class(view)
    known = predicted >= 0
    flat = np.bincount(view.truth[known] * n_classes + predicted[known], minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


@styled
def confusion_figure(view: RunView) -> Figure:
    """Write counts in every cell, shaded by their share of the true class."""
    counts = confusion_counts(view)
    n_classes = len(counts)
    wide = n_classes > 7
    figure = new_figure(WIDE * 0.8 if wide else HALF, max(4.1, 0.36 * n_classes + 1.6))
    axes = figure.subplots()
    if not counts.sum():
        say(axes, "No row has a prediction.")
        return figure
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="auto" if wide else "equal")
    _write_cells(axes, counts, shares)
    _name_axes(axes, view.classes, counts)
    return figure


def _write_cells(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    n_classes = len(counts)
    size = {2: 15, 3: 12}.get(n_classes, 9 if n_classes <= 7 else 7)
    for (i, j), count in np.ndenumerate(counts):
        if n_classes > 7 and not count:
            continue
        colour = ink_on_shade(float(shares[i, j]))
        axes.text(
            j,
            i,
            str(count),
            ha="center",
            va="center",
            color=colour,
            fontsize=size,
            weight="bold",
            gid="count",
        )
        if n_classes <= 3:
            words = f"{shares[i, j]:.0%}" if counts[i].sum() else "no rows"
            axes.text(
                j, i + 0.2, words, ha="center", va="center", color=colour, fontsize=9, gid="share"
            )


def _name_axes(axes: Axes, classes: tuple[str, ...], counts: NDArray[np.int64]) -> None:
    n_classes = len(classes)
    names = [plain(name, 14) for name in classes]
    long = max(len(name) for name in names) * n_classes > 42
    axes.set_xticks(
        range(n_classes), names, rotation=45 if long else 0, ha="right" if long else "center"
    )
    axes.set_yticks(
        range(n_classes),
        [
            f"{n}\n({t})" if n_classes <= 7 else f"{n} ({t})"
            for n, t in zip(names, counts.sum(axis=1), strict=True)
        ],
    )
    axes.set(xlabel="Predicted", ylabel="Truth (rows)")
    no_frame(axes)
    axes.set_xticks(np.arange(n_classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n_classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=2)
    axes.tick_params(which="minor", length=0)
