"""A training that is killed, interrupted or started twice costs no finished fold."""

import json
import os
import signal
import sys
import time

import pandas as pd
import psutil
import pytest

from kekule import train
from kekule.evaluation import read_recipe, tasks_of

TIMES = ("created", "seconds", "fold_seconds", "name")
LONG = (  # long enough to be stopped in, short enough to be repeated
    *("data=MUTAG", "model=gcn", "model.hidden=8", "train.epochs=60", "train.patience=60"),
    *("protocol.folds=6", "protocol.seeds=1", "protocol.baselines=[majority]"),
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")


def scores_of(path):
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    return {key: value for key, value in scores.items() if key not in TIMES}


def family(process):
    """Processes a command has started; loky's and Python's trackers of resources among them."""
    return psutil.Process(process.pid).children(recursive=True)


def wait_for_folds(out, number, process):
    folds = out.parent / f".{out.name}.partial" / "folds"
    end = time.monotonic() + 120
    while len(list(folds.glob("*.npz"))) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no fold was finished in two minutes"
        time.sleep(0.02)


def all_gone(processes, seconds):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return train(None, LONG, out=tmp_path_factory.mktemp("whole") / "run", processes=1)


def test_a_killed_training_is_resumed_as_if_nothing_had_been(started, door, undisturbed, tmp_path):
    out = tmp_path / "run"
    arguments = ("train", *LONG, "--out", out, "--processes", 2, "-q")
    first = started(*arguments)
    wait_for_folds(out, 2, first)

    second = door(*arguments)
    assert (second.code, second.out) == (2, "")
    assert second.err.startswith(f"kekule: {out}: another run is writing there. ")
    assert second.err.count("\n") == 1

    children = family(first)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    assert not out.exists()
    assert len(children) >= 2
    assert all_gone(children, 8), "workers go on for nobody"

    other = door(*arguments, "seed=1", "--resume")
    assert (other.code, other.out) == (2, "")
    assert "unfinished run there has another recipe" in other.err
    assert other.err.count("\n") == 1
    half_written = out.parent / ".run.partial" / "folds" / "network_seed0_fold5.half"
    half_written.write_bytes(b"PK")

    kept = {path.stem for path in half_written.parent.glob("*.npz")}
    said = door(*arguments, "--resume", "--processes", 1)
    assert said.code == 0, said.err
    assert scores_of(out) == scores_of(undisturbed.path)
    for name in ("predictions.csv", "parameters.csv", "bundle/weights.safetensors"):
        assert (out / name).read_bytes() == (undisturbed.path / name).read_bytes()
    curves = [pd.read_csv(path / "curves.csv") for path in (out, undisturbed.path)]
    lost = ["seconds", "score", "gradient_norm"]  # where the kill came before an epoch was written
    pd.testing.assert_frame_equal(*(table.drop(columns=lost) for table in curves))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]

    before, _, after = (out / "log.txt").read_text().partition("resumed: ")
    assert after.startswith(f"{len(kept)} finished folds are kept, {13 - len(kept)} to run")
    for task in tasks_of(read_recipe(None, LONG)):
        name = f"{task.model}_seed{task.seed}_fold{task.fold}".replace("fold-1", "final")
        assert f"{task}: " in (before if name in kept else after)
        assert (before + after).count(f"{task}: ") == 1

    stamp = (out / "scores.json").stat().st_mtime_ns
    once_more = door(*arguments, "--resume")
    assert once_more.code == 0
    assert once_more.out == said.out
    assert (out / "scores.json").stat().st_mtime_ns == stamp


def test_ctrl_c_ends_a_training_at_once_with_one_line(started, tmp_path):
    process = started("train", *LONG, "--out", tmp_path / "run", "--processes", 2)
    wait_for_folds(tmp_path / "run", 1, process)
    children = family(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    out, err = process.communicate(timeout=10)

    assert process.returncode == 130
    assert out == b""
    assert err.decode() == (
        "kekule: stopped. Finished folds are kept; "
        "the same command with --resume goes on with them.\n"
    )
    assert all_gone(children, 8)
    assert not (tmp_path / "run").exists()
    log = tmp_path / ".run.partial" / "run" / "log.txt"
    assert "stopped by KeyboardInterrupt" in log.read_text()


def test_a_training_interrupted_before_its_first_fold_shows_no_traceback(started, tmp_path):
    process = started("train", *LONG, "--out", tmp_path / "run", "--processes", 2)
    end = time.monotonic() + 60
    while len(family(process)) < 3:  # workers are starting, none works yet
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    children = family(process)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in err.decode()
    assert "--resume" in err.decode()
    assert all_gone(children, 8)
