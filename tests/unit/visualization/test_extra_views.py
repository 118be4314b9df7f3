"""What not every run tells: drawn as told, refused when damaged, and absent without a trace."""

import copy
import re
import shutil
from dataclasses import replace
from importlib.resources import files
from xml.etree import ElementTree as ET

import matplotlib
import numpy as np
import pytest
from extra_views import (
    DOMAIN,
    ENSEMBLE,
    EXAMINATION,
    SHIPPED,
    cliffs,
    score,
    similarity,
    task_uncertainty,
)

from kekule.visualization.canvas import svg_text
from kekule.visualization.catalogue import FIGURES, WHERE, figures_of
from kekule.visualization.ensemble_view import ensemble_of
from kekule.visualization.examination_view import examination_of, scrambled_verdict
from kekule.visualization.portion import Portion, percent, real
from kekule.visualization.report import page_figures, render_page
from kekule.visualization.uncertainty_view import uncertainty_of

HOSTILE = "<script>alert('x')</script> $\\foo_{$ & 好"
NOTHING = {
    "top_lists": (),
    "similarity": None,
    "cliffs": None,
    "uncertainty": None,
    "ensemble": None,
    "examination": None,
}


def drawn(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def text_of(figure):
    return " ".join(t.get_text() for t in figure.findobj(matplotlib.text.Text))


def page_of(view):
    """The page with a blank in the place of each figure, which are not what is asked about."""
    return render_page(view, dict.fromkeys(page_figures(view), "<svg></svg>"))


def words_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("<main>")[1]))


def told(view, **changes):
    """The view with other parts of its uncertainty."""
    parts = task_uncertainty(len(view.classes)) | {"domain": DOMAIN} | changes
    return replace(view, uncertainty=uncertainty_of(parts, classes=view.classes, tasks={}))


def examined(view, **changes):
    return replace(view, examination=examination_of(EXAMINATION | changes, "accuracy"))


def test_a_run_without_a_network_has_a_page_without_its_figures_and_headings(mutag):
    bare = replace(
        mutag,
        curves=(),
        layers=(),
        weights={},
        embedding=np.zeros((0, 0), dtype=np.float32),
        history=None,
    )
    page = page_of(bare)
    gone = {"learning", "model", "embedding"}
    there = set(re.findall(r'<section id="([^"]+)"', page))

    assert not there & gone
    assert set(re.findall(r'<li><a href="#([^"]+)"', page)) == there
    assert set(figures_of(bare)) == set(FIGURES) - {"parameters", "history", *gone}
    assert not re.search(r'id="figure-(learning|parameters|history|embedding)"', page)
    assert not re.search(r"<section[^>]*>\s*<h2>[^<]*</h2>\s*</section>", page)


def test_a_run_that_tells_nothing_besides_has_no_trace_of_it(mutag):
    plain = replace(mutag, **NOTHING)
    page = page_of(plain)

    assert not {"members", "uncertainty", "examination"} & set(re.findall(r'id="([^"]+)"', page))
    assert not {"similarity", "cliffs", "ladder", "reliability"} & set(figures_of(plain))
    assert "from seed to seed" not in page
    assert "Activity cliffs" not in page


@pytest.mark.parametrize("name", sorted(WHERE))
def test_a_figure_of_something_that_is_not_there_says_so(name, mutag):
    empty = replace(mutag, **NOTHING, curves=(), layers=(), weights={}, history=None)
    assert len(text_of(FIGURES[name](empty))) > 5


@pytest.mark.parametrize("part", ["ladder", "learning_curve", "scrambled"])
def test_of_an_examination_what_was_asked_is_shown_alone(part, mutag):
    figure = {"learning_curve": "learning-curve"}.get(part, part)
    only = replace(mutag, examination=examination_of({part: EXAMINATION[part]}, "accuracy"))
    figures = {"ladder", "learning-curve", "scrambled"} & set(figures_of(only))

    assert figures == {figure}
    page = page_of(only)
    assert f'id="figure-{figure}"' in page
    empty = replace(mutag, examination=examination_of({}, "accuracy"))
    assert 'id="examination"' not in page_of(empty)


