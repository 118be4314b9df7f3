import json

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from kekule._errors import KekuleError
from kekule.data.audit import audit_molecules, neighbours
from kekule.data.audit.alert_patterns import alert_names
from kekule.data.audit.facts import facts_of
from kekule.data.audit.groups import sides
from kekule.data.audit.neighbours import near_pairs, nearest
from kekule.data.molecule_files import read_molecules
from kekule.data.splits import Split
from kekule.data.standardisation import POLICIES, standardise_smiles

ALCOHOLS = [f"{'C' * k}O" for k in range(1, 13)]
ACIDS = [f"{'C' * k}C(=O)O" for k in range(1, 13)]


def table_of(smiles, targets=("label",), **columns):
    frame = pd.DataFrame({"smiles": smiles, **columns}).astype(str)
    return read_molecules(frame, smiles="smiles", targets=list(targets))


def audit_of(smiles, targets=("label",), *, policy="parent", split=None, **columns):
    table = table_of(smiles, targets, **columns)
    rows = standardise_smiles(table.structures, POLICIES[policy])
    return audit_molecules(table, rows, split=split)


def finding(audit, name):
    return next(each for each in audit["findings"] if each["name"] == name)


def test_rows_that_hold_no_molecule_are_told_with_their_first_reasons():
    audit = audit_of(["CCO", "C(C)(C)(C)(C)C", "", "CCN", "c1ccc"], label=[0, 1, 0, 1, 1])
    unparsable = finding(audit, "unparsable rows")

    assert unparsable["rows"] == [1, 4]
    assert unparsable["verdict"] == "red"
    assert "valence" in unparsable["table"][0]["reason"]
    assert unparsable["table"][0]["structure"] == "C(C)(C)(C)(C)C"
    assert finding(audit, "empty structures")["rows"] == [2]
    assert audit["rows"] == 5


def test_an_audit_is_json_and_its_verdict_is_its_worst_finding():
    audit = audit_of([*ALCOHOLS, *ACIDS, "", "?"], label=[0] * 12 + [1] * 12 + [0, 1])
    colours = [each["verdict"] for each in audit["findings"]]

    assert json.loads(json.dumps(audit, allow_nan=False)) == audit
    assert audit["classes"] == {"0": 13, "1": 13}
    assert audit["verdict"] == min(colours, key=["red", "amber", "green"].index)
    for each in audit["findings"]:
        assert set(each) <= {"name", "verdict", "value", "advice", "rows", "table", "figure"}
        assert each["verdict"] == "green" or each["advice"] or "remark" in each["name"]
        assert len(each.get("rows", [])) <= 50
    assert len({each["name"] for each in audit["findings"]}) == len(colours)


@pytest.mark.parametrize(
    ("twins", "degree"),
    [
        (("CC(=O)Oc1ccccc1C(=O)O", "O=C(O)c1ccccc1OC(C)=O"), "exact duplicates"),
        (("CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]"), "parent duplicates"),
        (("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"), "stereo-ignoring duplicates"),
        (("C[C@H](N)C(=O)O", "CC(N)C(=O)O"), "stereo-ignoring duplicates"),
    ],
)
@pytest.mark.parametrize("conflict", [True, False])
def test_a_planted_duplicate_is_told_once_in_its_own_degree(twins, degree, conflict):
    smiles = [twins[0], *ALCOHOLS, twins[1]]
    audit = audit_of(smiles, label=[0, *[0, 1] * 6, int(conflict)])
    every = ["exact duplicates", "parent duplicates", "stereo-ignoring duplicates"]

    for name in every:
        assert finding(audit, name).get("rows", []) == ([0, 13] if name == degree else [])
        in_conflict = finding(audit, f"conflicting {name}")
        assert in_conflict.get("rows", []) == ([0, 13] if conflict and name == degree else [])
    if conflict:
        assert finding(audit, f"conflicting {degree}")["table"][0]["labels"] == ["0", "1"]
        expected = "amber" if degree.startswith("stereo") else "red"
        assert finding(audit, f"conflicting {degree}")["verdict"] == expected


