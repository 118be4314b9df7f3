"""Folded subtree counts: the patterns of `wl_features`, in columns that never change."""

import numpy as np
import pytest

from kekule.data import read_tu
from kekule.features import pack, schema_of, wl_features
from kekule.features.wl import wl_hashes
from kekule.features.wl_folded import WIDTH, wl_folded

ETHANOL = [154, 301, 720, 744, 761, 1217, 1393, 1455, 1620, 1813, 1950]


@pytest.mark.parametrize("depth", [0, 2, 3])
def test_a_column_holds_the_sum_of_the_patterns_hashed_into_it(packed_mutag, depth):
    wanted = np.zeros((len(packed_mutag), 64), dtype=np.int64)
    features = wl_features(packed_mutag, depth)
    for counts, hashes in zip(features, wl_hashes(packed_mutag, depth), strict=True):
        for pattern, value in zip(counts.toarray().T, np.unique(hashes).tolist(), strict=True):
            wanted[:, value % 64] += pattern.astype(np.int64)

    np.testing.assert_array_equal(wl_folded(packed_mutag, depth, 64).toarray(), wanted)


def test_a_row_is_the_same_whatever_else_is_counted_with_it(packed_mutag):
    whole = wl_folded(packed_mutag).toarray()
    rows = np.random.default_rng(0).permutation(len(packed_mutag))[:40]

    assert whole.shape == (len(packed_mutag), WIDTH)
    np.testing.assert_array_equal(wl_folded(packed_mutag.take(rows)).toarray(), whole[rows])
    for row in rows[:3]:
        alone = packed_mutag.take(np.array([row]))
        np.testing.assert_array_equal(wl_folded(alone).toarray(), whole[[row]])


def test_numbering_of_nodes_and_order_of_edges_change_nothing(packed_mutag, renumbered):
    moved = renumbered(packed_mutag, np.random.default_rng(1))
    np.testing.assert_array_equal(wl_folded(moved).toarray(), wl_folded(packed_mutag).toarray())


def test_columns_are_those_of_every_earlier_version(by_hand):
    """A bundle of last year was counted with these, and new graphs are laid beside them."""
    ethanol = by_hand(([0, 0, 1], [(0, 1), (1, 2)]))
    found = wl_folded(pack(ethanol, schema_of(ethanol)))

    assert found.dtype == np.int32
    assert found.nonzero()[1].tolist() == ETHANOL
    assert found.sum() == 3 * 4


def test_no_graph_and_graphs_without_bonds_or_nodes_have_rows(
    by_hand, packed_mutag, random_packed
):
    lone = by_hand(([0], []), ([0, 0], [(0, 1)]))
    packed = pack(lone, schema_of(lone))
    empty = random_packed(packed_mutag.schema, [0, 3, 0], np.random.default_rng(0))

    assert wl_folded(packed).sum(axis=1).ravel().tolist() == [[4, 8]]
    assert wl_folded(packed.take(np.zeros(0, dtype=int))).shape == (0, WIDTH)
    assert wl_folded(empty).sum(axis=1).ravel().tolist() == [[0, 12, 0]]


@pytest.mark.parametrize("name", ["PROTEINS", "PTC_MR"])
def test_every_node_of_a_real_set_is_counted_once_a_round(tu_root, name):
    graphs = read_tu(tu_root / name).take(np.arange(200))
    packed = pack(graphs, schema_of(graphs))

    counts = wl_folded(packed)
    assert counts.data.min() > 0
    np.testing.assert_array_equal(
        np.asarray(counts.sum(axis=1)).ravel(), 4 * np.diff(packed.node_pointer)
    )
