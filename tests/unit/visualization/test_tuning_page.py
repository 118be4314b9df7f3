"""The page of a tuning: every trial and setting on it, no number but the JSON's."""

import copy
import json
import re
import shutil

import numpy as np
import pytest
from pages_read import EVIL, Page, artists

from kekule._errors import OutputError
from kekule.visualization.canvas import png_bytes
from kekule.visualization.palette import number
from kekule.visualization.tuning_figures import (
    best_so_far,
    history_figure,
    history_words,
    importance_figure,
    importance_words,
    score_limits,
    slice_places,
    slices_figure,
    slices_words,
)
from kekule.visualization.tuning_page import (
    best_first,
    headline,
    outer_said,
    render_tuning,
    sentences,
    settings_lines,
    tried_said,
    write_tuning_page,
)

SPACE = {
    "model.hidden": [32, 64, 128],
    "model.virtual_node": [True, False],
    "model.layers": {"low": 2, "high": 6},
    "model.dropout": {"low": 0.0, "high": 0.6, "step": 0.2},
    "train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
}


def trial(k, rng, state="complete", *, folds=3, reason="", own=False):
    scores = [float(rng.uniform(0.1, 0.3)) for _ in range(folds)]
    parameters = {
        "model.hidden": int(rng.choice([32, 64, 128])),
        "model.virtual_node": bool(rng.integers(2)),
        "model.layers": int(rng.integers(2, 7)),
        "model.dropout": float(rng.choice([0.0, 0.2, 0.4, 0.6])),
        "train.learning_rate": float(10 ** rng.uniform(-4, -2)),
    }
    return {
        **{"number": k, "state": state, "own": own, "folds": scores, "reason": reason},
        **{"value": float(np.mean(scores)) if scores else None, "seconds": 1.25 * k},
        **{"std": float(np.std(scores, ddof=1)) if folds > 1 else None, "parameters": parameters},
    }


def told_of(states=("complete",) * 12, *, higher=False, own=True, nested=False, seed=0):
    """JSON of a tuning, as it is read from a file."""
    rng = np.random.default_rng(seed)
    n_folds = {"complete": 3, "pruned": 2, "failed": 0, "killed": 1, "running": 1}
    trials = [
        trial(k, rng, state, folds=n_folds[state], own=own and k == 0,
              reason="heads do not divide" if state == "failed" else "")
        for k, state in enumerate(states)
    ]  # fmt: skip
    complete = [one for one in trials if one["state"] == "complete"]
    sign = -1 if higher else 1
    many = len(complete) >= 8
    told = {
        **{"dataset": "assay", "data_hash": "ab" * 32, "recipe_hash": "cd" * 32, "seed": 0},
        **{"version": "0.1.0", "network": "gin", "metric": "roc_auc" if higher else "brier"},
        **{"higher_is_better": higher, "n_trials": len(states), "finished": True, "n_folds": 3},
        **{"rows": "the 3 folds of seed 0", "space": SPACE, "seconds": 12.5, "trials": trials},
        "counts": {state: list(states).count(state) for state in dict.fromkeys(states)},
        "best": min(complete, key=lambda one: sign * one["value"], default=None),
        "own": next((one for one in complete if one["own"]), None),
        "importance": dict(zip(SPACE, (0.5, 0.2, 0.15, 0.1, 0.05), strict=True)) if many else None,
        "importance_note": "" if many else "too few completed trials",
        "warning": "The best of 12 trials on the rows that chose it: it flatters.",
        "nested": _nested(trials[0]) if nested else None,
    }
    return json.loads(json.dumps(told, allow_nan=False))


def _nested(chosen):
    found = {"mean": 0.2, "std": 0.02, "low": 0.18, "high": 0.22, "folds": [0.19, 0.21]}
    unknown = {"mean": None, "std": None, "low": None, "high": None, "folds": [None, None]}
    folds = [
        {"study": f"seed 0, fold {k}", "seed": 0, "fold": k, "trial": 0, "inner": 0.17,
         "parameters": chosen["parameters"], "outer": outer}
        for k, outer in ((1, 0.19), (2, 0.21))
    ]  # fmt: skip
    metrics = {"brier": found, "roc_auc": unknown}
    return {"folds": folds, "inner_mean": 0.17, "flattery": 0.03, "metrics": metrics}