def test_the_ladder_has_a_line_a_split_with_its_mean_similarity_and_each_score(mutag):
    figure = FIGURES["ladder"](mutag)
    means = [line.get_xdata()[0] for line in drawn(figure, "mean")]
    middles, counts = np.array([0.15, 0.45, 0.8]), np.array([[1, 5, 20], [10, 9, 1]])

    np.testing.assert_allclose(means, (counts * middles).sum(1) / counts.sum(1))
    for steps in drawn(figure, "similarity"):
        assert steps.get_data().values.sum() == pytest.approx(1)
    scores = [line.get_xdata()[0] for line in drawn(figure, "score")]
    assert scores == [0.9, 0.66, 0.8, 0.66]  # a score that is undefined has no mark


def test_a_learning_curve_rises_with_its_rows_whatever_the_order_in_the_file(mutag):
    (line,) = drawn(FIGURES["learning-curve"](mutag), "test")
    assert line.get_xdata().tolist() == [75, 150]
    assert line.get_ydata().tolist() == [0.84, 0.88]
    stages = [{**each, "train_primary": None} for each in EXAMINATION["learning_curve"]]
    assert not drawn(FIGURES["learning-curve"](examined(mutag, learning_curve=stages)), "train")


@pytest.mark.parametrize(
    ("mean", "lower_is_better", "expected"),
    [
        (0.5, False, "holds the line"),
        (0.7, False, "Look for a leak"),
        (0.3, False, "no leak"),
        (0.7, True, "no leak"),
        (0.3, True, "Look for a leak"),
        (None, False, ""),
    ],
)
def test_labels_dealt_anew_may_do_worse_than_chance_but_not_better(
    mean, lower_is_better, expected
):
    scrambled = {"primary": score(mean, 0.05), "chance": 0.52}
    found = examination_of({"scrambled": scrambled}, "accuracy")
    verdict = scrambled_verdict(found, lower_is_better=lower_is_better)
    assert expected in verdict
    assert bool(verdict) == bool(expected)


def test_members_stand_below_the_ensemble_with_their_scores_and_weights(mutag):
    figure = FIGURES["members"](mutag)
    assert [line.get_xdata()[0] for line in drawn(figure, "mean")] == [0.82, 0.8, 0.78, 0.76]
    assert [bar.get_width() for bar in drawn(figure, "weight")] == [0.6, 0.4, 0.0]
    assert "0.40, in 80% of folds" in text_of(figure)
    assert "in no fold" in text_of(figure)


def test_the_verdict_on_the_network_is_told_and_missing_where_there_is_none(mutag):
    page = page_of(mutag)
    assert ENSEMBLE["network"]["verdict"] in words_of(page)
    assert "Left out for want of time: WL-LightGBM." in words_of(page)
    alone = ensemble_of(ENSEMBLE | {"network": None}, metric="accuracy", own={})
    assert "weighed anew without it" not in page_of(replace(mutag, ensemble=alone))


def test_reliability_is_drawn_before_and_after_and_its_scores_stand_beside(mutag):
    figure = FIGURES["reliability"](mutag)
    (before,), (after,) = drawn(figure, "before"), drawn(figure, "after")
    np.testing.assert_allclose(before.get_xdata(), [0.1, 0.6, 0.9], atol=0.01)
    assert before.get_ydata().tolist() == [0.2, 0.5, 0.95]
    assert after.get_ydata().tolist() == [0.2, 0.5, 0.95]
    words = words_of(page_of(mutag))
    assert "auto: platt in 7 folds, none in 3 folds" in words
    assert "0.400 → 0.370" in words
    assert "0.080 → undefined" in words


