"""Folds in parallel processes, one thread each, with word of every epoch on the way.

One thread a process: on small graphs a second thread gains little and two processes gain
two, and a fold gives the same numbers whatever runs beside it. A run of a single task leaves
the other cores idle all the same: measured on two, a second thread made a D-MPNN on BBBP
slower (5.3 s for 3.3 s) and a GIN little faster (1.5 s for 2.0 s), and ten times slower as
soon as anything else wanted the core, because its threads wait for each other spinning.
"""

import logging
import os
import queue
import signal
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
from kekule.data.chunked import ONE_THREAD, end_with
from kekule.evaluation.ensemble import Step, run_ensemble
from kekule.evaluation.fold_inputs import NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.evaluation.folds import run_fold
from kekule.evaluation.nested import is_nested, run_nested
from kekule.models import Baseline, EpochReport
from kekule.models.ensemble_settings import AUTO

log = logging.getLogger(__name__)

LISTEN_SECONDS = 5.0  # for the last words of ended folds


class Progress(NamedTuple):
    """Word from a running fold: an epoch of its network, or a training of its ensemble."""

    task: FoldTask
    epoch: EpochReport | Step


OnProgress = Callable[[Progress], None]
OnResult = Callable[[FoldTask, FoldResult], None]


class FoldError(RuntimeError):
    """A fold that broke; the run stops, since a mean over the surviving folds would lie."""


class LostFoldError(FoldError, KekuleError):
    """A fold whose process died: no bug of ours, but memory or a kill, and the run can go on."""


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
        1 runs them in this process, one after another. So does a single task: a process
        of its own takes seconds to start.
    on_progress, on_result
        Called in this process; `on_progress` perhaps from another thread.

    Raises
    ------
    FoldError
        If a fold fails; names it.
    LostFoldError
        If a fold's process dies.
    KekuleError
        As a fold raised it.
    """
    on_progress = harmless(on_progress)
    if processes == 1 or len(tasks) <= 1:
        with one_thread():
            prepared: dict[str, Baseline] = {}
            for task in tasks:
                on_result(task, _guarded(inputs, task, prepared, on_progress))
        return
    with _pool(inputs, min(processes, len(tasks)), on_progress) as pool:
        try:
            futures = {pool.submit(_work, task): task for task in tasks}
            for future in as_completed(futures):
                on_result(futures[future], future.result())
        except loky.process_executor.BrokenProcessPool as error:
            raise LostFoldError(
                "the process of a fold died: out of memory, or killed. Finished folds are kept; "
                "continue with --resume and fewer --processes."
            ) from error


def harmless(on_progress: OnProgress) -> OnProgress:
    """Log an error of the display, once, and go on without it: hours of folds hang on no bar."""
    broken = threading.Event()

    def told(word: Progress) -> None:
        if broken.is_set():
            return
        try:
            on_progress(word)
        except Exception:
            broken.set()
            log.exception("the display of progress broke at %s; the folds go on", word.task)

    return told


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
        listener.join(LISTEN_SECONDS)  # a worker killed in the middle of a word never ends it
        words.close()


def _listen(words: Any, on_progress: OnProgress, ended: threading.Event) -> None:
    """Pass words on until the folds have ended and the last word is heard."""
    while True:
        try:
            word = words.get(timeout=0.2)
        except queue.Empty:
            if ended.is_set():
                return
            continue
        except (EOFError, OSError):
            return
        on_progress(word)


class _Worker:
    """What a worker process keeps between its folds."""

    inputs: FoldInputs
    words: Any
    prepared: dict[str, Baseline]


def _start_worker(inputs: FoldInputs, words: Any, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    _Worker.inputs, _Worker.words = inputs, words
    _Worker.prepared = {}
    torch.set_num_threads(1)


def _work(task: FoldTask) -> FoldResult:
    with threadpool_limits(1):
        return _guarded(_Worker.inputs, task, _Worker.prepared, _report)


def _report(word: Progress) -> None:
    _Worker.words.put(word)


def _guarded(
    inputs: FoldInputs, task: FoldTask, prepared: dict[str, Baseline], on_progress: OnProgress
) -> FoldResult:
    def told(epoch: EpochReport | Step) -> None:
        on_progress(Progress(task, epoch))

    try:
        if task.model == NETWORK and inputs.recipe.model.name == AUTO:
            return run_ensemble(inputs, task, on_step=told)
        if is_nested(inputs.recipe, task):
            return run_nested(inputs, task, on_epoch=told)
        return run_fold(inputs, task, prepared=prepared, on_epoch=told)
    except KekuleError:
        raise
    except Exception as error:
        raise FoldError(f"{task} failed: {type(error).__name__}: {error}") from error
