"""What the scores of the folds of a model amount to, over tasks and over folds.

Where several tasks are learnt together, a fold's score is the mean over its tasks.

Symbols: S seeds, k folds, J = S · k scores of each model, T tasks.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kekule.evaluation.comparison import corrected_interval
from kekule.evaluation.fold_inputs import FINAL, NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.evaluation.metrics import METRICS
from kekule.evaluation.per_task import mean_of_defined, task_values


@dataclass(frozen=True)
class ScoreSummary:
    """One metric of one model over the folds.

    Attributes
    ----------
    mean, std
        Over the folds on which the metric is defined; std with J - 1. None if on none.
    low, high
        Interval of the mean, clipped to the metric's range; None with fewer than two folds,
        where all have the same score, and where every seed has the same single test set.
    folds
        Every fold's score, seed by seed; None where undefined.
    """

    mean: float | None
    std: float | None
    low: float | None
    high: float | None
    folds: tuple[float | None, ...]


def summarise(
    results: dict[FoldTask, FoldResult], model: str, inputs: FoldInputs
) -> dict[str, ScoreSummary]:
    """Every metric of one model over its folds; of several tasks see `mean_over_tasks`."""
    if inputs.targets.ndim > 1:
        return mean_over_tasks(summarise_tasks(results, model, inputs), inputs)
    folds = _folds_of(results, model)
    summary = {}
    for name, metric in METRICS.items():
        values = tuple(
            metric.compute(inputs.targets[r.rows], r.labels, r.probabilities) for r in folds
        )
        summary[name] = summary_of(values, inputs.resampling, (metric.low, metric.high))
    return summary


def summarise_tasks(
    results: dict[FoldTask, FoldResult], model: str, inputs: FoldInputs
) -> dict[str, dict[str, ScoreSummary]]:
    """Every metric of each of several tasks over the folds, each on the rows with its label."""
    folds = _folds_of(results, model)
    summaries: dict[str, dict[str, ScoreSummary]] = {task: {} for task in inputs.tasks}
    for name, metric in METRICS.items():
        values = [
            task_values(metric, inputs.targets[r.rows], r.labels, r.probabilities) for r in folds
        ]
        for task, of_task in zip(inputs.tasks, zip(*values, strict=True), strict=True):
            summaries[task][name] = summary_of(
                of_task, inputs.resampling, (metric.low, metric.high)
            )
    return summaries


def mean_over_tasks(
    of_tasks: dict[str, dict[str, ScoreSummary]], inputs: FoldInputs
) -> dict[str, ScoreSummary]:
    """Every metric as the mean over the tasks inside each fold.

    A task that has no value on a fold, such as one with a single class among its test rows,
    is left out there.
    """
    summary = {}
    for name, metric in METRICS.items():
        folds = zip(*(task[name].folds for task in of_tasks.values()), strict=True)
        values = tuple(mean_of_defined(fold) for fold in folds)
        summary[name] = summary_of(values, inputs.resampling, (metric.low, metric.high))
    return summary


def told_of_tasks(
    of_models: dict[str, dict[str, dict[str, ScoreSummary]]],
) -> dict[str, Any]:
    """Scores of single tasks, and how many of them each mean of the network is over."""
    plain = {
        model: {
            task: {name: asdict(s) for name, s in summary.items()}
            for task, summary in of_tasks.items()
        }
        for model, of_tasks in of_models.items()
    }
    ours = plain.pop(NETWORK)
    scored = {
        name: sum(summary[name]["mean"] is not None for summary in ours.values())
        for name in METRICS
    }
    return {"per_task": ours, "baselines_per_task": plain, "n_tasks_scored": scored}


def _folds_of(results: dict[FoldTask, FoldResult], model: str) -> list[FoldResult]:
    return [r for t, r in results.items() if t.model == model and t.fold != FINAL]


def summary_of(
    values: tuple[float | None, ...], n_folds: float, limits: tuple[float, float]
) -> ScoreSummary:
    """What scores amount to; `n_folds` as `FoldInputs.resampling` counts them."""
    defined = complete(values)
    if not defined:
        return ScoreSummary(None, None, None, None, values)
    mean = float(np.mean(defined))
    if len(defined) < 2:
        return ScoreSummary(mean, None, None, None, values)
    if n_folds <= 1:  # seeds on one test set: their spread is not that of other test sets
        return ScoreSummary(mean, float(np.std(defined, ddof=1)), None, None, values)
    if np.ptp(defined) == 0:  # folds that agree by chance know nothing of their spread
        return ScoreSummary(mean, 0.0, None, None, values)
    low, high = np.clip(corrected_interval(defined, n_folds), *limits).tolist()
    return ScoreSummary(mean, float(np.std(defined, ddof=1)), low, high, values)


def seed_means(summary: ScoreSummary, n_folds: int) -> list[float | None]:
    """Mean over the folds of each seed, so that the spread between seeds can be read."""
    means: list[float | None] = []
    for start in range(0, len(summary.folds), n_folds):
        values = complete(summary.folds[start : start + n_folds])
        means.append(float(np.mean(values)) if values else None)
    return means


def complete(values: Iterable[float | None]) -> list[float]:
    """The scores there are."""
    return [value for value in values if value is not None]
