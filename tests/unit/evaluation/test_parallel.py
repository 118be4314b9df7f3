import os
import pickle
import signal
import sys
import threading
import time
from collections import Counter

import numpy as np
import pytest
import torch

from kekule import KekuleError, _errors
from kekule._errors import TrainingError
from kekule.data.chunked import available_cores
from kekule.evaluation import (
    FINAL,
    NETWORK,
    FoldError,
    FoldInputs,
    FoldTask,
    LostFoldError,
    parallel,
    read_recipe,
    tasks_of,
)
from kekule.evaluation.parallel import run_folds


@pytest.fixture
def inputs(packed_mutag, mutag_targets):
    def make(*overrides):
        recipe = read_recipe(
            overrides=[
                "model=gin",
                "model.hidden=8",
                "train.epochs=3",
                "protocol.folds=2",
                "protocol.seeds=1",
                *overrides,
            ]
        )
        return FoldInputs(packed_mutag.take(np.arange(40)), mutag_targets[:40], 2, recipe)

    return make


@pytest.fixture
def workers(monkeypatch):
    """Process ids of every worker that a pool of this test starts."""
    pools = []

    class Watched(parallel.loky.ProcessPoolExecutor):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            pools.append(self)

        def _adjust_process_count(self):
            super()._adjust_process_count()
            started.update(self._processes)

    started = set()
    monkeypatch.setattr(parallel.loky, "ProcessPoolExecutor", Watched)
    return started


def test_two_processes_give_the_bits_of_one(inputs, workers):
    given = inputs()
    tasks = tasks_of(given.recipe)
    alone, words = run(given, tasks, processes=1)
    assert not workers
    shared, shared_words = run(given, tasks, processes=2)

    assert alone.keys() == shared.keys() == set(tasks)
    for task in tasks:
        for part in ("rows", "labels", "probabilities", "train_loss", "validation_loss"):
            np.testing.assert_array_equal(getattr(alone[task], part), getattr(shared[task], part))
        assert alone[task].best_epoch == shared[task].best_epoch
        assert alone[task].weights.keys() == shared[task].weights.keys()
        for key, value in alone[task].weights.items():
            np.testing.assert_array_equal(value, shared[task].weights[key])
    epochs = {task: 3 for task in tasks if task.model == NETWORK}
    assert Counter(word.task for word in words) == epochs
    assert Counter(word.task for word in shared_words) == epochs
    assert len(workers) == 2
    assert_gone(workers)


def test_an_error_of_a_user_s_making_arrives_from_a_process_as_it_was_raised(inputs, workers):
    given = inputs("train.learning_rate=1e30", "train.epochs=40", "protocol.baselines=[]")
    with pytest.raises(TrainingError) as caught:
        run(given, tasks_of(given.recipe), processes=2)

    assert caught.value.where.startswith("GIN, epoch ")
    assert caught.value.cure == "Lower train.learning_rate (now 1e+30)."
    assert_gone(workers)


@pytest.mark.skipif(sys.platform == "win32", reason="processes there are not killed by signals")
def test_a_killed_process_stops_the_run_with_the_cure_and_leaves_no_orphan(inputs, workers):
    given = inputs("train.epochs=5000", "train.patience=5000", "protocol.baselines=[]")
    killed = []

    def kill(word):
        if not killed:
            killed.append(min(workers))
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(LostFoldError, match=r"died: .*continue with --resume") as caught:
        run(given, tasks_of(given.recipe), processes=2, on_progress=kill)

    assert isinstance(caught.value, KekuleError)  # memory is the user's to give: one line
    assert len(workers) >= 2
    assert_gone(workers)


def test_a_fold_that_breaks_stops_the_run_and_is_named(monkeypatch, inputs):
    given = inputs("protocol.baselines=[majority]")
    ran = break_at(monkeypatch, FoldTask("majority", 0, 0))
    with pytest.raises(FoldError, match=r"^majority, seed 0, fold 1 failed: ZeroDivisionError: "):
        run(given, tasks_of(given.recipe), processes=1)

    assert ran[-1] == FoldTask("majority", 0, 0)  # and none after it
    assert len(ran) == 4


def test_a_broken_fold_is_a_bug_and_keeps_its_traceback(monkeypatch, inputs):
    given = inputs("protocol.baselines=[majority]")
    break_at(monkeypatch, FoldTask("majority", 0, 1))
    with pytest.raises(FoldError) as caught:
        run(given, [FoldTask("majority", 0, 1)], processes=1)

    assert not isinstance(caught.value, KekuleError)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_folds_before_the_broken_one_have_been_handed_over(monkeypatch, inputs):
    given = inputs("protocol.baselines=[majority]")
    tasks = [FoldTask("majority", 0, 0), FoldTask("majority", 0, 1)]
    break_at(monkeypatch, tasks[1])
    kept = {}
    with pytest.raises(FoldError):
        run_folds(
            given, tasks, processes=1, on_progress=lambda w: None, on_result=kept.__setitem__
        )

    assert list(kept) == tasks[:1]


