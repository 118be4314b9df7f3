import pandas as pd
import pytest
from rdkit import Chem

from kekule.data.identity import MAX_ATOMS, identities, inchikey, stereo_free
from kekule.data.smiles import quiet

LACTIC = ("C[C@H](O)C(=O)O", "C[C@@H](O)C(=O)O", "CC(O)C(=O)O")


def test_stereoisomers_share_the_flat_form_and_not_the_key():
    known = identities(LACTIC)

    assert set(known.flat) == {"CC(O)C(=O)O"}
    assert len(set(known.inchikey)) == 3


def test_double_bond_stereo_is_no_part_of_the_flat_form():
    assert stereo_free("OC(=O)/C=C/C(=O)O") == stereo_free(r"OC(=O)/C=C\C(=O)O")


def test_isotopes_and_charges_are_part_of_the_flat_form():
    assert len({stereo_free(s) for s in ("C[C@H](N)O", "[13CH3]C(N)O", "CC([NH3+])O")}) == 3


def test_tautomers_inchi_knows_of_share_a_key():
    assert inchikey("Oc1ccccn1") == inchikey("O=c1cccc[nH]1") == "UBQKCCHYAOITMY-UHFFFAOYSA-N"


def test_what_inchi_has_no_key_for_is_known_by_its_own_smiles():
    known = identities(["C~C", "C~N"])
    assert known.inchikey == ["C~C", "C~N"]


def test_neither_an_empty_text_nor_an_unreadable_one_is_a_molecule():
    known = identities(["", "C1CC", "C" * (MAX_ATOMS + 1), "CCO"])

    assert known.flat == ["", "", "", "CCO"]
    assert known.inchikey[:3] == ["", "", ""]
    assert known.inchikey[3]


def test_no_molecules_have_no_identities_in_any_number_of_processes():
    for processes in (1, 2):
        assert len(identities([], processes=processes)) == 0


def test_nothing_is_written_to_the_terminal(capfd):
    identities(["C1CC", "C~C", "[H][H]", "*"])
    assert capfd.readouterr() == ("", "")


def test_progress_is_told_up_to_the_last_molecule():
    told = []
    identities(LACTIC * 2000, progress=lambda *given: told.append(given))

    assert [what for what, _, _ in told] == ["identifying"] * len(told)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1:] == (6000, 6000)


@pytest.mark.parametrize(
    "every", [8, pytest.param(1, marks=pytest.mark.slow, id="slow: all, in two processes")]
)
def test_on_a_real_set_neither_atom_order_nor_processes_change_an_identity(data_root, every):
    texts = pd.read_csv(data_root / "moleculenet" / "BBBP.csv").smiles[::every]
    with quiet():
        mols = [mol for mol in map(Chem.MolFromSmiles, texts) if mol is not None]
        given = [Chem.MolToSmiles(mol) for mol in mols]
        moved = [Chem.MolToRandomSmilesVect(mol, 1, randomSeed=7)[0] for mol in mols]
    known, again = identities(given), identities(moved, processes=2)

    assert moved != given
    assert again.flat == known.flat
    assert again.inchikey == known.inchikey
    assert identities(known.flat).flat == known.flat


@pytest.mark.parametrize("smiles", LACTIC)
def test_one_molecule_has_the_identity_it_has_among_others(smiles):
    known = identities([*LACTIC, smiles])
    assert (inchikey(smiles), stereo_free(smiles)) == (known.inchikey[-1], known.flat[-1])
