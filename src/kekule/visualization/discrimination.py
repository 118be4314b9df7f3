"""How well probabilities put one class above the others: ROC and precision-recall.

Curves pool the out-of-fold probabilities of all rows, so their area may differ a little
from the mean over folds in the table of scores. With more than two classes each is drawn
against the rest.

Symbols: N rows with a prediction, T thresholds. Ties in the score share one threshold.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import HALF, WIDE, new_figure, say, styled
from kekule.visualization.palette import (
    FAINT,
    INK,
    MODEL,
    MUTED,
    class_colour,
    class_dash,
    number,
    plain,
)
from kekule.visualization.run_view import RunView, known_rows

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]

MOST_INSIDE = 8  # classes listed inside the axes; more stand beside them


def roc_points(truth: NDArray[np.bool_], score: Floats) -> Points:
    """Return false and true positive rates, float64 (T + 1,) each; empty without both kinds."""
    hits, alarms = _cumulated(truth, score)
    if not len(hits) or hits[-1] == 0 or alarms[-1] == 0:
        return np.empty(0), np.empty(0)
    return np.append(0.0, alarms / alarms[-1]), np.append(0.0, hits / hits[-1])


def precision_recall_points(truth: NDArray[np.bool_], score: Floats) -> Points:
    """Recall and precision, float64 (T + 1,) each; empty without a positive row.

    Precision at recall 0 repeats the first threshold's, so steps drawn to the left of
    each point enclose the average precision.
    """
    hits, alarms = _cumulated(truth, score)
    if not len(hits) or hits[-1] == 0:
        return np.empty(0), np.empty(0)
    precision = hits / (hits + alarms)
    return np.append(0.0, hits / hits[-1]), np.append(precision[0], precision)


def trapezoid_area(points: Points) -> float:
    """Area under straight lines between points; NaN without any."""
    x, y = points
    return float(np.trapezoid(y, x)) if len(x) else float("nan")


def step_area(points: Points) -> float:
    """Area under steps to the left of each point (average precision); NaN without any."""
    x, y = points
    return float(np.sum(np.diff(x) * y[1:])) if len(x) else float("nan")


class Curve(NamedTuple):
    """One kind of curve: how its points and area are found, and how it is drawn and named."""

    points: Callable[[NDArray[np.bool_], Floats], Points]
    area: Callable[[Points], float]
    steps: str
    area_name: str
    side: str  # the lower corner the curve leaves free


ROC = Curve(roc_points, trapezoid_area, "default", "AUC", "right")
PRECISION_RECALL = Curve(
    precision_recall_points, step_area, "steps-pre", "average precision", "left"
)


@styled
def roc_figure(view: RunView) -> Figure:
    """Draw true against false positive rate."""
    figure, axes = _square(view)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="chance")
    axes.annotate(
        "chance", (0.32, 0.32), (7, -7), textcoords="offset points", rotation=45,
        rotation_mode="anchor", va="center", color=MUTED, fontsize=8.5,
    )  # fmt: skip
    axes.set(xlabel="False positive rate", ylabel="True positive rate")
    _draw_classes(axes, view, ROC)
    return figure


@styled
def precision_recall_figure(view: RunView) -> Figure:
    """Precision against recall, with the share of the class as the line to beat."""
    figure, axes = _square(view)
    axes.set(xlabel="Recall", ylabel="Precision")
    if view.positive is not None and len(view.truth):
        share = float(np.mean(view.truth == len(view.classes) - 1))
        axes.axhline(share, color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="chance")
        below = share > 0.25
        axes.annotate(
            f"share of the class, {share:.2f}", (0.02, share), (0, -4 if below else 4),
            textcoords="offset points", va="top" if below else "bottom", color=MUTED, fontsize=8.5,
        )  # fmt: skip
    _draw_classes(axes, view, PRECISION_RECALL)
    return figure


def _square(view: RunView) -> tuple[Figure, Axes]:
    crowded = len(view.classes) > MOST_INSIDE
    figure = new_figure(WIDE * 0.7 if crowded else HALF, 4.1)
    axes = figure.subplots()
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), aspect="equal")
    return figure, axes


def _draw_classes(axes: Axes, view: RunView, curve: Curve) -> None:
    known = known_rows(view)
    if view.positive is None:
        _draw_one_vs_rest(axes, view, curve, known)
        return
    last = len(view.classes) - 1
    pooled = curve.points(view.truth[known] == last, view.probabilities[known, last])
    if not len(pooled[0]):
        axes.clear()
        say(axes, "Undefined: only one class among the rows.")
        return
    for fold in np.unique(view.fold):
        rows = (view.fold == fold) & known
        x, y = curve.points(view.truth[rows] == last, view.probabilities[rows, last])
        axes.plot(x, y, color=FAINT, alpha=0.4, linewidth=0.8, drawstyle=curve.steps, gid="fold")
    axes.plot(*pooled, color=MODEL, linewidth=2.2, drawstyle=curve.steps, gid="pooled")
    words = f"class {plain(view.positive, 20)}\n{curve.area_name} {number(curve.area(pooled))}"
    x_place = 0.97 if curve.side == "right" else 0.03
    axes.text(x_place, 0.05, words, ha=curve.side, weight="bold", color=INK, linespacing=1.4)


def _draw_one_vs_rest(axes: Axes, view: RunView, curve: Curve, known: NDArray[np.bool_]) -> None:
    """One line a class; a class nobody belongs to keeps its place in the list, undefined."""
    for index, name in enumerate(view.classes):
        x, y = curve.points(view.truth[known] == index, view.probabilities[known, index])
        axes.plot(
            x, y, color=class_colour(index), linestyle=class_dash(index), linewidth=1.5,
            drawstyle=curve.steps, gid=f"class {index}",
            label=f"{number(curve.area((x, y)))}\N{EN SPACE}{plain(name, 16)}",
        )  # fmt: skip
    place: dict[str, Any] = {"loc": f"lower {curve.side}"}
    if len(view.classes) > MOST_INSIDE:
        place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    axes.legend(
        **place, handlelength=1.8, alignment="left", title=f"{curve.area_name}, class",
        title_fontsize=8.5, fontsize=8.5 if len(view.classes) <= 12 else 7.5, labelspacing=0.35,
    )  # fmt: skip


def _cumulated(truth: NDArray[np.bool_], score: Floats) -> Points:
    """Hits and false alarms above each distinct score, from the highest down; (T,) each."""
    order = np.argsort(-score, kind="stable")
    truth, score = truth[order], score[order]
    last = np.append(score[1:] != score[:-1], True)[: len(score)]
    hits = np.cumsum(truth)[last]
    return hits.astype(np.float64), (np.flatnonzero(last) + 1.0 - hits).astype(np.float64)
