"""Folds that are even in every task at once, for rows that have many labels each."""

import numpy as np
from numpy.typing import NDArray

from kekule.data.splits.labels import label_columns


def multitask_folds(codes: NDArray[np.int64], n_folds: int, *, seed: int) -> NDArray[np.int64]:
    """Share rows out so that each task's classes and gaps are in proportion in every fold.

    A table of tasks cannot be stratified by its whole pattern of labels: most patterns
    occur once. So labels are served one by one, the one with the fewest rows left first,
    while there is still a choice for it; each of its rows goes to the fold that lacks that
    label most, then to the one that lacks the row's other labels most. A class with fewer
    rows than folds is missing from some folds, which no way of splitting can help.

    Parameters
    ----------
    codes
        int64 (N, T); -1 where a label is missing.
    n_folds
        k.
    seed
        Which of the many ways.

    Returns
    -------
    NDArray[np.int64]
        (N,). Fold of each row, 0 to k - 1; sizes differ by at most one.

    References
    ----------
    Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of multi-label data",
    ECML PKDD, sec. 3; the limit on the sizes is ours.
    """
    rng = np.random.default_rng(seed)
    columns = label_columns(codes)[0]
    totals = columns.sum(axis=0, dtype=np.int64)
    lack = np.repeat(totals[:, None] / n_folds, n_folds, axis=1)  # (J, k)
    room = _room(len(codes), n_folds, rng)
    folds = np.full(len(codes), -1, dtype=np.int64)
    left = totals.copy()
    while left.any():
        label = int(np.where(left > 0, left, left.max() + 1).argmin())
        for row in rng.permutation(np.flatnonzero((columns[:, label] > 0) & (folds < 0))):
            own = columns[row] > 0
            others = (lack[own] / totals[own, None]).sum(axis=0)
            fold = _most(room > 0, lack[label], others, rng)
            folds[row] = fold
            lack[own, fold] -= 1
            room[fold] -= 1
            left[own] -= 1
    unlabelled = np.flatnonzero(folds < 0)  # only where there is no task
    folds[unlabelled] = rng.permutation(np.repeat(np.arange(n_folds), room))
    return folds


def _room(n_rows: int, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows each fold will have, the odd ones going to folds drawn at random."""
    odd = rng.permutation(n_folds) < n_rows % n_folds
    return (n_rows // n_folds + odd).astype(np.int64)


def _most(
    open_: NDArray[np.bool_],
    first: NDArray[np.float64],
    then: NDArray[np.float64],
    rng: np.random.Generator,
) -> int:
    """Choose among open folds by the first measure, then the second, then at random."""
    best = np.flatnonzero(open_)
    for measure in (first, then):
        best = best[measure[best] >= measure[best].max() - 1e-9]
    return int(best[rng.integers(len(best))])
