"""Intervals for a score on a single test set, by drawing its rows again with replacement.

One test set has no spread to judge by but that of its own rows. The interval says how far the
score would move with other molecules of the same kind. It does not know that another training
would give another model; of a way of training `comparison` speaks, from folds.

Rows are drawn class by class, as many of each as there are, so no draw lacks a class and the
interval is one at these class counts. Where rows come in families (one scaffold, one lab),
single rows pretend to more evidence than there is: with `groups` families are drawn whole.
The ends are those of the bias-corrected and accelerated method (BCa), or plain percentiles
where that cannot be worked out; `method` says which.

Knows metrics as callables. Must not know models, folds or files.

Symbols: n rows, K classes, B resamples; a unit is a row or a group, a stratum the units of one
class or all groups.

References
----------
Efron 1987, Better Bootstrap Confidence Intervals, J. Am. Stat. Assoc. 82:171-185.
Davison & Hinkley 1997, Bootstrap Methods and their Application, ch. 5, for several strata.
Field & Welsh 2007, Bootstrapping clustered data, J. R. Stat. Soc. B 69:369-390.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.comparison import DIGITS
from kekule.evaluation.metrics import Labels, Metric, Probabilities

JACKKNIFE = 2000  # units; leaving out each of more would cost more than the resamples do
Answers = tuple[Labels, Probabilities]
Rows = NDArray[np.int64]
ScoreOfRows = Callable[[Rows], float | None]


class BootstrapError(KekuleError, ValueError):
    """Arguments no interval can be drawn from, naming the one at fault."""

    def __init__(self, argument: str, why: str, cure: str):
        super().__init__(f"bootstrap: {argument}: {why}. {cure}")
        self.argument, self.why, self.cure = argument, why, cure


class Interval(NamedTuple):
    """Where a score lies, and how that was found.

    Attributes
    ----------
    low, high
        Ends of the interval. None where the score has no value, fewer than half of the
        resamples have one, or all have the same: no spread was seen, which is not to say that
        there is none.
    method
        In words, for a reader of the report.
    defined
        On how many resamples the score has a value; the interval is one given that it has.
    """

    low: float | None
    high: float | None
    method: str
    defined: int


@dataclass(frozen=True)
class _Units:
    """What is drawn, stratum by stratum; unit u is `rows[start[u] : start[u + 1]]`."""

    rows: Rows
    start: Rows
    strata: tuple[Rows, ...]

    def rows_of(self, units: Rows) -> Rows:
        """Rows of the units, unit after unit."""
        sizes = self.start[units + 1] - self.start[units]
        offset = self.start[units] - (np.cumsum(sizes) - sizes)
        places: Rows = np.repeat(offset, sizes) + np.arange(sizes.sum())
        return np.take(self.rows, places)


def bootstrap_interval(
    metric: Metric,
    truth: Labels,
    labels: Labels,
    probabilities: Probabilities,
    *,
    groups: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of a score of one model on one test set.

    Not for `ece`, which the mere repeats of rows in a resample raise, nor for very few rows: a
    class of ten has no tails to draw from, a class of one none at all, and the interval is too
    narrow.

    Parameters
    ----------
    metric
        Such as one of `METRICS`.
    truth, labels
        (n,) class numbers, none missing.
    probabilities
        (n, K).
    groups
        (n,) number of the family of each row, such as of its scaffold. Families are drawn
        whole, whatever their classes; a resample may then lack a class.
    resamples
        B; at least one beyond each end of the interval.
    confidence
        Share of test sets whose interval should hold the score, between 0 and 1.
    seed
        The same seed gives the same interval.

    Raises
    ------
    BootstrapError
        If arrays do not fit each other, a label is missing, a probability is no number, or
        `resamples` or `confidence` is out of range.
    """
    _check(truth, {"labels": labels}, {"probabilities": probabilities}, groups)
    _check_draws(resamples, confidence)

    def score(rows: Rows) -> float | None:
        return metric.compute(truth[rows], labels[rows], probabilities[rows])

    return _interval(score, _units(truth, groups), groups, resamples, confidence, seed)


