"""One fold: a model trained on some rows, asked about others, and nothing else shared.

A fold is the unit of work, of parallelism and of resuming. It sees the targets of its
training and validation rows alone; `run_fold` blanks the others before any model is built,
so a leak would be a wrong class number rather than a better score.

Symbols: G graphs, n rows asked for, T tasks, K classes of each.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data import Split, grouped_validation_rows, stratified_folds, validation_rows
from kekule.data.splits import multitask_folds
from kekule.evaluation.metrics import selection_score
from kekule.evaluation.per_task import answers_by_task
from kekule.evaluation.recipe import Recipe
from kekule.features import PackedGraphs
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

FINAL = -1  # the fold number of the model that holds no test rows back
NETWORK = "network"

Rows = NDArray[np.int64]


class FoldTask(NamedTuple):
    """Which model, which repeat, which fold."""

    model: str  # NETWORK or the name of a baseline
    seed: int
    fold: int  # FINAL for the model of all rows

    def __str__(self) -> str:
        """Name the task as logs and errors do."""
        if self.fold == FINAL:
            return "final model"
        return f"{self.model}, seed {self.seed}, fold {self.fold + 1}"


@dataclass(frozen=True, eq=False)
class FoldResult:
    """What a fold leaves behind.

    Attributes
    ----------
    rows
        int64 (n,), the test rows; empty for the final model.
    labels, probabilities
        int64 (n,) and float64 (n, K); of several tasks (n, T) and (n, T, K).
    train_loss, validation_loss
        float64 (epochs run,), nats; empty for a baseline.
    learning_rate
        float64 (epochs run,).
    parameter_rms, gradient_rms
        float32 (epochs run, arrays of `layers_of`), see `FitResult`.
    best_epoch
        0-based, chosen on validation rows; -1 for a baseline.
    seconds
        Wall time of the fold.
    weights
        Arrays of the trained network; kept for the one that is shipped only.
    """

    rows: Rows
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    train_loss: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    validation_loss: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    best_epoch: int = -1
    seconds: float = 0.0
    weights: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    learning_rate: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    parameter_rms: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))
    gradient_rms: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))


@dataclass(frozen=True, eq=False)
class FoldInputs:
    """What every fold of a run shares, sent once to each worker process.

    Attributes
    ----------
    graphs
        The usable graphs of the set, G of them.
    targets
        int64 (G,), class numbers 0 to ``n_classes - 1``; of several tasks (G, T), with -1
        where a label is missing.
    n_classes
        K, the same for every task.
    recipe
        The resolved recipe.
    splits
        The split of each seed; a seed without one has stratified folds of single rows.
    weights
        float64 (G,), what each row counts in the loss of a network; None: all the same.
    tasks
        Names of several tasks, T of them; none where there is one.
    folder
        Where an unfinished fold keeps its checkpoint; None: nowhere.
    profile
        Where the trainings of `profile_name` write where their time went; None: nowhere.
    """

    graphs: PackedGraphs
    targets: NDArray[np.int64]
    n_classes: int
    recipe: Recipe
    splits: Mapping[int, Split] = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None
    tasks: tuple[str, ...] = ()
    folder: Path | None = None
    profile: Path | None = None

    @property
    def n_tasks(self) -> int:
        """T."""
        return self.targets.shape[1] if self.targets.ndim == 2 else 1

    @property
    def n_folds(self) -> int:
        """Folds of each seed; 1 where there is a single test set."""
        counts = [split.n_folds for split in self.splits.values()]
        return max(counts, default=self.recipe.protocol.folds)


def split_rows(inputs: FoldInputs, task: FoldTask) -> tuple[Rows, Rows, Rows]:
    """Training, validation and test rows of a task, disjoint.

    Together they are all rows, unless the split was given and leaves some out. Rows of one
    group of the split (a scaffold, a cluster) are never both learnt from and tested; whole
    groups choose the epoch, unless training can spare none (`grouped_validation_rows`).
    """
    recipe, split = inputs.recipe, inputs.splits.get(task.seed)
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
    fraction, groups = recipe.train.validation, None if split is None else split.groups
    if groups is None and inputs.targets.ndim == 1:
        held = validation_rows(inputs.targets, train, fraction=fraction, seed=task.seed)
    else:
        held = grouped_validation_rows(
            inputs.targets, train, groups, fraction=fraction, seed=task.seed
        )
    return np.setdiff1d(train, held), held, test


def _fold_of_row(inputs: FoldInputs, seed: int) -> Rows:
    if seed in inputs.splits:
        return inputs.splits[seed].fold
    deal = stratified_folds if inputs.targets.ndim == 1 else multitask_folds
    return deal(inputs.targets, inputs.recipe.protocol.folds, seed=seed)


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


def _profile(inputs: FoldInputs, task: FoldTask) -> Path | None:
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
    seen = np.full_like(inputs.targets, -1)
    seen[train], seen[held] = inputs.targets[train], inputs.targets[held]
    if task.model != NETWORK:
        prepared = {} if prepared is None else prepared
        if task.model not in prepared:
            prepared[task.model] = BASELINES[task.model](inputs.graphs)
        answer = answers_by_task(
            prepared[task.model],
            seen,
            train_rows=np.union1d(train, held),  # a baseline selects by inner folds instead
            test_rows=test,
            n_classes=inputs.n_classes,
            seed=task.seed,
        )
        return FoldResult(test, *answer, seconds=time.perf_counter() - started)
    network = build_network(
        inputs.graphs.schema,
        inputs.n_classes,
        inputs.recipe.model,
        seed=task.seed,
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
        seed=task.seed,
        weights=inputs.weights,
        on_epoch=on_epoch,
        checkpoint=_checkpoint(inputs, task),
        profile=_profile(inputs, task),
    )
    return network_result(inputs, task, network, curve, time.perf_counter() - started)


def network_result(
    inputs: FoldInputs, task: FoldTask, network: Network, curve: FitResult, seconds: float
) -> FoldResult:
    """Ask a trained network about the task's test rows."""
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
    )
