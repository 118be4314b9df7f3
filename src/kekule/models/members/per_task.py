"""One training for each task, of a member that learns a single one.

A label that is missing is nobody's mistake: a task is learnt from the rows that have its label.

Symbols: n rows, T tasks, K classes of each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.models.members.constant import constant
from kekule.models.members.contents import prefixed, storable
from kekule.models.members.member import Material, Member, Rows, Stored, Trained

KIND = "per-task"
MISSING = -1
MOST_TASKS = 10_000


@dataclass(frozen=True, eq=False)
class PerTask:
    """Trainings of T tasks, which answer side by side.

    Attributes
    ----------
    tasks
        One a task, in their order.
    """

    tasks: tuple[Trained, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints that some task reads."""
        return tuple(dict.fromkeys(name for task in self.tasks for name in task.needs))

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """Class probabilities of every row and task, (n, T, K)."""
        return np.stack([task.probabilities(material) for task in self.tasks], axis=1)

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        settings: list[dict[str, Any]] = []
        arrays: dict[str, NDArray[Any]] = {}
        for t, task in enumerate(self.tasks):
            own = task.stored()
            settings.append(own.settings)
            arrays |= prefixed(prefix_of(t), own.arrays)
        return storable({"kind": KIND, "tasks": settings}, arrays)


def prefix_of(task: int) -> str:
    """What names of a task's arrays begin with."""
    return f"t{task}."


def train_member(
    member: Member,
    material: Material,
    targets: NDArray[np.int64],
    *,
    train_rows: Rows,
    held_rows: Rows,
    n_classes: int,
    seed: int,
) -> Trained:
    """Train a member on one task, or on several in its own way.

    Parameters
    ----------
    member
        Any; one of a single task is trained task by task.
    material, targets
        Of all rows; int64 (n,), or (n, T) with -1 where a label is missing. Only those of the
        given rows are read.
    train_rows, held_rows
        See `kekule.models.members.member.Member.train`.

    Returns
    -------
    Trained
        A task whose training rows are all of one class gets that class for every row, and one
        without any row even chances.
    """
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]

    def trained_on(given: NDArray[np.int64], train: Rows, held: Rows) -> Trained:
        if not len(train):
            return constant(train, n_classes)
        return member.train(
            material, given, train_rows=train, held_rows=held, n_classes=n_classes, seed=seed
        )

    def labelled(of_task: NDArray[np.int64]) -> Trained:
        train, held = (r[of_task[r] != MISSING] for r in (train_rows, held_rows))
        return trained_on(of_task, train, held)

    if targets.ndim == 1:
        return labelled(targets)
    if member.all_tasks:
        return trained_on(targets, train_rows, held_rows)
    return PerTask(tuple(labelled(of_task) for of_task in targets.T))
