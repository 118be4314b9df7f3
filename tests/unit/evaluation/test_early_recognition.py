"""Scores of the top of a ranking are RDKit's; of what ties, the mean over its orders."""

from itertools import permutations

import numpy as np
import pytest
from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment

from kekule.evaluation import METRICS
from kekule.evaluation.early_recognition import bedroc, enrichment_factor


@pytest.mark.parametrize("alpha", [5.0, 20.0, 160.9])
@pytest.mark.parametrize(("n", "share"), [(2, 0.5), (19, 0.4), (300, 0.02), (1000, 0.7)])
def test_bedroc_without_ties_is_that_of_rdkit(n, share, alpha):
    positive, scores = ranked(n, share)

    theirs = CalcBEDROC(best_first(positive, scores), 0, alpha)
    assert bedroc(positive, scores, alpha) == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("percent", [1, 5, 20])
@pytest.mark.parametrize(("n", "share"), [(19, 0.4), (300, 0.02), (1001, 0.3)])
def test_enrichment_without_ties_is_that_of_rdkit(n, share, percent):
    positive, scores = ranked(n, share)

    (theirs,) = CalcEnrichment(best_first(positive, scores), 0, [percent / 100])
    assert enrichment_factor(positive, scores, percent) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_score_with_ties_is_the_mean_over_all_orders_of_what_ties(seed):
    rng = np.random.default_rng(seed)
    positive, scores = np.arange(6) < 2 + seed % 3, rng.integers(0, 3, 6) / 2
    orders = [list(o) for o in permutations(range(6)) if (np.diff(scores[list(o)]) <= 0).all()]
    tables = [positive[o].reshape(-1, 1).tolist() for o in orders]

    assert len(orders) > 1
    mean = np.mean([CalcBEDROC(table, 0, 20.0) for table in tables])
    assert bedroc(positive, scores) == pytest.approx(mean, abs=1e-12)
    mean = np.mean([CalcEnrichment(table, 0, [0.5])[0] for table in tables])
    assert enrichment_factor(positive, scores, 50) == pytest.approx(mean, abs=1e-12)


def test_real_molecules_of_one_size_are_ranked_in_every_order(packed_mutag, mutag_targets):
    """The mean of RDKit's score over random orders comes as near as chance lets it."""
    size, positive = np.diff(packed_mutag.node_pointer), mutag_targets == 1
    rng, scores = np.random.default_rng(0), []
    for _ in range(400):
        order = np.lexsort([rng.random(len(size)), -size])
        scores.append(CalcBEDROC(positive[order].reshape(-1, 1).tolist(), 0, 20.0))

    error = np.std(scores) / np.sqrt(len(scores))
    assert error > 0
    assert abs(bedroc(positive, size.astype(float)) - np.mean(scores)) < 4 * error


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_order_of_rows_and_scale_of_scores_change_nothing(levels):
    rng = np.random.default_rng(levels)
    positive, scores = rng.random(200) < 0.1, rng.integers(0, levels, 200) / levels
    order = rng.permutation(200)

    for score in (bedroc, lambda *rows: enrichment_factor(*rows, 5)):
        value = score(positive, scores)
        assert score(positive[order], scores[order]) == value
        assert score(positive, np.exp(3 * scores) - 7) == value


@pytest.mark.parametrize("n_positive", [1, 7, 49])
def test_all_positives_at_the_top_score_one_and_at_the_end_zero(n_positive):
    positive = np.arange(50) < n_positive
    place = np.arange(50.0)

    assert bedroc(positive, -place) == pytest.approx(1)
    assert bedroc(positive, place) == pytest.approx(0, abs=1e-9)
    assert bedroc(positive, positive.astype(float)) == pytest.approx(1)  # 0 and 1, nothing else
    assert bedroc(positive, 1.0 - positive) == pytest.approx(0, abs=1e-9)


def test_one_answer_for_all_is_worth_what_chance_is():
    positive, same = np.arange(300) < 12, np.full(300, 0.3)
    orders = [np.random.default_rng(seed).permutation(300) for seed in range(600)]
    random = [bedroc(positive, order.astype(float)) for order in orders]

    assert bedroc(positive, same) == pytest.approx(np.mean(random), abs=0.02)
    assert enrichment_factor(positive, same, 1) == pytest.approx(1)


def test_enrichment_worked_by_hand():
    """Of 140 rows 5 % are seven, not the eight that floating point makes of 140 · 0.05."""
    positive = np.isin(np.arange(140), [0, 2, 7, 100])
    place = np.arange(140.0)

    assert enrichment_factor(positive, -place, 5) == pytest.approx((2 / 7) / (4 / 140))
    assert enrichment_factor(positive, -place, 1) == pytest.approx((1 / 2) / (4 / 140))
    assert enrichment_factor(positive[:9], -place[:9], 1) == pytest.approx(9 / 3)  # one row


def test_what_ties_at_the_edge_of_the_top_counts_in_part():
    """Top two of ten: one sure positive, then one place for four rows of which three are."""
    positive = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1])

    assert enrichment_factor(positive, scores, 20) == pytest.approx(((1 + 3 / 4) / 2) / (4 / 10))


def test_three_classes_are_each_set_against_the_rest():
    rng = np.random.default_rng(1)
    truth, p = rng.integers(0, 3, 200), rng.dirichlet(np.ones(3), 200)
    for name, score in [
        ("bedroc", bedroc),
        ("enrichment_1pct", lambda *rows: enrichment_factor(*rows, 1)),
        ("enrichment_5pct", lambda *rows: enrichment_factor(*rows, 5)),
    ]:
        mean = np.mean([score(truth == k, p[:, k]) for k in range(3)])
        assert METRICS[name].compute(truth, p.argmax(1), p) == pytest.approx(mean)


@pytest.mark.parametrize("score", [bedroc, lambda *rows: enrichment_factor(*rows, 5)])
def test_a_place_in_the_ranking_needs_a_number(score):
    with pytest.raises(ValueError, match="1 of 3 scores are no numbers"):
        score(np.array([True, False, True]), np.array([0.1, np.nan, 0.3]))


def ranked(n, share):
    """Rows of which a share is positive, and scores that like them, none equal."""
    rng = np.random.default_rng(n)
    positive = rng.permutation(np.arange(n) < round(share * n))
    return positive, rng.normal(size=n) + positive


def best_first(positive, scores):
    return positive[np.argsort(-scores)].reshape(-1, 1).tolist()
