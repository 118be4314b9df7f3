"""kekule as its users meet it: a command with arguments, two streams and an exit code."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from kekule import cli, data

NITRO = "O=[N+]([O-])c1ccc2ccccc2c1"
TINY = (
    *("data=MUTAG", "model=gcn", "model.hidden=8"),
    *("train.epochs=3", "protocol.folds=2", "protocol.seeds=2"),
)


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


def command():
    """The installed command; through Python where it is not beside it."""
    beside = shutil.which("kekule", path=Path(sys.executable).parent)
    return [beside] if beside else [sys.executable, "-m", "kekule"]


def plain_environment(**changes):
    """The environment without what colours or folds output; None takes a variable away."""
    hidden = ("COLUMNS", "LINES", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "NO_COLOR")
    kept = {key: value for key, value in os.environ.items() if key not in hidden} | changes
    return {key: value for key, value in kept.items() if value is not None}


@pytest.fixture(scope="session")
def kekule():
    """Run the command in a process of its own."""

    def run(*arguments, env=None, **options):
        options = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 300} | options
        done = subprocess.run(
            [*command(), *map(str, arguments)],
            env=plain_environment(**(env or {})),
            check=False,
            **options,
        )
        streams = [(stream or b"").decode("utf-8") for stream in (done.stdout, done.stderr)]
        return Said(done.returncode, *streams)

    return run


@pytest.fixture
def started():
    """Start the command and go on; whatever of it still runs after the test is ended."""
    families = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [*command(), *map(str, arguments)],
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # with a group of its own, as a shell gives it
            **options,
        )
        families.append(process)
        return process

    yield start
    for process in families:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def door(capfd, monkeypatch):
    """Run the command in this process: the same but for the start of Python, and quick.

    What `-v` adds to the logger writes to a stream that ends with the test, so it ends with it.
    """
    logger = logging.getLogger("kekule")
    handlers, level = list(logger.handlers), logger.level

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["kekule", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Said(left.value.code, *capfd.readouterr())

    yield run
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture(scope="session")
def tiny():
    """Recipe of the small run."""
    return TINY


@pytest.fixture(scope="session")
def trained(kekule, tmp_path_factory):
    """A small run on MUTAG by the real command; the folder it was started in, what it said."""
    folder = tmp_path_factory.mktemp("where it was started")
    said = kekule("-v", "train", *TINY, "--out", "models/tiny", "--processes", 2, cwd=folder)
    assert said.code == 0, said.err
    return folder, said


@pytest.fixture(scope="session")
def run(trained):
    """Folder of the small run; not to be written into."""
    return trained[0] / "models" / "tiny"


@pytest.fixture
def tu_copy(tmp_path):
    """Copy MUTAG's files under the name BAD, some of them changed by a function of their text."""

    def copy(**changes):
        folder = tmp_path / "BAD"
        folder.mkdir()
        source = Path(data.__file__).parent / "mutag"
        for path in source.glob("MUTAG_*.txt"):
            role = path.stem.removeprefix("MUTAG_")
            change = changes.get(role, lambda text: text)
            text = change(path.read_text())
            if text is not None:
                (folder / f"BAD_{role}.txt").write_text(text)
        return folder

    return copy
