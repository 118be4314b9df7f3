"""Cross-validation of a recipe: which folds there are, and what their results amount to.

Symbols: S seeds, k folds, R usable rows, T tasks, K classes.
"""

from dataclasses import asdict, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.comparison import (
    ACCURACY,
    INTERVAL,
    Gap,
    Measure,
    mean_roc_auc,
    verdict,
)
from kekule.evaluation.ensemble_scores import ensemble_scores
from kekule.evaluation.fold_inputs import FINAL, NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.evaluation.folds import shipped, split_rows
from kekule.evaluation.metrics import PRIMARY, PRIMARY_OF_SEVERAL
from kekule.evaluation.nested import (
    grid_of,
    inner_parts,
    is_nested,
    nested_scores,
    recipe_of_result,
)
from kekule.evaluation.one_test_set import (
    INTERVAL_OF_ROWS,
    difference_of,
    has_one_test_set,
    interval_of,
)
from kekule.evaluation.parallel import OnProgress, Progress, harmless, run_folds
from kekule.evaluation.recipe import Recipe
from kekule.evaluation.summaries import (
    ScoreSummary,
    complete,
    mean_over_tasks,
    seed_means,
    summarise,
    summarise_tasks,
    told_of_tasks,
)
from kekule.evaluation.together import run_together, trains_together
from kekule.models.ensemble_settings import AUTO

NO_INTERVAL = "none: a single test set says nothing of its luck"


SCRAMBLED = "Labels were dealt anew by chance, so a score above chance would be a leak. "


class FoldStore(Protocol):
    """Where finished folds are kept, so that a killed run goes on instead of starting again."""

    def get(self, task: FoldTask) -> FoldResult | None:
        """Result of a finished task, or None."""
        ...

    def put(self, task: FoldTask, result: FoldResult) -> None:
        """Keep a result; it is there completely or not at all."""
        ...


