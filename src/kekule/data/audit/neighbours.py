"""How near molecules of two groups are to each other: Tanimoto similarity of ECFP4 bits.

Two molecules with p and q bits are at most min(p, q) / max(p, q) similar, so of pairs that
are alike only those with a near number of bits are compared. What is left is counted
before it is done, and where it is too much a sample is drawn and said to be one.

Symbols: N molecules, W words of 64 bits. Knows NumPy only.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.splits.similarity import SortedBits, sorted_bits

MOST_COMPARED = 300_000_000  # pairs of one search: a few seconds on one core
MOST_PAIRS = 20_000  # near pairs kept, the nearest
_BLOCK = 16  # molecules compared at a time: their counts stay in the cache
_EPS = 1e-9
_SEED = 0


class NearPairs(NamedTuple):
    """Pairs of two classes that are nearly one molecule, the nearest first."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float64]
    n_pairs: int  # found, of which at most `MOST_PAIRS` are kept
    sampled: float  # share of the pairs worth comparing that were compared


class Nearest(NamedTuple):
    """The most similar molecule of another group."""

    rows: NDArray[np.int64]  # whose neighbour was looked for
    similarity: NDArray[np.float64]


def near_pairs(
    bits: NDArray[np.uint64],
    classes: NDArray[np.int64],
    same: NDArray[np.int64],
    *,
    least: float,
    most_compared: int = MOST_COMPARED,
) -> NearPairs:
    """Pairs across classes that are at least so similar.

    Parameters
    ----------
    bits
        uint64 (N, W).
    classes
        (N,); pairs within a class are of no interest.
    same
        (N,): molecules of one number are one molecule, and no pair.
    least
        Similarity above 0.
    most_compared
        Pairs to compare at most; of more, as many are drawn by their first molecule.
    """
    plan = _plan(bits, classes, least)
    work = sum(int((stop - start).sum()) for _, _, start, stop in plan)
    part = min(1.0, most_compared / max(work, 1))
    rng = np.random.default_rng(_SEED)
    found, n_pairs = np.zeros((3, 0)), 0
    for rows, laid, start, stop in plan:
        drawn = np.flatnonzero(rng.random(len(rows)) < part) if part < 1 else np.arange(len(rows))
        for block in _blocks(drawn):
            low, high = int(start[block].min()), int(stop[block].max())
            alike = tanimoto(bits[rows[block]], laid, slice(low, high))
            near, place = np.nonzero(alike >= least - _EPS)
            one, other = rows[block][near], laid.order[low:high][place]
            pairs = np.stack([one, other, alike[near, place]])
            pairs = pairs[:, same[one] != same[other]]
            n_pairs += pairs.shape[1]
            found = _nearest_first(found, pairs)
    first, second = found[:2].astype(np.int64)
    return NearPairs(first, second, found[2], n_pairs, part)


def nearest(
    bits: NDArray[np.uint64],
    rows: NDArray[np.int64],
    among: NDArray[np.int64],
    *,
    most_compared: int = MOST_COMPARED,
) -> Nearest:
    """How similar each of some molecules is to the one among others it is most similar to.

    Where that is too many pairs, as many of the molecules are drawn.
    """
    fewer = max(most_compared // max(len(among), 1), 1)
    if len(rows) > fewer:
        rows = np.sort(np.random.default_rng(_SEED).choice(rows, fewer, replace=False))
    laid = sorted_bits(bits[among])
    best = [
        tanimoto(bits[rows[block]], laid, slice(0, len(among))).max(axis=1)
        for block in _blocks(np.arange(len(rows)))
    ]
    return Nearest(rows, np.concatenate([np.zeros(0), *best]))


def tanimoto(queries: NDArray[np.uint64], laid: SortedBits, part: slice) -> NDArray[np.float64]:
    """Similarity of every query, (Q, W), to a part of the molecules; 1 where neither has bits."""
    words = laid.words[:, part]
    both = np.zeros((len(queries), words.shape[1]), dtype=np.uint16)
    for place in np.flatnonzero(queries.any(axis=0)):
        both += np.bitwise_count(queries[:, place, None] & words[place])
    own = np.bitwise_count(queries).sum(axis=1, dtype=np.int64)
    either = own[:, None] + laid.counts[part] - both
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


_Task = tuple[NDArray[np.int64], SortedBits, NDArray[np.int64], NDArray[np.int64]]


def _plan(bits: NDArray[np.uint64], classes: NDArray[np.int64], least: float) -> list[_Task]:
    """For each class but the last its rows, the rows of later classes, and where to look.

    Small classes come first. Rows are in rising order of their bits, so that a block of
    them looks at one stretch of the others.
    """
    names, sizes = np.unique(classes, return_counts=True)
    place = np.empty(len(names), dtype=np.int64)
    place[np.argsort(sizes, kind="stable")] = np.arange(len(names))
    rank = place[np.searchsorted(names, classes)]
    counts = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    plan = []
    for k in range(len(names) - 1):
        rows, others = np.flatnonzero(rank == k), np.flatnonzero(rank > k)
        rows = rows[np.argsort(counts[rows], kind="stable")]
        laid = sorted_bits(bits[others])
        start = np.searchsorted(laid.counts, counts[rows] * least - _EPS)
        stop = np.searchsorted(laid.counts, counts[rows] / least + _EPS, side="right")
        plan.append((rows, laid._replace(order=others[laid.order]), start, stop))
    return plan


def _blocks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]


def _nearest_first(found: NDArray[np.float64], more: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pairs so far and more of them, (3, P): the lower number first, the nearest pair first."""
    if not more.shape[1]:
        return found
    more[:2] = np.sort(more[:2], axis=0)
    pairs = np.concatenate([found, more], axis=1)
    return pairs[:, np.lexsort([pairs[1], pairs[0], -pairs[2]])[:MOST_PAIRS]]
