"""LightGBM as the models here use it: one thread, the same trees every time, no warnings.

References
----------
Ke et al. 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 30.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TREES, RATE = 400, 0.03


class Boosted:
    """Trained trees.

    Attributes
    ----------
    classes_
        int64 (k,), the classes seen, rising.
    booster
        LightGBM's own, which can be written as text.
    """

    def __init__(self, classes: NDArray[np.int64], booster: Any):
        self.classes_, self.booster = classes, booster

    def predict_proba(self, features: Any) -> NDArray[np.float64]:
        """Probability of each of `classes_`, (n, k)."""
        if not features.shape[0]:
            return np.zeros((0, len(self.classes_)))
        found = np.asarray(self.booster.predict(features, num_threads=1), dtype=np.float64)
        return np.stack([1 - found, found], axis=1) if found.ndim == 1 else found


def boosted(
    features: Any,
    truth: NDArray[np.int64],
    *,
    seed: int,
    share_of_columns: float,
    least_in_a_leaf: int,
) -> Boosted:
    """Grow trees on `features`, dense or csr (n, W) and perhaps NaN, of two classes or more."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(
        n_estimators=TREES,
        learning_rate=RATE,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=share_of_columns,
        min_child_samples=least_in_a_leaf,
        reg_lambda=1.0,
        n_jobs=1,
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    ).fit(features, truth)
    return Boosted(np.asarray(model.classes_, dtype=np.int64), model.booster_)
