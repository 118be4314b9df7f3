"""Folds drawn at random, every class in proportion: what a score means for like molecules."""

import numpy as np
from numpy.typing import NDArray

from kekule.data.splits.dealing import group_holdout
from kekule.data.splits.grouped import held_out
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.multitask import multitask_folds
from kekule.data.splits.split import NEVER_TESTED, Split
from kekule.data.splits.stratified import stratified_folds, validation_rows


def random_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Deal single rows to folds so that every fold has every class in proportion.

    Use it for graphs of any kind, and to compare with published numbers. Of a series of
    analogues some are then trained on and some tested, so it tells how well the model
    fills gaps in known chemistry, and promises too much for new chemistry.

    One task without gaps is stratified exactly, `stratified_folds`; several tasks, or
    missing labels, as well as they allow, `multitask_folds`.
    """
    codes, k = inputs.codes, dealing.n_folds
    plain = codes.shape[1] == 1 and bool((codes >= 0).all())
    how = f"stratified by {codes.shape[1]} tasks and their missing labels"
    how = "stratified by class" if plain else how
    if dealing.holdout:
        tested = random_holdout(codes, dealing.test, seed=dealing.seed)
        said = f"one test set of {held_out(tested)}, single rows, {how}"
        return Split("random", said, 1, np.where(tested, 0, NEVER_TESTED).astype(np.int64))
    if plain:
        fold = stratified_folds(codes[:, 0], k, seed=dealing.seed)
    else:
        fold = multitask_folds(codes, k, seed=dealing.seed)
    return Split("random", f"{k} folds of single rows, {how}", k, fold)


def random_holdout(codes: NDArray[np.int64], share: float, *, seed: int) -> NDArray[np.bool_]:
    """Mark about `share` of the rows, every class of every task in proportion; bool (N,).

    Of one task without gaps a class with two or more rows stands on both sides.
    """
    rows = np.arange(len(codes))
    if codes.shape[1] > 1 or (codes < 0).any():
        return group_holdout(codes, rows, share, seed=seed)
    return np.isin(rows, validation_rows(codes[:, 0], rows, fraction=share, seed=seed))
