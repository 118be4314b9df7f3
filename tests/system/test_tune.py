"""`kekule tune` as its users meet it: killed, started twice, stopped, and gone on with."""

import json
import os
import signal
import sys
import time

import pandas as pd
import psutil
import pytest

from kekule import tune

pytest.importorskip("optuna", reason="the tune extra is not installed")

TINY = (
    *("data=MUTAG", "model=gcn", "model.hidden=8", "train.epochs=3"),
    *("protocol.folds=2", "protocol.seeds=1", "protocol.baselines=[]"),
)
LONG = (*TINY, "train.epochs=40", "train.patience=40")  # long enough to be stopped in
SPACE = "model.hidden: [4, 8]\nmodel.dropout: {low: 0, high: 0.5}\n"
SAME = ("value", "folds", "model.hidden", "model.dropout")

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")


@pytest.fixture
def space(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(SPACE)
    return path


def ended(out):
    """How many trials the journal says have ended, read as any program can read it."""
    journal = out / "study.jsonl"
    lines = journal.read_text().splitlines() if journal.exists() else []
    words = [json.loads(line) for line in lines if line.endswith("}")]
    return sum(word["op_code"] == 6 and word["state"] in (1, 2, 3) for word in words)


def wait_for_trials(out, number, *processes):
    end = time.monotonic() + 60
    while ended(out) < number:
        for process in processes:
            assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no trial ended in a minute"
        time.sleep(0.02)


def wait_for_the_end_of(processes):
    end = time.monotonic() + 8
    while [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < end, "workers go on for nobody"
        time.sleep(0.05)


def table(out):
    return pd.read_csv(out / "trials.csv")


def test_a_tuning_says_what_it_found_and_what_that_is_worth(door, space, tmp_path):
    out = tmp_path / "study"
    said = door("tune", *TINY, "--space", space, "--trials", 3, "--out", out, "--processes", 1)
    told = json.loads((out / "tuning.json").read_text())

    assert said.code == 0, said.err
    assert "3 complete, of 3 trials asked for." in said.out
    assert f"Best Brier {told['best']['value']:.3f}" in said.out
    assert "The best of 3 trials on the rows that chose it: it flatters." in said.out
    assert "model.dropout" in said.out
    assert said.out.endswith(f"Best recipe: {out / 'best.yaml'}\nPage: {out / 'tuning.html'}\n")

    checked = door("recipe", "check", out / "best.yaml")
    assert checked.code == 0
    assert checked.out == (out / "best.yaml").read_text()


@posix
def test_a_killed_tuning_goes_on_where_it_was(started, door, space, tmp_path):
    longer = (*LONG, "train.epochs=120", "train.patience=120")  # than workers outlive a parent
    arguments = ("tune", *longer, "--space", space, "--trials", 5)
    out = tmp_path / "study"
    first = started(*arguments, "--out", out, "--processes", 2, "-q")
    wait_for_trials(out, 2, first)
    children = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    kept = ended(out)
    assert not (out / "best.yaml").exists()
    wait_for_the_end_of(children)

    said = door(*arguments, "--out", out, "--processes", 1, "-q")
    assert said.code == 0, said.err
    again = table(out)
    assert (again.state != "killed").sum() == 5
    assert 1 <= (again.state == "killed").sum() <= 2, "what ran when it was killed"
    assert (again.number < kept).sum() == kept

    whole = tune(None, longer, trials=5, out=tmp_path / "whole", space=space, processes=1)
    done = again[again.state != "killed"].sort_values("value")
    undisturbed = table(whole.path).sort_values("value")
    pd.testing.assert_frame_equal(  # a trial killed at its beginning has no settings: a float
        done[[*SAME]].reset_index(drop=True),
        undisturbed[[*SAME]].reset_index(drop=True),
        check_dtype=False,
    )


@posix
def test_two_processes_on_one_study_share_its_trials(started, space, tmp_path):
    out = tmp_path / "study"
    arguments = ("tune", *LONG, "--space", space, "--trials", 16, "--out", out, "--processes", 1)
    both = [started(*arguments, "-q"), started(*arguments, "-q")]
    for process in both:
        said, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert b"16 complete, of 16 trials asked for." in said

    words = [json.loads(line) for line in (out / "study.jsonl").read_text().splitlines()]
    workers = [w["user_attr"]["worker"] for w in words if "worker" in w.get("user_attr", {})]
    assert len(workers) == 16
    assert len(set(workers)) == 2, "one of the two did all the work"
    assert list(table(out).state) == ["complete"] * 16
    assert len(table(out).drop_duplicates(["model.hidden", "model.dropout"])) == 16


@posix
def test_ctrl_c_keeps_everything_and_says_how_to_go_on(started, door, space, tmp_path):
    out = tmp_path / "study"
    arguments = ("tune", *LONG, "--space", space, "--trials", 50, "--out", out)
    process = started(*arguments, "--processes", 2)
    wait_for_trials(out, 2, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    said, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert said == b""
    assert err.decode() == (
        "kekule: stopped. Trials that ended are kept; the same command goes on with them.\n"
    )
    kept = (table(out).state == "complete").sum()
    assert kept >= 2
    assert not json.loads((out / "tuning.json").read_text())["finished"]
    assert (out / "best.yaml").exists()

    again = door(*arguments, "--trials", kept + 1, "--processes", 1)
    assert again.code == 0, again.err
    assert f"{kept + 1} complete" in again.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--metric", "acc"], "metric: there is no 'acc'. Did you mean accuracy?"),
        (["--space", "none.yaml"], "none.yaml: cannot be read"),
        (["--inner", "1"], "inner: 1 given"),
        (["model.hiden=3"], "model.hiden: there is no such key. Did you mean hidden?"),
        (["--out", "."], "no study of kekule"),
    ],
)
def test_what_cannot_be_tuned_is_one_line_and_exit_code_two(
    door, space, monkeypatch, arguments, said
):
    monkeypatch.chdir(space.parent)
    answer = door("tune", *TINY, *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("kekule: ")
    assert said in answer.err
