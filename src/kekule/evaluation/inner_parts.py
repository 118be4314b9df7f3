"""Folds of a fold's training rows, for whatever is chosen inside it."""

import numpy as np

from kekule.data import stratified_folds
from kekule.data.splits import multitask_folds
from kekule.data.splits.dealing import group_folds
from kekule.evaluation.fold_inputs import FoldInputs, FoldTask, Rows
from kekule.evaluation.folds import groups_of

HELD_OUT = 5  # one part of so many is held out where a single one is wanted


def inner_fold_of(inputs: FoldInputs, task: FoldTask, rows: Rows, n_parts: int) -> Rows:
    """Fold of each of some training rows, 0 to `n_parts` - 1; of whole groups of the split.

    With one part it is that of the rows held out, 0 for them, and others for the rest.

    Raises
    ------
    KekuleError
        If the rows cannot be shared out so.
    """
    n_folds = HELD_OUT if n_parts == 1 else n_parts
    codes, groups = inputs.targets[rows], groups_of(inputs, task)
    if groups is None:
        deal = stratified_folds if codes.ndim == 1 else multitask_folds
        return deal(codes, n_folds, seed=task.seed)
    numbers = np.unique(groups[rows], return_inverse=True)[1].astype(np.int64)
    return group_folds(codes.reshape(len(rows), -1), numbers, n_folds, seed=task.seed)
