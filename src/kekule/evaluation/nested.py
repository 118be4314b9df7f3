"""Nested validation: inside every fold choose the settings of a network, then estimate outside.

A score of the best of several settings, taken on the rows that chose it, is the luckiest of
several draws. Here the rows an outer fold tests are no argument of the choice: inner parts of
its training rows choose a combination of `protocol.grid`, the network is trained anew under
it `protocol.final_runs` times, each with other weights and another part that chooses the
epoch, and only then asked about the test rows.

A whole outer fold, choice and final runs, is one task: it is kept, and after a kill done
again, as one. Must not know where results are kept or how they look.

Symbols: C combinations, I inner parts, R final runs, n test rows, T tasks, K classes.

References
----------
Errica, Podda, Bacciu & Micheli 2020, "A Fair Comparison of Graph Neural Networks for Graph
Classification", https://arxiv.org/abs/1912.09893, sec. 3.
Cawley & Talbot 2010, JMLR 11:2079-2107, for how large the luck is.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.comparison import DIGITS
from kekule.evaluation.fold_inputs import (
    FINAL,
    NETWORK,
    FoldInputs,
    FoldResult,
    FoldTask,
    Rows,
)
from kekule.evaluation.folds import (
    groups_of,
    held_rows,
    network_result,
    profile_page,
    shipped,
    split_rows,
    train_network,
)
from kekule.evaluation.grid import Combination, applied, combinations_of
from kekule.evaluation.inner_parts import inner_fold_of
from kekule.evaluation.metrics import METRICS, Metric, selection_score
from kekule.evaluation.per_task import mean_of_defined, task_values
from kekule.evaluation.recipe import Recipe
from kekule.evaluation.summaries import summary_of
from kekule.models import EpochReport, probabilities

OnEpoch = Callable[[EpochReport], None]
SEED_STEP = 1000  # between the final runs of a seed: more than there are seeds
MEANING = {
    "metrics": "scores of the mean probabilities of a fold's final runs",
    "mean_of_scores": "mean of the scores of a fold's final runs, each scored alone, as Errica "
    "et al. 2020 report; of a single network, as the one that is shipped",
    "run_scores": "those scores, run by run, seed by seed and fold by fold",
    "inner_scores": "what each combination was chosen by: minus the Brier score of each inner "
    "part; the highest mean is chosen, the first of equals",
}


def is_nested(recipe: Recipe, task: FoldTask) -> bool:
    """Whether a task chooses its settings inside its training rows."""
    return recipe.protocol.kind == "nested" and task.model == NETWORK


def n_trainings(recipe: Recipe, task: FoldTask) -> int:
    """How many networks a task trains."""
    if not is_nested(recipe, task):
        return 1
    return len(grid_of(recipe)) * (recipe.protocol.inner or 1) + n_runs(recipe, task)


def n_runs(recipe: Recipe, task: FoldTask) -> int:
    """R; the model that is shipped is a single one."""
    return 1 if task.fold == FINAL else recipe.protocol.final_runs or 1


def grid_of(recipe: Recipe) -> list[Combination]:
    """Every combination of the recipe's grid, in its order."""
    return combinations_of(recipe.protocol.grid or {})


def recipe_at(recipe: Recipe, combination: Combination) -> Recipe:
    """Recipe with the settings of a combination in place of its own."""
    model = applied(recipe.model, "model", combination)
    train = applied(recipe.train, "train", combination)
    return recipe.model_copy(update={"model": model, "train": train})


def recipe_of_result(recipe: Recipe, result: FoldResult) -> Recipe:
    """Recipe that a result's network was trained by: with what was chosen, if something was."""
    return recipe if result.chosen < 0 else recipe_at(recipe, grid_of(recipe)[result.chosen])


def run_nested(
    inputs: FoldInputs, task: FoldTask, *, on_epoch: OnEpoch | None = None
) -> FoldResult:
    """Choose a combination inside the task's training rows and answer for its test rows.

    Of no use with a handful of training rows: an inner part of a few rows chooses by luck.

    Parameters
    ----------
    inputs, task
        What to do, under a recipe of the kind ``nested``.
    on_epoch
        Called after every epoch of each of the `n_trainings` trainings in turn.

    Returns
    -------
    FoldResult
        Of the mean of the final runs; curves and weights are those of the first of them.
    """
    started = time.perf_counter()
    scores = inner_scores(inputs, task, on_epoch)
    chosen = best_of(scores)
    inputs = replace(inputs, recipe=recipe_at(inputs.recipe, grid_of(inputs.recipe)[chosen]))
    # The first run comes last: of a task that trains several times, who follows its epochs
    # keeps those of the last.
    runs = [
        _final_run(inputs, task, run, on_epoch)
        for run in reversed(range(n_runs(inputs.recipe, task)))
    ][::-1]
    each = np.stack([run.probabilities for run in runs])
    mean = each.mean(axis=0)
    return replace(
        runs[0],
        labels=mean.argmax(-1),
        probabilities=mean,
        seconds=time.perf_counter() - started,
        chosen=chosen,
        inner_scores=scores,
        run_probabilities=each,
    )


