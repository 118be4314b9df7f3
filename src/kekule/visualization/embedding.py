"""A map of the rows as the final model sees them.

The two directions of largest variance, nothing non-linear: distances on the map are
distances in the model, shortened. The final model was trained on these rows, so the map
shows what it learnt, not how well it would do.

Symbols: R rows, H width of the embedding.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import WIDE, new_figure, say, styled
from kekule.visualization.palette import INK, class_colour, class_mark, plain
from kekule.visualization.run_view import RunView, wrong_rows

MOST_RINGS = 200  # more would hide the points they mark
DENSE = 1500  # rows above which points become one picture inside the figure


def principal_axes(
    embedding: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project rows on the two directions of largest variance.

    Returns
    -------
    tuple
        Coordinates float64 (R, 2), zero where there is no second direction, and the share
        of variance each explains, float64 (2,), NaN if the rows do not vary. Each direction
        is turned so that its largest coordinate is positive: the map does not flip.
    """
    centred = embedding.astype(np.float64) - embedding.mean(axis=0, dtype=np.float64)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    places, shares = np.zeros((len(embedding), 2)), np.zeros(2)
    kept = min(2, len(spread))
    places[:, :kept] = left[:, :kept] * spread[:kept]
    total = float(np.sum(spread**2))
    shares[:kept] = spread[:kept] ** 2 / total if total > 0 else np.nan
    largest = places[np.argmax(np.abs(places), axis=0), [0, 1]]
    return places * np.where(largest < 0, -1.0, 1.0), shares


@styled
def embedding_figure(view: RunView) -> Figure:
    """One point a row, coloured by its class; rings are rows predicted wrongly out-of-fold."""
    if view.embedding.size == 0 or not np.isfinite(view.embedding).all():
        figure = new_figure(WIDE, 1.0)
        say(figure.subplots(), "The run holds no finite embedding.")
        return figure
    places, shares = principal_axes(view.embedding)
    wide, high = np.ptp(places, axis=0)
    beside = len(view.classes) > 5  # the list of classes, else above the map
    width = 6.9 if beside else 8.8
    figure = new_figure(WIDE, width * float(np.clip(high / max(wide, 1e-12), 0.4, 0.58)) + 0.7)
    axes = figure.subplots()
    _draw_points(axes, view, places)
    for axis, share, order in zip(
        (axes.xaxis, axes.yaxis), shares, ("First", "Second"), strict=True
    ):
        said = f"{share:.0%}" if np.isfinite(share) else "undefined share"
        axis.set_label_text(f"{order} principal axis ({said} of the variance)")
    axes.tick_params(length=0, labelbottom=False, labelleft=False)
    axes.set_aspect("equal", adjustable="datalim")
    spot = (
        {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
        if beside
        else {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0), "ncols": len(view.classes) + 1}
    )
    size = 9 if len(view.classes) <= 12 else 7.5
    axes.legend(**spot, handletextpad=0.3, markerscale=1.4, columnspacing=1.6, fontsize=size)
    return figure


def _draw_points(axes: Axes, view: RunView, places: NDArray[np.float64]) -> None:
    dense = len(places) > DENSE
    for index, name in enumerate(view.classes):
        here = places[view.truth == index]
        axes.scatter(
            here[:, 0], here[:, 1], s=9 if dense else 22, color=class_colour(index),
            marker=class_mark(index), alpha=0.65, linewidth=0, rasterized=dense,
            label=f"{plain(name, 18)} ({len(here)})", gid=f"class {index}",
        )  # fmt: skip
    every = wrong_rows(view)
    wrong = places[every[:MOST_RINGS]]
    few = len(every) <= MOST_RINGS
    axes.scatter(
        wrong[:, 0], wrong[:, 1], s=26 if dense else 52, facecolor="none", edgecolor=INK,
        linewidth=0.8, rasterized=dense, gid="wrong",
        label=f"predicted wrongly ({len(every)})" if few else f"the {MOST_RINGS} most wrong",
    )  # fmt: skip
