"""Tests on the ranks of models within each fold, which assume no shape of the scores.

Rank 1 is the best model of a fold; equal scores share the mean of their ranks. Ranks forget
by how much a model is ahead, so intervals of the difference come from the sign test. As in
the tests on means, folds are taken for independent blocks.

References
----------
Friedman 1937, J. Am. Stat. Assoc. 32:675-701. Conover 1999, Practical Nonparametric
Statistics, 3rd ed., sec. 5.8. Holm 1979, Scand. J. Stat. 6:65-70. Demšar 2006, J. Mach.
Learn. Res. 7:1-30, for the critical difference of Nemenyi and its diagram.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.comparison import DIGITS
from kekule.evaluation.model_comparison.parametric import studentized_quantile
from kekule.evaluation.model_comparison.table import FoldTable, Pair

NO_SPREAD = 1e-9  # in squared ranks, which are multiples of a quarter


class RankTest(NamedTuple):
    """Friedman's test, and what a critical difference diagram shows.

    Attributes
    ----------
    statistic, p
        Chi-squared with M - 1 degrees of freedom, corrected for ties; 0 and 1 if all tie.
    mean_ranks
        Of each model in the order of the table, 1 the best.
    critical_difference
        Of Nemenyi: mean ranks this far apart are separated.
    cliques
        Groups of at least two models whose mean ranks all lie closer than that, best first.
    """

    statistic: float
    p: float
    mean_ranks: tuple[float, ...]
    critical_difference: float
    cliques: tuple[tuple[str, ...], ...]


class RankPair(NamedTuple):
    """Difference of two mean ranks, `one` minus `other`: negative where `one` is better."""

    one: str
    other: str
    difference: float
    p: float


def fold_ranks(table: FoldTable) -> NDArray[np.float64]:
    """Rank of each model in each fold, float64 (M, J), 1 the best."""
    from scipy.stats import rankdata

    scores = table.scores.round(DIGITS)
    return np.asarray(rankdata(-scores if table.higher_is_better else scores, axis=0))


def friedman(table: FoldTable, *, alpha: float = 0.05) -> RankTest:
    """Test whether any model ranks otherwise than the others.

    The p value is that of many folds; with fewer than ten it is rough. `alpha` is that of
    the critical difference.
    """
    from scipy.special import chdtrc

    ranks = fold_ranks(table)
    n_models, n_scores = ranks.shape
    middle = (n_models + 1) / 2
    spread = float(((ranks - middle) ** 2).sum())
    between = float(((ranks.sum(1) - n_scores * middle) ** 2).sum())
    statistic = (n_models - 1) * between / spread if spread > NO_SPREAD else 0.0
    p = float(chdtrc(n_models - 1, statistic))
    means = ranks.mean(1)
    reach = studentized_quantile(alpha, n_models, np.inf) * _nemenyi_scale(n_models, n_scores)
    return RankTest(statistic, p, tuple(means.tolist()), reach, _cliques(table, means, reach))


def conover(table: FoldTable) -> tuple[RankPair, ...]:
    """Conover's test of all pairs after Friedman's, p values adjusted by Holm.

    To be asked only where Friedman's test finds a difference. Where every fold ranks the
    models alike its error is zero and its p would be too, from however few folds; Nemenyi's
    test, whose error is known beforehand, then stands in.
    """
    from scipy.special import stdtr

    ranks = fold_ranks(table)
    n_models, n_scores = ranks.shape
    sums, df = ranks.sum(1), (n_models - 1) * (n_scores - 1)
    pairs = list(table.pairs())
    gaps = np.asarray([sums[i] - sums[j] for i, j in pairs])
    left = float(n_scores * (ranks**2).sum() - (sums**2).sum())
    if left > NO_SPREAD:
        p_values = holm(2 * stdtr(df, -np.abs(gaps) / np.sqrt(2 * left / df)))
    else:
        p_values = _nemenyi(gaps / n_scores, n_models, n_scores)
    return tuple(
        RankPair(table.models[i], table.models[j], gap / n_scores, p)
        for (i, j), gap, p in zip(pairs, gaps.tolist(), p_values.tolist(), strict=True)
    )


def median_pairs(table: FoldTable, *, alpha: float = 0.05) -> tuple[Pair, ...]:
    """Every pair with Conover's p and an interval of its median difference.

    The interval is that of the sign test with Bonferroni's correction for all pairs: two
    order statistics of the fold differences, valid for any shape of them. It is None where
    so few folds cannot give that confidence, and it need not hold the mean. Not for means:
    with normal differences those of `tukey` are narrower.
    """
    inward = _order(table.scores.shape[1], alpha / len(list(table.pairs())))
    found = []
    for (i, j), rank in zip(table.pairs(), conover(table), strict=True):
        gaps = np.sort((table.scores[i] - table.scores[j]).round(DIGITS))
        low = None if inward is None else float(gaps[inward])
        high = None if inward is None else float(gaps[-1 - inward])
        found.append(Pair(rank.one, rank.other, float(gaps.mean()), low, high, rank.p))
    return tuple(found)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """P values adjusted so that any false alarm among them keeps its chance; float64 (n,)."""
    order, n = np.argsort(p_values), len(p_values)
    adjusted = np.empty(n)
    adjusted[order] = np.maximum.accumulate(p_values[order] * np.arange(n, 0, -1))
    return adjusted.clip(max=1)


def _order(n_scores: int, alpha: float) -> int | None:
    """How many folds at either end a sign test may leave out; None if not even none."""
    from scipy.special import bdtr

    chances = 2 * bdtr(np.arange(n_scores // 2), n_scores, 0.5)
    return int((chances <= alpha).sum()) - 1 if chances[0] <= alpha else None


def _nemenyi_scale(n_models: int, n_scores: int) -> float:
    return float(np.sqrt(n_models * (n_models + 1) / (12 * n_scores)))


def _nemenyi(
    differences: NDArray[np.float64], n_models: int, n_scores: int
) -> NDArray[np.float64]:
    from scipy.stats import studentized_range

    q = np.abs(differences) / _nemenyi_scale(n_models, n_scores)
    return np.asarray(studentized_range.sf(q, n_models, np.inf)).clip(0, 1)


def _cliques(
    table: FoldTable, means: NDArray[np.float64], reach: float
) -> tuple[tuple[str, ...], ...]:
    order = sorted(range(len(means)), key=lambda m: (means[m], table.models[m]))
    cliques, end = [], 0
    for start, first in enumerate(order):
        near = [m for m in order[start:] if means[m] - means[first] < reach]
        if len(near) > 1 and start + len(near) > end:
            cliques.append(tuple(table.models[m] for m in near))
            end = start + len(near)
    return tuple(cliques)
