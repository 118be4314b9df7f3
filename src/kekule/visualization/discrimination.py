"""How well probabilities put one class above the others: ROC and precision-recall.

Curves pool the out-of-fold probabilities of all rows, so their area may differ a little
from the mean over folds in the table of scores. With more than two classes each is drawn
against the rest.

Symbols: N rows with a prediction, T thresholds. Ties in the score share one threshold.
"""

from collections.abc import Callable, Iterator

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
from kekule.visualization.run_view import RunView

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]


def roc_points(truth: NDArray[np.bool_], score: Floats) -> Points:
    """False and true positive rates, float64 (T + 1,) each; empty unless both kinds occur."""
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


@styled
def roc_figure(view: RunView) -> Figure:
    """True against false positive rate."""
    figure, axes = _square(view)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="chance")
    axes.annotate(
        "chance", (0.62, 0.62), (0, -9), textcoords="offset points", rotation=45,
        rotation_mode="anchor", color=MUTED, fontsize=8.5,
    )  # fmt: skip
    axes.set(xlabel="False positive rate", ylabel="True positive rate")
    _draw_classes(axes, view, roc_points, trapezoid_area)
    return figure


@styled
def precision_recall_figure(view: RunView) -> Figure:
    """Precision against recall, with the share of the class as the line to beat."""
    figure, axes = _square(view)
    axes.set(xlabel="Recall", ylabel="Precision")
    if view.positive is not None:
        share = float(np.mean(view.truth == len(view.classes) - 1)) if len(view.truth) else 0.0
        axes.axhline(share, color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="chance")
        below = share > 0.12
        axes.annotate(
            f"share of the class, {share:.2f}", (0.02, share), (0, -4 if below else 4),
            textcoords="offset points", va="top" if below else "bottom", color=MUTED, fontsize=8.5,
        )  # fmt: skip
    _draw_classes(axes, view, precision_recall_points, step_area)
    return figure


def _square(view: RunView) -> tuple[Figure, Axes]:
    many = view.positive is None
    figure = new_figure(WIDE * 0.62 if many else HALF, 4.1)
    axes = figure.subplots()
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), aspect="equal")
    return figure, axes


def _draw_classes(
    axes: Axes, view: RunView, points: Callable[..., Points], area: Callable[[Points], float]
) -> None:
    steps = "default" if points is roc_points else "steps-pre"
    name = "AUC" if points is roc_points else "average precision"
    known = np.isfinite(view.probabilities).all(axis=1)
    if view.positive is None:
        _draw_one_vs_rest(axes, view, (points, area, steps), known)
        return
    last = len(view.classes) - 1
    for rows in _fold_masks(view, known):
        x, y = points(view.truth[rows] == last, view.probabilities[rows, last])
        axes.plot(x, y, color=FAINT, alpha=0.35, linewidth=0.7, drawstyle=steps, gid="fold")
    pooled = points(view.truth[known] == last, view.probabilities[known, last])
    if not len(pooled[0]):
        say(axes, "Undefined: only one class among the rows.")
        return
    axes.plot(*pooled, color=MODEL, linewidth=2.2, drawstyle=steps, gid="pooled")
    words = f"{plain(view.positive, 20)}\n{name} {number(area(pooled))}"
    spot = (0.97, 0.05) if points is roc_points else (0.03, 0.05)
    axes.text(
        *spot, words, ha="right" if points is roc_points else "left", weight="bold", color=INK
    )


def _draw_one_vs_rest(
    axes: Axes,
    view: RunView,
    curve: tuple[Callable[..., Points], Callable[[Points], float], str],
    known: NDArray[np.bool_],
) -> None:
    """One line a class; a class nobody belongs to keeps its place in the list, undefined."""
    points, area, steps = curve
    for index, name in enumerate(view.classes):
        x, y = points(view.truth[known] == index, view.probabilities[known, index])
        axes.plot(
            x, y, color=class_colour(index), linestyle=class_dash(index), linewidth=1.5,
            drawstyle=steps, label=f"{plain(name, 16)}  {number(area((x, y)))}", gid=f"class {index}",
        )  # fmt: skip
    axes.legend(
        loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=1.8, alignment="left",
        title="class  area", title_fontsize=8.5, fontsize=9 if len(view.classes) <= 12 else 7.5,
    )  # fmt: skip


def _cumulated(truth: NDArray[np.bool_], score: Floats) -> Points:
    """Hits and false alarms above each distinct score, from the highest down; (T,) each."""
    order = np.argsort(-score, kind="stable")
    truth, score = truth[order], score[order]
    last = np.append(score[1:] != score[:-1], True)[: len(score)]
    hits = np.cumsum(truth)[last]
    return hits.astype(np.float64), (np.flatnonzero(last) + 1.0 - hits).astype(np.float64)


def _fold_masks(view: RunView, known: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Yield rows of each fold; folds of a single class give no curve and are left out by `points`."""
    for fold in np.unique(view.fold):
        yield (view.fold == fold) & known