def test_coverage_of_every_class_stands_beside_its_promise_and_shortfalls_are_marked(mutag):
    figure = FIGURES["coverage"](mutag)
    assert len(drawn(figure, "promised")) == 2
    assert len(drawn(figure, "covered")) == 4  # class -1 has no rows: (all, class 1) twice
    parts = task_uncertainty()["conformal"]
    parts["sets"][1]["overall"]["covered"] |= {"value": 0.7, "low": 0.65, "high": 0.75}
    short = words_of(page_of(told(mutag, conformal=parts)))
    assert "70.0% !" in short
    assert "no rows" in short


def test_what_the_shipped_model_was_given_is_told_with_its_reasons(mutag):
    words = words_of(page_of(mutag))
    assert "fitted on out-of-fold answers of the first seed" in words
    assert "calibrated on 188 rows (platt: log-loss 0.37)" in words
    assert "the most probable class is given, since all rows have one score." in words
    cut = told(mutag, shipped=SHIPPED | {"threshold": 0.42, "threshold_reason": ""})
    assert "positive from 0.42." in words_of(page_of(cut))


@pytest.mark.parametrize(
    ("separates", "gap", "expected"),
    [
        (True, (0.21, 0.04, 0.4), "the flag says something"),
        (False, (0.1, -0.1, 0.3), "no warning on these data"),
        (False, (-0.1, -0.3, 0.1), "wrong less often by 10.0 points"),
        (False, (-0.2, -0.3, -0.1), "by 20.0 points (95% interval 10.0 to 30.0): far from"),
        (None, (None, None, None), "what the flag is worth is not known"),
    ],
)
def test_what_a_domain_is_worth_is_said_in_words(separates, gap, expected, mutag):
    gap = dict(zip(("value", "low", "high"), gap, strict=True))
    domain = DOMAIN | {"separates": separates, "gap": gap}
    assert expected in words_of(page_of(told(mutag, domain=domain)))


def test_a_part_that_could_not_be_told_gives_its_reason_and_no_figure(mutag):
    why = {"why_not": "there are 3 rows"}
    silent = told(mutag, calibration=why, threshold=why, conformal=why, domain=why)
    page = page_of(silent)

    assert words_of(page).count("there are 3 rows") == 4
    assert not {"reliability", "coverage"} & set(figures_of(silent))
    off = told(mutag, threshold=None)
    assert "Threshold" not in words_of(page_of(off))


def test_errors_by_similarity_show_every_row_and_each_bin_with_its_interval(mutag):
    figure = FIGURES["similarity"](mutag)
    (steps,) = drawn(figure, "rows")
    assert steps.get_data().values.sum() == len(mutag.rows)
    assert len(drawn(figure, "bin")) == 2 * len(mutag.similarity.bins)
    assert drawn(figure, "overall")[0].get_ydata()[0] == pytest.approx(10 / 34)
    words = words_of(page_of(mutag))
    assert "0.2 to 0.3 30 30.0% 20.0% to 40.0%" in words
    sample = replace(mutag, similarity=replace(mutag.similarity, n_tested=9999))
    assert "An even sample of 188 of 9,999 rows" in words_of(page_of(sample))


def test_a_pair_names_both_rows_and_one_that_was_not_tested_has_no_bar(mutag):
    page = page_of(mutag)
    figure = page[page.index('id="figure-cliffs"') : page.index('id="caption-cliffs"')]

    assert len(re.findall(r'class="half"', figure)) == 4
    assert figure.count('class="bar"') == 3
    assert "trained on, not tested" in figure
    assert figure.count('class="miss"') == 2
    assert "not tested" in text_of(FIGURES["cliffs"](mutag))


def test_without_a_cliff_the_page_says_so(mutag):
    none = replace(
        mutag.cliffs, on=Portion(0, 0, *[np.nan] * 3), pairs=(), steps=mutag.cliffs.steps[:1]
    )
    flat = replace(mutag, cliffs=none)
    assert "cliffs" not in figures_of(flat)
    assert "No test row has a row of another class" in words_of(page_of(flat))


def test_top_lists_stand_beside_chance(mutag):
    words = words_of(page_of(mutag))
    assert "top 1 % 19 0.40 0.05 55% 10%" in words


