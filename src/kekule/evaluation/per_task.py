"""What is done task by task where several are learnt together.

A label that is missing, -1, is nobody's mistake: it enters no score and trains no baseline.
A score that a task cannot have on the rows given is None and left out of the mean over the
tasks, so a mean always says with it over how many it was taken.

Symbols: G graphs, n rows, T tasks, K classes of each.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.metrics import Metric

if TYPE_CHECKING:
    from kekule.models import Baseline

MISSING = -1


def task_values(
    metric: Metric,
    truth: NDArray[np.int64],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> list[float | None]:
    """Score of every task on the rows that have its label.

    Parameters
    ----------
    metric
        Of one task.
    truth, labels
        (n, T), -1 in `truth` where a label is missing.
    probabilities
        (n, T, K).
    """
    values = []
    for task in range(truth.shape[1]):
        known = truth[:, task] != MISSING
        values.append(
            metric.compute(truth[known, task], labels[known, task], probabilities[known, task])
        )
    return values


def mean_of_defined(values: Iterable[float | None]) -> float | None:
    """Mean of the scores there are; None where there is none."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def answers_by_task(
    baseline: "Baseline",
    targets: NDArray[np.int64],
    *,
    train_rows: NDArray[np.int64],
    test_rows: NDArray[np.int64],
    n_classes: int,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and probabilities of a baseline, which knows of one task, for one or for several.

    Each task is trained on the rows that have its label. One without any label to train on is
    answered with even chances: a guess that says it is one.

    Parameters
    ----------
    targets
        (G,), or (G, T) with -1 where a label is missing.
    train_rows, test_rows
        As `kekule.models.baseline.Baseline.answer` takes them.

    Returns
    -------
    tuple
        int64 (n,) and float64 (n, K), or (n, T) and (n, T, K).
    """

    def asked(of_task: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rows = train_rows[of_task[train_rows] != MISSING]
        if not len(rows):
            even = np.full((len(test_rows), n_classes), 1 / n_classes)
            return np.zeros(len(test_rows), dtype=np.int64), even
        return baseline.answer(
            of_task, train_rows=rows, test_rows=test_rows, n_classes=n_classes, seed=seed
        )

    if targets.ndim == 1:
        return asked(targets)
    labels, probabilities = zip(*(asked(of_task) for of_task in targets.T), strict=True)
    return np.stack(labels, axis=1), np.stack(probabilities, axis=1)
