r"""Platt scaling: a logistic curve over the log-odds, with two numbers for each class.

.. math:: q = \sigma(a \, \mathrm{logit}(p) + b)

a is the boldness, as temperature is, and b shifts all scores towards one class: the cure for a
model trained with another share of positives than it will meet. The truths are not taken as 0
and 1 but as what Bayes' rule would make of them, so that rows that a curve can part without
error do not push a to infinity.

More than two classes are calibrated one against the rest, see
`kekule.evaluation.calibration.one_vs_rest`. Not the choice where a reliability diagram is bent
like an S or a hook: use isotonic or Venn-Abers there, with more rows.

References
----------
Platt 1999, Probabilistic Outputs for Support Vector Machines, in Advances in Large Margin
Classifiers, MIT Press. Lin, Lin & Weng 2007, Machine Learning 68:267-276, for Newton's method
with a line search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration import stored
from kekule.evaluation.calibration.one_vs_rest import apply_each, fit_each
from kekule.evaluation.calibration.probabilities import (
    Labels,
    Probabilities,
    Scores,
    log_odds,
    logistic,
)
from kekule.evaluation.calibration.rising_root import rising_root

LEAST_SLOPE = 0.05  # at 0 or below, the order of the rows would be lost or turned round
STEPS = 100
SMALL = 1e-10  # gradient of a row at which Newton's method has arrived
RIDGE = 1e-12  # where all scores are equal, slope and shift cannot be told apart
LARGEST = 1e9  # slope or shift that a stored curve may have


class LogisticCurve(NamedTuple):
    """Slope and shift over log-odds."""

    slope: float
    shift: float

    def calibrated(self, scores: Scores) -> Scores:
        """Calibrate scores (n,) of one class, from 0 to 1."""
        return logistic(self.slope * log_odds(scores) + self.shift)


@dataclass(frozen=True)
class Platt:
    """Logistic curves, one for the last of two classes or one for each of more."""

    kind: ClassVar[str] = "platt"
    curves: tuple[LogisticCurve, ...]

    @classmethod
    def fit(cls, probabilities: Probabilities, truth: Labels) -> "Platt":
        """Curves of largest likelihood under the prior-corrected targets.

        A class absent from the rows gets the least slope and about one chance in n + 2.

        Parameters
        ----------
        probabilities
            float64 (n, K), of rows the model was not trained on.
        truth
            int64 (n,).

        Raises
        ------
        CalibrationError
            If a row is no distribution or has no class.
        """
        return cls(fit_each(fit_logistic_curve, probabilities, truth))

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Calibrated rows, (n, K)."""
        return apply_each([curve.calibrated for curve in self.curves], probabilities)

    def to_json(self) -> dict[str, Any]:
        """State as JSON."""
        return {"kind": self.kind, "curves": [curve._asdict() for curve in self.curves]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Platt":
        """Read what `to_json` gave."""
        return cls(tuple(_read_curve(each) for each in stored.curves(content)))


def fit_logistic_curve(scores: Scores, positive: NDArray[np.bool_]) -> LogisticCurve:
    """Slope and shift for one class.

    Parameters
    ----------
    scores
        float64 (n,), from 0 to 1.
    positive
        bool (n,).
    """
    x = log_odds(scores)
    ups, downs = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (ups + 1) / (ups + 2), 1 / (downs + 2))
    curve = _newton(x, targets, LogisticCurve(0.0, float(np.log((ups + 1) / (downs + 1)))))
    if curve.slope >= LEAST_SLOPE:
        return curve
    # The loss is convex: where its minimum lies beyond the bound, the best there is is on it.
    steps = LEAST_SLOPE * x

    def surplus(shift: float) -> float:
        return float((logistic(steps + shift) - targets).sum())

    return LogisticCurve(LEAST_SLOPE, rising_root(surplus, -50.0, 50.0))


def _newton(x: Scores, targets: Scores, start: LogisticCurve) -> LogisticCurve:
    """Least cross-entropy; each step is halved until the loss falls."""
    columns = np.stack([x, np.ones_like(x)], axis=1)
    place = np.array(start)
    loss = _cross_entropy(columns @ place, targets)
    for _ in range(STEPS):
        p = logistic(columns @ place)
        gradient = columns.T @ (p - targets)
        if np.abs(gradient).max() < SMALL * len(x):
            break
        curvature = (columns * (p * (1 - p))[:, None]).T @ columns + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while (new := _cross_entropy(columns @ (place - step), targets)) > loss:
            step /= 2
            if np.abs(step).max() < RIDGE:
                return LogisticCurve(*place.tolist())
        place, loss = place - step, new
    return LogisticCurve(*place.tolist())


def _cross_entropy(logits: Scores, targets: Scores) -> float:
    return float((np.logaddexp(0, logits) - targets * logits).sum())


def _read_curve(content: Mapping[str, Any]) -> LogisticCurve:
    slope = stored.number(content, "slope", LEAST_SLOPE, LARGEST)
    return LogisticCurve(slope, stored.number(content, "shift", -LARGEST, LARGEST))
