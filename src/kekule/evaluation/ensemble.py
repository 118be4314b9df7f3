"""The model `auto`: in every fold weigh members inside, train them anew, and answer outside.

Weights, what is left out, and what calibrates the answers are chosen on out-of-fold answers of
the fold's training rows. The rows the fold tests are no argument of any of it.

A network's epoch is chosen by a tenth of the rows it is trained on, so that its out-of-fold
answers are as clean as those of the trees. Its trainings of the inner folds are kept and averaged,
since networks gain most by that; trees are grown anew on all training rows.

Symbols: M members, n test rows, m training rows with an out-of-fold answer, T tasks, K classes.
Must not know where results are kept or how they look.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.fold_inputs import FINAL, FoldInputs, FoldResult, FoldTask, Rows
from kekule.evaluation.folds import groups_of, held_rows, split_rows, targets_of
from kekule.evaluation.inner_parts import inner_fold_of
from kekule.evaluation.plan import FOLDS, Plan, member_named, network_runs, plan_of
from kekule.evaluation.weighing import Weights, mixture, weigh_tasks
from kekule.models.ensemble import Ensemble, Part
from kekule.models.members import NETWORK as NETWORK_MEMBER
from kekule.models.members import Material, Trained, train_member

SEED_STEP = 1000  # between trainings of one seed: more than there are seeds

Values = NDArray[np.float64]


class Step(NamedTuple):
    """Word of a training inside an ensemble's fold."""

    done: int
    what: str


OnStep = Callable[[Step], None]


@dataclass
class _Told:
    """Counts trainings for who shows progress, and keeps how long each member took."""

    on_step: OnStep | None
    done: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        self.done += 1
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        if self.on_step is not None:
            self.on_step(Step(self.done, name))


class _Inner(NamedTuple):
    """What the inner folds of a fold gave."""

    rows: Rows  # (m,), held out in one of them
    answers: Values  # (M, m, K), or (M, m, T, K)
    kept: list[Trained]  # networks, which are averaged later
    n_folds: int
    by_chance: bool


def run_ensemble(
    inputs: FoldInputs, task: FoldTask, *, on_step: OnStep | None = None
) -> FoldResult:
    """Weigh and train the members on the task's training rows and answer for its test rows.

    Parameters
    ----------
    inputs, task
        What to do, under a recipe whose model is `auto`.
    on_step
        Called after each training.
    """
    started = time.perf_counter()
    train, held, test = split_rows(inputs, task)
    rows = np.union1d(train, held)
    plan, told = plan_of(inputs), _Told(on_step)
    material = Material(inputs.graphs, inputs.tables)
    trainer = _Trainer(inputs, task, material, targets_of(inputs, rows), told)
    inner = _out_of_fold(trainer, plan, rows)
    truth = inputs.targets[inner.rows]
    weights = weigh_tasks(inner.answers, truth)
    values = np.stack([w.values for w in weights], axis=1)  # (M, T)
    # Of the shipped model only those that count are trained anew; of a fold all, to be scored.
    counting = np.asarray((values > 0).any(axis=1))
    wanted = counting if task.fold == FINAL else np.ones_like(counting)
    parts = [
        Part(
            name,
            values[m],
            tuple(_final(trainer, name, rows, inner.kept if name == NETWORK_MEMBER else ())),
        )
        for m, name in enumerate(plan.members)
        if wanted[m]
    ]
    mixing = values[:, 0] if inputs.targets.ndim == 1 else values
    asked = material.take(test)
    of_members = np.full((len(plan.members), *_shape(inputs, len(test))), np.nan)
    of_members[wanted] = [part.probabilities(asked) for part in parts]
    probabilities = mixture(of_members, mixing)
    ensemble = Ensemble(tuple(part for part in parts if (part.weights > 0).any()))
    stored = ensemble.stored() if task.fold == FINAL or _ships(inputs, task) else None
    words = _words(plan, inner, weights, values, told)
    words["shipped"] = None if stored is None else stored.settings
    return FoldResult(
        test,
        probabilities.argmax(-1),
        probabilities,
        seconds=time.perf_counter() - started,
        weights={} if stored is None else stored.arrays,
        inner_rows=inner.rows,
        inner_probabilities=mixture(inner.answers, mixing),
        member_probabilities=of_members,
        without_networks=_without_networks(plan, inner.answers, truth, of_members),
        told=json.dumps(words),
    )


def _ships(inputs: FoldInputs, task: FoldTask) -> bool:
    return not inputs.recipe.protocol.refit and task == FoldTask(task.model, inputs.recipe.seed, 0)


