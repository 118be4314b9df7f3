from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from rdkit import Chem

from kekule.visualization.drawings import draw_row, example_rows, no_drawing
from kekule.visualization.graph_drawing import draw_graph, graph_layout, graph_legend
from kekule.visualization.molecules import draw_molecule

NITROBENZENE = Chem.MolFromSmiles("O=[N+]([O-])c1ccccc1")


def both(edges):
    edges = np.array(edges).T
    return np.concatenate([edges, edges[::-1]], axis=1)


def test_a_molecule_is_one_svg_element_without_background_or_header():
    root = ET.fromstring(draw_molecule(NITROBENZENE))  # noqa: S314
    assert root.tag.endswith("svg")
    assert root.get("viewBox") == "0 0 240 180"
    assert not [e for e in root.iter() if e.tag.endswith("rect")]
    bonds = {e.get("class").split()[0] for e in root.iter() if "bond-" in e.get("class", "")}
    assert len(bonds) == NITROBENZENE.GetNumBonds()


def test_only_atoms_with_weight_are_painted_and_signs_differ():
    plain = draw_molecule(NITROBENZENE)
    assert draw_molecule(NITROBENZENE, weights=[0.0] * 9) == plain
    up = draw_molecule(NITROBENZENE, weights=[1.0] + [0.0] * 8)
    down = draw_molecule(NITROBENZENE, weights=[-1.0] + [0.0] * 8)
    assert len({plain, up, down}) == 3
    assert up.count("<ellipse") == down.count("<ellipse") == 1


def test_doubling_all_weights_changes_no_shade():
    weights = np.linspace(-1, 1, 9)
    assert draw_molecule(NITROBENZENE, weights=weights) == draw_molecule(
        NITROBENZENE, weights=2 * weights
    )


def test_weights_of_another_molecule_are_refused_with_both_counts():
    with pytest.raises(ValueError, match=r"4 weights for a molecule of 9 atoms"):
        draw_molecule(NITROBENZENE, weights=[1, 2, 3, 4])


def test_drawing_leaves_the_molecule_as_it_was():
    mol = Chem.MolFromSmiles("c1ccccc1")
    draw_molecule(mol)
    assert Chem.MolToSmiles(mol) == "c1ccccc1"
    assert mol.GetNumConformers() == 0


def test_a_molecule_that_cannot_be_kekulised_is_drawn_aromatic():
    mol = Chem.MolFromSmiles("c1cccc1", sanitize=False)
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    assert "bond-0" in draw_molecule(mol)


@pytest.mark.parametrize("smiles", ["", "C", "[Na+].[Cl-]", "[He]", "C" * 120])
def test_odd_molecules_have_a_drawing_too(smiles):
    assert ET.fromstring(draw_molecule(Chem.MolFromSmiles(smiles))) is not None  # noqa: S314


def test_a_ring_is_laid_out_as_a_ring():
    n = 12
    places = graph_layout(both([(i, (i + 1) % n) for i in range(n)]), n)
    radius = np.linalg.norm(places - places.mean(axis=0), axis=1)
    assert radius.std() / radius.mean() < 0.02


def test_a_chain_is_laid_out_in_its_order():
    places = graph_layout(both([(i, i + 1) for i in range(8)]), 9)
    from_end = np.linalg.norm(places - places[0], axis=1)
    assert np.all(np.diff(from_end) > 0)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_graphs_without_edges_fit_the_unit_square(n):
    places = graph_layout(np.empty((2, 0), int), n)
    assert places.shape == (n, 2)
    assert np.all((places >= -1e-9) & (places <= 1 + 1e-9))
    assert len(np.unique(places.round(6), axis=0)) == n


def test_parts_that_do_not_meet_stay_apart():
    places = graph_layout(both([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]), 6)
    one, other = places[:3], places[3:]
    inside = np.linalg.norm(one - one.mean(axis=0), axis=1).max()
    assert np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)) > 2 * inside


def test_a_drawn_graph_has_a_dot_a_node_named_by_its_label_and_escaped():
    svg = draw_graph(both([(0, 1), (1, 2)]), np.array([0, 1, 5]), ("<b>", "N"), size=(240, 170))
    root = ET.fromstring(svg)  # noqa: S314
    titles = [e.text for e in root.iter() if e.tag.endswith("title")]
    assert titles == ["<b>", "N", "5"]
    (path,) = (e.get("d") for e in root.iter() if e.tag.endswith("path"))
    assert path.count("M") == 2


def test_a_huge_graph_is_said_not_drawn(enzymes):
    huge = int(np.argmax(enzymes.n_nodes))
    assert no_drawing(enzymes, huge) == "220 nodes, too many to draw"
    assert draw_row(enzymes, huge) == ""


def test_a_row_that_is_no_molecule_is_drawn_as_a_graph_where_there_is_one(mutag):
    odd = mutag.molecules.index(None)
    assert "<circle" in draw_row(mutag, odd)
    assert no_drawing(replace(mutag, graphs=None), odd) == "not a valid molecule"


def test_examples_are_of_their_class_and_span_its_sizes(mutag):
    for index, positions in example_rows(mutag):
        assert len(positions) == 4
        assert set(mutag.truth[positions]) == {index}
        sizes = mutag.n_nodes[positions]
        assert np.all(np.diff(sizes) >= 0)
        assert sizes[0] < np.median(mutag.n_nodes[mutag.truth == index]) < sizes[-1]


def test_the_key_of_node_colours_names_only_labels_that_were_drawn(mutag):
    odd = mutag.molecules.index(None)
    _, codes, names = mutag.graphs(odd)
    assert [n for n, _ in graph_legend(mutag, [0, odd])] == [names[c] for c in np.unique(codes)]
    assert graph_legend(mutag, [0]) == []
