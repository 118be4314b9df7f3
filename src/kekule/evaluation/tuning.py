"""The objective of a tuning: settings in, a score of rows they were not trained on out.

Which rows, is the whole question. A recipe with folds is tuned on these folds: each is
trained without its test rows, other rows choose the epoch, and the test rows give the score.
The best of many such scores has chosen the settings, so it flatters. A recipe with a single
test set is tuned on folds of its training rows, and the test rows stay unseen. `outer_scores`
gives the estimate that does not flatter: rows that no trial of their tuning has met.

Must not know how settings are proposed, or where trials are kept.

Symbols: G graphs, n rows, T tasks, K classes of each.

References
----------
Cawley & Talbot 2010, JMLR 11:2079-2107, for how large the flattery is.
"""

import difflib
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError, RecipeError
from kekule.data import SPLITS
from kekule.evaluation.fold_inputs import NETWORK, FoldInputs, FoldTask, Rows
from kekule.evaluation.folds import groups_of, held_rows, run_fold, split_rows, train_network
from kekule.evaluation.grid import Combination
from kekule.evaluation.metrics import METRICS, Metric
from kekule.evaluation.nested import inner_parts, recipe_at
from kekule.evaluation.per_task import mean_of_defined, task_values
from kekule.evaluation.recipe import Recipe
from kekule.models import probabilities
from kekule.models.ensemble_settings import AUTO

DEFAULT_METRIC = "brier"  # for one task, minus what chooses the epoch (`selection_score`)
FIRST_UNPRUNED = 5  # completed trials, before others are measured by them
FOLDS_BEFORE_PRUNING = 2  # one fold may be an easy one


class TuningError(KekuleError, ValueError):
    """A tuning that cannot go on, naming what it stumbled over."""

    def __init__(self, where: str, why: str, cure: str):
        super().__init__(f"{where}: {why}. {cure}")
        self.where, self.why, self.cure = where, why, cure


class InnerFold(NamedTuple):
    """Rows of one training of a trial, three sets without a row in common."""

    seed: int
    train: Rows
    held: Rows  # choose the epoch
    scored: Rows  # give the value


def check_tunable(recipe: Recipe) -> None:
    """Refuse recipes that choose their settings by themselves.

    Raises
    ------
    RecipeError
        Naming the key.
    """
    if recipe.model.name == AUTO:
        why = f"{AUTO} chooses and weighs its members inside the training rows"
        cure = "There is nothing to tune; name a network: model=gin."
        raise RecipeError("model.name", why, cure)
    if recipe.protocol.kind == "nested":
        why = "nested chooses from its own grid inside each fold"
        cure = "Train it as it is, or give another kind, and the grid's values as --space."
        raise RecipeError("protocol.kind", why, cure)


