from itertools import permutations

import numpy as np
import pytest
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data import (
    INVALID,
    OK,
    WARNING,
    MoleculeAlphabet,
    RowStatus,
    graphs_from_molecules,
    graphs_from_smiles,
    molecule_from_graph,
    read_molecule,
    read_tu,
)

BROKEN = [82, 187]  # graphs 83 and 188, from 1: a carbon with five shares
WIDE = MoleculeAlphabet(
    dict(enumerate(["C", "N", "O", "S", "Na", "Cl", "H"])),
    {1: "single", 2: "double", 3: "triple", 4: "aromatic"},
)


@pytest.fixture(scope="module")
def rebuilt(mutag):
    """Molecule of each graph of MUTAG that is one, by row."""
    return {row: molecule_from_graph(mutag, row) for row in range(len(mutag)) if row not in BROKEN}


@pytest.mark.parametrize("row", BROKEN)
def test_a_graph_with_a_five_valent_carbon_is_refused_with_rdkits_reason(mutag, row):
    message = rf"row {row}: .*Explicit valence for atom # 10 C, 5, is greater than permitted\."

    with pytest.raises(MoleculeError, match=message):
        molecule_from_graph(mutag, row)


def test_smiles_of_the_other_186_give_back_the_very_graphs(mutag, rebuilt):
    smiles = [Chem.MolToSmiles(mol) for mol in rebuilt.values()]
    graphs, statuses, _ = graphs_from_smiles(smiles, mutag.alphabet)

    assert len(smiles) == 186
    assert set(statuses) == {RowStatus(OK, "")}
    for k, (row, mol) in enumerate(rebuilt.items()):
        written = np.array(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        graph, original = graphs.graph(k), mutag.graph(row)
        np.testing.assert_array_equal(graph.node_labels, original.node_labels[written])
        assert edges(graph, names=written) == edges(original)


def test_atoms_of_a_rebuilt_molecule_are_the_nodes_in_order(mutag, rebuilt):
    mols = list(rebuilt.values())
    graphs = graphs_from_molecules(mols, mutag.alphabet)

    for k, row in enumerate(rebuilt):
        np.testing.assert_array_equal(graphs.graph(k).node_labels, mutag.graph(row).node_labels)
        assert edges(graphs.graph(k)) == edges(mutag.graph(row))


@pytest.mark.parametrize("seed", range(3))
def test_however_a_molecule_is_written_its_graph_is_the_same(mutag, rebuilt, seed):
    rng = np.random.default_rng(seed)
    for row, mol in rebuilt.items():
        order = rng.permutation(mol.GetNumAtoms())
        moved = Chem.RenumberAtoms(mol, order.tolist())
        smiles = Chem.MolToSmiles(moved, canonical=False, kekuleSmiles=False)
        written = np.array(moved.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        graphs, statuses, _ = graphs_from_smiles([smiles], mutag.alphabet)

        assert statuses[0].status == OK
        assert edges(graphs, names=order[written]) == edges(mutag.graph(row))


def test_two_ways_to_write_a_molecule_give_isomorphic_graphs():
    left, *_ = graphs_from_smiles(["OC(=O)c1ccn[nH]1"], WIDE)
    right, *_ = graphs_from_smiles(["c1c([nH]nc1)C(O)=O"], WIDE)

    assert isomorphic(left, right)
    assert not isomorphic(left, graphs_from_smiles(["NC(=O)c1ccn[nH]1"], WIDE)[0])


def test_nitro_groups_are_written_with_separated_charges(rebuilt):
    nitro, misdrawn = (
        Chem.MolFromSmarts("[N+](=O)[O-]"),
        Chem.MolFromSmarts("C[N+](=[#6,#7])[#6,#7]"),
    )

    assert all(mol.HasSubstructMatch(nitro) for mol in rebuilt.values())
    # Seven azoles are drawn in the source with four shares on a substituted nitrogen.
    charged = {row: mol for row, mol in rebuilt.items() if Chem.GetFormalCharge(mol)}
    assert sorted(charged) == [13, 41, 88, 119, 137, 149, 177]
    assert all(mol.HasSubstructMatch(misdrawn) for mol in charged.values())


def test_every_molecule_of_ptc_mr_is_rebuilt_and_most_give_back_their_graph(tu_root):
    # RDKit calls a few rings aromatic that the source does not: pyranones, a quinoline.
    graphs = read_tu(tu_root / "PTC_MR")
    mols = [molecule_from_graph(graphs, row) for row in range(len(graphs))]
    again = graphs_from_molecules(mols, graphs.alphabet)
    same = sum(edges(again.graph(k)) == edges(graphs.graph(k)) for k in range(len(graphs)))

    np.testing.assert_array_equal(again.node_labels, graphs.node_labels)
    assert (len(mols), same) == (344, 337)


@pytest.mark.parametrize(
    "smiles",
    [
        "c1cc[nH]c1",
        "Cn1cccc1",
        "C[n+]1ccccc1",
        "[O-][n+]1ccccc1",
        "CC[n+]1c2ccccc2cc2ccccc21",
        "c1ccc2[nH]ccc2c1",
        "C[N+](C)(C)C",
        "Cn1c(=O)c2[nH]cnc2n(C)c1=O",
    ],
)
def test_a_nitrogens_charge_and_hydrogen_are_found_again(smiles):
    graphs, *_ = graphs_from_smiles([smiles], WIDE)

    assert Chem.MolToSmiles(molecule_from_graph(graphs, 0)) == Chem.CanonSmiles(smiles)


def test_row_i_out_is_row_i_in_whatever_it_holds():
    smiles = ["CCO", "", "C(C)(C)(C)(C)C", "[Na+].[Cl-]", "CC[SiH3]", "C#N", "nonsense"]
    graphs, statuses, _ = graphs_from_smiles(smiles, WIDE)

    assert [status.status for status in statuses] == [
        OK,
        INVALID,
        INVALID,
        WARNING,
        INVALID,
        OK,
        INVALID,
    ]
    assert graphs.n_nodes.tolist() == [3, 0, 0, 2, 0, 2, 0]
    assert graphs.graph(5).node_labels.tolist() == [[0], [1]]
    assert all((status.status == OK) == (status.reason == "") for status in statuses)


@pytest.mark.parametrize(
    ("smiles", "status", "reason"),
    [
        ("", INVALID, "it is empty"),
        (
            "C(C)(C)(C)(C)C",
            INVALID,
            "Explicit valence for atom # 0 C, 5, is greater than permitted",
        ),
        (
            "CC[SiH3]",
            INVALID,
            "element Si is outside the model's elements (C, N, O, S, Na, Cl, H)",
        ),
        ("N->[Na]", INVALID, "a dative bond is outside the model's bond types"),
        ("CCO.O", WARNING, "2 fragments, all read as one graph"),
        ("[NH3+]CC", WARNING, "charges are not part of the graph (N with +1)"),
        ("CC[O-]", WARNING, "charges are not part of the graph (O with -1)"),
        ("[13CH4]", WARNING, "isotopes are not part of the graph"),
        ("C[N+](=O)[O-]", OK, ""),
        ("CN(=O)=O", OK, ""),
        ("C[n+]1ccccc1", OK, ""),
        ("[O-][n+]1ccccc1", OK, ""),
        ("Cn1cccc1", OK, ""),
        ("C[C@H](N)O", OK, ""),
    ],
)
def test_what_a_graph_cannot_say_is_said_in_the_row(smiles, status, reason):
    _, statuses, _ = graphs_from_smiles([smiles], WIDE)

    assert statuses[0].status == status
    assert statuses[0].reason.startswith(reason)


def test_the_smiles_used_is_the_molecule_that_was_read():
    _, _, used = graphs_from_smiles(["OCC", "C1CC", "[H]C#N", "CN(=O)=O"], WIDE)

    assert used == ["CCO", "", "C#N", "C[N+](=O)[O-]"]


def test_hydrogens_written_out_become_implicit():
    graphs, statuses, _ = graphs_from_smiles(["[H]C([H])([H])O[H]"], WIDE)

    assert graphs.node_labels.tolist() == [[0], [2]]
    assert statuses[0].status == OK


def test_molecules_that_do_not_fit_the_alphabet_are_an_error_naming_the_row():
    mols = [read_molecule("CC"), read_molecule("CCBr")]

    with pytest.raises(
        MoleculeError, match=r"table\.csv, row 1: .*'CCBr'.* element Br is outside"
    ):
        graphs_from_molecules(mols, WIDE, source="table.csv")


def test_no_rows_are_a_set_of_no_graphs():
    graphs, statuses, _ = graphs_from_smiles([], WIDE)

    assert (len(graphs), statuses) == (0, [])
    assert graphs.edge_index.shape == (2, 0)


def test_the_hash_of_molecules_moves_with_a_bond_type():
    single, double = (graphs_from_smiles([s], WIDE)[0].sha256 for s in ("CC", "C=C"))

    assert single != double
    assert single == graphs_from_smiles(["CC"], WIDE)[0].sha256


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "the labels of TINY are not known to be elements and bonds"),
        ({"readme": True, "node_labels": "0\n7\n0\n7\n7\n"}, ""),
        (
            {"readme": True, "A": "1, 1\n2, 1\n2, 3\n3, 2\n4, 5\n5, 4\n"},
            "node 0 is joined to itself",
        ),
        (
            {"readme": True, "edge_labels": "1\n2\n2\n2\n1\n1\n"},
            "the bond of nodes 0 and 1 has two",
        ),
    ],
)
def test_a_graph_that_is_no_molecule_is_refused_with_the_reason(tiny, changes, why):
    readme = changes.pop("readme", False)
    folder = tiny(**changes)
    if readme:
        text = "Node labels:\n\n  0  C\n  7  O\n\nEdge labels:\n\n  1  single\n  2  double\n"
        (folder / "README.txt").write_text(text)
    graphs = read_tu(folder)
    if not why:
        # C-O=C has an oxygen with three shares.
        why = "Explicit valence for atom # 1 O, 3, is greater than permitted"

    with pytest.raises(MoleculeError, match=why):
        molecule_from_graph(graphs, 0)


def edges(graphs, names=None):
    """Edges of a set of one as a set that renumbering cannot change."""
    ends = graphs.edge_index if names is None else names[graphs.edge_index]
    return set(zip(*ends.tolist(), graphs.edge_labels[:, 0].tolist(), strict=True))


def isomorphic(left, right):
    """Try every renumbering of a small graph; no cleverness, no doubt."""
    atoms, n_nodes = right.node_labels[:, 0].tolist(), int(left.n_nodes[0])
    if n_nodes != len(atoms) or sorted(atoms) != sorted(left.node_labels[:, 0].tolist()):
        return False
    target = edges(right)
    for names in permutations(range(n_nodes)):
        kept = [atoms[name] for name in names] == left.node_labels[:, 0].tolist()
        if kept and edges(left, names=np.array(names)) == target:
            return True
    return False
