"""What calibration, threshold and prediction sets were worth on rows they were not fitted on.

Answers are pooled over folds and seeds. A row that several seeds tested was answered several
times, which says more of the models and no more of the row: intervals are as wide as if each row
had been asked once.

Symbols: n answers, K classes. ``given`` float64 (n, K), as the models gave them. All that is
returned is JSON with finite numbers; None where there is no value. Must not know models, class
names or storage.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration.reliability import reliability
from kekule.evaluation.coverage import SetSummary, coverage
from kekule.evaluation.metrics import METRICS
from kekule.evaluation.shares import Share, wilson_interval
from kekule.evaluation.thresholds import AT_LEAST, LARGEST, Counts
from kekule.evaluation.uncertainty import Probabilities, TaskUncertainty
from kekule.evaluation.uncertainty_settings import UncertaintySettings

Told = dict[str, Any]

LEVELS: Final = (0.8, 0.9)  # confidences that every run tells, beside that of its settings
PROPER: Final = ("log_loss", "brier", "ece")
OF_A_CUT: Final[dict[str, Callable[[Counts], NDArray[np.float64]]]] = {
    "precision": AT_LEAST["precision"].bound,
    "recall": AT_LEAST["recall"].bound,
    "specificity": AT_LEAST["npv"].largest,
    "npv": AT_LEAST["npv"].bound,
    "mcc": LARGEST["mcc"],
    "balanced_accuracy": LARGEST["balanced_accuracy"],
}


class Tested(NamedTuple):
    """Test rows of a fold, and what was fitted on other rows for them."""

    rows: NDArray[np.int64]  # (n,), their numbers
    truth: NDArray[np.int64]  # (n,)
    given: Probabilities  # (n, K)
    fitted: TaskUncertainty


def scores_of_task(parts: Sequence[Tested], settings: UncertaintySettings) -> Told:
    """All three parts of one task; what cannot be told is a dict with ``why_not`` alone."""
    if not sum(len(part.truth) for part in parts):
        nothing = {"why_not": "no row with a label was tested"}
        return dict.fromkeys(("calibration", "threshold", "conformal"), nothing)
    if not any(part.fitted.n_rows for part in parts):
        nothing = {"why_not": parts[0].fitted.why.partition(": ")[2]}
        return dict.fromkeys(("calibration", "threshold", "conformal"), nothing)
    return {
        "calibration": calibration_scores(parts, settings),
        "threshold": None if settings.threshold is None else threshold_scores(parts),
        "conformal": conformal_scores(parts, settings),
    }


def calibration_scores(parts: Sequence[Tested], settings: UncertaintySettings) -> Told:
    """Proper scores and reliability before and after; which calibrator how many folds chose."""
    truth = np.concatenate([part.truth for part in parts])
    before = np.concatenate([part.given for part in parts])
    after = np.concatenate([part.fitted.calibrated(part.given) for part in parts])
    times = _times(parts)
    return {
        "setting": settings.calibration,
        "folds": dict(Counter(part.fitted.calibrator.kind for part in parts).most_common()),
        "rows": _mean([part.fitted.n_rows for part in parts]),
        "before": _proper_scores(before, truth),
        "after": _proper_scores(after, truth),
        "reliability": {
            "before": _diagram(before, truth, times),
            "after": _diagram(after, truth, times),
        },
    }


def threshold_scores(parts: Sequence[Tested]) -> Told:
    """Scores at the thresholds chosen fold by fold, and at the most probable class."""
    cuts = [cut for part in parts if (cut := part.fitted.threshold) is not None]
    told: Told = {"aim": cuts[0].aim, "chosen": [cut.value for cut in cuts]}
    if all(cut.value is None for cut in cuts):
        ((why, _),) = Counter(cut.reason for cut in cuts).most_common(1)
        return told | {"why_not": why}
    truth = np.concatenate([part.truth for part in parts])
    at_cut = [part.fitted.labels(part.given) for part in parts]
    most_probable = [part.fitted.calibrated(part.given).argmax(-1) for part in parts]
    return told | {
        "scores": _binary_scores(np.concatenate(at_cut), truth),
        "most_probable": _binary_scores(np.concatenate(most_probable), truth),
    }


def conformal_scores(parts: Sequence[Tested], settings: UncertaintySettings) -> Told:
    """Coverage at each confidence, overall and by class; classes by number, as texts."""
    levels = sorted({*LEVELS, settings.confidence})
    counts = np.array([[len(k) for k in part.fitted.conformal.calibration] for part in parts])
    return {
        "confidence": levels,
        "sets": [_sets_at(parts, level) for level in levels],
        "calibration_rows": {str(k): _mean(column) for k, column in enumerate(counts.T.tolist())},
    }


def _sets_at(parts: Sequence[Tested], confidence: float) -> Told:
    truth = np.concatenate([part.truth for part in parts])
    sets = [part.fitted.conformal.sets(part.given, confidence) for part in parts]
    found, times = coverage(np.concatenate(sets), truth), _times(parts)
    stuck = Counter(k for part in parts for k in part.fitted.conformal.never_excluded(confidence))
    return {
        "confidence": confidence,
        "overall": _summary(found.overall, times),
        "classes": {
            str(k): _summary(summary, times) | {"folds_never_excluded": stuck[k]}
            for k, summary in enumerate(found.classes)
        },
    }


def _summary(summary: SetSummary, times: float) -> Told:
    told = {
        name: _told_share(value, times) if isinstance(value, Share) else value
        for name, value in summary._asdict().items()
    }
    return {"n": summary.covered.n} | told


def _told_share(found: Share, times: float) -> Told:
    if found.value is None:
        return found._asdict()
    low, high = _interval(np.array([found.value]), np.array([found.n]), times)
    return found._replace(low=float(low[0]), high=float(high[0]))._asdict()


def _diagram(
    given: Probabilities, truth: NDArray[np.int64], times: float
) -> list[list[float | int]]:
    """Bins as (said, found, n, low, high), rising."""
    found = reliability(given, truth)
    low, high = _interval(found.hit_rate, found.counts, times)
    columns = (found.confidence, found.hit_rate, found.counts, low, high)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _interval(
    shares: NDArray[np.float64], counts: NDArray[np.int64], times: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson intervals of shares of answers of which each row gave `times`."""
    rows = np.maximum(np.round(counts / times), 1).astype(np.int64)
    return wilson_interval(shares * rows, rows)


def _times(parts: Sequence[Tested]) -> float:
    """How often a row was answered, on average."""
    rows = np.concatenate([part.rows for part in parts])
    return len(rows) / len(np.unique(rows))


def _proper_scores(given: Probabilities, truth: NDArray[np.int64]) -> dict[str, float | None]:
    return {name: METRICS[name].compute(truth, given.argmax(-1), given) for name in PROPER}


def _binary_scores(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> dict[str, float | None]:
    said, positive = labels == 1, truth == 1
    kinds = (said & positive, said & ~positive, ~said & ~positive, ~said & positive)
    at = Counts(*(np.array([kind.sum()], dtype=np.float64) for kind in kinds))
    values = {name: float(score(at)[0]) for name, score in OF_A_CUT.items()}
    return {name: None if np.isnan(value) else value for name, value in values.items()}


def _mean(values: Sequence[int]) -> float:
    return float(np.mean(values))
