import re
import time
from contextlib import contextmanager

import pandas as pd
import pytest
from pydantic import ValidationError
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data import read_molecule, standardisation_steps
from kekule.data.fragments import COMPANIONS, is_companion
from kekule.data.rows import INVALID, OK, WARNING
from kekule.data.smiles import quiet
from kekule.data.standardisation import (
    POLICIES,
    StandardisationPolicy,
    changes_table,
    policy_of,
    standardise_smiles,
)

ODD = [  # what files hold, from plain to hopeless
    *(
        "CCO",
        "[NH4+].[Cl-]",
        "CC(=O)[O-].[Na+]",
        "C[S](=O)C",
        "CN(=O)=O",
        "[2H]C([2H])O",
        "[13CH4]",
    ),
    *("[CH3:1][OH:2]", "CCO |$;;x$|", "[Na+].[Cl-]", "CC[Hg]CC", "CN.CCCO", "[H][H]", "[H+]"),
    *("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", "Oc1ccccn1", "C[N+](C)(C)CC(=O)[O-]", "C[C@H](N)C(=O)O"),
    *("F/C=C/F", "C[C@@H](O)[2H]", "[C-]#[O+]", "N[P](=O)=O", "[SbH6+3]", "CN=N#N", "C[N-][N+]#N"),
    *(
        "*CC",
        "C~C",
        "",
        " ",
        "C1CC",
        "c1cccc1",
        "C(C)(C)(C)(C)C",
        "C" * 1001,
        "not a molecule",
        "é",
    ),
]


def one(smiles, policy="parent"):
    rows = standardise_smiles([smiles], POLICIES[policy])
    return rows.smiles[0], rows.statuses[0], rows.steps[0]


@pytest.mark.parametrize(
    ("given", "output", "steps"),
    [
        ("CC(=O)[O-].[Na+]", "CC(=O)O", ("kept the largest organic fragment, removed [Na+]",)),
        ("CCN.Cl.Cl", "CCN", ("kept the largest organic fragment, removed Cl (× 2)",)),
        ("CCN.Cl.O", "CCN", ("kept the largest organic fragment, removed Cl and O",)),
        ("O=S(=O)([O-])O.[Mg+2]", "O=S(=O)(O)O", ("kept the largest fragment, removed [Mg+2]",)),
        ("C[NH3+]", "CN", ("neutralised",)),
        ("CS(=O)C", "C[S+](C)[O-]", ("normalised functional groups",)),
        ("[2H]C([2H])([2H])O", "CO", ("removed isotopes",)),
        ("C[C@H](O)[2H]", "CCO", ("removed isotopes",)),
        ("[CH3:1][OH:2]", "CO", ("removed atom numbers",)),
        ("OCC", "CCO", ()),
        ("C1=CC=CC=C1", "c1ccccc1", ()),
        ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]", ()),
        ("C[N+](=O)[O-]", "C[N+](=O)[O-]", ()),
    ],
)
def test_the_parent_is_what_is_left_and_the_steps_say_what_went(given, output, steps):
    smiles, status, taken = one(given)

    assert smiles == output
    assert taken[: len(steps)] == steps
    assert set(taken[len(steps) :]) <= {"neutralised"}
    assert status.status in {OK, WARNING}


def test_each_preset_changes_what_its_name_says():
    salt = "C[C@H](Cc1cnc[nH]1)[NH3+].[Cl-]"

    assert one(salt, "as-given")[0].count(".") == 1
    assert one(salt, "parent")[0] == "C[C@@H](N)Cc1cnc[nH]1"
    assert one(salt, "parent-flat")[0] == "CC(N)Cc1cnc[nH]1"
    assert one(salt, "parent-flat")[2][-1] == "removed stereo"
    assert one("OC1=CC=CC=N1", "parent-tautomer")[0] == "O=c1cccc[nH]1"
    assert one("OC1=CC=CC=N1", "parent-tautomer")[2] == ("canonical tautomer",)


