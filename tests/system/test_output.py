"""Whoever reads what kekule prints: a person, a pipe that closes, a disk that is full."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kekule import __version__

posix = pytest.mark.skipif(os.name == "nt", reason="terminals and pipes are others there")


def on_terminal(kekule, *arguments, columns=80, env=None):
    """What a command shows on a terminal, and its code."""
    pty = pytest.importorskip("pty", reason="no terminals here")
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, bytes([50, 0, columns, 0, 0, 0, 0, 0]))
    said = kekule(
        *arguments, stdout=theirs, stderr=theirs, capture_output=False,
        env={"TERM": "xterm-256color"} | (env or {}),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # the other end is closed: all was read
        pass
    os.close(ours)
    return said.code, shown.decode("utf-8").replace("\r\n", "\n")


@posix
def test_a_reader_that_had_enough_ends_the_command_without_a_word(kekule):
    reader, writer = os.pipe()
    os.close(reader)
    said = kekule("data", "list", stdout=writer, stderr=subprocess.PIPE, capture_output=False)
    os.close(writer)
    assert (said.code, said.err) == (0, "")


@posix
def test_a_reader_that_leaves_in_the_middle_ends_the_command_without_a_word(
    door, run, tmp_path, monkeypatch
):
    (tmp_path / "many.smi").write_text("CCO\n" * 5000)
    reader, writer = os.pipe()
    os.close(reader)
    keep = os.dup(1)
    os.dup2(writer, 1)
    monkeypatch.setattr(sys, "stdout", os.fdopen(writer, "w", closefd=False))
    try:
        said = door("predict", run, tmp_path / "many.smi")
    finally:
        os.dup2(keep, 1)
        os.close(keep)
    assert said.code == 0
    assert said.err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk at hand")  # noqa: PTH110
def test_a_full_disk_behind_standard_output_is_one_line(kekule):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        said = kekule("data", "list", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert said.code == 2
    assert said.err == "kekule: output: No space left on device. Make room, or write elsewhere.\n"


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
    ids=["C", "Windows"],
)
def test_pipes_get_utf8_whatever_the_locale(kekule, tmp_path, env):
    (tmp_path / "Graphen – größer" / "MUTAG").mkdir(parents=True)
    said = kekule("data", "list", "--raw", "Graphen – größer", cwd=tmp_path, env=env)
    assert said.code == 0, said.err
    assert f"MUTAG,TU,molecules,188,1,2,{Path('Graphen – größer') / 'MUTAG'}\n" in said.out


@posix
def test_a_terminal_of_forty_columns_loses_no_digit(kekule, trained, tiny):
    folder, _ = trained
    scores = json.loads((folder / "models" / "tiny" / "scores.json").read_text())
    code, shown = on_terminal(
        kekule, "train", *tiny, "--out", folder / "models" / "tiny", "--resume",
        columns=40, env={"NO_COLOR": "1"},
    )  # fmt: skip
    shown = re.sub(r"\x1b\[\d*m", "", shown)  # bold is no colour
    assert code == 0
    assert "…" not in shown
    assert max(map(len, shown.splitlines()[:10])) <= 40
    assert f"{scores['metrics']['accuracy']['mean']:.3f}" in shown
    assert scores["verdict"] in " ".join(line.rstrip() for line in shown.splitlines())


@posix
def test_errors_are_red_on_a_terminal_unless_it_wants_no_colour(kekule):
    code, red = on_terminal(kekule, "nonsense")
    _, plain = on_terminal(kekule, "nonsense", env={"NO_COLOR": "1"})
    assert code == 2
    assert red.startswith("\x1b[31mkekule: ")
    assert plain.startswith("kekule: ")
    assert "\x1b" not in plain


@posix
def test_a_person_gets_a_table_and_a_pipe_gets_csv(kekule):
    _, shown = on_terminal(kekule, "data", "list")
    piped = kekule("data", "list").out
    assert "┃" in shown
    assert "MUTAG" in shown
    assert piped.startswith("name,collection,kind,graphs,tasks,classes,here\n")
    assert "\r" not in piped


def test_a_module_and_a_command_are_the_same(kekule):
    module = subprocess.run(
        [sys.executable, "-m", "kekule", "--version"], capture_output=True, text=True, check=True
    )
    assert module.stdout == kekule("--version").out == f"kekule {__version__}\n"
