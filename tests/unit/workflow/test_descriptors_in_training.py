"""Descriptors from the recipe to the model of a run, and apart in the cache."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from kekule.evaluation import read_recipe
from kekule.features import DESCRIPTORS, MOLECULE_SCHEMA, described_schema
from kekule.registry import load
from kekule.workflow import train
from kekule.workflow.prepare import open_data, prepare

PLATINUM = "N[Pt](N)(Cl)Cl"
ACIDS = [f"OC(=O){'C' * n}" for n in range(1, 16)]
AMINES = [f"N{'C' * n}" for n in range(1, 16)]
QUICK = (
    *("target=y", "model=gcn", "model.hidden=4", "train.epochs=3", "protocol.split=random"),
    *("protocol.folds=2", "protocol.seeds=1", "protocol.baselines=[majority]"),
)


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("KEKULE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path):
    """Acids and amines, a complex of platinum, and a row that is no molecule."""
    path = tmp_path / "t.csv"
    smiles = [*ACIDS, *AMINES, PLATINUM, "no molecule"]
    labels = [1] * len(ACIDS) + [0] * len(AMINES) + [0, 0]
    pd.DataFrame({"smiles": smiles, "y": labels}).to_csv(path, index=False)
    return path


def recipe_of(table, *overrides):
    return read_recipe(None, [f"data={table}", *QUICK, *overrides])


@pytest.fixture
def n_computed(monkeypatch):
    """Molecules whose descriptors were computed."""
    from kekule.features import descriptors

    done, whole = [], descriptors.values_of

    def values_of(mol, names):
        done.append(len(names))
        return whole(mol, names)

    monkeypatch.setattr(descriptors, "values_of", values_of)
    return done


def test_a_run_trains_with_descriptors_and_answers_as_it_did(table, tmp_path, page_left_blank):
    run = train(recipe_of(table, "features.descriptors=rdkit"), out=tmp_path / "run", processes=1)
    rows = pd.read_csv(run.path / "predictions.csv", keep_default_na=False)
    answers = load(run.path).predict(["no molecule", *ACIDS[:3], PLATINUM])

    assert "descriptors: rdkit" in (run.path / "recipe.yaml").read_text()
    assert rows["status"].tolist() == ["ok"] * 30 + ["warning", "invalid"]
    assert "RDKit has no MaxPartialCharge" in rows["reason"][30]
    assert answers["status"].tolist() == ["invalid", "ok", "ok", "ok", "warning"]
    assert answers["probability"].notna().tolist() == [False, True, True, True, True]


def test_what_a_fold_sees_are_the_descriptors_of_its_usable_rows(table):
    plain, given = (
        prepare(recipe_of(table, f"features.descriptors={name}")).inputs.graphs
        for name in ("none", "physchem")
    )

    assert (plain.schema, given.schema) == (MOLECULE_SCHEMA, described_schema("physchem"))
    assert plain.graph_attributes.shape == (31, 0)
    assert given.graph_attributes.shape == (31, 12)
    np.testing.assert_array_equal(plain.nodes, given.nodes)
    weight = given.graph_attributes[: len(ACIDS), 0]
    assert (np.diff(weight) > 0).all()  # each acid is heavier than the one before


def test_each_set_is_computed_once_and_kept_apart_from_the_others(table, n_computed):
    for name in ("none", "physchem", "rdkit", "physchem", "none", "rdkit"):
        found = open_data(recipe_of(table, f"features.descriptors={name}")).graphs
        assert found.schema == described_schema(name)

    assert n_computed == [12] * 31 + [215] * 31


def test_a_new_version_of_a_set_is_computed_anew(table, n_computed, monkeypatch):
    recipe = recipe_of(table, "features.descriptors=physchem")
    open_data(recipe)
    newer = dataclasses.replace(DESCRIPTORS["physchem"], version=2)
    monkeypatch.setitem(DESCRIPTORS, "physchem", newer)
    open_data(recipe)

    assert len(n_computed) == 62


def test_another_release_of_rdkit_is_another_entry(table, n_computed, monkeypatch):
    recipe = recipe_of(table, "features.descriptors=physchem")
    open_data(recipe)
    monkeypatch.setattr("kekule.workflow.molecule_set.version", lambda name: "2099.1")
    open_data(recipe)

    assert len(n_computed) == 62
