"""Intervals and comparisons of scores that come from folds.

Folds share training rows, so their scores are not independent, and a plain t interval over
them is too narrow. The correction of Nadeau and Bengio widens the variance by the ratio of
test to training rows; it is what the intervals and the verdict here use.

References
----------
Nadeau & Bengio 2003, Inference for the Generalization Error, Machine Learning 52:239-281.
Bouckaert & Frank 2004, PAKDD, for repeated cross-validation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

INTERVAL = "95 % corrected resampled t interval over folds (Nadeau & Bengio 2003)"
CONFIDENCE = 0.95
DIGITS = 12  # of a score; what lies beyond is rounding
SHOWN = 5  # names of tasks without a score


class Difference(NamedTuple):
    """Mean difference of paired fold scores with its interval and p value."""

    mean: float
    low: float
    high: float
    p: float


def corrected_error(values: Sequence[float], n_folds: float) -> float:
    """Standard error of the mean of fold scores under the correction.

    Parameters
    ----------
    values
        One score a fold, J of them, of one or several repeats of k-fold.
    n_folds
        k, so that test rows stand to training rows as 1 to k - 1; of repeated test sets of a
        share, one over the share.
    """
    variance = float(np.var(values, ddof=1))
    return float(np.sqrt((1 / len(values) + 1 / (n_folds - 1)) * variance))


def corrected_interval(values: Sequence[float], n_folds: float) -> tuple[float, float]:
    """Interval of the mean of fold scores; see the module for why it is wide."""
    from scipy.special import stdtrit  # quantile of Student's t; not where there is one fold

    mean, error = float(np.mean(values)), corrected_error(values, n_folds)
    reach = error * float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    return mean - reach, mean + reach


def compare(ours: Sequence[float], theirs: Sequence[float], n_folds: float) -> Difference:
    """Corrected paired t test of two models on the same folds, ours minus theirs.

    Where every fold shows the same gap there is no spread to measure it by, and two folds of
    three rows would be proof beyond doubt; the p value is then that of the sign test.
    """
    from scipy.special import stdtr  # Student's t

    gaps = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    gaps = gaps.round(DIGITS)  # 0.9 - 0.8 and 0.8 - 0.7 are one gap, not two
    mean, error = float(gaps.mean()), corrected_error(gaps.tolist(), n_folds)
    low, high = corrected_interval(gaps.tolist(), n_folds)
    if error == 0:
        return Difference(mean, low, high, 1.0 if mean == 0 else 2.0 ** (1 - len(gaps)))
    p = 2 * float(stdtr(len(gaps) - 1, -abs(mean / error)))
    return Difference(mean, low, high, p)


Gap = tuple[float, float]  # ends of the interval of a difference


class Measure(NamedTuple):
    """How a verdict speaks of a score between 0 and 1.

    Attributes
    ----------
    over_folds, on_test_set
        What a model does with it, ``{}`` for the value: on unseen rows, on one test set.
    remark
        What else must be known of it; empty where there is nothing.
    percent
        Whether values are written as percentages and differences as points.
    """

    over_folds: str
    on_test_set: str
    remark: str = ""
    percent: bool = True

    def value(self, score: float) -> str:
        """Write a score."""
        return f"{score:.1%}" if self.percent else f"{score:.3f}"

    def distance(self, d: float) -> str:
        """Write how far two scores are apart."""
        return f"{100 * abs(d):.1f} points" if self.percent else f"{abs(d):.3f}"

    def signed(self, d: float) -> str:
        """Write a difference that may go either way."""
        return f"{100 * d:+.1f}" if self.percent else f"{d:+.3f}"


ACCURACY = Measure("gives {} of unseen rows their class", "gives {} of the test rows their class")


def mean_roc_auc(n_tasks: int, unscored: Sequence[str]) -> Measure:
    """Mean area under the ROC curve of several tasks, of which some may have none."""
    of = f"{n_tasks - len(unscored)} of {n_tasks}" if unscored else f"{n_tasks}"
    words = f"reaches a mean ROC AUC of {{}} over {of} tasks on "
    shown = ", ".join(unscored[:SHOWN])
    more = f" and {len(unscored) - SHOWN} more" if len(unscored) > SHOWN else ""
    remark = f" Never both classes among the test rows of a fold: {shown}{more}."
    return Measure(
        f"{words}unseen rows", f"{words}the test rows", remark if unscored else "", percent=False
    )


def verdict(
    name: str,
    ours: Sequence[float],
    baselines: Mapping[str, Sequence[float]],
    n_folds: float,
    *,
    measure: Measure = ACCURACY,
    gap: Callable[[str], Gap | None] = lambda rival: None,
) -> str:
    """Say which of a network and its baselines is ahead, and whether by more than noise.

    The best baseline is the one with the highest mean; that choice favours the baseline
    slightly, which is the side to err on. `gap` gives, of a single test set, the interval of the
    difference to a baseline, by the baseline's name.
    """
    if not ours:
        return f"Nothing can be said of {name}.{measure.remark}"
    if n_folds <= 1 or len(ours) < 2:
        return _one_test_set(name, ours, baselines, measure, gap) + measure.remark
    return _over_folds(name, ours, baselines, n_folds, measure) + measure.remark


def _over_folds(
    name: str,
    ours: Sequence[float],
    baselines: Mapping[str, Sequence[float]],
    n_folds: float,
    measure: Measure,
) -> str:
    """Words for scores of several folds, whose spread says what is noise."""
    low, high = corrected_interval(ours, n_folds)
    said = measure.over_folds.format(measure.value(float(np.mean(ours))))
    ends = f"{measure.value(max(low, 0))} to {measure.value(min(high, 1))}"
    alike = np.ptp(np.round(ours, DIGITS)) == 0  # no spread was seen, not: there is none
    told = "no interval: all folds agree" if alike else f"{CONFIDENCE:.0%} interval {ends}"
    opening = f"{name} {said} ({told})."
    if not baselines:
        return f"{opening} No baseline was run beside it, so what that is worth is unknown."
    best = max(baselines, key=lambda key: float(np.mean(baselines[key])))
    d = compare(ours, baselines[best], n_folds)
    low, high = (min(max(end, -1.0), 1.0) for end in (d.low, d.high))
    interval = f"interval of the difference {measure.signed(low)} to {measure.signed(high)}, "
    interval = interval if d.high > d.low else "the same in every fold, "
    gap = f"{measure.distance(d.mean)} ({interval}p = {d.p:.2g})"
    rival = f"{best} ({measure.value(float(np.mean(baselines[best])))})"
    if d.p >= 1 - CONFIDENCE:
        side = "level with" if d.mean == 0 else "ahead of" if d.mean > 0 else "behind"
        return (
            f"{opening} It is {side} the best baseline, {rival}, by {gap}: within noise, "
            f"so nothing here separates the two, and the baseline is the simpler."
        )
    if d.mean > 0:
        return f"{opening} It beats the best baseline, {rival}, by {gap}: more than noise."
    return (
        f"{opening} The baseline {rival} beats it by {gap}: more than noise. "
        f"On these data use the baseline."
    )


def _one_test_set(
    name: str,
    ours: Sequence[float],
    baselines: Mapping[str, Sequence[float]],
    measure: Measure,
    gap_of: Callable[[str], Gap | None],
) -> str:
    """Words for a single test set: what its rows say, if an interval over them was drawn."""
    said = measure.on_test_set.format(measure.value(float(np.mean(ours))))
    opening = f"{name} {said}."
    if not baselines:
        return f"{opening} No baseline was run beside it, so what that is worth is unknown."
    best = max(baselines, key=lambda key: float(np.mean(baselines[key])))
    gap = float(np.mean(ours) - np.mean(baselines[best]))
    side = "level with" if gap == 0 else "ahead of" if gap > 0 else "behind"
    rival = f"{best} ({measure.value(float(np.mean(baselines[best])))})"
    words = f"{opening} It is {side} the best baseline, {rival}, by {measure.distance(gap)}"
    found = gap_of(best)
    if found is None:
        return f"{words} on one test set: nothing says whether that is more than noise."
    low, high = found
    ends = f"(interval over the test rows {measure.signed(low)} to {measure.signed(high)})"
    if low <= 0 <= high:
        return (
            f"{words} on one test set {ends}: within noise, so nothing here separates the two, "
            "and the baseline is the simpler."
        )
    return (
        f"{words} on one test set {ends}: more than the noise of its rows, with these training "
        "rows. Folds would say whether others agree."
    )
