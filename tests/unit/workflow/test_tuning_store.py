"""The journal of a tuning: N trials are N, whoever runs them and whoever is killed."""

import json
import threading

import pytest

from kekule._errors import OutputError
from kekule.evaluation.tuning import TuningError
from kekule.evaluation.tuning_space import Choice, Span
from kekule.workflow.tuning_store import JOURNAL, LOCKS, StudyPlan, TrialStore, counts

pytest.importorskip("optuna", reason="the tune extra is not installed")

SPACE = {"x": Span(0.001, 1.0, log=True), "k": Span(1, 9), "c": Choice(("sum", "mean"))}
FIRST = {"x": 0.5, "k": 3, "c": "mean"}
PLAN = StudyPlan("main", {"recipe": "ab", "space": "cd"}, False, 7, FIRST)


@pytest.fixture
def store_in(tmp_path):
    """Open a store, as another process would; all are closed when the test ends."""
    opened = []

    def build(plan=PLAN, folder=tmp_path / "study"):
        store = TrialStore(folder, SPACE).__enter__()
        opened.append(store)
        store.open(plan)
        return store

    yield build
    for store in opened:
        store.__exit__()


def die(store):
    """End a store as a kill ends its process: the lock is free, and nothing is tidied up."""
    store._alive.release()


def value_of(tried):
    return abs(tried["x"] - 0.1) + 0.01 * tried["k"] + 0.1 * (tried["c"] == "sum")


def step(store, n_trials, plan=PLAN):
    """Do one trial; None where there is none to do."""
    trial = store.next_trial(plan, n_trials)
    if trial is not None:
        tried = trial.user_attrs["tried"]
        trial.report(value_of(tried), 1)
        if trial.number % 5 == 4:
            store.prune(plan.name, trial)
        else:
            store.complete(plan.name, trial, value_of(tried))
    return trial


def tried(store):
    return [record.user_attrs["tried"] for record in store.trials("main") if counts(record)]


def states(store):
    return [record.state.name for record in store.trials("main")]


def test_there_are_as_many_trials_as_asked_for_over_all_calls(store_in):
    store = store_in()
    while step(store, 4):
        pass
    assert len(store.trials("main")) == 4
    later = store_in()
    assert step(later, 4) is None
    while step(later, 6):
        pass
    assert len(store.trials("main")) == later.ended("main") == 6


def test_the_first_trial_is_the_recipe_and_others_differ(store_in):
    store = store_in()
    while step(store, 5):
        pass
    assert tried(store)[0] == FIRST
    assert len({json.dumps(one) for one in tried(store)}) == 5
    assert store.trials("main")[0].user_attrs["origin"] == "recipe"


def test_a_study_that_was_killed_over_and_over_tries_what_an_undisturbed_one_does(
    store_in, tmp_path
):
    calm = store_in()
    while step(calm, 16):
        pass
    folder = tmp_path / "disturbed"
    kills, store = 0, store_in(folder=folder)
    while store.ended("main") < 16:
        step(store, 16)
        step(store, 16)
        if store.next_trial(PLAN, 16) is not None:
            die(store)
            kills, store = kills + 1, store_in(folder=folder)

    assert kills >= 5
    assert tried(store) == tried(calm)
    assert store.ended("main") == 16
    lost = [record for record in store.trials("main") if not counts(record)]
    assert len(lost) == kills
    assert {record.state.name for record in lost} == {"FAIL"}


def test_the_trial_of_a_killed_process_is_done_again_with_the_same_settings(store_in):
    gone = store_in()
    settings = gone.next_trial(PLAN, 3).user_attrs["tried"]
    die(gone)
    again = store_in().next_trial(PLAN, 3)

    assert again.user_attrs["tried"] == settings == FIRST
    assert again.user_attrs["origin"] == "recipe"
    assert again.number == 1


def test_the_trial_of_a_living_process_is_left_alone(store_in):
    one, other = store_in(), store_in()
    running = one.next_trial(PLAN, 2)
    beside = other.next_trial(PLAN, 2)

    assert running.user_attrs["tried"] != beside.user_attrs["tried"]
    assert store_in().next_trial(PLAN, 2) is None
    assert other.running("main")
    other.give_up_dead("main", count=True)  # its own alone
    assert states(other) == ["RUNNING", "FAIL"]
    one.complete("main", running, 0.5)
    assert states(other) == ["COMPLETE", "FAIL"]


