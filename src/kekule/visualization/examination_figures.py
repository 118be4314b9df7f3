"""The same model asked harder questions: other splits, fewer rows, labels without meaning."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kekule.visualization.canvas import HALF, WIDE, new_figure, only_grid, say, styled
from kekule.visualization.examination_view import ExaminationView, Rung
from kekule.visualization.palette import (
    INK,
    LOWER_IS_BETTER,
    MODEL,
    MUTED,
    metric_name,
    number,
    plain,
)
from kekule.visualization.portion import Interval
from kekule.visualization.run_view import RunView

MARKS = ("s", "d", "^", "v", "P", "X", "*")  # of baselines; the model is a dot


@styled
def ladder_figure(view: RunView) -> Figure:
    """One line a split: how near its test rows are to training, and the scores there."""
    told = view.examination
    ladder = () if told is None else told.ladder
    figure = new_figure(WIDE, 0.9 + 1.15 * max(len(ladder), 1))
    if told is None or not ladder:
        say(figure.subplots(), "No splits were compared.")
        return figure
    panels = figure.subplots(len(ladder), 2, sharex="col", squeeze=False, width_ratios=[1, 1])
    names = list(dict.fromkeys(name for rung in ladder for name in rung.baselines))
    for (near, scores), rung in zip(panels, ladder, strict=True):
        _draw_similarity(near, rung)
        _draw_rung(scores, rung, names)
    panels[0][0].set_xlim(0, 1)
    panels[-1][0].set_xlabel("Similarity to the nearest training row")
    panels[-1][1].set_xlabel(_named(told))
    _name_marks(panels[0][1], view.model, names)
    return figure


def _draw_similarity(axes: Axes, rung: Rung) -> None:
    axes.set_title(plain(rung.split, 34))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    total = sum(rung.counts)
    if not total:
        axes.text(0.02, 0.5, "no similarities", transform=axes.transAxes, color=MUTED)
        return
    edges, counts = np.array(rung.edges), np.array(rung.counts)
    axes.stairs(counts / total, edges, fill=True, color=MODEL, alpha=0.8, gid="similarity")
    mean = float(((edges[:-1] + edges[1:]) / 2 * counts).sum() / total)
    axes.axvline(mean, color=INK, linewidth=1, linestyle=(0, (2, 2)), gid="mean")
    axes.set_title(f"mean {number(mean, 2)}", loc="right", fontsize=8.5, weight="normal")


def _draw_rung(axes: Axes, rung: Rung, names: list[str]) -> None:
    lines = [
        ("model", rung.primary),
        *((n, rung.baselines[n]) for n in names if n in rung.baselines),
    ]
    for place, (name, score) in enumerate(lines):
        colour = MODEL if place == 0 else MUTED
        mark = "o" if place == 0 else MARKS[names.index(name) % len(MARKS)]
        if not np.isfinite(score.value):
            continue
        axes.hlines(place, score.low, score.high, color=colour, linewidth=2 if place == 0 else 1.2)
        axes.plot(score.value, place, mark, color=colour, markersize=6, gid="score")
    axes.set_yticks([])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.spines["left"].set_visible(False)
    only_grid(axes, "x")


def _name_marks(axes: Axes, model: str, names: list[str]) -> None:
    axes.plot([], [], "o", color=MODEL, label=plain(model, 18))
    for place, name in enumerate(names):
        axes.plot([], [], MARKS[place % len(MARKS)], color=MUTED, label=plain(name, 18))
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, handletextpad=0.2,
        columnspacing=1.0, borderaxespad=0.2, fontsize=8.5,
    )  # fmt: skip


@styled
def learning_curve_figure(view: RunView) -> Figure:
    """Score by the number of training rows, on rows held out and on the training rows."""
    told = view.examination
    figure = new_figure(HALF, 3.3)
    axes = figure.subplots()
    if told is None or not told.learning:
        say(axes, "No learning curve.")
        return figure
    rows = np.array([stage.rows for stage in told.learning])
    value, low, high = (
        np.array([getattr(stage.primary, part) for stage in told.learning])
        for part in ("value", "low", "high")
    )
    axes.fill_between(rows, low, high, color=MODEL, alpha=0.15, linewidth=0)
    axes.plot(
        rows, value, "o-", color=MODEL, linewidth=1.8, markersize=5, label="test", gid="test"
    )
    train = np.array([stage.train_primary for stage in told.learning])
    if np.isfinite(train).any():
        axes.plot(
            rows, train, "s", linestyle=(0, (4, 1.5)), color=MUTED, linewidth=1.4, markersize=4,
            label="training", gid="train",
        )  # fmt: skip
        axes.legend(loc="best")
    axes.set(xlabel="Training rows", ylabel=_named(told))
    axes.set_xlim(left=0)
    return figure


@styled
def scrambled_figure(view: RunView) -> Figure:
    """Score with labels as they are and dealt anew, and what chance gets."""
    told = view.examination
    figure = new_figure(HALF, 3.3)
    axes = figure.subplots()
    if told is None or told.scrambled is None:
        say(axes, "Labels were not dealt anew.")
        return figure
    chance = told.scrambled.chance
    if np.isfinite(chance):
        axes.axvline(chance, color=INK, linewidth=1, linestyle=(0, (2, 2)), gid="chance")
        axes.annotate(
            f"chance, {number(chance, 2)}", (chance, -0.55), (4, 0), textcoords="offset points",
            va="center", fontsize=8.5, color=INK,
        )  # fmt: skip
    own = view.scores.get(told.metric)
    lines = [("labels dealt anew", told.scrambled.primary, MUTED)]
    if own is not None:
        lines.insert(0, ("labels as given", Interval(own.mean, own.low, own.high), MODEL))
    for place, (_, score, colour) in enumerate(lines):
        if np.isfinite(score.value):
            axes.hlines(place, score.low, score.high, color=colour, linewidth=2.2)
            axes.plot(score.value, place, "o", color=colour, markersize=7, gid="score")
            axes.annotate(
                number(score.value), (score.value, place), (0, 8), textcoords="offset points",
                ha="center", fontsize=8.5, color=INK,
            )  # fmt: skip
    axes.set_yticks(range(len(lines)), [name for name, _, _ in lines])
    axes.set_ylim(len(lines) - 0.4, -0.8)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_named(told))
    axes.margins(x=0.12)
    only_grid(axes, "x")
    return figure


def _named(told: ExaminationView) -> str:
    lower = " (lower is better)" if told.metric in LOWER_IS_BETTER else ""
    return metric_name(told.metric) + lower
