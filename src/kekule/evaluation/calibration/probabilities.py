"""Class probabilities as every calibrator takes and gives them: checked, and never quite sure.

No calibrator says 0 or 1: on finitely many rows nobody can know that. Probabilities are drawn
towards the middle, p to f + (1 - K f) p with f = `LEAST`, before a logarithm is taken of them
and before they are handed out. That moves them by less than a millionth, keeps their order,
and keeps a model that said 0 of what then happened from costing infinitely much.

Symbols: n rows, K classes. Knows NumPy; must not know models, files or how truth came about.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Scores = NDArray[np.float64]  # (n,), probability of one class

LEAST = 1e-6
SUM_TOLERANCE = 1e-4  # of rows that were computed in float32


class CalibrationError(KekuleError, ValueError):
    """Rows a calibrator cannot be fitted on or applied to, or one that was stored amiss."""

    def __init__(self, why: str, cure: str):
        super().__init__(f"calibration: {why}. {cure}")
        self.why, self.cure = why, cure


def checked_probabilities(probabilities: Any, n_classes: int | None = None) -> Probabilities:
    """Rows that are distributions, as float64 (n, K) whose sums are 1 to rounding.

    Of two classes the last column is believed and the first made to fit it, so that the order
    of the rows by it is kept to the last digit.

    Raises
    ------
    CalibrationError
        If the shape is another, or a row is no distribution; names the first such row.
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] < 2 or n_classes not in (None, given.shape[1]):
        wanted = "K >= 2" if n_classes is None else f"K = {n_classes}"
        raise CalibrationError(
            f"probabilities have shape {given.shape}, not (n, K) with {wanted}",
            "Give one column for each class the model knows, of one task at a time.",
        )
    fine = np.isfinite(given) & (given >= -LEAST) & (given <= 1 + LEAST)
    bad = ~fine.all(1) | ~(np.abs(np.where(fine, given, 0).sum(1) - 1) <= SUM_TOLERANCE)
    if bad.any():
        row = int(bad.argmax())
        raise CalibrationError(
            f"row {row} is no distribution over the classes: {given[row].tolist()[:6]}",
            "Give probabilities, not logits, and leave out rows without a prediction.",
        )
    given = given.clip(0, 1)
    return paired(given[:, 1]) if given.shape[1] == 2 else given / given.sum(1, keepdims=True)


def checked_rows(probabilities: Any, truth: Any) -> tuple[Probabilities, Labels]:
    """Rows to learn from: distributions, and the class of each.

    Raises
    ------
    CalibrationError
        If there is no row, the lengths differ, or a class is missing or out of range.
    """
    given, classes = checked_probabilities(probabilities), np.asarray(truth)
    n, n_classes = given.shape
    if classes.shape != (n,) or n == 0:
        raise CalibrationError(
            f"there are {n} rows of probabilities and classes of shape {classes.shape}",
            "Give one class number for each row, and at least one row.",
        )
    whole = np.issubdtype(classes.dtype, np.integer)
    bad = (classes < 0) | (classes >= n_classes) if whole else np.ones(n, dtype=bool)
    if bad.any():
        row = int(bad.argmax())
        raise CalibrationError(
            f"row {row} has class {classes[row]!s}, not a whole number from 0 to {n_classes - 1}",
            "Leave out rows whose label is missing; they teach nothing.",
        )
    return given, classes.astype(np.int64)


def never_sure(probabilities: Probabilities, n_classes: int = 2) -> Probabilities:
    """Draw probabilities, of any shape, from [0, 1] into [LEAST, 1 - (K - 1) LEAST]."""
    return LEAST + (1 - n_classes * LEAST) * probabilities


def log_odds(scores: Scores) -> Scores:
    """Logarithm of p / (1 - p), finite at 0 and 1 too and rising: at most 13.8 in size."""
    inside = never_sure(scores)
    rising: Scores = np.log(inside) - np.log1p(-inside)
    return rising


def logistic(log_odds: Scores) -> Scores:
    """Probability that has these log-odds, without overflow at either end."""
    small = np.exp(-np.abs(log_odds))
    p: Scores = np.where(log_odds >= 0, 1.0, small) / (1 + small)
    return p


def paired(scores: Scores) -> Probabilities:
    """Both columns of two classes from the last one."""
    return np.stack([1 - scores, scores], axis=1)


def softmax(logits: Probabilities) -> Probabilities:
    """Distributions (n, K) that have these logarithms, up to a constant of each row."""
    parts = np.exp(logits - logits.max(1, keepdims=True))
    shares: Probabilities = parts / parts.sum(1, keepdims=True)
    return shares
