"""The one scaffold split of DeepChem and OGB: common scaffolds trained on, rare ones tested."""

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.splits.grouped import group_sizes
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.scaffold import scaffold_groups
from kekule.data.splits.split import NEVER_TESTED, Split

TRAIN, VALIDATION, TEST = 0, 1, 2


def scaffold_ordered_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Train on the common scaffolds, validate and test on the rare ones, 80 : 10 : 10.

    Use it to compare with leaderboards. It is one test set without chance: no seed makes
    another, classes are not balanced, and what is tested are the odd ones out. For an
    estimate of one's own, `scaffold_split` tests every row.

    Scaffolds are taken by falling size, of equal size the one whose first row comes later.
    Each goes to training while that stays within 80 % of the rows, else to validation
    while both stay within 90 %, else to the test. Rows that were set aside are not there
    and do not count.

    Raises
    ------
    KekuleError
        If a part is left empty: there are too few scaffolds, or one is too large.
    """
    groups = scaffold_groups("scaffold-ordered", inputs, dealing)
    part = ordered_parts(groups)
    sizes = np.bincount(part, minlength=3)
    if not sizes.all():
        raise KekuleError(
            "splits: scaffold-ordered gives "
            f"{sizes[TRAIN]} rows to train, {sizes[VALIDATION]} to validate and {sizes[TEST]} "
            f"to test on; {group_sizes(groups, 'scaffolds')}. Use scaffold, which deals evenly."
        )
    return Split(
        "scaffold-ordered",
        f"common scaffolds trained on, rare ones tested: {sizes[TRAIN]} rows to train, "
        f"{sizes[VALIDATION]} to validate, {sizes[TEST]} to test; "
        f"{group_sizes(groups, 'scaffolds')}",
        1,
        np.where(part == TEST, 0, NEVER_TESTED).astype(np.int64),
        groups,
        validation=(np.flatnonzero(part == VALIDATION),),
    )


def ordered_parts(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """`TRAIN`, `VALIDATION` or `TEST` for each row; int64 (N,)."""
    n = len(groups)
    sizes = np.bincount(groups)
    first = np.full(len(sizes), n, dtype=np.int64)
    np.minimum.at(first, groups, np.arange(n))
    part = np.full(len(sizes), TEST, dtype=np.int64)
    n_train = n_validation = 0
    for group in np.lexsort([-first, -sizes]):
        size = int(sizes[group])
        if 10 * (n_train + size) <= 8 * n:
            part[group] = TRAIN
            n_train += size
        elif 10 * (n_train + n_validation + size) <= 9 * n:
            part[group] = VALIDATION
            n_validation += size
    return part[groups]
