"""What a single test set can say: an interval over its rows, not over other ways to train.

Folds have a spread of their own; a single test set has only its rows. They are drawn anew,
whole families where the split keeps them together, and the score of all seeds is taken on each
draw. What is not in such an interval is how the score would differ with other training rows.

Symbols: S seeds, n test rows.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.bootstrap import Interval, bootstrap_of_score
from kekule.evaluation.fold_inputs import FINAL, FoldInputs, FoldResult, FoldTask
from kekule.evaluation.metrics import METRICS, Metric

Rows = NDArray[np.int64]
Score = Callable[[Rows], float | None]
INTERVAL_OF_ROWS = (
    "95 % BCa bootstrap interval of the {} over the rows of the single test set (Efron 1987); it "
    "says nothing of other training rows. Other metrics have none"
)


def has_one_test_set(inputs: FoldInputs) -> bool:
    """Whether every seed is tested on the same rows, of one task."""
    return inputs.resampling <= 1 and inputs.targets.ndim == 1


def interval_of(
    results: Mapping[FoldTask, FoldResult], model: str, inputs: FoldInputs, primary: str
) -> Interval:
    """Interval of a model's mean score over its seeds."""
    found = _results(results, model)
    rows = found[0].rows
    return _drawn(_score(found, METRICS[primary], inputs), rows, inputs)


def difference_of(
    results: Mapping[FoldTask, FoldResult],
    one: str,
    other: str,
    inputs: FoldInputs,
    primary: str,
) -> Interval:
    """Interval of the mean score of one model less that of another, on the same draws of rows."""
    first, second = (_results(results, model) for model in (one, other))
    of_one, of_other = (_score(found, METRICS[primary], inputs) for found in (first, second))

    def gap(drawn: Rows) -> float | None:
        ours, theirs = of_one(drawn), of_other(drawn)
        return None if ours is None or theirs is None else ours - theirs

    return _drawn(gap, first[0].rows, inputs)


def _results(results: Mapping[FoldTask, FoldResult], model: str) -> list[FoldResult]:
    return [r for task, r in results.items() if task.model == model and task.fold != FINAL]


def _score(found: list[FoldResult], metric: Metric, inputs: FoldInputs) -> Score:
    """Mean score of some results, which answered for the same rows, on rows by their place."""
    truth = inputs.targets[found[0].rows]

    def score(drawn: Rows) -> float | None:
        values = [
            metric.compute(truth[drawn], one.labels[drawn], one.probabilities[drawn])
            for one in found
        ]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return score


def _drawn(score: Score, rows: Rows, inputs: FoldInputs) -> Interval:
    split = inputs.splits.get(inputs.recipe.seed)
    groups = None if split is None or split.groups is None else split.groups[rows]
    return bootstrap_of_score(score, inputs.targets[rows], groups=groups, seed=inputs.recipe.seed)
