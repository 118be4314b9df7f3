"""`kekule examine` as its users meet it: a table, sentences, a stop that loses nothing."""

import json
import os
import re
import shutil
import signal
import sys
import time

import pytest

from kekule import train

SLOWER = (  # long enough to be stopped in
    *("data=MUTAG", "model=gcn", "model.hidden=8", "train.epochs=30", "train.patience=30"),
    *("protocol.folds=3", "protocol.seeds=1", "protocol.baselines=[majority]"),
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")


@pytest.fixture
def copy(run, tmp_path):
    """Make a copy of the small run, to be written into."""
    shutil.copytree(run, tmp_path / "tiny")
    return tmp_path / "tiny"


def test_an_examination_is_a_table_sentences_and_the_page(door, copy, monkeypatch):
    monkeypatch.chdir(copy.parent)
    said = door("examine", "tiny", "--parts", "curve,scrambled", "--processes", 1)
    told = json.loads((copy / "examination.json").read_text(encoding="utf-8"))

    assert (said.code, said.err) == (0, "")
    for stage in told["learning_curve"]:
        shown = f"{100 * stage['share']:.4g} % of the training rows"
        assert re.search(rf"{shown}.*{stage['rows']}.*{stage['primary']['mean']:.3f}", said.out)
    assert f"chance {told['scrambled']['chance']:.3f}" in said.out
    assert "Training rows, accuracy: " in said.out
    assert "Labels dealt anew, roc auc: " in said.out
    assert said.out.endswith("Report: tiny/report.html\n")
    assert 'id="examination"' in (copy / "report.html").read_text(encoding="utf-8")

    again = door("examine", "tiny", "--parts", "curve,scrambled", "--processes", 1)
    assert again == said


def test_it_logs_how_long_it_will_take_before_the_first_training(door, copy):
    said = door("-v", "examine", copy, "--parts", "scrambled", "--processes", 1)
    lines = said.err.splitlines()
    assert said.code == 0
    assert "scrambled: 2 trainings of a fold, under a minute" in lines[0]
    assert "4 folds to run" in lines[1]


@posix
def test_ctrl_c_keeps_everything_and_the_same_command_goes_on(started, door, tmp_path):
    path = train(None, SLOWER, out=tmp_path / "run", processes=1, audit=False).path
    process = started("examine", path, "--processes", "1")
    folds, end = tmp_path / ".run.examination" / "folds", time.monotonic() + 60
    while len(list(folds.glob("*/*.npz"))) < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no fold ended in a minute"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said, err = process.communicate(timeout=20)
    kept = {file: file.stat().st_mtime_ns for file in folds.glob("*/*.npz")}

    assert process.returncode == 130
    assert said == b""
    assert err.decode() == (
        "kekule: stopped. Finished parts and folds are kept; the same command goes on with them.\n"
    )
    assert len(kept) >= 3
    shutil.copytree(path, tmp_path / "undisturbed")

    again = door("-v", "examine", path, "--parts", "ladder", "--processes", 1)
    whole = door("examine", tmp_path / "undisturbed", "--parts", "ladder", "--processes", 1)
    assert (again.code, whole.code) == (0, 0)
    assert "ladder 1/3, random: 6 folds to run" not in again.err
    assert again.out.replace("run/report", "") == whole.out.replace("undisturbed/report", "")
    assert not folds.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--parts", "ladders"], "an examination has no 'ladders'. Did you mean ladder?"),
        (["--parts", ""], "an examination has no ''"),
        ([], "it is no complete run"),
    ],
)
def test_what_cannot_be_examined_is_one_line_and_exit_code_two(door, tmp_path, arguments, said):
    answer = door("examine", tmp_path, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert said in answer.err
