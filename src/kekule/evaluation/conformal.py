"""Sets of classes that hold the true one as often as promised, class by class.

A model's probability says how sure it is, not how often it is right. Rows it was not trained
on, the calibration rows, tell how odd a true class may look; a class is kept for a new row
unless it looks odder than all but a share of the calibration rows of that class. Where new
rows and calibration rows are drawn alike, the set misses at most that share of every class,
whatever the model. A set of two classes says "cannot tell"; an empty one, "like neither".

The calculation is that of crepes, which loads pandas and scikit-learn to do it; the tests
hold the p-values here to be its own, bit for bit.

Symbols: n rows, K classes. ``probabilities`` float64 (n, K), ``truth`` int64 (n,) class
numbers. Must not know models, storage or class names.

References
----------
Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World, sec. 4.5 (Mondrian).
Boström 2022, crepes: a Python package for generating conformal regressors and predictive
systems, PMLR 179:24-41.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.metrics import Labels, Probabilities

if TYPE_CHECKING:
    from kekule.evaluation.fold_inputs import FoldResult

SLACK: Final = 1e-9  # 1 - 0.9 is not quite 0.1, and a p-value of 0.1 is to be at that level


class ConformalError(KekuleError, ValueError):
    """Rows that cannot calibrate, or an answer that cannot be turned into a set."""

    def __init__(self, what: str, why: str, cure: str):
        super().__init__(f"conformal: {what}: {why}. {cure}")
        self.what, self.why, self.cure = what, why, cure


def hinge(probabilities: Probabilities) -> NDArray[np.float64]:
    """Oddness of each class: one minus its probability; (n, K)."""
    return 1 - probabilities


def margin(probabilities: Probabilities) -> NDArray[np.float64]:
    """Oddness of each class: the highest probability of another minus its own; (n, K)."""
    order = np.sort(probabilities, axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    is_best = np.arange(probabilities.shape[1]) == probabilities.argmax(1)[:, None]
    odd: NDArray[np.float64] = np.where(is_best, second, best) - probabilities
    return odd


SCORES: dict[str, Callable[[Probabilities], NDArray[np.float64]]] = {
    "hinge": hinge,
    "margin": margin,
}


@dataclass(frozen=True, eq=False)
class Conformal:
    """What calibration rows say of how odd a true class may look.

    Attributes
    ----------
    score
        A key of `SCORES`. With two classes both give the same order; with more, ``hinge``
        tends to fewer classes on average and ``margin`` to more sets of just one (Johansson
        et al. 2017, Model-agnostic nonconformity functions for conformal classification).
    calibration
        K arrays float64 (rows of the class,), ascending: scores of each class on the
        calibration rows that are of it; empty for a class that has none.
    """

    score: str
    calibration: tuple[NDArray[np.float64], ...]

    def p_values(self, probabilities: Probabilities) -> NDArray[np.float64]:
        """Share of each class's rows that look as odd as this one would in that class.

        The row itself is counted, so a p-value is at least 1 / (rows of the class + 1), and 1
        where the class has no calibration row. Ties count in full: without the random numbers
        of smoothing the same row has the same answer, and the promise is kept with a little
        to spare.

        Returns
        -------
        float64 (n, K)
            They do not sum to 1; no p-value is the probability of a class.

        Raises
        ------
        ConformalError
            If the probabilities are of another number of classes, or no probabilities.
        """
        scores = SCORES[self.score](_checked(probabilities, len(self.calibration)))
        columns = [
            (len(known) - np.searchsorted(known, scores[:, k], side="left") + 1) / (len(known) + 1)
            for k, known in enumerate(self.calibration)
        ]
        return np.stack(columns, axis=1)

    def sets(self, probabilities: Probabilities, confidence: float) -> NDArray[np.bool_]:
        """Classes that cannot be excluded at a confidence: those with p > 1 - confidence.

        crepes keeps a class at p = 1 - confidence, too; the promise does not need it.

        Returns
        -------
        bool (n, K)
            Row by row the classes kept: none, one, or more.

        Raises
        ------
        ConformalError
            As `p_values`, or if the confidence is not between 0 and 1.
        """
        return self.p_values(probabilities) > _error_level(confidence) + SLACK

    def never_excluded(self, confidence: float) -> tuple[int, ...]:
        """Classes with fewer calibration rows than `least_rows`, which are in every set."""
        least = least_rows(confidence)
        return tuple(k for k, known in enumerate(self.calibration) if len(known) < least)

    def to_json(self) -> dict[str, Any]:
        """All of it as finite numbers; `from_json` gives the same p-values to the last bit."""
        return {"score": self.score, "calibration": [c.tolist() for c in self.calibration]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Conformal":
        """Restore what `to_json` gave.

        Raises
        ------
        ConformalError
            If it was not given by `to_json`.
        """
        try:
            score, given = told["score"], told["calibration"]
            known = tuple(np.asarray(scores, dtype=np.float64) for scores in given)
        except (KeyError, TypeError, ValueError) as error:
            raise ConformalError("stored state", repr(error), "Calibrate anew.") from None
        if not isinstance(score, str) or score not in SCORES:
            raise _unknown_score(score)
        if len(known) < 2 or not all(c.ndim == 1 and np.isfinite(c).all() for c in known):
            raise ConformalError(
                "stored state", "no list of finite scores for each class", "Calibrate anew."
            )
        return cls(score, tuple(_frozen(scores) for scores in known))


def fit_conformal(
    probabilities: Probabilities, truth: Labels, *, score: str = "hinge"
) -> Conformal:
    """Calibrate on rows that neither trained the model nor chose or calibrated anything.

    Sets then hold the true class of at least the share `confidence` of new rows of every
    class, on average over draws of the calibration rows: those of one draw may give a percent
    or two less, the more so the fewer they are. It needs new rows to be like the calibration
    rows; molecules of a new series are not, and their sets miss more.

    Parameters
    ----------
    probabilities, truth
        float (n, K) and int (n,), as the model answers and as it is.
    score
        A key of `SCORES`.

    Raises
    ------
    ConformalError
        If there is no row, a class number has no column, a probability is none, or there is
        no score of the name.
    """
    if score not in SCORES:
        raise _unknown_score(score)
    given = _checked(probabilities)
    truth = class_numbers(truth, *given.shape)
    if not len(truth):
        raise ConformalError("calibration rows", "there are none", "Hold some rows back.")
    odd = SCORES[score](given)
    return Conformal(score, tuple(_frozen(odd[truth == k, k]) for k in range(given.shape[1])))


def cross_conformal_calibration(
    folds: Iterable["FoldResult"], truth: Labels, *, score: str = "hinge"
) -> Conformal:
    """Calibrate on out-of-fold answers, so that no row need be held back for it.

    What is lost is the promise. Scores are then of the folds' models and the sets of another,
    trained on all rows, so new and calibration rows are no longer scored alike, and no
    coverage holds for every model and every data set: for one that changes wholly when a tenth
    of its rows go, it can fail altogether. Comparing a new row with each fold by that fold's
    own model, as the CV+ of Barber et al. (of classes: Romano et al. 2020) does, would keep
    ``1 - 2 (1 - confidence)`` and a little less, for k models to ship and ask. Vovk finds
    pooled scores valid in practice; a model of all rows is mostly a little better than those
    of the folds, which errs on the safe side. Hold rows back and use `fit_conformal` where the
    promise itself is needed, and measure `coverage` on rows of another source in either case.

    Parameters
    ----------
    folds
        Results of one seed; a row in two of them would count as two.
    truth
        int (R,), of all rows, by their number.
    score
        A key of `SCORES`.

    Raises
    ------
    ConformalError
        If a row is in two folds or beyond ``truth``, or as `fit_conformal`.

    References
    ----------
    Vovk 2015, Cross-conformal predictors, Annals of Mathematics and Artificial Intelligence
    74:9-28, https://arxiv.org/abs/1208.0806. Barber et al. 2021, Predictive inference with
    the jackknife+, Annals of Statistics 49:486-507, https://arxiv.org/abs/1905.02928. Romano,
    Sesia & Candès 2020, Classification with valid and adaptive coverage,
    https://arxiv.org/abs/2006.02544.
    """
    parts = [fold for fold in folds if len(fold.rows)]
    if not parts:
        raise ConformalError("folds", "none has test rows", "Give out-of-fold answers.")
    rows = np.concatenate([fold.rows for fold in parts])
    numbers, times = np.unique(rows, return_counts=True)
    if (times > 1).any():
        row = int(numbers[times.argmax()])
        raise ConformalError(
            f"row {row}", f"it is in {times.max()} folds", "Give the folds of a single seed."
        )
    if numbers[0] < 0 or numbers[-1] >= len(truth):
        raise ConformalError(
            "folds", f"rows {numbers[0]} to {numbers[-1]} of {len(truth)}", "Give all labels."
        )
    answers = np.concatenate([fold.probabilities for fold in parts])
    return fit_conformal(answers, np.asarray(truth)[rows], score=score)


def least_rows(confidence: float) -> int:
    """Calibration rows a class needs before any set can be without it: 1/(1 - confidence) - 1.

    At 90 % they are 9, at 95 % 19, at 99 % 99. With few more than that the sets are valid and
    wide; some hundred make them sharp.
    """
    return ceil(1 / _error_level(confidence) - 1 - SLACK)


def class_numbers(truth: Labels, n_rows: int, n_classes: int) -> Labels:
    """Class numbers as int64 (n,), or an error that names the first that has no class."""
    given = np.asarray(truth)
    if given.shape != (n_rows,) or given.dtype.kind not in "iu":
        raise ConformalError(
            "truth", f"{given.dtype} {given.shape} for {n_rows} rows", "Give a class number each."
        )
    wrong = (given < 0) | (given >= n_classes)
    if wrong.any():
        row = int(wrong.argmax())
        raise ConformalError(
            f"row {row}",
            f"{given[row]} is none of the classes 0 to {n_classes - 1}",
            "Leave out rows without a label.",
        )
    return given.astype(np.int64)


def _checked(probabilities: Probabilities, n_classes: int | None = None) -> Probabilities:
    given = np.asarray(probabilities, dtype=np.float64)
    wanted = "2 or more" if n_classes is None else str(n_classes)
    if given.ndim != 2 or (
        given.shape[1] < 2 if n_classes is None else given.shape[1] != n_classes
    ):
        raise ConformalError(
            "probabilities", f"shape {given.shape} where (n, {wanted}) is needed", "Give (n, K)."
        )
    wrong = ~((given >= 0) & (given <= 1))
    if wrong.any():
        row, k = (int(i) for i in np.argwhere(wrong)[0])
        raise ConformalError(
            f"row {row}, class {k}",
            f"{given[row, k]:g} is no probability",
            "Leave out rows without an answer.",
        )
    return given


def _error_level(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ConformalError(
            "confidence", f"{confidence!r} is not between 0 and 1", "Give a share such as 0.9."
        )
    return 1 - confidence


def _frozen(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(scores)
    ordered.flags.writeable = False
    return ordered


def _unknown_score(score: object) -> ConformalError:
    return ConformalError(
        f"score {score!r}", "there is none of this name", f"Give one of {', '.join(SCORES)}."
    )
