"""`kekule compare` as a verb: which runs it takes, what it calls them, what it leaves."""

import itertools
import json
import math

import numpy as np
import pytest

from kekule import compare
from kekule._errors import OutputError
from kekule.evaluation import METRICS
from kekule.evaluation.model_comparison import ComparisonError, compare_models, fold_table
from kekule.workflow.comparing import run_names

GAINS = {"gin": 0.03, "gcn": 0.0, "sage": -0.02}


def scores_of(seed, gain, baselines=("WL-SVM", "majority"), **changes):
    """Scores of a run on 5 × 5 folds that are hard alike for every run; baselines are shared."""
    hardness = np.random.default_rng(99).normal(0, 0.03, 25)

    def folds(seed, gain):
        return (0.8 + gain + hardness + np.random.default_rng(seed).normal(0, 0.01, 25)).tolist()

    def summaries(seed, gain):
        return {name: {"mean": 0.0, "folds": folds(seed, gain)} for name in METRICS}

    return {
        **{"dataset": "MUTAG", "data_hash": "ab" * 32, "recipe_hash": f"{seed:064d}"},
        **{"created": "2026-01-02T03:04:05+00:00", "n_rows": 188, "n_rejected": 3},
        **{"primary": "accuracy", "model": {"name": "gin"}, "classes": ["0", "1"]},
        "protocol": {
            **{"kind": "kfold", "split": "random", "folds": 5, "seeds_used": [0, 1, 2, 3, 4]},
            "description": "5 folds of single rows; 5 seed(s); 10% of the rows chose the epoch",
        },
        "metrics": summaries(seed, gain),
        "baselines": {name: summaries(100 + k, -0.05) for k, name in enumerate(baselines)},
    } | changes


def leave(folder, scores):
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


@pytest.fixture
def runs(tmp_path):
    """Folders of three runs on the same folds."""
    return [
        leave(tmp_path / "models" / name, scores_of(seed, gain))
        for seed, (name, gain) in enumerate(GAINS.items())
    ]


def test_the_verb_says_what_the_statistics_say_of_the_same_scores(runs):
    read = {run.name: json.loads((run / "scores.json").read_text()) for run in sorted(runs)}
    wanted = compare_models(fold_table(read, "roc_auc"), smallest_difference=0.01, alpha=0.1)
    found = compare(runs, metric="roc_auc", smallest_difference=0.01, alpha=0.1)

    assert found.to_json() == wanted.to_json()
    assert found.winner == "gin"
    assert set(found.table.models) == {*GAINS, "WL-SVM", "majority"}


def test_the_order_of_the_runs_changes_no_byte_of_json_and_page(runs, tmp_path):
    told = set()
    for k, order in enumerate(itertools.permutations(runs)):
        compare(order, json=tmp_path / f"{k}.json", html=tmp_path / f"{k}.html")
        told.add(((tmp_path / f"{k}.json").read_bytes(), (tmp_path / f"{k}.html").read_bytes()))

    assert k == 5
    assert len(told) == 1


def test_the_json_is_finite_and_tells_what_was_compared(runs, tmp_path):
    found = compare(runs, json=tmp_path / "new" / "c.json")

    def refuse(constant):
        raise AssertionError(constant)

    told = json.loads((tmp_path / "new" / "c.json").read_text(), parse_constant=refuse)
    about = told.pop("compared")
    assert told == json.loads(json.dumps(found.to_json()))
    assert told["metric"] == "accuracy"
    assert [run["name"] for run in about["runs"]] == sorted(GAINS)
    assert (about["dataset"], about["data_hash"]) == ("MUTAG", "ab" * 32)
    assert (about["n_rows"], about["n_rejected"], about["seeds"]) == (188, 3, [0, 1, 2, 3, 4])
    assert about["folds"] == "5 folds of single rows; 5 seed(s)"


@pytest.mark.parametrize("alone", [True, False])
def test_one_run_alone_compares_its_network_with_its_baselines(runs, alone):
    found = compare(runs[0] if alone else [runs[0]])

    assert set(found.table.models) == {"gin", "gin/WL-SVM", "gin/majority"}
    assert found.winner == "gin"


def test_a_baseline_is_left_out_of_every_run_by_its_own_name(runs):
    own = leave(runs[0].with_name("own"), scores_of(7, 0.0, ("majority", "other")))
    names = set(compare([*runs, own], without=["majority"]).table.models)

    assert names == {*GAINS, "own", "WL-SVM", "own/other"}
    assert set(compare(runs[:1], without=["gin/majority"]).table.models) == {"gin", "gin/WL-SVM"}
    assert set(compare(runs, baselines=False, without=["gcn"]).table.models) == {"gin", "sage"}


