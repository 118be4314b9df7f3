"""Trials one after another, in this process or in several, until there are enough of them.

Processes share nothing but the journal: a second `kekule tune` on the same folder is one more
of them. Whoever finds no trial left to begin waits for those that run elsewhere, and does
them again if their process dies.
"""

import logging
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path

import loky
import torch
from pydantic import ValidationError

from kekule._errors import KekuleError
from kekule.data.chunked import ONE_THREAD, end_with
from kekule.evaluation import FoldInputs, FoldTask
from kekule.evaluation.metrics import METRICS
from kekule.evaluation.parallel import one_thread
from kekule.evaluation.tuning import InnerFold, falls_behind, fold_score
from kekule.evaluation.tuning_space import Space
from kekule.workflow.tuning_store import StudyPlan, Trial, TrialStore

WAIT_SECONDS = 0.25  # between two looks at what other processes do
LONGEST_REASON = 200  # characters

Watch = Callable[[TrialStore], None]  # looks at the trials there are

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Search:
    """One study of a tuning: its plan, the folds of a trial, and what it is an estimate of.

    Attributes
    ----------
    plan
        What the store knows of it.
    folds
        Trained and scored by each trial, in this order.
    outer
        The test set that its best settings are scored on; None where all rows were tuned on.
    since
        Number of the first trial of this session.
    """

    plan: StudyPlan
    folds: tuple[InnerFold, ...]
    outer: FoldTask | None
    since: int = 0


@dataclass(frozen=True, eq=False)
class Work:
    """All that a process needs for its trials.

    Attributes
    ----------
    inputs
        The rows.
    searches
        Studies, in the order in which they are filled.
    space, metric
        What trials are drawn from, and scored by.
    folder
        Of the journal.
    n_trials
        Of each study.
    until
        No trial begins after this time (seconds since 1970); None: no end.
    """

    inputs: FoldInputs
    searches: tuple[Search, ...]
    space: Space
    metric: str
    folder: Path
    n_trials: int
    until: float | None

    @property
    def over(self) -> bool:
        """Whether no further trial may begin."""
        return self.until is not None and time.time() >= self.until


class LostTrialError(KekuleError, RuntimeError):
    """A process of trials that died: out of memory, or killed; the tuning can go on."""


def run_trials(work: Work, store: TrialStore, watch: Watch) -> None:
    """Begin trials until every study has its number, one after another in this process.

    Raises
    ------
    TuningError
        If trial after trial fails in the same way.
    """
    with one_thread():
        for search in work.searches:
            while not work.over:
                plan = search.plan
                trial = store.next_trial(plan, work.n_trials, since=search.since)
                if trial is not None:
                    _run_trial(work, search, store, trial, watch)
                elif store.running(plan.name):
                    time.sleep(WAIT_SECONDS)
                else:
                    break
                watch(store)


def run_trials_in_processes(
    work: Work, store: TrialStore, watch: Watch, *, processes: int
) -> None:
    """As `run_trials`, with several trials at once, one thread each.

    Raises
    ------
    TuningError
        If trial after trial fails in the same way.
    LostTrialError
        If a process dies.
    """
    pool = loky.ProcessPoolExecutor(
        max_workers=processes,
        env=ONE_THREAD,
        initializer=_start_worker,
        initargs=(work, os.getpid()),
    )
    died = False
    try:
        left = {pool.submit(_work) for _ in range(processes)}
        while left:
            done, left = wait(left, timeout=WAIT_SECONDS, return_when="FIRST_EXCEPTION")
            for future in done:
                future.result()
            watch(store)
    except loky.process_executor.BrokenProcessPool as error:
        died = True
        raise LostTrialError(
            "the process of a trial died: out of memory, or killed. Trials that ended are kept; "
            "give the same command with fewer --processes, and it goes on."
        ) from error
    finally:
        pool.shutdown(wait=True, kill_workers=True)
        for search in work.searches:
            store.give_up_dead(search.plan.name, count=died)


def _run_trial(work: Work, search: Search, store: TrialStore, trial: Trial, watch: Watch) -> None:
    """Train a trial fold by fold; it ends complete, pruned or failed."""
    name, started, scores = search.plan.name, time.perf_counter(), list[float]()
    for number, fold in enumerate(search.folds, start=1):
        try:
            scores.append(fold_score(work.inputs, trial.user_attrs["tried"], fold, work.metric))
        except Exception as error:
            reason = _reason(error)
            log.warning("%s, trial %d, fold %d failed: %s", name, trial.number, number, reason)
            trial.set_user_attr("seconds", time.perf_counter() - started)
            store.fail(name, trial, reason)
            return
        trial.set_user_attr("folds", scores)
        trial.set_user_attr("seconds", time.perf_counter() - started)
        trial.report(statistics.fmean(scores), number)
        if number < len(search.folds) and _behind(work, search, store, scores):
            log.info("%s, trial %d: pruned after fold %d", name, trial.number, number)
            store.prune(name, trial)
            return
        watch(store)
    value = statistics.fmean(scores)
    log.info("%s, trial %d: %s %.4f", name, trial.number, work.metric, value)
    store.complete(name, trial, value)


def _behind(work: Work, search: Search, store: TrialStore, scores: list[float]) -> bool:
    others = [
        record.user_attrs["folds"]
        for record in store.trials(search.plan.name)
        if record.state.name == "COMPLETE"
    ]
    higher = METRICS[work.metric].higher_is_better
    return falls_behind(statistics.fmean(scores), others, len(scores), higher=higher)


def _reason(error: Exception) -> str:
    """What went wrong, on one line."""
    if isinstance(error, ValidationError):
        text = "; ".join(found["msg"] for found in error.errors())
    elif isinstance(error, KekuleError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:LONGEST_REASON]


class _Worker:
    """What a process of trials keeps."""

    work: Work


def _start_worker(work: Work, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    _Worker.work = work
    torch.set_num_threads(1)


def _work() -> None:
    work = _Worker.work
    with TrialStore(work.folder, work.space) as store:
        for search in work.searches:
            store.open(search.plan)
        run_trials(work, store, lambda _: None)
