"""A row is judged by the nearest row its own fold was trained on, and by no other."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from kekule.evaluation.error_by_similarity import (
    FEWEST,
    NearnessError,
    bin_of,
    error_by_similarity,
    row_brier,
    training_similarity,
)
from kekule.evaluation.metrics import METRICS


def folds_of(fold):
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]


def test_similarity_is_to_rows_outside_the_fold_and_twins_inside_it_do_not_count():
    counts = np.array([[2, 0, 1], [2, 0, 1], [1, 0, 1], [0, 5, 0]])
    apart = training_similarity(counts, folds_of(np.array([0, 1, 1, 1])))
    together = training_similarity(counts, folds_of(np.array([0, 0, 1, 1])))

    assert apart[0] == 1
    np.testing.assert_allclose(together, [2 / 3, 2 / 3, 2 / 3, 0], atol=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_similarities_are_those_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    counts, fold = rng.poisson(0.5, (50, 20)), rng.integers(0, 4, 50)
    least = np.minimum(counts[:, None], counts).sum(-1)
    alike = least / np.maximum(np.maximum(counts[:, None], counts).sum(-1), 1)
    alike[fold[:, None] == fold] = -1
    found = training_similarity(counts, folds_of(fold))
    np.testing.assert_allclose(found, alike.max(1), atol=1e-6)


def test_a_row_that_no_fold_tests_has_no_similarity_but_is_trained_on():
    counts = np.array([[1, 1], [1, 1], [1, 0]])
    found = training_similarity(counts, [(np.array([0, 2]), np.array([1]))])
    assert np.isnan(found[[0, 2]]).all()
    assert found[1] == 1


def test_a_row_on_both_sides_or_tested_twice_is_named():
    counts = np.eye(4, dtype=int)
    with pytest.raises(NearnessError, match="fold 1: row 2 is tested here and trained on"):
        training_similarity(counts, [(np.array([0, 2]), np.array([2]))])
    twice = [(np.array([0]), np.array([3])), (np.array([1]), np.array([3]))]
    with pytest.raises(NearnessError, match="fold 2: row 3"):
        training_similarity(counts, twice)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_mean_of_the_rows_is_the_brier_score_of_the_run(n_classes):
    rng = np.random.default_rng(0)
    given, truth = rng.dirichlet(np.ones(n_classes), 80), rng.integers(0, n_classes, 80)
    given[:n_classes] = np.eye(n_classes)
    mean = row_brier(given, truth).mean()

    assert mean == pytest.approx(METRICS["brier"].compute(truth, given.argmax(1), given))
    if n_classes == 2:
        assert mean == pytest.approx(brier_score_loss(truth, given[:, 1]))


def test_every_row_falls_into_one_bin_and_limits_belong_to_the_upper_one():
    limits = np.arange(11) / 10
    assert bin_of(limits).tolist() == [*range(10), 9]
    in_float32 = limits.astype(np.float32).astype(np.float64)
    assert bin_of(in_float32).tolist() == [*range(10), 9]


def test_bins_hold_all_known_rows_with_their_errors_from_far_to_near():
    rng = np.random.default_rng(0)
    near, wrong, brier = rng.random(300) * 0.7, rng.random(300) < 0.3, rng.random(300)
    near[:20] = np.nan
    bins = error_by_similarity(near, wrong, brier)

    assert sum(b.errors.n for b in bins) == 280
    assert sum(b.errors.hits for b in bins) == wrong[20:].sum()
    assert [b.low for b in bins] == sorted(b.low for b in bins)
    assert max(b.high for b in bins) <= 0.7 + 1e-9, "empty bins are left out"
    inside = (near >= 0.3) & (near < 0.4)
    found = next(b for b in bins if abs(b.low - 0.3) < 1e-9)
    assert found.brier == pytest.approx(brier[inside].mean())
    assert found.brier_low < found.brier < found.brier_high


def test_a_mean_of_few_rows_has_no_interval_and_a_share_of_one_row_a_wide_one():
    few, many = (
        error_by_similarity(np.full(n, 0.5), np.zeros(n, bool), np.full(n, 0.1))[0]
        for n in (FEWEST - 1, FEWEST)
    )
    assert few.brier_low is None
    assert many.brier_low == many.brier_high == pytest.approx(0.1)
    one = error_by_similarity(np.array([1.0]), np.array([True]), np.array([1.0]))[0]
    assert one.errors.low < 0.3
    assert one.errors.high == 1


def test_no_rows_are_no_bins():
    none = np.zeros(0)
    assert error_by_similarity(none, none.astype(bool), none) == []
    nothing = np.full(3, np.nan)
    assert error_by_similarity(nothing, np.ones(3, bool), np.ones(3)) == []


def test_values_of_other_rows_or_no_similarities_are_refused():
    with pytest.raises(NearnessError, match="3, 2 and 3 values"):
        error_by_similarity(np.zeros(3), np.zeros(2, bool), np.zeros(3))
    with pytest.raises(NearnessError, match=r"1\.5 is not from 0 to 1"):
        error_by_similarity(np.array([1.5]), np.zeros(1, bool), np.zeros(1))