def test_a_missing_label_conflicts_with_nothing_and_a_task_in_conflict_is_named():
    smiles = ["CCO", "OCC", "CCN", "NCC", *ALCOHOLS[3:]]
    one = ["0", "", "1", "1", *["0", "1", "1"] * 3]
    other = ["1", "1", "0", "1", *["1", "0", "1"] * 3]
    conflicts = finding(
        audit_of(smiles, ["one", "other"], one=one, other=other), "conflicting exact duplicates"
    )

    assert conflicts["rows"] == [2, 3]
    assert conflicts["table"][0]["labels"] == ["other: 0", "other: 1"]


def test_new_names_for_the_classes_change_no_finding():
    smiles = [*ALCOHOLS, "OCC", *ACIDS]
    codes = [0, 1] * 12 + [1]
    one, other = (
        audit_of(smiles, label=[names[code] for code in codes]) for names in ("01", "yn")
    )
    for a, b in zip(one["findings"], other["findings"], strict=True):
        assert (a["name"], a["verdict"], a.get("rows")) == (b["name"], b["verdict"], b.get("rows"))


def test_stereo_salts_mixtures_metals_and_charges_are_told_by_row():
    smiles = [
        "CC(O)(F)Cl",
        "C[C@](O)(F)Cl",
        "CCN.Cl",
        "CC(=O)Nc1ccc(O)cc1.Cn1cnc2c1c(=O)n(C)c(=O)n2C",
        "CC[Pt]CC",
        "CC(=O)[O-].[Na+]",
        "C[N+](=O)[O-]",
        "CC=CCO",
    ]
    audit = audit_of(smiles, label=[0, 1] * 4)

    assert finding(audit, "undefined stereocentres")["rows"] == [0]
    assert "double bonds in 1 molecule" in finding(audit, "undefined stereocentres")["value"]
    assert "50 % of all centres" in finding(audit, "undefined stereocentres")["value"]
    assert finding(audit, "salts and solvates")["rows"] == [2, 5]
    assert finding(audit, "mixtures")["rows"] == [3]
    assert finding(audit, "metals")["rows"] == [4]
    assert finding(audit, "drawn protonated or deprotonated")["rows"] == [5]
    changed = finding(audit, "changed by standardisation")
    assert {2, 3, 5} <= set(changed["rows"])


def test_class_balance_and_missing_labels_are_told_per_task():
    smiles = [*ALCOHOLS, *ACIDS]
    audit = audit_of(
        smiles, ["rare", "gaps"], rare=["1"] * 2 + ["0"] * 22, gaps=["1", "0"] * 4 + [""] * 16
    )
    lines = {line["task"]: line for line in finding(audit, "classes")["table"]}

    assert audit["classes"]["rare"] == {"0": 22, "1": 2}
    assert lines["rare"]["its rows"] == 2
    assert lines["gaps"]["missing"] == 16
    assert finding(audit, "missing labels")["verdict"] == "amber"
    assert "'gaps' (67 %)" in finding(audit, "missing labels")["value"]


def test_a_table_without_targets_is_audited_for_its_molecules_alone():
    audit = audit_of([*ALCOHOLS, "OCC"], ())

    assert audit["classes"] is None
    assert finding(audit, "classes")["verdict"] == "amber"
    assert finding(audit, "exact duplicates")["rows"] == [1, 12]
    assert not any("conflict" in each["name"] for each in audit["findings"])


def test_a_table_without_a_single_molecule_is_told_to_be_one():
    audit = audit_of(["?", "", "C(C)(C)(C)(C)C"], label=[0, 1, 1])
    assert audit["verdict"] == "red"
    assert finding(audit, "range of logP")["value"] == "no molecules"


def test_a_pair_of_near_twins_with_opposite_labels_is_listed():
    steroid = "C{}CC(=O)C1CCC2C1(C)CCC1C3(C)CCC(=O)C=C3CCC12"
    twins = [steroid.format("C" * k) for k in (6, 7)]
    audit = audit_of([*twins, *ACIDS[:4]], label=[0, 1, 0, 1, 0, 1])
    found = finding(audit, "near neighbours with opposite labels")

    assert found["rows"] == [0, 1]
    assert found["verdict"] == "amber"
    assert (found["table"][0]["row"], found["table"][0]["neighbour"]) == (0, 1)
    assert (found["table"][0]["label"], found["table"][0]["its label"]) == ("0", "1")


