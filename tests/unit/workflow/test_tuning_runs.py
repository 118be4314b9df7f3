"""`kekule.tune` from recipe to folder: what is written agrees, and a stop loses nothing."""

import html
import json
import math
import sys
import time

import numpy as np
import pandas as pd
import pytest

from kekule import KekuleError, train, tune
from kekule._errors import OutputError, RecipeError
from kekule.evaluation import read_recipe
from kekule.evaluation.nested import recipe_at
from kekule.evaluation.tuning import TuningError, fold_score
from kekule.workflow import tuning_trials

pytest.importorskip("optuna", reason="the tune extra is not installed")

TINY = (
    *("data=MUTAG", "model=gcn", "model.hidden=8", "train.epochs=2"),
    *("protocol.folds=2", "protocol.seeds=1", "protocol.baselines=[majority]"),
)
SPACE = {
    "model.hidden": [4, 8],
    "model.dropout": {"low": 0, "high": 0.5},
    "train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
}
LATER = {"number", "state", "seconds"}  # what a kill or a clock may change of a trial


@pytest.fixture(autouse=True)
def _page_left_blank(monkeypatch, request):
    """Spare a tuning its page, where a test is not about it."""
    if "with_page" not in request.fixturenames:
        monkeypatch.setattr(
            "kekule.visualization.tuning_page.write_tuning_page",
            lambda told, path: path.write_text("<html></html>"),
        )


@pytest.fixture
def with_page():
    """Leave the page in."""


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    """A finished tuning; not to be written into."""
    out = tmp_path_factory.mktemp("tunings") / "eight"
    return tune(None, TINY, trials=8, out=out, space=SPACE, processes=1)


def quick(out, *overrides, **options):
    given = {"trials": 3, "space": SPACE, "processes": 1} | options
    return tune(None, [*TINY, *overrides], out=out, **given)


def what_was_tried(told):
    """Trials but for what may differ between two calls."""
    return [
        {key: value for key, value in trial.items() if key not in LATER}
        for trial in told["trials"]
        if trial["state"] != "killed"
    ]


def test_table_numbers_and_best_recipe_agree(eight):
    told = json.loads((eight.path / "tuning.json").read_text(encoding="utf-8"))
    table = pd.read_csv(eight.path / "trials.csv")
    complete = [trial for trial in told["trials"] if trial["state"] == "complete"]
    best = min(complete, key=lambda trial: trial["value"])

    assert told == json.loads(json.dumps(eight.told, allow_nan=False))
    assert sorted(path.name for path in eight.path.iterdir()) == [
        *(".locks", "best.yaml", "study.jsonl", "trials.csv", "tuning.html", "tuning.json")
    ]
    assert told["best"] == best
    assert told["finished"]
    assert list(table.number) == list(range(8))
    assert set(table.study) == {"main"}
    for trial, line in zip(told["trials"], table.to_dict("records"), strict=True):
        assert line["value"] == pytest.approx(trial["value"])
        assert line["value"] == pytest.approx(np.mean(trial["folds"]))
        assert line["std"] == pytest.approx(np.std(trial["folds"], ddof=1))
        assert {key: line[key] for key in SPACE} == trial["parameters"]
    assert recipe_at(read_recipe(None, TINY), best["parameters"]) == eight.best
    assert eight.best == read_recipe(eight.path / "best.yaml")
    assert "#" not in (eight.path / "best.yaml").read_text()


def test_the_first_trial_has_the_scores_that_training_the_recipe_has(eight, tmp_path, monkeypatch):
    monkeypatch.setattr("kekule.workflow.training.report", _blank)
    run = train(None, TINY, out=tmp_path / "run", audit=False, processes=1)
    own = eight.told["own"]

    assert own["number"] == 0
    assert own["parameters"]["model.hidden"] == 8
    assert own["folds"] == pytest.approx(run.scores["metrics"]["brier"]["folds"], abs=1e-12)


def _blank(files):
    (files / "report.html").write_text("<html></html>")


def test_the_best_recipe_trains_to_the_best_value(eight, tmp_path, monkeypatch):
    monkeypatch.setattr("kekule.workflow.training.report", _blank)
    run = train(eight.path / "best.yaml", out=tmp_path / "run", audit=False, processes=1)
    found = run.scores["metrics"]["brier"]
    assert found["mean"] == pytest.approx(eight.told["best"]["value"], abs=1e-12)


def test_a_tuning_in_two_calls_is_that_in_one(eight, tmp_path):
    first = quick(tmp_path / "out", trials=3)
    assert first.told["counts"] == {"complete": 3}
    both = quick(tmp_path / "out", trials=8)
    assert what_was_tried(both.told) == what_was_tried(eight.told)
    assert both.told["best"]["parameters"] == eight.told["best"]["parameters"]

    stamp = (tmp_path / "out" / "study.jsonl").read_bytes()
    again = quick(tmp_path / "out", trials=5)  # there are more already
    assert len(again.told["trials"]) == 8
    assert (tmp_path / "out" / "study.jsonl").read_bytes().startswith(stamp)


