"""Models of fingerprints stand beside a network on a table of molecules by default."""

import json

import numpy as np
import pandas as pd
import pytest

from kekule.evaluation import read_recipe
from kekule.features.fingerprints import fingerprints
from kekule.models import OF_MOLECULES
from kekule.workflow import convert, train
from kekule.workflow.prepare import prepare

QUICK = ("model=gcn", "model.hidden=4", "train.epochs=2", "protocol.seeds=1", "protocol.folds=3")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Nitro compounds of MUTAG as SMILES, one row of which is no molecule."""
    path = tmp_path_factory.mktemp("tables") / "assay.csv"
    convert("MUTAG", path)
    frame = pd.read_csv(path, dtype=str).dropna(subset=["smiles"])[["smiles", "target"]]
    frame = frame.iloc[:120].reset_index(drop=True)
    frame.loc[7, "smiles"] = "no molecule"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("KEKULE_CACHE", str(tmp_path / "cache"))


def recipe(table, *overrides):
    return read_recipe(None, [f"data={table}", "target=target", *QUICK, *overrides])


def test_rows_of_the_tables_are_those_of_the_graphs(table):
    prepared = prepare(recipe(table))
    smiles = [prepared.origin.rows.smiles[row] for row in prepared.usable.tolist()]
    direct = fingerprints(smiles, ["ecfp", "rdkit-descriptors"]).values

    assert 7 not in prepared.usable
    for name, values in prepared.inputs.tables.items():
        np.testing.assert_array_equal(values, direct[name])
    heavy = prepared.inputs.tables["rdkit-descriptors"][:, _column("HeavyAtomCount")]
    np.testing.assert_array_equal(heavy, np.diff(prepared.inputs.graphs.node_pointer))


def test_no_fingerprint_is_computed_that_no_baseline_needs(table):
    assert not prepare(recipe(table, "protocol.baselines=[majority]")).inputs.tables
    assert list(prepare(recipe(table, "protocol.baselines=[ECFP-logistic]")).inputs.tables) == [
        "ecfp"
    ]


def test_every_baseline_is_scored_beside_the_network_and_the_trees_have_learnt(table, tmp_path):
    run = train(recipe(table), out=tmp_path / "run", audit=False, processes=2)
    baselines = json.loads((run.path / "scores.json").read_text())["baselines"]

    assert list(baselines) == list(OF_MOLECULES)
    for name in ("ECFP-logistic", "extra-trees", "LightGBM"):
        assert baselines[name]["roc_auc"]["mean"] > 0.65
    page = run.report.read_text(encoding="utf-8")
    assert all(name in page for name in OF_MOLECULES)


def _column(name):
    from kekule.features import FINGERPRINTS

    return FINGERPRINTS["rdkit-descriptors"].columns.index(name)
