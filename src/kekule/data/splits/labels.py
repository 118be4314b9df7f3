"""Labels as columns of ones and zeros, so that every task can be balanced at once.

A missing label is a label too: were it not, one fold could be tested on few rows of a task.

Symbols: N rows, T tasks, J labels, G groups.
"""

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray


def label_columns(codes: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Spell codes out, a column for each class of each task and for its missing labels.

    Returns
    -------
    columns
        uint8 (N, J), 1 where the row has that label; every column has a 1.
    is_class
        bool (J,), false for the columns of missing labels.
    """
    columns, is_class = [], []
    for task in codes.T:
        for code in np.unique(task).tolist():
            columns.append(task == code)
            is_class.append(code >= 0)
    spelt = np.array(columns, dtype=np.uint8).reshape(len(columns), len(codes)).T
    return np.ascontiguousarray(spelt), np.array(is_class, dtype=np.bool_)


def group_counts(columns: NDArray[np.uint8], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count for each group its rows (column 0) and its rows of each label; float64 (G, 1 + J)."""
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    counts = np.empty((n_groups, 1 + columns.shape[1]))
    counts[:, 0] = np.bincount(groups, minlength=n_groups)
    for label, column in enumerate(columns.T, start=1):
        counts[:, label] = np.bincount(groups, weights=column, minlength=n_groups)
    return counts


def numbered(names: Iterable[Hashable]) -> NDArray[np.int64]:
    """Number names 0, 1, ... by first appearance: what they are called changes nothing."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
