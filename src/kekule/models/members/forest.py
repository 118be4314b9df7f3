"""Extremely randomised trees on fingerprints.

Of all members the one that is least likely to be wrong by much on a few hundred molecules. Not
the one for a set of many thousands, where boosted trees learn more, sooner.

References
----------
Geurts et al. 2006, Machine Learning 63:3-42.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kekule.models.fingerprint_models import NARROW, extra_trees, filled, medians, n_trees_of
from kekule.models.members.columns import WIDE, Columns
from kekule.models.members.grown import trees_of_forest
from kekule.models.members.member import Material, Rows, Size, Trained
from kekule.models.members.one_task import OneTaskMember
from kekule.models.members.tree_columns import TreesOfColumns


class ForestMember(OneTaskMember):
    """As the baseline of the same name: circular substructures and RDKit's descriptors."""

    needs: ClassVar[tuple[str, ...]] = NARROW
    share_of_trees: ClassVar[float] = 1.0

    def _trained(
        self, material: Material, rows: Rows, truth: NDArray[np.int64], n_classes: int, seed: int
    ) -> Trained:
        columns = Columns.of(material.tables, self.needs)
        features = columns.table(material.tables, rows)
        usual = medians(features)
        forest = extra_trees(
            filled(features, usual), truth, seed=seed, share_of_trees=self.share_of_trees
        )
        classes = np.asarray(forest.classes_, dtype=np.int64)
        return TreesOfColumns(columns, trees_of_forest(forest), usual, classes, n_classes)

    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
        rows = max(size.rows, 2)
        visits = self.share_of_trees * n_trees_of(rows) * rows * np.log2(rows)
        return float(1e-8 * visits * np.sqrt(size.columns) * (0.6 + 0.2 * size.classes))


class WideForestMember(ForestMember):
    """On all fingerprints: a molecule seen seven ways. Half the trees, each as long again."""

    needs = WIDE
    share_of_trees = 0.5
