"""Answers of a model as the columns of a table, the same in a run and in a prediction.

Symbols: n rows, T tasks, K classes of each.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.object_] | NDArray[np.float64]]


def answer_columns(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    classes: Sequence[str],
    tasks: Mapping[str, Sequence[str]],
) -> Columns:
    """``prediction`` and ``probability``, or ``probability_<class>`` with more than two classes.

    Parameters
    ----------
    labels, probabilities
        (n,) and (n, K), -1 and NaN where there is no answer; of several tasks (n, T) and
        (n, T, K), and each column has its ``<task>.`` before it.
    classes
        Names of the classes of one task.
    tasks
        Names of several tasks with those of their classes; empty where there is one.
    """
    if not tasks:
        return _of_one(labels, probabilities, classes)
    return {
        f"{task}.{column}": values
        for k, (task, names) in enumerate(tasks.items())
        for column, values in _of_one(labels[:, k], probabilities[:, k], names).items()
    }


def _of_one(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], classes: Sequence[str]
) -> Columns:
    names = np.array([*classes, ""], dtype=object)  # no answer, -1, is the last
    columns: Columns = {"prediction": names[labels]}
    if len(classes) == 2:
        return columns | {"probability": probabilities[:, 1]}
    return columns | {f"probability_{name}": probabilities[:, k] for k, name in enumerate(classes)}
