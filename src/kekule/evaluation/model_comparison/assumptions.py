"""Whether the scores of a table are such as the tests on means assume.

The repeated-measures ANOVA and Tukey's test want normal residuals, like spread in all models
and sphericity: differences of like spread in all pairs. Where one does not hold, or cannot
be shown to, ranks are the safer judge. The design is balanced, which forgives small
departures; so the spread is judged by the rule that only a ninefold variance is too much,
and Levene's test is reported beside it.

References
----------
Ash et al. 2025, J. Chem. Inf. Model. 65:9398, on which assumptions to look at.
Mauchly 1940, Ann. Math. Stat. 11:204-209. Greenhouse & Geisser 1959, Psychometrika 24:95-112.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.comparison import DIGITS
from kekule.evaluation.model_comparison.table import FoldTable

LARGEST_VARIANCE_RATIO = 9.0
MOST_RESIDUALS = 5000  # beyond which the p value of Shapiro and Wilk is not accurate
SINGULAR = 1e-10  # of the largest eigenvalue: below it a difference has no spread

Decision = Literal["parametric", "ranks"]


class Sphericity(NamedTuple):
    """Mauchly's W with its p value, and the epsilon of Greenhouse and Geisser.

    W and p are None where folds are too few or do not vary, epsilon where they do not vary.
    Epsilon is 1 under sphericity and 1 / (M - 1) at the other end.
    """

    w: float | None
    p: float | None
    epsilon: float | None


@dataclass(frozen=True)
class Assumptions:
    """Tests of the assumptions and what follows from them.

    Attributes
    ----------
    normality_p
        Of Shapiro and Wilk, of the residuals of model and fold; None where all are zero.
    levene_p
        Of Levene's test about the median; None where it is undefined. It decides nothing.
    variance_ratio
        Largest variance of a model over the smallest; None where the smallest is zero.
    sphericity
        Of the differences between models.
    decision
        ``parametric`` where all assumptions hold, else ``ranks``.
    reasons
        Why it is ranks, a clause each; empty where it is not.
    """

    normality_p: float | None
    levene_p: float | None
    variance_ratio: float | None
    sphericity: Sphericity
    decision: Decision
    reasons: tuple[str, ...]


def assumptions(table: FoldTable, *, alpha: float = 0.05) -> Assumptions:
    """Test what the ANOVA assumes and choose between it and ranks.

    With few folds the tests miss much, with very many they object to what does no harm: they
    guard against the gross. Of two models it decides nothing in `compare_models`.
    """
    normality, levene, sphere = normality_p(table), levene_p(table), sphericity(table)
    ratio = variance_ratio(table)
    reasons = _reasons(table, normality, ratio, sphere, alpha)
    decision: Decision = "ranks" if reasons else "parametric"
    return Assumptions(normality, levene, ratio, sphere, decision, reasons)


def normality_p(table: FoldTable) -> float | None:
    """P value of Shapiro and Wilk for the residuals; None with no spread or over 5000.

    The residuals of two models mirror each other, and one side is tested.
    """
    from scipy.stats import shapiro

    left = table.residuals[:1] if len(table.models) == 2 else table.residuals
    if not np.ptp(left) or left.size > MOST_RESIDUALS:
        return None
    return float(shapiro(left.ravel()).pvalue)


def levene_p(table: FoldTable) -> float | None:
    """P value of Levene's test about the median (Brown and Forsythe); None if undefined."""
    from scipy.stats import levene

    scores = table.scores.round(DIGITS)
    distance = np.abs(scores - np.median(scores, axis=1, keepdims=True)).round(DIGITS)
    if not np.ptp(distance, axis=1).any():
        return None
    return float(levene(*scores, center="median").pvalue)


def variance_ratio(table: FoldTable) -> float | None:
    """Largest variance of a model over the folds by the smallest; None if that is zero."""
    variances = _variances(table)
    return float(variances.max() / variances.min()) if variances.min() > 0 else None


def sphericity(table: FoldTable) -> Sphericity:
    """Mauchly's test, by its chi-squared approximation of first order, and epsilon.

    Needs J ≥ M for the test. Two models have one difference and are always spherical.
    """
    from scipy.special import chdtrc

    p, n = len(table.models) - 1, table.scores.shape[1] - 1
    values = _contrast_variances(table)
    if values.max() <= 10.0 ** (-2 * DIGITS):
        return Sphericity(None, None, None)
    epsilon = float(values.sum() ** 2 / (p * (values**2).sum()))
    if p == 1:
        return Sphericity(1.0, 1.0, 1.0)
    if n < p:
        return Sphericity(None, None, epsilon)
    if values.min() <= SINGULAR * values.max():
        return Sphericity(0.0, 0.0, epsilon)
    w = float(np.prod(values / values.mean()))
    chi2 = -(n - (2 * p * p + p + 2) / (6 * p)) * np.log(w)
    return Sphericity(w, float(chdtrc(p * (p + 1) / 2 - 1, max(chi2, 0.0))), epsilon)


def _contrast_variances(table: FoldTable) -> NDArray[np.float64]:
    """Eigenvalues of the covariance of M - 1 orthonormal contrasts, float64 (M - 1,).

    Subtracting fold means projects onto all contrasts and adds one eigenvalue of zero.
    """
    within = (table.scores - table.scores.mean(0)).round(DIGITS)
    return np.asarray(np.linalg.eigvalsh(np.cov(within))[1:].clip(min=0))


def _variances(table: FoldTable) -> NDArray[np.float64]:
    centred = (table.scores - table.scores.mean(1, keepdims=True)).round(DIGITS)
    return np.asarray((centred**2).sum(1) / (centred.shape[1] - 1))


def _reasons(
    table: FoldTable,
    normality: float | None,
    ratio: float | None,
    sphere: Sphericity,
    alpha: float,
) -> tuple[str, ...]:
    if not table.residuals.any():
        same = not np.ptp(table.means)
        return (
            "all models score alike on every fold"
            if same
            else "the models differ by the same on every fold, which leaves no error to judge by",
        )
    reasons = []
    if normality is None:
        reasons.append("the residuals are too many for a test of their normality")
    elif normality < alpha:
        reasons.append(f"the residuals are not normal (Shapiro-Wilk p = {normality:.2g})")
    if ratio is None:
        still = table.models[int(_variances(table).argmin())]
        reasons.append(f"the score of {still} does not vary over the folds")
    elif ratio > LARGEST_VARIANCE_RATIO:
        reasons.append(f"the variance of one model is {ratio:.0f} times that of another")
    if sphere.p is None:
        reasons.append("there are fewer folds than models, too few to test sphericity")
    elif sphere.p < alpha:
        reasons.append(f"the differences are not spherical (Mauchly p = {sphere.p:.2g})")
    return tuple(reasons)
