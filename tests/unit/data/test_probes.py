"""Planted shortcuts are found, and nothing is found where nothing was planted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, RDConfig

from kekule.data.audit.auroc import foretold, pooled_auroc
from kekule.data.audit.facts import facts_of
from kekule.data.audit.identifiers import identifiers
from kekule.data.audit.looked_at import LookedAt
from kekule.data.audit.probes import foretold_labels, probe_findings
from kekule.data.audit.style import HABITS, habits
from kekule.data.molecule_files import read_molecules
from kekule.data.smiles import quiet
from kekule.data.standardisation import POLICIES, standardise_smiles

N = 240


@pytest.fixture(scope="module")
def library():
    """Molecules of a screening library, with and without aromatic rings."""
    lines = (Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi").read_text().splitlines()
    with quiet():
        mols = [Chem.MolFromSmiles(line.split()[0]) for line in lines[:800:2]]
    return [mol for mol in mols if mol is not None]


@pytest.fixture(scope="module")
def drugs(library):
    """SMILES of those with an aromatic ring, spelt by RDKit."""
    return [Chem.MolToSmiles(mol) for mol in library if has_aromatic_ring(mol)][:N]


@pytest.fixture(scope="module")
def facts(drugs):
    return facts_of([(smiles, smiles) for smiles in drugs])


@pytest.fixture
def coin():
    return np.random.default_rng(7).permutation(np.arange(N) % 3 == 0)


def looked_at(smiles, labels, facts=None, **columns):
    frame = pd.DataFrame({"smiles": smiles, **columns, "label": labels}).astype(str)
    table = read_molecules(frame, smiles="smiles", targets=["label"])
    if facts is None:
        rows = standardise_smiles(table.structures, POLICIES["parent"])
        facts = facts_of(list(zip(table.structures, rows.smiles, strict=True)))
    return LookedAt(table, np.arange(len(table)), list(smiles), facts)


def colours(seen):
    prefix = "shortcut: "
    return {f["name"].removeprefix(prefix): f["verdict"] for f in probe_findings(seen)}


def has_aromatic_ring(mol):
    return any(atom.GetIsAromatic() for atom in mol.GetAtoms())


def kekule(smiles):
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), kekuleSmiles=True)


def test_rows_sorted_by_label_are_red_and_the_same_rows_shuffled_are_green(drugs, facts, coin):
    assert colours(looked_at(drugs, np.sort(coin), facts))["row order"] == "red"
    assert colours(looked_at(drugs, coin, facts))["row order"] == "green"


def test_positives_written_in_kekule_form_turn_the_style_red_and_nothing_else(drugs, coin):
    written = [kekule(s) if positive else s for s, positive in zip(drugs, coin, strict=True)]
    found = colours(looked_at(written, coin))

    assert found.pop("writing style") == "red"
    assert "red" not in found.values()


@pytest.mark.parametrize("spelt", [lambda smiles: smiles, kekule])
def test_one_hand_for_all_rows_tells_nothing_even_of_rings_and_size(library, spelt):
    smiles = [spelt(Chem.MolToSmiles(mol)) for mol in library]
    aromatic = [has_aromatic_ring(mol) for mol in library]
    large = [mol.GetNumHeavyAtoms() > 15 for mol in library]
    facts = facts_of([(text, text) for text in smiles])

    assert 50 < sum(aromatic) < len(library) - 50
    assert colours(looked_at(smiles, aromatic, facts))["writing style"] == "green"
    assert colours(looked_at(smiles, large, facts))["writing style"] == "green"


def test_a_counter_ion_on_positives_turns_salt_and_charge_red(drugs, coin):
    salted = [
        f"{smiles}.[Na+].[Cl-]" if positive else smiles
        for smiles, positive in zip(drugs, coin, strict=True)
    ]
    assert colours(looked_at(salted, coin))["salt and charge"] == "red"


def test_nitro_groups_and_quaternary_ammonium_are_no_charge_state():
    plain = ["CCc1ccccc1", "CCC(C)c1ccccc1"] * (N // 4)
    nitro = ["CC[N+](=O)[O-]", "C[N+](C)(C)CCO"] * (N // 4)
    amines = ["CC[NH3+]", "CCC(=O)[O-]"] * (N // 4)
    labels = [0] * (N // 2) + [1] * (N // 2)

    assert colours(looked_at(plain + nitro, labels))["salt and charge"] == "green"
    assert colours(looked_at(plain + amines, labels))["salt and charge"] == "red"


def test_identifiers_in_the_order_of_the_label_are_red_though_rows_are_not(drugs, facts, coin):
    names = np.empty(N, dtype=object)
    names[np.argsort(coin, kind="stable")] = [f"a{k}" for k in range(1, N + 1)]
    found = colours(looked_at(drugs, coin, facts, name=names))

    assert found["identifier digits"] == "red"
    assert found["row order"] == "green"


def test_a_column_that_counts_the_rows_is_the_row_order_and_no_second_probe(drugs, facts, coin):
    seen = looked_at(drugs, np.sort(coin), facts, num=range(1, N + 1))
    found = {f["name"]: f for f in probe_findings(seen)}

    assert "'num'" in found["shortcut: row order"]["value"]
    assert found["shortcut: identifier digits"]["value"] == "not probed: no such column"


@pytest.mark.parametrize(
    ("name", "cells", "counts"),
    [
        ("chembl", "CHEMBL{}", True),
        ("cas", "50-{}-7", False),
        ("CID", "{}", True),
        ("canvasUID", "{}.0", True),
        ("IC50", "{}", False),
        ("pIC50", "{}.25", False),
        ("activity", "{} nM", False),
        ("name", "{}-methylphenol", False),
    ],
)
def test_only_names_are_read_and_never_results(drugs, facts, coin, name, cells, counts):
    numbers = np.random.default_rng(0).permutation(9 * N)[:N]
    seen = looked_at(drugs, coin, facts, **{name: [cells.format(n) for n in numbers]})

    assert identifiers(seen.table).names == ([name] if counts else [])


def test_names_that_occur_twice_are_groups_and_no_identifiers(drugs, facts, coin):
    seen = looked_at(drugs, coin, facts, plate=[f"P{k // 2}" for k in range(N)])
    assert identifiers(seen.table).names == []


def test_labels_dealt_at_random_turn_no_probe_red(drugs, facts):
    names = [f"X{k}" for k in np.random.default_rng(1).permutation(N)]
    for seed in range(20):
        labels = np.random.default_rng(seed).permutation(np.arange(N) % 4 == 0)
        found = colours(looked_at(drugs, labels, facts, id=names))
        assert "red" not in found.values(), (seed, found)


def test_new_names_for_the_classes_change_no_number(drugs, facts, coin):
    several = np.where(np.arange(N) % 5 == 0, 2, coin.astype(int))
    for labels, names in ((coin.astype(int), "yn"), (several, "cab")):
        renamed = [names[label] for label in labels]
        one, other = (probe_findings(looked_at(drugs, each, facts)) for each in (labels, renamed))
        assert [f["value"] for f in one] == [f["value"] for f in other]


def test_of_several_classes_a_sorted_one_is_found(drugs, facts):
    labels = np.sort(np.arange(N) % 3)
    assert colours(looked_at(drugs, labels, facts))["row order"] == "red"


def test_of_several_tasks_the_worst_is_told(drugs, facts, coin):
    frame = pd.DataFrame({"smiles": drugs, "fair": coin, "sorted": np.sort(coin)}).astype(str)
    table = read_molecules(frame, smiles="smiles", targets=["fair", "sorted"])
    order = probe_findings(LookedAt(table, np.arange(N), drugs, facts))[0]

    assert order["verdict"] == "red"
    assert "for sorted; 1 of 2 tasks foretold" in order["value"]
    assert [point["name"] for point in order["figure"]["points"]] == ["fair", "sorted"]


def test_too_few_rows_of_a_class_are_not_probed(drugs, facts):
    labels = np.arange(N) < 10
    found = probe_findings(looked_at(drugs, labels, facts))

    assert {f["value"] for f in found[:2]} == {"not probed: fewer than 20 rows of a class"}
    assert {f["verdict"] for f in found} == {"green"}


def test_length_and_stereo_are_amber_at_most(drugs, facts):
    length = facts.column("length")
    labels = length > np.median(length)
    assert colours(looked_at(drugs, labels, facts))["length"] == "amber"


def test_the_interval_covers_one_half_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(100):
        positive = rng.permutation(np.arange(150) % 3 == 0)
        seen = np.stack([rng.random(150) < 0.3, rng.integers(0, 4, 150)], axis=1).astype(float)
        auroc = foretold(seen, positive, seed=0)
        covered.append(auroc.low <= 0.5 <= auroc.high)

    assert 0.90 <= np.mean(covered) <= 0.99  # 95 of 100, give or take two


def test_ten_of_ten_right_is_no_proof_of_perfection():
    positive = np.arange(100) < 10
    auroc = pooled_auroc(positive.astype(float), positive, np.arange(100) % 5)

    assert auroc.value == auroc.high == 1.0
    assert 0.6 < auroc.low < 0.8


def test_a_perfect_and_an_inverted_score_are_one_and_none():
    positive = np.arange(100) % 2 == 0
    folds = np.arange(100) // 20
    assert pooled_auroc(positive.astype(float), positive, folds).value == 1.0
    assert pooled_auroc(-positive.astype(float), positive, folds).value == 0.0
    assert pooled_auroc(np.zeros(100), positive, folds)[:2] == (0.5, 0.5)


def test_a_task_of_one_class_has_no_auroc():
    assert foretold_labels(np.zeros((100, 1)), np.zeros(100, dtype=np.int64)) is None


@pytest.mark.parametrize(
    ("text", "habit", "expected"),
    [
        ("c1ccccc1", "aromatic atoms in lower case", 1.0),
        ("C1=CC=CC=C1", "aromatic atoms in lower case", 0.0),
        ("CCO", "aromatic atoms in lower case", None),
        ("c1cc[nH]c1", "brackets without need", 0.0),
        ("[CH3][CH2]O", "brackets without need", 2 / 3),
        ("C[C@H](N)O", "brackets without need", 0.0),
        ("[H]OC", "hydrogens written as atoms", 1.0),
        ("C1CC1C1CC1", "ring digits used again", 1.0),
        ("C1CC1C2CC2", "ring digits used again", 0.0),
        ("C1CC2CC1CC2", "ring digits used again", None),
        ("C%11CC%11C%12CC%12", "ring digits used again", 0.0),
        ("Cl.CCN", "longest part first", 0.0),
        ("CCN.Cl", "longest part first", 1.0),
        ("CN(=O)=O", "nitro groups without charges", 1.0),
        ("C[N+](=O)[O-]", "nitro groups without charges", 0.0),
        ("C1=CC=CC=C1", "length against RDKit's spelling", 1.0),
    ],
)
def test_a_habit_is_a_share_of_its_occasions(text, habit, expected):
    mol = Chem.MolFromSmiles(text)
    found = habits(text, mol, Chem.MolToSmiles(mol))[HABITS.index(habit)]

    assert np.isnan(found) if expected is None else found == pytest.approx(expected)
