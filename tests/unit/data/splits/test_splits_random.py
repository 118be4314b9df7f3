import numpy as np
import pytest

from kekule.data.splits import SplitInputs, make_split, multitask_folds, stratified_folds
from kekule.data.splits.labels import label_columns


def worst_miss(codes, fold, k):
    """Rows by which some fold misses its share of some label, for each label; (J,)."""
    columns = label_columns(codes)[0].astype(np.int64)
    in_fold = np.array([columns[fold == number].sum(axis=0) for number in range(k)])
    return np.abs(in_fold - columns.sum(axis=0) / k).max(axis=0)


def test_one_task_is_dealt_as_it_always_was(mutag_targets):
    inputs = SplitInputs(mutag_targets[:, None], np.arange(188), 188)

    np.testing.assert_array_equal(
        make_split("random", inputs, n_folds=10, seed=7).fold,
        stratified_folds(mutag_targets, 10, seed=7),
    )


@pytest.mark.parametrize("k", [5, 10])
@pytest.mark.parametrize("seed", [0])
def test_each_label_of_tox21_misses_its_share_by_three_rows_at_most(real, k, seed):
    inputs = real("tox21")
    split = make_split("random", inputs, n_folds=k, seed=seed)
    plain = np.random.default_rng(seed).permutation(np.arange(len(inputs)) % k)
    missed, by_chance = (worst_miss(inputs.codes, fold, k) for fold in (split.fold, plain))

    assert np.ptp(np.bincount(split.fold)) <= 1
    assert missed.max() <= 3
    assert by_chance.max() > 20
    assert (missed <= by_chance).all()


def test_positives_of_each_task_of_tox21_miss_their_share_by_less_than_a_row(real):
    inputs = real("tox21")
    fold = make_split("random", inputs).fold
    for task in inputs.codes.T:
        positives = np.bincount(fold[task == 1], minlength=5)
        assert np.abs(positives - positives.mean()).max() < 1


def test_missing_labels_of_a_single_task_are_shared_out_too(by_rows):
    codes = np.repeat([0, 1, -1], [60, 30, 10])
    fold = make_split("random", by_rows(100, codes=codes)).fold

    for code, count in ((0, 12), (1, 6), (-1, 2)):
        assert np.bincount(fold[codes == code], minlength=5).tolist() == [count] * 5


def test_a_class_rarer_than_folds_goes_to_as_many_as_it_has_rows():
    codes = np.zeros((50, 2), dtype=np.int64)
    codes[[3, 17, 40], 1] = 1
    fold = multitask_folds(codes, 5, seed=0)

    assert len(set(fold[codes[:, 1] == 1].tolist())) == 3
    assert np.bincount(fold).tolist() == [10] * 5


def test_rows_without_any_task_are_dealt_in_equal_numbers():
    fold = multitask_folds(np.zeros((23, 0), dtype=np.int64), 5, seed=0)
    assert sorted(np.bincount(fold).tolist()) == [4, 4, 5, 5, 5]


def test_the_order_of_tasks_and_the_names_of_classes_do_not_make_folds_uneven(real):
    codes = real("tox21", 5).codes
    turned = np.where(codes < 0, codes, 7 - codes)[:, ::-1]
    assert worst_miss(turned, multitask_folds(turned, 5, seed=0), 5).max() <= 3
