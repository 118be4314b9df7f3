"""Scores of class probabilities, each with its range and what it cannot be computed on.

Symbols: n rows, K classes. ``truth`` int64 (n,) and ``labels`` int64 (n,) are class numbers,
``probabilities`` float64 (n, K). Where there are two classes the last is the positive one;
with more, one class is set against the rest and the mean over the classes is taken.
A score that has no value on the rows given is None, never a number that looks like one.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation import early_recognition, ranking

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Score = Callable[[Labels, Labels, Probabilities], float | None]

FLOOR = 0.8  # least precision, or negative predictive value, of a list worth acting on
SMALLEST = 1e-15  # a probability of zero given to what happened would cost infinitely much


class Metric(NamedTuple):
    """How a score is computed and read."""

    compute: Score
    low: float  # least possible value
    high: float  # largest possible value
    higher_is_better: bool
    meaning: str


def _none_without_rows(compute: Score) -> Score:
    @wraps(compute)
    def guarded(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
        return compute(truth, labels, probabilities) if len(truth) else None

    return guarded


@_none_without_rows
def accuracy(truth: Labels, labels: Labels, probabilities: Probabilities) -> float:
    """Share of rows given their class."""
    del probabilities
    return float((truth == labels).mean())


@_none_without_rows
def balanced_accuracy(truth: Labels, labels: Labels, probabilities: Probabilities) -> float:
    """Mean over the classes present of the share given their class."""
    del probabilities
    return float(np.mean([(labels[truth == k] == k).mean() for k in np.unique(truth)]))


def roc_auc(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Chance that a row of the class is ranked above one of another; None with one class."""
    del labels
    return _one_against_rest(truth, probabilities, ranking.area_under_roc)