def test_settings_that_kill_their_process_again_and_again_are_given_up(store_in):
    for _ in range(3):
        store = store_in()
        assert store.next_trial(PLAN, 2).user_attrs["tried"] == FIRST
        die(store)
    store = store_in()

    assert store.next_trial(PLAN, 2).user_attrs["tried"] != FIRST
    assert store.trials("main")[2].user_attrs["reason"] == "its process was killed 3 times"
    assert store.ended("main") == 1


def test_trials_that_were_stopped_and_not_to_blame_may_be_stopped_as_often_as_one_likes(store_in):
    store = store_in()
    for _ in range(9):
        assert store.next_trial(PLAN, 1).user_attrs["tried"] == FIRST
        store.give_up_dead("main", count=False)
    assert step(store, 1) is not None


def test_a_line_cut_off_in_the_middle_is_removed_and_nothing_else(store_in, tmp_path):
    store = store_in()
    step(store, 3)
    journal = tmp_path / "study" / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker_id":"')
    assert len(store.trials("main")) == 1  # whoever only reads is not disturbed

    while step(store_in(), 3):
        pass
    assert journal.read_bytes().startswith(whole)
    assert all(json.loads(line) for line in journal.read_text().splitlines())
    assert len(store.trials("main")) == 3


def test_a_study_of_another_key_is_refused_and_says_what_differs(store_in):
    step(store_in(), 1)
    other = PLAN._replace(key={"recipe": "xy", "space": "cd", "metric": "f1"})
    with pytest.raises(OutputError, match="the study there has another recipe and metric"):
        store_in(other)
    assert store_in() is not None


@pytest.mark.parametrize(
    "content",
    [b"what is this?\nnothing\n", b'{"op_code": 99}\n', b"[1, 2]\n", b"\xff\xfe\x00\n", b"null\n"],
)
def test_a_file_that_is_no_journal_is_an_error_in_one_line(store_in, tmp_path, content):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / JOURNAL).write_bytes(content)
    with pytest.raises(OutputError, match=r"study\.jsonl: it cannot be read as a study") as caught:
        store_in()
    assert "\n" not in str(caught.value)


def test_three_of_the_same_errors_in_a_row_stop_and_earlier_ones_do_not(store_in):
    store = store_in()
    for reason in ("one", "other", "one", "one"):
        store.fail("main", store.next_trial(PLAN, 9), reason)
    store.fail("main", store.next_trial(PLAN, 9), "one")
    with pytest.raises(TuningError, match="the last 3 failed in the same way: one"):
        store.next_trial(PLAN, 9)

    begun = len(store.trials("main"))
    assert store.next_trial(PLAN, 9, since=begun) is not None  # put right, and started again


def test_several_threads_that_ask_at_once_get_a_trial_each_and_none_too_many(store_in):
    stores, got = [store_in() for _ in range(4)], []

    def work(store):
        while (trial := store.next_trial(PLAN, 12)) is not None:
            got.append(trial.number)
            store.complete("main", trial, value_of(trial.user_attrs["tried"]))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == list(range(12))
    assert len({json.dumps(one) for one in tried(stores[0])}) == 12


def test_nothing_is_said_on_the_terminal_and_the_journal_is_lines_of_json(
    store_in, capfd, tmp_path
):
    store = store_in()
    while step(store, 12):
        pass
    assert sum(store.importance("main").values()) == pytest.approx(1)
    assert capfd.readouterr() == ("", "")
    assert {path.name for path in (tmp_path / "study").iterdir()} == {JOURNAL, LOCKS}
    lines = (tmp_path / "study" / JOURNAL).read_text().splitlines()
    assert all(json.loads(line)["op_code"] >= 0 for line in lines)


def test_a_process_takes_its_lock_along_and_leaves_that_of_others(store_in, tmp_path):
    locks = tmp_path / "study" / LOCKS
    other = store_in()
    with TrialStore(tmp_path / "study", SPACE) as store:
        assert {store.worker, other.worker} <= {path.name for path in locks.iterdir()}
    assert {path.name for path in locks.iterdir()} == {other.worker, "asking", "journal"}
