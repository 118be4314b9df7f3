"""Which calibrator: chosen on rows it was not fitted on, the simplest that is as good.

Every candidate is fitted on four fifths of the rows and scored on the last fifth, five times.
The best by log-loss is not taken if a simpler one is within one standard error of it: the
difference of the two is taken row by row, which is far less noisy than either score, and rows
of one group count as one observation. On few rows only calibrators of two numbers or fewer are
candidates; a free curve would learn the noise, and the folds are too few to see that it did.

The scores of the chosen one are slightly too good, since it was chosen by them.
`cross_calibrated` chooses anew in each fold, and what is drawn of it is honest.

Symbols: n rows, K classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.splits.dealing import group_folds
from kekule.evaluation.calibration.calibrator import CALIBRATORS, Calibrator, calibrator_named
from kekule.evaluation.calibration.probabilities import (
    CalibrationError,
    Labels,
    Probabilities,
    checked_rows,
)
from kekule.evaluation.metrics import METRICS

FOLDS = 5
ROWS_FOR_A_CURVE = 50
OF_A_CLASS_FOR_A_CURVE = 10
FOR_FEW_ROWS = ("none", "temperature", "platt")
ALL = tuple(CALIBRATORS)


class CrossValidated(NamedTuple):
    """Scores of a calibrator on rows it was not fitted on; lower is better.

    Attributes
    ----------
    log_loss
        Nats per row.
    brier, ece
        As in `kekule.evaluation.METRICS`.
    behind
        Log-loss less that of the best candidate; 0 for the best.
    error
        Standard error of `behind`; 0 for the best.
    """

    log_loss: float
    brier: float
    ece: float
    behind: float
    error: float


@dataclass(frozen=True, eq=False)
class Choice:
    """A calibrator fitted on all rows, and why it is this one.

    Attributes
    ----------
    calibrator
        Fitted on all the rows.
    name
        Its name in `CALIBRATORS`.
    scores
        Of every candidate, in order of simplicity; empty where the rows cannot be parted.
    why
        A sentence for the reader of a report.
    """

    calibrator: Calibrator
    name: str
    scores: dict[str, CrossValidated]
    why: str


def choose_calibrator(
    probabilities: Probabilities,
    truth: Labels,
    *,
    groups: NDArray[Any] | None = None,
    seed: int = 0,
    candidates: Sequence[str] = ALL,
) -> Choice:
    """Choose by cross-validation inside the given rows, and fit on all of them.

    Parameters
    ----------
    probabilities
        float64 (n, K), of rows the model was not trained on; its out-of-fold predictions will
        do.
    truth
        int64 (n,).
    groups
        (n,). Rows of a group, of a scaffold for one, stay in one fold. Give the groups the
        model's own folds kept together.
    seed
        Which of the many ways to deal rows to folds.
    candidates
        Names in `CALIBRATORS`. With fewer than 50 rows, or 10 of a class, isotonic and
        Venn-Abers are left out; where rows cannot be parted in two, all but ``none`` are.

    Raises
    ------
    CalibrationError
        If a row is no distribution or has no class, or no candidate is left.
    """
    given, classes = checked_rows(probabilities, truth)
    codes = _codes(groups, len(classes))
    names = _usable(candidates, classes, codes, given.shape[1])
    return _chosen(names, given, classes, codes, seed)


def cross_calibrated(
    probabilities: Probabilities,
    truth: Labels,
    *,
    groups: NDArray[Any] | None = None,
    seed: int = 0,
    candidates: Sequence[str] = ALL,
) -> Probabilities:
    """Probabilities (n, K) of each row by a calibrator chosen and fitted on other rows.

    This is for a reliability diagram and scores "after calibration". The calibrator that is
    shipped is that of `choose_calibrator`; it saw all these rows, and would flatter itself on
    them. Takes what `choose_calibrator` does. Where rows cannot be parted in two, they are
    given back uncalibrated.
    """
    given, classes = checked_rows(probabilities, truth)
    codes = _codes(groups, len(classes))
    names = _usable(candidates, classes, codes, given.shape[1])
    if len(names) == 1:
        return _out_of_fold(names[0], given, classes, _folds(classes, codes, seed))
    calibrated = np.empty_like(given)
    for rest, held in _parts(_folds(classes, codes, seed)):
        inner = np.unique(codes[rest], return_inverse=True)[1]
        choice = _chosen(names, given[rest], classes[rest], inner, seed)
        calibrated[held] = choice.calibrator.apply(given[held])
    return calibrated


def _chosen(
    names: Sequence[str], given: Probabilities, classes: Labels, codes: Labels, seed: int
) -> Choice:
    """Simplest of the named that is within one standard error of the best."""
    fold = _folds(classes, codes, seed)
    n_folds = int(fold.max()) + 1
    if n_folds < 2:
        why = f"none: {len(given)} row(s) in one group cannot be parted to choose on"
        return Choice(CALIBRATORS["none"].fit(given, classes), "none", {}, why)
    found = {name: _out_of_fold(name, given, classes, fold) for name in names}
    scores = _scores(found, classes, codes)
    name = next(n for n, score in scores.items() if score.behind <= score.error)
    why = _why(name, scores, n_folds)
    return Choice(CALIBRATORS[name].fit(given, classes), name, scores, why)


def _codes(groups: NDArray[Any] | None, n: int) -> Labels:
    """Groups numbered from 0; without any, each row is its own."""
    if groups is None:
        return np.arange(n)
    given = np.asarray(groups)
    if given.shape != (n,):
        raise CalibrationError(
            f"there are {n} rows and groups of shape {given.shape}",
            "Give the group of each row, or none.",
        )
    return np.unique(given, return_inverse=True)[1].astype(np.int64)


def _usable(
    candidates: Sequence[str], classes: Labels, codes: Labels, n_classes: int
) -> tuple[str, ...]:
    """Candidates that the rows suffice for, the simplest first."""
    wanted = [name for name in candidates if calibrator_named(name)]
    n, rarest = len(classes), int(np.bincount(classes, minlength=n_classes).min())
    few = n < ROWS_FOR_A_CURVE or rarest < OF_A_CLASS_FOR_A_CURVE
    allowed = FOR_FEW_ROWS if few else ALL
    if codes.max() == 0:
        allowed = ("none",)
    names = tuple(name for name in ALL if name in wanted and name in allowed)
    if not names:
        asked = ", ".join(wanted) or "nothing"
        raise CalibrationError(
            f"on {n} rows in {codes.max() + 1} group(s), {rarest} of the rarest class, "
            f"{asked} cannot be chosen from",
            f"Let {' or '.join(allowed)} be a candidate, or give more rows.",
        )
    return names


def _folds(classes: Labels, codes: Labels, seed: int) -> Labels:
    """Fold of each row, classes in proportion, whole groups in one fold."""
    n_groups = int(codes.max()) + 1
    n_folds = min(FOLDS, n_groups)
    if n_groups < len(classes):
        return group_folds(classes[:, None], codes, n_folds, seed=seed)
    order = np.random.default_rng(seed).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(classes), dtype=np.int64)
    fold[order] = np.arange(len(classes)) % n_folds
    return fold


def _parts(fold: Labels) -> Iterator[tuple[Labels, Labels]]:
    """Rows to fit on and rows to apply to, fold by fold."""
    for k in range(int(fold.max()) + 1):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


def _out_of_fold(name: str, given: Probabilities, classes: Labels, fold: Labels) -> Probabilities:
    """Rows calibrated by what was fitted on the other folds."""
    kind = CALIBRATORS[name]
    if fold.max() == 0:  # then `none` alone is usable, and it learns nothing
        return kind.fit(given, classes).apply(given)
    calibrated = np.empty_like(given)
    for rest, held in _parts(fold):
        calibrated[held] = kind.fit(given[rest], classes[rest]).apply(given[held])
    return calibrated


def _scores(
    found: dict[str, Probabilities], classes: Labels, codes: Labels
) -> dict[str, CrossValidated]:
    """Scores of each candidate, and how far and how surely it is behind the best."""
    rows = np.arange(len(classes))
    losses = {name: -np.log(p[rows, classes]) for name, p in found.items()}
    best = losses[min(losses, key=lambda name: float(losses[name].mean()))]
    scores = {}
    for name, p in found.items():
        brier, ece = (METRICS[m].compute(classes, p.argmax(1), p) for m in ("brier", "ece"))
        behind = losses[name] - best
        error = _error_of_mean(behind, codes)
        mean = float(losses[name].mean())
        scores[name] = CrossValidated(mean, brier or 0.0, ece or 0.0, float(behind.mean()), error)
    return scores


def _error_of_mean(values: NDArray[np.float64], codes: Labels) -> float:
    """Standard error of a mean over rows of which those of one group vary together."""
    sums = np.bincount(codes, weights=values - values.mean())
    n_groups = len(sums)
    return float(np.sqrt((sums**2).sum() * n_groups / (n_groups - 1)) / len(values))


def _why(name: str, scores: dict[str, CrossValidated], n_folds: int) -> str:
    best = min(scores, key=lambda each: scores[each].log_loss)
    said = f"{name}: log-loss {scores[name].log_loss:.3f} in {n_folds}-fold cross-validation"
    if "none" in scores and name != "none":
        said += f", {scores['none'].log_loss:.3f} uncalibrated"
    if best != name:
        said += f"; within one standard error of {best} ({scores[best].log_loss:.3f}), and simpler"
    return said
