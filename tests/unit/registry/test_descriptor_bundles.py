"""Bundles of networks that are given descriptors: computed the same wherever they are asked."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from kekule._errors import BundleError
from kekule.data import POLICIES
from kekule.features import (
    DESCRIPTORS,
    described,
    described_schema,
    molecule_graphs,
    seen_codes,
    standard_graphs,
)
from kekule.models import NETWORKS, build_network, probabilities, weights_of
from kekule.registry import BundleContent, Predictor, open_bundle, save_bundle
from kekule.registry.manifest import _own_sum, json_bytes

TRAINED_ON = ["CCO", "CCN", "c1ccccc1", "OC(=O)c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O"]
SALT, PARENT = "[Na+].[O-]C(=O)c1ccccc1", "OC(=O)c1ccccc1"
PLATINUM = "N[Pt](N)(Cl)Cl"


@pytest.fixture(scope="module", params=DESCRIPTORS)
def kind(request):
    return DESCRIPTORS[request.param]


@pytest.fixture(scope="module")
def bundle(kind, tmp_path_factory):
    """A bundle of an untrained network that was shown a few molecules' descriptors."""
    schema = described_schema(kind.name)
    settings = NETWORKS["gcn"].Settings(hidden=4, layers=1)
    network = build_network(schema, 2, settings, seed=1)
    network.set_scale(described(standard_graphs(TRAINED_ON, POLICIES["parent"]), schema).graphs)
    content = BundleContent(
        name="untrained",
        classes=("no", "yes"),
        schema=schema,
        model_settings=settings.model_dump(mode="json"),
        weights=weights_of(network),
        recipe_yaml="data: {source: a.csv}\n",
        recipe_sha256="a" * 64,
        data_sha256="b" * 64,
        scores={"verdict": "nobody trained it"},
        examples=("CCO", SALT),
        created="1865-01-27T12:00:00+00:00",
        policy=POLICIES["parent"],
        seen=seen_codes(molecule_graphs(TRAINED_ON).graphs),
    )
    folder = tmp_path_factory.mktemp("described") / "bundle"
    save_bundle(folder, content)
    return folder


def forged(bundle, folder, **changes):
    """A copy of the bundle with other words in its schema, every sum right again."""
    path = shutil.copytree(bundle, folder) / "bundle.json"
    manifest = json.loads(path.read_text())
    manifest["schema"] |= changes
    manifest["sha256"] = _own_sum(manifest)
    path.write_bytes(json_bytes(manifest))
    return folder


def test_a_bundle_says_which_descriptors_it_was_given_and_computes_them(bundle, kind):
    opened = open_bundle(bundle)
    graphs = described(standard_graphs(TRAINED_ON, POLICIES["parent"]), opened.schema).graphs
    wanted = probabilities(opened.network, graphs)[:, 1]
    told = Predictor(opened).predict(TRAINED_ON)

    assert opened.schema == described_schema(kind.name)
    assert opened.manifest["schema"]["descriptors"] == kind.key
    np.testing.assert_allclose(told["probability"], wanted, rtol=0, atol=1e-6)


def test_the_answer_hangs_on_the_descriptors(bundle, monkeypatch):
    model = Predictor(open_bundle(bundle))
    first = model.predict([PARENT])["probability"][0]
    from kekule.features import descriptors

    monkeypatch.setattr(descriptors, "values_of", lambda mol, names: np.zeros(len(names)))

    assert abs(model.predict([PARENT])["probability"][0] - first) > 1e-3


def test_rows_are_answered_in_place_alone_as_in_company_and_a_salt_as_its_parent(bundle):
    model, given = Predictor(open_bundle(bundle)), [SALT, "no molecule", PARENT, "CCO"]
    told = model.predict(given)
    alone = pd.concat([model.predict([smiles]) for smiles in given])

    assert told["status"].tolist() == ["ok", "invalid", "ok", "ok"]
    assert told["probability"][0] == pytest.approx(told["probability"][2], abs=1e-6)
    np.testing.assert_allclose(told["probability"], alone["probability"], rtol=0, atol=1e-6)


def test_a_row_of_which_rdkit_has_no_descriptors_is_invalid_and_costs_no_other(
    bundle, kind, monkeypatch
):
    from kekule.features import descriptors

    def values_of(mol, names, whole=descriptors.values_of):
        if mol.GetNumAtoms() == 6:
            raise RuntimeError("Invariant Violation")
        return whole(mol, names)

    model = Predictor(open_bundle(bundle))
    wanted = model.predict(["CCO", "CCN"])["probability"]
    monkeypatch.setattr(descriptors, "values_of", values_of)
    told = model.predict(["CCO", "c1ccccc1", "CCN"])

    assert told["status"].tolist() == ["ok", "invalid", "ok"]
    assert told["reason"][1] == f"RDKit has no {kind.name} of it: Invariant Violation"
    np.testing.assert_allclose(told["probability"][[0, 2]], wanted, rtol=0, atol=1e-6)


def test_what_is_undefined_is_said_beside_the_answer(bundle, kind):
    told = Predictor(open_bundle(bundle)).predict([PLATINUM])

    assert told["prediction"][0] in ("no", "yes")
    assert ("RDKit has no MaxPartialCharge" in told["reason"][0]) == (kind.name == "rdkit")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"descriptors": "physchem-99"}, "not known here"),
        ({"descriptors": None}, "not known here"),
        ({"descriptors": 7}, "not a name"),
        ({"n_graph_attributes": 10**9}, "1000000000 instead of"),
        ({"featuriser": None}, "of no molecules"),
    ],
)
def test_descriptors_that_cannot_be_computed_are_refused_on_one_line(
    bundle, tmp_path, changes, words
):
    with pytest.raises(BundleError, match=words) as caught:
        open_bundle(forged(bundle, tmp_path / "bundle", **changes))
    assert "\n" not in str(caught.value)


def test_a_release_of_rdkit_with_other_values_is_noticed(bundle, monkeypatch):
    from kekule.features import descriptors

    whole = descriptors.values_of
    monkeypatch.setattr(descriptors, "values_of", lambda mol, names: 1.5 * whole(mol, names))

    with pytest.raises(BundleError, match=r"a probability moved by .*versions"):
        open_bundle(bundle)
