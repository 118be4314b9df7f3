import numpy as np
import pytest

from kekule.features import pack, schema_of, wl_features
from kekule.features.wl import wl_hashes
from kekule.features.wl_vocabulary import WLVocabulary, pattern_counts


def dense(counts, n_graphs, size):
    table = np.zeros((n_graphs, size))
    table[counts.graph, counts.column] = counts.times
    return table


def test_counts_of_the_graphs_of_a_vocabulary_are_their_features(packed_mutag):
    vocabulary = WLVocabulary.of(packed_mutag, 4)
    found = zip(vocabulary.counts(packed_mutag), wl_features(packed_mutag, 4), strict=True)

    for depth, (counts, features) in enumerate(found):
        table = dense(counts, 188, vocabulary.sizes[depth])
        np.testing.assert_array_equal(table, features.toarray())
        np.testing.assert_array_equal(counts.squares, (table**2).sum(1))


def test_unknown_patterns_have_no_column_but_count_towards_the_length(packed_mutag):
    known, others = packed_mutag.take(np.arange(0, 40)), packed_mutag.take(np.arange(40, 188))
    vocabulary = WLVocabulary.of(known, 4)
    all_of_them = WLVocabulary.of(packed_mutag, 4)
    few, many = vocabulary.counts(others), all_of_them.counts(others)

    for depth, (some, every) in enumerate(zip(few, many, strict=True)):
        shared = np.isin(all_of_them.patterns[depth], vocabulary.patterns[depth])
        table = dense(every, 148, all_of_them.sizes[depth])
        mine = dense(some, 148, vocabulary.sizes[depth])
        np.testing.assert_array_equal(mine, table[:, shared])
        np.testing.assert_array_equal(some.squares, (table**2).sum(1))
    assert (dense(few[4], 148, vocabulary.sizes[4]).sum(1) < np.diff(others.node_pointer)).any()


def test_a_pattern_has_the_same_hash_whichever_graphs_stand_beside_it(packed_mutag):
    rows = np.array([5, 90, 17])
    alone, among = wl_hashes(packed_mutag.take(rows), 3), wl_hashes(packed_mutag, 3)
    nodes = np.concatenate([np.arange(*packed_mutag.node_pointer[r : r + 2]) for r in rows])

    for one, other in zip(alone, among, strict=True):
        np.testing.assert_array_equal(one, other[nodes])


def test_hashes_are_those_that_bundles_were_written_with(by_hand):
    """A change of these numbers makes every stored vocabulary worthless."""
    graphs = by_hand(([6, 7, 6], [(0, 1), (1, 2)]))
    first, second = wl_hashes(pack(graphs, schema_of(graphs)), 1)
    carbon, nitrogen = split_mix(0), split_mix(1)  # of their codes
    end = split_mix(split_mix(~carbon) + split_mix(nitrogen))
    middle = split_mix(split_mix(~nitrogen) + 2 * split_mix(carbon))

    assert first.tolist() == [carbon, nitrogen, carbon] == [CARBON, 10451216379200822465, CARBON]
    assert second.tolist() == [end, middle, end]


CARBON = 16294208416658607535


def split_mix(number):
    """The finaliser of SplitMix64, in Python's own whole numbers."""
    number = (number + 0x9E3779B97F4A7C15) % 2**64
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
    return number ^ (number >> 31)


def test_a_graph_is_counted_pattern_by_pattern(by_hand):
    graphs = by_hand(([6, 7, 6], [(0, 1), (1, 2)]), ([6], []))
    atoms, around = pattern_counts(pack(graphs, schema_of(graphs)), 1)

    assert sorted(atoms.times[atoms.graph == 0].tolist()) == [1, 2]
    assert sorted(around.times[around.graph == 0].tolist()) == [1, 2]
    assert atoms.times[atoms.graph == 1].tolist() == [1]


def test_no_graphs_and_an_empty_vocabulary_have_no_counts(packed_mutag):
    vocabulary = WLVocabulary.of(packed_mutag, 2)
    for counts in vocabulary.counts(packed_mutag.take(np.zeros(0, dtype=np.int64))):
        assert len(counts.times) == len(counts.squares) == 0
    empty = WLVocabulary((np.zeros(0, dtype=np.uint64),))
    (counts,) = empty.counts(packed_mutag)
    assert len(counts.times) == 0
    assert (counts.squares > 0).all()


@pytest.mark.parametrize(
    "patterns",
    [
        np.array([2, 1], dtype=np.uint64),
        np.array([1, 1], dtype=np.uint64),
        np.array([1, 2], dtype=np.int64),
        np.array([[1]], dtype=np.uint64),
    ],
)
def test_patterns_that_cannot_be_looked_up_are_refused(patterns):
    with pytest.raises(ValueError, match="of depth 0"):
        WLVocabulary((patterns,))
