"""Labels of one task or of several: what is left of them, and what cannot be learnt together.

Symbols: R usable rows, T tasks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data import Targets

if TYPE_CHECKING:
    from kekule.workflow.prepare import Prepared

SHOWN = 5  # classes that an error names


def no_label(tasks: Sequence[str]) -> str:
    """Why a row without any label is set aside."""
    if len(tasks) == 1:
        return f"there is no label in column {tasks[0]!r}"
    return f"there is no label in any of the {len(tasks)} target columns"


def classes_left(targets: Targets) -> tuple[tuple[tuple[str, ...], ...], NDArray[np.int64]]:
    """Classes that usable rows still have of each task, and the rows' numbers among them.

    Returns
    -------
    tuple
        T tuples of names, and int64 (R, T) with -1 where a label is missing.
    """
    classes, columns = [], []
    for names, codes in zip(targets.classes, targets.codes.T, strict=True):
        present = np.unique(codes[codes >= 0])
        number = np.full(len(names) + 1, -1)
        number[present] = np.arange(len(present))
        columns.append(number[codes])  # a missing label is -1, the last of the numbers
        classes.append(tuple(names[code] for code in present.tolist()))
    return tuple(classes), np.stack(columns, axis=1).astype(np.int64)


def check_tasks(source: object, tasks: Sequence[str], classes: Sequence[tuple[str, ...]]) -> None:
    """Refuse several tasks of which one has not two classes.

    Raises
    ------
    DataFileError
        Naming the first such task and its classes.
    """
    for task, names in zip(tasks, classes, strict=True):
        if len(names) == 2:
            continue
        told = ", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")
        if len(names) < 2:
            why = f"of the rows left task {task!r} has {told or 'no label'} alone"
            raise DataFileError(source, why, "Leave it out of target, or add rows.")
        why = f"task {task!r} has {len(names)} classes ({told}), and of several each has two"
        raise DataFileError(source, why, f"Train it alone, with target={task}.")


def label_counts(prepared: "Prepared") -> dict[str, dict[str, int]]:
    """Labels that were learnt from, by task and class."""
    counts = {}
    for k, (task, classes) in enumerate(prepared.tasks.items()):
        codes = prepared.inputs.targets[:, k]
        counts[task] = {name: int((codes == code).sum()) for code, name in enumerate(classes)}
    return counts