def test_hostile_names_stay_names(mutag):
    members = copy.deepcopy(ENSEMBLE)
    members["members"][0]["name"] = members["network"]["verdict"] = HOSTILE
    rungs = [{**EXAMINATION["ladder"][0], "split": HOSTILE, "baselines": {HOSTILE: 0.7}}]
    parts = task_uncertainty() | {"domain": {"why_not": HOSTILE}}
    parts["calibration"]["folds"] = {HOSTILE: 10}
    parts["threshold"]["aim"] = HOSTILE
    classes = (HOSTILE, HOSTILE)
    hostile = replace(
        mutag,
        classes=classes,
        positive=HOSTILE,
        cliffs=cliffs(classes, mutag.rows),
        ensemble=ensemble_of(members, metric=HOSTILE, own={}),
        examination=examination_of({**EXAMINATION, "ladder": rungs}, HOSTILE),
        uncertainty=uncertainty_of(parts, classes=classes, tasks={}),
        similarity=replace(mutag.similarity, measure=HOSTILE),
    )
    page = page_of(hostile)
    assert page.count("<script") == 1
    for name in WHERE:
        tags = ET.fromstring(svg_text(FIGURES[name](hostile), name)).iter()  # noqa: S314
        assert "script" not in {tag.tag.split("}")[1] for tag in tags}


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (lambda c: ensemble_of(c, metric="accuracy", own={}), ENSEMBLE),
        (lambda c: examination_of(c, "accuracy"), EXAMINATION),
        (
            lambda c: uncertainty_of(c, classes=("-1", "1"), tasks={}),
            task_uncertainty() | {"domain": DOMAIN},
        ),
    ],
    ids=["ensemble", "examination", "uncertainty"],
)
def test_a_damaged_part_is_an_error_that_readers_of_files_know(read, content):
    known = (LookupError, TypeError, ValueError, AttributeError)
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        damaged = copy.deepcopy(content)
        place, where = damaged, []
        while isinstance(place, dict | list) and len(place):
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = keys[rng.integers(len(keys))]
            where.append(key)
            if not isinstance(place[key], dict | list) or rng.random() < 0.2:
                place[key] = ["x", {}][int(rng.integers(2))]
                break
            place = place[key]
        try:
            read(damaged)
        except known:
            refused += 1
    assert refused > 100


def test_numbers_of_json_are_numbers_and_nothing_else():
    assert np.isnan(real(None))
    for wrong in (True, "0.5", [1.0], {}):
        with pytest.raises(TypeError, match="is no number"):
            real(wrong)
    assert percent(0.123) == "12.3%"
    assert percent(float("nan")) == "undefined"


def test_similarities_of_several_tasks_are_a_histogram_alone(mutag):
    figure = FIGURES["similarity"](replace(mutag, similarity=similarity(50, bins=False)))
    assert len(figure.axes) == 1


@pytest.mark.browser
def test_tables_of_tasks_are_sorted_by_a_click_undefined_ones_last(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    if (path := shutil.which("chromium")) is None:
        pytest.skip("there is no chromium on this machine")
    rows = "".join(
        f'<tr><td data-value="{n}">{n}</td><td data-value="{v}">{v}</td></tr>'
        for n, v in (("b", "0.5"), ("c", ""), ("a", "0.9"))
    )
    head = '<tr><th data-sort="words">Task</th><th data-sort>AUC</th></tr>'
    script = (files("kekule.visualization") / "templates" / "report.js").read_text()
    (tmp_path / "t.html").write_text(
        f'<table class="sortable"><thead>{head}</thead><tbody>{rows}</tbody></table>'
        f"<script>{script}</script>"
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((tmp_path / "t.html").as_uri())

        def order():
            return "".join(page.locator("tbody td:first-child").all_inner_texts())

        orders = []
        for column in (1, 1, 0, 0):
            page.locator("th button").nth(column).click()
            orders.append(order())
        browser.close()
    assert orders == ["abc", "bac", "abc", "cba"]
