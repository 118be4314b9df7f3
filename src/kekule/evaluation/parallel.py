"""Folds in parallel processes, one thread each, with word of every epoch on the way.

One thread a process: on small graphs a second thread gains little and two processes gain
two, and a fold gives the same numbers whatever runs beside it.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from typing import Any, NamedTuple

import loky
import torch
from loky.backend import get_context
from threadpoolctl import threadpool_limits

from kekule._errors import KekuleError
from kekule.evaluation.folds import FoldInputs, FoldResult, FoldTask, run_fold
from kekule.models import Baseline, EpochReport

log = logging.getLogger(__name__)

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


class Progress(NamedTuple):
    """Word from a running fold."""

    task: FoldTask
    epoch: EpochReport


OnProgress = Callable[[Progress], None]
OnResult = Callable[[FoldTask, FoldResult], None]


class FoldError(RuntimeError):
    """A fold that broke; the run stops, since a mean over the surviving folds would lie."""


def available_cores() -> int:
    """Cores this process may run on, which a container may have cut below the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_folds(
    inputs: FoldInputs,
    tasks: Sequence[FoldTask],
    *,
    processes: int,
    on_progress: OnProgress,
    on_result: OnResult,
) -> None:
    """Run every task; results arrive through `on_result` in the order they finish.

    Parameters
    ----------
    inputs
        Shared by all tasks.
    tasks
        Started in this order.
    processes
        1 runs them in this process, one after another.
    on_progress, on_result
        Called in this process.

    Raises
    ------
    FoldError
        If a fold fails or its process dies; names the fold.
    KekuleError
        As a fold raised it.
    """
    if processes == 1 or len(tasks) <= 1:
        with one_thread():
            prepared: dict[str, Baseline] = {}
            for task in tasks:
                on_result(task, _guarded(inputs, task, prepared, on_progress))
        return
    with _pool(inputs, min(processes, len(tasks)), on_progress) as pool:
        futures = {pool.submit(_work, task): task for task in tasks}
        for future in as_completed(futures):
            task = futures[future]
            try:
                result = future.result()
            except loky.process_executor.BrokenProcessPool as error:
                raise FoldError(
                    f"the process of a fold died, perhaps {task}: out of memory, or killed. "
                    "Finished folds are kept; continue with --resume and fewer --processes."
                ) from error
            on_result(task, result)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread inside, as a fold's process does, and restore the count after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _pool(
    inputs: FoldInputs, processes: int, on_progress: OnProgress
) -> Iterator[loky.ProcessPoolExecutor]:
    words = get_context("loky").Queue()
    pool = loky.ProcessPoolExecutor(
        max_workers=processes,
        env=ONE_THREAD,
        initializer=_start_worker,
        initargs=(inputs, words, os.getpid()),
    )
    ended = threading.Event()
    listener = threading.Thread(target=_listen, args=(words, on_progress, ended), daemon=True)
    listener.start()
    try:
        yield pool
        pool.shutdown(wait=True)
    finally:
        pool.shutdown(wait=True, kill_workers=True)
        ended.set()
        listener.join()
        words.close()


def _listen(words: Any, on_progress: OnProgress, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            on_progress(words.get(timeout=0.2))
        except (queue.Empty, EOFError, OSError):
            continue


class _Worker:
    """What a worker process keeps between its folds."""

    inputs: FoldInputs
    words: Any
    parent: int
    prepared: dict[str, Baseline]


def _start_worker(inputs: FoldInputs, words: Any, parent: int) -> None:
    _Worker.inputs, _Worker.words, _Worker.parent = inputs, words, parent
    _Worker.prepared = {}
    torch.set_num_threads(1)


def _work(task: FoldTask) -> FoldResult:
    with threadpool_limits(1):
        return _guarded(_Worker.inputs, task, _Worker.prepared, _report)


def _report(word: Progress) -> None:
    if os.getppid() != _Worker.parent:
        os._exit(1)  # the run was killed: work for nobody must not go on
    _Worker.words.put(word)


def _guarded(
    inputs: FoldInputs, task: FoldTask, prepared: dict[str, Baseline], on_progress: OnProgress
) -> FoldResult:
    try:
        return run_fold(
            inputs,
            task,
            prepared=prepared,
            on_epoch=lambda epoch: on_progress(Progress(task, epoch)),
        )
    except KekuleError:
        raise
    except Exception as error:
        raise FoldError(f"{task} failed: {type(error).__name__}: {error}") from error