def _shape(inputs: FoldInputs, n_rows: int) -> tuple[int, ...]:
    several = inputs.targets.ndim > 1
    return (n_rows, inputs.n_tasks, inputs.n_classes) if several else (n_rows, inputs.n_classes)


@dataclass(frozen=True)
class _Trainer:
    """Trains members of one fold on rows of it."""

    inputs: FoldInputs
    task: FoldTask
    material: Material
    seen: NDArray[np.int64]
    told: _Told

    def train(self, name: str, rows: Rows, *, run: int = 0) -> Trained:
        """Train a member on some rows, a part of which may choose when to stop."""
        started = time.perf_counter()
        inputs, seed = self.inputs, self.task.seed + SEED_STEP * run
        held = np.zeros(0, dtype=np.int64)
        if name == NETWORK_MEMBER:
            held = held_rows(inputs, rows, groups_of(inputs, self.task), seed=seed)
        trained = train_member(
            member_named(name, inputs),
            self.material,
            self.seen,
            train_rows=np.setdiff1d(rows, held),
            held_rows=held,
            n_classes=inputs.n_classes,
            seed=seed,
        )
        self.told.add(name, time.perf_counter() - started)
        return trained


def _out_of_fold(trainer: _Trainer, plan: Plan, rows: Rows) -> _Inner:
    """Train every member on the rest of each inner fold, and ask it about the fold."""
    inputs, task = trainer.inputs, trainer.task
    fold, by_chance = _inner_fold(inputs, task, rows, plan.inner)
    parts = list(range(int(fold.max()) + 1)) if plan.inner > 1 else [0]
    inner_rows = rows[np.isin(fold, parts)]
    answers = np.full((len(plan.members), *_shape(inputs, len(inner_rows))), np.nan)
    kept: list[Trained] = []
    for k in parts:
        fit, hold = rows[fold != k], rows[fold == k]
        asked, place = trainer.material.take(hold), np.searchsorted(inner_rows, hold)
        for m, name in enumerate(plan.members):
            trained = trainer.train(name, fit, run=k)
            answers[m, place] = trained.probabilities(asked)
            if name == NETWORK_MEMBER:
                kept.append(trained)
    return _Inner(inner_rows, answers, kept, len(parts), by_chance)


def _inner_fold(inputs: FoldInputs, task: FoldTask, rows: Rows, n_parts: int) -> tuple[Rows, bool]:
    """Fold of each row, fewer where a class or the groups are too few; and whether by chance.

    A class of one or two rows is no reason not to train: it is weighed as well as it can be. By
    chance, where not even two folds can be dealt, groups are parted and a class may be missing.
    """
    for parts in (n_parts, *range(min(n_parts - 1, FOLDS), 1, -1)):
        try:
            return inner_fold_of(inputs, task, rows, parts), False
        except KekuleError:
            continue
    return np.random.default_rng(task.seed).permutation(len(rows)) % FOLDS, True


def _final(trainer: _Trainer, name: str, rows: Rows, kept: Sequence[Trained]) -> list[Trained]:
    """Trainings of a member that answer for new rows; networks of inner folds are `kept`."""
    if name != NETWORK_MEMBER:
        return [trainer.train(name, rows)]
    runs = range(len(kept), len(kept) + network_runs(len(kept)))
    return [*kept, *(trainer.train(name, rows, run=run) for run in runs)]


def _without_networks(
    plan: Plan, answers: Values, truth: NDArray[np.int64], of_members: Values
) -> Values:
    """Answers of the other members, weighed as if there had been no network."""
    others = [m for m, name in enumerate(plan.members) if name != NETWORK_MEMBER]
    if len(others) in (0, len(plan.members)):
        return np.zeros((0, 0))
    weights = np.stack([w.values for w in weigh_tasks(answers[others], truth)], axis=1)
    return mixture(of_members[others], weights[:, 0] if truth.ndim == 1 else weights)


def _words(
    plan: Plan, inner: _Inner, weights: list[Weights], values: Values, told: _Told
) -> dict[str, Any]:
    """What is kept of a fold beside its arrays; JSON."""
    return {
        "plan": plan._asdict(),
        "inner_used": inner.n_folds,
        "inner_by_chance": inner.by_chance,
        "inner_log_loss": [w.log_loss for w in weights],
        "members": [
            {
                "name": name,
                "weights": values[m].tolist(),
                "adds": [float(w.adds[m]) for w in weights],
                "seconds": round(told.seconds.get(name, 0.0), 2),
            }
            for m, name in enumerate(plan.members)
        ],
    }