def metric_named(name: str) -> Metric:
    """Look a metric up.

    Raises
    ------
    TuningError
        If there is none of that name; names the nearest.
    """
    if name not in METRICS:
        near = [known for known in METRICS if known.startswith(name)]
        near = near or difflib.get_close_matches(name, METRICS, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"Choose from {', '.join(METRICS)}."
        raise TuningError("metric", f"there is no {name!r}", cure)
    return METRICS[name]


def outer_tasks(inputs: FoldInputs) -> list[FoldTask]:
    """The recipe's test sets: folds of the first seed, or one of each seed where they differ."""
    recipe = inputs.recipe
    if inputs.n_folds > 1:
        return [FoldTask(NETWORK, recipe.seed, fold) for fold in range(inputs.n_folds)]
    dealt = SPLITS[recipe.protocol.split].seeded
    return [FoldTask(NETWORK, seed, 0) for seed in (recipe.seeds if dealt else recipe.seeds[:1])]


def folds_of_recipe(inputs: FoldInputs) -> list[InnerFold]:
    """Every test set of the recipe as a fold that is scored."""
    tasks = outer_tasks(inputs)
    return [InnerFold(task.seed, *split_rows(inputs, task)) for task in tasks]


def folds_of_training_rows(inputs: FoldInputs, task: FoldTask, n_folds: int) -> list[InnerFold]:
    """Folds of all rows of a task but those it tests; of whole groups where the split has some.

    Raises
    ------
    TuningError
        If the rows cannot be shared out so.
    """
    recipe = inputs.recipe
    protocol = recipe.protocol.model_copy(update={"inner": n_folds})
    within = replace(inputs, recipe=recipe.model_copy(update={"protocol": protocol}))
    groups, folds = groups_of(inputs, task), []
    try:
        parts = inner_parts(within, task)
        for rows, scored in parts:
            held = held_rows(inputs, rows, groups, seed=task.seed)
            folds.append(InnerFold(task.seed, np.setdiff1d(rows, held), held, scored))
    except KekuleError as error:
        why = str(error).removeprefix(f"protocol.inner {n_folds}: ").rstrip(".")
        raise TuningError(f"inner {n_folds}", why, "Give fewer inner folds.") from None
    return folds


def check_scorable(inputs: FoldInputs, folds: Sequence[InnerFold], metric: str) -> None:
    """Refuse a metric that not even right answers have on some fold, before anything is trained.

    Raises
    ------
    TuningError
        Naming the fold.
    """
    for number, fold in enumerate(folds, start=1):
        truth = inputs.targets[fold.scored]
        right = np.eye(inputs.n_classes)[np.maximum(truth, 0)]
        if score_of(metric, truth, right) is None:
            why = f"it is undefined on fold {number}, whose {len(truth)} rows have one class"
            raise TuningError(metric, why, "Give another metric, or fewer folds.")


def score_of(metric: str, truth: NDArray[np.int64], answered: NDArray[np.float64]) -> float | None:
    """Score of probabilities, (n, K) or (n, T, K); of several tasks the mean over those with one.

    None where no task has one.
    """
    found, labels = metric_named(metric), answered.argmax(-1)
    if truth.ndim == 1:
        return found.compute(truth, labels, answered)
    return mean_of_defined(task_values(found, truth, labels, answered))


def fold_score(
    inputs: FoldInputs, combination: Combination, fold: InnerFold, metric: str
) -> float:
    """Train under a combination of settings and score the rows that it has not seen.

    Every combination starts from the same weights and sees the same rows in the same order,
    so that what differs is the combination.

    Raises
    ------
    TuningError
        If the score is undefined, as the Matthews correlation of one label for all rows.
    KekuleError
        As settings or training raise it.
    """
    at = replace(inputs, recipe=recipe_at(inputs.recipe, combination))
    network, _ = train_network(at, fold.train, fold.held, seed=fold.seed)
    answered = probabilities(network, inputs.graphs.take(fold.scored))
    score = score_of(metric, inputs.targets[fold.scored], answered)
    if score is None or not math.isfinite(score):
        why = "it is undefined for these answers"
        raise TuningError(metric, why, "A metric of probabilities, such as brier, always is.")
    return score


def falls_behind(
    mean: float, others: Sequence[Sequence[float]], n_folds: int, *, higher: bool
) -> bool:
    """Whether a trial's mean over its first folds is worse than the median of completed trials.

    All are measured on the same folds: Optuna's own median pruner compares with the best
    running mean a trial ever had, which spares every trial where the first fold is the easiest.

    Parameters
    ----------
    mean
        Of the trial, over its first `n_folds` folds.
    others
        Scores of every completed trial, fold by fold.
    higher
        Whether a higher score is better.

    References
    ----------
    Golovin et al. 2017, "Google Vizier", section 3.2.2, the median stopping rule.
    """
    if n_folds < FOLDS_BEFORE_PRUNING or len(others) < FIRST_UNPRUNED:
        return False
    middle = statistics.median(statistics.fmean(scores[:n_folds]) for scores in others)
    return mean < middle if higher else mean > middle


def outer_scores(
    inputs: FoldInputs, task: FoldTask, combination: Combination
) -> dict[str, float | None]:
    """Train a task anew under the settings chosen inside it, and score its test rows.

    Every metric; None where it is undefined on these rows.
    """
    at = replace(inputs, recipe=recipe_at(inputs.recipe, combination))
    result = run_fold(at, task)
    truth = inputs.targets[result.rows]
    return {name: score_of(name, truth, result.probabilities) for name in METRICS}
