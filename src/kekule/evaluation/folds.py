"""One fold: a model trained on some rows, asked about others, and nothing else shared.

A fold is the unit of work, of parallelism and of resuming. It sees the targets of its
training and validation rows alone; `run_fold` blanks the others before any model is built,
so a leak would be a wrong class number rather than a better score.

Symbols: G graphs, n rows asked for, T tasks, K classes of each.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kekule.data import grouped_validation_rows, stratified_folds, validation_rows
from kekule.data.splits import multitask_folds
from kekule.data.splits.random_rows import random_holdout
from kekule.evaluation.fold_inputs import FINAL, NETWORK, FoldInputs, FoldResult, FoldTask, Rows
from kekule.evaluation.metrics import selection_score
from kekule.evaluation.per_task import answers_by_task
from kekule.evaluation.recipe import Recipe
from kekule.models import (
    BASELINES,
    Baseline,
    EpochReport,
    FitResult,
    Network,
    build_network,
    fit,
    probabilities,
    weights_of,
)


def split_rows(inputs: FoldInputs, task: FoldTask) -> tuple[Rows, Rows, Rows]:
    """Training, validation and test rows of a task, disjoint.

    Together they are all rows, unless the split was given and leaves some out. Rows of one
    group of the split (a scaffold, a cluster) are never both learnt from and tested; whole
    groups choose the epoch, unless training can spare none (`grouped_validation_rows`).
    """
    split = inputs.splits.get(task.seed)
    if task.fold == FINAL:
        train, test = np.arange(len(inputs.targets)), np.zeros(0, dtype=np.int64)
    else:
        fold = _fold_of_row(inputs, task.seed)
        train, test = np.flatnonzero(fold != task.fold), np.flatnonzero(fold == task.fold)
        if split is not None and split.train is not None:
            train = split.train[task.fold]
        if split is not None and split.validation is not None:
            held = split.validation[task.fold]
            return np.setdiff1d(train, np.union1d(held, test)), held, test
    held = held_rows(inputs, train, groups_of(inputs, task), seed=task.seed)
    return np.setdiff1d(train, held), held, test


def groups_of(inputs: FoldInputs, task: FoldTask) -> Rows | None:
    """Group of every row in the split of a task; None where each stands for itself."""
    split = inputs.splits.get(task.seed)
    return None if split is None else split.groups


def held_rows(inputs: FoldInputs, train: Rows, groups: Rows | None, *, seed: int) -> Rows:
    """Those of some rows that choose the epoch; see `grouped_validation_rows`."""
    fraction = inputs.recipe.train.validation
    if groups is None and inputs.targets.ndim == 1:
        return validation_rows(inputs.targets, train, fraction=fraction, seed=seed)
    return grouped_validation_rows(inputs.targets, train, groups, fraction=fraction, seed=seed)


def _fold_of_row(inputs: FoldInputs, seed: int) -> Rows:
    if seed in inputs.splits:
        return inputs.splits[seed].fold
    protocol = inputs.recipe.protocol
    if protocol.kind == "holdout" and protocol.test is not None:
        codes = inputs.targets.reshape(len(inputs.targets), -1)
        return random_holdout(codes, protocol.test, seed=seed).astype(np.int64) - 1
    deal = stratified_folds if inputs.targets.ndim == 1 else multitask_folds
    return deal(inputs.targets, inputs.n_folds, seed=seed)


def shipped(recipe: Recipe) -> FoldTask:
    """The task whose network goes into the bundle."""
    return FoldTask(NETWORK, recipe.seed, FINAL if recipe.protocol.refit else 0)


def _checkpoint(inputs: FoldInputs, task: FoldTask) -> Path | None:
    if inputs.folder is None:
        return None
    fold = "final" if task.fold == FINAL else f"fold{task.fold}"
    return inputs.folder / f"{task.model}_seed{task.seed}_{fold}.safetensors"


def profile_name(inputs: FoldInputs, task: FoldTask) -> str | None:
    """Name of a task's profile; None for all but the final model and the first fold.

    They are enough to see where time goes, and watching a training makes it slower.
    """
    if task.model != NETWORK or task.seed != inputs.recipe.seed or task.fold not in (FINAL, 0):
        return None
    return "final" if task.fold == FINAL else f"seed{task.seed}-fold{task.fold + 1}"


def profile_page(inputs: FoldInputs, task: FoldTask) -> Path | None:
    """Page of a task's profile; None where none is written."""
    name = profile_name(inputs, task)
    return None if name is None or inputs.profile is None else inputs.profile / f"{name}.md"