def pr_auc(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Average precision; compare it with the share of the class, not with one half."""
    del labels
    return _one_against_rest(truth, probabilities, ranking.average_precision)


def recall_at_precision(
    truth: Labels, labels: Labels, probabilities: Probabilities
) -> float | None:
    """Share of the positives in the longest list of which 80 % are positive; 0 if there is none.

    None with one class. Read beside it the share of the class: where that is 80 % already,
    the list of all rows will do.
    """
    del labels
    return _one_against_rest(
        truth, probabilities, partial(ranking.recall_at_precision, floor=FLOOR)
    )


def tnr_at_npv(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Share of the negatives in the longest list of which 80 % are negative; 0 if there is none.

    What can be set aside as safe. None with one class; close to 1 for any model where few rows
    are positive.
    """
    del labels

    def of_the_negative(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
        return ranking.recall_at_precision(~positive, -scores, FLOOR)

    return _one_against_rest(truth, probabilities, of_the_negative)


def bedroc(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Early recognition, see `early_recognition.bedroc`; None with one class."""
    del labels
    return _one_against_rest(truth, probabilities, early_recognition.bedroc)


def enrichment_1pct(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Enrichment among the first hundredth of the rows; None with one class."""
    del labels
    top = partial(early_recognition.enrichment_factor, percent=1)
    return _one_against_rest(truth, probabilities, top)


def enrichment_5pct(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Enrichment among the first twentieth of the rows; None with one class."""
    del labels
    top = partial(early_recognition.enrichment_factor, percent=5)
    return _one_against_rest(truth, probabilities, top)


def mcc(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Matthews correlation of truth and label; None where either is constant."""
    del probabilities
    if len(np.unique(truth)) < 2 or len(np.unique(labels)) < 2:
        return None
    return float(ranking.matthews_correlation(truth, labels))


def f1(truth: Labels, labels: Labels, probabilities: Probabilities) -> float | None:
    """Harmonic mean of precision and recall of the positive class, or mean over classes.

    None where the class is neither there nor predicted.
    """
    n_classes = probabilities.shape[1]
    wanted = [1] if n_classes == 2 else range(n_classes)
    values = []
    for k in wanted:
        hits = int(((truth == k) & (labels == k)).sum())
        size = int((truth == k).sum() + (labels == k).sum())
        if size:
            values.append(2 * hits / size)
    return float(np.mean(values)) if values else None


@_none_without_rows
def log_loss(truth: Labels, labels: Labels, probabilities: Probabilities) -> float:
    """Mean negative log-probability of the true class, in nats."""
    del labels
    given = np.clip(probabilities[np.arange(len(truth)), truth], SMALLEST, 1.0)
    return float(-np.log(given).mean())


@_none_without_rows
def brier(truth: Labels, labels: Labels, probabilities: Probabilities) -> float:
    """Squared distance to the truth: of the positive class, or summed over more classes."""
    del labels
    return -selection_score(probabilities, truth)


@_none_without_rows
def ece(truth: Labels, labels: Labels, probabilities: Probabilities) -> float:
    """Expected calibration error of the top class over ten equal bins of confidence.

    Biased upwards on few rows: a perfect model on 20 rows does not reach 0. Guo et al. 2017,
    https://arxiv.org/abs/1706.04599.
    """
    del labels
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in np.unique(bins)]
    return float(np.sum(gaps) / len(truth))


METRICS: dict[str, Metric] = {
    "accuracy": Metric(accuracy, 0, 1, True, "share of rows given their class"),
    "balanced_accuracy": Metric(balanced_accuracy, 0, 1, True, "mean of the classes' accuracies"),
    "roc_auc": Metric(roc_auc, 0, 1, True, "chance of ranking a positive above a negative"),
    "pr_auc": Metric(pr_auc, 0, 1, True, "average precision"),
    "mcc": Metric(mcc, -1, 1, True, "Matthews correlation"),
    "f1": Metric(f1, 0, 1, True, "harmonic mean of precision and recall"),
    "log_loss": Metric(log_loss, 0, np.inf, False, "nats per row"),
    "brier": Metric(brier, 0, 2, False, "squared error of the probability"),
    "ece": Metric(ece, 0, 1, False, "gap between confidence and hit rate"),
    "recall_at_precision_0.8": Metric(
        recall_at_precision, 0, 1, True, "positives found at a precision of at least 0.8"
    ),
    "tnr_at_npv_0.8": Metric(
        tnr_at_npv, 0, 1, True, "negatives set aside of which at least 0.8 are negative"
    ),
    "bedroc": Metric(bedroc, 0, 1, True, "positives early in the ranking, alpha = 20"),
    "enrichment_1pct": Metric(
        enrichment_1pct, 0, np.inf, True, "positives in the top 1 %, as multiple of chance"
    ),
    "enrichment_5pct": Metric(
        enrichment_5pct, 0, np.inf, True, "positives in the top 5 %, as multiple of chance"
    ),
}

PRIMARY = "accuracy"
PRIMARY_OF_SEVERAL = "roc_auc"  # of tasks with few positives, which accuracy does not see


def selection_score(probabilities: Probabilities, truth: Labels) -> float:
    """What chooses the epoch on validation rows: minus the Brier score.

    Of several tasks, ``probabilities`` (n, T, K) and ``truth`` (n, T), it is the mean over the
    labels there are; -1 is none.

    On the 17 validation rows of a MUTAG fold the accuracy moves in steps of 6 %, and the
    log-loss hangs on the one row whose label is odd; the Brier score is fine-grained and
    bounded.
    """
    n_classes, known = probabilities.shape[-1], truth >= 0
    if not known.any():
        raise ValueError(f"of {len(truth)} validation rows none has a label to choose by")
    distance = ((probabilities[known] - np.eye(n_classes)[truth[known]]) ** 2).sum(-1)
    return -float(distance.mean() / (2 if n_classes == 2 else 1))


def _one_against_rest(
    truth: Labels,
    probabilities: Probabilities,
    score: Callable[[NDArray[np.bool_], NDArray[np.float64]], float],
) -> float | None:
    n_classes = probabilities.shape[1]
    wanted = [1] if n_classes == 2 else list(range(n_classes))
    values = [
        score(truth == k, probabilities[:, k])
        for k in wanted
        if 0 < int((truth == k).sum()) < len(truth)
    ]
    return float(np.mean(values)) if values else None
