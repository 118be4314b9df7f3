"""The members of an ensemble beside it, and what each of them counts."""

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
from kekule.visualization.portion import NAN, Interval
from kekule.visualization.run_view import RunView

NONE = Interval(NAN, NAN, NAN)


@styled
def members_figure(view: RunView) -> Figure:
    """Score of the ensemble and of each member alone; weights beside them."""
    told = view.ensemble
    figure = new_figure(WIDE, 1.1 + 0.34 * (1 + (0 if told is None else len(told.members))))
    scores, weights = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    if told is None:
        say(scores, "No ensemble.")
        weights.set_axis_off()
        return figure
    lower = " (lower is better)" if told.metric in LOWER_IS_BETTER else ""
    scores.set_title(f"{metric_name(told.metric)}{lower}")
    _draw_score(scores, 0, told.own.get(told.metric, NONE), MODEL)
    weights.set_title("Weight, mean over the folds")
    for place, member in enumerate(told.members, start=1):
        _draw_score(scores, place, member.scores.get(told.metric, NONE), MUTED)
        weights.barh(
            place, np.nan_to_num(member.weight), height=0.6, color=MODEL, alpha=0.8, gid="weight"
        )
        said = (
            number(member.weight, 2) if member.kept == 1 else _partly(member.weight, member.kept)
        )
        weights.annotate(
            said, (np.nan_to_num(member.weight), place), (5, 0), textcoords="offset points",
            va="center", color=INK, fontsize=8.5,
        )  # fmt: skip
    names = [plain(view.model, 20), *(plain(member.name, 24) for member in told.members)]
    scores.set_yticks(range(len(names)), names)
    scores.set_ylim(len(names) - 0.4, -0.7)
    scores.tick_params(axis="y", labelcolor=INK)
    heaviest = max((member.weight for member in told.members), default=1.0)
    weights.set_xlim(0, max(float(np.nan_to_num(heaviest)), 0.05) * 1.5)
    for axes in (scores, weights):
        axes.spines["left"].set_visible(False)
        only_grid(axes, "x")
    return figure


def _partly(weight: float, kept: float) -> str:
    return f"{number(weight, 2)}, in {kept:.0%} of folds" if kept else "in no fold"


def _draw_score(axes: Axes, place: int, score: Interval, colour: str) -> None:
    if not np.isfinite(score.value):
        axes.annotate(
            "undefined", (0.02, place), xycoords=("axes fraction", "data"), va="center",
            fontsize=8, style="italic", color=MUTED,
        )  # fmt: skip
        return
    first = place == 0
    axes.hlines(place, score.low, score.high, color=colour, linewidth=2.2 if first else 1.4)
    axes.plot(score.value, place, "o", color=colour, markersize=7 if first else 5, gid="mean")
    axes.annotate(
        number(score.value), (score.value, place), (0, 6), textcoords="offset points",
        ha="center", fontsize=8, color=INK, weight="bold" if first else "normal",
    )  # fmt: skip
    if first:
        axes.axvline(score.value, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.margins(x=0.12)
