"""Labels dealt anew by chance teach nothing, and every output says that they were."""

import json

import numpy as np
import pandas as pd
import pytest

from kekule.data import find_set
from kekule.evaluation import read_recipe
from kekule.workflow import train
from kekule.workflow.prepare import prepare

QUICK = ("model=gcn", "model.hidden=4", "train.epochs=2", "protocol.seeds=1", "protocol.folds=3")


def targets(*overrides):
    return prepare(read_recipe(None, [*QUICK, *overrides])).inputs.targets


def test_the_same_labels_are_dealt_to_other_rows_the_same_way_every_time():
    plain, dealt = targets(), targets("protocol.scramble=true")

    np.testing.assert_array_equal(np.bincount(dealt), np.bincount(plain))
    assert 0.3 < (dealt == plain).mean() < 0.8
    np.testing.assert_array_equal(dealt, targets("protocol.scramble=true"))
    assert (dealt != targets("protocol.scramble=true", "seed=1")).any()


def test_of_several_tasks_each_keeps_its_rows_and_its_counts(tmp_path):
    rows = pd.DataFrame({"smiles": ["C" * n for n in range(1, 41)]})
    rows["a"] = np.tile(["0", "1"], 20)
    rows["b"] = ["1", "0", "0", ""] * 10
    rows.to_csv(tmp_path / "assay.csv", index=False)
    given = (f"data={tmp_path / 'assay.csv'}", "target=[a,b]", "protocol.split=random")
    given = (*given, "protocol.baselines=[]")
    plain, dealt = targets(*given), targets(*given, "protocol.scramble=true")

    np.testing.assert_array_equal(dealt < 0, plain < 0)
    for task in range(2):
        assert (dealt[:, task] == 1).sum() == (plain[:, task] == 1).sum()
        assert (dealt[:, task] != plain[:, task]).any()


def test_a_run_says_in_words_and_in_its_table_that_labels_were_dealt_anew(tmp_path):
    given = [*QUICK, "protocol.scramble=true", "protocol.baselines=[majority]"]
    run = train(overrides=given, out=tmp_path / "run", processes=1)
    table = pd.read_csv(run.path / "predictions.csv", dtype=str)
    real = find_set("MUTAG").targets.astype(str)

    assert run.scores["verdict"].startswith("Labels were dealt anew by chance")
    assert "labels dealt anew" in run.scores["protocol"]["description"]
    assert sorted(table["target"]) == sorted(real)
    assert (table["target"] != real).any()
    assert run.scores["recipe_hash"] != train_hash(given)


def train_hash(given):
    return read_recipe(None, [text for text in given if "scramble" not in text]).sha256


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MUTAG", "BBBP"])
def test_nothing_scores_above_chance_on_labels_dealt_anew(name, tmp_path, data_root):
    given = ["protocol.scramble=true", "train.epochs=15"]
    if name == "BBBP":
        given += [f"data={data_root / 'moleculenet/BBBP.csv'}", "target=p_np"]
        given += ["protocol.baselines=[ECFP-logistic, LightGBM, extra-trees]"]
    run = train(overrides=given, out=tmp_path / "run", audit=False)
    scores = json.loads((run.path / "scores.json").read_text(encoding="utf-8"))

    assert scores["metrics"]["roc_auc"]["low"] < 0.5 < scores["metrics"]["roc_auc"]["high"]
    for model, metrics in {"network": scores["metrics"], **scores["baselines"]}.items():
        for metric in ("roc_auc", "balanced_accuracy"):
            low, mean = metrics[metric]["low"], metrics[metric]["mean"]
            assert (mean if low is None else low) <= 0.5, f"{model}, {metric}"
