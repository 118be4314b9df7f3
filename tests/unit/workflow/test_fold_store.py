"""A fold is kept whole or not at all."""

import errno
import os
import pickle
import zipfile

import numpy as np
import pytest

from kekule._errors import OutputError
from kekule.evaluation import NETWORK, FoldTask, read_recipe, tasks_of
from kekule.workflow.fold_store import FoldFolder

TASK = FoldTask("WL-SVM", 3, 7)


def assert_same(found, kept):
    for name in ("rows", "labels", "probabilities", "train_loss", "validation_loss"):
        np.testing.assert_array_equal(getattr(found, name), getattr(kept, name))
        assert getattr(found, name).dtype == getattr(kept, name).dtype
    assert (found.best_epoch, found.seconds) == (kept.best_epoch, kept.seconds)
    assert found.weights.keys() == kept.weights.keys()
    for name, values in kept.weights.items():
        np.testing.assert_array_equal(found.weights[name], values)


@pytest.mark.parametrize("weights", [(), ("a.weight", "weight:b", "rows", "n")])
@pytest.mark.parametrize("rows", [0, 5])
def test_a_kept_fold_comes_back_as_it_was(tmp_path, fold_result, weights, rows):
    kept = fold_result(rows=rows, weights=weights)
    FoldFolder(tmp_path / "folds").put(TASK, kept)
    assert_same(FoldFolder(tmp_path / "folds").get(TASK), kept)


def test_a_fold_that_was_never_kept_is_not_finished(tmp_path, fold_result):
    store = FoldFolder(tmp_path)
    store.put(TASK, fold_result())
    assert store.get(TASK._replace(fold=6)) is None
    assert store.get(TASK._replace(seed=0)) is None
    assert store.get(TASK._replace(model=NETWORK)) is None
    assert len(store) == 1


def test_every_task_of_a_run_has_a_file_of_its_own_with_a_plain_name(tmp_path):
    store = FoldFolder(tmp_path)
    names = [store.path(task).name for task in tasks_of(read_recipe())]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").replace("_", "")[:-4].isalnum() for name in names)


def test_a_file_cut_short_anywhere_is_not_finished(tmp_path, fold_result):
    store = FoldFolder(tmp_path)
    store.put(TASK, fold_result(weights=("w",)))
    raw = store.path(TASK).read_bytes()
    for length in [*range(0, len(raw), 97), len(raw) - 1]:
        store.path(TASK).write_bytes(raw[:length])
        assert store.get(TASK) is None, length


def test_a_flipped_bit_is_never_a_changed_result(tmp_path, fold_result):
    store, kept = FoldFolder(tmp_path), fold_result(weights=("w",))
    store.put(TASK, kept)
    raw = store.path(TASK).read_bytes()
    unnoticed = 0
    for at in range(0, len(raw), 11):
        for bit in (0, 3, 7):
            damaged = bytearray(raw)
            damaged[at] ^= 1 << bit
            store.path(TASK).write_bytes(damaged)
            found = store.get(TASK)
            if found is not None:  # a byte no reader looks at, such as a time
                assert_same(found, kept)
                unnoticed += 1
    assert unnoticed < len(raw) / 11


class _Bomb:
    def __reduce__(self):
        return os._exit, (13,)


def test_a_pickle_in_the_place_of_a_fold_is_not_unpickled(tmp_path):
    store = FoldFolder(tmp_path)
    store.path(TASK).write_bytes(pickle.dumps(_Bomb()))
    assert store.get(TASK) is None

    with zipfile.ZipFile(store.path(TASK), "w") as file:
        for name in ("rows", "labels", "probabilities", "train_loss", "validation_loss"):
            header = b"\x93NUMPY\x01\x00\x46\x00"
            header += b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69) + b"\n"
            file.writestr(f"{name}.npy", header + pickle.dumps(_Bomb()))
    assert store.get(TASK) is None


def test_a_run_killed_before_the_rename_leaves_no_fold(tmp_path, fold_result, monkeypatch):
    store = FoldFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.put(TASK, fold_result())
    assert len(store) == 0
    assert store.get(TASK) is None

    store.put(TASK, fold_result(1))
    assert_same(store.get(TASK), fold_result(1))
    assert [path.name for path in tmp_path.iterdir()] == [store.path(TASK).name]


def test_a_full_disk_is_one_line_with_the_cure_and_leaves_the_other_folds(
    tmp_path, fold_result, monkeypatch
):
    store = FoldFolder(tmp_path)
    store.put(TASK, fold_result())
    monkeypatch.setattr("os.fsync", _full)
    with pytest.raises(OutputError, match=r"cannot be written: No space left.*--resume"):
        store.put(TASK._replace(fold=1), fold_result(1))
    assert [path.name for path in tmp_path.iterdir()] == [store.path(TASK).name]
    assert_same(store.get(TASK), fold_result())


def _killed(*_):
    raise KeyboardInterrupt


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