def test_a_run_called_as_a_baseline_is_left_out_alone(tmp_path, runs):
    named = leave(tmp_path / "majority", scores_of(8, 0.0))
    found = compare([runs[0], named], without=["majority"])

    assert "majority" not in found.table.models
    assert "gin/majority" in found.table.models


def test_runs_of_one_name_are_told_apart_by_the_folders_above_them(tmp_path):
    folders = [tmp_path / path for path in ("a/x/gin", "b/x/gin", "b/y/gin", "gcn")]

    assert run_names(folders) == ("a/x/gin", "b/x/gin", "y/gin", "gcn")
    assert run_names(folders[2:]) == ("gin", "gcn")


def test_the_folder_one_stands_in_goes_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "gin" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "gin" / "deep")

    assert run_names([tmp_path.__class__(".")]) == ("deep",)
    assert run_names([tmp_path.__class__("..")]) == ("gin",)


def test_a_run_given_twice_is_refused_however_it_is_spelt(runs, tmp_path):
    (tmp_path / "link").symlink_to(runs[0])
    for again in (runs[0], runs[0] / ".." / "gin", tmp_path / "link"):
        with pytest.raises(ComparisonError, match="given twice"):
            compare([runs[0], again])
    assert "link" in compare([tmp_path / "link", runs[1]]).table.models


def test_runs_judged_by_other_scores_want_a_metric(runs):
    other = leave(runs[0].with_name("tasks"), scores_of(9, 0.0, primary="roc_auc"))

    with pytest.raises(ComparisonError, match="gin is judged by accuracy and tasks by roc_auc"):
        compare([runs[0], other])
    assert compare([runs[0], other], metric="mcc").table.metric == "mcc"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"scores\.json cannot be read \(No such file"),
        ("{", "the file of scores.json: Invalid JSON"),
        ("[]", "the file of scores.json"),
        (scores_of(0, 0, protocol={"folds": 5}), r"protocol\.seeds_used of scores\.json: Field"),
        (scores_of(0, 0, metrics={"f1": {"folds": "all"}}), r"metrics\.f1\.folds .*valid array"),
        (scores_of(0, 0, metrics={"f1": {"folds": ["0.5"]}}), r"metrics\.f1\.folds\.0"),
        (scores_of(0, 0) | {"baselines": []}, r"baselines of scores\.json"),
    ],
)
def test_what_is_no_complete_run_is_one_line_that_names_folder_and_key(tmp_path, content, said):
    folder = tmp_path / "half"
    folder.mkdir()
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "scores.json").write_text(text)

    with pytest.raises(OutputError, match=f"half: it is no complete run: .*{said}"):
        compare([folder])


def test_a_score_that_is_no_number_is_refused_not_averaged(runs):
    bad = scores_of(1, 0.0)
    bad["metrics"]["accuracy"]["folds"][7] = math.nan
    (runs[1] / "scores.json").write_text(json.dumps(bad))

    with pytest.raises(ComparisonError, match="gcn, repeat 2, fold 3: accuracy is nan"):
        compare(runs)


def test_a_file_of_a_run_is_never_written_over_and_nothing_is_left_half_done(runs, tmp_path):
    before = (runs[0] / "scores.json").read_bytes()
    for place in ("scores.json", "report.html", "bundle/deep.json"):
        with pytest.raises(OutputError, match="it is part of a run"):
            compare(runs, json=runs[0] / place)
    with pytest.raises(OutputError, match="two files would have this name"):
        compare(runs, json=tmp_path / "c", html=tmp_path / "c")
    with pytest.raises(OutputError, match="it is a folder"):
        compare(runs, html=tmp_path)

    assert (runs[0] / "scores.json").read_bytes() == before
    assert [path.name for path in runs[0].iterdir()] == ["scores.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["models"]
    compare(runs, html=runs[0] / "compare.html")
    assert (runs[0] / "compare.html").is_file()


def test_settings_out_of_range_leave_no_file(runs, tmp_path):
    with pytest.raises(ComparisonError, match="alpha: 2"):
        compare(runs, alpha=2, json=tmp_path / "c.json")
    assert not (tmp_path / "c.json").exists()
