r"""Venn-Abers calibration: two isotonic answers, one for each class the row may have.

For a new score the isotonic curve is fitted twice, once as if the row were negative, which
gives :math:`p_0`, and once as if it were positive, :math:`p_1`. Where rows can be exchanged,
one of the two is a calibrated probability, on any finite number of rows. They are merged to
the value with the least regret under log-loss,

.. math:: p = \frac{p_1}{1 - p_0 + p_1}

which lies between them and, for n rows, between 1/(n + 2) and (n + 1)/(n + 2). Their distance
says how much the rows to learn from leave open at that score.

No curve is fitted when a row comes. Both are steps in the score that change only at the
scores learnt from, so all steps are computed once, in one pass over the corners of a
cumulative sum diagram, and a query is two binary searches: O(log n). The diagrams hold counts
of rows, so the geometry is in whole numbers, without rounding.

More than two classes are calibrated one against the rest and the merged values divided by
their sum, see `kekule.evaluation.calibration.one_vs_rest`; what was said of validity then
holds for each class against the rest, not for the quotient. Like isotonic calibration it
wants some hundreds of rows, and it may tie rows but turns no pair round.

References
----------
Vovk & Petej 2014, UAI, https://arxiv.org/abs/1211.0025, for the predictor. Vovk, Petej &
Fedorova 2015, NeurIPS, https://arxiv.org/abs/1511.00213, for merging the two and for the steps
in one pass. Manokhin 2017, COPA, PMLR 60, sets pairs of classes against each other instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration import stored
from kekule.evaluation.calibration.one_vs_rest import apply_each, classes_of, fit_each
from kekule.evaluation.calibration.probabilities import (
    Labels,
    Probabilities,
    Scores,
    checked_probabilities,
)

Point = tuple[int, int]  # rows, and positives among them, up to some score


class StepCurves(NamedTuple):
    """Both steps over the score.

    ``lower[i]`` holds from ``lower_at[i - 1]``, itself included, to ``lower_at[i]``;
    ``upper[i]`` from ``upper_at[i - 1]``, itself not included, up to and with ``upper_at[i]``.
    """

    lower_at: Scores  # (l,), rising
    lower: Scores  # (l + 1,), p0, rising
    upper_at: Scores  # (u,), rising
    upper: Scores  # (u + 1,), p1, rising

    def interval(self, scores: Scores) -> tuple[Scores, Scores]:
        """Both answers, p0 and p1, (n,) each."""
        low = self.lower[np.searchsorted(self.lower_at, scores, side="right")]
        return low, self.upper[np.searchsorted(self.upper_at, scores, side="left")]

    def calibrated(self, scores: Scores) -> Scores:
        """Merge both answers."""
        low, high = self.interval(scores)
        merged: Scores = high / (1 - low + high)
        return merged

    def to_json(self) -> dict[str, list[float]]:
        """Steps as lists."""
        return {name: values.tolist() for name, values in self._asdict().items()}


@dataclass(frozen=True, eq=False)
class VennAbers:
    """Steps, for the last of two classes or for each of more."""

    kind: ClassVar[str] = "venn-abers"
    curves: tuple[StepCurves, ...]

    @classmethod
    def fit(cls, probabilities: Probabilities, truth: Labels) -> "VennAbers":
        """Steps of both isotonic fits at every score.

        A class absent from the n rows gets p0 = 0 and, below the rows' largest score, a p1 of
        1/(1 + rows from that score on): little for most rows, up to one half above them all.

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
        return cls(fit_each(fit_step_curves, probabilities, truth))

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Calibrated rows, (n, K)."""
        return apply_each([curve.calibrated for curve in self.curves], probabilities)

    def interval(self, probabilities: Probabilities) -> tuple[Probabilities, Probabilities]:
        """Both answers for each class against the rest before they are merged, (n, K) each.

        Returns
        -------
        tuple
            p0 and p1; p0 is below p1, and rows do not sum to 1.
        """
        n_classes = classes_of(self.curves)
        given = checked_probabilities(probabilities, n_classes)
        if n_classes == 2:
            low, high = self.curves[0].interval(given[:, 1])
            return np.stack([1 - high, low], axis=1), np.stack([1 - low, high], axis=1)
        both = [curve.interval(given[:, k]) for k, curve in enumerate(self.curves)]
        return np.stack([b[0] for b in both], axis=1), np.stack([b[1] for b in both], axis=1)

    def to_json(self) -> dict[str, Any]:
        """State as JSON."""
        return {"kind": self.kind, "curves": [curve.to_json() for curve in self.curves]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "VennAbers":
        """Read what `to_json` gave."""
        return cls(tuple(_read_curves(each) for each in stored.curves(content)))


def fit_step_curves(scores: Scores, positive: NDArray[np.bool_]) -> StepCurves:
    """Both steps of one class.

    Parameters
    ----------
    scores
        float64 (n,), from 0 to 1.
    positive
        bool (n,).
    """
    points, place = np.unique(scores, return_inverse=True)
    rows = np.bincount(place)
    ups = np.bincount(place[positive], minlength=len(points))
    upper = np.array([*_answers_if_positive(rows.tolist(), ups.tolist()), 1.0])
    # With scores and classes turned round, the answer for a negative is that for a positive.
    turned = _answers_if_positive(rows[::-1].tolist(), (rows - ups)[::-1].tolist())
    lower = np.array([0.0, *(1 - value for value in reversed(turned))])
    at_lower, at_upper = np.diff(lower) > 0, np.diff(upper) > 0
    return StepCurves(
        points[at_lower],
        lower[np.concatenate([[True], at_lower])],
        points[at_upper],
        upper[np.concatenate([[True], at_upper])],
    )


def _answers_if_positive(rows: list[int], ups: list[int]) -> list[float]:
    """Isotonic value at each score, when one positive row more has that score.

    In the cumulative sum diagram the one row more is a step (1, 1). It stands before all
    others at first and is passed on over one score after the other, by which one point of the
    diagram moves. Only the corners to the right of it are kept.
    """
    points = list(zip(accumulate(rows, initial=0), accumulate(ups, initial=0), strict=True))
    corners = _lower_hull([(-1, -1), *points])[::-1]
    answers = []
    for x, y in points[1:]:
        left, right = corners[-1], corners[-2]
        answers.append((right[1] - left[1]) / (right[0] - left[0]))
        moved = (x - 1, y - 1)
        if _turn(left, right, moved) >= 0:
            continue
        corners.pop()
        while len(corners) > 1 and _turn(moved, corners[-1], corners[-2]) <= 0:
            corners.pop()
        corners.append(moved)
    return answers


def _lower_hull(points: list[Point]) -> list[Point]:
    """Corners of the greatest convex curve below points of rising x."""
    corners: list[Point] = []
    for point in points:
        while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 0:
            corners.pop()
        corners.append(point)
    return corners


def _turn(a: Point, b: Point, c: Point) -> int:
    """Above 0 where the way from a over b to c bends upwards, which is where c is above a-b."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _read_curves(content: Mapping[str, Any]) -> StepCurves:
    steps = {}
    for name in ("lower", "upper"):
        steps[f"{name}_at"] = stored.rising(content, f"{name}_at", strictly=True)
        steps[name] = stored.rising(content, name, len(steps[f"{name}_at"]) + 1)
    return StepCurves(**steps)
