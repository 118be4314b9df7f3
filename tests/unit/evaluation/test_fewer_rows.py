"""Fewer training rows: nested, in proportion, whole groups, and the test rows left alone."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from kekule.data import Split, SplitInputs, make_split
from kekule.evaluation import FoldInputs, FoldTask, read_recipe, split_rows
from kekule.evaluation.fewer_rows import (
    FEWEST,
    SHARES,
    FewerRowsError,
    n_training_rows,
    nested_subsets,
    with_fewer_rows,
)

SHUFFLED = (0.5, 0.125, 1.0, 0.25)


def inputs_of(packed, targets, *, k=4, seeds=1, groups=None, split=None, **changes):
    given = ["protocol.baselines=[]", f"protocol.folds={k}", f"protocol.seeds={seeds}"]
    recipe = read_recipe(None, given)
    rows = SplitInputs(
        targets.reshape(len(targets), -1),
        rows=np.arange(len(targets)),
        n_source=len(targets),
        column=None if groups is None else [f"group {g}" for g in groups],
    )
    kind = "random" if groups is None else "group"
    splits = {seed: split or make_split(kind, rows, n_folds=k, seed=seed) for seed in recipe.seeds}
    classes = int(targets.max()) + 1
    return replace(FoldInputs(packed, targets, classes, recipe, splits), **changes)


def folds_of(inputs):
    return [
        split_rows(inputs, FoldTask("network", seed, fold))
        for seed in inputs.recipe.seeds
        for fold in range(inputs.n_folds)
    ]


@pytest.fixture
def mutag_inputs(packed_mutag, mutag_targets):
    return inputs_of(packed_mutag, mutag_targets, seeds=2)


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_subset_holds_the_smaller_ones_and_the_largest_is_all_rows(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, 400)
    rows = rng.permutation(400)[:250]
    half, eighth, all_, quarter = nested_subsets(codes, rows, None, SHUFFLED, seed=seed)

    assert set(eighth) < set(quarter) < set(half) < set(all_)
    np.testing.assert_array_equal(all_, np.sort(rows))
    for subset in (half, eighth, quarter):
        np.testing.assert_array_equal(subset, np.unique(subset))


@pytest.mark.parametrize("seed", range(5))
def test_single_rows_keep_every_class_in_proportion_to_a_row_of_each_cut(seed):
    codes = np.repeat([0, 1, 2], [300, 80, 20])
    found = nested_subsets(codes, np.arange(400), None, SHARES, seed=seed)
    for share, subset in zip(SHARES, found, strict=True):
        counts = np.bincount(codes[subset], minlength=3)
        np.testing.assert_allclose(counts, share * np.array([300, 80, 20]), atol=1.5)


def test_a_class_of_a_single_row_is_kept_at_every_size():
    codes = np.array([0] * 60 + [1] * 60 + [2])
    for subset in nested_subsets(codes, np.arange(121), None, SHARES, seed=3):
        assert 120 in subset


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole_and_a_subset_misses_its_size_by_less_than_the_largest_group(seed):
    rng = np.random.default_rng(seed)
    groups, codes = rng.integers(0, 60, 600), rng.integers(0, 2, 600)
    largest = np.bincount(groups).max()
    for share, subset in zip(
        SHARES, nested_subsets(codes, np.arange(600), groups, SHARES, seed=seed), strict=True
    ):
        assert set(groups[subset]).isdisjoint(groups[np.setdiff1d(np.arange(600), subset)])
        assert abs(len(subset) - 600 * share) < largest


def test_labels_of_several_tasks_keep_their_shares_and_their_gaps():
    rng = np.random.default_rng(0)
    codes = np.stack([rng.random(800) < 0.2, rng.random(800) < 0.5], axis=1).astype(np.int64)
    codes[rng.random((800, 2)) < 0.3] = -1
    (quarter,) = nested_subsets(codes, np.arange(800), None, (0.25,), seed=1)
    for task in range(2):
        for label in (-1, 0, 1):
            whole = (codes[:, task] == label).sum()
            assert (codes[quarter, task] == label).sum() == pytest.approx(whole / 4, abs=8)


def test_another_seed_draws_other_rows_and_the_same_seed_the_same():
    codes = np.tile([0, 1], 100)
    one, same, other = (
        nested_subsets(codes, np.arange(200), None, (0.5,), seed=seed)[0] for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(one, same)
    assert set(one) != set(other)


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share, mutag_inputs):
    with pytest.raises(FewerRowsError, match="above 0, at most 1"):
        nested_subsets(np.tile([0, 1], 9), np.arange(18), None, (0.5, share), seed=0)
    with pytest.raises(FewerRowsError, match="above 0, at most 1"):
        with_fewer_rows(mutag_inputs, (0.5, share))


def test_test_rows_stay_and_nothing_but_training_rows_goes(mutag_inputs):
    found = with_fewer_rows(mutag_inputs)
    assert list(found.inputs) == [*SHARES]
    assert found.left_out == {}
    for inputs in found.inputs.values():
        for (train, held, test), (_, _, asked) in zip(
            folds_of(inputs), folds_of(mutag_inputs), strict=True
        ):
            np.testing.assert_array_equal(test, asked)
            assert set(test).isdisjoint({*train, *held})
            assert set(train).isdisjoint(held)
            assert len(held) > 0


def test_all_rows_are_the_run_itself_so_that_its_folds_can_be_shared(mutag_inputs):
    whole = with_fewer_rows(mutag_inputs).inputs[1.0]
    assert all(whole.splits[seed] is mutag_inputs.splits[seed] for seed in (0, 1))
    assert n_training_rows(whole) == round(188 * 3 / 4)


def test_sizes_are_nested_in_every_fold_of_every_seed(mutag_inputs):
    found = [*with_fewer_rows(mutag_inputs).inputs.values()]
    for small, large in pairwise(found):
        for (train, held, _), (more, others, _) in zip(
            folds_of(small), folds_of(large), strict=True
        ):
            assert {*train, *held} < {*more, *others}
    sizes = [n_training_rows(inputs) for inputs in found]
    np.testing.assert_allclose(sizes, 141 * np.array(SHARES), atol=2)


def test_whole_groups_are_learnt_from_watched_tested_or_left_out(packed_mutag, mutag_targets):
    groups = np.random.default_rng(0).integers(0, 40, 188)
    inputs = inputs_of(packed_mutag, mutag_targets, groups=groups)
    for smaller in with_fewer_rows(inputs, (0.5, 1.0)).inputs.values():
        for parts in folds_of(smaller):
            sets = [set(groups[rows]) for rows in parts]
            sets.append(set(groups[np.setdiff1d(np.arange(188), np.concatenate(parts))]))
            assert sum(map(len, sets)) == len(set.union(*sets))


def test_validation_rows_that_were_given_stay(packed_mutag, mutag_targets):
    order = np.random.default_rng(1).permutation(188)
    fold = np.full(188, -1)
    fold[order[:40]] = 0
    split = Split("given", "as given", 1, fold, validation=(np.sort(order[40:60]),))
    inputs = inputs_of(packed_mutag, mutag_targets, split=split)
    for share, smaller in with_fewer_rows(inputs).inputs.items():
        ((train, held, test),) = folds_of(smaller)
        np.testing.assert_array_equal(held, np.sort(order[40:60]))
        np.testing.assert_array_equal(test, np.sort(order[:40]))
        assert len(train) == pytest.approx(128 * share, abs=2)
        assert n_training_rows(smaller) == len(train) + 20


def test_sizes_that_are_too_small_are_left_out_with_the_fold_and_the_reason(
    packed_mutag, mutag_targets
):
    rows = np.concatenate([np.flatnonzero(mutag_targets == k)[:20] for k in (0, 1)])
    inputs = inputs_of(packed_mutag.take(rows), mutag_targets[rows], k=2)
    found = with_fewer_rows(inputs)

    assert list(found.inputs) == [0.5, 1.0]
    assert list(found.left_out) == [0.125, 0.25]
    assert f"{FEWEST} are the least" in found.left_out[0.25]
    assert "fold 1 of seed 0" in found.left_out[0.25]


def test_a_size_at_which_groups_cost_a_class_is_left_out(packed_mutag):
    targets, groups = np.repeat([0, 1], [160, 28]), np.arange(188)
    groups[160:] = 200 + np.arange(28) // 14  # the second class is two groups, one a fold
    inputs = inputs_of(packed_mutag, targets, k=2, groups=groups)
    found = with_fewer_rows(inputs, (0.05, 1.0))
    assert list(found.inputs) == [1.0]
    assert found.left_out[0.05]
