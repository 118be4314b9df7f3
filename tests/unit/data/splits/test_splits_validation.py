import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import KekuleError
from kekule.data.splits import grouped_validation_rows, make_split, training_rows
from kekule.data.splits.labels import numbered


@st.composite
def training_sets(draw):
    """Codes, groups and some rows of a set with one to three tasks; labels may be missing."""
    sizes = draw(st.lists(st.integers(1, 30), min_size=1, max_size=40))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    codes = rng.integers(-1, 2, (len(groups), draw(st.integers(1, 3))))
    rows = np.flatnonzero(rng.random(len(groups)) < draw(st.sampled_from([0.5, 0.9, 1.0])))
    return codes, groups, rows


def classes(codes):
    return [set(task[task >= 0].tolist()) for task in codes.T]


@settings(deadline=None, max_examples=100)
@given(training_sets(), st.sampled_from([0.05, 0.1, 0.3, 0.5]))
def test_some_rows_are_chosen_and_training_keeps_every_class(case, fraction):
    codes, groups, rows = case
    try:
        chosen = grouped_validation_rows(codes, rows, groups, fraction=fraction, seed=0)
    except KekuleError:
        # Only where no single row can go without taking the last of a class with it.
        counts = [{c: (t[rows] == c).sum() for c in set(t[rows]) - {-1}} for t in codes.T]
        assert len(rows) < 2 or all(
            any(
                code[row] >= 0 and n[code[row]] == 1
                for code, n in zip(codes.T, counts, strict=True)
            )
            for row in rows
        )
        return
    left = np.setdiff1d(rows, chosen)

    assert 0 < len(chosen) < len(rows)
    assert set(chosen.tolist()) <= set(rows.tolist())
    assert (np.diff(chosen) > 0).all()
    assert classes(codes[left]) == classes(codes[rows])


@settings(deadline=None, max_examples=60)
@given(training_sets(), st.sampled_from([0.1, 0.3]))
def test_whole_groups_are_chosen_in_number_as_near_as_groups_allow(case, fraction):
    _, groups, rows = case
    codes = np.zeros((len(groups), 1), dtype=np.int64)
    if len(np.unique(groups[rows])) < 2:
        return
    chosen = grouped_validation_rows(codes, rows, groups, fraction=fraction, seed=0)
    left = np.setdiff1d(rows, chosen)
    largest = np.bincount(groups[rows]).max()

    assert not set(groups[chosen].tolist()) & set(groups[left].tolist())
    assert abs(len(chosen) - fraction * len(rows)) <= largest


def test_with_many_small_groups_the_share_and_the_classes_come_out_even(real):
    inputs = real("BBBP")
    split = make_split("scaffold", inputs)
    for fold in range(5):
        train = training_rows(split, fold)
        chosen = grouped_validation_rows(
            inputs.codes, train, split.groups, fraction=0.1, seed=fold
        )
        assert abs(len(chosen) - 0.1 * len(train)) <= 1
        assert abs(inputs.codes[chosen].mean() - inputs.codes[train].mean()) < 0.02


def test_every_task_is_validated_on_both_classes(real):
    inputs = real("tox21", 4)
    split = make_split("scaffold", inputs)
    train = training_rows(split, 0)
    chosen = grouped_validation_rows(inputs.codes, train, split.groups, fraction=0.1, seed=0)

    assert classes(inputs.codes[chosen]) == [{0, 1}] * 12


@pytest.mark.parametrize("seed", range(5))
def test_a_group_too_large_to_validate_on_is_trained_on(seed):
    codes = np.tile([0, 1], 50)
    groups = np.repeat([0, 1, 2, 3], [80, 4, 8, 8])
    chosen = grouped_validation_rows(codes, np.arange(100), groups, fraction=0.1, seed=seed)

    assert groups[chosen].min() > 0
    assert 8 <= len(chosen) <= 12


def test_where_no_group_is_small_enough_the_smallest_is_chosen():
    codes, groups = np.tile([0, 1], 50), np.repeat([0, 1, 2], [40, 25, 35])
    chosen = grouped_validation_rows(codes, np.arange(100), groups, fraction=0.1, seed=0)

    assert set(groups[chosen].tolist()) == {1}
    assert len(chosen) == 25


@pytest.mark.parametrize(
    "groups", [np.zeros(100, dtype=np.int64), np.tile([0, 1], 50)], ids=["one", "one a class"]
)
def test_where_no_group_can_be_spared_single_rows_are_chosen(groups):
    codes = np.tile([0, 1], 50)
    chosen = grouped_validation_rows(codes, np.arange(100), groups, fraction=0.1, seed=0)

    assert np.bincount(codes[chosen]).tolist() == [5, 5]


def test_without_groups_every_row_stands_for_itself():
    codes = np.stack([np.arange(200) % 2, np.arange(200) // 50 - 1], axis=1)
    rows = np.arange(0, 200, 2) + np.arange(100) % 2
    chosen = grouped_validation_rows(codes, rows, None, fraction=0.2, seed=0)

    assert len(chosen) == 20
    for task in codes.T:
        for code in set(task.tolist()):
            assert abs((task[chosen] == code).sum() - 0.2 * (task[rows] == code).sum()) <= 1


def test_neither_the_names_of_groups_nor_the_order_of_rows_matter():
    codes, groups = np.arange(90) % 3, np.arange(90) % 31
    rows = np.arange(5, 85)
    first = grouped_validation_rows(codes, rows, groups, fraction=0.2, seed=2)
    renamed = numbered(f"g{97 - group}" for group in groups) + 5
    again = grouped_validation_rows(codes, rows[::-1], renamed, fraction=0.2, seed=2)
    other = grouped_validation_rows(codes, rows, groups, fraction=0.2, seed=3)

    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize("fraction", [0.0, 1.0, float("nan")])
def test_a_fraction_that_leaves_nothing_is_refused(fraction):
    with pytest.raises(KekuleError, match=r"fraction .* is not between 0 and 1"):
        grouped_validation_rows(np.zeros(4), [0, 1], None, fraction=fraction, seed=0)


@pytest.mark.parametrize("rows", [[], [2], [0, 3]])
def test_rows_too_few_to_share_are_refused(rows):
    with pytest.raises(KekuleError, match="cannot give a validation part"):
        grouped_validation_rows(np.array([0, 0, 1, 1]), rows, None, fraction=0.5, seed=0)
