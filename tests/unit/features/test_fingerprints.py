"""Every fingerprint of the family, held to one contract."""

import csv
import itertools
import pickle
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from pydantic import ValidationError
from rdkit import Chem
from rdkit.Chem import Descriptors, rdFingerprintGenerator, rdMolDescriptors

from kekule.data.identity import MAX_ATOMS
from kekule.data.rows import INVALID, OK
from kekule.features.fingerprints import (
    FINGERPRINTS,
    Fingerprint,
    UnknownFingerprintError,
    fingerprints,
)
from kekule.features.fingerprints.atom_pair import AtomPairSettings, atom_pair
from kekule.features.fingerprints.avalon import AvalonSettings, avalon
from kekule.features.fingerprints.descriptors import MOST_ATOMS_OF_IPC
from kekule.features.fingerprints.erg import ErGSettings, erg
from kekule.features.fingerprints.morgan import MorganSettings, ecfp

STATED = {
    "ecfp": (2048, np.uint8),
    "fcfp": (2048, np.uint8),
    "avalon": (1024, np.uint16),
    "atom-pair": (2048, np.uint16),
    "maccs": (166, np.uint8),
    "erg": (315, np.float32),
    "rdkit-descriptors": (len(Descriptors._descList), np.float32),
}
DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C)C(=O)N2C",
    "C[C@H](N)C(=O)O",
    "F/C=C/F",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "OCC1OC(OC2C(CO)OC(O)C(O)C2O)C(O)C(O)C1O",
    "O=C1N(Cc2ccccc2)C(=O)c2ccccc12",
]
ODD = {
    "a salt": "[Na+].[O-]C(=O)c1ccccc1",
    "a lone atom": "[He]",
    "a lone metal": "[U]",
    "hydrogen": "[H][H]",
    "a proton": "[H+]",
    "heavy water": "[2H]O[2H]",
    "a complex": "N[Pt](N)(Cl)Cl",
    "a dative bond": "CC(C)(C)P(->[Pd])(C(C)(C)C)C(C)(C)C",
    "ferrocene": "[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1",
    "a radical": "C[CH2]",
    "a carbene": "[CH2]",
    "a cage": "C12C3C4C1C5C2C3C45",
    "a cyclodextrin": "OCC1OC2OC3C(CO)OC(OC4C(CO)OC(OC5C(CO)OC(OC6C(CO)OC(OC7C(CO)OC(OC8C(CO)"
    "OC(OC1C(O)C2O)C(O)C8O)C(O)C7O)C(O)C6O)C(O)C5O)C(O)C4O)C(O)C3O",
    "a huge ring": "C1" + "C" * 98 + "1",
    "a long chain": "C" * 300,
    "many pieces": ".".join(["[Na+].[Cl-]"] * 40),
    "a dummy": "*c1ccccc1",
    "any bond": "C~C",
    "charges": "[O-][Cl+3]([O-])([O-])[O-].[K+]",
    "a heavy element": "[Og]",
    "no carbon": "O=S(=O)(O)O",
}
BAD = {"C(C)(C)(C)(C)C": "valence", "no molecule": "", "": "empty", "c1ccccc": "unclosed ring"}
ALL = [*DRUGS, *ODD.values()]


@cache
def rows_of(name):
    """Rows of all the molecules above, computed once."""
    return fingerprints(ALL, [name]).values[name]


def by_another_hand(smiles, seed):
    """The same molecule with its atoms written in another order."""
    mol = Chem.MolFromSmiles(smiles)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
    return Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)


