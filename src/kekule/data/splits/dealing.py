"""Deal whole groups to parts of given shares, even in rows and in classes.

The way: groups go out one by one, the large ones first and those of like size in random
order. A group goes where it fits and its labels are needed most; where it fits nowhere,
to the part with the most room. No part then misses its share of the rows by as much as
the largest group has rows, whatever the classes ask for:

    | rows of part p - share of p * N | < rows of the largest group

Were a part too full by that much, it would have had no room for its last group while
another had; were one too empty by that much, every group would have fitted into it, so
that no part would be over its share, and the rows would not add up to N.

Sums are taken label by label, in the same order everywhere, so that a tie is a tie on
every machine. Symbols: G groups, J labels, k parts.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.splits.labels import group_counts, label_columns

_EPS = 1e-9


def group_folds(
    codes: NDArray[np.int64], groups: NDArray[np.int64], n_folds: int, *, seed: int
) -> NDArray[np.int64]:
    """Fold of each row, whole groups in one fold.

    Parameters
    ----------
    codes
        int64 (N, T); -1 where a label is missing.
    groups
        int64 (N,), 0 to G - 1.
    n_folds
        k, at most G.
    seed
        Which of the many ways.

    Raises
    ------
    KekuleError
        If there are fewer groups than folds.
    """
    counts = group_counts(label_columns(codes)[0], groups)
    if len(counts) < n_folds:
        raise KekuleError(
            f"splits: {len(groups)} rows in {len(counts)} group(s) cannot fill {n_folds} folds, "
            f"as a group is never parted. {_fewer(len(counts))}"
        )
    shares = np.full(n_folds, 1.0 / n_folds)
    return deal(counts, shares, rng=np.random.default_rng(seed), fill=True)[groups]


def group_holdout(
    codes: NDArray[np.int64], groups: NDArray[np.int64], share: float, *, seed: int
) -> NDArray[np.bool_]:
    """Mark the rows of one part of about `share` of the rows, whole groups, even in classes.

    The part misses its share by less than the largest group has rows, and is never empty; nor
    is the rest.

    Parameters
    ----------
    codes, groups
        As `group_folds` takes them.
    share
        Between 0 and 1, both excluded.
    seed
        Which of the many ways.

    Raises
    ------
    KekuleError
        If there is a single group.
    """
    counts = group_counts(label_columns(codes)[0], groups)
    if len(counts) < 2:
        raise KekuleError(
            f"splits: {len(groups)} rows in {len(counts)} group(s) have no part to hold out, "
            "as a group is never parted. Use random."
        )
    shares = np.array([1.0 - share, share])
    parts = deal(counts, shares, rng=np.random.default_rng(seed), fill=True)
    return np.asarray(parts[groups] == 1)


def deal(
    counts: NDArray[np.float64],
    shares: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    placed: Mapping[int, int] | None = None,
    fill: bool = False,
) -> NDArray[np.int64]:
    """Part of each group.

    Parameters
    ----------
    counts
        float64 (G, 1 + J): rows of each group, then its rows of each label.
    shares
        float64 (k,), of the rows that each part is to have; they add up to 1.
    rng
        Breaks ties.
    placed
        Part of the groups that are not to be dealt any more.
    fill
        Keep the last groups for parts that have none yet; there must be enough groups.

    Returns
    -------
    NDArray[np.int64]
        (G,), 0 to k - 1.
    """
    wanted = counts.sum(axis=0)[:, None] * shares  # (1 + J, k)
    have = np.zeros_like(wanted)
    parts = np.full(len(counts), -1, dtype=np.int64)
    for group, part in (placed or {}).items():
        parts[group] = part
        have[:, part] += counts[group]
    order = [group for group in dealing_order(counts[:, 0], rng) if parts[group] < 0]
    for dealt, group in enumerate(order):
        empty = have[0] == 0
        only = empty if fill and empty.sum() == len(order) - dealt else None
        parts[group] = part = _neediest(counts[group], wanted, have, rng, only)
        have[:, part] += counts[group]
    return parts


def dealing_order(sizes: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Groups with the large ones first, in random order between two powers of two."""
    shuffled = rng.permutation(len(sizes))
    magnitude = np.frexp(sizes[shuffled])[1]
    return shuffled[np.argsort(-magnitude, kind="stable")]


def _neediest(
    count: NDArray[np.float64],
    wanted: NDArray[np.float64],
    have: NDArray[np.float64],
    rng: np.random.Generator,
    only: NDArray[np.bool_] | None,
) -> int:
    """Choose the part that the group's labels bring nearest to what is wanted.

    The measure is chi-squared, the sum of (have - wanted)^2 / wanted over labels; this is
    its slope, so a rare label weighs more than a common one.
    """
    room = wanted[0] - have[0]
    open_ = room >= count[0] - _EPS if only is None else only
    if not open_.any():
        open_ = room >= room.max() - _EPS
    own = count > 0
    surplus = ((have[own] / wanted[own] - 1.0) * count[own, None]).sum(axis=0)
    surplus[~open_] = np.inf
    best = np.flatnonzero(surplus <= surplus.min() + _EPS)
    return int(best[rng.integers(len(best))])


def _fewer(n_groups: int) -> str:
    return f"Use at most {n_groups} folds, or random." if n_groups > 1 else "Use random."