def test_alerts_are_counted_by_catalogue_and_class():
    catechols = ["Oc1ccc(CCC)cc1O", "Oc1ccc(CC)cc1O", "CCCCO", "CCO"]
    found = finding(audit_of(catechols, label=[1, 1, 0, 0]), "structural alerts, PAINS")

    assert found["rows"] == [0, 1]
    assert found["table"] == [{"alert": "catechol A", "rows": 2}]
    assert {p["class"]: p["value"] for p in found["figure"]["points"]} == {"0": 0.0, "1": 1.0}
    assert {catalogue for catalogue, _ in alert_names()} == {"PAINS", "BRENK"}


def test_alerts_of_one_frequency_are_listed_in_the_order_of_the_catalogue():
    """Not in that of a set of words, which is another in every process."""
    table = finding(
        audit_of(["ClCC(=O)N=NC=CC(=S)CI", "CCO"], label=[0, 1]),
        "structural alerts, BRENK",
    )["table"]
    order = [name for catalogue, name in alert_names() if catalogue == "BRENK"]
    listed = [line["alert"] for line in table]

    assert len(listed) > 3
    assert listed == sorted(listed, key=order.index)


def test_an_outlier_in_size_is_named():
    audit = audit_of([*ALCOHOLS, *ACIDS, "C" * 90], label=[0, 1] * 12 + [1])
    assert finding(audit, "range of heavy atoms")["rows"] == [24]
    assert sum(finding(audit, "range of heavy atoms")["figure"]["counts"]) == 25


def given(fold, n_folds=1, **parts):
    return Split("given", "by hand", n_folds, np.array(fold), **parts)


def test_a_molecule_on_both_sides_of_a_split_is_told_in_three_degrees():
    smiles = ["CCO", "OCC", "CC(=O)[O-].[Na+]", "CC(=O)O", "C[C@H](N)O", "C[C@@H](N)O", "CCCN"]
    split = given([0, -1, 0, -1, 0, -1, -1])
    audit = audit_of(smiles, label=[0, 0, 0, 1, 1, 1, 0], split=split)
    leaks = {
        name: finding(audit, f"{name} on both sides of the split")
        for name in ("same InChIKey", "same parent", "same molecule but for stereo")
    }

    assert leaks["same InChIKey"]["rows"] == [0, 1]
    assert leaks["same parent"]["rows"] == [0, 1, 2, 3]
    assert leaks["same molecule but for stereo"]["rows"] == [0, 1, 2, 3, 4, 5]
    assert "1 with another label" in leaks["same parent"]["value"]
    assert leaks["same parent"]["verdict"] == "red"
    assert leaks["same molecule but for stereo"]["verdict"] == "amber"
    histogram = finding(audit, "nearest learnt neighbour of tested rows")["figure"]
    assert sum(histogram["counts"]) == 3
    assert histogram["counts"][-1] == 3


def test_rows_a_split_leaves_out_are_on_no_side():
    smiles = ["CCO", "OCC", "OCC", "CCN"]
    parts = {"train": (np.array([3]),), "validation": (np.array([2]),)}
    split = given([0, -1, -1, -1], **parts)
    audit = audit_of(smiles, label=[0, 0, 0, 1], split=split)

    assert [side.tolist() for side in next(iter(sides(split)))] == [[0], [2, 3]]
    assert finding(audit, "same parent on both sides of the split")["rows"] == [0, 2]


@pytest.mark.parametrize("seed", range(5))
def test_a_split_by_groups_of_the_same_molecule_leaks_nothing(seed):
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 12, 40)
    smiles = [ALCOHOLS[kind] for kind in kinds]
    audit = audit_of(smiles, label=rng.integers(0, 2, 40), split=given(kinds % 3, 3))

    assert finding(audit, "same InChIKey on both sides of the split")["value"] == "none"