def test_as_given_takes_no_step_at_all():
    rows = standardise_smiles(ODD, POLICIES["as-given"])
    assert rows.steps == [()] * len(ODD)


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("", "it is empty"),
        ("C1CC", "unclosed ring for input: 'C1CC'"),
        ("C(C)(C)(C)(C)C", "Explicit valence for atom # 0 C, 5, is greater than permitted"),
        ("C" * 1001, "it is too large: 1001 atoms, and at most 1000 are allowed"),
        ("*CC", "atom * stands for no element"),
        ("*CC |$_R1;;$|", "atom * stands for no element"),
        ("C~C", "bond ~ stands for no bond order"),
    ],
)
def test_an_invalid_row_says_why_in_a_chemists_words(smiles, reason):
    output, status, steps = one(smiles)

    assert (output, status.status, steps) == ("", INVALID, ())
    assert status.reason == reason


def test_a_reason_stays_short_however_large_the_molecule():
    rings = "c1cccc1" * 100
    assert len(one(rings)[1].reason) <= 200


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("CN.CCCCCCN", ""),
        ("CCCCCCN.OC(=O)C=CC(O)=O", ""),
        ("CCCCCCN.[O-]C(=O)C(O)C(O)C(O)=O", ""),
        ("CCCCCCN.CCCCCCN.OS(O)(=O)=O", ""),
        ("CCCCCCN.CCCCCCS", "mixture of 2 organic fragments; the larger was kept"),
        ("C[C@H](O)CCCN.C[C@@H](O)CCCN", "mixture of 2 organic fragments; the larger was kept"),
        ("CCCN.CCCS.CCCCO", "mixture of 3 organic fragments; the largest was kept"),
        ("Cc1ccccc1.CCCN", "mixture of 2 organic fragments; the larger was kept"),
        ("[Cu+2].[O-]S(=O)(=O)[O-]", "no carbon in it"),
        ("CC[Hg]CC", "contains the metal Hg"),
        ("C[Hg][Sn](C)C", "contains the metals Hg, Sn"),
        ("C[Si](C)(C)C", ""),
        ("OC(=O)C[n+]1ccccc1", ""),
        ("c1cc[cH-]c1.[Na+]", "RDKit failed to neutralise it; left as it was"),
    ],
)
def test_a_warning_is_given_where_a_chemist_might_have_chosen_otherwise(smiles, reason):
    output, status, _ = one(smiles)

    assert output
    assert status == ((WARNING, reason) if reason else (OK, ""))


def test_a_mixture_that_is_kept_whole_is_a_warning_and_a_salt_is_not():
    assert (
        one("CCCN.CCCS", "as-given")[1].reason == "mixture of 2 organic fragments; all were kept"
    )
    assert one("CCCN.Cl", "as-given")[1] == (OK, "")


def test_every_companion_is_a_molecule_and_is_known_by_any_of_its_forms():
    for smiles in [smiles for kind in COMPANIONS.values() for smiles in kind]:
        assert Chem.MolFromSmiles(smiles) is not None
        assert is_companion(smiles)
    assert is_companion("[O-]C(=O)[C@H](O)[C@@H](O)C([O-])=O")
    assert not is_companion("[Na+]")
    assert not is_companion("CCCCCCS")


@pytest.mark.parametrize("policy", POLICIES)
def test_standardising_what_is_standardised_changes_nothing(policy):
    once = standardise_smiles(ODD, POLICIES[policy])
    usable = [smiles for smiles in once.smiles if smiles]
    twice = standardise_smiles(usable, POLICIES[policy])

    assert len(usable) == len(ODD) - 10
    assert twice.smiles == usable
    assert not any(twice.steps)


def test_where_the_steps_run_in_a_circle_both_ends_come_to_the_same(monkeypatch):
    there_and_back = {"CCO": "CCN", "CCN": "CCO"}

    def swap(mol):
        other = Chem.MolFromSmiles(there_and_back[Chem.MolToSmiles(mol)])
        return standardisation_steps.Changed(other, "swapped")

    step = standardisation_steps.Step("swap", re.compile(""), swap)
    monkeypatch.setattr(standardisation_steps, "_steps", lambda policy: [step])

    assert one("CCO")[0] == one("CCN")[0] == "CCN"
    assert one("CCO")[2] == ("swapped",)
    assert one("CCN")[2] == ()


@pytest.mark.parametrize("smiles", ODD)
def test_a_row_alone_gets_what_it_gets_among_others(smiles):
    rows = standardise_smiles([*ODD, smiles, *ODD], POLICIES["parent"])
    assert one(smiles) == (rows.smiles[len(ODD)], rows.statuses[len(ODD)], rows.steps[len(ODD)])


