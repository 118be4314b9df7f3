"""What a model was never taught is named, and nothing else is."""

import pytest

from kekule.features import molecule_graphs, pack, schema_of, seen_codes, unseen

TAUGHT = ["CCO", "c1ccccc1N", "CC(=O)O"]


@pytest.fixture(scope="module")
def seen():
    return seen_codes(molecule_graphs(TAUGHT).graphs)


def test_training_molecules_hold_nothing_new(seen):
    assert unseen(molecule_graphs(TAUGHT[::-1]).graphs, seen) == ["", "", ""]


@pytest.mark.parametrize(
    ("smiles", "words"),
    [
        ("C[Si](C)(C)C", "the element Si"),
        ("CC#N", "a triple bond"),
        ("[O-]CC", "an atom of charge -1"),
        ("C1CC1", "a ring of 3 atoms"),
        ("F/C=C/F", "the element F"),
    ],
)
def test_what_is_new_in_a_molecule_is_named_at_its_row(seen, smiles, words):
    before, told, after = unseen(molecule_graphs(["CCO", smiles, "CCO"]).graphs, seen)

    assert before == after == ""
    assert words in told


def test_an_invalid_row_and_an_older_bundle_say_nothing(seen):
    assert unseen(molecule_graphs(["nonsense"]).graphs, seen) == [""]
    assert unseen(molecule_graphs(["C[Si](C)(C)C"]).graphs, {}) == [""]


def test_a_graph_set_has_seen_every_code_of_its_schema(mutag):
    graphs = pack(mutag, schema_of(mutag))

    assert not any(unseen(graphs, seen_codes(graphs)))
