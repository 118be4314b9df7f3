"""How often it was so when the model said so: the numbers of a reliability diagram.

Of two classes it is asked of the probability of the last one; of more, of the probability of
the predicted class (its confidence). Rows are gathered into bins; each has a Wilson interval,
since a bin of ten rows can be far off the diagonal by luck alone. Draw it from rows that
neither the model nor the calibrator was fitted on, see `cross_calibrated`.

Symbols: n rows, K classes, B bins.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration.probabilities import CalibrationError, checked_rows
from kekule.evaluation.shares import wilson_interval

Strategy = Literal["quantile", "uniform"]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Bins that hold rows, in rising order; those that hold none are left out.

    Attributes
    ----------
    counts
        int64 (B,). Rows of each bin.
    confidence
        float64 (B,). Mean of the probability said.
    hit_rate
        float64 (B,). Share of the rows for which it came true.
    low, high
        float64 (B,). 95 % Wilson interval of `hit_rate`.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    hit_rate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def reliability(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    n_bins: int = 10,
    strategy: Strategy = "quantile",
) -> Reliability:
    """Gather rows by the probability said, and count how often it came true.

    Parameters
    ----------
    probabilities
        float64 (n, K).
    truth
        int64 (n,).
    n_bins
        At most so many bins.
    strategy
        ``quantile``: bins of about as many rows each, rows of equal probability in one bin.
        ``uniform``: bins of equal width, as the expected calibration error takes them; where
        one class is rare, nearly all rows are in the first.

    Raises
    ------
    CalibrationError
        If a row is no distribution or has no class, or there is no such way to bin.

    References
    ----------
    Wilson 1927, Journal of the American Statistical Association 22:209-212.
    """
    if strategy not in get_args(Strategy) or not _is_count(n_bins):
        raise CalibrationError(
            f"{n_bins!r} bins by {strategy!r} cannot be made",
            "Use a whole number of 1 or more bins, and quantile or uniform.",
        )
    given, classes = checked_rows(probabilities, truth)
    binary = given.shape[1] == 2
    said = given[:, 1] if binary else given.max(1)
    came_true = classes == 1 if binary else given.argmax(1) == classes
    bins = np.unique(_bins(said, n_bins, strategy), return_inverse=True)[1]
    counts = np.bincount(bins).astype(np.int64)
    hits = np.bincount(bins, weights=came_true).astype(np.float64)
    low, high = wilson_interval(hits, counts)
    confidence = np.bincount(bins, weights=said) / counts
    return Reliability(counts, confidence, hits / counts, low, high)


def _bins(said: NDArray[np.float64], n_bins: int, strategy: Strategy) -> NDArray[np.int64]:
    if strategy == "uniform":
        return np.minimum((said * n_bins).astype(np.int64), n_bins - 1)
    edges = np.quantile(said, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, said, side="left").astype(np.int64)


def _is_count(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and int(value) >= 1
