"""Scores of the top of a ranking, for when only the first few molecules will ever be made.

The area under the ROC curve weighs the thousandth place like the first. A screen whose first
hundred molecules are bought and whose rest is forgotten asks another question. Both scores
here are the mean over all orders of rows of equal score, worked out exactly: the order in
which rows happen to lie in a file changes nothing.

Of little use where a third or more of the rows are positive, as in most sets made for
classification: the first few places are then full for any decent model. On less than a few
hundred rows the top is a handful of them, and the score mostly luck.

Symbols: n rows, P of them positive.
"""

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.ranking import counts_by_score

ALPHA = 20.0  # four fifths of the score come from the first 8 % of the places


def bedroc(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], alpha: float = ALPHA
) -> float:
    """Boltzmann-enhanced discrimination of ROC: places weighted by exp(-alpha · place / n).

    0 with every positive at the end, 1 with every one at the top. A random order has no fixed
    value: it rises with P / n, and only while alpha · P / n is far below 1 are two sets
    comparable.

    Parameters
    ----------
    positive
        (n,), with both kinds among them.
    scores
        (n,), none of them NaN, the likeliest positive highest.
    alpha
        How early is early; above 0. Values of other alphas cannot be compared.

    Raises
    ------
    ValueError
        If a score is NaN.

    References
    ----------
    Truchon & Bayly 2007, J. Chem. Inf. Model. 47:488-508, https://doi.org/10.1021/ci600426e.
    """
    ups, sizes = _from_the_top(positive, scores)
    n, n_positive = len(scores), int(ups.sum())
    weights = np.exp(-alpha * np.arange(1, n + 1) / n)
    first = (np.cumsum(sizes) - sizes).astype(np.int64)
    reached = float(ups @ (np.add.reduceat(weights, first) / sizes))
    best, worst = float(weights[:n_positive].sum()), float(weights[-n_positive:].sum())
    return min(max((reached - worst) / (best - worst), 0.0), 1.0)  # of rounding, no more


def enrichment_factor(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], percent: int
) -> float:
    """Share of positives among the first `percent` % of the rows, over their share in all.

    1 is chance. The largest possible value is n / P, or less where the top holds more than P
    rows, so values of sets with other shares cannot be compared. The top is rounded up to
    whole rows; of rows of equal score at its edge, each counts by the part of them inside.

    Parameters
    ----------
    positive, scores
        As `bedroc` takes them.
    percent
        From 1 to 100.

    Raises
    ------
    ValueError
        If a score is NaN.

    References
    ----------
    Truchon & Bayly 2007, as for `bedroc`, which explains what the choice of `percent` hides.
    """
    ups, sizes = _from_the_top(positive, scores)
    n_top = -(-len(scores) * percent // 100)  # in whole numbers: 140 · 0.05 is above 7
    inside = np.clip((n_top - (np.cumsum(sizes) - sizes)) / sizes, 0, 1)
    return float((ups @ inside) / n_top / (ups.sum() / len(scores)))


def _from_the_top(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positives and rows at each different score, the highest first."""
    ups, downs = counts_by_score(positive, scores)
    return ups[::-1], (ups + downs)[::-1]
