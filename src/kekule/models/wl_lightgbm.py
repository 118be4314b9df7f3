"""Boosted trees on Weisfeiler–Lehman subtree counts, sizes and compositions.

What fingerprints with trees are for molecules, for graphs of any kind. Trees choose the few
patterns that matter where a kernel weighs all of them, and take sizes and continuous
attributes beside the counts as they are. One model is trained for patterns of each depth, and
their answers are averaged: to choose a depth on a few hundred rows is to choose by luck.

Symbols: G graphs, n rows, A columns of composition and size.

References
----------
Shervashidze et al. 2011, JMLR 12:2539-2561, for the patterns; Ke et al. 2017, NeurIPS 30.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kekule.features import PackedGraphs, composition, wl_features
from kekule.models.baseline import (
    Answer,
    Tables,
    answer_of_one_class,
    spread_columns,
)
from kekule.models.boosting import Boosted, boosted

if TYPE_CHECKING:
    from scipy import sparse

DEPTHS = (0, 1, 2, 3, 4)
SHARE_OF_COLUMNS, LEAST_IN_A_LEAF = 0.3, 5
LEAST_GRAPHS = 3  # training graphs that have a pattern: a rarer one can only be learnt by heart

Rows = NDArray[np.int64]


class WLLightGBM:
    """LightGBM on what a graph is made of, its size, and WL subtree counts.

    Attributes
    ----------
    features
        One csr matrix float32 (G, n_columns) a depth.
    """

    needs = ()

    def __init__(self, graphs: PackedGraphs, tables: Tables | None = None):
        from scipy import sparse

        del tables
        rounds = wl_features(graphs, max(DEPTHS))
        plain = sparse.csr_matrix(plain_columns(graphs))
        self.features = [
            sparse.hstack([plain, *rounds[: depth + 1]]).tocsr().astype(np.float32)
            for depth in DEPTHS
        ]

    def answer(
        self,
        targets: Rows,
        *,
        train_rows: Rows,
        test_rows: Rows,
        n_classes: int,
        seed: int,
    ) -> Answer:
        """See `kekule.models.baseline.Baseline.answer`."""
        truth = targets[train_rows]
        if (alike := answer_of_one_class(truth, len(test_rows), n_classes)) is not None:
            return alike
        found = []
        for features in self.features:
            seen = features[:, common_columns(features[train_rows])]
            model = boosted_on(seen[train_rows], truth, seed=seed)
            answers = model.predict_proba(seen[test_rows])
            found.append(spread_columns(answers, model.classes_, n_classes))
        probabilities = np.mean(found, axis=0)
        return Answer(probabilities.argmax(1).astype(np.int64), probabilities)


def plain_columns(graphs: PackedGraphs) -> NDArray[np.float64]:
    """Composition, then nodes, edges, edges a node and independent cycles, (G, A)."""
    nodes = np.diff(graphs.node_pointer).astype(np.float64)
    edges = np.diff(graphs.edge_pointer) / 2
    sizes = np.stack([nodes, edges, edges / np.maximum(nodes, 1), edges - nodes + 1], axis=1)
    return np.hstack([composition(graphs), sizes])


def common_columns(features: "sparse.csr_matrix") -> Rows:
    """Columns that enough of these graphs have; all of them where none is."""
    common = np.flatnonzero(features.getnnz(axis=0) >= LEAST_GRAPHS)
    return common if len(common) else np.arange(features.shape[1])


def boosted_on(features: "sparse.csr_matrix", truth: Rows, *, seed: int) -> Boosted:
    """Grow the trees of one depth on rows of two classes or more."""
    return boosted(
        features,
        truth,
        seed=seed,
        share_of_columns=SHARE_OF_COLUMNS,
        least_in_a_leaf=LEAST_IN_A_LEAF,
    )