def test_a_split_or_rows_of_another_table_are_refused():
    table = table_of(ALCOHOLS, label=[0, 1] * 6)
    rows = standardise_smiles(table.structures, POLICIES["parent"])
    with pytest.raises(KekuleError, match=r"split 'given' is of 3 rows, the table has 12"):
        audit_molecules(table, rows, split=given([0, 1, 1]))
    with pytest.raises(KekuleError, match=r"12 standardised rows for a table of 2"):
        audit_molecules(table.take(np.array([0, 1])), rows)


def test_two_processes_find_what_one_does():
    pairs = [(smiles, smiles) for smiles in (ALCOHOLS + ACIDS) * 90]
    one, two = facts_of(pairs), facts_of(pairs, processes=2)

    np.testing.assert_array_equal(one.numbers, two.numbers)
    np.testing.assert_array_equal(one.fingerprints, two.fingerprints)
    assert (one.canonical, one.alerts, one.metals) == (two.canonical, two.alerts, two.metals)
    assert one.known_by.inchikey == two.known_by.inchikey


def test_progress_tells_every_stage_to_its_end():
    told = {}
    table = table_of([*ALCOHOLS, *ACIDS], label=[0, 1] * 12)
    rows = standardise_smiles(table.structures, POLICIES["parent"])
    audit_molecules(
        table,
        rows,
        split=given([0, 1] * 12, 2),
        progress=lambda stage, done, total: told.update({stage: (done, total)}),
    )

    assert set(told) == {
        "looking at molecules",
        "probing for shortcuts",
        "comparing neighbours",
        "comparing the split's sides",
    }
    assert all(done == total for done, total in told.values())


@pytest.fixture(scope="module")
def many():
    """Bits of 300 molecules that look alike in part, and RDKit's own similarity of all pairs."""
    smiles = [
        f"{'C' * a}{core}{'C' * b}" for core in CORES for a in range(1, 11) for b in (0, 1, 2)
    ]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in smiles]
    similarity = np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])
    return facts_of([(text, text) for text in smiles]).fingerprints, similarity


CORES = ["O", "N", "C(=O)O", "c1ccc(O)cc1", "C1CCNCC1", "S", "C(=O)N", "C#C", "OC(=O)", "NC(=O)N"]


@pytest.mark.parametrize("least", [0.3, 0.6, 0.9])
def test_near_pairs_are_those_of_rdkit(many, least):
    bits, similarity = many
    rng = np.random.default_rng(3)
    classes, same = rng.integers(0, 3, len(bits)), np.arange(len(bits))
    same[:20] = 0
    found = near_pairs(bits, classes, same, least=least)
    close = np.triu(similarity >= least - 1e-9, 1)
    close &= (classes[:, None] != classes) & (same[:, None] != same)

    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == set(
        map(tuple, np.argwhere(close).tolist())
    )
    np.testing.assert_allclose(found.similarity, similarity[found.first, found.second])
    assert (np.diff(found.similarity) <= 0).all()
    assert found.sampled == 1.0


def test_the_nearest_is_that_of_rdkit_and_work_is_bounded(many):
    bits, similarity = many
    rows, among = np.arange(100), np.arange(100, 300)
    found = nearest(bits, rows, among)

    np.testing.assert_allclose(found.similarity, similarity[:100, 100:].max(axis=1))
    assert len(nearest(bits, rows, among, most_compared=1000).rows) == 5
    some = near_pairs(bits, rows.repeat(3) % 2, np.arange(300), least=0.5, most_compared=500)
    assert 0 < some.sampled < 0.1


def test_of_very_many_near_pairs_the_nearest_are_kept_and_all_are_counted(many, monkeypatch):
    bits, _ = many
    classes, same = np.arange(len(bits)) % 2, np.arange(len(bits))
    every = near_pairs(bits, classes, same, least=0.4)
    monkeypatch.setattr(neighbours, "MOST_PAIRS", 10)
    few = near_pairs(bits, classes, same, least=0.4)

    assert few.n_pairs == every.n_pairs == len(every.first) > 10
    np.testing.assert_array_equal(few.first, every.first[:10])
    np.testing.assert_array_equal(few.similarity, every.similarity[:10])
