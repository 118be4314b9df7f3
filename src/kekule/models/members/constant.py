"""The same answer for every row: all that one class, or no row at all, can teach."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kekule.models.members.contents import Contents, storable
from kekule.models.members.member import Material, Stored

KIND = "constant"


@dataclass(frozen=True, eq=False)
class Constant:
    """Trained on rows of one class, or on none.

    Attributes
    ----------
    shares
        float64 (K,), summing to one.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    shares: NDArray[np.float64]

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """See `kekule.models.members.member.Trained.probabilities`."""
        return np.tile(self.shares, (len(material), 1))

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        return storable({"kind": KIND}, {"shares": self.shares})


def constant(present: NDArray[np.int64], n_classes: int) -> Constant:
    """Answer of rows of the one class `present`; even chances, a guess, where there is none."""
    if not len(present):
        return Constant(np.full(n_classes, 1 / n_classes))
    return Constant(np.eye(n_classes)[int(present[0])])


def restored_constant(given: Contents, n_classes: int) -> Constant:
    """Read what `Constant.stored` gave."""
    shares = given.array("shares", np.float64, (n_classes,))
    given.end()
    if (shares < 0).any() or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(f"{given.what}: shares {shares[:10].tolist()} do not sum to one")
    return Constant(shares)
