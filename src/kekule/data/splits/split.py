"""What every way of splitting rows gives: a test fold for each row, and what must stay together.

Symbols: N rows, k folds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEVER_TESTED = -1


@dataclass(frozen=True, eq=False)
class Split:
    """Which rows are tested when, and which may not be parted.

    Attributes
    ----------
    kind
        Name in `kekule.data.splits.SPLITS`.
    description
        One line for reports: what was done, to how many groups.
    n_folds
        k; 1 for a single test set.
    fold
        int64 (N,), the fold 0 to k - 1 that tests a row, or `NEVER_TESTED`. In fold f the
        rows of every other number are trained on, unless `validation` says otherwise.
    groups
        int64 (N,): rows of one number are never on two sides, validation included. None
        where every row stands for itself.
    validation
        For each fold the rows that choose the epoch, where the split is given with them;
        None where they are drawn from the training rows.
    train
        For each fold the rows to train on, where the split is given with them (a published
        split may leave rows out); None where all that are not tested are trained on.
    """

    kind: str
    description: str
    n_folds: int
    fold: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None
    validation: tuple[NDArray[np.int64], ...] | None = None
    train: tuple[NDArray[np.int64], ...] | None = None