def test_no_rows_give_no_rows():
    rows = standardise_smiles([], POLICIES["parent"], processes=2)
    assert (len(rows), len(changes_table([], rows))) == (0, 0)


def test_progress_is_told_up_to_the_last_row():
    told = []
    standardise_smiles(
        ["C"] * 5000, POLICIES["parent"], progress=lambda *given: told.append(given)
    )

    assert {what for what, _, _ in told} == {"standardising"}
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert told[-1][1:] == (5000, 5000)


def test_nothing_is_written_to_the_terminal(capfd):
    for policy in POLICIES.values():
        standardise_smiles([*ODD, *ODD], policy)
    assert capfd.readouterr() == ("", "")


def test_the_changes_list_those_that_were_changed_and_no_other():
    given = ["OCC", "CC(=O)[O-].[Na+]", "C1CC", "C[NH3+]"]
    changes = changes_table(given, standardise_smiles(given, POLICIES["parent"]))

    assert changes.to_dict("list") == {
        "row": [1, 3],
        "input": ["CC(=O)[O-].[Na+]", "C[NH3+]"],
        "output": ["CC(=O)O", "CN"],
        "steps": ["kept the largest organic fragment, removed [Na+]; neutralised", "neutralised"],
    }


@pytest.mark.parametrize(
    ("smiles", "status"),
    [
        ("C" + "S(=O)C" * 300, WARNING),
        ("C" + "C(N=C[N+](C)=C)" * 120, WARNING),
        ("C" + "C([NH3+])C(C(=O)[O-])" * 150, OK),
        (".".join(["[Na+]", "[Cl-]"] * 499), WARNING),
        ("C" * 19_999, INVALID),
        ("C(" * 6_600 + "C" + ")" * 6_600, INVALID),
    ],
)
def test_a_polymer_is_done_in_seconds(smiles, status):
    with _within(20):
        assert one(smiles)[1].status == status


def test_a_net_of_fused_rings_is_refused_before_rdkit_tries_all_its_sets():
    with _within(10):
        _, status, _ = one(_honeycomb(13, 14))
        with pytest.raises(MoleculeError, match="72 rings fused into one"):
            read_molecule(_honeycomb(13, 14))
    assert status == (INVALID, "it has 72 rings fused into one, and at most 40 are read")


def test_small_nets_and_long_chains_of_rings_are_read():
    assert one(_honeycomb(4, 6))[0].count("N") == 24
    assert one("c1ccc(cc1)" * 60 + "C")[1].status == OK


@pytest.mark.parametrize("policy", POLICIES)
def test_on_real_sets_neither_spelling_nor_atom_order_changes_the_result(data_root, policy):
    every = 150 if policy == "parent-tautomer" else 20
    _hold_that_only_the_molecule_counts(data_root, POLICIES[policy], "BBBP", every=every)
    _hold_that_only_the_molecule_counts(data_root, POLICIES[policy], "clintox", every=every)


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_of_every_row_of_them(data_root, policy):
    for name in ("BBBP", "clintox", "BACE"):
        _hold_that_only_the_molecule_counts(data_root, POLICIES[policy], name)


def test_steps_that_are_skipped_by_a_look_at_the_text_would_have_changed_nothing(
    data_root, monkeypatch
):
    given = _column(data_root, "BBBP")[::15] + _column(data_root, "clintox")[::15]
    _hold_that_nothing_is_missed(given, monkeypatch)


def test_the_rows_of_clintox_that_cannot_be_read_are_the_known_ones(data_root):
    _hold_that_these_are_invalid(data_root, "clintox", 4)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "invalid"), [("BBBP", 11), ("tox21", 8), ("BACE", 0)])
def test_the_rows_of_a_real_set_that_cannot_be_read_are_the_known_ones(data_root, name, invalid):
    _hold_that_these_are_invalid(data_root, name, invalid)


@pytest.mark.slow
def test_hiv_is_standardised_in_a_minute_and_no_step_is_missed_on_it(data_root, monkeypatch):
    given = _column(data_root, "HIV")
    with _within(60):
        rows = standardise_smiles(given, POLICIES["parent"], processes=2)
    usable = [smiles for smiles in rows.smiles if smiles]

    assert len(given) - len(usable) == 7
    assert standardise_smiles(usable, POLICIES["parent"], processes=2).smiles == usable
    _hold_that_nothing_is_missed(given, monkeypatch)


