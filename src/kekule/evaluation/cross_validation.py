"""Cross-validation of a recipe: which folds there are, and what their results amount to.

Symbols: S seeds, k folds, J = S · k scores of each model, R usable rows, K classes.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.comparison import INTERVAL, corrected_interval, verdict
from kekule.evaluation.folds import (
    FINAL,
    NETWORK,
    FoldInputs,
    FoldResult,
    FoldTask,
    split_rows,
)
from kekule.evaluation.metrics import METRICS, PRIMARY
from kekule.evaluation.parallel import OnProgress, run_folds
from kekule.evaluation.recipe import Recipe


class FoldStore(Protocol):
    """Where finished folds are kept, so that a killed run goes on instead of starting again."""

    def get(self, task: FoldTask) -> FoldResult | None:
        """Result of a finished task, or None."""
        ...

    def put(self, task: FoldTask, result: FoldResult) -> None:
        """Keep a result; it is there completely or not at all."""
        ...


@dataclass(frozen=True)
class ScoreSummary:
    """One metric of one model over the folds.

    Attributes
    ----------
    mean, std
        Over the folds on which the metric is defined; std with J - 1. None if on none.
    low, high
        Interval of the mean, clipped to the metric's range; None with fewer than two folds,
        and where every seed has the same single test set.
    folds
        Every fold's score, seed by seed; None where undefined.
    """

    mean: float | None
    std: float | None
    low: float | None
    high: float | None
    folds: tuple[float | None, ...]


def tasks_of(recipe: Recipe, n_folds: int | None = None) -> list[FoldTask]:
    """Every task of a run: the final model first (it is the longest), then fold by fold.

    `n_folds` is that of the recipe's split, where it is not for the recipe to say.
    """
    return [
        FoldTask(NETWORK, recipe.seed, FINAL),
        *(
            FoldTask(model, seed, fold)
            for model in (NETWORK, *recipe.protocol.baselines)
            for seed in recipe.seeds
            for fold in range(n_folds or recipe.protocol.folds)
        ),
    ]


def cross_validate(
    inputs: FoldInputs,
    store: FoldStore,
    *,
    processes: int,
    on_progress: OnProgress,
    on_result: Any = None,
) -> dict[FoldTask, FoldResult]:
    """Run the folds that `store` does not hold yet and return them all.

    Parameters
    ----------
    inputs
        Graphs, targets and recipe.
    store
        Filled as folds finish.
    processes
        How many run at once.
    on_progress
        Called after every epoch of every fold.
    on_result
        Called with (task, result) as each fold finishes, after it is stored.
    """
    tasks = tasks_of(inputs.recipe, inputs.n_folds)
    results = {task: result for task in tasks if (result := store.get(task)) is not None}

    def keep(task: FoldTask, result: FoldResult) -> None:
        store.put(task, result)
        results[task] = result
        if on_result is not None:
            on_result(task, result)

    run_folds(
        inputs,
        [task for task in tasks if task not in results],
        processes=processes,
        on_progress=on_progress,
        on_result=keep,
    )
    return {task: results[task] for task in tasks}


def out_of_fold(
    results: dict[FoldTask, FoldResult], model: str, seed: int, n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Fold, label and probabilities of every row from the fold that did not train on it.

    Returns
    -------
    tuple
        int64 (R,), int64 (R,) and float64 (R, K).
    """
    parts = [
        (task.fold, r)
        for task, r in results.items()
        if task.model == model and task.seed == seed and task.fold != FINAL
    ]
    fold = np.full(n_rows, -1)
    labels = np.full(n_rows, -1)
    probabilities = np.full((n_rows, parts[0][1].probabilities.shape[1]), np.nan)
    for number, r in parts:
        fold[r.rows], labels[r.rows], probabilities[r.rows] = number, r.labels, r.probabilities
    return fold, labels, probabilities


def summarise(
    results: dict[FoldTask, FoldResult], model: str, inputs: FoldInputs
) -> dict[str, ScoreSummary]:
    """Every metric of one model over its folds."""
    folds = [r for t, r in results.items() if t.model == model and t.fold != FINAL]
    summary = {}
    for name, metric in METRICS.items():
        values = tuple(
            metric.compute(inputs.targets[r.rows], r.labels, r.probabilities) for r in folds
        )
        summary[name] = _summary(values, inputs.n_folds, (metric.low, metric.high))
    return summary


def scores_json(results: dict[FoldTask, FoldResult], inputs: FoldInputs) -> dict[str, Any]:
    """The part of ``scores.json`` that comes from the folds."""
    recipe = inputs.recipe
    ours = summarise(results, NETWORK, inputs)
    baselines = {name: summarise(results, name, inputs) for name in recipe.protocol.baselines}
    k = inputs.n_folds
    return {
        "protocol": {
            **recipe.protocol.model_dump(mode="json"),
            "kind": recipe.protocol.kind if k > 1 else "holdout",
            "folds": k,
            "description": _description(inputs),
            "interval": INTERVAL if k > 1 else "none: a single test set says nothing of its luck",
            "seeds_used": list(recipe.seeds),
        },
        "model": recipe.model.model_dump(mode="json"),
        "primary": PRIMARY,
        "metrics": {name: asdict(s) for name, s in ours.items()},
        "baselines": {
            model: {name: asdict(s) for name, s in summary.items()}
            for model, summary in baselines.items()
        },
        "seed_means": {name: _seed_means(s, k) for name, s in ours.items()},
        "verdict": verdict(
            getattr(recipe.model, "name", "the network"),
            _complete(ours[PRIMARY].folds),
            {name: _complete(s[PRIMARY].folds) for name, s in baselines.items()},
            k,
        ),
    }


def _description(inputs: FoldInputs) -> str:
    recipe, split = inputs.recipe, inputs.splits.get(inputs.recipe.seed)
    how = f"stratified {inputs.n_folds}-fold" if split is None else split.description
    if split is not None and split.validation is not None:
        chosen = "the validation rows given with the split"
    else:
        chosen = f"{_shares_held(inputs)} of each fold's training rows"
    return f"{how}; {len(recipe.seeds)} seed(s); {chosen} chose the epoch"


def _shares_held(inputs: FoldInputs) -> str:
    """Share of the training rows that chose the epoch; whole groups may be more, or fewer."""
    shares = []
    for task in tasks_of(inputs.recipe, inputs.n_folds):
        if task.model == NETWORK and task.fold != FINAL:
            train, held, _ = split_rows(inputs, task)
            shares.append(len(held) / (len(train) + len(held)))
    low, high = min(shares), max(shares)
    return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"


def _summary(
    values: tuple[float | None, ...], n_folds: int, limits: tuple[float, float]
) -> ScoreSummary:
    defined = _complete(values)
    if not defined:
        return ScoreSummary(None, None, None, None, values)
    mean = float(np.mean(defined))
    if len(defined) < 2:
        return ScoreSummary(mean, None, None, None, values)
    if n_folds < 2:  # seeds on one test set: their spread is not that of other test sets
        return ScoreSummary(mean, float(np.std(defined, ddof=1)), None, None, values)
    low, high = np.clip(corrected_interval(defined, n_folds), *limits).tolist()
    return ScoreSummary(mean, float(np.std(defined, ddof=1)), low, high, values)


def _seed_means(summary: ScoreSummary, n_folds: int) -> list[float | None]:
    """Mean over the folds of each seed, so that the spread between seeds can be read."""
    means: list[float | None] = []
    for start in range(0, len(summary.folds), n_folds):
        values = _complete(summary.folds[start : start + n_folds])
        means.append(float(np.mean(values)) if values else None)
    return means


def _complete(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