def test_ctrl_c_keeps_what_ended_and_the_rest_is_done_as_if_nothing_had_been(
    eight, tmp_path, monkeypatch
):
    calls = []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 6:  # in the second fold of the third trial
            raise KeyboardInterrupt
        return fold_score(*given)

    monkeypatch.setattr(tuning_trials, "fold_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path / "out", trials=8)
    told = json.loads((tmp_path / "out" / "tuning.json").read_text())
    assert not told["finished"]
    assert [trial["state"] for trial in told["trials"]] == ["complete", "complete", "killed"]
    assert (tmp_path / "out" / "best.yaml").exists()

    done = quick(tmp_path / "out", trials=8)
    assert done.told["finished"]
    assert done.told["counts"] == {"complete": 8, "killed": 1}
    assert what_was_tried(done.told) == what_was_tried(eight.told)


def test_ctrl_c_before_anything_ended_leaves_no_result(tmp_path, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning_trials, "fold_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".locks", "study.jsonl"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"overrides": ["seed=1"]}, "another recipe"),
        ({"overrides": ["data=PTC"]}, "another recipe"),
        ({"space": {"model.hidden": [4, 8]}}, "another space"),
        ({"metric": "accuracy", "overrides": ["train.epochs=3"]}, "another recipe and metric"),
    ],
)
def test_a_folder_is_of_one_recipe_space_and_metric(eight, tiny_set, change, said):
    overrides = list(change.pop("overrides", ()))
    if "data=PTC" in overrides:
        overrides, said = [f"data={tiny_set()}"], "another data"
    before = (eight.path / "tuning.json").read_bytes()
    with pytest.raises(OutputError, match=f"the study there has {said}"):
        quick(eight.path, *overrides, **change)
    assert (eight.path / "tuning.json").read_bytes() == before


def test_nested_estimates_with_rows_that_chose_nothing(tmp_path):
    found = quick(tmp_path / "out", trials=2, nested=True, inner=2)
    nested, table = found.told["nested"], pd.read_csv(found.path / "trials.csv")

    assert list(table.study.unique()) == ["main", "seed 0, fold 1", "seed 0, fold 2"]
    assert [fold["fold"] for fold in nested["folds"]] == [1, 2]
    assert [fold["outer"] for fold in nested["folds"]] == nested["metrics"]["brier"]["folds"]
    mean = np.mean([fold["outer"] for fold in nested["folds"]])
    assert nested["metrics"]["brier"]["mean"] == pytest.approx(mean)
    assert nested["inner_mean"] == pytest.approx(np.mean([f["inner"] for f in nested["folds"]]))
    assert nested["flattery"] == pytest.approx(mean - nested["inner_mean"])  # lower is better
    for fold in nested["folds"]:
        of_study = table[table.study == fold["study"]]
        best = of_study.loc[of_study.value.idxmin()]
        assert fold["trial"] == best.number
        assert {key: best[key] for key in SPACE} == fold["parameters"]

    before = found.path.joinpath("study.jsonl").stat().st_size
    again = quick(tmp_path / "out", trials=2, nested=True, inner=2)
    assert again.told["nested"] == nested
    assert found.path.joinpath("study.jsonl").stat().st_size < before + 2000  # nothing anew


def test_without_folds_the_test_rows_are_touched_by_nested_alone(tmp_path):
    holdout = ("protocol.kind=holdout", "protocol.test=0.25")
    plain = tune(
        None, [*(text for text in TINY if "folds" not in text), *holdout],
        trials=2, inner=2, out=tmp_path / "out", space=SPACE, metric="roc_auc", processes=1,
    )  # fmt: skip
    assert plain.told["nested"] is None
    assert "141 training rows; the 47 others" in plain.told["rows"]
    assert "The test rows were not touched" in plain.told["warning"]
    assert plain.told["best"]["value"] == max(trial["value"] for trial in plain.told["trials"])

    nested = tune(
        None, [*(text for text in TINY if "folds" not in text), *holdout], nested=True,
        trials=2, inner=2, out=tmp_path / "out", space=SPACE, metric="roc_auc", processes=1,
    )  # fmt: skip
    assert nested.told["trials"] == plain.told["trials"]
    assert len(nested.told["nested"]["folds"]) == 1
    assert nested.told["nested"]["metrics"]["roc_auc"]["low"] is None


def test_a_combination_that_does_not_fit_fails_with_its_reason_and_the_others_go_on(tmp_path):
    space = {"model.hidden": {"low": 8, "high": 16}, "train.batch_size": [32, 64]}
    found = quick(tmp_path / "out", "model=gatv2", "model.heads=4", trials=6, space=space)
    by_state = {}
    for trial in found.told["trials"]:
        by_state.setdefault(trial["state"], []).append(trial)

    assert set(by_state) == {"complete", "failed"}
    for trial in by_state["failed"]:
        assert trial["parameters"]["model.hidden"] % 4
        assert "heads" in trial["reason"]
        assert trial["value"] is None
    assert all(trial["parameters"]["model.hidden"] % 4 == 0 for trial in by_state["complete"])


