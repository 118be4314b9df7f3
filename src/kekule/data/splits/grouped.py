"""From groups of rows to a split that keeps them whole: common to all kinds that group."""

import numpy as np
from numpy.typing import NDArray

from kekule.data.splits.dealing import group_folds, group_holdout
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.split import NEVER_TESTED, Split


def grouped_split(
    kind: str,
    inputs: SplitInputs,
    groups: NDArray[np.int64],
    dealing: Dealing,
    *,
    unit: str,
) -> Split:
    """Deal groups to folds by `kekule.data.splits.dealing`, and say how even they came out.

    Parameters
    ----------
    kind, unit
        Name of the kind, and what one of its groups is called in the description.
    groups
        int64 (N,), 0 to G - 1.
    """
    if dealing.holdout:
        tested = group_holdout(inputs.codes, groups, dealing.test, seed=dealing.seed)
        said = f"one test set of {held_out(tested)}; {group_sizes(groups, unit)}"
        return Split(kind, said, 1, np.where(tested, 0, NEVER_TESTED).astype(np.int64), groups)
    k = dealing.n_folds
    fold = group_folds(inputs.codes, groups, k, seed=dealing.seed)
    sizes = np.bincount(fold, minlength=k)
    description = f"{k} folds of {sizes.min()} to {sizes.max()} rows; {group_sizes(groups, unit)}"
    return Split(kind, description, k, fold, groups)


def held_out(tested: NDArray[np.bool_]) -> str:
    """Say how many rows a test set has, and what share that is."""
    return f"{tested.sum()} rows ({tested.mean():.1%})"


def group_sizes(groups: NDArray[np.int64], unit: str) -> str:
    """Say how many groups there are and how large the largest is."""
    counts = np.bincount(groups)
    share = counts.max() / len(groups)
    return f"{len(counts)} {unit}, the largest with {counts.max()} rows ({share:.1%})"
