import logging
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data import read_molecule
from kekule.data.smiles import LONGEST, quiet

ALPHABET = "CNOSPFclnos[]()=#+-@/\\%123456789.HBrI *:$~&>|\t\x00é\ud800"


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("C(C)(C)(C)(C)C", "Explicit valence for atom # 0 C, 5, is greater than permitted"),
        ("c1cccc1", "Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4"),
        ("C1CC", "unclosed ring for input: 'C1CC'"),
        ("CC(", "syntax error while parsing: CC(; check for mistakes around position 3"),
        ("not a molecule", "syntax error while parsing: not; check for mistakes around position"),
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("CCO ethanol", "after the SMILES comes a blank and 'ethanol'"),
        ("CCO |nonsense|", "after the SMILES comes a blank and '|nonsense|'"),
        ("C\x00C", r"no SMILES has the character '\x00'"),
        ("C\ud800", r"no SMILES has the character '\ud800'"),
        ("Cé", "no SMILES has the character 'é'"),
        ("C" * (LONGEST + 1), f"it has {LONGEST + 1} characters, and at most {LONGEST} are read"),
        ("|$$|", ""),
    ],
)
def test_an_unreadable_text_is_refused_with_rdkits_reason_or_a_plain_one(smiles, reason):
    with pytest.raises(MoleculeError) as caught:
        read_molecule(smiles, source="assay.csv", row=7)
    assert caught.value.why.startswith(reason)
    assert str(caught.value).startswith("assay.csv, row 7: cannot read ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_nothing_is_written_to_the_terminal(capfd):
    for smiles in ("CC(", "c1cccc1", "C(C)(C)(C)(C)C", "[H]", "C1CC", "[C@@H](C)(C)C"):
        try:
            read_molecule(smiles)
        except MoleculeError as error:
            assert error.why  # noqa: PT017 - what matters is the silence below

    assert capfd.readouterr() == ("", "")


def test_rdkit_speaks_to_the_terminal_again_afterwards(capfd):
    with pytest.raises(MoleculeError):
        read_molecule("CC(")
    Chem.MolFromSmiles("CC(")

    assert "SMILES Parse Error" in capfd.readouterr().err


def test_the_python_logger_of_rdkit_is_left_as_it_was():
    logger = logging.getLogger("rdkit")
    before = (list(logger.handlers), list(logger.filters), logger.level)
    with pytest.raises(MoleculeError):
        read_molecule("CC(")

    assert (logger.handlers, logger.filters, logger.level) == before


def test_each_thread_gets_the_reason_of_its_own_text():
    wrong = []

    def read(k):
        for _ in range(50):
            try:
                read_molecule(f"C{'C' * k}(")
            except MoleculeError as error:
                if f"C{'C' * k}(;" not in error.why:
                    wrong.append(error.why)

    threads = [threading.Thread(target=read, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_blanks_around_a_smiles_do_not_matter():
    assert Chem.MolToSmiles(read_molecule("  CCO\n")) == "CCO"


def test_a_chemaxon_extension_is_read():
    assert read_molecule("CCO |$;;x$|").GetAtomWithIdx(2).GetProp("atomLabel") == "x"


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET, max_size=25))
def test_whatever_the_text_the_answer_is_a_molecule_or_an_error_of_ours(text):
    try:
        mol = read_molecule(text)
    except MoleculeError as error:
        assert error.why  # noqa: PT017 - either end is right, no other is
    else:
        assert mol.GetNumAtoms() > 0
        Chem.SanitizeMol(mol)


def test_an_unreadable_smiles_inside_a_silence_does_not_end_it(capfd):
    with quiet():
        with pytest.raises(MoleculeError):
            read_molecule("not a molecule")
        Chem.MolFromSmiles("C(C)(C)(C)(C)C")
    silent = capfd.readouterr().err
    Chem.MolFromSmiles("C(C)(C)(C)(C)C")

    assert silent == ""
    assert "valence" in capfd.readouterr().err  # and afterwards RDKit speaks as before