def paired_bootstrap(
    metric: Metric,
    truth: Labels,
    one: Answers,
    other: Answers,
    *,
    groups: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of the score of one model less that of another on the same rows.

    Both are scored on the same resamples, so what is hard for both cancels, and the interval
    is narrower than two of single models suggest. For two ways of training use
    `comparison.compare` on folds.

    Parameters
    ----------
    one, other
        Labels (n,) and probabilities (n, K) of each model.

    The rest is as for `bootstrap_interval`; a difference has a value where both scores do.
    """
    _check(
        truth,
        {"labels of one": one[0], "labels of other": other[0]},
        {"probabilities of one": one[1], "probabilities of other": other[1]},
        groups,
    )
    _check_draws(resamples, confidence)

    def score(rows: Rows) -> float | None:
        first = metric.compute(truth[rows], one[0][rows], one[1][rows])
        second = metric.compute(truth[rows], other[0][rows], other[1][rows])
        return None if first is None or second is None else first - second

    return _interval(score, _units(truth, groups), groups, resamples, confidence, seed)


def bootstrap_of_score(
    score: ScoreOfRows,
    truth: Labels,
    *,
    groups: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of whatever `score` gives for the numbers of some rows, (m,) to a float or None.

    Such as the mean score of several seeds on one test set. The rest is as for
    `bootstrap_interval`.
    """
    _check(truth, {}, {}, groups)
    _check_draws(resamples, confidence)
    return _interval(score, _units(truth, groups), groups, resamples, confidence, seed)


def _units(truth: Labels, groups: NDArray[np.int64] | None) -> _Units:
    n = len(truth)
    if groups is None:
        strata = tuple(np.flatnonzero(truth == k) for k in np.unique(truth))
        return _Units(np.arange(n), np.arange(n + 1), strata)
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    start = np.concatenate([[0], np.cumsum(sizes)])
    strata = (np.arange(len(sizes)),) if n else ()
    return _Units(np.argsort(number, kind="stable"), start, strata)


def _interval(
    score: ScoreOfRows,
    units: _Units,
    groups: NDArray[np.int64] | None,
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    drawn = "rows, stratified by class" if groups is None else "whole groups"
    said = f"{100 * confidence:g} % {{}} bootstrap interval over {drawn} ({resamples} resamples)"
    observed = score(units.rows) if len(units.rows) else None
    if observed is None or max(len(stratum) for stratum in units.strata) < 2:
        return Interval(None, None, said.format("undefined"), 0)
    values = _resampled(score, units, resamples, seed)
    if 2 * len(values) < resamples or np.ptp(values.round(DIGITS)) == 0:
        return Interval(None, None, said.format("undefined"), len(values))
    levels = _bca_levels(values, observed, _acceleration(score, units), confidence)
    method = "percentile" if levels is None else "BCa"
    low, high = np.quantile(values, levels or ((1 - confidence) / 2, (1 + confidence) / 2))
    return Interval(float(low), float(high), said.format(method), len(values))


def _resampled(
    score: ScoreOfRows, units: _Units, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Scores of the resamples that have one."""
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        drawn = [
            stratum[rng.integers(len(stratum), size=len(stratum))] for stratum in units.strata
        ]
        values.append(score(units.rows_of(np.concatenate(drawn))))
    return np.array([value for value in values if value is not None], dtype=np.float64)


def _acceleration(score: ScoreOfRows, units: _Units) -> float | None:
    """How the spread of the score changes with the score, from leaving out each unit in turn.

    None where there are too many units, or the score has no value without one of them.
    """
    everything = np.concatenate(units.strata)
    if len(everything) > JACKKNIFE:
        return None
    skew = spread = 0.0
    for stratum in units.strata:
        if len(stratum) < 2:
            continue  # it is in every resample and moves none of them
        without = [score(units.rows_of(everything[everything != unit])) for unit in stratum]
        known = np.array([value for value in without if value is not None])
        if len(known) < len(without):
            return None
        pull = (known.mean() - known) * (len(known) - 1) / len(known)
        skew += float((pull**3).sum())
        spread += float((pull**2).sum())
    return skew / (6 * spread**1.5) if spread > 0 else 0.0


def _bca_levels(
    values: NDArray[np.float64], observed: float, acceleration: float | None, confidence: float
) -> tuple[float, float] | None:
    """Which quantiles of the resampled scores are the ends; None where the method breaks down."""
    from scipy.special import ndtr, ndtri  # the normal distribution and its quantiles

    gaps = (values - observed).round(DIGITS)  # a score summed in another order is the same score
    below = float((gaps < 0).mean() + (gaps == 0).mean() / 2)
    if acceleration is None or not 0 < below < 1:
        return None
    bias, levels = float(ndtri(below)), []
    for end in ((1 - confidence) / 2, (1 + confidence) / 2):
        shifted = bias + float(ndtri(end))
        if acceleration * shifted >= 1:
            return None
        levels.append(float(ndtr(bias + shifted / (1 - acceleration * shifted))))
    return levels[0], levels[1]


def _check(
    truth: Labels,
    labels: dict[str, Labels],
    probabilities: dict[str, Probabilities],
    groups: NDArray[np.int64] | None,
) -> None:
    """Refuse arrays that do not belong to the same rows and classes."""
    if truth.ndim != 1:
        why = f"it has shape {truth.shape}, not (n,)"
        raise BootstrapError("truth", why, "Of several tasks ask for one a call.")
    of_rows = labels if groups is None else {**labels, "groups": groups}
    for name, array in {**of_rows, **probabilities}.items():
        n_axes = 2 if name in probabilities else 1
        if array.ndim != n_axes or len(array) != len(truth):
            why = f"it has shape {array.shape}, and the truth {truth.shape}"
            raise BootstrapError(name, why, "Pass one entry a row, and a column a class.")
    for name, array in probabilities.items():
        bad = int((~np.isfinite(array).all(axis=1)).sum())
        if bad:
            why = f"{bad} of {len(array)} rows hold no numbers"
            raise BootstrapError(name, why, "Leave out the rows without a prediction.")
        outside = np.flatnonzero((truth < 0) | (truth >= array.shape[1]))
        if len(outside):
            why = f"row {outside[0]} has {truth[outside[0]]}, none of {array.shape[1]} classes"
            raise BootstrapError("truth", why, "Leave out the rows without a label.")


def _check_draws(resamples: int, confidence: float) -> None:
    """Refuse an interval whose ends lie beyond every draw."""
    if not 0 < confidence < 1:
        why = f"{confidence} is not between 0 and 1"
        raise BootstrapError("confidence", why, "Pass a share such as 0.95.")
    least = int(np.ceil(round(2 / (1 - confidence), 6)))  # 40 for 0.95, not 41
    if resamples < least:
        why = f"{resamples} resamples have none beyond the ends of an interval of {confidence}"
        raise BootstrapError("resamples", why, f"Pass {least} or more; 1000 are usual.")
