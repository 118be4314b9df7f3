"""The majority class: what a score is worth before anything was learned.

On a set with 66 % of one class it is right 66 % of the time; an accuracy without it beside
it says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from kekule.features import PackedGraphs
from kekule.models.baseline import Answer, Tables


class Majority:
    """Answers the most frequent class of the training rows, with the classes' frequencies."""

    needs = ()

    def __init__(self, graphs: PackedGraphs, tables: Tables | None = None):
        del graphs, tables  # it looks at none of them

    def answer(
        self,
        targets: NDArray[np.int64],
        *,
        train_rows: NDArray[np.int64],
        test_rows: NDArray[np.int64],
        n_classes: int,
        seed: int,
    ) -> Answer:
        """See `kekule.models.baseline.Baseline.answer`; the first of equally frequent classes."""
        del seed
        frequency = np.bincount(targets[train_rows], minlength=n_classes) / len(train_rows)
        return Answer(
            np.full(len(test_rows), int(frequency.argmax())),
            np.tile(frequency, (len(test_rows), 1)),
        )
