import itertools
import warnings

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from kekule.data import read_tu
from kekule.features import composition, pack, schema_of, wl_features, wl_labels

RING_OF_SIX = ([6] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])
TWO_RINGS_OF_THREE = ([6] * 6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
CHAIN_OF_SIX = ([6] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
BRANCHED_SIX = ([6] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (1, 5)])


@pytest.fixture(params=["MUTAG", "PTC_MR"])
def sample(request, mutag):
    """Sixty molecules of a real set."""
    if request.param == "MUTAG":
        return mutag.take(np.arange(0, 188, 3))
    rows = np.random.default_rng(0).permutation(344)[:60]
    return read_tu(request.getfixturevalue("tu_root") / "PTC_MR").take(np.sort(rows))


@pytest.mark.parametrize("depth", range(5))
def test_the_kernel_is_grakel_s_normalised_subtree_kernel(sample, depth):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GraKeL's own, on current NumPy and Python
        grakel = pytest.importorskip("grakel")
    given = [as_grakel(sample.graph(k)) for k in range(len(sample))]
    theirs = (
        grakel.WeisfeilerLehman(n_iter=depth, normalize=True)
        if depth
        else grakel.VertexHistogram(normalize=True)
    )
    rounds = wl_features(pack(sample, schema_of(sample)), depth)
    ours = sum(counts @ counts.T for counts in rounds).toarray()
    scale = np.sqrt(np.diag(ours))

    np.testing.assert_allclose(
        ours / np.outer(scale, scale), theirs.fit_transform(given), atol=1e-12
    )


def test_renumbering_moves_colours_with_their_nodes(packed_mutag, renumbered):
    other = renumbered(packed_mutag, np.random.default_rng(0))

    for before, after in zip(wl_labels(packed_mutag, 4), wl_labels(other, 4), strict=True):
        for graph in range(len(packed_mutag)):
            own = slice(*packed_mutag.node_pointer[graph : graph + 2])
            assert sorted(before[own]) == sorted(after[own])


def test_the_features_of_a_graph_do_not_depend_on_its_numbering(packed_mutag, renumbered):
    other = renumbered(packed_mutag, np.random.default_rng(1))

    for before, after in zip(wl_features(packed_mutag, 3), wl_features(other, 3), strict=True):
        assert (before != after).nnz == 0


def test_a_ring_of_six_and_two_rings_of_three_look_alike_at_every_depth(by_hand):
    first, second = rows_of(by_hand, RING_OF_SIX, TWO_RINGS_OF_THREE, depth=6)

    np.testing.assert_array_equal(first, second)


def test_a_branch_is_told_from_a_chain_after_one_round_and_not_before(by_hand):
    for depth, told_apart in ((0, False), (1, True), (2, True)):
        first, second = rows_of(by_hand, CHAIN_OF_SIX, BRANCHED_SIX, depth=depth)
        assert (first != second).any() == told_apart


def test_a_far_difference_is_seen_when_as_many_rounds_have_passed(by_hand):
    far = ([6] * 5 + [7], CHAIN_OF_SIX[1])
    colours = wl_labels(packed(by_hand, CHAIN_OF_SIX, far), 6)

    first_seen = next(depth for depth, colour in enumerate(colours) if colour[0] != colour[6])
    assert first_seen == 5


def test_bond_labels_are_not_read(by_hand):
    single = ([6] * 3, [(0, 1, 1), (1, 2, 1)])
    double = ([6] * 3, [(0, 1, 2), (1, 2, 1)])

    first, second = rows_of(by_hand, single, double, depth=3)
    np.testing.assert_array_equal(first, second)


def test_each_round_refines_the_one_before(packed_mutag):
    colours = wl_labels(packed_mutag, 4)

    for coarse, fine in itertools.pairwise(colours):
        assert len(np.unique(np.stack([coarse, fine]), axis=1).T) == fine.max() + 1
        assert fine.max() >= coarse.max()


def test_every_node_is_counted_once_a_round(packed_mutag):
    for counts in wl_features(packed_mutag, 3):
        np.testing.assert_array_equal(
            np.asarray(counts.sum(1)).ravel(), np.diff(packed_mutag.node_pointer)
        )


def test_the_first_round_of_one_column_is_the_composition(packed_mutag):
    ours, counts = wl_features(packed_mutag, 0)[0].toarray(), composition(packed_mutag)

    assert sorted(map(tuple, ours.T)) == sorted(map(tuple, counts.T))


def test_patterns_stand_in_an_order_that_other_graphs_cannot_change(packed_mutag):
    some = np.arange(5, 188, 9)
    together = wl_features(packed_mutag, 3)
    alone = wl_features(packed_mutag.take(some), 3)

    for whole, part in zip(together, alone, strict=True):
        columns = whole[some].toarray()
        np.testing.assert_array_equal(columns[:, columns.any(axis=0)], part.toarray())


def test_nodes_without_labels_differ_by_their_neighbours_alone(by_hand):
    bare = packed(by_hand, CHAIN_OF_SIX, BRANCHED_SIX, bare=True)
    zero, one = wl_features(bare, 1)

    assert zero.toarray().tolist() == [[6], [6]]
    assert sorted(one.toarray()[0]) == [0, 2, 4]  # two ends, four within
    assert sorted(one.toarray()[1]) == [1, 2, 3]  # a branch, two within, three ends


def test_no_graphs_have_no_features(packed_mutag):
    none = packed_mutag.take(np.zeros(0, dtype=np.int64))

    assert [counts.shape for counts in wl_features(none, 2)] == [(0, 0)] * 3


def test_unit_length_is_what_normalises_the_kernel(packed_mutag):
    features = normalize(wl_features(packed_mutag, 1)[1])

    np.testing.assert_allclose((features @ features.T).diagonal(), 1)


def as_grakel(graph):
    """Give one graph as GraKeL takes it: edges, node labels."""
    edges = set(map(tuple, graph.edge_index.T.tolist()))
    return [edges, dict(enumerate(graph.node_labels[:, 0].tolist()))]


def packed(by_hand, *graphs, bare=False):
    changes = {}
    if bare:
        n = sum(len(nodes) for nodes, _ in graphs)
        changes = {"node_labels": np.zeros((n, 0), dtype=np.int64), "node_columns": ()}
    built = by_hand(*graphs, **changes)
    return pack(built, schema_of(built))


def rows_of(by_hand, *graphs, depth):
    rounds = wl_features(packed(by_hand, *graphs), depth)
    return np.concatenate([counts.toarray() for counts in rounds], axis=1)
