"""Pictures of a comparison: folds, leads of the best, the grid of all pairs, mean ranks.

Everything is drawn from the numbers of the comparison's JSON, so that picture and file
cannot differ. Models stand best mean first. Leads are turned so that right is better for
the model named, whichever end of the metric is good. Must not know how a number was come by.

References
----------
The grid follows Ash et al. 2025, J. Chem. Inf. Model. 65:9398; the diagram of ranks Demšar
2006, J. Mach. Learn. Res. 7:1-30.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import WIDE, house_style, new_figure, no_frame, only_grid
from kekule.visualization.palette import (
    CLASS_COLOURS,
    FAINT,
    INK,
    MODEL,
    MUTED,
    PAPER,
    RULE,
    ink_on,
    metric_name,
    number,
    plain,
)

Told = dict[str, Any]  # the JSON of a comparison

LONGEST = 34  # letters of a name that is drawn
MOST_IN_GRID = 20  # models; of more the best
MOST_PAIRED = 8  # models whose folds are joined by lines
WITHIN = "#F1F3F5"  # of the grid: a difference no larger than matters
GAPS = LinearSegmentedColormap.from_list("gaps", [CLASS_COLOURS[1], PAPER, CLASS_COLOURS[0]])
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


def best_first(told: Told) -> list[Told]:
    """Models in the order of their lag: the best mean, then the nearest to it."""
    models = {model["name"]: model for model in told["models"]}
    return [models[told["best_group"][0]], *(models[lead["other"]] for lead in told["leads"])]


def stars(p: float) -> str:
    """Marks of a p value: one below 0.05, two below 0.01, three below 0.001."""
    return next((marks for limit, marks in STARS if p < limit), "")


def folds_figure(told: Told) -> Figure:
    """One box a model, one dot a fold; of few models, a line joins the dots of a fold."""
    models = best_first(told)
    scores = np.asarray([model["folds"] for model in models])
    with house_style():
        figure = new_figure(WIDE, 1.0 + 0.42 * len(models))
        axes = figure.subplots()
        boxes = axes.boxplot(
            list(scores), orientation="horizontal", widths=0.6, showfliers=False,
            patch_artist=True, positions=range(len(models)),
            medianprops={"color": INK, "linewidth": 1.6},
            whiskerprops={"color": FAINT}, capprops={"color": FAINT},
        )  # fmt: skip
        spread = (np.arange(scores.shape[1]) * 0.618 % 1 - 0.5) * 0.4  # even, the same each time
        if len(models) <= MOST_PAIRED:
            lines = np.arange(len(models))[:, None] + spread
            axes.plot(scores, lines, color=FAINT, alpha=0.3, linewidth=0.6, gid="pairing")
        for place, (model, box) in enumerate(zip(models, boxes["boxes"], strict=True)):
            colour = MODEL if model["name"] in told["best_group"] else MUTED
            box.set(facecolor=colour, alpha=0.28, edgecolor=colour, gid="box")
            axes.scatter(
                scores[place], place + spread, s=10, color=colour, zorder=3, linewidth=0,
                gid="folds",
            )  # fmt: skip
        _name_lines(axes, [model["name"] for model in models])
        axes.set_xlabel(_unit(told))
    return figure


def leads_figure(told: Told) -> Figure:
    """Lead of the best mean over each other model, with its interval and the band of no matter.

    Where the corrected t test is not the judge its own interval stands thin below.
    """
    leads, twice = told["leads"], told["method"] != "corrected t"
    corrected = {lead["other"]: lead for lead in told["corrected_leads"]}
    with house_style():
        figure = new_figure(WIDE, 1.1 + 0.44 * len(leads))
        axes = figure.subplots()
        least = told["smallest_difference"]
        if least:
            axes.axvspan(-least, least, color=RULE, alpha=0.7, linewidth=0, gid="band")
        axes.axvline(0, color=INK, linewidth=1, gid="zero")
        for place, lead in enumerate(leads):
            _draw_lead(axes, place, lead, apart=lead["other"] not in told["best_group"])
            if twice:
                under = corrected[lead["other"]]
                axes.hlines(
                    place + 0.24, under["low"], under["high"], color=FAINT, linewidth=1.4,
                    gid="corrected",
                )  # fmt: skip
        _name_lines(axes, [lead["other"] for lead in leads])
        axes.set_xlabel(f"Lead of {plain(told['best_group'][0], LONGEST)}, {_unit(told)}")
    return figure


def _draw_lead(axes: Axes, place: int, lead: Told, *, apart: bool) -> None:
    colour = MODEL if apart else MUTED
    if lead["low"] is not None:
        axes.hlines(place, lead["low"], lead["high"], color=colour, linewidth=2.4, gid="interval")
    axes.plot(
        lead["mean"], place, "o", color=colour, markersize=7, gid="lead",
        markerfacecolor=colour if apart else PAPER, markeredgewidth=1.6,
    )  # fmt: skip
    words = number(lead["mean"]) + (" (no interval)" if lead["low"] is None else "")
    axes.annotate(
        words, (lead["mean"], place), (0, 7), textcoords="offset points", ha="center",
        fontsize=8.5, color=INK,
    )  # fmt: skip


def grid_figure(told: Told) -> Figure:
    """Mean difference of every two models, line minus column, with the stars of its p value."""
    names = [model["name"] for model in best_first(told)][:MOST_IN_GRID]
    gaps, p_values = grid(told, names)
    least, reach = told["smallest_difference"], float(np.abs(gaps).max()) or 1.0
    with house_style():
        figure = new_figure(WIDE, min(1.9 + 0.52 * len(names), 9.4))
        axes = figure.subplots()
        for i, j in np.ndindex(gaps.shape):
            within = abs(gaps[i, j]) <= least
            ground = WITHIN if within else to_hex(GAPS(0.5 + 0.5 * gaps[i, j] / reach))
            axes.fill(
                [j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5],
                facecolor=ground, edgecolor=PAPER, linewidth=1.2,
                gid="within" if within else "gap",
            )  # fmt: skip
            if i != j:
                words = f"{number(float(gaps[i, j]))}\n{stars(float(p_values[i, j]))}".rstrip()
                axes.text(
                    j, i, words, ha="center", va="center", color=ink_on(ground), linespacing=1.0,
                    fontsize=8.5 if len(names) <= 10 else 5.5, gid="cell",
                )  # fmt: skip
        _name_grid(axes, names)
    return figure


def _name_grid(axes: Axes, names: list[str]) -> None:
    shown = [plain(name, LONGEST - 8) for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), shown)
    axes.tick_params(labelcolor=INK, top=False, labeltop=True, labelbottom=False)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    no_frame(axes)


def grid(told: Told, names: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Leads of line over column and p values, float64 (M, M) each; 0 and 1 on the diagonal."""
    place = {name: i for i, name in enumerate(names)}
    sign = 1 if told["higher_is_better"] else -1
    gaps, p_values = np.zeros((len(names),) * 2), np.ones((len(names),) * 2)
    for pair in told["pairs"]:
        if pair["one"] in place and pair["other"] in place:
            i, j = place[pair["one"]], place[pair["other"]]
            gaps[i, j], gaps[j, i] = sign * pair["mean"], -sign * pair["mean"]
            p_values[i, j] = p_values[j, i] = pair["p"]
    return gaps, p_values


