import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import KekuleError
from kekule.data.splits.dealing import deal, group_folds
from kekule.data.splits.labels import group_counts, label_columns, numbered


@st.composite
def grouped_rows(draw):
    """Codes of one to three tasks, some missing, in groups of any sizes, and a number of folds."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=2, max_size=60))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    groups = numbered(rng.permutation(groups).tolist())
    codes = rng.integers(-1, 3, (len(groups), draw(st.integers(0, 3))))
    return codes, groups, draw(st.integers(2, len(sizes)))


@settings(deadline=None, max_examples=100)
@given(grouped_rows(), st.integers(0, 5))
def test_no_fold_misses_its_share_by_as_much_as_the_largest_group(case, seed):
    codes, groups, k = case
    fold = group_folds(codes, groups, k, seed=seed)
    sizes = np.bincount(fold, minlength=k)

    assert sizes.min() > 0
    assert np.abs(sizes - len(groups) / k).max() < np.bincount(groups).max()
    assert all(len(set(fold[groups == group])) == 1 for group in range(groups.max() + 1))


@settings(deadline=None, max_examples=50)
@given(grouped_rows(), st.lists(st.floats(0.05, 1), min_size=2, max_size=5))
def test_parts_of_unequal_shares_miss_them_by_less_than_the_largest_group(case, weights):
    codes, groups, _ = case
    shares = np.array(weights) / sum(weights)
    counts = group_counts(label_columns(codes)[0], groups)
    parts = deal(counts, shares, rng=np.random.default_rng(0))
    rows = np.bincount(parts, weights=counts[:, 0], minlength=len(shares))

    assert np.abs(rows - shares * len(groups)).max() < counts[:, 0].max()


@settings(deadline=None, max_examples=50)
@given(grouped_rows(), st.randoms(use_true_random=False))
def test_what_groups_and_classes_are_called_changes_nothing(case, random):
    codes, groups, k = case
    names = [f"scaffold {number}" for number in range(groups.max() + 1)]
    random.shuffle(names)
    renamed = numbered(names[group] for group in groups)

    np.testing.assert_array_equal(renamed, groups)
    np.testing.assert_array_equal(
        group_folds(codes, renamed, k, seed=1), group_folds(codes, groups, k, seed=1)
    )


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_one_row_come_out_as_even_as_stratified_ones_but_for_a_row(seed):
    codes = np.repeat([0, 1, 2], [700, 200, 53])[:, None]
    fold = group_folds(codes, np.arange(953), 10, seed=seed)

    assert np.ptp(np.bincount(fold)) <= 1
    for code in range(3):
        assert np.ptp(np.bincount(fold[codes[:, 0] == code], minlength=10)) <= 2


def test_a_class_that_stands_in_few_groups_is_spread_over_the_folds():
    codes = np.zeros((100, 1), dtype=np.int64)
    codes[::20] = 1  # one row in each of five groups of ten
    groups = np.repeat(np.arange(10), 10)
    for seed in range(10):
        fold = group_folds(codes, groups, 5, seed=seed)
        assert np.bincount(fold[codes[:, 0] == 1]).tolist() == [1] * 5


@pytest.mark.parametrize("seed", range(10))
def test_as_many_groups_as_folds_are_dealt_one_to_each(seed):
    groups = np.repeat(np.arange(4), [97, 1, 1, 1])
    codes = (groups == 3).astype(np.int64)[:, None]
    fold = group_folds(codes, groups, 4, seed=seed)

    assert sorted(np.bincount(fold).tolist()) == [1, 1, 1, 97]


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(
        KekuleError, match=r"9 rows in 3 group\(s\) cannot fill 5 folds.*at most 3"
    ):
        group_folds(np.zeros((9, 1), dtype=np.int64), np.repeat([0, 1, 2], 3), 5, seed=0)
    with pytest.raises(KekuleError, match=r"in 1 group\(s\) .* Use random"):
        group_folds(np.zeros((9, 1), dtype=np.int64), np.zeros(9, dtype=np.int64), 5, seed=0)


def test_a_missing_label_is_a_label_but_not_a_class():
    columns, is_class = label_columns(np.array([[0, -1], [1, 4], [0, 4]]))

    assert columns.T.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]]
    assert is_class.tolist() == [True, True, False, True]
