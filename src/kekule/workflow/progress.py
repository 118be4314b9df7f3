"""What a person sees while data are prepared and folds are trained: how far, and how long yet."""

import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from kekule.evaluation import NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.evaluation import Progress as Word
from kekule.evaluation.ensemble import Step
from kekule.evaluation.nested import grid_of, n_trainings
from kekule.evaluation.plan import n_steps, plan_of
from kekule.models.ensemble_settings import AUTO
from kekule.workflow.live_chart import FoldChart

REFRESHES = 4  # a second


def is_shown(show: bool | None) -> bool:
    """Whether to show anything; None is a question of whether standard error is a terminal."""
    return sys.stderr.isatty() if show is None else show


def until_done(counted: str) -> tuple[ProgressColumn, ...]:
    """What a line says behind its bar: the field `counted`, how long so far, how long yet."""
    return (
        TextColumn(f"{{task.fields[{counted}]}}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )


class Display:
    """What standard error shows while a ``with`` lasts, and ends with it, whatever happened.

    Parameters
    ----------
    columns
        What each line says behind its bar.
    show
        As for `is_shown`.
    make
        A bar of these and the columns in front of them.
    """

    def __init__(
        self, *columns: ProgressColumn, show: bool | None, make: Callable[..., Progress] = Progress
    ):
        self.bar = make(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            *columns,
            console=Console(stderr=True),
            disable=not is_shown(show),
            transient=True,
        )

    def __enter__(self) -> Self:
        """Start the display."""
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.bar.stop()


class StageProgress(Display):
    """A progress bar for each stage of preparing data; nothing where there is no terminal.

    Called with what is done, how far, and of how many (None where that is not known).
    """

    def __init__(self, *, show: bool | None):
        super().__init__(TextColumn("{task.completed:,.0f}"), TimeElapsedColumn(), show=show)
        self.lines: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar of a stage on."""
        if stage not in self.lines:
            self.lines[stage] = self.bar.add_task(stage, total=total)
        self.bar.update(self.lines[stage], completed=done, total=total)


class _ChartedBar(Progress):
    """A bar with a chart under it, refreshed together."""

    def __init__(self, *columns: Any, chart: FoldChart, **options: Any):
        self.chart = chart
        super().__init__(*columns, refresh_per_second=REFRESHES, **options)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Bar, then chart."""
        yield from super().get_renderables()
        yield self.chart


class Work(NamedTuple):
    """What the bar of a run's folds counts."""

    epochs: int  # most of a training; 1 where trainings are counted
    trainings: Callable[[FoldTask], int]  # of a task, one after another


def work_of(inputs: FoldInputs) -> Work:
    """What there is to do in each task of a recipe's own model."""
    recipe = inputs.recipe
    if recipe.model.name == AUTO:
        steps = n_steps(plan_of(inputs))
        return Work(1, lambda task: steps)
    in_grid = max((int(one.get("train.epochs", 0)) for one in grid_of(recipe)), default=0)
    return Work(in_grid or recipe.train.epochs, partial(n_trainings, recipe))


class FoldProgress(Display):
    """A bar over epochs of all folds, and a chart of the losses of those that run.

    Shows nothing where there is no terminal, and no chart on a small one.

    Parameters
    ----------
    name
        Of the network, for display.
    tasks
        Tasks still to run.
    epochs
        Most epochs of a training; one that stops early counts as complete.
    show
        True, False, or None to show it where standard error is a terminal.
    trainings
        How many networks a task trains, one after another; one where None.
    """

    BASELINE_COST = 5  # of a baseline's fold, in epochs: only the time left depends on it

    def __init__(
        self,
        name: str,
        tasks: list[FoldTask],
        epochs: int,
        *,
        show: bool | None,
        trainings: Callable[[FoldTask], int] | None = None,
    ):
        self.chart = FoldChart(name, epochs)
        charted = partial(_ChartedBar, chart=self.chart)
        super().__init__(*until_done("folds"), show=show, make=charted)
        self.trainings = trainings
        self.epoch: dict[FoldTask, int] = {}
        self.before: dict[FoldTask, int] = {}  # epochs of the trainings that ended
        self.name, self.epochs, self.n_tasks = name, epochs, len(tasks)
        self.done: dict[FoldTask, int] = {}
        self.finished = 0
        self.lock = threading.Lock()  # words and results come from two threads
        self.line = self.bar.add_task(
            f"{name}: starting", total=sum(map(self._cost, tasks)), folds=self._folds()
        )

    def on_progress(self, word: Word) -> None:
        """Move on by an epoch, or by a training of an ensemble."""
        task, epoch = word
        where = "final" if task.fold < 0 else f"seed {task.seed} fold {task.fold + 1}"
        with self.lock:
            if isinstance(epoch, Step):
                self.done[task] = min(epoch.done, self._cost(task))
                self._show(f"{self.name} {where} · {epoch.what}")
                return
            if self.done.get(task, 0) >= self._cost(task):
                return
            if epoch.epoch <= self.epoch.get(task, -1):  # the task's next training
                self.before[task] = self.before.get(task, 0) + self.epochs
                self.chart.remove(task)
            self.epoch[task] = epoch.epoch
            so_far = self.before.get(task, 0) + epoch.epoch + 1
            self.done[task] = min(so_far, self._cost(task))
            if not self.bar.disable:
                self.chart.add(task, epoch)
            self._show(
                f"{self.name} {where} · epoch {epoch.epoch + 1} · loss {epoch.train_loss:.3f}"
            )

    def on_result(self, task: FoldTask, result: FoldResult) -> None:
        """Count a finished fold whole."""
        del result
        with self.lock:
            self.done[task] = self._cost(task)
            self.finished += 1
            self.chart.remove(task)
            self._show(None if task.model == NETWORK else f"{task}")

    def _show(self, description: str | None) -> None:
        self.bar.update(
            self.line,
            completed=sum(self.done.values()),
            folds=self._folds(),
            description=description,
        )

    def _folds(self) -> str:
        return f"{self.finished}/{self.n_tasks} folds"

    def _cost(self, task: FoldTask) -> int:
        if task.model != NETWORK:
            return self.BASELINE_COST
        return self.epochs * (1 if self.trainings is None else self.trainings(task))
