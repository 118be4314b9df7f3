"""The comparison as a page that needs nothing but itself: the verdict first, then the evidence.

Knows the comparison as its JSON, so the page can say no other number; must not know how it
was come by. Every text in it may come from the name of a folder and is escaped.
"""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from kekule.visualization.canvas import svg_text
from kekule.visualization.comparison_figures import (
    MOST_IN_GRID,
    MOST_PAIRED,
    Told,
    best_first,
    folds_figure,
    grid_figure,
    leads_figure,
    ranks_figure,
    stars,
)
from kekule.visualization.page import page_environment, write_text
from kekule.visualization.palette import number

FIGURES = {
    "folds": folds_figure,
    "leads": leads_figure,
    "grid": grid_figure,
    "ranks": ranks_figure,
}
JUDGES = {
    "corrected t": "Corrected t",
    "parametric": "Tukey",
    "ranks": "Conover, Holm",
}


def write_comparison_page(told: Told, path: Path) -> Path:
    """Write the page of a comparison to `path`; see `kekule.visualization.page.write_text`."""
    return write_text(path, render_comparison(told))


def render_comparison(told: Told) -> str:
    """Return the page of what `kekule.compare` writes as JSON."""
    svgs = {name: Markup(svg_text(make(told), name)) for name, make in FIGURES.items()}  # noqa: S704  # drawn by us, names escaped
    return (
        page_environment(chance=chance)
        .get_template("comparison.html.j2")
        .render(
            told=told,
            about=told["compared"],
            headline=headline(told),
            tone=_tone(told),
            models=best_first(told),
            networks=[run["name"] for run in told["compared"]["runs"]],
            pairs=_beside(told),
            judge=JUDGES[told["method"]],
            checks=assumption_lines(told),
            tests=overall_lines(told),
            svgs=svgs,
            span=span,
            stars=stars,
            most_in_grid=MOST_IN_GRID,
            most_paired=MOST_PAIRED,
        )
    )


def headline(told: Told) -> str:
    """The verdict in a few words."""
    if told["winner"] is not None:
        return f"{told['winner']} wins"
    if len(told["best_group"]) > 1:
        return "No winner: the best are within noise of each other"
    if told["confirmed"] is None:
        return "No winner: the lead may be too small to matter"
    return "No winner: the corrected test does not confirm the lead"


def chance(p: float | None) -> str:
    """Format a p value."""
    if p is None:
        return "undefined"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def span(low: float | None, high: float | None) -> str:
    """Format an interval."""
    if low is None or high is None:
        return "none: too few folds"
    return f"{number(low)} to {number(high)}"


def assumption_lines(told: Told) -> list[tuple[str, str, str]]:
    """Each assumption: what was tested, what was found, and what it decided."""
    a, alpha = told["assumptions"], told["alpha"]
    ratio, allowed, sphere = a["variance_ratio"], a["variance_ratio_allowed"], a["sphericity"]
    return [
        (
            "Normal residuals",
            f"Shapiro–Wilk p {chance(a['normality_p'])}",
            _decided(a["normality_p"], alpha),
        ),
        (
            "Like spread of all models",
            f"largest variance over smallest {_or_undefined(ratio, 1)}, "
            f"allowed up to {allowed:g}; Levene p {chance(a['levene_p'])}, which decides nothing",
            "ranks" if ratio is None or ratio > allowed else "means will do",
        ),
        (
            "Sphericity",
            f"Mauchly W {_or_undefined(sphere['w'], 3)}, p {chance(sphere['p'])}; "
            f"epsilon {_or_undefined(sphere['epsilon'], 3)}",
            _decided(sphere["p"], alpha),
        ),
    ]


def overall_lines(told: Told) -> list[tuple[str, str, str]]:
    """Tests of all models at once: name, statistic, p."""
    friedman, anova = told["friedman"], told["anova"]
    lines = [
        ("Friedman", f"chi-squared {number(friedman['statistic'], 2)}", chance(friedman["p"]))
    ]
    if anova is not None:
        f = f"F({anova['df_models']}, {anova['df_error']}) = {number(anova['f'], 2)}"
        lines += [
            ("Repeated-measures ANOVA", f, chance(anova["p"])),
            (
                "the same, Greenhouse–Geisser",
                f"epsilon {number(anova['epsilon'])}",
                chance(anova["p_corrected"]),
            ),
        ]
    return lines


def _decided(p: float | None, alpha: float) -> str:
    return "ranks" if p is None or p < alpha else "means will do"


def _or_undefined(value: float | None, digits: int) -> str:
    return "undefined" if value is None else number(value, digits)


def _tone(told: Told) -> str:
    """Colour of the verdict: a network that wins, a baseline that does, or nobody."""
    if told["winner"] is None:
        return "even"
    networks = {run["name"] for run in told["compared"]["runs"]}
    return "model" if told["winner"] in networks else "baseline"


def _beside(told: Told) -> list[dict[str, Any]]:
    """Every pair with the corrected t test's answer beside it."""
    return [
        {"pair": pair, "corrected": other}
        for pair, other in zip(told["pairs"], told["corrected_pairs"], strict=True)
    ]
