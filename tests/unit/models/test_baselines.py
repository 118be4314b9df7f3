import numpy as np
import pytest

from kekule.models.baseline import inner_splits, spread_columns
from kekule.models.majority import Majority
from kekule.models.structure_free import StructureFree
from kekule.models.wl_svm import WLSVM


@pytest.mark.parametrize("counts", [(2, 2), (1, 1), (1, 30), (40, 60), (700, 500), (1, 2000)])
def test_inner_splits_hold_out_rows_they_do_not_fit(counts):
    targets = np.repeat(np.arange(len(counts)), counts)
    splits = inner_splits(targets, seed=0)

    for fit, held in splits:
        assert not set(fit) & set(held)
        assert len(fit) + len(held) == len(targets)
        assert min(len(fit), len(held)) > 0


def test_small_sets_are_held_out_row_by_row_once():
    targets = np.repeat([0, 1], [40, 60])
    held = np.concatenate([held for _, held in inner_splits(targets, seed=0)])

    np.testing.assert_array_equal(np.sort(held), np.arange(100))


def test_every_inner_part_of_a_stratified_split_has_both_classes():
    targets = np.repeat([0, 1], [5, 60])

    for fit, held in inner_splits(targets, seed=3):
        assert set(targets[fit]) == set(targets[held]) == {0, 1}


def test_a_thousand_and_more_rows_are_split_once():
    (fit, held), *more = inner_splits(np.arange(1200) % 2, seed=0)

    assert more == []
    assert len(held) == 120
    assert len(fit) == 1080


def test_columns_of_absent_classes_are_zero():
    spread = spread_columns(np.array([[0.3, 0.7]]), np.array([0, 2]), 4)

    np.testing.assert_array_equal(spread, [[0.3, 0, 0.7, 0]])


def test_the_majority_gives_the_frequencies_of_its_training_rows():
    targets = np.array([0, 2, 2, 1, 1, 1, 0, 0, 0])
    answer = Majority(None).answer(
        targets, train_rows=np.arange(6), test_rows=np.arange(6, 9), n_classes=4, seed=0
    )

    assert answer.labels.tolist() == [1, 1, 1]
    np.testing.assert_allclose(answer.probabilities, [[1 / 6, 3 / 6, 2 / 6, 0]] * 3)


def test_structure_free_takes_a_ring_and_a_chain_for_the_same(by_hand):
    from kekule.features import pack, schema_of

    ring = ([6] * 3, [(0, 1), (1, 2), (2, 0)])
    chain = ([6] * 3, [(0, 1), (1, 2)])
    graphs = by_hand(*[ring, chain] * 10)
    packed, targets = pack(graphs, schema_of(graphs)), np.tile([0, 1], 10)
    rows = {"train_rows": np.arange(14), "test_rows": np.arange(14, 20)}

    blind = StructureFree(packed).answer(targets, **rows, n_classes=2, seed=0)
    seeing = WLSVM(packed).answer(targets, **rows, n_classes=2, seed=0)

    np.testing.assert_allclose(blind.probabilities, 0.5, atol=1e-6)
    assert len(set(blind.labels.tolist())) == 1
    np.testing.assert_array_equal(seeing.labels, targets[14:])


def test_wl_takes_a_ring_of_six_for_two_of_three(by_hand):
    from kekule.features import pack, schema_of

    ring = ([6] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])
    rings = ([6] * 6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    graphs = by_hand(*[ring, rings] * 10)
    packed, targets = pack(graphs, schema_of(graphs)), np.tile([0, 1], 10)
    answer = WLSVM(packed).answer(
        targets, train_rows=np.arange(14), test_rows=np.arange(14, 20), n_classes=2, seed=0
    )

    np.testing.assert_allclose(answer.probabilities, answer.probabilities[:1].repeat(6, 0))


def test_the_features_of_the_machine_have_unit_length(packed_mutag):
    for features in WLSVM(packed_mutag).features:
        np.testing.assert_allclose(np.sqrt(features.multiply(features).sum(1)), 1)


def test_a_machine_s_surer_answers_are_more_often_right(packed_mutag, mutag_targets):
    order = np.random.default_rng(1).permutation(len(mutag_targets))
    train, test = order[:90], order[90:]
    answer = WLSVM(packed_mutag).answer(
        mutag_targets, train_rows=train, test_rows=test, n_classes=2, seed=0
    )
    right = answer.labels == mutag_targets[test]
    sure = answer.probabilities.max(1)
    median = np.median(sure)

    assert right[sure >= median].mean() > right[sure < median].mean()


def test_labels_and_probabilities_of_more_than_two_classes_agree_on_the_whole(
    packed_mutag,
):
    sizes = np.diff(packed_mutag.node_pointer)
    targets = np.digitize(sizes, [14, 20])  # small, middling and large molecules
    rows = np.random.default_rng(0).permutation(len(targets))
    answer = WLSVM(packed_mutag).answer(
        targets, train_rows=rows[:80], test_rows=rows[80:], n_classes=3, seed=0
    )

    assert (answer.labels == targets[rows[80:]]).mean() > 0.6
    assert (answer.probabilities.argmax(1) == answer.labels).mean() > 0.8
