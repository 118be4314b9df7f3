"""Folds drawn at random, every class in proportion: what a score means for like molecules."""

from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.multitask import multitask_folds
from kekule.data.splits.split import Split
from kekule.data.splits.stratified import stratified_folds


def random_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Deal single rows to folds so that every fold has every class in proportion.

    Use it for graphs of any kind, and to compare with published numbers. Of a series of
    analogues some are then trained on and some tested, so it tells how well the model
    fills gaps in known chemistry, and promises too much for new chemistry.

    One task without gaps is stratified exactly, `stratified_folds`; several tasks, or
    missing labels, as well as they allow, `multitask_folds`.
    """
    codes, k = inputs.codes, dealing.n_folds
    if codes.shape[1] == 1 and (codes >= 0).all():
        fold = stratified_folds(codes[:, 0], k, seed=dealing.seed)
        how = "stratified by class"
    else:
        fold = multitask_folds(codes, k, seed=dealing.seed)
        how = f"stratified by {codes.shape[1]} tasks and their missing labels"
    return Split("random", f"{k} folds of single rows, {how}", k, fold)
