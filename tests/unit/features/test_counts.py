import re
from collections import Counter

import numpy as np
import pytest

from kekule.data import read_tu
from kekule.features import Column, GraphSchema, composition, pack, schema_of


def test_the_composition_of_a_molecule_is_its_molecular_formula(mutag, packed_mutag):
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    from kekule.data import molecule_from_graph

    elements = [mutag.alphabet.elements[v] for v in packed_mutag.schema.nodes[0].values]
    counts = composition(packed_mutag)
    read = 0
    for row in range(len(mutag)):
        try:
            formula = CalcMolFormula(molecule_from_graph(mutag, row))
        except ValueError:  # the two graphs that are no molecules
            continue
        ours = {e: int(n) for e, n in zip(elements, counts[row], strict=True) if n}
        assert ours == heavy_atoms(formula), row
        read += 1
    assert read == 186


def test_edges_are_forgotten(random_packed):
    schema = GraphSchema((Column("label", (6, 7)),), (), n_node_attributes=2)
    bonded = random_packed(schema, [4, 6], np.random.default_rng(0), bond_chance=1.0)
    loose = random_packed(schema, [4, 6], np.random.default_rng(0), bond_chance=0.0)

    np.testing.assert_array_equal(composition(bonded), composition(loose))


def test_columns_stand_side_by_side_and_attributes_are_summed_after_them(by_hand):
    graphs = by_hand(
        ([(6, 1), (7, 0), (6, 0)], []),
        ([(7, 1)], []),
        node_attributes=np.array([[0.5], [1.5], [-1], [4]], dtype=np.float32),
    )

    assert composition(pack(graphs, schema_of(graphs))).tolist() == [
        [2, 1, 2, 1, 1.0],
        [0, 1, 0, 1, 4.0],
    ]


@pytest.mark.parametrize("name", ["PROTEINS", "ENZYMES"])
def test_every_node_is_counted_once_in_each_column(tu_root, name):
    graphs = read_tu(tu_root / name)
    packed = pack(graphs, schema_of(graphs))
    width = packed.schema.nodes[0].cardinality
    counts = composition(packed)

    np.testing.assert_array_equal(counts[:, :width].sum(1), np.diff(packed.node_pointer))
    own = slice(*packed.node_pointer[7:9])
    np.testing.assert_allclose(
        counts[7, width:], packed.node_attributes[own].astype(float).sum(0), rtol=1e-12
    )


def heavy_atoms(formula):
    """Atoms of a formula such as C7H5NO3 but for hydrogen, by element."""
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    counts = Counter()
    for element, number in parts:
        counts[element] += int(number or 1)
    del counts["H"]
    return dict(counts)


def test_a_degree_that_stands_in_for_a_label_is_not_part_of_the_composition(by_hand):
    """It counts edges, and the composition is what remains when they are forgotten."""
    path = ([1, 2, 1], [(0, 1), (1, 2)])
    graphs = by_hand(path, path, node_columns=("degree",), edge_columns=())

    assert composition(pack(graphs, schema_of(graphs))).shape == (2, 0)
