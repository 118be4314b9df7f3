"""Defects of public sets that are known from the literature or by count are all found."""

import numpy as np
import pandas as pd
import pytest

from kekule.data.audit import audit_molecules
from kekule.data.molecule_files import read_molecules
from kekule.data.splits import Split
from kekule.data.standardisation import POLICIES, standardise_smiles
from kekule.workflow import convert

pytestmark = pytest.mark.slow


def audit_of(source, targets, split=None, **columns):
    table = read_molecules(source, targets=targets, **columns)
    rows = standardise_smiles(table.structures, POLICIES["parent"], processes=2)
    return audit_molecules(table, rows, split=split, processes=2)


def finding(audit, name):
    return next(each for each in audit["findings"] if each["name"] == name)


def aurocs(audit, probe):
    points = finding(audit, f"shortcut: {probe}")["figure"]["points"]
    return {point["name"]: point["value"] for point in points}


def test_clintox_tells_its_class_by_charges_and_all_its_duplicates_conflict(data_root):
    audit = audit_of(data_root / "moleculenet/clintox.csv", ["FDA_APPROVED", "CT_TOX"])

    assert finding(audit, "unparsable rows")["value"].startswith("4 rows of 1,484")
    assert finding(audit, "exact duplicates")["value"] == (
        "19 structures beyond the first of 19 groups"
    )
    assert finding(audit, "conflicting exact duplicates")["value"].startswith("19 groups")
    assert finding(audit, "conflicting exact duplicates")["verdict"] == "red"
    assert finding(audit, "shortcut: salt and charge")["verdict"] == "red"
    assert aurocs(audit, "salt and charge")["CT_TOX"] >= 0.75
    assert finding(audit, "shortcut: writing style")["verdict"] == "red"


def test_bbbp_is_sorted_and_written_by_several_hands(data_root):
    audit = audit_of(data_root / "moleculenet/BBBP.csv", ["p_np"])

    assert finding(audit, "unparsable rows")["value"].startswith("11 rows of 2,050")
    assert finding(audit, "shortcut: row order")["verdict"] == "red"
    assert aurocs(audit, "row order")["p_np"] >= 0.9
    assert "'num'" in finding(audit, "shortcut: row order")["value"]
    assert aurocs(audit, "writing style")["p_np"] >= 0.75
    assert finding(audit, "conflicting exact duplicates")["value"].startswith("10 groups")
    assert finding(audit, "conflicting parent duplicates")["value"].startswith("1 group,")


def test_bace_is_sorted_and_most_of_its_stereo_is_undefined(data_root):
    audit = audit_of(data_root / "moleculenet/BACE.csv", ["Class"])

    assert finding(audit, "shortcut: row order")["verdict"] == "red"
    assert aurocs(audit, "row order")["Class"] >= 0.95
    assert finding(audit, "shortcut: identifier digits")["value"].startswith("not probed")
    assert "(71 %)" in finding(audit, "undefined stereocentres")["value"]
    assert finding(audit, "undefined stereocentres")["verdict"] == "amber"


def test_mutag_as_smiles_has_no_red(tmp_path):
    convert("MUTAG", tmp_path / "mutag.csv")
    audit = audit_of(tmp_path / "mutag.csv", ["target"], smiles="smiles")

    assert [each["name"] for each in audit["findings"] if each["verdict"] == "red"] == []
    assert finding(audit, "empty structures")["value"].startswith("2 rows")
    assert "'row'" in finding(audit, "shortcut: row order")["value"]


@pytest.mark.parametrize("name", ["BBB_Martins", "hERG"])
def test_the_one_molecule_on_both_sides_of_a_tdc_split_is_found(data_root, name):
    parts = [pd.read_csv(data_root / f"tdc/{name}_{part}.csv") for part in ("train", "test")]
    frame = pd.concat(parts, ignore_index=True).astype(str)
    fold = np.where(np.arange(len(frame)) < len(parts[0]), -1, 0)
    audit = audit_of(frame, ["Y"], Split("given", "as published", 1, fold), smiles="Drug")
    leak = finding(audit, "same InChIKey on both sides of the split")

    assert leak["value"].startswith("1 tested row of 1 molecule")
    assert len(leak["rows"]) == 2
    assert [fold[row] for row in leak["rows"]] == [-1, 0]


def test_hiv_is_audited_whole(data_root):
    audit = audit_of(data_root / "moleculenet/HIV.csv", ["HIV_active"])

    assert finding(audit, "unparsable rows")["value"].startswith("7 rows of 41,127")
    assert audit["verdict"] == "amber"
    assert finding(audit, "shortcut: writing style")["verdict"] == "green"
