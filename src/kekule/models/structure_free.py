"""Logistic regression on what a graph is made of, with every edge forgotten.

A network that does not beat it has learned nothing from structure.

References
----------
Errica et al. 2020, https://arxiv.org/abs/1912.09893, whose "no structure" baselines it follows
in spirit.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from kekule.features import PackedGraphs, composition
from kekule.models.baseline import (
    Answer,
    Tables,
    answer_of_one_class,
    inner_splits,
    spread_columns,
)

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # inverse penalties C


class StructureFree:
    """Counts of node labels and summed attributes, scaled, into a logistic regression."""

    needs = ()

    def __init__(self, graphs: PackedGraphs, tables: Tables | None = None):
        del tables
        features = composition(graphs)
        # Nodes without label or attribute are made of nothing: the frequencies alone remain.
        self.features = features if features.shape[1] else np.zeros((len(graphs), 1))

    def answer(
        self,
        targets: NDArray[np.int64],
        *,
        train_rows: NDArray[np.int64],
        test_rows: NDArray[np.int64],
        n_classes: int,
        seed: int,
    ) -> Answer:
        """See `kekule.models.baseline.Baseline.answer`; the penalty is chosen inside."""
        features, truth = self.features[train_rows], targets[train_rows]
        if (alike := answer_of_one_class(truth, len(test_rows), n_classes)) is not None:
            return alike
        right = dict.fromkeys(STRENGTHS, 0)
        for fit, held in inner_splits(truth, seed=seed):
            for strength in STRENGTHS:
                if len(np.unique(truth[fit])) > 1:
                    model = _regression(strength).fit(features[fit], truth[fit])
                    right[strength] += int((model.predict(features[held]) == truth[held]).sum())
        model = _regression(max(STRENGTHS, key=right.__getitem__)).fit(features, truth)
        asked = self.features[test_rows]
        probabilities = spread_columns(model.predict_proba(asked), model.classes_, n_classes)
        return Answer(probabilities.argmax(1), probabilities)


def _regression(strength: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