def best_of(scores: NDArray[np.float64]) -> int:
    """Combination with the highest mean over the inner parts (C, I), the first of equals."""
    return int(scores.mean(axis=1).round(DIGITS).argmax())


def inner_scores(
    inputs: FoldInputs, task: FoldTask, on_epoch: OnEpoch | None = None
) -> NDArray[np.float64]:
    """`selection_score` of every combination on every inner part; float64 (C, I).

    All start from the same weights and see the same rows, so that what differs is the
    combination. An inner part chooses the epoch, too: that favours none of them.
    """
    found = []
    for combination in grid_of(inputs.recipe):
        at = replace(inputs, recipe=recipe_at(inputs.recipe, combination))
        values = []
        for train, held in inner_parts(inputs, task):
            network, _ = train_network(at, train, held, seed=task.seed, on_epoch=on_epoch)
            answered = probabilities(network, inputs.graphs.take(held))
            values.append(selection_score(answered, inputs.targets[held]))
        found.append(values)
    return np.array(found, dtype=np.float64)


def inner_parts(inputs: FoldInputs, task: FoldTask) -> list[tuple[Rows, Rows]]:
    """Rows to train and rows to choose by, of each inner part; none of them is a test row.

    A single part is that which would choose the epoch in plain cross-validation: given with
    the split, or drawn. Several are folds of all training rows, and of whole groups where
    the split has groups.

    Raises
    ------
    KekuleError
        If the rows cannot be shared out so, naming the task.
    """
    train, held, _ = split_rows(inputs, task)
    n_parts = inputs.recipe.protocol.inner or 1
    if n_parts == 1:
        return [(train, held)]
    rows = np.union1d(train, held)
    try:
        fold = inner_fold_of(inputs, task, rows, n_parts)
    except KekuleError as error:
        raise KekuleError(f"protocol.inner {n_parts}: {task}: {error}") from None
    return [(rows[fold != part], rows[fold == part]) for part in range(n_parts)]


def _final_run(
    inputs: FoldInputs, task: FoldTask, run: int, on_epoch: OnEpoch | None
) -> FoldResult:
    """Train on all rows that are not tested, a part of them drawn to choose the epoch."""
    started = time.perf_counter()
    seed = task.seed + SEED_STEP * run
    rows = np.union1d(*split_rows(inputs, task)[:2])
    held = held_rows(inputs, rows, groups_of(inputs, task), seed=seed)
    network, curve = train_network(
        inputs,
        np.setdiff1d(rows, held),
        held,
        seed=seed,
        on_epoch=on_epoch,
        profile=profile_page(inputs, task) if run == 0 else None,
    )
    return network_result(inputs, task, network, curve, time.perf_counter() - started, held=held)


def nested_scores(results: dict[FoldTask, FoldResult], inputs: FoldInputs) -> dict[str, Any]:
    """The part of ``scores.json`` that tells what was chosen, and how each final run did."""
    grid = grid_of(inputs.recipe)
    ours = {task: result for task, result in results.items() if task.model == NETWORK}
    folds = [result for task, result in ours.items() if task.fold != FINAL]
    scores = {
        name: [_run_scores(metric, result, inputs) for result in folds]
        for name, metric in METRICS.items()
    }
    means = {
        name: summary_of(
            tuple(map(mean_of_defined, of_folds)),
            inputs.resampling,
            (METRICS[name].low, METRICS[name].high),
        )
        for name, of_folds in scores.items()
    }
    return {
        "meaning": MEANING,
        "combinations": grid,
        "chosen": [
            {
                "seed": task.seed,
                "fold": None if task.fold == FINAL else task.fold + 1,
                "combination": grid[result.chosen],
                "inner_scores": result.inner_scores.tolist(),
            }
            for task, result in ours.items()
        ],
        "shipped": grid[results[shipped(inputs.recipe)].chosen],
        "mean_of_scores": {name: asdict(summary) for name, summary in means.items()},
        "run_scores": scores,
    }


def _run_scores(metric: Metric, result: FoldResult, inputs: FoldInputs) -> list[float | None]:
    """Score of each final run of a fold; of several tasks the mean over those that have one."""
    truth = inputs.targets[result.rows]
    if truth.ndim == 1:
        return [metric.compute(truth, p.argmax(-1), p) for p in result.run_probabilities]
    return [
        mean_of_defined(task_values(metric, truth, p.argmax(-1), p))
        for p in result.run_probabilities
    ]
