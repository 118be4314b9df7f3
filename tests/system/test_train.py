"""`kekule train` from the first word to the run folder."""

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest

from kekule import train
from kekule.evaluation import METRICS

BASELINES = ["majority", "structure-free", "WL-SVM", "WL-LightGBM"]
FILES = {
    *("recipe.yaml", "scores.json", "predictions.csv", "rejected.csv", "audit.json"),
    *("curves.csv", "parameters.csv", "report.html", "log.txt", "bundle"),
}
BUNDLE = {
    *("bundle.json", "weights.safetensors", "recipe.yaml", "scores.json", "example.json"),
    *("calibration.json", "conformal.json", "domain.npz"),
}
TIMES = ("created", "seconds", "fold_seconds", "name")


def scores_of(path):
    return json.loads((path / "scores.json").read_text(encoding="utf-8"))


def without_times(scores):
    return {key: value for key, value in scores.items() if key not in TIMES}


def test_the_run_folder_is_the_one_of_the_design(run):
    assert {path.name for path in run.iterdir()} == FILES
    assert {path.name for path in (run / "bundle").iterdir()} == BUNDLE
    assert [path.name for path in run.parent.iterdir()] == ["tiny"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', page) == []
    assert "gcn gives" in (run / "log.txt").read_text(encoding="utf-8")
    assert json.loads((run / "audit.json").read_text(encoding="utf-8"))["findings"]


def test_the_scores_have_the_keys_of_the_design(run):
    scores = scores_of(run)
    promised = {
        *("dataset", "data_hash", "protocol", "n_rows", "n_rejected"),
        *("seconds", "metrics", "baselines", "verdict"),
    }
    assert promised <= scores.keys()
    assert (scores["dataset"], scores["n_rows"], scores["n_rejected"]) == ("MUTAG", 188, 0)
    assert list(scores["baselines"]) == BASELINES
    for metrics in (scores["metrics"], *scores["baselines"].values()):
        assert list(metrics) == list(METRICS)
        for each in metrics.values():
            assert each.keys() == {"mean", "std", "low", "high", "folds"}
            assert len(each["folds"]) == 4


def test_there_is_one_prediction_per_row_of_the_source_in_order(run, mutag):
    table = pd.read_csv(run / "predictions.csv", keep_default_na=False)

    assert table["row"].tolist() == list(range(188))
    assert table["target"].tolist() == mutag.targets.tolist()
    no_molecules = [82, 187]  # carbons with five bonds: trained on as graphs, and said so
    assert table.index[table["status"] == "warning"].tolist() == no_molecules
    assert table.loc[no_molecules, "reason"].str.contains("valence").all()
    assert set(table["status"]) == {"ok", "warning"}
    assert (table["smiles_used"] == "").sum() == 2
    assert sorted(table["fold"].unique()) == [1, 2]
    assert table["fold"].tolist() != table["seed1.fold"].tolist()
    assert (run / "rejected.csv").read_text() == "row,status,reason\n"


@pytest.mark.parametrize("seed", [0, 1])
def test_the_accuracy_of_every_fold_can_be_computed_again_from_the_predictions(run, seed):
    prefix = "seed1." if seed else ""
    right, size = {}, {}
    with (run / "predictions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            fold = int(row[prefix + "fold"])
            size[fold] = size.get(fold, 0) + 1
            right[fold] = right.get(fold, 0) + (row[prefix + "prediction"] == row["target"])
    folds = scores_of(run)["metrics"]["accuracy"]["folds"][2 * seed : 2 * seed + 2]
    assert folds == [right[fold] / size[fold] for fold in (1, 2)]


def test_the_terminal_shows_every_score_with_its_interval_the_verdict_and_the_page(trained):
    folder, said = trained
    scores = scores_of(folder / "models" / "tiny")

    shown = {"gcn": scores["metrics"], **scores["baselines"]}
    for name, metrics in shown.items():
        lines = [line for line in said.out.splitlines() if f" {name} " in line]
        assert lines
        assert f"{metrics['accuracy']['mean']:.3f}" in lines[0]
        low, high = metrics["accuracy"]["low"], metrics["accuracy"]["high"]
        assert f"{low:.3f}–{high:.3f}" in said.out
    assert scores["verdict"] in said.out
    assert "…" not in said.out
    assert said.out.splitlines()[-1] == "Report: models/tiny/report.html"


def test_one_process_gives_the_scores_of_two_and_twice_the_same(run, tiny, tmp_path):
    again = train(None, tiny, out=tmp_path / "again", processes=1)

    assert without_times(again.scores) == without_times(scores_of(run))
    for name in ("predictions.csv", "parameters.csv", "audit.json", "bundle/conformal.json"):
        assert (again.path / name).read_bytes() == (run / name).read_bytes()
    curves = [pd.read_csv(path / "curves.csv") for path in (again.path, run)]
    pd.testing.assert_frame_equal(*(table.drop(columns="seconds") for table in curves))
    weights = "bundle/weights.safetensors"
    assert (again.path / weights).read_bytes() == (run / weights).read_bytes()


def test_log_lines_go_to_standard_error_when_asked(trained):
    _, said = trained
    assert re.search(r"^\d\d:\d\d:\d\d network, seed 0, fold 1: ", said.err, re.MULTILINE)
    assert "network, seed 0, fold 1: " not in said.out


@pytest.mark.parametrize("name", ["PTC_MR", "ENZYMES"])
def test_a_folder_of_the_collection_trains_like_mutag(tu_root, tmp_path, name):
    quick = ("model.hidden=4", "model.layers=1", "train.epochs=1", "train.batch_size=512")
    found = train(
        None,
        [
            *(f"data={tu_root / name}", *quick, "protocol.folds=2", "protocol.seeds=1"),
            "protocol.baselines=[majority, structure-free]",
        ],
        out=tmp_path / name,
        processes=1,
    )
    table = pd.read_csv(found.path / "predictions.csv")
    assert found.scores["dataset"] == name
    assert len(table) == found.scores["n_rows"]
    classes = sorted(map(str, np.unique(table["target"])), key=int)
    assert sorted(found.scores["classes"], key=int) == classes
