import itertools

import networkx as nx
import numpy as np
import pytest

from kekule.data import isomorphism, read_tu
from kekule.data.isomorphism import graph_hashes, refined_colours, same_graphs

TRIANGLES = ([0] * 6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
HEXAGON = ([0] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])


@pytest.mark.parametrize("seed", range(20))
def test_renumbered_nodes_give_the_same_hash_and_one_group(by_hand, seed):
    rng = np.random.default_rng(seed)
    nodes = rng.integers(0, 3, 12).tolist()
    pairs = [pair for pair in itertools.combinations(range(12), 2) if rng.random() < 0.25]
    bonds = [(u, v, int(rng.integers(0, 3))) for u, v in pairs]
    new = rng.permutation(12)
    moved = (
        [nodes[old] for old in np.argsort(new)],
        [(int(new[u]), int(new[v]), b) for u, v, b in bonds],
    )
    other = [*nodes[:-1], nodes[-1] + 1], bonds

    graphs = by_hand((nodes, bonds), moved, other)
    hashes = graph_hashes(graphs, refined_colours(graphs))

    assert hashes[0] == hashes[1] != hashes[2]
    assert same_graphs(graphs).groups == [[0, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_those_networkx_finds_by_comparing_all_pairs(by_hand, seed):
    rng = np.random.default_rng(seed)
    given = []
    for _ in range(40):
        pairs = [p for p in itertools.combinations(range(4), 2) if rng.random() < 0.5]
        given.append((rng.integers(0, 2, 4).tolist(), [(u, v, 0) for u, v in pairs]))
    drawn = [as_networkx(*graph) for graph in given]
    alike = {
        (i, j)
        for i, j in itertools.combinations(range(40), 2)
        if nx.is_isomorphic(drawn[i], drawn[j], node_match=lambda a, b: a == b)
    }

    groups = same_graphs(by_hand(*given)).groups
    assert {pair for group in groups for pair in itertools.combinations(group, 2)} == alike
    assert alike


def test_an_edge_label_or_a_direction_tells_two_graphs_apart(by_hand):
    single, double = ([0, 0], [(0, 1, 1)]), ([0, 0], [(0, 1, 2)])
    assert same_graphs(by_hand(single, double)).groups == []

    both = by_hand(([0, 1], [(0, 1, 1)]), ([0, 1], [(0, 1, 1)]))
    forth, back = both.edge_index[:, [0]], both.edge_index[:, [1]]
    one_way = by_hand(
        ([0, 1], [(0, 1, 1)]),
        ([0, 1], [(0, 1, 1)]),
        edge_index=np.concatenate([forth, back], axis=1),
        edge_labels=both.edge_labels[:2],
        edge_pointer=np.array([0, 1, 2]),
    )
    assert same_graphs(one_way).groups == []


def test_attributes_count_only_where_they_are_asked_for(by_hand):
    path = ([0, 0], [(0, 1, 1)])
    attributes = np.array([[0.0], [1.5], [-0.0], [1.5], [0.0], [2.5]], dtype=np.float32)
    graphs = by_hand(path, path, path, node_attributes=attributes)

    assert same_graphs(graphs).groups == [[0, 1, 2]]
    assert same_graphs(graphs, attributes=True).groups == [[0, 1]]


def test_graphs_refinement_cannot_tell_apart_are_told_apart_by_comparing(by_hand):
    graphs = by_hand(TRIANGLES, HEXAGON, TRIANGLES)
    hashes = graph_hashes(graphs, refined_colours(graphs))
    found = same_graphs(graphs)

    assert hashes[0] == hashes[1]
    assert found.groups == [[0, 2]]
    assert found.told_apart == [(0, 1)]


@pytest.mark.parametrize("limit", ["MOST_STEPS", "MOST_NODES"])
def test_a_pair_that_takes_too_long_counts_as_one_graph_and_is_named(by_hand, monkeypatch, limit):
    monkeypatch.setattr(isomorphism, limit, 3)
    found = same_graphs(by_hand(TRIANGLES, HEXAGON))

    assert found.groups == [[0, 1]]
    assert found.unproved == [(0, 1)]


def test_graphs_without_nodes_are_no_doubles(by_hand):
    graphs = by_hand(([], []), ([0], []), ([], []), ([0], []))

    assert same_graphs(graphs).groups == [[1, 3]]
    assert same_graphs(graphs.take(np.array([], dtype=np.int64))).groups == []


@pytest.mark.parametrize(
    ("name", "beyond_first", "conflicts"),
    [("MUTAG", 0, 0), ("PTC_MR", 7, 2), ("NCI1", 71, 7), ("PROTEINS", 44, 3), ("ENZYMES", 5, 0)],
)
def test_doubles_of_real_sets_are_those_known(tu_root, name, beyond_first, conflicts):
    graphs = read_tu(tu_root / name)
    found = same_graphs(graphs)

    assert sum(len(group) - 1 for group in found.groups) == beyond_first
    assert sum(len(set(graphs.targets[group])) > 1 for group in found.groups) == conflicts
    assert found.unproved == []


def as_networkx(nodes, bonds):
    graph = nx.Graph()
    graph.add_nodes_from((k, {"label": label}) for k, label in enumerate(nodes))
    graph.add_edges_from((u, v) for u, v, *_ in bonds)
    return graph
