"""Intervals and comparisons of scores that come from folds.

Folds share training rows, so their scores are not independent, and a plain t interval over
them is too narrow. The correction of Nadeau and Bengio widens the variance by the ratio of
test to training rows; it is what the intervals and the verdict here use.

References
----------
Nadeau & Bengio 2003, Inference for the Generalization Error, Machine Learning 52:239-281.
Bouckaert & Frank 2004, PAKDD, for repeated cross-validation.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

INTERVAL = "95 % corrected resampled t interval over folds (Nadeau & Bengio 2003)"
CONFIDENCE = 0.95
DIGITS = 12  # of a score; what lies beyond is rounding


class Difference(NamedTuple):
    """Mean difference of paired fold scores with its interval and p value."""

    mean: float
    low: float
    high: float
    p: float


def corrected_error(values: Sequence[float], n_folds: int) -> float:
    """Standard error of the mean of fold scores under the correction.

    Parameters
    ----------
    values
        One score a fold, J of them, of one or several repeats of k-fold.
    n_folds
        k, so that test rows stand to training rows as 1 to k - 1.
    """
    variance = float(np.var(values, ddof=1))
    return float(np.sqrt((1 / len(values) + 1 / (n_folds - 1)) * variance))


def corrected_interval(values: Sequence[float], n_folds: int) -> tuple[float, float]:
    """Interval of the mean of fold scores; see the module for why it is wide."""
    mean, error = float(np.mean(values)), corrected_error(values, n_folds)
    reach = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return mean - reach, mean + reach


def compare(ours: Sequence[float], theirs: Sequence[float], n_folds: int) -> Difference:
    """Corrected paired t test of two models on the same folds, ours minus theirs.

    Where every fold shows the same gap there is no spread to measure it by, and two folds of
    three rows would be proof beyond doubt; the p value is then that of the sign test.
    """
    gaps = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    gaps = gaps.round(DIGITS)  # 0.9 - 0.8 and 0.8 - 0.7 are one gap, not two
    mean, error = float(gaps.mean()), corrected_error(gaps.tolist(), n_folds)
    low, high = corrected_interval(gaps.tolist(), n_folds)
    if error == 0:
        return Difference(mean, low, high, 1.0 if mean == 0 else 2.0 ** (1 - len(gaps)))
    p = 2 * float(stats.t.sf(abs(mean / error), len(gaps) - 1))
    return Difference(mean, low, high, p)


def verdict(
    name: str, ours: Sequence[float], baselines: Mapping[str, Sequence[float]], n_folds: int
) -> str:
    """Say which of a network and its baselines is ahead, and whether by more than noise.

    The best baseline is the one with the highest mean; that choice favours the baseline
    slightly, which is the side to err on.
    """
    if n_folds < 2:
        return _one_test_set(name, ours, baselines)
    low, high = corrected_interval(ours, n_folds)
    opening = (
        f"{name} gives {np.mean(ours):.1%} of unseen rows their class "
        f"({CONFIDENCE:.0%} interval {max(low, 0):.1%} to {min(high, 1):.1%})."
    )
    if not baselines:
        return f"{opening} No baseline was run beside it, so what that is worth is unknown."
    best = max(baselines, key=lambda key: float(np.mean(baselines[key])))
    d = compare(ours, baselines[best], n_folds)
    low, high = (100 * min(max(end, -1.0), 1.0) for end in (d.low, d.high))
    gap = (
        f"{100 * abs(d.mean):.1f} points "
        f"(interval of the difference {low:+.1f} to {high:+.1f}, p = {d.p:.2g})"
    )
    rival = f"{best} ({np.mean(baselines[best]):.1%})"
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
    name: str, ours: Sequence[float], baselines: Mapping[str, Sequence[float]]
) -> str:
    """Words for a single test set, which has no spread to judge a difference by."""
    opening = f"{name} gives {np.mean(ours):.1%} of the test rows their class."
    if not baselines:
        return f"{opening} No baseline was run beside it, so what that is worth is unknown."
    best = max(baselines, key=lambda key: float(np.mean(baselines[key])))
    gap = 100 * float(np.mean(ours) - np.mean(baselines[best]))
    side = "level with" if gap == 0 else "ahead of" if gap > 0 else "behind"
    return (
        f"{opening} It is {side} the best baseline, {best} ({np.mean(baselines[best]):.1%}), by "
        f"{abs(gap):.1f} points on one test set: nothing says whether that is more than noise."
    )
