"""Models of fingerprints: what a graph network of molecules has to beat, and often does not.

A molecule is a row of counts and descriptors here, and its graph is not looked at. On sets of
a few thousand molecules these win more often than networks do, and train in seconds.

Symbols: G molecules, W columns, n rows asked for, K classes. Knows arrays; must not know how
they were made from molecules.

References
----------
Extremely randomised trees: Geurts et al. 2006, Machine Learning 63:3-42. LightGBM: Ke et al.
2017, NeurIPS 30. Which descriptors beside ECFP: Notwell & Wood 2023, arXiv:2310.00174.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from kekule.features import PackedGraphs
from kekule.models.baseline import (
    Answer,
    Tables,
    answer_of_one_class,
    inner_splits,
    spread_columns,
)
from kekule.models.boosting import Boosted, boosted

DESCRIPTORS: Final = "rdkit-descriptors"
NARROW: Final = ("ecfp", DESCRIPTORS)

TREES, FEWEST_TREES = 500, 100
ROWS_FOR_ALL = 5000  # of a larger set the trees are fewer: each is larger, and the mean steadier
LEAST_IN_A_LEAF = 2  # rows: a leaf of one repeats the noise of its label
SHARE_OF_COLUMNS, LEAST_IN_A_BOOSTED_LEAF = 0.2, 10
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # inverse penalties C

Rows = NDArray[np.int64]


class FingerprintModel(ABC):
    """A model of the columns of some fingerprints, side by side.

    Attributes
    ----------
    needs
        Names of the fingerprints, which `tables` have to hold.
    features
        float32 (G, W); NaN where there is no value.
    """

    needs: ClassVar[tuple[str, ...]]

    def __init__(self, graphs: PackedGraphs, tables: Tables | None = None):
        del graphs
        self.features = side_by_side(tables or {}, self.needs)

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
        train, asked = self._prepared(self.features[train_rows], self.features[test_rows])
        model = self._trained(train, truth, seed)
        found = np.asarray(model.predict_proba(asked), dtype=np.float64).reshape(len(asked), -1)
        probabilities = spread_columns(found, np.asarray(model.classes_), n_classes)
        return Answer(probabilities.argmax(1).astype(np.int64), probabilities)

    def _prepared(
        self, train: NDArray[np.float32], asked: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Columns as the model takes them, by what the training rows alone say of them."""
        usual = medians(train)
        return filled(train, usual), filled(asked, usual)

    @abstractmethod
    def _trained(self, features: NDArray[np.float32], truth: Rows, seed: int) -> Any:
        """Model with ``predict_proba`` and ``classes_`` as in scikit-learn, of two or more."""


class ECFPLogistic(FingerprintModel):
    """Logistic regression on counts of circular substructures; the penalty is chosen inside."""

    needs = ("ecfp",)

    def _prepared(
        self, train: NDArray[np.float32], asked: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        # A pattern that occurs nine times is not nine times as telling as one that occurs once.
        return np.log1p(train), np.log1p(asked)

    def _trained(self, features: NDArray[np.float32], truth: Rows, seed: int) -> Any:
        from scipy import sparse
        from sklearn.linear_model import LogisticRegression

        def regression(strength: float) -> LogisticRegression:
            return LogisticRegression(C=strength, max_iter=1000)

        counts = sparse.csr_matrix(features)
        cost = dict.fromkeys(STRENGTHS, 0.0)
        for fit, held in inner_splits(truth, seed=seed):
            if len(np.unique(truth[fit])) < 2:
                continue
            for strength in STRENGTHS:
                model = regression(strength).fit(counts[fit], truth[fit])
                full = spread_columns(
                    model.predict_proba(counts[held]), model.classes_, int(truth.max()) + 1
                )
                given = full[np.arange(len(held)), truth[held]]
                cost[strength] -= float(np.log(np.maximum(given, 1e-6)).sum())
        return regression(min(STRENGTHS, key=cost.__getitem__)).fit(counts, truth)


class ExtraTrees(FingerprintModel):
    """Extremely randomised trees on counts of circular substructures and RDKit's descriptors."""

    needs = NARROW

    def _trained(self, features: NDArray[np.float32], truth: Rows, seed: int) -> Any:
        return extra_trees(features, truth, seed=seed)


class LightGBM(FingerprintModel):
    """Gradient-boosted trees on the same columns; a value that is missing is one of its own."""

    needs = NARROW

    def _prepared(
        self, train: NDArray[np.float32], asked: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return train, asked

    def _trained(self, features: NDArray[np.float32], truth: Rows, seed: int) -> Any:
        return boosted_trees(features, truth, seed=seed)


def extra_trees(
    features: NDArray[np.float32], truth: Rows, *, seed: int, share_of_trees: float = 1.0
) -> Any:
    """Grow a forest on rows without missing values, of two classes or more."""
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(
        round(share_of_trees * n_trees_of(len(features))),
        criterion="entropy",
        min_samples_leaf=LEAST_IN_A_LEAF,
        n_jobs=1,
        random_state=seed,
    )
    return forest.fit(features, truth)


def boosted_trees(
    features: NDArray[np.float32],
    truth: Rows,
    *,
    seed: int,
    share_of_columns: float = SHARE_OF_COLUMNS,
) -> Boosted:
    """Grow boosted trees on rows of two classes or more; NaN where a value is missing."""
    return boosted(
        features,
        truth,
        seed=seed,
        share_of_columns=share_of_columns,
        least_in_a_leaf=LEAST_IN_A_BOOSTED_LEAF,
    )


def n_trees_of(n_rows: int) -> int:
    """Trees of a forest on so many rows."""
    return max(TREES * ROWS_FOR_ALL // max(n_rows, ROWS_FOR_ALL), FEWEST_TREES)


def side_by_side(tables: Tables, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Columns of some fingerprints in one table, float32 (G, W)."""
    return np.concatenate([np.asarray(tables[name], dtype=np.float32) for name in names], axis=1)


def medians(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of every column, (W,), of the values there are; 0 where there is none."""
    bare = np.isnan(features).any(axis=0)
    usual = np.zeros(features.shape[1], dtype=np.float32)
    for column in np.flatnonzero(bare).tolist():
        there = features[~np.isnan(features[:, column]), column]
        usual[column] = np.median(there) if len(there) else 0.0
    return usual


def filled(features: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put the `usual` value of its column where there is none."""
    missing = np.isnan(features)
    return np.where(missing, usual, features) if missing.any() else features
