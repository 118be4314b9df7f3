"""Pictures of a tuning: its history, what mattered, and every setting against the score.

Everything is drawn from the numbers of the tuning's JSON, so that picture and file cannot
differ. One trial in a hundred can be so bad that all others would lie on one line; the axis
of scores is therefore cut where a box plot has its whisker, and what is worse stands at its
edge. Must not know how a number was come by.
"""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from kekule.visualization.canvas import WIDE, house_style, new_figure, only_grid, say
from kekule.visualization.palette import (
    CLASS_COLOURS,
    FAINT,
    INK,
    MODEL,
    MUTED,
    PAPER,
    metric_name,
    number,
    plain,
)

Told = dict[str, Any]  # the JSON of a tuning

LONGEST = 30  # letters of a key that is drawn
ACROSS = 3  # slices beside each other
BEST = CLASS_COLOURS[1]


def of_state(told: Told, state: str) -> list[Told]:
    """Trials that ended so and have a value, by number."""
    return [t for t in told["trials"] if t["state"] == state and t["value"] is not None]


def _empty_figure() -> Figure:
    with house_style():
        figure = new_figure(WIDE, 1.6)
        say(figure.subplots(), "No trial ended with a value.")
    return figure


def score_limits(told: Told) -> tuple[float, float]:
    """Ends of the axis of scores: all completed trials but those past the whisker."""
    values = np.array([trial["value"] for trial in of_state(told, "complete")] or [0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    first, third = np.quantile(values, [0.25, 0.75])
    reach = 1.5 * float(third - first)
    if told["higher_is_better"]:
        low = max(low, float(first) - reach)
    else:
        high = min(high, float(third) + reach)
    room = 0.06 * (high - low) or 0.01
    return low - room, high + room


def best_so_far(told: Told) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Numbers of the completed trials, and the best value up to each; int64, float64 (C,)."""
    complete = of_state(told, "complete")
    numbers = np.array([trial["number"] for trial in complete], dtype=np.int64)
    values = np.array([trial["value"] for trial in complete], dtype=np.float64)
    best = np.maximum if told["higher_is_better"] else np.minimum
    return numbers, best.accumulate(values) if len(values) else values


def history_figure(told: Told) -> Figure:
    """Every trial by its number, and the best value so far as a line."""
    if told["best"] is None:
        return _empty_figure()
    with house_style():
        figure = new_figure(WIDE, 3.7)
        axes = figure.subplots()
        numbers, best = best_so_far(told)
        limits = score_limits(told)
        axes.step(numbers, best, where="post", color=MODEL, linewidth=2, gid="best-so-far",
                  label="best so far")  # fmt: skip
        _dots(axes, of_state(told, "complete"), limits, colour=MODEL, mark="o", label="complete")
        _dots(axes, of_state(told, "pruned"), limits, colour=MUTED, mark="x", label="pruned")
        if told["own"] is not None:
            axes.axhline(
                float(np.clip(told["own"]["value"], *limits)), color=INK, linewidth=1,
                linestyle=(0, (4, 1.5)), gid="own", label="the recipe as it was",
            )  # fmt: skip
        axes.plot(
            told["best"]["number"], told["best"]["value"], "o", color=BEST, markersize=8,
            markeredgecolor=PAPER, gid="best", label="best", zorder=4,
        )  # fmt: skip
        axes.set_ylim(limits)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Trial")
        axes.set_ylabel(score_label(told))
        axes.legend(loc="best", ncols=2)
        only_grid(axes, "y")
    return figure


def _dots(
    axes: Axes,
    trials: list[Told],
    limits: tuple[float, float],
    *,
    colour: str,
    mark: str,
    label: str,
) -> None:
    if trials:
        values = np.clip([trial["value"] for trial in trials], *limits)
        axes.plot(
            [trial["number"] for trial in trials], values, mark, color=colour, alpha=0.55,
            markersize=5, linestyle="none", gid=label, label=label,
        )  # fmt: skip


def importance_figure(told: Told) -> Figure:
    """Share of the variance of the scores that each setting explains, largest first."""
    shares = told["importance"] or {}
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    with house_style():
        figure = new_figure(WIDE, 1.0 + 0.36 * max(len(ordered), 2))
        axes = figure.subplots()
        if not ordered:
            say(axes, f"Not known: {told['importance_note']}.")
            return figure
        places = range(len(ordered))
        axes.barh(places, [share for _, share in ordered], height=0.62, color=MODEL, gid="bar")
        for place, (_, share) in zip(places, ordered, strict=True):
            axes.text(share + 0.01, place, f"{100 * share:.0f} %", va="center", color=INK)
        axes.set_yticks(places, [plain(key, LONGEST) for key, _ in ordered])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.invert_yaxis()
        axes.set_xlim(0, max(1.0, max(shares.values()) + 0.1))
        axes.set_xlabel("Share of the variance of the scores")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
        only_grid(axes, "x")
    return figure


def slices_figure(told: Told) -> Figure:
    """One panel a setting: its value in every completed trial against the score."""
    keys = [*told["space"]]
    rows = math.ceil(len(keys) / ACROSS)
    if told["best"] is None:
        return _empty_figure()
    with house_style():
        figure = new_figure(WIDE, 0.3 + 2.45 * rows)
        panels = figure.subplots(rows, ACROSS, sharey=True, squeeze=False)
        limits = score_limits(told)
        for place, axes in enumerate(panels.flat):
            if place >= len(keys):
                axes.set_visible(False)
                continue
            _draw_slice(axes, told, keys[place], limits)
            if place % ACROSS == 0:
                axes.set_ylabel(score_label(told))
        panels[0, 0].set_ylim(limits)
    return figure


def _draw_slice(axes: Axes, told: Told, key: str, limits: tuple[float, float]) -> None:
    trials, one = of_state(told, "complete"), told["space"][key]
    places = slice_places(told, key)
    values = np.clip([trial["value"] for trial in trials], *limits)
    spread: NDArray[np.floating[Any]] = np.zeros(len(places))
    if isinstance(one, list):
        spread = (np.arange(len(places)) * 0.618 % 1 - 0.5) * 0.3  # even, the same each time
        axes.set_xticks(range(len(one)), [plain(_word(value), 12) for value in one])
        axes.set_xlim(-0.5, len(one) - 0.5)
    else:
        if one.get("log"):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_locator(NullLocator())
        elif isinstance(one["low"], int):
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        room = 0.04 * (one["high"] - one["low"])
        ends = (one["low"], one["high"])
        axes.set_xlim(*(ends if one.get("log") else (ends[0] - room, ends[1] + room)))
    axes.plot(places + spread, values, "o", color=MODEL, alpha=0.5, markersize=4.5,
              linestyle="none", gid="slice", clip_on=False)  # fmt: skip
    for place, moved, value, trial in zip(places, spread, values, trials, strict=True):
        if told["best"] is not None and trial["number"] == told["best"]["number"]:
            axes.plot(place + moved, value, "o", color=BEST, markersize=7, markeredgecolor=PAPER,
                      gid="best", zorder=4, clip_on=False)  # fmt: skip
    axes.set_title(plain(key, LONGEST))
    axes.spines["bottom"].set_color(FAINT)
    only_grid(axes, "y")


def slice_places(told: Told, key: str) -> NDArray[np.float64]:
    """Where the completed trials stand along a setting: its value, or its place in the list."""
    one = told["space"][key]
    given = [trial["parameters"][key] for trial in of_state(told, "complete")]
    where = [one.index(value) for value in given] if isinstance(one, list) else given
    return np.array(where, dtype=np.float64)


def score_label(told: Told) -> str:
    """The score with which end of it is good."""
    good = "higher" if told["higher_is_better"] else "lower"
    return f"{metric_name(told['metric'])} ({good} is better)"


def history_words(told: Told) -> str:
    """What the history shows, for whoever cannot see it."""
    numbers, best = best_so_far(told)
    if not len(numbers):
        return "No trial ended with a value."
    return (
        f"Best {metric_name(told['metric'])} so far over {len(numbers)} completed trials: "
        f"{number(float(best[0]))} after the first, {number(float(best[len(best) // 2]))} after "
        f"half of them, {number(float(best[-1]))} after all."
    )


def importance_words(told: Told) -> str:
    """What the bars of importance show."""
    if not told["importance"]:
        return f"Importance is not known: {told['importance_note']}."
    ordered = sorted(told["importance"].items(), key=lambda item: (-item[1], item[0]))
    shares = ", ".join(f"{key} {100 * share:.0f} %" for key, share in ordered)
    return f"Share of the variance of the scores: {shares}."


def slices_words(told: Told) -> str:
    """What the panels show: where the best trial stands."""
    if told["best"] is None:
        return "No trial ended with a value."
    where = ", ".join(f"{key} {_word(value)}" for key, value in told["best"]["parameters"].items())
    return f"The best trial, number {told['best']['number']}, has {where}."


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
