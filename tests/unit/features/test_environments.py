from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from kekule.features import Column, GraphSchema, pack, schema_of
from kekule.features.environments import bond_environments, environments

SCHEMA = GraphSchema((Column("label", (1, 6, 7)),), (Column("label", (1, 2)),))
RADIUS = 3


@pytest.fixture(scope="module")
def drawn(random_packed):
    """Graphs of few codes, so that many atoms have neighbourhoods in common."""
    rng = np.random.default_rng(0)
    return random_packed(SCHEMA, rng.integers(1, 9, 40), rng, bond_chance=0.25)


def test_mutag_has_few_kinds_of_atoms_and_more_the_further_one_looks(packed_mutag):
    sizes = [len(level) for level in environments(packed_mutag, 3).levels]

    assert len(packed_mutag.nodes) == 3371
    assert sizes == [13, 134, 536, 1236]


def test_atoms_share_an_environment_exactly_where_their_neighbourhoods_are_the_same(drawn):
    """Neighbourhoods written out as nested tuples, which nothing can mix up."""
    told = written_out(drawn, RADIUS)

    for level, texts in zip(environments(drawn, RADIUS).levels, told, strict=True):
        assert same_partition(level.of, texts)


def test_bonds_share_an_environment_exactly_where_what_they_hear_is_the_same(drawn):
    levels, last = bonds_written_out(drawn, RADIUS)
    found = bond_environments(drawn, RADIUS)

    for level, texts in zip(found.levels, levels, strict=True):
        assert same_partition(level.of, texts)
    assert same_partition(found.last.of, last)


def test_a_bond_and_the_one_it_hears_of_do_not_change_places(by_hand):
    """C→O hears of N→C in the one chain, N→O of C→N in the other."""
    bonds = [(0, 1), (1, 2)]
    graphs = by_hand(([7, 6, 8], bonds), ([6, 7, 8], bonds))
    packed = pack(graphs, schema_of(graphs))
    level = bond_environments(packed, 1).levels[1]
    (to_oxygen,) = np.nonzero(packed.edge_index[1] == 2)

    assert len(set(level.of[to_oxygen])) == 2


def test_renumbering_changes_which_atom_has_an_environment_and_not_how_often_it_occurs(
    drawn, renumbered
):
    other = renumbered(drawn, np.random.default_rng(1))
    found, moved = (environments(graphs, RADIUS) for graphs in (drawn, other))

    assert not np.array_equal(other.nodes, drawn.nodes)
    for one, two in zip(found.levels, moved.levels, strict=True):
        assert sorted(np.bincount(one.of)) == sorted(np.bincount(two.of))
        per_graph = [
            np.array([len(set(level.of[graphs.graph_of_node == g])) for g in range(len(drawn))])
            for level, graphs in ((one, drawn), (two, other))
        ]
        np.testing.assert_array_equal(*per_graph)


@pytest.mark.parametrize("kind", ["atoms", "bonds"])
def test_an_environment_comes_from_the_one_its_own_items_had_before(drawn, kind):
    found = environments(drawn, RADIUS) if kind == "atoms" else bond_environments(drawn, RADIUS)
    for before, level in zip(found.levels[:-1], found.levels[1:], strict=True):
        assert level.pointer[-1] == len(level.source)
        assert (level.source < len(before)).all()
        np.testing.assert_array_equal(level.of[level.first], np.arange(len(level)))
        own = before if kind == "atoms" else found.levels[0]
        np.testing.assert_array_equal(level.own[level.of], own.of)


@pytest.mark.parametrize("cut", [1, 7, 8192])
def test_environments_do_not_hang_on_how_many_are_looked_at_at_once(drawn, monkeypatch, cut):
    whole = environments(drawn, RADIUS).levels, bond_environments(drawn, RADIUS).levels
    monkeypatch.setattr("kekule.features.environments.GRAPHS_A_CUT", cut)
    parted = environments(drawn, RADIUS).levels, bond_environments(drawn, RADIUS).levels

    for one, other in zip([*whole[0], *whole[1]], [*parted[0], *parted[1]], strict=True):
        for array, again in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, again)


def test_attributes_tell_atoms_apart_to_the_last_bit(drawn):
    values = np.zeros((len(drawn.nodes), 1), dtype=np.float32)
    schema = replace(SCHEMA, n_node_attributes=1)
    equal = replace(drawn, schema=schema, node_attributes=values)
    nudged = values.copy()
    nudged[5] = np.nextafter(np.float32(0), np.float32(1))
    negative = values - np.float32(0)
    negative[7] = -0.0

    kinds = [
        len(environments(replace(equal, node_attributes=v), 0).levels[0])
        for v in (values, nudged, negative)
    ]
    assert kinds == [kinds[0], kinds[0] + 1, kinds[0]]


def test_without_sharing_every_bond_stands_for_itself(drawn):
    found = bond_environments(drawn, RADIUS, share=False)

    assert all(len(level) == drawn.edge_index.shape[1] for level in found.levels)
    assert len(found.last) == len(drawn.nodes)


def test_no_graphs_have_no_environments(drawn):
    none = drawn.take(np.zeros(0, dtype=np.int64))

    assert environments(none, RADIUS).n_rows == 0
    assert all(len(level) == 0 for level in bond_environments(none, RADIUS).levels)


def same_partition(numbers, texts):
    """Whether two labellings group the same items together."""
    pairs = set(zip(numbers.tolist(), texts, strict=True))
    return len(pairs) == len(set(numbers.tolist())) == len(set(texts))


def written_out(graphs, radius):
    """Neighbourhood of every atom, radius by radius, with all of it in the text."""
    source, target = graphs.global_edge_index
    into = defaultdict(list)
    for edge, (u, v) in enumerate(zip(source, target, strict=True)):
        into[v].append((u, tuple(graphs.edges[edge])))
    texts = [(tuple(codes), len(into[v])) for v, codes in enumerate(graphs.nodes)]
    levels = [texts]
    for _ in range(radius):
        texts = [
            (texts[v], tuple(sorted((texts[u], code) for u, code in into[v])))
            for v in range(len(texts))
        ]
        levels.append(texts)
    return levels


def bonds_written_out(graphs, radius):
    """What every directed bond hears, radius by radius; and then every atom."""
    ends = list(zip(*graphs.global_edge_index.tolist(), strict=True))
    atoms = [tuple(codes.tolist()) for codes in graphs.nodes]
    first = [
        (atoms[u], tuple(code.tolist())) for (u, _), code in zip(ends, graphs.edges, strict=True)
    ]
    into = defaultdict(list)
    for bond, (_, v) in enumerate(ends):
        into[v].append(bond)
    texts, levels = first, [first]
    for _ in range(radius):
        texts = [
            (first[b], tuple(sorted(texts[a] for a in into[u] if ends[a][0] != v)))
            for b, (u, v) in enumerate(ends)
        ]
        levels.append(texts)
    last = [(atoms[v], tuple(sorted(texts[a] for a in into[v]))) for v in range(len(atoms))]
    return levels, last
