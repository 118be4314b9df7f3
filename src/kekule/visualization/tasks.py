"""Several tasks learnt together: each one's score beside the others', and its curve.

A task is known by its own rows: a missing label counts nowhere. Of more tasks than a figure
holds those with the most labels are drawn; the table of the page has them all.

Symbols: R rows, T tasks.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kekule.visualization.canvas import WIDE, new_figure, only_grid, say, styled
from kekule.visualization.discrimination import roc_points, trapezoid_area
from kekule.visualization.folds import UNDEFINED
from kekule.visualization.nearness_view import TopListView
from kekule.visualization.palette import FAINT, INK, MODEL, MUTED, number, plain
from kekule.visualization.run_view import RunView, Score, TaskView

MOST_LINES, MOST_CURVES, COLUMNS = 40, 12, 4


@dataclass(frozen=True)
class TaskRow:
    """One line of the table of tasks; a score is undefined where no fold has one.

    ``n_scored`` of ``n_folds`` folds have both classes among their test rows. ``rival`` is
    the baseline with the best ROC AUC, empty where there is none. ``top`` is of `TaskView`.
    """

    name: str
    positive: str
    n_labels: int
    n_positive: int
    roc_auc: Score
    pr_auc: Score
    n_scored: int
    n_folds: int
    rival: str
    rival_score: Score
    top: TopListView | None = None


def task_rows(view: RunView) -> list[TaskRow]:
    """Every task in the order of the recipe."""
    return [_task_row(task) for task in view.tasks]


def drawn_tasks(view: RunView, at_most: int) -> tuple[TaskView, ...]:
    """Return the tasks a figure shows, in order: all, or those with the most labels."""
    labels = [-int((task.truth >= 0).sum()) for task in view.tasks]
    chosen = np.sort(np.argsort(labels, kind="stable")[:at_most])
    return tuple(view.tasks[k] for k in chosen.tolist())


@styled
def tasks_figure(view: RunView) -> Figure:
    """Mean ROC AUC and its interval, one line a task, with its best baseline."""
    rows = [_task_row(task) for task in drawn_tasks(view, MOST_LINES)]
    figure = new_figure(WIDE, 1.0 + 0.27 * len(rows))
    axes = figure.subplots()
    axes.axvline(0.5, color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="chance")
    for place, row in enumerate(rows):
        _draw_line(axes, place, row)
    axes.plot([], [], "o", color=MODEL, markersize=6, label=plain(view.model, 20))
    if view.baselines:
        axes.plot([], [], "d", color=MUTED, markersize=5, label="best baseline of the task")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, handletextpad=0.3)
    axes.set_yticks(range(len(rows)), [plain(row.name, 28) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_xlabel("ROC AUC")
    axes.spines["left"].set_visible(False)
    only_grid(axes, "x")
    return figure


@styled
def task_roc_figure(view: RunView) -> Figure:
    """ROC curve of each task, out-of-fold probabilities of its rows pooled."""
    tasks = drawn_tasks(view, MOST_CURVES)
    lines = -(-len(tasks) // COLUMNS)
    figure = new_figure(WIDE, 2.35 * lines + 0.2)
    panels = figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in panels[len(tasks) :]:
        axes.set_axis_off()
    for axes, task in zip(panels, tasks, strict=False):
        axes.set_title(plain(task.name, 22), fontsize=8.5)
        known = (task.truth >= 0) & np.isfinite(task.probability)
        points = roc_points(task.truth[known] == 1, task.probability[known])
        if not len(points[0]):
            say(axes, "Undefined: one class among the rows.")
            continue
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)), gid="chance")
        axes.plot(*points, color=MODEL, linewidth=1.8, gid="pooled")
        axes.text(0.97, 0.05, number(trapezoid_area(points)), ha="right", weight="bold", color=INK)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    figure.supxlabel("False positive rate", fontsize=9, color=MUTED)
    figure.supylabel("True positive rate", fontsize=9, color=MUTED)
    return figure


def _task_row(task: TaskView) -> TaskRow:
    known = {
        name: scores["roc_auc"]
        for name, scores in task.baselines.items()
        if np.isfinite(scores.get("roc_auc", UNDEFINED).mean)
    }
    rival = max(known, key=lambda name: known[name].mean, default="")
    roc_auc = task.scores.get("roc_auc", UNDEFINED)
    return TaskRow(
        name=task.name,
        positive=task.classes[-1],
        n_labels=int((task.truth >= 0).sum()),
        n_positive=int((task.truth == 1).sum()),
        roc_auc=roc_auc,
        pr_auc=task.scores.get("pr_auc", UNDEFINED),
        n_scored=int(np.isfinite(roc_auc.folds).sum()),
        n_folds=len(roc_auc.folds),
        rival=rival,
        rival_score=known.get(rival, UNDEFINED),
        top=task.top,
    )


def _draw_line(axes: Axes, place: int, row: TaskRow) -> None:
    """One task: the model's dot and interval, the rival's mark below the line."""
    if np.isfinite(row.rival_score.mean):
        axes.plot(row.rival_score.mean, place + 0.2, "d", color=MUTED, markersize=5, gid="rival")
    if not np.isfinite(row.roc_auc.mean):
        axes.annotate(
            "undefined", (0.02, place), xycoords=("axes fraction", "data"), va="center",
            fontsize=8, style="italic", color=MUTED,
        )  # fmt: skip
        return
    axes.hlines(place, row.roc_auc.low, row.roc_auc.high, color=MODEL, linewidth=1.8)
    axes.plot(row.roc_auc.mean, place, "o", color=MODEL, markersize=6, gid="mean")