MIXED = ("complete",) * 9 + ("pruned", "failed", "killed", "complete", "running")
KINDS = {
    "all complete": told_of(),
    "mixed": told_of(MIXED),
    "higher is better": told_of(MIXED, higher=True),
    "few": told_of(("complete", "failed")),
    "nested": told_of(MIXED, nested=True),
    "no recipe": told_of(own=False),
    "nothing": told_of(("failed",) * 3),
    "begun": told_of(("running",)),
    "all alike": told_of(("complete",)),
}


@pytest.fixture(scope="module", params=["nested", "higher is better", "few", "begun"])
def told(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def page(told):
    return render_tuning(told)


def test_the_page_is_whole_loads_nothing_and_no_id_stands_twice(told, page):
    read = Page(page)
    assert len(read.ids) == len(set(read.ids))
    loads = [a for tag, a in read.tags if tag in ("script", "link", "img", "iframe") or "src" in a]
    assert loads == []
    links = [a["href"] for tag, a in read.tags if tag == "a"]
    assert all(link.removeprefix("#") in read.ids for link in links)
    assert "Content-Security-Policy" in page
    assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"<svg.*?</svg>", "", page, flags=re.S))


def test_every_picture_has_words_for_whoever_cannot_see_it(told, page):
    pictures = [a for tag, a in Page(page).tags if a.get("role") == "img"]
    words = [history_words(told), importance_words(told), slices_words(told)]
    assert [picture["aria-label"] for picture in pictures] == words


def test_the_table_has_every_trial_best_first(told, page):
    head, *lines = Page(page).tables["all-trials"]
    assert len(lines) == len(told["trials"])
    assert head[5:] == list(SPACE)
    for cells, one in zip(lines, best_first(told), strict=True):
        assert cells[0].partition(",")[0] == str(one["number"])
        assert cells[1].partition(":")[0] == one["state"]
        assert cells[2] == ("" if one["value"] is None else number(one["value"], 4))
        assert cells[5] == str(one["parameters"]["model.hidden"])
        assert cells[6] == str(one["parameters"]["model.virtual_node"]).lower()
    complete = [float(c[2]) for c in lines if c[1] == "complete"]
    assert complete == sorted(complete, reverse=told["higher_is_better"])
    assert [cells[1] for cells in lines[: len(complete)]] == ["complete"] * len(complete)


def test_the_settings_are_those_of_the_best_trial_beside_the_recipes(told, page):
    lines = Page(page).tables["varied"][1:]
    assert [line[0] for line in lines] == list(SPACE)
    for line, expected in zip(lines, settings_lines(told), strict=True):
        assert line[1:] == [expected["best"], expected["own"], expected["tried"]]
    if told["best"] is not None:
        assert lines[0][1] == str(told["best"]["parameters"]["model.hidden"])


def test_the_outer_rows_are_on_the_page_if_they_were_asked(told, page):
    read = Page(page)
    assert ("outer" in read.tables) == (told["nested"] is not None)
    if told["nested"] is not None:
        rows = read.tables["outer"][1:]
        assert [row[1:3] for row in rows] == [["0.170", "0.190"], ["0.170", "0.210"]]
        assert read.tables["outer-scores"][1] == ["Brier", "0.200", "0.180 to 0.220"]
        assert read.tables["outer-scores"][2] == ["ROC AUC", "undefined", "none"]


def test_a_reason_or_a_key_that_tries_to_be_markup_stays_text():
    told = copy.deepcopy(KINDS["mixed"])
    told |= {"dataset": EVIL, "space": {EVIL: [EVIL, "b"]}, "importance": {EVIL: 1.0}}
    for one in told["trials"]:
        one["parameters"], one["reason"] = {EVIL: EVIL}, EVIL
    told["best"] = told["trials"][0] | {"parameters": {EVIL: EVIL}}
    told["own"] = None
    page = render_tuning(told)

    assert "<script" not in page
    assert any(EVIL in word for word in Page(page).words)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"best": {"number": 3, "value": 0.1234}}, "Best Brier 0.123; the recipe as it was has"),
        ({"own": None, "best": {"number": 3, "value": 0.1234}}, "Best Brier 0.123"),
        ({"best": None}, "No trial ended with a value"),
    ],
)
def test_the_headline_sets_the_best_against_the_recipe(change, said):
    told = KINDS["all complete"] | change
    assert headline(told).startswith(said)
    if told["own"] is None and told["best"]:
        assert headline(told) == said


