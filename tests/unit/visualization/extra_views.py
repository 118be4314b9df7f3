"""What some runs tell beside scores and rows, made up in the form that the files have it."""

import numpy as np
from rdkit import Chem

from kekule.visualization.ensemble_view import ensemble_of
from kekule.visualization.examination_view import examination_of
from kekule.visualization.nearness_view import (
    CliffPairView,
    CliffRow,
    CliffsView,
    ErrorBin,
    SimilarityView,
    TopListView,
)
from kekule.visualization.portion import Interval, Portion
from kekule.visualization.uncertainty_view import uncertainty_of

METRICS = ("accuracy", "roc_auc", "log_loss", "brier")


def share(hits, n):
    """A share as the files tell it."""
    if n == 0:
        return {"hits": 0, "n": 0, "value": None, "low": None, "high": None}
    value = hits / n
    return {
        "hits": hits,
        "n": n,
        "value": value,
        "low": max(value - 0.1, 0.0),
        "high": min(value + 0.1, 1.0),
    }


def score(mean, reach=0.02):
    low, high = (None, None) if mean is None else (mean - reach, mean + reach)
    return {"mean": mean, "std": 0.01, "low": low, "high": high, "folds": [mean] * 3}


def set_summary(n, held=0.9):
    return {
        "n": n,
        "covered": share(int(held * n), n),
        "mean_size": 1.2 if n else None,
        "singletons": share(n // 2, n),
        "empty": share(0, n),
        "singletons_right": share(n // 3, n // 2),
    }


def task_uncertainty(n_classes=2):
    """What scores tell of one task: the form of `kekule.evaluation.uncertainty_scores`."""
    bins = [[0.1, 0.2, 40, 0.1, 0.3], [0.6, 0.5, 40, 0.4, 0.6], [0.9, 0.95, 40, 0.9, 0.99]]
    after = [[0.2, 0.2, 40, 0.1, 0.3], [0.5, 0.5, 40, 0.4, 0.6], [0.95, 0.95, 40, 0.9, 0.99]]
    classes = {str(k): set_summary(30 * k) | {"folds_never_excluded": 0} for k in range(n_classes)}
    return {
        "calibration": {
            "setting": "auto",
            "folds": {"platt": 7, "none": 3},
            "rows": 17.0,
            "before": {"log_loss": 0.4, "brier": 0.2, "ece": 0.08},
            "after": {"log_loss": 0.37, "brier": 0.19, "ece": None},
            "reliability": {"before": bins, "after": after},
        },
        "threshold": {
            "aim": "precision>=0.8",
            "chosen": [0.4, None, 0.7],
            "scores": {"precision": 0.81, "recall": 0.7, "npv": None},
            "most_probable": {"precision": 0.75, "recall": 0.8, "npv": 0.6},
        },
        "conformal": {
            "confidence": [0.8, 0.9],
            "sets": [
                {"confidence": level, "overall": set_summary(120, level), "classes": classes}
                for level in (0.8, 0.9)
            ],
            "calibration_rows": {str(k): 8.5 for k in range(n_classes)},
        },
    }


SHIPPED = {
    "fitted_on": "out-of-fold answers of the first seed",
    "calibrator": "platt",
    "why": "platt: log-loss 0.37",
    "rows": 188,
    "threshold": None,
    "threshold_reason": "all rows have one score",
}
DOMAIN = {
    "similarity": "ecfp",
    "k": 3,
    "threshold": 0.31,
    "inside": share(20, 170),
    "outside": share(6, 18),
    "gap": {"value": 0.21, "low": 0.04, "high": 0.4},
    "separates": True,
    "bins": [{"low": 0.1, "high": 0.4, "errors": share(15, 90)}],
}
ENSEMBLE = {
    "plan": {"left_out": ["WL-LightGBM"]},
    "members": [
        {
            "name": name,
            "weight": weight,
            "kept": kept,
            "seconds": 3.2,
            "shipped_weight": weight,
            "scores": {metric: score(0.8 - 0.02 * k) for metric in METRICS},
        }
        for k, (name, weight, kept) in enumerate(
            [("gin", 0.6, 1.0), ("ECFP-logistic", 0.4, 0.8), ("extra-trees", 0.0, 0.0)]
        )
    ],
    "network": {
        "metric": "accuracy",
        "with": score(0.82),
        "without": score(0.8),
        "verdict": "The graph network adds nothing that can be told from noise.",
    },
}
EXAMINATION = {
    "ladder": [
        {
            "split": name,
            "similarity_histogram": {"edges": [0.0, 0.3, 0.6, 1.0], "counts": counts},
            "primary": score(mean),
            "baselines": {"majority": score(0.66), "WL-SVM": score(None)},
        }
        for name, counts, mean in (("random", [1, 5, 20], 0.9), ("scaffold", [10, 9, 1], 0.8))
    ],
    "learning_curve": [
        {"share": 1.0, "rows": 150, "primary": score(0.88), "train_primary": 0.95},
        {"share": 0.5, "rows": 75, "primary": score(0.84), "train_primary": 0.97},
    ],
    "scrambled": {"primary": score(0.5, 0.05), "chance": 0.52},
}


def top_list(percent=10):
    return TopListView(percent, 19, 188, 0.4, 0.05, 0.55, 0.1)


def similarity(n, *, bins=True):
    rng = np.random.default_rng(0)
    found = (
        ErrorBin(0.2, 0.3, Portion.of(share(9, 30)), Interval(0.2, 0.1, 0.3)),
        ErrorBin(0.8, 0.9, Portion.of(share(1, 4)), Interval(0.1, np.nan, np.nan)),
    )
    near = rng.uniform(0.1, 1, n)
    return SimilarityView("circular substructures", near, n, found if bins else ())


def cliffs(classes, rows, *, graphs=False):
    """Two pairs, in the second of which one row was not tested."""
    ring = (np.array([[0, 1, 1, 0], [1, 0, 2, 2]]), np.array([0, 1, 0]), ("helix", "sheet"))
    molecule = None if graphs else Chem.MolFromSmiles("c1ccccc1[N+](=O)[O-]")

    def row(place, truth, predicted, chance):
        graph = ring if graphs else None
        return CliffRow(int(rows[place]), truth, predicted, chance, molecule, graph, 9)

    first, last = classes[0], classes[-1]
    pairs = (
        CliffPairView(row(0, first, last, 0.1), row(1, last, last, 0.8), 1.0),
        CliffPairView(row(2, last, first, 0.2), row(3, first, "", np.nan), 0.85),
    )
    gap = Interval(0.3, 0.1, 0.5)
    steps = ((0.0, 0.6, Portion.of(share(20, 150))), (0.9, 1.0, Portion.of(share(2, 4))))
    on, off = Portion.of(share(4, 8)), Portion.of(share(20, 180))
    return CliffsView(0.8, 188, on, off, gap, steps, pairs)


def extras(classes, rows, *, graphs=False):
    """Every field of a `RunView` that not every run has, for one task."""
    told = task_uncertainty(len(classes)) | {"domain": DOMAIN, "shipped": SHIPPED}
    return {
        "top_lists": (top_list(1), top_list()) if len(classes) == 2 else (),
        "similarity": similarity(len(rows)),
        "cliffs": cliffs(classes, rows, graphs=graphs),
        "uncertainty": uncertainty_of(told, classes=classes, tasks={}),
        "ensemble": ensemble_of(ENSEMBLE, metric="accuracy", own={"accuracy": score(0.82)}),
        "examination": examination_of(EXAMINATION, "accuracy"),
    }