def tasks_of(recipe: Recipe, n_folds: int | None = None) -> list[FoldTask]:
    """Every task of a run: the final model first (it is the longest), then fold by fold.

    There is no final model where the recipe ships a fold's. `n_folds` is that of the
    recipe's split, where it is not for the recipe to say.
    """
    return [
        *([FoldTask(NETWORK, recipe.seed, FINAL)] if recipe.protocol.refit else []),
        *(
            FoldTask(model, seed, fold)
            for model in (NETWORK, *recipe.protocol.baselines)
            for seed in recipe.seeds
            for fold in range(n_folds or recipe.protocol.folds or 1)
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

    Raises
    ------
    FoldError, KekuleError
        As `run_folds` raises them.
    """
    tasks = tasks_of(inputs.recipe, inputs.n_folds)
    results = {task: result for task in tasks if (result := store.get(task)) is not None}

    def keep(task: FoldTask, result: FoldResult) -> None:
        store.put(task, result)
        results[task] = result
        if on_result is not None:
            on_result(task, result)

    missing = [task for task in tasks if task not in results]
    for task in missing:
        if is_nested(inputs.recipe, task):
            inner_parts(inputs, task)  # fails before the first training, or not at all
    networks = [task for task in tasks if task.model == NETWORK]
    recipe = inputs.recipe
    alone = recipe.protocol.kind == "nested" or recipe.model.name == AUTO
    alone = alone or results.keys() >= set(networks)
    if not alone and trains_together(recipe.train, len(inputs.graphs), len(networks)):
        # All of them, also those a killed run had finished: they shared a random stream.
        tell = harmless(on_progress)
        found = run_together(inputs, networks, lambda task, epoch: tell(Progress(task, epoch)))
        for task, result in found.items():
            keep(task, result)
        missing = [task for task in missing if task.model != NETWORK]
    run_folds(
        inputs,
        missing,
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
        int64 (R,), int64 (R,) and float64 (R, K); of several tasks int64 (R,), (R, T) and
        float64 (R, T, K).
    """
    parts = [
        (task.fold, r)
        for task, r in results.items()
        if task.model == model and task.seed == seed and task.fold != FINAL
    ]
    fold = np.full(n_rows, -1)
    labels = np.full((n_rows, *parts[0][1].labels.shape[1:]), -1)
    probabilities = np.full((n_rows, *parts[0][1].probabilities.shape[1:]), np.nan)
    for number, r in parts:
        fold[r.rows], labels[r.rows], probabilities[r.rows] = number, r.labels, r.probabilities
    return fold, labels, probabilities


def scores_json(results: dict[FoldTask, FoldResult], inputs: FoldInputs) -> dict[str, Any]:
    """The part of ``scores.json`` that comes from the folds."""
    recipe, k = inputs.recipe, inputs.n_folds
    kind = recipe.protocol.kind
    several = inputs.targets.ndim > 1
    models = (NETWORK, *recipe.protocol.baselines)
    of_tasks = {name: summarise_tasks(results, name, inputs) for name in models if several}
    means = {
        name: mean_over_tasks(of_tasks[name], inputs)
        if several
        else summarise(results, name, inputs)
        for name in models
    }
    primary = PRIMARY_OF_SEVERAL if several else PRIMARY
    if has_one_test_set(inputs):
        for name, summary in means.items():
            found = interval_of(results, name, inputs, primary)
            summary[primary] = replace(summary[primary], low=found.low, high=found.high)
    ours = means.pop(NETWORK)
    return {
        "protocol": {
            **recipe.protocol.model_dump(mode="json"),
            "kind": "holdout" if kind == "kfold" and k == 1 else kind,
            "folds": k,
            "description": _description(inputs),
            "interval": _interval(inputs, primary),
            "seeds_used": list(recipe.seeds),
            "shipped": shipped_model(recipe),
        },
        "model": _shipped_recipe(results, recipe).model.model_dump(mode="json"),
        "primary": primary,
        "metrics": {name: asdict(s) for name, s in ours.items()},
        "baselines": {
            model: {name: asdict(s) for name, s in summary.items()}
            for model, summary in means.items()
        },
        **(told_of_tasks(of_tasks) if several else {}),
        **({"nested": nested_scores(results, inputs)} if kind == "nested" else {}),
        **(
            {"ensemble": ensemble_scores(results, inputs, primary)}
            if recipe.model.name == AUTO
            else {}
        ),
        "seed_means": {name: seed_means(s, k) for name, s in ours.items()},
        "verdict": (SCRAMBLED if recipe.protocol.scramble else "")
        + verdict(
            getattr(recipe.model, "name", "the network"),
            complete(ours[primary].folds),
            {name: complete(s[primary].folds) for name, s in means.items()},
            inputs.resampling,
            measure=_measure(of_tasks[NETWORK], primary) if several else ACCURACY,
            gap=partial(_gap, results, inputs, primary),
        ),
    }


def _interval(inputs: FoldInputs, primary: str) -> str:
    """How the intervals were found, in words."""
    if inputs.resampling > 1:
        return INTERVAL
    if has_one_test_set(inputs):
        return INTERVAL_OF_ROWS.format(primary.replace("_", " "))
    return NO_INTERVAL


def _gap(
    results: dict[FoldTask, FoldResult], inputs: FoldInputs, primary: str, rival: str
) -> Gap | None:
    """Interval of the lead over a baseline on a single test set; None where it has none."""
    if not has_one_test_set(inputs):
        return None
    found = difference_of(results, NETWORK, rival, inputs, primary)
    return None if found.low is None or found.high is None else (found.low, found.high)


def _shipped_recipe(results: dict[FoldTask, FoldResult], recipe: Recipe) -> Recipe:
    result = results.get(shipped(recipe))
    return recipe if result is None else recipe_of_result(recipe, result)


def _measure(of_tasks: dict[str, dict[str, ScoreSummary]], primary: str) -> Measure:
    unscored = [task for task, summary in of_tasks.items() if summary[primary].mean is None]
    return mean_roc_auc(len(of_tasks), unscored)


def _description(inputs: FoldInputs) -> str:
    recipe, split = inputs.recipe, inputs.splits.get(inputs.recipe.seed)
    how = f"stratified {inputs.n_folds}-fold" if split is None else split.description
    if split is not None and split.validation is not None:
        chosen = "the validation rows given with the split"
    else:
        chosen = f"{_shares_held(inputs)} of each fold's training rows"
    how = f"labels dealt anew by chance; {how}" if recipe.protocol.scramble else how
    told = f"{how}; {len(recipe.seeds)} seed(s); "
    if recipe.model.name == AUTO:
        return f"{told}members weighed and left out inside each fold's training rows"
    if recipe.protocol.kind != "nested":
        return f"{told}{chosen} chose the epoch"
    if recipe.protocol.inner != 1:
        chosen = f"{recipe.protocol.inner} inner folds of each fold's training rows"
    n_combinations, runs = len(grid_of(recipe)), recipe.protocol.final_runs
    return (
        f"{told}{chosen} chose one of {n_combinations} combinations, trained anew {runs} time(s)"
    )


def shipped_model(recipe: Recipe) -> str:
    """Say which of a run's models its bundle holds."""
    if recipe.protocol.kind == "nested" and recipe.protocol.refit:
        return "chosen and trained anew on all rows"
    if recipe.protocol.refit:
        return "trained anew on all rows"
    return f"that of seed {recipe.seed}, fold 1; none was trained on all rows"


def _shares_held(inputs: FoldInputs) -> str:
    """Share of the training rows that chose the epoch; whole groups may be more, or fewer."""
    shares = []
    for task in tasks_of(inputs.recipe, inputs.n_folds):
        if task.model == NETWORK and task.fold != FINAL:
            train, held, _ = split_rows(inputs, task)
            shares.append(len(held) / (len(train) + len(held)))
    low, high = min(shares), max(shares)
    return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"