def test_a_best_that_is_the_recipe_itself_is_said_to_be_that():
    told = KINDS["all alike"]
    assert headline(told).endswith(": the recipe as it was")


@pytest.mark.parametrize(
    ("flattery", "said"),
    [
        (0.03, "the best trials said 0.170, which is 0.030 better than what came true."),
        (-0.01, "which is 0.010 worse than what came true."),
        (0.0, "which is the same."),
    ],
)
def test_the_estimate_is_told_beside_what_the_trials_said(flattery, said):
    told = copy.deepcopy(KINDS["nested"])
    told["nested"]["flattery"] = flattery
    words = outer_said(told)

    assert words.endswith(said)
    assert "2 test sets that no trial met, Brier is 0.200 (95 % interval 0.180 to 0.220)" in words
    assert words in sentences(told)
    assert outer_said(KINDS["mixed"]) == ""
    assert outer_said(told | {"metric": "roc_auc"}) == (
        "ROC AUC is undefined on the outer test rows."
    )


def test_a_space_is_told_as_a_person_writes_it():
    assert [tried_said(one) for one in SPACE.values()] == [
        *("32, 64, 128", "true, false", "2 to 6", "0 to 0.6 in steps of 0.2"),
        "0.0001 to 0.01, logarithmic",
    ]


def test_the_line_of_the_best_so_far_never_gets_worse_and_ends_at_the_best(told):
    numbers, best = best_so_far(told)
    assert list(numbers) == sorted(numbers)
    if len(best):
        assert best[-1] == told["best"]["value"]
        steps = np.diff(best)
        assert (steps >= 0).all() if told["higher_is_better"] else (steps <= 0).all()


def test_the_history_shows_every_complete_and_pruned_trial_once(told):
    figure = history_figure(told)
    for state in ("complete", "pruned"):
        drawn = [x for line in artists(figure, state) for x in line.get_xdata()]
        states = [one["number"] for one in told["trials"] if one["state"] == state]
        assert drawn == (states if told["best"] is not None else [])
    assert len(artists(figure, "own")) == (told["own"] is not None)


def test_one_very_bad_trial_does_not_press_the_others_together():
    told = copy.deepcopy(KINDS["all complete"])
    told["trials"][5]["value"] = 40.0
    low, high = score_limits(told)
    values = [one["value"] for one in told["trials"]]

    assert low < min(values)
    assert max(sorted(values)[:-1]) < high < 1
    drawn = artists(history_figure(told), "complete")[0].get_ydata()
    assert max(drawn) == high


def test_bars_and_slices_are_the_numbers_of_the_file(told):
    bars = artists(importance_figure(told), "bar")
    shares = sorted((bar.get_width() for bar in bars if hasattr(bar, "get_width")), reverse=True)
    assert shares == sorted((told["importance"] or {}).values(), reverse=True)

    complete = [one for one in told["trials"] if one["state"] == "complete"]
    panels = artists(slices_figure(told), "slice")
    assert len(panels) == (len(SPACE) if complete else 0)
    for panel, key in zip(panels, SPACE, strict=bool(complete)):
        assert len(panel.get_xdata()) == len(complete)
        if isinstance(SPACE[key], dict):
            assert list(panel.get_xdata()) == [one["parameters"][key] for one in complete]
        assert len(slice_places(told, key)) == len(complete)


@pytest.mark.parametrize("kind", ["no recipe", "nothing", "all alike", "all complete"])
def test_every_figure_can_be_a_picture_file(kind):
    told = KINDS[kind]
    for make in (history_figure, importance_figure, slices_figure):
        assert png_bytes(make(told), dpi=40).startswith(b"\x89PNG")


def test_the_page_is_written_whole_or_an_error_says_where(tmp_path):
    path = write_tuning_page(KINDS["mixed"], tmp_path / "a" / "tuning.html")
    assert path.read_text(encoding="utf-8") == render_tuning(KINDS["mixed"])
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file"):
        write_tuning_page(KINDS["few"], tmp_path / "file" / "tuning.html")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_runs_out_of_the_page_on_a_screen_or_a_phone(tmp_path, width):
    sync_api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    address = write_tuning_page(KINDS["nested"], tmp_path / "tuning.html").as_uri()
    with sync_api.sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(viewport={"width": width, "height": 900})
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address)
        assert page.locator("main figure svg").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints == []
        browser.close()
