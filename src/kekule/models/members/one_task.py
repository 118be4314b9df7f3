"""What members have in common that learn one task from its labelled rows alone."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kekule.models.members.constant import constant
from kekule.models.members.member import Material, Rows, Size, Trained


class OneTaskMember(ABC):
    """A member without use for held rows; where all rows are of one class, it says so."""

    needs: ClassVar[tuple[str, ...]] = ()
    all_tasks: ClassVar[bool] = False

    def train(
        self,
        material: Material,
        targets: NDArray[np.int64],
        *,
        train_rows: Rows,
        held_rows: Rows,
        n_classes: int,
        seed: int,
    ) -> Trained:
        """See `kekule.models.members.member.Member.train`."""
        del held_rows
        truth = targets[train_rows]
        present = np.unique(truth)
        if len(present) < 2:
            return constant(present, n_classes)
        return self._trained(material, train_rows, truth, n_classes, seed)

    @abstractmethod
    def _trained(
        self, material: Material, rows: Rows, truth: NDArray[np.int64], n_classes: int, seed: int
    ) -> Trained:
        """Learn rows of two classes or more; `truth` is of those rows."""

    @abstractmethod
    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
