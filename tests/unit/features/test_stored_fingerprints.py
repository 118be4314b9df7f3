"""Fingerprints from the cache are those that were computed, whatever was asked for before."""

import numpy as np
import pytest

from kekule.features import fingerprints as family
from kekule.features.fingerprints import UnknownFingerprintError, stored, stored_fingerprints

SMILES = ["c1ccccc1O", "CCO", "no molecule", "CC(=O)Oc1ccccc1C(=O)O"]


@pytest.fixture
def computed(monkeypatch):
    """Names of what is computed, in turn."""
    asked, compute = [], stored.fingerprints

    def watched(smiles, kinds, **given):
        asked.extend(kind.name for kind in kinds)
        return compute(smiles, kinds, **given)

    monkeypatch.setattr(stored, "fingerprints", watched)
    return asked


def test_a_table_taken_from_the_cache_is_the_table_computed(tmp_path, computed):
    names = ("ecfp", "rdkit-descriptors")
    first = stored_fingerprints(SMILES, names, cache=tmp_path)
    again = stored_fingerprints(SMILES, names, cache=tmp_path)
    direct = family.fingerprints(SMILES, names).values

    assert computed == list(names)
    assert list(again) == list(names)
    for name in names:
        np.testing.assert_array_equal(first[name], direct[name])
        np.testing.assert_array_equal(again[name], direct[name])
        assert again[name].dtype == direct[name].dtype


def test_one_more_fingerprint_costs_itself_alone(tmp_path, computed):
    stored_fingerprints(SMILES, ["ecfp"], cache=tmp_path)
    stored_fingerprints(SMILES, ["ecfp", "maccs"], cache=tmp_path)

    assert computed == ["ecfp", "maccs"]


def test_other_molecules_are_other_tables(tmp_path, computed):
    one = stored_fingerprints(SMILES, ["maccs"], cache=tmp_path)["maccs"]
    other = stored_fingerprints(SMILES[::-1], ["maccs"], cache=tmp_path)["maccs"]

    np.testing.assert_array_equal(one, other[::-1])
    assert computed == ["maccs", "maccs"]


def test_a_damaged_table_is_made_anew(tmp_path, computed):
    whole = stored_fingerprints(SMILES, ["maccs"], cache=tmp_path)["maccs"].copy()
    (file,) = tmp_path.rglob("table.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    again = stored_fingerprints(SMILES, ["maccs"], cache=tmp_path)["maccs"]

    np.testing.assert_array_equal(again, whole)
    assert computed == ["maccs", "maccs"]


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path, computed):
    (tmp_path / "file").write_text("")
    found = stored_fingerprints(SMILES, ["maccs"], cache=tmp_path / "file")["maccs"]

    np.testing.assert_array_equal(found, family.fingerprints(SMILES, ["maccs"]).values["maccs"])


def test_a_name_that_is_none_is_told_with_the_nearest(tmp_path):
    with pytest.raises(UnknownFingerprintError, match="Did you mean maccs"):
        stored_fingerprints(SMILES, ["macs"], cache=tmp_path)
