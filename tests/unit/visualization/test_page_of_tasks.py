"""The page of several tasks: each with its own labels, scores and curve, no row mistaken."""

import re
from dataclasses import replace

import numpy as np
import pytest
from extra_views import DOMAIN, similarity, task_uncertainty, top_list

from kekule.visualization.catalogue import FIGURES, FIGURES_OF_TASKS, figures_of
from kekule.visualization.report import write_report
from kekule.visualization.run_view import Score, TaskView
from kekule.visualization.tasks import (
    MOST_CURVES,
    MOST_LINES,
    drawn_tasks,
    task_roc_figure,
    task_rows,
    tasks_figure,
)
from kekule.visualization.uncertainty_view import uncertainty_of

HOSTILE = "<script>alert('x')</script>"
NOWHERE = Score(np.nan, np.nan, np.nan, np.nan, (np.nan,) * 4)
SECTIONS = {"summary", "data", "learning", "scores", "members", "uncertainty", "examination"}
SECTIONS |= {"errors", "model", "reproduce"}


def score(mean, *, folds=4, undefined=0):
    values = (np.nan,) * undefined + (mean,) * (folds - undefined)
    return Score(mean, 0.01, mean - 0.1, mean + 0.1, values)


def of_task(rng, name, n_rows, *, gaps=0.3, **changes):
    truth = rng.integers(0, 2, n_rows)
    truth[rng.random(n_rows) < gaps] = -1
    given = {
        "name": name,
        "classes": ("inactive", "active"),
        "truth": truth,
        "probability": rng.random(n_rows),
        "scores": {"roc_auc": score(0.7, undefined=1), "pr_auc": score(0.3)},
        "baselines": {"majority": {"roc_auc": score(0.5)}, "WL-SVM": {"roc_auc": score(0.72)}},
    }
    return TaskView(**given | changes)


@pytest.fixture(scope="module")
def several(mutag):
    """MUTAG's rows with three tasks, the last of which nothing is known of."""
    rng, n = np.random.default_rng(0), len(mutag.rows)
    nowhere = {"roc_auc": NOWHERE, "pr_auc": NOWHERE}
    tasks = (
        of_task(rng, "NR-AR", n, top=top_list()),
        of_task(rng, HOSTILE, n, gaps=0.9),
        of_task(rng, "empty", n, gaps=1.1, scores=nowhere, baselines={"majority": nowhere}),
    )
    known = task_uncertainty()
    silent = {part: {"why_not": "no labels"} for part in known}
    told = {"tasks": {"NR-AR": known, HOSTILE: known, "empty": silent}, "domain": DOMAIN}
    return replace(
        mutag,
        tasks=tasks,
        classes=(),
        positive=None,
        truth=np.full(n, -1),
        probabilities=np.zeros((n, 0)),
        label_counts={},
        molecules=(None,) * n,
        embedding=np.zeros((0, 4), dtype=np.float32),
        top_lists=(),
        cliffs=None,
        similarity=similarity(n, bins=False),
        uncertainty=uncertainty_of(told, classes=(), tasks={t.name: t.classes for t in tasks}),
    )


@pytest.fixture(scope="module")
def page(several, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    return write_report(several, folder / "report.html", figures=folder / "figures")


def test_a_task_counts_its_own_labels_and_folds(several):
    first, second, last = task_rows(several)
    truth = several.tasks[0].truth

    assert (first.n_labels, first.n_positive) == ((truth >= 0).sum(), (truth == 1).sum())
    assert second.n_labels < first.n_labels
    assert (first.n_scored, first.n_folds) == (3, 4)
    assert first.rival == "WL-SVM"
    assert (last.n_labels, last.n_scored, last.rival) == (0, 0, "")


def test_the_page_holds_the_figures_and_sections_of_tasks_and_no_others(page):
    text = page.read_text()
    ids = re.findall(r' id="([^"]+)"', text)
    figures = {name.removeprefix("figure-") for name in ids if name.startswith("figure-")}

    assert len(ids) == len(set(ids))
    assert figures == set(FIGURES_OF_TASKS)
    assert set(re.findall(r'<section id="([^"]+)"', text)) == SECTIONS
    assert set(re.findall(r'<li><a href="#([^"]+)"', text)) == SECTIONS
    assert {path.stem for path in (page.parent / "figures").iterdir()} == set(FIGURES_OF_TASKS)


def test_every_link_of_the_page_leads_somewhere(page):
    text = page.read_text()
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r' id="([^"]+)"', text))


def test_what_is_undefined_is_said_in_words_and_a_name_stays_a_name(page):
    text = page.read_text()

    assert text.count("<script") == 1
    assert "&lt;script&gt;" in text
    assert 'class="undefined">undefined' in text
    assert 'class="undefined">no labels' in text
    assert "2 of 3 tasks have a ROC AUC on some fold" in text
    assert not re.search(r">\s*nan\b", text, flags=re.IGNORECASE)


def test_one_task_keeps_its_figures(mutag, several):
    assert figures_of(mutag) == FIGURES
    assert figures_of(several) == FIGURES_OF_TASKS


def test_a_curve_is_drawn_from_the_rows_with_the_task_s_label(several):
    figure = task_roc_figure(several)
    first, second, last = figure.axes[:3]
    (curve,) = [line for line in first.lines if line.get_gid() == "pooled"]
    steps = np.unique(np.asarray(curve.get_ydata()))

    assert len(steps) == (several.tasks[0].truth == 1).sum() + 1
    assert [line for line in second.lines if line.get_gid() == "pooled"]
    assert last.texts[0].get_text().startswith("Undefined")


def test_of_hundreds_of_tasks_those_with_the_most_labels_are_drawn(several):
    rng, n = np.random.default_rng(1), len(several.rows)
    many = replace(
        several,
        tasks=tuple(of_task(rng, f"t{k}", n, gaps=(k % 10) / 10) for k in range(100)),
    )
    names = {task.name for task in drawn_tasks(many, MOST_CURVES)}
    figure = tasks_figure(many)

    assert len(names) == MOST_CURVES
    assert {f"t{k}" for k in range(0, 100, 10)} <= names
    assert len(figure.axes[0].get_yticklabels()) == MOST_LINES
    assert len(task_rows(many)) == 100
    assert figure.get_figheight() < 20
