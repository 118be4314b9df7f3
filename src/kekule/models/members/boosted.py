"""Gradient-boosted trees on fingerprints.

For sets of a thousand molecules and more. On fewer they know too surely what they learnt by
heart, and a forest does better.

References
----------
Ke et al. 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 30.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kekule.models.boosting import TREES
from kekule.models.fingerprint_models import NARROW, SHARE_OF_COLUMNS, boosted_trees
from kekule.models.members.columns import WIDE, Columns
from kekule.models.members.grown import trees_of_booster
from kekule.models.members.links import n_margins
from kekule.models.members.member import Material, Rows, Size, Trained
from kekule.models.members.one_task import OneTaskMember
from kekule.models.members.tree_columns import TreesOfColumns


class BoostedMember(OneTaskMember):
    """As the baseline of the same name: circular substructures and RDKit's descriptors."""

    needs: ClassVar[tuple[str, ...]] = NARROW
    share_of_columns: ClassVar[float] = SHARE_OF_COLUMNS

    def _trained(
        self, material: Material, rows: Rows, truth: NDArray[np.int64], n_classes: int, seed: int
    ) -> Trained:
        columns = Columns.of(material.tables, self.needs)
        features = columns.table(material.tables, rows)
        model = boosted_trees(features, truth, seed=seed, share_of_columns=self.share_of_columns)
        trees = trees_of_booster(model.booster)
        return TreesOfColumns(columns, trees, None, model.classes_, n_classes)

    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
        return 6e-10 * TREES * n_margins(size.classes) * size.rows * size.columns


class WideBoostedMember(BoostedMember):
    """On all fingerprints, a tenth of their columns a tree."""

    needs = WIDE
    share_of_columns = 0.1
