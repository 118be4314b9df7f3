"""The folds of a run with fewer training rows: the same questions after less was seen.

A learning curve compares sizes, so nothing else may differ between them: the test rows stay,
a larger set of training rows holds the smaller ones, classes keep their proportion, and where
the split has groups these are kept whole. Rows that are left out are neither learnt from nor
tested.

Symbols: G graphs, n rows, T tasks. Must not know models or where results are kept.

References
----------
Figueroa et al. 2012, BMC Med. Inform. Decis. Mak. 12:8,
https://doi.org/10.1186/1472-6947-12-8, for what such curves foretell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kekule._errors import KekuleError
from kekule.data import Split, training_rows
from kekule.data.splits.dealing import group_holdout
from kekule.data.splits.gaps import class_gaps
from kekule.data.splits.random_rows import random_holdout
from kekule.evaluation.fold_inputs import NETWORK, FoldInputs, FoldTask, Rows
from kekule.evaluation.folds import split_rows

SHARES: Final = (0.125, 0.25, 0.5, 1.0)
FEWEST: Final = 10  # training rows, validation included, of which a score may be told


class FewerRowsError(KekuleError, ValueError):
    """Training rows of which so few cannot be taken."""

    def __init__(self, where: str, why: str, cure: str):
        super().__init__(f"{where}: {why}. {cure}")
        self.where, self.why, self.cure = where, why, cure


@dataclass(frozen=True, eq=False)
class FewerRows:
    """A run at several sizes of its training rows.

    Attributes
    ----------
    inputs
        Of each share that can be had, from small to large.
    left_out
        Why the other shares cannot be had.
    """

    inputs: dict[float, FoldInputs]
    left_out: dict[float, str]


def nested_subsets(
    codes: Rows, rows: Rows, groups: Rows | None, shares: Sequence[float], *, seed: int
) -> list[Rows]:
    """Draw subsets of some rows, each of which holds all that are smaller.

    Each is drawn from the next larger one. Of single rows and one task a class keeps its share
    to a row; whole groups, and the labels of several tasks, are dealt as evenly as
    `kekule.data.splits.dealing` can, so that a subset misses its size by less than its largest
    group. Not for the choice of rows to test: the largest subset is all rows.

    Parameters
    ----------
    codes
        int64 (G,) or (G, T), classes of every row of the set; -1 where one is missing.
    rows
        int64 (n,), those to draw from.
    groups
        int64 (G,), rows of one number stay together; None where each stands for itself.
    shares
        Of the n rows, above 0 and at most 1, in any order.
    seed
        Which of the many ways.

    Returns
    -------
    list of int64
        Rising rows, one array a share, in the order of `shares`.

    Raises
    ------
    FewerRowsError
        If a share is out of range.
    KekuleError
        If the rows cannot be parted: a single group, or no class with two rows.
    """
    for share in shares:
        if not 0 < share <= 1:
            raise FewerRowsError("shares", f"{share} given", "Give shares above 0, at most 1.")
    labels = codes.reshape(len(codes), -1)
    current, found = np.sort(rows), {}
    for step, share in enumerate(sorted(set(shares), reverse=True)):
        gone = 1 - share * len(rows) / len(current)
        if gone > 0:
            (draw,) = np.random.SeedSequence([seed, step]).generate_state(1)
            current = current[~_leave_out(labels, current, groups, gone, int(draw))]
        found[share] = current
    return [found[share] for share in shares]


def _leave_out(
    labels: Rows, rows: Rows, groups: Rows | None, share: float, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark the rows to leave out; a class of a single row is never among them."""
    if groups is None:
        return random_holdout(labels[rows], share, seed=seed)
    numbers = np.unique(groups[rows], return_inverse=True)[1].astype(np.int64)
    return group_holdout(labels[rows], numbers, share, seed=seed)


def with_fewer_rows(inputs: FoldInputs, shares: Sequence[float] = SHARES) -> FewerRows:
    """Cut the training rows of every fold and seed of a run to some shares.

    The validation rows of a split that was given with them stay as they are; elsewhere they are
    drawn from the rows that are left, as from all. A share is left out where some fold would
    have fewer than `FEWEST` rows, would lack a class that it has, or has no rows to choose the
    epoch by, and so are all smaller ones.

    Parameters
    ----------
    inputs
        With the split of every seed.
    shares
        Of each fold's training rows, above 0 and at most 1.

    Raises
    ------
    FewerRowsError
        If a share is out of range.
    """
    wanted = sorted(set(shares))
    for share in wanted:
        if not 0 < share <= 1:
            raise FewerRowsError("shares", f"{share} given", "Give shares above 0, at most 1.")
    found: dict[float, FoldInputs] = {}
    for place in reversed(range(len(wanted))):
        try:
            splits = {seed: _cut(inputs, seed, wanted[place:]) for seed in inputs.recipe.seeds}
            smaller = replace(inputs, splits=splits)
            _check(smaller, inputs)
        except KekuleError as error:
            left_out = dict.fromkeys(wanted[: place + 1], str(error))
            return FewerRows(dict(sorted(found.items())), left_out)
        found[wanted[place]] = smaller
    return FewerRows(dict(sorted(found.items())), {})


def n_training_rows(inputs: FoldInputs) -> int:
    """Rows that a fold is trained on, those that choose its epoch included; the folds' mean."""
    sizes = [
        len(training_rows(split, fold))
        + (0 if split.validation is None else len(split.validation[fold]))
        for split in inputs.splits.values()
        for fold in range(split.n_folds)
    ]
    return round(float(np.mean(sizes)))


def _cut(inputs: FoldInputs, seed: int, shares: Sequence[float]) -> Split:
    """The split of a seed at the smallest of some shares; at 1 the split as it is."""
    split, smallest = inputs.splits[seed], min(shares)
    if smallest == 1:
        return split
    train = []
    for fold in range(split.n_folds):
        rows = training_rows(split, fold)
        draw = int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])
        train.append(nested_subsets(inputs.targets, rows, split.groups, shares, seed=draw)[0])
    told = f"{split.description}; {smallest:.1%} of each fold's training rows"
    return replace(split, train=tuple(train), description=told)


def _check(smaller: FoldInputs, whole: FoldInputs) -> None:
    """Refuse a size that some fold cannot be trained with."""
    for seed, split in smaller.splits.items():
        class_gaps(split, smaller.targets.reshape(len(smaller.targets), -1))
        for fold in range(split.n_folds):
            train, held, _ = split_rows(smaller, FoldTask(NETWORK, seed, fold))
            rows = np.union1d(train, held)
            where = f"fold {fold + 1} of seed {seed}"
            if len(rows) < FEWEST:
                why = f"{len(rows)} training rows are left, and {FEWEST} are the least"
                raise FewerRowsError(where, why, "Take a larger share.")
            before = training_rows(whole.splits[seed], fold)
            if smaller.targets.ndim == 1 and _lost(smaller.targets, before, rows):
                why = "a class would not be trained on any more"
                raise FewerRowsError(where, why, "Take a larger share.")


def _lost(targets: Rows, before: Rows, after: Rows) -> bool:
    return len(np.unique(targets[after])) < len(np.unique(targets[before]))