@pytest.fixture(scope="module")
def hiv(data_root):
    """Some hundred screened molecules, with metals and macrocycles among them."""
    with (data_root / "moleculenet" / "HIV.csv").open(newline="") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file)]
    return smiles[:: len(smiles) // 150]


def test_the_family_is_the_stated_one():
    assert list(FINGERPRINTS) == list(STATED)


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_member_says_what_it_is_and_when_not_to_use_it(name):
    member = FINGERPRINTS[name]

    assert member.name == name
    assert (member.width, member.dtype) == STATED[name]
    assert len(set(member.columns)) == member.width
    assert member.reference.split()[-1].startswith("https://doi.org/")
    assert member.use != member.avoid
    assert all(text.endswith(".") and "\n" not in text for text in (member.use, member.avoid))


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_rows_have_the_stated_width_and_dtype(name):
    table = fingerprints(DRUGS, [name])

    assert list(table.values) == list(table.columns) == [name]
    assert table.values[name].shape == (len(DRUGS), STATED[name][0])
    assert table.values[name].dtype == STATED[name][1]
    assert table.columns[name] == FINGERPRINTS[name].columns
    assert len(table) == len(DRUGS)


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_renumbering_atoms_changes_nothing(name):
    sound = [text for text in ALL if text]
    moved = [by_another_hand(smiles, seed=k) for k, smiles in enumerate(sound)]

    assert sum(a != b for a, b in zip(sound, moved, strict=True)) > len(sound) / 2
    np.testing.assert_array_equal(fingerprints(moved, [name]).values[name], rows_of(name))


@pytest.mark.parametrize("name", [n for n in FINGERPRINTS if n != "rdkit-descriptors"])
def test_renumbering_atoms_of_screened_molecules_changes_nothing(name, hiv):
    moved = [by_another_hand(smiles, seed=k) for k, smiles in enumerate(hiv)]

    np.testing.assert_array_equal(
        fingerprints(moved, [name]).values[name], fingerprints(hiv, [name]).values[name]
    )


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_molecule_alone_is_that_molecule_in_company(name):
    for row, smiles in enumerate(DRUGS):
        alone = fingerprints([smiles], [name]).values[name]
        np.testing.assert_array_equal(alone, rows_of(name)[row : row + 1])


def test_a_fingerprint_is_the_same_whichever_others_are_asked_for():
    together = fingerprints(ALL, list(FINGERPRINTS))
    backwards = fingerprints(ALL, list(FINGERPRINTS)[::-1])

    for name in FINGERPRINTS:
        np.testing.assert_array_equal(together.values[name], rows_of(name))
        np.testing.assert_array_equal(backwards.values[name], rows_of(name))


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_row_that_cannot_be_read_keeps_its_place_and_has_its_reason(name):
    given = [DRUGS[0], *BAD, DRUGS[1]]
    table = fingerprints(given, [name])

    assert [status.status for status in table.statuses] == [OK, *[INVALID] * len(BAD), OK]
    for status, part in zip(table.statuses[1:-1], BAD.values(), strict=True):
        assert status.reason
        assert part in status.reason
    bad = table.values[name][1:-1]
    assert np.isnan(bad).all() if bad.dtype == np.float32 else not bad.any()
    np.testing.assert_array_equal(table.values[name][[0, -1]], rows_of(name)[:2])


def test_a_molecule_with_too_many_atoms_is_invalid_and_one_with_as_many_is_not():
    largest, too_large = "C" * MAX_ATOMS, "C" * (MAX_ATOMS + 1)
    table = fingerprints([largest, too_large], ["ecfp", "maccs"])

    assert [status.status for status in table.statuses] == [OK, INVALID]
    assert f"{MAX_ATOMS + 1} atoms, and at most {MAX_ATOMS}" in table.statuses[1].reason


@pytest.mark.parametrize("case", ODD)
def test_an_odd_molecule_has_a_row_of_each(case):
    table = fingerprints([ODD[case]], list(FINGERPRINTS))

    assert table.statuses[0].status == OK
    assert not np.isnan(table.values["erg"]).any()
    finite = np.isfinite(table.values["rdkit-descriptors"])
    assert finite.mean() > 0.5
    assert not np.isinf(table.values["rdkit-descriptors"]).any()


def test_what_rdkit_fails_at_is_a_reason_and_not_an_error():
    def fail(mol):
        raise RuntimeError("Invariant Violation\n\tsomewhere in Code/Graph.cpp")

    broken = Fingerprint("broken", ("a",), np.uint8, fail, "", "", "", ecfp().settings)
    table = fingerprints(DRUGS[:2], ["ecfp", broken])

    assert {status.status for status in table.statuses} == {INVALID}
    assert table.statuses[0].reason == "RDKit has no broken of it: Invariant Violation"
    assert not table.values["ecfp"].any()


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_different_molecules_differ(name):
    pairs = itertools.combinations(range(len(DRUGS)), 2)
    rows = rows_of(name)
    assert not any(np.array_equal(rows[a], rows[b], equal_nan=True) for a, b in pairs)


def test_two_processes_give_what_one_gives():
    given = [*DRUGS, *BAD] * 3
    names = list(FINGERPRINTS)
    one, two = fingerprints(given, names), fingerprints(given, names, processes=2)

    assert two.statuses == one.statuses
    for name in names:
        np.testing.assert_array_equal(two.values[name], one.values[name])


def test_progress_runs_up_to_the_number_of_rows():
    seen = []
    fingerprints(DRUGS * 100, ["ecfp"], progress=lambda *now: seen.append(now))

    assert [what for what, _, _ in seen] == ["fingerprints"] * len(seen)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1:] == (700, 700)
    assert len(seen) > 1


