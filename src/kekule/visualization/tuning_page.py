"""The page of a tuning, which needs nothing but itself: what was found, and what it is worth.

Knows the tuning as its JSON, so the page can say no other number; must not know how it was
come by. Every text in it may come from a file of the user's and is escaped.
"""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from kekule.visualization.canvas import svg_text
from kekule.visualization.page import page_environment, write_text
from kekule.visualization.palette import metric_name, number
from kekule.visualization.tuning_figures import (
    Told,
    history_figure,
    history_words,
    importance_figure,
    importance_words,
    slices_figure,
    slices_words,
)

FIGURES = {
    "history": (history_figure, history_words),
    "importance": (importance_figure, importance_words),
    "slices": (slices_figure, slices_words),
}
MOST_LINES = 500  # trials in the table of the page; `trials.csv` has them all


def write_tuning_page(told: Told, path: Path) -> Path:
    """Write the page of a tuning to `path`; see `kekule.visualization.page.write_text`."""
    return write_text(path, render_tuning(told))


def render_tuning(told: Told) -> str:
    """Return the page of what `kekule.tune` writes as JSON."""
    return (
        page_environment(said=value_said)
        .get_template("tuning.html.j2")
        .render(
            told=told,
            headline=headline(told),
            figures={
                name: {"svg": Markup(svg_text(make(told), name)), "words": words(told)}  # noqa: S704  # drawn by us, names escaped
                for name, (make, words) in FIGURES.items()
            },
            settings=settings_lines(told),
            outer=outer_said(told),
            lines=best_first(told)[:MOST_LINES],
            most_lines=MOST_LINES,
        )
    )


def sentences(told: Told) -> list[str]:
    """What a terminal says of a tuning: how many trials, the best of them, what it is worth."""
    counts = ", ".join(f"{count} {state}" for state, count in told["counts"].items())
    left = "" if told["finished"] else "; not all are done, and the same command goes on"
    asked = f"{counts}, of {told['n_trials']} trials asked for{left}."
    return [asked, f"{headline(told)}.", *filter(None, [outer_said(told)]), told["warning"]]


def headline(told: Told) -> str:
    """What was found, in a few words."""
    if told["best"] is None:
        return "No trial ended with a value"
    said = f"Best {metric_name(told['metric'])} {number(told['best']['value'])}"
    own = told["own"]
    if own is None:
        return said
    if told["best"]["number"] == own["number"]:
        return f"{said}: the recipe as it was"
    return f"{said}; the recipe as it was has {number(own['value'])}"


def outer_said(told: Told) -> str:
    """The estimate from the outer test rows, in a sentence; empty where there is none."""
    nested = told["nested"]
    if nested is None:
        return ""
    found, name = nested["metrics"][told["metric"]], metric_name(told["metric"])
    if found["mean"] is None:
        return f"{name} is undefined on the outer test rows."
    n_folds = len(nested["folds"])
    over = "one test set" if n_folds == 1 else f"{n_folds} test sets"
    interval = (
        ""
        if found["low"] is None
        else f" (95 % interval {number(found['low'])} to {number(found['high'])})"
    )
    said = (
        f"On the outer test rows, {over} that no trial met, {name} is "
        f"{number(found['mean'])}{interval}; the best trials said {number(nested['inner_mean'])}"
    )
    return f"{said}, which is {_flattered(nested['flattery'])}."


def _flattered(by: float) -> str:
    if abs(by) < 0.0005:
        return "the same"
    return f"{number(abs(by))} {'better than' if by > 0 else 'worse than'} what came true"


def settings_lines(told: Told) -> list[dict[str, str]]:
    """Each setting: what was tried, the best trial's value, and the recipe's own."""
    best, own = told["best"], told["own"]
    return [
        {
            "key": key,
            "tried": tried_said(one),
            "best": "" if best is None else value_said(best["parameters"][key]),
            "own": "" if own is None else value_said(own["parameters"][key]),
        }
        for key, one in told["space"].items()
    ]


def tried_said(one: Any) -> str:
    """A list of values, or a span, as a person writes it."""
    if isinstance(one, list):
        return ", ".join(map(value_said, one))
    said = f"{value_said(one['low'])} to {value_said(one['high'])}"
    if one.get("step"):
        said += f" in steps of {value_said(one['step'])}"
    return f"{said}, logarithmic" if one.get("log") else said


def value_said(value: Any) -> str:
    """Write one value as a recipe has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def best_first(told: Told) -> list[Told]:
    """Trials in the order of their worth: completed ones by value, then the others by number."""
    sign = -1 if told["higher_is_better"] else 1

    def place(trial: Told) -> tuple[int, float, int]:
        complete = trial["state"] == "complete"
        return (0 if complete else 1, sign * trial["value"] if complete else 0, trial["number"])

    return sorted(told["trials"], key=place)