def test_three_times_the_same_error_stops_and_says_it_and_can_be_gone_on_with(
    tmp_path, monkeypatch
):
    def broken(*given):
        raise ValueError("no room\nleft")

    monkeypatch.setattr(tuning_trials, "fold_score", broken)
    with pytest.raises(TuningError, match=r"failed in the same way: ValueError: no room left\. "):
        quick(tmp_path / "out", trials=9)
    told = json.loads((tmp_path / "out" / "tuning.json").read_text())
    assert told["counts"] == {"failed": 3}
    assert told["best"] is None
    assert not (tmp_path / "out" / "best.yaml").exists()

    monkeypatch.setattr(tuning_trials, "fold_score", fold_score)
    assert quick(tmp_path / "out", trials=4).told["counts"] == {"failed": 3, "complete": 1}


def test_trials_that_fall_behind_are_given_up_between_folds(tmp_path, monkeypatch):
    def scored(inputs, tried, fold, metric):
        return tried["train.learning_rate"] + 0.001 * float(fold.scored.mean())

    monkeypatch.setattr(tuning_trials, "fold_score", scored)
    found = quick(tmp_path / "out", "protocol.folds=4", trials=25)
    trials = found.told["trials"]
    pruned = [trial for trial in trials if trial["state"] == "pruned"]

    assert len(pruned) >= 3
    assert all(2 <= len(trial["folds"]) < 4 for trial in pruned)
    assert all(trial["state"] == "complete" for trial in trials[:5])
    complete = {t["number"]: t for t in trials if t["state"] == "complete"}
    for trial in pruned:
        n = len(trial["folds"])
        before = [np.mean(t["folds"][:n]) for k, t in complete.items() if k < trial["number"]]
        assert trial["value"] > np.median(before)
    assert found.told["best"]["state"] == "complete"


def test_the_time_that_is_given_ends_a_tuning_after_the_trial_under_way(tmp_path, monkeypatch):
    def slow(*given):
        time.sleep(0.3)
        return 0.5

    monkeypatch.setattr(tuning_trials, "fold_score", slow)
    found = quick(tmp_path / "out", trials=100, minutes=0.02)
    assert 1 <= len(found.told["trials"]) <= 3
    assert not found.told["finished"]
    assert found.told["counts"] == {"complete": len(found.told["trials"])}
    assert "not all are done" in found.words[0]


def test_two_processes_fill_a_study_as_one_does_while_trials_are_drawn_at_random(eight, tmp_path):
    found = quick(tmp_path / "out", trials=8, processes=2)

    def ordered(told):
        return sorted(what_was_tried(told), key=lambda trial: trial["value"])

    assert found.told["counts"] == {"complete": 8}
    assert ordered(found.told) == ordered(eight.told)


def test_several_tasks_are_tuned_by_their_mean(tmp_path, monkeypatch):
    monkeypatch.setenv("KEKULE_CACHE", str(tmp_path / "cache"))
    rings = ("C1CCCCC1", "c1ccccc1", "c1ccncc1", "c1ccsc1", "C1CCNCC1")
    table = pd.DataFrame({"smiles": [f"C{'C' * n}O{ring}" for n in range(8) for ring in rings]})
    table["even"], table["big"] = np.arange(40) % 2, (np.arange(40) > 17).astype(int)
    table.to_csv(tmp_path / "assay.csv", index=False)
    data = (f"data={tmp_path / 'assay.csv'}", "target=[even, big]", "protocol.split=random")
    found = quick(tmp_path / "out", *data, trials=2, metric="roc_auc")

    assert found.told["counts"] == {"complete": 2}
    assert 0 < found.told["best"]["value"] < 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trials": 0}, "trials: 0 find nothing"),
        ({"inner": 1}, "inner: 1 given"),
        ({"minutes": 0}, "minutes: 0 given"),
        ({"minutes": math.nan}, "minutes: nan given"),
        ({"processes": 0}, "processes: 0 trials"),
        ({"metric": "acc"}, "Did you mean accuracy?"),
        ({"space": {"model.hiden": [1, 2]}}, "Did you mean model.hidden?"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(tmp_path, options, said):
    with pytest.raises(KekuleError) as caught:
        quick(tmp_path / "out", **options)
    assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_nested_recipe_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="chooses from its own grid"):
        quick(tmp_path, "protocol.kind=nested", "protocol.grid={model.hidden: [4, 8]}")


def test_somebodys_folder_is_not_written_into(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match=r"no study of kekule \(study\.jsonl is missing\)"):
        quick(tmp_path)
    with pytest.raises(OutputError, match="Give another --out"):
        quick(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_without_optuna_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TuningError, match=r"pip install 'kekule\[tune\]'"):
        quick(tmp_path / "out")


def test_the_page_is_there_and_its_words_are_those_of_the_terminal(tmp_path, with_page):
    found = quick(tmp_path / "out", trials=2)
    page = html.unescape(found.page.read_text(encoding="utf-8"))

    assert found.told["warning"] in page
    assert found.words[-1] == found.told["warning"]
    assert found.words[1].removesuffix(".") in page
