"""Scores that need a ranking or a table of counts, in a few lines of NumPy each.

scikit-learn has them too. Importing it takes a third of a second in every process that
trains, and nothing else there is asked of it. The tests hold these to its values.

Symbols: n rows, K classes.
"""

import numpy as np
from numpy.typing import NDArray


def area_under_roc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Chance that a positive is scored above a negative; a tie counts half.

    Parameters
    ----------
    positive
        (n,), with both kinds among them.
    scores
        (n,), none of them NaN.
    """
    ups, downs = counts_by_score(positive, scores)
    below = np.cumsum(downs) - downs / 2
    return float((ups * below).sum() / (ups.sum() * downs.sum()))


def average_precision(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Precision at each score that holds positives, weighted by how many: no interpolation.

    Takes what `area_under_roc` does.
    """
    ups, downs = (counts[::-1] for counts in counts_by_score(positive, scores))
    precision = np.cumsum(ups) / np.cumsum(ups + downs)
    return float((ups * precision).sum() / ups.sum())


def recall_at_precision(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], floor: float
) -> float:
    """Largest share of the positives found by a threshold that keeps to a precision.

    Rows of equal score enter together, so no threshold lies between them. 0 where no
    threshold reaches the precision. Chosen on the very rows it is read from, it flatters on
    few of them: ask it what a list of hits could hold, not where to put the threshold.

    Parameters
    ----------
    positive, scores
        As `area_under_roc` takes them.
    floor
        Least precision, from 0 to 1.
    """
    ups, downs = (np.cumsum(counts[::-1]) for counts in counts_by_score(positive, scores))
    reached = ups / (ups + downs) >= floor
    return float(ups[reached].max(initial=0.0) / ups[-1])


def matthews_correlation(truth: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Correlation of truth and label, (n,) class numbers each, neither of them constant.

    Gorodkin 2004, Computational Biology and Chemistry 28:367-374, for more than two classes.
    """
    n_classes = int(max(truth.max(), labels.max())) + 1
    true = np.bincount(truth, minlength=n_classes).astype(np.float64)
    given = np.bincount(labels, minlength=n_classes).astype(np.float64)
    n, right = float(len(truth)), float((truth == labels).sum())
    spread = np.sqrt((n * n - true @ true) * (n * n - given @ given))  # one root: 1 stays 1
    return float((right * n - true @ given) / spread)


def counts_by_score(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positives and negatives at each different score, the lowest first."""
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are no numbers")
    values, place = np.unique(scores, return_inverse=True)
    ups = np.bincount(place, weights=positive, minlength=len(values)).astype(np.float64)
    return ups, np.bincount(place, minlength=len(values)) - ups
