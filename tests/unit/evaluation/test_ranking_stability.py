"""What tops of rankings share is between chance and all, and is chance where it is chance."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import hypergeom

from kekule.evaluation.ranking_stability import RankingError, jaccard_by_chance, top_lists


def test_hand_counted_lists():
    scores = np.array([[9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0], [9, 0, 8, 1, 2, 3, 4, 5, 6, 7]])
    (found,) = top_lists(scores, (30,))

    assert (found.k, found.n) == (3, 10)
    assert found.jaccard == pytest.approx(2 / 4)  # {0, 1, 2} and {0, 2, 9}
    assert found.in_every == pytest.approx(2 / 3)
    assert found.in_every_by_chance == pytest.approx(0.3)


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_the_values_are_those_of_sets(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=100) + rng.normal(size=(4, 100))
    for found in top_lists(scores, (1, 5, 10, 60, 100)):
        lists = [set(np.argsort(-of_seed)[: found.k].tolist()) for of_seed in scores]
        pairs = [len(a & b) / len(a | b) for a, b in combinations(lists, 2)]
        assert found.jaccard == pytest.approx(np.mean(pairs))
        assert found.in_every == pytest.approx(len(set.intersection(*lists)) / found.k)


def test_equal_rankings_share_everything_and_a_rising_scale_changes_nothing():
    scores = np.random.default_rng(0).random(50)
    for found in top_lists(np.stack([scores, np.exp(5 * scores), 3 * scores - 1])):
        assert found.jaccard == found.in_every == pytest.approx(1)


def test_the_order_of_rows_and_seeds_changes_nothing():
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 6, (3, 80)) / 5
    moved = scores[rng.permutation(3)][:, rng.permutation(80)]
    assert np.allclose(top_lists(scores), top_lists(moved))


@pytest.mark.parametrize("n_seeds", [2, 3])
def test_a_model_that_gives_every_row_one_score_shares_what_chance_shares(n_seeds):
    (found,) = top_lists(np.zeros((n_seeds, 1000)), (10,))
    assert found.in_every == pytest.approx(found.in_every_by_chance)
    assert found.jaccard == pytest.approx(found.jaccard_by_chance, rel=0.02)


def test_of_ties_at_the_edge_the_value_is_the_mean_over_ways_to_break_them():
    scores, rng = np.array([[3.0, 1, 1, 1, 0, 0], [3, 2, 2, 0, 0, 0]]), np.random.default_rng(0)
    (found,) = top_lists(scores, (33,))
    shared = []
    for _ in range(4000):
        tops = [set(np.lexsort([rng.random(6), -s])[: found.k].tolist()) for s in scores]
        shared.append(len(tops[0] & tops[1]) / found.k)
    assert found.k == 2
    assert found.in_every == pytest.approx(np.mean(shared), abs=0.02)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (10, 1), (10, 4), (10, 9), (10, 10), (500, 25)])
def test_the_jaccard_of_chance_is_that_of_the_hypergeometric_distribution(n, k):
    both = np.arange(k + 1)
    expected = (hypergeom(n, k, k).pmf(both) * both / (2 * k - both)).sum()
    assert jaccard_by_chance(n, k) == pytest.approx(expected)


def test_lists_of_random_scores_share_about_what_chance_says():
    scores = np.random.default_rng(0).random((40, 300))
    (found,) = top_lists(scores, (10,))
    assert found.jaccard == pytest.approx(found.jaccard_by_chance, abs=0.005)


def test_a_list_is_rounded_up_to_whole_rows():
    assert [found.k for found in top_lists(np.zeros((2, 188)))] == [2, 10, 19]
    assert [found.k for found in top_lists(np.zeros((2, 1)))] == [1, 1, 1]


@pytest.mark.parametrize(
    ("scores", "percents", "message"),
    [
        (np.zeros((1, 5)), (1,), "two seeds"),
        (np.zeros((2, 0)), (1,), "two seeds"),
        (np.zeros(5), (1,), "two seeds"),
        (np.array([[0.0, 1.0], [0.0, np.nan]]), (1,), "seed 1, row 1: no score"),
        (np.zeros((2, 5)), (0,), "0 is not from 1 to 100"),
        (np.zeros((2, 5)), (5, 101), "101 is not from 1 to 100"),
    ],
)
def test_what_has_no_lists_is_refused_by_name(scores, percents, message):
    with pytest.raises(RankingError, match=message):
        top_lists(scores, percents)