def ranks_figure(told: Told) -> Figure:
    """Mean ranks on a line, best left; a bar joins what is closer than the critical difference."""
    models = sorted(told["models"], key=lambda model: (model["mean_rank"], model["name"]))
    ranks = {model["name"]: model["mean_rank"] for model in models}
    last, bars = len(models), len(told["cliques"])
    deepest = 0.5 + 0.28 * bars + 0.55 * ((last + 1) // 2)
    with house_style():
        figure = new_figure(WIDE, 1.1 + 0.5 * deepest)
        axes = figure.subplots()
        axes.hlines(0, 1, last, color=INK, linewidth=1.2)
        for rank in range(1, last + 1):
            axes.vlines(rank, 0, -0.14, color=INK, linewidth=1.2)
            if last <= 10 or rank == 1 or rank % 5 == 0:
                axes.text(rank, -0.24, str(rank), ha="center", va="bottom", color=MUTED)
        for level, clique in enumerate(told["cliques"]):
            ends = [ranks[clique[0]] - 0.03, ranks[clique[-1]] + 0.03]
            height = 0.3 + 0.28 * level
            axes.hlines(height, *ends, color=MODEL, linewidth=4, gid="clique")
        for place, model in enumerate(models):
            _draw_rank(axes, place, model, last, 0.5 + 0.28 * bars)
        reach = told["critical_difference"]
        axes.hlines(-0.95, 1, 1 + reach, color=MUTED, linewidth=1.6, gid="critical")
        axes.text(1, -1.05, f"critical difference {reach:.2f}", va="bottom", color=MUTED)
        axes.set_ylim(deepest + 0.2, -1.6)
        axes.set_axis_off()
    return figure


def _draw_rank(axes: Axes, place: int, model: Told, last: int, below: float) -> None:
    """Lead a mean rank down and out to its name: the better half left, the others right."""
    left = place < (last + 1) // 2
    depth = below + 0.55 * (place if left else last - 1 - place)
    end, rank = (0.93 if left else last + 0.07), model["mean_rank"]
    axes.plot([rank, rank, end], [0, depth, depth], color=FAINT, linewidth=1, gid="rank")
    name, mean = plain(model["name"], LONGEST), f"{rank:.2f}"
    words = f"{name}  {mean} " if left else f" {mean}  {name}"
    axes.text(end, depth, words, ha="right" if left else "left", va="center", color=INK)


def _unit(told: Told) -> str:
    end = "" if told["higher_is_better"] else " (lower is better)"
    return metric_name(told["metric"]) + end


def _name_lines(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [plain(name, LONGEST) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.7)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=9)
    only_grid(axes, "x")
    axes.spines["left"].set_visible(False)
