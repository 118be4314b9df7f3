"""Whether a model ranks the same rows first when nothing but the seed is another.

A screen acts on the top of a list. Two seeds can have the same score and name different
molecules, and then whoever buys the first fifty buys luck. What two lists share is put beside
what lists drawn by chance would share, which for long lists is not little.

Rows of equal score at the edge of a list are in it each with the same probability, and the
ties of two seeds are drawn independently: a model that gives every row the same score shares
what chance shares, not everything.

Symbols: S seeds, n rows, k rows of a list. Knows NumPy alone; must not know models.
"""

from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError

PERCENTS: Final = (1, 5, 10)

Floats = NDArray[np.float64]


class RankingError(KekuleError, ValueError):
    """Scores of which no lists can be compared."""

    def __init__(self, what: str, why: str, cure: str):
        super().__init__(f"ranking stability: {what}: {why}. {cure}")
        self.what, self.why, self.cure = what, why, cure


class TopList(NamedTuple):
    """What the first k rows of several rankings have in common.

    Attributes
    ----------
    percent, k, n
        The list is the first `percent` % of n rows, k of them, rounded up.
    jaccard
        Rows in both lists over rows in either, mean over the pairs of seeds.
    jaccard_by_chance
        Its expectation for lists drawn at random.
    in_every
        Share of a list that is in the list of every seed.
    in_every_by_chance
        Its expectation for lists drawn at random.
    """

    percent: int
    k: int
    n: int
    jaccard: float
    jaccard_by_chance: float
    in_every: float
    in_every_by_chance: float


def top_lists(scores: Floats, percents: tuple[int, ...] = PERCENTS) -> list[TopList]:
    """Compare the tops of the rankings of several seeds.

    Each score should come from a model that had not seen its row. Rows of other folds are
    then ranked by other models, as a screen by one model would not be: part of what moves is
    that.

    Parameters
    ----------
    scores
        float64 (S, n), S at least 2, the same rows in each, the likeliest positive highest.
    percents
        From 1 to 100.

    Raises
    ------
    RankingError
        If there are less than two seeds or no rows, a score is NaN, or a percent is none.
    """
    if scores.ndim != 2 or scores.shape[0] < 2 or not scores.shape[1]:
        raise RankingError("scores", f"shape {scores.shape}", "Give two seeds and a row at least.")
    if np.isnan(scores).any():
        seed, row = np.argwhere(np.isnan(scores))[0]
        raise RankingError(f"seed {seed}, row {row}", "no score", "Leave such rows out.")
    if wrong := [p for p in percents if not 1 <= p <= 100]:
        raise RankingError("percents", f"{wrong[0]} is not from 1 to 100", "Give 1, 5 or 10.")
    return [_list(scores, percent) for percent in percents]


def _list(scores: Floats, percent: int) -> TopList:
    n_seeds, n = scores.shape
    k = -(-n * percent // 100)
    inside = np.stack([_membership(of_seed, k) for of_seed in scores])
    shared = np.array([one @ other for one, other in combinations(inside, 2)])
    return TopList(
        percent,
        k,
        n,
        jaccard=float((shared / (2 * k - shared)).mean()),
        jaccard_by_chance=jaccard_by_chance(n, k),
        in_every=float(inside.prod(axis=0).sum() / k),
        in_every_by_chance=float((k / n) ** (n_seeds - 1)),
    )


def _membership(scores: Floats, k: int) -> Floats:
    """Probability of each row to be among the first k, ties at the edge drawn at random."""
    edge = np.sort(scores)[-k]
    above, tied = scores > edge, scores == edge
    inside: Floats = np.where(tied, (k - above.sum()) / tied.sum(), above).astype(np.float64)
    return inside


def jaccard_by_chance(n: int, k: int) -> float:
    """Expected Jaccard coefficient of two lists of k rows drawn at random from n.

    Rows in both follow the hypergeometric distribution.
    """
    both = np.arange(max(0, 2 * k - n), k + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])

    def log_choose(of: int, drawn: NDArray[np.int64] | int) -> Floats:
        return np.asarray(log_factorial[of] - log_factorial[drawn] - log_factorial[of - drawn])

    log_chance = log_choose(k, both) + log_choose(n - k, k - both) - log_choose(n, k)
    return float((np.exp(log_chance) * both / (2 * k - both)).sum())
