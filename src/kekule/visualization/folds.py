"""The model beside its baselines, fold by fold and as intervals.

All models are scored on the same folds, so a box that overlaps a baseline's is no
victory. A fold on which a metric is undefined (one class missing) is counted, not hidden.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kekule.visualization.canvas import WIDE, new_figure, only_grid, say, styled
from kekule.visualization.palette import (
    FAINT,
    INK,
    LOWER_IS_BETTER,
    MODEL,
    MUTED,
    metric_name,
    number,
    plain,
)
from kekule.visualization.run_view import RunView, Score

BOX_METRICS = ("accuracy", "balanced_accuracy", "roc_auc", "mcc", "pr_auc", "f1")
TASK_METRICS = ("roc_auc", "pr_auc", "balanced_accuracy", "mcc", "f1")  # few are positive
UNDEFINED = Score(np.nan, np.nan, np.nan, np.nan, ())


def model_scores(view: RunView, metric: str) -> dict[str, Score]:
    """Scores of the model, then of each baseline; one without the metric is undefined."""
    rows = {view.model: view.scores, **view.baselines}
    return {name: scores.get(metric, UNDEFINED) for name, scores in rows.items()}


def shown_metrics(view: RunView, at_most: int) -> list[str]:
    """Return the metrics worth a panel, in order of use; all others stay in the table."""
    order = TASK_METRICS if view.tasks else BOX_METRICS
    return [metric for metric in order if metric in view.scores][:at_most]


@styled
def folds_figure(view: RunView) -> Figure:
    """One panel a metric, one box a model, one dot a fold."""
    metrics = shown_metrics(view, 4)
    figure = new_figure(WIDE, 1.0 + 0.5 * (1 + len(view.baselines)))
    panels = figure.subplots(1, max(len(metrics), 1), sharey=True, squeeze=False)[0]
    if not metrics:
        say(panels[0], "No scores.")
    for axes, metric in zip(panels, metrics, strict=False):
        _draw_boxes(axes, model_scores(view, metric))
        axes.set_title(metric_name(metric))
    return figure


@styled
def comparison_figure(view: RunView) -> Figure:
    """Mean and interval of three metrics, model first."""
    metrics = shown_metrics(view, 3)
    figure = new_figure(WIDE, 0.9 + 0.36 * (1 + len(view.baselines)))
    panels = figure.subplots(1, max(len(metrics), 1), sharey=True, squeeze=False)[0]
    if not metrics:
        say(panels[0], "No scores.")
    for axes, metric in zip(panels, metrics, strict=False):
        _draw_intervals(axes, model_scores(view, metric))
        axes.set_title(
            metric_name(metric) + (" (lower is better)" if metric in LOWER_IS_BETTER else "")
        )
    return figure


def _draw_boxes(axes: Axes, scores: dict[str, Score]) -> None:
    defined = [[v for v in score.folds if np.isfinite(v)] for score in scores.values()]
    boxes = axes.boxplot(
        defined, orientation="horizontal", widths=0.55, showfliers=False, patch_artist=True,
        medianprops={"color": INK, "linewidth": 1.6},
        whiskerprops={"color": FAINT}, capprops={"color": FAINT},
    )  # fmt: skip
    for position, (box, values) in enumerate(zip(boxes["boxes"], defined, strict=True)):
        colour = MODEL if position == 0 else FAINT
        box.set(facecolor=colour, alpha=0.28, edgecolor=colour, gid="box")
        spread = (np.arange(len(values)) * 0.618 % 1 - 0.5) * 0.34  # even, and the same every time
        axes.scatter(
            values, position + 1 + spread, s=9, color=colour, zorder=3, linewidth=0, gid="folds"
        )
    _name_models(axes, scores, start=1)
    for position, (score, values) in enumerate(zip(scores.values(), defined, strict=True), 1):
        _say_undefined(axes, position, len(values), len(score.folds))


def _draw_intervals(axes: Axes, scores: dict[str, Score]) -> None:
    for position, score in enumerate(scores.values()):
        colour = MODEL if position == 0 else MUTED
        if not np.isfinite(score.mean):
            _say_undefined(axes, position, 0, 0)
            continue
        axes.hlines(
            position, score.low, score.high, color=colour, linewidth=2.2 if position == 0 else 1.4
        )
        axes.plot(
            score.mean,
            position,
            "o",
            color=colour,
            markersize=7 if position == 0 else 5,
            gid="mean",
        )
        axes.annotate(
            number(score.mean), (score.mean, position), (0, 6), textcoords="offset points",
            ha="center", fontsize=8.5, color=INK, weight="bold" if position == 0 else "normal",
        )  # fmt: skip
    axes.margins(x=0.12)
    _name_models(axes, scores, start=0)


def _say_undefined(axes: Axes, position: int, n_defined: int, n_folds: int) -> None:
    """Write on a model's line how many of its folds have no value; nothing if all have one."""
    if 0 < n_defined == n_folds:
        return
    some = f"undefined in {n_folds - n_defined} of {n_folds} folds"
    axes.annotate(
        some if n_defined else "undefined",
        (0.02, position + (0.4 if n_defined else 0.0)),
        xycoords=("axes fraction", "data"), va="center", fontsize=8, style="italic", color=MUTED,
    )  # fmt: skip


def _name_models(axes: Axes, scores: dict[str, Score], *, start: int) -> None:
    axes.set_yticks(range(start, start + len(scores)), [plain(name, 18) for name in scores])
    axes.set_ylim(start + len(scores) - 0.4, start - 0.7)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=9)
    only_grid(axes, "x")
    axes.spines["left"].set_visible(False)
