"""What the folds of a split lack: rows, or classes."""

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.splits.split import Split


def training_rows(split: Split, fold: int) -> NDArray[np.int64]:
    """Rows that are trained on in a fold, rising, those that may be drawn to validate included."""
    if split.train is not None:
        return np.sort(split.train[fold])
    rows = np.flatnonzero(split.fold != fold)
    return rows if split.validation is None else np.setdiff1d(rows, split.validation[fold])


def class_gaps(split: Split, codes: NDArray[np.int64]) -> str:
    """Say which folds lack a class of a task; empty where none does.

    Parameters
    ----------
    split
        Any.
    codes
        int64 (N, T); -1 where a label is missing.

    Raises
    ------
    KekuleError
        If a fold has no row to test or to train on, or no task of which it trains on two
        classes.
    """
    present = [set(task[task >= 0].tolist()) for task in codes.T]
    untested, untrained = [], []
    for fold in range(split.n_folds):
        test, train = np.flatnonzero(split.fold == fold), training_rows(split, fold)
        if not len(test) or not len(train):
            raise KekuleError(
                f"splits: fold {fold + 1} of {split.kind} has {len(train)} rows to train on and "
                f"{len(test)} to test. Use fewer folds, or another kind of split."
            )
        learnt = [set(task[train].tolist()) - {-1} for task in codes.T]
        if learnt and max(len(classes) for classes in learnt) < 2:
            raise KekuleError(
                f"splits: fold {fold + 1} of {split.kind} trains on rows of one class alone, so "
                "there is nothing to tell apart. Use another number of folds, or another kind "
                "of split."
            )
        if any(classes < all_ for classes, all_ in zip(learnt, present, strict=True)):
            untrained.append(fold)
        tested = [set(task[test].tolist()) - {-1} for task in codes.T]
        if any(classes < all_ for classes, all_ in zip(tested, present, strict=True)):
            untested.append(fold)
    return _said(untested, "do not test") + _said(untrained, "do not train on")


def _said(folds: list[int], what: str) -> str:
    if not folds:
        return ""
    shown = ", ".join(str(fold + 1) for fold in folds)
    verb = what if len(folds) > 1 else what.replace("do", "does", 1)
    return f"; fold{'s' if len(folds) > 1 else ''} {shown} {verb} every class"