def test_a_policy_is_found_by_its_name_or_by_its_fields():
    assert policy_of("as-given") is POLICIES["as-given"]
    assert policy_of({"stereo": "drop"}) == POLICIES["parent-flat"]
    assert policy_of({}) == policy_of(POLICIES["parent"]) == StandardisationPolicy()


def test_a_policy_goes_through_a_recipe_and_back():
    for policy in [*POLICIES.values(), policy_of({"name": "mine", "tautomer": True})]:
        assert policy_of(policy.model_dump()) == policy


def test_a_changed_policy_does_not_keep_the_name_of_the_one_it_was():
    assert policy_of({"name": "parent", "isotopes": "keep"}).name == "custom"
    assert policy_of({"name": "parent", "stereo": "drop"}).name == "parent-flat"
    changed = policy_of({"name": "as-given", "isotopes": "drop"})
    assert (changed.name, changed.fragment, changed.isotopes) == ("custom", "keep", "drop")


def test_an_unknown_policy_is_refused_with_the_nearest_name_first():
    with pytest.raises(ValueError, match=r"'parnet'; choose parent, .* or as-given$"):
        policy_of("parnet")
    with pytest.raises(ValueError, match="a name or fields, not 3"):
        policy_of(3)
    with pytest.raises(ValidationError, match="stero"):
        policy_of({"stero": "drop"})


def test_every_field_of_a_policy_says_what_it_does():
    fields = StandardisationPolicy.model_fields
    assert [name for name, field in fields.items() if not field.description] == []


def _hold_that_nothing_is_missed(given, monkeypatch):
    """Take every step on every molecule, and compare with those taken where there is a mark."""
    rows = standardise_smiles(given, POLICIES["parent"])
    marked = standardisation_steps._steps

    def everywhere(policy):
        return [step._replace(mark=re.compile("")) for step in marked(policy)]

    monkeypatch.setattr(standardisation_steps, "_steps", everywhere)
    forced = standardise_smiles(given, POLICIES["parent"])

    assert forced.smiles == rows.smiles
    assert forced.steps == rows.steps


def _hold_that_these_are_invalid(root, name, invalid):
    rows = standardise_smiles(_column(root, name), POLICIES["parent"])

    assert sum(status.status == INVALID for status in rows.statuses) == invalid
    for smiles, status in zip(rows.smiles, rows.statuses, strict=True):
        assert bool(smiles) == (status.status != INVALID)
        assert bool(status.reason) == (status.status != OK)


def _hold_that_only_the_molecule_counts(root, policy, name, *, every=1):
    """Standardise a set as it is, with other atoms first, and once more."""
    with quiet():
        mols = [Chem.MolFromSmiles(smiles) for smiles in _column(root, name)[::every]]
        mols = [mol for mol in mols if mol is not None]
        given = [Chem.MolToSmiles(mol) for mol in mols]
        respelt = [
            Chem.MolToRandomSmilesVect(mol, 1, randomSeed=k + 1)[0] for k, mol in enumerate(mols)
        ]
    assert sum(a != b for a, b in zip(given, respelt, strict=True)) > len(given) / 2
    rows = standardise_smiles(given, policy)
    twice = standardise_smiles(rows.smiles, policy)

    assert vars(standardise_smiles(respelt, policy)) == vars(rows)
    assert twice.smiles == rows.smiles
    assert not any(twice.steps)


def _column(root, name):
    table = pd.read_csv(root / "moleculenet" / f"{name}.csv")
    return table["smiles" if "smiles" in table else "mol"].tolist()


def _honeycomb(height, width):
    """SMILES of six-membered rings of nitrogen, like bricks in a wall."""
    mol = Chem.RWMol()
    for _ in range(height * width):
        mol.AddAtom(Chem.Atom(7))
    for k in range(height * width):
        row, column = divmod(k, width)
        if column + 1 < width:
            mol.AddBond(k, k + 1, Chem.BondType.SINGLE)
        if row + 1 < height and (row + column) % 2 == 0:
            mol.AddBond(k, k + width, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(mol, canonical=False)


@contextmanager
def _within(seconds):
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds
