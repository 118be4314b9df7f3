"""One fold: a model trained on some rows, asked about others, and nothing else shared.

A fold is the unit of work, of parallelism and of resuming. It sees the targets of its
training and validation rows alone; `run_fold` blanks the others before any model is built,
so a leak would be a wrong class number rather than a better score.

Symbols: G graphs, n rows asked for, K classes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data import stratified_folds, validation_rows
from kekule.evaluation.metrics import selection_score
from kekule.evaluation.recipe import Recipe
from kekule.features import PackedGraphs
from kekule.models import (
    BASELINES,
    Baseline,
    EpochReport,
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
    fold: int  # FINAL for the model that is shipped

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
        int64 (n,) and float64 (n, K).
    train_loss, validation_loss
        float64 (epochs run,), nats; empty for a baseline.
    best_epoch
        0-based, chosen on validation rows; -1 for a baseline.
    seconds
        Wall time of the fold.
    weights
        Arrays of the trained network; kept for the final model only.
    """

    rows: Rows
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    train_loss: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    validation_loss: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    best_epoch: int = -1
    seconds: float = 0.0
    weights: dict[str, NDArray[np.generic]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FoldInputs:
    """What every fold of a run shares, sent once to each worker process.

    Attributes
    ----------
    graphs
        The usable graphs of the set, G of them.
    targets
        int64 (G,), class numbers 0 to ``n_classes - 1``.
    n_classes
        K.
    recipe
        The resolved recipe.
    """

    graphs: PackedGraphs
    targets: NDArray[np.int64]
    n_classes: int
    recipe: Recipe


def split_rows(inputs: FoldInputs, task: FoldTask) -> tuple[Rows, Rows, Rows]:
    """Training, validation and test rows of a task: disjoint, and together all rows."""
    recipe = inputs.recipe
    if task.fold == FINAL:
        train, test = np.arange(len(inputs.targets)), np.zeros(0, dtype=np.int64)
    else:
        fold = stratified_folds(inputs.targets, recipe.protocol.folds, seed=task.seed)
        train, test = np.flatnonzero(fold != task.fold), np.flatnonzero(fold == task.fold)
    held = validation_rows(inputs.targets, train, fraction=recipe.train.validation, seed=task.seed)
    return np.setdiff1d(train, held), held, test


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
        answer = prepared[task.model].answer(
            seen,
            train_rows=np.union1d(train, held),  # a baseline selects by inner folds instead
            test_rows=test,
            n_classes=inputs.n_classes,
            seed=task.seed,
        )
        return FoldResult(test, *answer, seconds=time.perf_counter() - started)
    network = build_network(
        inputs.graphs.schema, inputs.n_classes, inputs.recipe.model, seed=task.seed
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
        on_epoch=on_epoch,
    )
    answered = probabilities(network, inputs.graphs.take(test))
    return FoldResult(
        test,
        answered.argmax(1),
        answered,
        curve.train_loss,
        curve.validation_loss,
        curve.best_epoch,
        time.perf_counter() - started,
        weights_of(network) if task.fold == FINAL else {},
    )
