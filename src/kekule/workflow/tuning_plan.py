"""Which studies a tuning has, and which rows each of them may see.

One study chooses the recipe that is written out. A nested tuning has one more for each test
set of the recipe, inside its training rows. A recipe with a single test set needs only one
for both: it is tuned inside the training rows anyhow.
"""

from kekule import __version__
from kekule.evaluation import Recipe
from kekule.evaluation.tuning import (
    folds_of_recipe,
    folds_of_training_rows,
    metric_named,
    outer_tasks,
)
from kekule.evaluation.tuning_space import Space, own_values, space_sha256
from kekule.workflow.prepare import Prepared, split_hash
from kekule.workflow.tuning_store import StudyPlan
from kekule.workflow.tuning_trials import Search

MAIN = "main"  # the study whose best is written out


def without_baselines(recipe: Recipe) -> Recipe:
    """Recipe without its baselines, whose fingerprints no trial needs."""
    protocol = recipe.protocol.model_copy(update={"baselines": ()})
    return recipe.model_copy(update={"protocol": protocol})


def searches_of(
    prepared: Prepared, recipe: Recipe, space: Space, *, metric: str, inner: int, nested: bool
) -> tuple[Search, ...]:
    """Studies in the order in which they are filled, `MAIN` first.

    Parameters
    ----------
    prepared, recipe
        The data, and the recipe as it was given.
    space, metric
        What is varied, and scored by.
    inner
        Folds of training rows.
    nested
        Whether every test set has a study of its own.

    Raises
    ------
    TuningError
        If the rows cannot be shared out so.
    """
    inputs, tasks = prepared.inputs, outer_tasks(prepared.inputs)
    higher, first = metric_named(metric).higher_is_better, own_values(space, recipe)
    shared = {
        "recipe": recipe.sha256,
        "data": prepared.origin.sha256,
        "split": split_hash(recipe),
        "space": space_sha256(space),
        "metric": metric,
        "version": __version__,
    }

    def plan(name: str, **more: str) -> StudyPlan:
        return StudyPlan(name, shared | more, higher, recipe.seed, first)

    if len(tasks) == 1:
        folds = tuple(folds_of_training_rows(inputs, tasks[0], inner))
        return (Search(plan(MAIN, inner=str(inner)), folds, tasks[0]),)
    searches = [Search(plan(MAIN), tuple(folds_of_recipe(inputs)), None)]
    for task in tasks if nested else ():
        folds = tuple(folds_of_training_rows(inputs, task, inner))
        name = f"seed {task.seed}, fold {task.fold + 1}"
        searches.append(Search(plan(name, inner=str(inner)), folds, task))
    return tuple(searches)