def test_no_molecules_are_a_table_without_rows():
    table = fingerprints([], list(FINGERPRINTS))

    assert table.statuses == []
    assert {name: values.shape for name, values in table.values.items()} == {
        name: (0, width) for name, (width, _) in STATED.items()
    }


def test_a_fingerprint_there_is_not_comes_with_the_nearest():
    with pytest.raises(
        UnknownFingerprintError, match=r"'ecpf'\. Did you mean ecfp\? There are ecfp, "
    ):
        fingerprints(DRUGS, ["maccs", "ecpf"])
    with pytest.raises(UnknownFingerprintError, match=r"'zzz'\. There are ecfp, fcfp"):
        fingerprints(DRUGS, ["zzz"])


@pytest.mark.parametrize(("name", "features", "radius"), [("ecfp", False, 2), ("fcfp", True, 2)])
def test_circular_counts_are_rdkits_own(hiv, name, features, radius):
    roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen() if features else None
    generator = rdFingerprintGenerator.GetMorganGenerator(
        radius=radius, fpSize=2048, atomInvariantsGenerator=roles
    )
    table = fingerprints(hiv, [name])

    for row, smiles in enumerate(hiv):
        counts = np.zeros(2048, dtype=np.int64)
        found = generator.GetCountFingerprint(Chem.MolFromSmiles(smiles)).GetNonzeroElements()
        for column, count in found.items():
            counts[column] = count
        np.testing.assert_array_equal(table.values[name][row], counts)


def test_maccs_columns_are_the_keys_of_their_number(hiv):
    table = fingerprints(hiv, ["maccs"])

    for row, smiles in enumerate(hiv):
        mol = Chem.MolFromSmiles(smiles)
        keys = {f"maccs-{k}" for k in rdMolDescriptors.GetMACCSKeysFingerprint(mol).GetOnBits()}
        on = np.flatnonzero(table.values["maccs"][row])
        assert {table.columns["maccs"][k] for k in on} == keys


def test_descriptors_are_rdkits_own_of_the_canonical_molecule(hiv):
    table = fingerprints(hiv[::5], ["rdkit-descriptors"])
    columns = table.columns["rdkit-descriptors"]

    for row, smiles in enumerate(hiv[::5]):
        mol = Chem.MolFromSmiles(Chem.CanonSmiles(smiles))
        with np.errstate(all="ignore"):
            wanted = Descriptors.CalcMolDescriptors(mol, missingVal=np.nan)
            wanted["LogIpc"] = np.log1p(wanted["Ipc"])
        if mol.GetNumAtoms() > MOST_ATOMS_OF_IPC:
            wanted["LogIpc"] = wanted["AvgIpc"] = np.nan
        expected = np.array([wanted[name] for name in columns], dtype=np.float64)
        expected[~np.isfinite(expected)] = np.nan
        np.testing.assert_allclose(
            table.values["rdkit-descriptors"][row], expected, rtol=1e-5, atol=1e-30
        )


def test_descriptors_go_by_rdkits_names_but_for_one():
    names = [name for name, _ in Descriptors._descList]
    columns = FINGERPRINTS["rdkit-descriptors"].columns

    assert [("Ipc" if c == "LogIpc" else c) for c in columns] == names


