import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kekule.models import NETWORKS, TrainSettings, build_network, fit, weights_of
from kekule.models.checkpoint import Checkpoint

ROWS = np.arange(188)
SETTINGS = TrainSettings(epochs=24, patience=24, checkpoint=1e-9, warmup=2, clip=1.0)


class StoppedError(Exception):
    pass


def trained(name, graphs, targets, *, path=None, stop_after=None, settings=SETTINGS):
    """Weights and curves of a training; stopped after some epochs if asked."""
    network = build_network(
        graphs.schema, 2, NETWORKS[name].Settings(hidden=8, dropout=0.3), seed=1
    )

    def on_epoch(report):
        if stop_after is not None and report.epoch + 1 == stop_after:
            raise StoppedError

    result = fit(
        network,
        graphs,
        targets,
        train_rows=ROWS[:150],
        validation_rows=ROWS[150:],
        settings=settings,
        score=lambda p, t: -float(np.mean((p[:, 1] - t) ** 2)),
        seed=3,
        on_epoch=on_epoch,
        checkpoint=path,
    )
    return weights_of(network), result


@pytest.mark.parametrize("name", ["gcn", "gin", "dmpnn"])
def test_a_training_stopped_and_continued_ends_in_the_same_weights(
    name, packed_mutag, mutag_targets, tmp_path
):
    path = tmp_path / "fold.safetensors"
    whole, curves = trained(name, packed_mutag, mutag_targets)
    for stop_after in (5, 17):  # the second goes on from the first
        with pytest.raises(StoppedError):
            trained(name, packed_mutag, mutag_targets, path=path, stop_after=stop_after)
        assert path.exists()
    again, continued = trained(name, packed_mutag, mutag_targets, path=path)

    assert whole.keys() == again.keys()
    for key, value in whole.items():
        np.testing.assert_array_equal(again[key], value)
    for curve in ("train_loss", "validation_loss", "learning_rate", "gradient_rms"):
        np.testing.assert_array_equal(getattr(continued, curve), getattr(curves, curve))
    assert continued.best_epoch == curves.best_epoch
    assert not path.exists(), "a finished training needs no checkpoint"


def test_a_checkpoint_of_another_training_is_not_taken_up(packed_mutag, mutag_targets, tmp_path):
    path = tmp_path / "fold.safetensors"
    with pytest.raises(StoppedError):
        trained("gcn", packed_mutag, mutag_targets, path=path, stop_after=9)
    other = SETTINGS.model_copy(update={"learning_rate": 0.01})
    alone, _ = trained("gcn", packed_mutag, mutag_targets, settings=other)
    beside, _ = trained("gcn", packed_mutag, mutag_targets, path=path, settings=other)

    assert all(np.array_equal(alone[key], beside[key]) for key in alone)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.999])
def test_a_flipped_bit_is_no_checkpoint(place, packed_mutag, mutag_targets, tmp_path):
    path = tmp_path / "fold.safetensors"
    with pytest.raises(StoppedError):
        trained("gcn", packed_mutag, mutag_targets, path=path, stop_after=9)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    whole, _ = trained("gcn", packed_mutag, mutag_targets)
    again, _ = trained("gcn", packed_mutag, mutag_targets, path=path)

    assert all(np.array_equal(whole[key], again[key]) for key in whole)


def test_a_checkpoint_that_cannot_be_written_is_told_once_and_ends_no_training(
    packed_mutag, mutag_targets, tmp_path, caplog
):
    whole, _ = trained("gcn", packed_mutag, mutag_targets)
    beside, _ = trained("gcn", packed_mutag, mutag_targets, path=tmp_path / "gone" / "fold")

    assert all(np.array_equal(whole[key], beside[key]) for key in whole)
    assert sum("cannot be written" in record.message for record in caplog.records) == 1


def test_a_checkpoint_of_other_features_is_not_taken_up(packed_mutag, mutag_targets, tmp_path):
    path = tmp_path / "fold.safetensors"
    with pytest.raises(StoppedError):
        trained("gcn", packed_mutag, mutag_targets, path=path, stop_after=9)
    other = replace(packed_mutag, nodes=(packed_mutag.nodes + 1) % 7)
    alone, _ = trained("gcn", other, mutag_targets)
    beside, _ = trained("gcn", other, mutag_targets, path=path)

    assert all(np.array_equal(alone[key], beside[key]) for key in alone)


@pytest.mark.parametrize("damage", [b"", b"PK", b"\xff" * 4096])
def test_a_damaged_checkpoint_starts_the_training_anew(damage, tmp_path):
    path = tmp_path / "x.safetensors"
    kept = Checkpoint(path, "key", seconds=1)
    kept.write({"a": torch.arange(3)}, {"epoch": 1})
    assert kept.read()[1] == {"epoch": 1}
    path.write_bytes(damage)

    assert kept.read() is None


def test_every_byte_of_a_checkpoint_may_be_lost_without_a_crash(tmp_path):
    path = tmp_path / "x.safetensors"
    kept = Checkpoint(path, "key", seconds=1)
    kept.write({"a": torch.arange(30.0)}, {"epoch": 1})
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert kept.read() is None


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from kekule.data import find_set
from kekule.features import pack, schema_of
from kekule.models import NETWORKS, TrainSettings, build_network, fit
graphs = find_set("MUTAG")
targets = np.unique(graphs.targets, return_inverse=True)[1]
packed = pack(graphs, schema_of(graphs))
network = build_network(packed.schema, 2, NETWORKS["gcn"].Settings(hidden=8, dropout=0.3), seed=1)
rows = np.arange(188)
fit(network, packed, targets, train_rows=rows[:150], validation_rows=rows[150:],
    settings=TrainSettings.model_validate_json(sys.argv[2]),
    score=lambda p, t: -float(np.mean((p[:, 1] - t) ** 2)), seed=3,
    on_epoch=lambda report: time.sleep(0.05), checkpoint=Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_a_training_killed_at_any_moment_ends_in_the_same_weights(
    packed_mutag, mutag_targets, tmp_path
):
    path = tmp_path / "fold.safetensors"
    whole, _ = trained("gcn", packed_mutag, mutag_targets)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), SETTINGS.model_dump_json()],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    end = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < end, "no checkpoint in a minute"
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    found = Checkpoint(path, header_key(path), seconds=1).read()
    assert 0 < len(found[1]["selection"]["train_loss"]) < SETTINGS.epochs
    again, _ = trained("gcn", packed_mutag, mutag_targets, path=path)

    for key, value in whole.items():
        np.testing.assert_array_equal(again[key], value)


def header_key(path: Path) -> str:
    size = int.from_bytes(path.read_bytes()[:8], "little")
    return json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["key"]