def run_fold(
    inputs: FoldInputs,
    task: FoldTask,
    *,
    prepared: dict[str, Baseline] | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> FoldResult:
    """Train the task's model and answer for its test rows.

    Parameters
    ----------
    inputs, task
        What to do.
    prepared
        Baselines already prepared on ``inputs.graphs``, filled as they are needed.
    on_epoch
        Called after every epoch of a network.
    """
    started = time.perf_counter()
    train, held, test = split_rows(inputs, task)
    if task.model != NETWORK:
        prepared = {} if prepared is None else prepared
        if task.model not in prepared:
            prepared[task.model] = BASELINES[task.model](inputs.graphs, inputs.tables)
        answer = answers_by_task(
            prepared[task.model],
            targets_of(inputs, train, held),
            train_rows=np.union1d(train, held),  # a baseline selects by inner folds instead
            test_rows=test,
            n_classes=inputs.n_classes,
            seed=task.seed,
        )
        return FoldResult(test, *answer, seconds=time.perf_counter() - started)
    network, curve = train_network(
        inputs,
        train,
        held,
        seed=task.seed,
        on_epoch=on_epoch,
        checkpoint=_checkpoint(inputs, task),
        profile=profile_page(inputs, task),
    )
    return network_result(inputs, task, network, curve, time.perf_counter() - started, held=held)


def train_network(
    inputs: FoldInputs,
    train: Rows,
    held: Rows,
    *,
    seed: int,
    on_epoch: Callable[[EpochReport], None] | None = None,
    checkpoint: Path | None = None,
    profile: Path | None = None,
) -> tuple[Network, FitResult]:
    """Train the recipe's network on some rows while others choose the epoch; show it no more."""
    seen = targets_of(inputs, train, held)
    network = build_network(
        inputs.graphs.schema,
        inputs.n_classes,
        inputs.recipe.model,
        seed=seed,
        n_tasks=inputs.n_tasks,
    )
    curve = fit(
        network,
        inputs.graphs,
        seen,
        train_rows=train,
        validation_rows=held,
        settings=inputs.recipe.train,
        score=selection_score,
        seed=seed,
        weights=inputs.weights,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
        profile=profile,
    )
    return network, curve


def targets_of(inputs: FoldInputs, *rows: Rows) -> NDArray[np.int64]:
    """Targets of some rows, -1 at all others."""
    seen = np.full_like(inputs.targets, -1)
    for some in rows:
        seen[some] = inputs.targets[some]
    return seen


def network_result(
    inputs: FoldInputs,
    task: FoldTask,
    network: Network,
    curve: FitResult,
    seconds: float,
    *,
    held: Rows,
) -> FoldResult:
    """Ask a trained network about the task's test rows, and about those that chose its epoch."""
    test = split_rows(inputs, task)[2]
    answered = probabilities(network, inputs.graphs.take(test))
    return FoldResult(
        test,
        answered.argmax(-1),
        answered,
        curve.train_loss,
        curve.validation_loss,
        curve.best_epoch,
        seconds,
        weights_of(network) if task == shipped(inputs.recipe) else {},
        curve.learning_rate,
        curve.parameter_rms,
        curve.gradient_rms,
        inner_rows=held,
        inner_probabilities=probabilities(network, inputs.graphs.take(held)),
    )
