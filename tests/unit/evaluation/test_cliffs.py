"""Cliffs are what a look at every pair finds, and blindness to them shows as one of two wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from kekule.evaluation.cliffs import (
    CliffError,
    Opposites,
    cliff_errors,
    on_cliff,
    opposites,
    worst_pairs,
)
from kekule.features.fingerprints.table import fingerprint_named, fingerprints


def min_max(one, other):
    """The definition, pair by pair."""
    least = np.minimum(one[:, None], other).sum(-1)
    most = np.maximum(one[:, None], other).sum(-1)
    return np.where(most > 0, least / np.maximum(most, 1), 1.0)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_row_of_another_class_is_that_of_all_pairs(n_classes, seed):
    rng = np.random.default_rng(seed)
    counts, truth = rng.poisson(0.4, (60, 30)), rng.integers(-1, n_classes, 60)
    found = opposites(counts, truth)

    alike = min_max(counts, counts)
    alike[(truth[:, None] == truth) | (truth < 0)[:, None] | (truth < 0)] = -1
    known = truth >= 0
    np.testing.assert_allclose(found.similarity[known], alike.max(1)[known], atol=1e-6)
    rows = np.arange(60)[known]
    np.testing.assert_allclose(alike[rows, found.rows[known]], alike.max(1)[known])
    assert np.isnan(found.similarity[~known]).all()
    assert (found.rows[~known] == -1).all()


def test_rows_that_are_not_asked_about_are_still_opposites_of_others():
    rng = np.random.default_rng(0)
    counts, truth = rng.poisson(0.4, (40, 20)), np.arange(40) % 2
    some, whole = opposites(counts, truth, asked=np.array([3, 7])), opposites(counts, truth)

    assert np.flatnonzero(~np.isnan(some.similarity)).tolist() == [3, 7]
    assert some.rows[[3, 7]].tolist() == whole.rows[[3, 7]].tolist()


def test_the_order_of_rows_changes_nothing_but_their_numbers():
    rng = np.random.default_rng(1)
    counts, truth = rng.poisson(0.4, (50, 20)), rng.integers(0, 2, 50)
    order = rng.permutation(50)
    found, moved = opposites(counts, truth), opposites(counts[order], truth[order])
    np.testing.assert_array_equal(moved.similarity, found.similarity[order])


@pytest.mark.parametrize("n", [0, 1, 5])
def test_rows_of_one_class_have_no_opposite(n):
    found = opposites(sparse.csr_matrix((n, 4)), np.zeros(n, dtype=np.int64))
    assert np.isnan(found.similarity).all()
    assert cliff_errors(found.similarity, np.ones(n, dtype=bool)).on.n == 0


def test_stereoisomers_of_different_classes_are_a_cliff_of_similarity_one():
    smiles = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "c1ccccc1"]
    counts = fingerprints(smiles, [fingerprint_named("ecfp")]).values["ecfp"]
    found = opposites(counts, np.array([0, 1, 1]))

    assert found.similarity[:2].tolist() == [1, 1]
    assert found.rows[:2].tolist() == [1, 0]
    assert on_cliff(found.similarity).tolist() == [True, True, False]


def test_every_row_is_counted_once_on_a_cliff_or_off_it_and_once_in_a_step():
    similarity = np.array([0.1, 0.6, 0.65, 0.7999, 0.8, 0.95, 1.0, np.nan])
    wrong = np.array([False, True, False, False, True, True, False, True])
    found = cliff_errors(similarity.astype(np.float32).astype(np.float64), wrong)

    assert found.on[:2] == (2, 3)
    assert found.off[:2] == (1, 4)
    assert found.gap.value == pytest.approx(2 / 3 - 1 / 4)
    assert found.gap.low < found.gap.value < found.gap.high
    steps = [(step.low, step.high, step.errors.n) for step in found.steps]
    assert steps == [(0, 0.6, 1), (0.6, 0.7, 2), (0.7, 0.8, 1), (0.8, 0.9, 1), (0.9, 1, 2)]


def test_a_model_that_sees_no_difference_is_wrong_on_every_second_row_of_a_cliff():
    similarity, rng = np.full(400, 0.9), np.random.default_rng(0)
    said = np.repeat(rng.integers(0, 2, 200), 2)
    found = cliff_errors(similarity, said != np.arange(400) % 2)
    assert found.on.value == 0.5
    assert found.off.n == 0
    assert found.gap == (None, None, None)


def test_the_worst_pair_is_the_one_each_of_whose_rows_was_taken_for_the_other():
    found = Opposites(np.array([0.9, 0.9, 0.85, 0.85, 0.5]), np.array([1, 0, 3, 2, 0]))
    chance = np.array([0.6, 0.4, 0.1, 0.2, 0.0])
    pairs = worst_pairs(found, chance, 5)

    assert [(p.first, p.second) for p in pairs] == [(2, 3), (0, 1)]
    assert worst_pairs(found, chance, 1) == pairs[:1]


def test_a_pair_seen_from_both_sides_is_one_and_a_row_without_an_answer_counts_a_half():
    found = Opposites(np.array([0.9, 0.9, 0.9, 0.95, 0.95]), np.array([1, 0, 1, 4, 3]))
    chance = np.array([0.5, np.nan, 0.1, np.nan, np.nan])
    pairs = worst_pairs(found, chance, 9)
    assert [(p.first, p.second) for p in pairs] == [(1, 2), (0, 1)]


def test_truth_of_other_rows_is_refused_with_both_sizes():
    with pytest.raises(CliffError, match=r"shape \(2,\) for 3 rows"):
        opposites(np.eye(3, dtype=int), np.zeros(2, dtype=np.int64))


def test_a_cliff_of_bbbp_has_a_row_of_another_class_to_which_it_is_no_further(data_root):
    path = data_root / "moleculenet" / "BBBP.csv"
    if not path.exists():
        pytest.skip("BBBP is not there")
    table = pd.read_csv(path).iloc[:500]
    counts = fingerprints(table["smiles"].tolist(), [fingerprint_named("ecfp")]).values["ecfp"]
    truth = table["p_np"].to_numpy(dtype=np.int64)
    found = opposites(counts, truth)
    cliff = on_cliff(found.similarity)

    assert 0 < cliff.sum() < 100
    assert (truth[cliff] != truth[found.rows[cliff]]).all()
    back = found.similarity[found.rows[cliff]]
    assert (back >= found.similarity[cliff] - 1e-6).all(), "its partner has one at least as near"
