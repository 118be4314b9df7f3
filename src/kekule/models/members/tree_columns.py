"""Trees that read fingerprints: a forest or boosted trees, after their training.

Symbols: n rows, W columns, k classes seen, K classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kekule.models.baseline import spread_columns
from kekule.models.fingerprint_models import filled
from kekule.models.members.columns import Columns, columns_in
from kekule.models.members.contents import Contents, prefixed, storable
from kekule.models.members.member import Material, Stored
from kekule.models.members.trees import Link, Trees

LINKS: dict[str, Link] = {"forest": "mean", "boosted": "sum"}  # by kind, as it is stored
TREES = "trees."


@dataclass(frozen=True, eq=False)
class TreesOfColumns:
    """Trained trees.

    Attributes
    ----------
    columns, trees
        What is read, and by what.
    usual
        float32 (W,), what stands for a missing value of each column of a forest; None of
        boosted trees, to which it is a value of its own.
    classes
        int64 (k,), those seen in training.
    n_classes
        K.
    """

    columns: Columns
    trees: Trees
    usual: NDArray[np.float32] | None
    classes: NDArray[np.int64]
    n_classes: int

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints."""
        return self.columns.names

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """See `kekule.models.members.member.Trained.probabilities`."""
        found = np.zeros((len(material), len(self.classes)))
        for rows, features in self.columns.pieces(material):
            there = features if self.usual is None else filled(features, self.usual)
            found[rows] = self.trees.probabilities(there)
        return spread_columns(found, self.classes, self.n_classes)

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        arrays = prefixed(TREES, self.trees.arrays())
        if self.usual is not None:
            arrays["usual"] = self.usual
        (kind,) = (kind for kind, link in LINKS.items() if link == self.trees.link)
        told = {"kind": kind, **self.columns.told(), "classes": self.classes.tolist()}
        return storable(told, arrays)


def restored_trees(given: Contents, n_classes: int) -> TreesOfColumns:
    """Read what `TreesOfColumns.stored` gave."""
    link = LINKS[given.setting("kind", str)]
    columns, classes = columns_in(given), given.classes(n_classes)
    trees = Trees.from_arrays(
        given.under(TREES), n_columns=columns.width, n_classes=len(classes), link=link
    )
    usual = given.array("usual", np.float32, (columns.width,)) if link == "mean" else None
    given.end()
    return TreesOfColumns(columns, trees, usual, classes, n_classes)
