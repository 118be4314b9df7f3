"""Finished folds on disk, one file each, so that a killed run goes on where it was.

A file is written under another name and renamed, so a fold is there completely or not at
all. Arrays only: an ``.npz`` read without pickle.
"""

import hashlib
import os
import re
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from kekule.evaluation import FoldResult, FoldTask
from kekule.workflow.disk import unwritable

_ARRAYS = (
    *("rows", "labels", "probabilities", "train_loss", "validation_loss"),
    *("learning_rate", "parameter_rms", "gradient_rms"),
    *("inner_scores", "run_probabilities", "inner_rows", "inner_probabilities"),
    *("member_probabilities", "without_networks"),
)
_WEIGHT = "weight:"
_DAMAGED = (  # what reading a damaged .npz raises
    *(OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


class FoldFolder:
    """A folder with one ``.npz`` a finished fold.

    Parameters
    ----------
    folder
        Made if it is not there.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, task: FoldTask) -> Path:
        """File of a task; the model's name is reduced to letters, digits and dashes."""
        model = re.sub(r"[^A-Za-z0-9-]", "-", task.model)
        fold = "final" if task.fold < 0 else f"fold{task.fold}"
        return self.folder / f"{model}_seed{task.seed}_{fold}.npz"

    def get(self, task: FoldTask) -> FoldResult | None:
        """Result of a finished task; None if there is none, or its file is damaged."""
        try:
            with (  # np.load leaves a file it opens itself open, where it is damaged
                self.path(task).open("rb") as file,
                np.load(file, allow_pickle=False) as members,
            ):
                arrays = {name: members[name] for name in members}
            if str(arrays.pop("sha256")) != _sha256(arrays):
                return None
            return FoldResult(
                **{name: arrays[name] for name in _ARRAYS},
                best_epoch=int(arrays["best_epoch"]),
                seconds=float(arrays["seconds"]),
                chosen=int(arrays["chosen"]),
                told=str(arrays["told"]),
                weights={
                    name.removeprefix(_WEIGHT): values
                    for name, values in arrays.items()
                    if name.startswith(_WEIGHT)
                },
            )
        except _DAMAGED:
            return None

    def put(self, task: FoldTask, result: FoldResult) -> None:
        """Keep a result.

        Raises
        ------
        OutputError
            If it cannot be written, such as on a full disk.
        """
        path = self.path(task)
        half = path.with_suffix(".half")
        arrays: dict[str, Any] = {name: getattr(result, name) for name in _ARRAYS}
        arrays |= {
            "best_epoch": np.int64(result.best_epoch),
            "seconds": np.float64(result.seconds),
            "chosen": np.int64(result.chosen),
            "told": np.str_(result.told),
        }
        arrays |= {_WEIGHT + name: value for name, value in result.weights.items()}
        try:
            with half.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays, sha256=np.str_(_sha256(arrays)))
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except OSError as error:
            with suppress(OSError):
                half.unlink()
            cure = "Make room, and give the same command with --resume."
            raise unwritable(path, error, cure) from None

    def __len__(self) -> int:
        """Return the number of finished folds."""
        return len(list(self.folder.glob("*.npz")))


def _sha256(arrays: dict[str, Any]) -> str:
    """Hash of names, types, shapes and bytes: a zip file's own sums leave its list unchecked."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(f"{name!r} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
