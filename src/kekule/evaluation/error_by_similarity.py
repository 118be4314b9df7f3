"""How often a model is wrong, by how near a row lies to what its fold was trained on.

A score is a mean over test rows, and a mean over rows that nearly stand in the training rows
says little about rows that do not. Here each row is judged beside its nearest training row, in
bins whose limits are the same for every run, so that two splits of one table can be compared.

The nearest row alone is asked, not the mean over a few as in `kekule.evaluation.domain`: one
near-duplicate is enough for an answer to have been seen rather than foretold.

Symbols: R rows, W columns of counts, C classes, F folds. Below:
`kekule.features.similarity`. Must not know models, molecules or pictures.

References
----------
Sheridan et al. 2004, J. Chem. Inf. Comput. Sci. 44:1912-1928,
https://doi.org/10.1021/ci049782w.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.shares import Z95, Share, share
from kekule.features.similarity import nearest

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

N_BINS: Final = 10  # of width 0.1, from 0 to 1
FEWEST: Final = 10  # rows with which a mean has an interval

Rows = NDArray[np.int64]


class NearnessError(KekuleError, ValueError):
    """Rows that cannot be judged by their similarity."""

    def __init__(self, what: str, why: str, cure: str):
        super().__init__(f"error by similarity: {what}: {why}. {cure}")
        self.what, self.why, self.cure = what, why, cure


class SimilarityBin(NamedTuple):
    """Rows of like similarity to their nearest training row.

    Attributes
    ----------
    low, high
        Limits; the lower one belongs to the bin, and 1 to the last.
    errors
        How many of its rows were given another class than theirs.
    brier
        Mean squared error of the probability, see `row_brier`.
    brier_low, brier_high
        Its 95 % interval, by the normal distribution; None under `FEWEST` rows.
    """

    low: float
    high: float
    errors: Share
    brier: float
    brier_low: float | None
    brier_high: float | None


def training_similarity(
    counts: "Counts", folds: Iterable[tuple[Rows, Rows]]
) -> NDArray[np.float64]:
    """Similarity of each test row to the nearest of the rows that its fold was trained on.

    Parameters
    ----------
    counts
        (R, W) whole numbers from 0, dense or sparse, columns meaning the same in every row.
    folds
        Training and test rows of each, int64, in rows of `counts`; of one seed.

    Returns
    -------
    float64 (R,)
        Min-max similarity, 0 to 1; NaN where no fold tests the row.

    Raises
    ------
    NearnessError
        If a fold trains on a row it tests, or two test one row.
    kekule.features.similarity.SimilarityError
        If the rows are no counts, or a fold trains on none.
    """
    from scipy import sparse

    matrix = sparse.csr_matrix(counts)
    found = np.full(matrix.shape[0], np.nan)
    for number, (train, test) in enumerate(folds, start=1):
        twice = np.union1d(np.intersect1d(train, test), test[~np.isnan(found[test])])
        if len(twice):
            raise NearnessError(
                f"fold {number}",
                f"row {twice[0]} is tested here and trained on, or tested twice",
                "Give the folds of a single seed.",
            )
        if len(test):
            found[test] = nearest(matrix[test], matrix[train]).similarity[:, 0]
    return found


def row_brier(probabilities: NDArray[np.float64], truth: Rows) -> NDArray[np.float64]:
    """Squared error of each row: of the last class's probability, or summed over more than two.

    Parameters
    ----------
    probabilities, truth
        float64 (R, C) and int64 (R,), class numbers.
    """
    off: NDArray[np.float64] = (probabilities - np.eye(probabilities.shape[1])[truth]) ** 2
    summed: NDArray[np.float64] = off[:, -1] if off.shape[1] == 2 else off.sum(axis=1)
    return summed


def error_by_similarity(
    similarity: NDArray[np.float64], wrong: NDArray[np.bool_], brier: NDArray[np.float64]
) -> list[SimilarityBin]:
    """Gather rows into bins of similarity, from far to near; bins without rows are left out.

    Parameters
    ----------
    similarity, wrong, brier
        (R,) each: of `training_similarity`, whether the row was given another class than its
        own, and of `row_brier`. Rows of NaN similarity are left out.

    Raises
    ------
    NearnessError
        If lengths differ, or a similarity is not from 0 to 1.
    """
    if not len(similarity) == len(wrong) == len(brier):
        sizes = f"{len(similarity)}, {len(wrong)} and {len(brier)} values"
        raise NearnessError("rows", f"{sizes} are not of the same rows", "Give one a row.")
    known = ~np.isnan(similarity)
    outside = known & ((similarity < 0) | (similarity > 1))
    if outside.any():
        value = similarity[outside][0]
        raise NearnessError("similarity", f"{value:g} is not from 0 to 1", "Give min-max.")
    place = np.full(len(similarity), -1)
    place[known] = bin_of(similarity[known])
    there = [int(b) for b in np.unique(place) if b >= 0]
    return [_bin(b, wrong[place == b], brier[place == b]) for b in there]


def bin_of(similarity: NDArray[np.float64], n_bins: int = N_BINS) -> Rows:
    """Number of the bin of each similarity, which `nearest` gives in float32.

    A limit such as 0.7 is no number of a computer, so one within its rounding counts as met.
    """
    below = np.floor(similarity * n_bins + 1e-6)
    return np.clip(below, 0, n_bins - 1).astype(np.int64)


def _bin(number: int, wrong: NDArray[np.bool_], brier: NDArray[np.float64]) -> SimilarityBin:
    n, mean = len(wrong), float(brier.mean())
    low = high = None
    if n >= FEWEST:
        reach = Z95 * float(brier.std(ddof=1)) / n**0.5
        low, high = max(mean - reach, 0.0), mean + reach
    limits = (number / N_BINS, (number + 1) / N_BINS)
    return SimilarityBin(*limits, share(int(wrong.sum()), n), mean, low, high)
