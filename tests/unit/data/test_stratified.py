import numpy as np
import pytest

from kekule._errors import KekuleError
from kekule.data import stratified_folds, validation_rows

TARGETS = {
    "mutag": np.repeat([-1, 1], [63, 125]),
    "six classes": np.repeat(np.arange(1, 7), 100),
    "names": np.repeat(["active", "inactive", "unsure"], [11, 300, 40]),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("targets", TARGETS.values(), ids=TARGETS)
def test_every_fold_has_every_class_in_proportion(targets, seed):
    folds = stratified_folds(targets, 10, seed=seed)

    assert folds.dtype == np.int64
    assert set(folds.tolist()) == set(range(10))
    for name in np.unique(targets):
        counts = np.bincount(folds[targets == name], minlength=10)
        assert counts.max() - counts.min() <= 1
        assert counts.min() >= 1


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    first, again, other = (stratified_folds(TARGETS["mutag"], 10, seed=s) for s in (3, 3, 4))

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_folds_depend_on_the_classes_and_not_on_their_names():
    targets = TARGETS["mutag"]

    np.testing.assert_array_equal(
        stratified_folds(targets, 5, seed=1), stratified_folds(targets * 3 + 7, 5, seed=1)
    )


def test_leaving_one_of_two_rows_out_is_possible():
    assert sorted(stratified_folds([0, 0, 1, 1], 2, seed=0).tolist()) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("targets", "n_folds", "message"),
    [
        ([0] * 9 + [1] * 3, 10, r"class 1 has too few rows \(3\) for 10 folds\. Use at most 3"),
        ([0] * 9 + [5], 2, r"class 5 has too few rows \(1\) for 2 folds\. Leave it out"),
        ([7] * 9, 3, "all 9 rows have class 7"),
        ([], 3, "all 0 rows"),
        ([0, 1, 0, 1], 1, "1 folds leave nothing to train on"),
    ],
)
def test_folds_that_cannot_be_scored_are_refused(targets, n_folds, message):
    with pytest.raises(KekuleError, match=message):
        stratified_folds(targets, n_folds, seed=0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.99])
def test_validation_rows_come_from_the_given_rows_and_leave_some_of_each_class(fraction, seed):
    targets = TARGETS["mutag"]
    given = np.flatnonzero(stratified_folds(targets, 10, seed=0) != 4)
    chosen = validation_rows(targets, given, fraction=fraction, seed=seed)
    left = np.setdiff1d(given, chosen)

    assert set(chosen.tolist()) < set(given.tolist())
    assert set(targets[chosen]) == set(targets[left]) == {-1, 1}
    for name, count in zip(*np.unique(targets[given], return_counts=True), strict=True):
        assert abs((targets[chosen] == name).sum() - fraction * count) <= 1
    assert (np.diff(chosen) > 0).all()


def test_validation_rows_do_not_depend_on_the_order_of_the_given_rows():
    targets, given = TARGETS["six classes"], np.arange(0, 600, 2)

    np.testing.assert_array_equal(
        validation_rows(targets, given, fraction=0.1, seed=2),
        validation_rows(targets, given[::-1], fraction=0.1, seed=2),
    )


def test_a_class_with_a_single_row_stays_in_training():
    assert validation_rows([0, 0, 0, 1], [0, 1, 2, 3], fraction=0.5, seed=0).max() < 3


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_that_leaves_nothing_is_refused(fraction):
    with pytest.raises(KekuleError, match=r"fraction .* is not between 0 and 1"):
        validation_rows([0, 0, 1, 1], [0, 1, 2, 3], fraction=fraction, seed=0)


@pytest.mark.parametrize("rows", [[], [0, 3]])
def test_rows_too_few_to_share_are_refused(rows):
    with pytest.raises(KekuleError, match="no class twice"):
        validation_rows([0, 0, 1, 1], rows, fraction=0.5, seed=0)
