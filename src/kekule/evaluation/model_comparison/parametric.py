"""Tests on means: repeated-measures ANOVA, Tukey's intervals and the corrected t test.

A fold is a block that all models share, so hard folds do not count as noise. The ANOVA and
Tukey's test take the blocks for independent, which folds with common training rows are
not; their p values are therefore somewhat too small. The corrected t test of Nadeau and
Bengio allows for it, one pair at a time.

References
----------
Tukey 1949, Biometrics 5:99-114. Greenhouse & Geisser 1959, Psychometrika 24:95-112.
Nadeau & Bengio 2003, Machine Learning 52:239-281.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from kekule.evaluation.comparison import DIGITS, compare, corrected_error
from kekule.evaluation.model_comparison.assumptions import sphericity
from kekule.evaluation.model_comparison.table import ComparisonError, FoldTable, Pair


class Anova(NamedTuple):
    """Repeated-measures analysis of variance of models over folds.

    Attributes
    ----------
    f
        Mean square of models over that of the error.
    df_models, df_error
        M - 1 and (M - 1)(J - 1).
    p
        Under sphericity.
    mean_square_error
        In squared units of the metric.
    epsilon, p_corrected
        Of Greenhouse and Geisser, for where sphericity does not hold.
    """

    f: float
    df_models: int
    df_error: int
    p: float
    mean_square_error: float
    epsilon: float
    p_corrected: float


def anova(table: FoldTable) -> Anova:
    """Test whether any model differs in its mean from the others.

    Raises
    ------
    ComparisonError
        If every fold shows the same differences, so that there is no error to judge by.
    """
    from scipy.special import fdtrc

    n_models, n_scores = table.scores.shape
    df_models, df_error = n_models - 1, (n_models - 1) * (n_scores - 1)
    error, epsilon = _mean_square_error(table), sphericity(table).epsilon
    means = table.scores.mean(1)
    f = float(n_scores * ((means - means.mean()) ** 2).sum() / df_models / error)
    epsilon = 1.0 if epsilon is None else epsilon
    p, corrected = (float(fdtrc(e * df_models, e * df_error, f)) for e in (1.0, epsilon))
    return Anova(f, df_models, df_error, p, error, epsilon, corrected)


def tukey(table: FoldTable, *, alpha: float = 0.05) -> tuple[Pair, ...]:
    """Tukey's honest significant differences of all pairs, on the ANOVA's error.

    The intervals hold for all pairs at once with the confidence 1 - `alpha`, and no ANOVA
    need precede them. Not for models of unlike spread: one error serves all pairs.

    Raises
    ------
    ComparisonError
        As in `anova`.
    """
    from scipy.stats import studentized_range

    n_models, n_scores = table.scores.shape
    df = (n_models - 1) * (n_scores - 1)
    scale = float(np.sqrt(_mean_square_error(table) / n_scores))
    reach = studentized_quantile(alpha, n_models, df) * scale
    pairs, means = list(table.pairs()), table.scores.mean(1)
    gaps = np.asarray([means[i] - means[j] for i, j in pairs])
    p_values = studentized_range.sf(np.abs(gaps) / scale, n_models, df).clip(0, 1)
    return tuple(
        Pair(table.models[i], table.models[j], gap, gap - reach, gap + reach, p)
        for (i, j), gap, p in zip(pairs, gaps.tolist(), p_values.tolist(), strict=True)
    )


def corrected_pairs(table: FoldTable, *, alpha: float = 0.05) -> tuple[Pair, ...]:
    """Corrected resampled t test of every pair by itself; see `comparison.compare`.

    Each interval has the confidence 1 - `alpha` alone: with many pairs, some will err.
    """
    from scipy.special import stdtrit

    found = []
    for i, j in table.pairs():
        ours, theirs = table.scores[i].tolist(), table.scores[j].tolist()
        d = compare(ours, theirs, table.n_folds)
        gaps = (table.scores[i] - table.scores[j]).round(DIGITS).tolist()
        error = corrected_error(gaps, table.n_folds)
        reach = error * float(stdtrit(len(gaps) - 1, 1 - alpha / 2))
        pair = (table.models[i], table.models[j], d.mean, d.mean - reach, d.mean + reach, d.p)
        found.append(Pair(*pair))
    return tuple(found)


@cache
def studentized_quantile(alpha: float, n_models: int, df: float) -> float:
    """Quantile of the range of `n_models` means exceeded with chance `alpha`."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, n_models, df))


def _mean_square_error(table: FoldTable) -> float:
    n_models, n_scores = table.scores.shape
    error = float((table.residuals**2).sum() / ((n_models - 1) * (n_scores - 1)))
    if error == 0:
        why = "every fold shows the same differences between models, so there is no error"
        raise ComparisonError(table.metric, why, "Compare the models by ranks.")
    return error
