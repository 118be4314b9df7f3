"""Scores by rank agree with scikit-learn, ties among them, and refuse what is no number."""

import numpy as np
import pytest
from sklearn import metrics as sk

from kekule.evaluation.ranking import (
    area_under_roc,
    average_precision,
    matthews_correlation,
)


@pytest.mark.parametrize("levels", [2, 5, 1000])
@pytest.mark.parametrize("seed", range(4))
def test_ranking_scores_with_ties_are_those_of_scikit_learn(levels, seed):
    rng = np.random.default_rng(seed)
    positive = rng.random(200) < 0.2
    scores = rng.integers(0, levels, 200) / levels + 0.1 * positive.round()

    assert area_under_roc(positive, scores) == pytest.approx(
        sk.roc_auc_score(positive, scores), abs=1e-12
    )
    assert average_precision(positive, scores) == pytest.approx(
        sk.average_precision_score(positive, scores), abs=1e-12
    )


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_the_correlation_is_that_of_scikit_learn_and_one_where_all_is_right(n_classes):
    rng = np.random.default_rng(n_classes)
    truth, labels = rng.integers(0, n_classes, (2, 60))

    assert matthews_correlation(truth, labels) == pytest.approx(
        sk.matthews_corrcoef(truth, labels), abs=1e-12
    )
    assert matthews_correlation(truth, truth) == 1


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="1 of 3 scores are no numbers"):
        area_under_roc(np.array([True, False, True]), np.array([0.1, np.nan, 0.3]))
