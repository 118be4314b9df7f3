"""Rows that are the same thing: their groups, their conflicts, and where a split parts them.

Symbols: N rows, T tasks, k folds. Knows codes only: that two rows have one code means they
are the same, whatever that is (a structure, a parent, a graph).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.findings import AMBER, GREEN, RED
from kekule.data.splits.split import Split

UNKNOWN = -1  # code of a row that is the same as nothing, and of a label that is not there
SERIOUS_SHARE = 0.01  # of the rows, from which on conflicts and leaks are red


class Crossing(NamedTuple):
    """A tested row that stands among the learnt rows too."""

    fold: int
    tested: int
    learnt: int  # the first such row, one with another label before others
    conflict: bool


def codes_of(keys: Sequence[str]) -> NDArray[np.int64]:
    """One number for each distinct key, (N,); `UNKNOWN` where the key is empty."""
    names = {key: code for code, key in enumerate(dict.fromkeys(filter(None, keys)))}
    return np.array([names.get(key, UNKNOWN) for key in keys], dtype=np.int64)


def groups_of(codes: NDArray[np.int64]) -> list[list[int]]:
    """Rows of every code that two or more rows share, groups by their first row."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, code in enumerate(codes.tolist()):
        if code != UNKNOWN:
            rows_of[code].append(row)
    return [rows for rows in rows_of.values() if len(rows) > 1]


def conflicting_tasks(rows: Sequence[int], labels: NDArray[np.int64] | None) -> list[int]:
    """Tasks in which rows that should be one have two labels, of the T of `labels` (N, T)."""
    if labels is None:
        return []
    held = labels[list(rows)]
    low = np.where(held == UNKNOWN, np.iinfo(np.int64).max, held).min(axis=0)
    return np.flatnonzero(held.max(axis=0) > low).tolist()


def misfits(rows: Sequence[int], labels: NDArray[np.int64]) -> int:
    """Rows of a group no model can get right, whatever it answers for all: the minority's.

    Of several tasks the worst counts.
    """
    held = labels[list(rows)]
    wrong = [len(known) - max(np.bincount(known), default=0) for known in _known(held)]
    return int(max(wrong, default=0))


def _known(held: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [column[column != UNKNOWN] for column in held.T]


def sides(split: Split) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows tested and rows learnt from, fold by fold.

    Rows that only choose the epoch are learnt from too: a double there flatters as well.
    """
    for fold in range(split.n_folds):
        tested = np.flatnonzero(split.fold == fold)
        if split.train is None:
            yield tested, np.flatnonzero(split.fold != fold)
            continue
        watched = split.validation[fold] if split.validation else split.train[fold][:0]
        yield tested, np.union1d(split.train[fold], watched).astype(np.int64)


def crossings(
    codes: NDArray[np.int64], split: Split, labels: NDArray[np.int64] | None
) -> list[Crossing]:
    """Every tested row whose like is learnt from in the same fold, one entry each."""
    found = []
    for fold, (tested, learnt) in enumerate(sides(split)):
        both = np.intersect1d(codes[tested], codes[learnt])
        both = both[both != UNKNOWN]
        like: dict[int, list[int]] = defaultdict(list)
        for row in learnt[np.isin(codes[learnt], both)].tolist():
            like[int(codes[row])].append(row)
        for row in tested[np.isin(codes[tested], both)].tolist():
            others = like[int(codes[row])]
            differ = [other for other in others if conflicting_tasks([row, other], labels)]
            found.append(Crossing(fold, row, (differ or others)[0], bool(differ)))
    return found


def by_share(rows: int, of: int) -> str:
    """Colour of something that should not be: green if never, red from `SERIOUS_SHARE` on."""
    if not rows:
        return GREEN
    return RED if rows >= SERIOUS_SHARE * of else AMBER