def test_the_information_of_a_chain_is_that_of_its_matchings_and_none_above_the_limit():
    column = FINGERPRINTS["rdkit-descriptors"].columns.index("LogIpc")
    sizes = [2, 5, MOST_ATOMS_OF_IPC, MOST_ATOMS_OF_IPC + 1]
    found = fingerprints(["C" * n for n in sizes], ["rdkit-descriptors"])
    values = found.values["rdkit-descriptors"][:, column]

    for n, value in zip(sizes[:-1], values, strict=False):
        ways = np.array([_binomial(n - k, k) for k in range(n // 2 + 1)], dtype=np.float64)
        shares = ways / ways.sum()
        content = -ways.sum() * (shares * np.log2(shares)).sum()
        np.testing.assert_allclose(value, np.log1p(content), rtol=1e-5)
    assert np.isnan(values[-1])


def _binomial(n, k):
    """Choose k of n; for n - k atoms, the ways to lay k apart bonds on a chain of n atoms."""
    return 1 if k == 0 else _binomial(n - 1, k - 1) * n // k


def test_an_overflow_is_cut_to_what_the_type_holds():
    table = fingerprints(["C" * 400], ["ecfp"])
    whole = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    counts = whole.GetCountFingerprintAsNumPy(Chem.MolFromSmiles("C" * 400))

    assert counts.max() > 255
    np.testing.assert_array_equal(table.values["ecfp"][0], np.minimum(counts, 255))


@pytest.mark.parametrize(
    ("smiles", "peak"),
    [
        ("OCCCCCCO", "erg-donor-donor-7"),
        ("CC(=O)CCCCC(C)=O", "erg-acceptor-acceptor-7"),
        ("C[N+](C)(C)CCCCC[N+](C)(C)C", "erg-positive-positive-6"),
        ("CC(C)CCCCC(C)C", "erg-hydrophobic-hydrophobic-5"),
        ("c1ccccc1CCCCCc1ccccc1", "erg-aromatic-aromatic-8"),
        ("CC(=O)CCCCc1ccccc1", "erg-acceptor-aromatic-7"),
        ("C[N+](C)(C)CCCCC(=O)[O-]", "erg-positive-negative-5"),
    ],
)
def test_a_column_of_erg_is_the_pair_it_is_named_after(smiles, peak):
    table = fingerprints([smiles], ["erg"])
    row = dict(zip(table.columns["erg"], table.values["erg"][0].tolist(), strict=True))
    *pair, distance = peak.rsplit("-", 1)

    assert row[peak] >= 1
    assert row[f"{pair[0]}-{int(distance) + 3}"] == 0
    assert sum(value >= 1 for name, value in row.items() if name.startswith(pair[0])) == 1


def test_settings_change_the_fingerprint_and_may_stand_for_a_name():
    small = ecfp(MorganSettings(width=256, radius=1, stereo=True))
    table = fingerprints(["C[C@H](N)O", "C[C@@H](N)O"], [small, "maccs"])

    assert table.values["ecfp"].shape == (2, 256)
    assert not np.array_equal(*table.values["ecfp"])
    assert np.array_equal(*table.values["maccs"])
    assert erg(ErGSettings(longest=5)).width == 21 * 5
    assert fingerprints(["CCO"], [avalon(AvalonSettings(width=64))]).values["avalon"].shape == (
        1,
        64,
    )
    short = fingerprints(["C" * 20], [atom_pair(AtomPairSettings(longest=1))])
    assert short.values["atom-pair"].sum() == 19


def test_settings_cannot_be_mistyped_or_changed():
    with pytest.raises(ValidationError, match="radios"):
        MorganSettings(radios=3)
    with pytest.raises(ValidationError, match="frozen"):
        ecfp().settings.radius = 3
    with pytest.raises(ValidationError, match="less than or equal to 6"):
        MorganSettings(radius=60)


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_member_can_be_sent_to_another_process(name):
    again = pickle.loads(pickle.dumps(FINGERPRINTS[name]))  # noqa: S301
    mol = Chem.MolFromSmiles("CCO")

    np.testing.assert_array_equal(again.compute(mol), FINGERPRINTS[name].compute(mol))


def test_nothing_reaches_the_terminal():
    code = (
        "import sys; from kekule.features.fingerprints import *;"
        "t = fingerprints(sys.argv[1:], list(FINGERPRINTS)); assert len(t) == len(sys.argv) - 1"
    )
    command = [sys.executable, "-W", "always", "-c", code, *ALL, *BAD, "C" * 1200]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("", "")
