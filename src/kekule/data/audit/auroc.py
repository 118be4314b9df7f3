"""How well a few numbers foretell a label, by cross-validation, with an interval.

Symbols: N rows, m positives, n negatives, k folds.

References
----------
Placement values: DeLong et al. 1988, Biometrics 44:837-845. Their use across folds: LeDell
et al. 2015, Electronic Journal of Statistics 9:1583-1607. The factor for folds whose models
share rows: Nadeau and Bengio 2003, Machine Learning 52:239-281.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_FOLDS = 5
FEWEST = 20  # rows of the rarer class: with fewer an interval says nothing
METHOD = (
    f"{N_FOLDS} stratified folds of random rows; mean of the folds' AUROC with a 95 % interval "
    "from its placement values (DeLong), widened for what the folds share (Nadeau and Bengio)"
)
_TREES = {
    "max_iter": 20,
    "learning_rate": 0.2,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 10,
    "early_stopping": False,
    "random_state": 0,
}
# The folds' models share most of their rows, so their errors are not independent.
_SHARED_ROWS = 1 + N_FOLDS / (N_FOLDS - 1)
_Z = 1.959964  # 97.5 % of a normal distribution lie below
_ONE_SIDED = 0.025


class Auroc(NamedTuple):
    """An area under the ROC curve and its 95 % interval."""

    value: float
    low: float
    high: float


def foretold(features: NDArray[np.floating], positive: NDArray[np.bool_], *, seed: int) -> Auroc:
    """AUROC of a small tree model that sees nothing but `features`, on rows it has not seen.

    Trees find a threshold, a few blocks, a pair of habits: what a shortcut looks like. They
    need no scaling and mind no outlier.

    Parameters
    ----------
    features
        (N, any), finite.
    positive
        (N,), with at least `FEWEST` rows of either kind.
    seed
        Of the folds.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    from kekule.data.splits import stratified_folds

    fold_of = stratified_folds(positive, N_FOLDS, seed=seed)
    scores = np.empty(len(positive))
    with threadpool_limits(1):
        for fold in range(N_FOLDS):
            tested = fold_of == fold
            model = HistGradientBoostingClassifier(**_TREES)
            model.fit(features[~tested], positive[~tested])
            scores[tested] = model.predict_proba(features[tested])[:, 1]
    return pooled_auroc(scores, positive, fold_of)


def pooled_auroc(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], fold_of: NDArray[np.int64]
) -> Auroc:
    """Mean AUROC of the folds, its interval from the placement of every row in its fold.

    A row's placement is the share of the fold's rows of the other kind it is ranked right
    against. Scores of different folds are never compared: each has its own model.
    """
    areas, spread_up, spread_down = [], [], []
    for fold in range(int(fold_of.max()) + 1):
        here = fold_of == fold
        up, down = _placements(scores[here], positive[here])
        areas.append(up.mean())
        spread_up.append(up - up.mean())
        spread_down.append(down - down.mean())
    variance = _variance_of_mean(spread_up) + _variance_of_mean(spread_down)
    area, half = float(np.mean(areas)), _Z * float(np.sqrt(_SHARED_ROWS * variance))
    rarer = int(min(positive.sum(), (~positive).sum()))
    # Placements that are all 1 have no spread; that few rows were all right proves little.
    most = _ONE_SIDED ** (1 / rarer)
    return Auroc(area, max(min(area - half, most), 0.0), min(area + half, 1.0))


def mean_of(parts: list[Auroc]) -> Auroc:
    """Mean of several, as wide as the mean of their intervals: they share their rows."""
    return Auroc(*np.mean(np.array(parts), axis=0).tolist())


def _placements(
    scores: NDArray[np.floating], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Placement of each positive, (m,), and of each negative, (n,); ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    m, n = int(positive.sum()), int((~positive).sum())
    up = (ranks[positive] - rankdata(scores[positive])) / n
    down = 1 - (ranks[~positive] - rankdata(scores[~positive])) / m
    return up, down


def _variance_of_mean(deviations: list[NDArray[np.float64]]) -> float:
    """Variance of a mean over folds, from each row's deviation from its fold's mean."""
    pooled = np.concatenate(deviations)
    free = max(len(pooled) - len(deviations), 1)
    return float((pooled**2).sum() / free / len(pooled))