def test_a_display_that_breaks_is_logged_once_and_stops_no_fold(inputs, caplog):
    given = inputs("protocol.baselines=[]")

    def broken(word):
        raise BrokenPipeError

    results, _ = run(given, tasks_of(given.recipe), processes=1, on_progress=broken)

    assert results.keys() == set(tasks_of(given.recipe))
    assert [r.message for r in caplog.records] == [
        "the display of progress broke at final model; the folds go on"
    ]


def test_the_last_words_are_heard_after_the_folds_have_ended():
    class Words:
        def __init__(self, words):
            self.words = words

        def get(self, timeout):
            if not self.words:
                raise parallel.queue.Empty
            return self.words.pop(0)

    heard, ended = [], threading.Event()
    ended.set()
    parallel._listen(Words([1, 2, 3]), heard.append, ended)

    assert heard == [1, 2, 3]


def test_a_listener_ends_when_its_queue_is_closed():
    class Closed:
        def get(self, timeout):
            raise EOFError

    parallel._listen(Closed(), print, threading.Event())


def test_a_worker_ends_with_the_run_that_started_it(monkeypatch):
    class EndedError(Exception):
        pass

    def end(code):
        raise EndedError(code)

    parents = iter([17, 17, 1])  # the run is killed, and init adopts the worker
    monkeypatch.setattr(parallel.os, "getppid", lambda: next(parents), raising=False)
    monkeypatch.setattr(parallel.os, "_exit", end)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(EndedError, match="1"):
        parallel.end_with(17)

    assert list(parents) == []


def test_a_worker_keeps_what_its_folds_share(monkeypatch, inputs):
    """What a worker process does once it has started, done in this one."""
    words = QueueOfNone()
    shared = {"inputs": inputs("protocol.baselines=[majority]"), "words": words, "prepared": {}}
    monkeypatch.setattr(parallel, "_Worker", type("_Worker", (), shared))
    parallel._work(FoldTask(NETWORK, 0, FINAL))
    parallel._work(FoldTask("majority", 0, 0))

    assert [word.epoch.epoch for word in words.put_in] == [0, 1, 2]
    assert list(parallel._Worker.prepared) == ["majority"]


def test_the_number_of_threads_is_put_back_whatever_happens():
    before, inside = torch.get_num_threads(), []

    def break_off():
        with parallel.one_thread():
            inside.append(torch.get_num_threads())
            raise KeyError

    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError):
            break_off()
        assert (inside, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("processes", [1, 2, 16])
def test_a_single_task_has_one_thread_in_this_process_whatever_the_processes(
    monkeypatch, inputs, workers, processes
):
    given, counts = inputs("protocol.baselines=[]"), []
    monkeypatch.setattr(
        parallel, "run_fold", lambda *_, **__: counts.append(torch.get_num_threads())
    )
    run(given, [FoldTask(NETWORK, 0, 0)], processes=processes)

    assert counts == [1]
    assert not workers


def test_cores_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert available_cores() == 2
    monkeypatch.delattr(parallel.os, "sched_getaffinity")
    assert available_cores() == os.cpu_count()


@pytest.mark.parametrize(
    "error",
    [
        _errors.MoleculeError("C(", "an open ring", source="a.csv", row=3),
        _errors.DataFileError("a.txt", "is odd", "Mend it.", line=7),
        _errors.DownloadError("https://x", "no answer", "Wait."),
        _errors.RecipeError("train.epochs", "no", "Yes.", source="command line"),
        _errors.SchemaError("no such column"),
        _errors.OutputError("/x", "full", "Empty it."),
        _errors.BundleError("b", "changed", "Fetch it again."),
        _errors.TrainingError("GIN, epoch 3", "nan", "Lower it."),
        LostFoldError("died"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_crosses_from_a_process_whole(error):
    back = pickle.loads(pickle.dumps(error))  # noqa: S301

    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def run(inputs, tasks, *, processes, on_progress=None):
    results, words = {}, []

    def hear(word):
        words.append(word)
        if on_progress is not None:
            on_progress(word)

    run_folds(inputs, tasks, processes=processes, on_progress=hear, on_result=results.__setitem__)
    return results, words


def break_at(monkeypatch, broken):
    """Let one fold fail, and list the folds that are begun."""
    ran = []
    original = parallel.run_fold

    def run_fold(inputs, task, **kwargs):
        ran.append(task)
        if task == broken:
            raise ZeroDivisionError("no rows")
        return original(inputs, task, **kwargs)

    monkeypatch.setattr(parallel, "run_fold", run_fold)
    return ran


class QueueOfNone:
    def __init__(self):
        self.put_in = []

    def put(self, word):
        self.put_in.append(word)


def assert_gone(pids):
    deadline = time.monotonic() + 10
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"processes {alive} live on"
        time.sleep(0.05)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
