"""Isotonic calibration: the rising curve that lies nearest to what happened.

No shape is assumed but that a higher score means a higher chance, so it can mend any bend, and
needs some hundreds of rows to do it: on few it learns their noise. Between the scores it was
fitted on it goes in straight lines. Flat pieces tie rows that the model told apart, which
costs a little area under the ROC curve; it turns no pair round.

A pure end of the curve would say 0 or 1. No curve says less than 1/(n + 2) or more than
(n + 1)/(n + 2) of n rows, which is Laplace's rule for n rows of the same kind.

More than two classes are calibrated one against the rest, see
`kekule.evaluation.calibration.one_vs_rest`.

References
----------
Zadrozny & Elkan 2002, KDD, for the use; Ayer et al. 1955, Annals of Mathematical Statistics
26:641-647, for pooling adjacent violators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration import stored
from kekule.evaluation.calibration.one_vs_rest import apply_each, fit_each
from kekule.evaluation.calibration.probabilities import (
    CalibrationError,
    Labels,
    Probabilities,
    Scores,
)


class RisingCurve(NamedTuple):
    """Corners of a curve that never falls."""

    scores: Scores  # (m,), rising
    values: Scores  # (m,), never falling

    def calibrated(self, scores: Scores) -> Scores:
        """Go in straight lines between corners, and level beyond the first and the last."""
        x, y = self.scores, self.values
        if len(x) == 1:
            return np.full(len(scores), y[0])
        inside = np.clip(scores, x[0], x[-1])
        right = np.clip(np.searchsorted(x, inside, side="right"), 1, len(x) - 1)
        left = right - 1
        way = (inside - x[left]) / (x[right] - x[left])
        # Rounding must not lift a point above the corner it leads to: that would turn a pair.
        value: Scores = np.minimum(y[left] + way * (y[right] - y[left]), y[right])
        return value

    def to_json(self) -> dict[str, list[float]]:
        """Corners as lists."""
        return {"scores": self.scores.tolist(), "values": self.values.tolist()}


@dataclass(frozen=True, eq=False)
class Isotonic:
    """Rising curves, one for the last of two classes or one for each of more."""

    kind: ClassVar[str] = "isotonic"
    curves: tuple[RisingCurve, ...]

    @classmethod
    def fit(cls, probabilities: Probabilities, truth: Labels) -> "Isotonic":
        """Curves of least squared distance to the truth.

        A class absent from the rows gets 1/(n + 2) whatever its score.

        Parameters
        ----------
        probabilities
            float64 (n, K), of rows the model was not trained on; a few hundred at least.
        truth
            int64 (n,).

        Raises
        ------
        CalibrationError
            If a row is no distribution or has no class.
        """
        return cls(fit_each(fit_rising_curve, probabilities, truth))

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Calibrated rows, (n, K)."""
        return apply_each([curve.calibrated for curve in self.curves], probabilities)

    def to_json(self) -> dict[str, Any]:
        """State as JSON."""
        return {"kind": self.kind, "curves": [curve.to_json() for curve in self.curves]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Isotonic":
        """Read what `to_json` gave."""
        return cls(tuple(_read_curve(each) for each in stored.curves(content)))


def fit_rising_curve(scores: Scores, positive: NDArray[np.bool_]) -> RisingCurve:
    """Isotonic regression of one class on its score; equal scores are one point.

    Parameters
    ----------
    scores
        float64 (n,), from 0 to 1.
    positive
        bool (n,).
    """
    from scipy.optimize import isotonic_regression  # only those who calibrate need it

    n = len(scores)
    points, place = np.unique(scores, return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    shares = np.bincount(place, weights=positive) / rows
    values = isotonic_regression(shares, weights=rows).x.clip(1 / (n + 2), (n + 1) / (n + 2))
    values = np.maximum.accumulate(values)
    level = np.diff(values) == 0
    inner = np.concatenate([[False], level[:-1] & level[1:], [False]])[: len(points)]
    return RisingCurve(points[~inner], values[~inner])


def _read_curve(content: Mapping[str, Any]) -> RisingCurve:
    scores = stored.rising(content, "scores", strictly=True)
    if not len(scores):
        raise CalibrationError("a stored curve has no corner", stored.AGAIN)
    return RisingCurve(scores, stored.rising(content, "values", len(scores)))
