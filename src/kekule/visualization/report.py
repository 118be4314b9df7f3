"""The report: one page that needs nothing but itself.

Styles, script and figures stand inside the file; a content policy in its head forbids
everything else, so a name that tries to be markup or an address stays a name. The page
is written whole or not at all.

Knows the view, the figures and the tables; must not know training or storage.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from kekule.visualization import drawings, palette, parameter_history, parameters, tables, tasks
from kekule.visualization.audit_figures import probes_picture, worst_first
from kekule.visualization.canvas import png_bytes, svg_text
from kekule.visualization.catalogue import DRAWN_BY_THE_PAGE, figures_of
from kekule.visualization.embedding import MOST_RINGS
from kekule.visualization.examination_view import scrambled_verdict
from kekule.visualization.graph_drawing import graph_legend
from kekule.visualization.page import page_environment, write_text, write_whole
from kekule.visualization.portion import percent
from kekule.visualization.run_view import (
    FINAL_FOLD,
    RunView,
    predicted_class,
    truth_probability,
    wrong_rows,
)

SECTIONS = (
    ("summary", "Summary"),
    ("data", "Data"),
    ("learning", "Learning"),
    ("scores", "Scores"),
    ("members", "Members"),
    ("uncertainty", "Certainty"),
    ("examination", "Examination"),
    ("errors", "Errors"),
    ("model", "Model"),
    ("embedding", "Embedding"),
    ("reproduce", "Reproduce"),
    ("all-rows", "All rows"),
)


def write_report(view: RunView, path: Path, *, figures: Path | None = None) -> Path:
    """Write the page to `path` and return `path`; with `figures`, its pictures there too.

    Parameters
    ----------
    figures
        Folder for every figure as ``NAME.svg`` and ``NAME.png`` (150 dots an inch); made
        if missing, other files in it are left alone.

    Raises
    ------
    OutputError
        If either place cannot be written to.
    """
    svgs: dict[str, str] = {}
    for name, make in figures_of(view).items():
        if name in DRAWN_BY_THE_PAGE and figures is None:
            continue
        figure = make(view)
        svgs[name] = svg_text(figure, name)
        if figures is not None:
            _write_figure(figure, svgs[name], figures / name)
    return write_page(view, svgs, path)


def page_figures(view: RunView) -> list[str]:
    """Names of the figures that `write_page` puts into the page."""
    return [name for name in figures_of(view) if name not in DRAWN_BY_THE_PAGE]


def drawn(view: RunView, names: Sequence[str]) -> dict[str, str]:
    """Draw some of `page_figures`: name to ``<svg>`` element. Looks at no molecule."""
    makers = figures_of(view)
    return {name: svg_text(makers[name](view), name) for name in names}


def drawn_if_any(view: RunView, names: Sequence[str]) -> dict[str, str]:
    """Draw those of some figures that the run has; see `drawn`."""
    there = figures_of(view)
    return drawn(view, [name for name in names if name in there])


def write_page(view: RunView, svgs: dict[str, str], path: Path) -> Path:
    """Write the page to `path`, with figures that are drawn already, and return `path`."""
    return write_text(path, render_page(view, svgs))


def render_page(view: RunView, svgs: dict[str, str]) -> str:
    """Return the page with `svgs` (figure name to ``<svg>`` element) in their places."""
    environment = _environment()
    script = environment.loader.get_source(environment, "report.js")[0]  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        view=view,
        sections=sections_of(view),
        svgs={name: Markup(svg) for name, svg in svgs.items()},  # noqa: S704  # drawn by us, names escaped
        script=Markup(script),  # noqa: S704  # a file of this package
        script_digest=digest,
        probes=Markup(probes_picture(view.audit)),  # noqa: S704  # drawn by us, names escaped
        findings=worst_first(view.audit),
        lines=[] if view.tasks else tables.row_lines(view),
        wrong=[] if view.tasks else wrong_rows(view),
        task_rows=tasks.task_rows(view),
        rejected_by_size=len(view.rows) > tables.MOST_ROWS,
        folds=[c for c in view.curves if c.fold != FINAL_FOLD],
        has_final=any(c.fold == FINAL_FOLD for c in view.curves),
    )


def sections_of(view: RunView) -> list[tuple[str, str]]:
    """Anchor and heading of every part of the page that has something in it, in order."""
    figures = figures_of(view)
    there = {
        "learning": "learning" in figures,
        "members": view.ensemble is not None,
        "uncertainty": view.uncertainty is not None,
        "examination": bool({"ladder", "learning-curve", "scrambled"} & {*figures}),
        "errors": not view.tasks or "similarity" in figures,
        "model": bool(view.layers or view.profiles),
        "embedding": "embedding" in figures,
        "all-rows": not view.tasks,
    }
    return [(anchor, heading) for anchor, heading in SECTIONS if there.get(anchor, True)]


def _write_figure(figure: Figure, svg: str, stem: Path) -> None:
    header = '<?xml version="1.0" encoding="utf-8"?>\n'
    write_whole(stem.with_suffix(".svg"), (header + svg).encode())
    write_whole(stem.with_suffix(".png"), png_bytes(figure))


def _environment() -> jinja2.Environment:
    """Return the environment of the report, with what its template calls."""
    environment = page_environment(percent=percent)
    environment.globals.update(
        draw_either=lambda *parts: Markup(drawings.draw_either(*parts)),  # noqa: S704  # names escaped
        draw_row=lambda view, i: Markup(drawings.draw_row(view, i)),  # noqa: S704  # names escaped
        class_facts=tables.class_facts,
        example_rows=drawings.example_rows,
        graph_legend=graph_legend,
        interval=tables.INTERVAL,
        headlines=tables.headlines,
        most_curves=tasks.MOST_CURVES,
        most_lines=tasks.MOST_LINES,
        most_rings=MOST_RINGS,
        most_mistakes=drawings.MOST_MISTAKES,
        no_drawing=drawings.no_drawing,
        no_picture=drawings.no_picture,
        palette=palette,
        predicted_class=predicted_class,
        scrambled_verdict=lambda told: scrambled_verdict(
            told, lower_is_better=told.metric in palette.LOWER_IS_BETTER
        ),
        score_rows=tables.score_rows,
        score_tables=tables.score_tables,
        shown_arrays=parameter_history.shown_arrays,
        shown_parameters=parameters.shown_parameters,
        truth_probability=truth_probability,
        winner=tables.winner,
    )
    environment.tests["finite"] = math.isfinite
    return environment
