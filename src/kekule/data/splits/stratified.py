"""Which rows are tested, which stop the training, decided by class and seed alone.

Splits see targets and a seed, never a structure or a score, so they cannot leak. The
same targets and seed give the same rows on every machine.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kekule._errors import KekuleError


def stratified_folds(targets: ArrayLike, n_folds: int, *, seed: int) -> NDArray[np.int64]:
    """Share rows out among folds so that every fold has every class in proportion.

    Parameters
    ----------
    targets
        Class of each row, (N,).
    n_folds
        At least 2, and no more than the rows of the smallest class: with more, some
        fold would be scored on a class it does not hold.
    seed
        Which of the many ways.

    Returns
    -------
    NDArray[np.int64]
        (N,). Fold of each row, 0 to ``n_folds - 1``; counts of a class differ by at most
        one between folds.

    Raises
    ------
    KekuleError
        If there are fewer than 2 folds or classes, or a class has fewer rows than folds.
    """
    from sklearn.model_selection import StratifiedKFold

    classes, codes, counts = _classes(targets)
    if n_folds < 2:
        raise KekuleError(f"splits: {n_folds} folds leave nothing to train on. Use 2 or more.")
    if len(classes) < 2:
        raise KekuleError(
            f"splits: all {len(codes)} rows have class {_shown(classes)}, so there is nothing "
            "to tell apart. Give rows of at least two classes."
        )
    if counts.min() < n_folds:
        rare = classes[counts.argmin()]
        fewer = f"Use at most {counts.min()} folds" if counts.min() > 1 else "Leave it out"
        raise KekuleError(
            f"splits: class {rare} has too few rows ({counts.min()}) for {n_folds} folds. "
            f"{fewer}, or add rows of that class."
        )
    folds = np.empty(len(codes), dtype=np.int64)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    for fold, (_, test) in enumerate(splitter.split(np.zeros(len(codes)), codes)):
        folds[test] = fold
    return folds


def validation_rows(
    targets: ArrayLike, rows: Sequence[int] | NDArray[np.int64], *, fraction: float, seed: int
) -> NDArray[np.int64]:
    """Choose some of the given rows to watch training with, each class in proportion.

    Parameters
    ----------
    targets
        Class of every row of the set, (N,).
    rows
        The rows that may be chosen: those trained on.
    fraction
        Share to choose, between 0 and 1, both excluded.
    seed
        Which of the many ways.

    Returns
    -------
    NDArray[np.int64]
        Chosen rows, rising. Of a class with two or more rows at least one is chosen and
        one is left; a class with a single row stays in training.

    Raises
    ------
    KekuleError
        If ``fraction`` is out of range or no class has two rows.
    """
    if not 0.0 < fraction < 1.0:
        raise KekuleError(f"splits: fraction {fraction} is not between 0 and 1. Use 0.1, say.")
    rows = np.sort(np.asarray(rows, dtype=np.int64))
    _, codes, counts = _classes(np.asarray(targets)[rows])
    if not len(counts) or counts.max() < 2:
        raise KekuleError(
            f"splits: {len(rows)} rows with no class twice cannot give a validation part. "
            "Add rows, or use fewer folds."
        )
    rng = np.random.default_rng(seed)
    chosen: list[NDArray[np.int64]] = []
    for code, count in enumerate(counts):
        share = min(max(round(fraction * count), 1), count - 1)
        chosen.append(rng.permutation(rows[codes == code])[:share])
    return np.sort(np.concatenate(chosen))


def _classes(
    targets: ArrayLike,
) -> tuple[NDArray[np.generic], NDArray[np.int64], NDArray[np.int64]]:
    classes, codes, counts = np.unique(
        np.asarray(targets), return_inverse=True, return_counts=True
    )
    return classes, codes.astype(np.int64), counts.astype(np.int64)


def _shown(classes: NDArray[np.generic]) -> str:
    return ", ".join(str(name) for name in classes) or "none"
