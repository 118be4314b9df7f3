"""From calibrated scores of single classes to a distribution over all of them.

Platt, isotonic and Venn-Abers calibration know of two classes. Of K > 2, each class is set
against the rest, and the K calibrated scores of a row are divided by their sum (Zadrozny &
Elkan 2002). The parts are then calibrated, the quotient only nearly so, and the most probable
class can be another than before. Of two classes there is one curve, that of the last.

A class that is in no row to learn from is one that never happened in n rows. It keeps a
small probability: about 1 in n + 2, by Platt's and the isotonic curve whatever its score.

References
----------
Zadrozny & Elkan 2002, Transforming Classifier Scores into Accurate Multiclass Probability
Estimates, KDD.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration.probabilities import (
    Probabilities,
    Scores,
    checked_probabilities,
    checked_rows,
    never_sure,
    paired,
)

Curve = TypeVar("Curve")


def fit_each(
    fit: Callable[[Scores, NDArray[np.bool_]], Curve], probabilities: Any, truth: Any
) -> tuple[Curve, ...]:
    """One curve for the last of two classes, or one for each of more."""
    given, classes = checked_rows(probabilities, truth)
    n_classes = given.shape[1]
    wanted = [1] if n_classes == 2 else range(n_classes)
    return tuple(fit(given[:, k], classes == k) for k in wanted)


def apply_each(curves: Sequence[Callable[[Scores], Scores]], probabilities: Any) -> Probabilities:
    """Distributions (n, K) from the curves of the classes; none is exactly 0 or 1."""
    n_classes = classes_of(curves)
    given = checked_probabilities(probabilities, n_classes)
    if n_classes == 2:
        return paired(never_sure(curves[0](given[:, 1])))
    scores = np.stack([curve(given[:, k]) for k, curve in enumerate(curves)], axis=1)
    scores = never_sure(scores)
    shares: Probabilities = scores / scores.sum(1, keepdims=True)
    return shares


def classes_of(curves: Sequence[object]) -> int:
    """How many classes so many curves are for."""
    return max(len(curves), 2)
