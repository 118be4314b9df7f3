"""What a person sees moves on, never back, and never beyond the end."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from kekule.evaluation import FINAL, NETWORK, FoldResult, FoldTask, Progress
from kekule.models import EpochReport
from kekule.workflow.progress import FoldProgress
from kekule.workflow.tuning_progress import TuningProgress

TASKS = [FoldTask(NETWORK, 0, FINAL), FoldTask(NETWORK, 0, 0), FoldTask("majority", 0, 0)]
RESULT = FoldResult(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)))


def word(task, epoch):
    return Progress(task, EpochReport(epoch, 0.5, 0.6, False))


@pytest.mark.parametrize("show", [True, False, None])
def test_every_fold_counted_whole_reaches_the_end_also_where_it_stopped_early(show, capsys):
    with FoldProgress("gin", TASKS, 10, show=show) as progress:
        line = progress.bar.tasks[0]
        seen = [line.completed]
        for epoch in range(10):
            progress.on_progress(word(TASKS[0], epoch))
            seen.append(line.completed)
        for task in TASKS:
            progress.on_result(task, RESULT)
            seen.append(line.completed)

    assert seen == sorted(seen)
    assert seen[-1] == line.total
    assert line.fields["folds"] == "3/3 folds"
    assert capsys.readouterr().out == ""


def test_a_word_that_comes_after_the_result_moves_nothing():
    with FoldProgress("gin", TASKS, 10, show=False) as progress:
        progress.on_result(TASKS[1], RESULT)
        before = progress.bar.tasks[0].completed
        progress.on_progress(word(TASKS[1], 3))
        assert progress.bar.tasks[0].completed == before == 10


def test_what_is_said_names_fold_epoch_and_loss():
    with FoldProgress("gin", TASKS, 10, show=False) as progress:
        progress.on_progress(word(TASKS[1], 3))
        assert progress.bar.tasks[0].description == "gin seed 0 fold 1 · epoch 4 · loss 0.500"
        progress.on_progress(word(TASKS[0], 0))
        assert progress.bar.tasks[0].description.startswith("gin final · epoch 1")
        progress.on_result(TASKS[2], RESULT)
        assert progress.bar.tasks[0].description == "majority, seed 0, fold 1"


def test_nothing_is_shown_where_there_is_no_terminal(capsys):
    with FoldProgress("gin", TASKS, 10, show=None) as progress:
        progress.on_progress(word(TASKS[0], 0))
    assert capsys.readouterr() == ("", "")


def test_a_terminal_that_was_closed_does_not_stop_the_folds(monkeypatch):
    class Gone:
        encoding = "utf-8"

        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stderr", Gone())
    with FoldProgress("gin", TASKS, 10, show=None) as progress:
        progress.on_result(TASKS[0], RESULT)
    assert progress.finished == 1


def test_nothing_left_to_run_is_no_division_by_zero():
    with FoldProgress("gin", [], 10, show=True) as progress:
        assert progress.bar.tasks[0].fields["folds"] == "0/0 folds"


def test_words_and_results_of_two_threads_add_up():
    tasks = [FoldTask(NETWORK, 0, fold) for fold in range(200)]
    with FoldProgress("gin", tasks, 5, show=False) as progress:
        talk = threading.Thread(
            target=lambda: [progress.on_progress(word(t, e)) for t in tasks for e in range(5)]
        )
        talk.start()
        for task in tasks:
            progress.on_result(task, RESULT)
        talk.join()
    assert progress.bar.tasks[0].completed == 1000
    assert progress.finished == 200


def trial(state, value=None, *, last_step=None, **attributes):
    """A trial as the journal has it."""
    named = SimpleNamespace(name=state, is_finished=lambda: state != "RUNNING")
    return SimpleNamespace(state=named, value=value, last_step=last_step, user_attrs=attributes)


def test_a_tuning_counts_ended_trials_and_those_underway_by_their_folds(capsys):
    searches = [
        SimpleNamespace(plan=SimpleNamespace(name=name), folds=range(4)) for name in ("one", "two")
    ]
    work = SimpleNamespace(n_trials=3, searches=searches, metric="brier")
    trials = {
        "one": [
            trial("COMPLETE", 0.3),
            trial("COMPLETE", 0.2),
            trial("PRUNED", 0.1),
            trial("FAIL", reason="killed"),
        ],
        "two": [trial("COMPLETE", 0.4), trial("RUNNING", last_step=3), trial("RUNNING")],
    }
    with TuningProgress(work, show=True) as progress:
        progress.look(SimpleNamespace(trials=trials.__getitem__))
        (line,) = progress.bar.tasks
        assert (line.completed, line.total) == (4.75, 6)
        assert line.fields["trials"] == "4/6 trials"
        assert line.description == "two: best brier 0.4000"
        trials["two"] = [trial("RUNNING")]
        progress.look(SimpleNamespace(trials=trials.__getitem__))
        assert line.description == "two: no trial ended yet"
        trials["two"] = [trial("COMPLETE", 0.4)] * 5  # of two terminals, more than were asked for
        progress.look(SimpleNamespace(trials=trials.__getitem__))
        assert line.completed == line.total
    assert capsys.readouterr().out == ""
