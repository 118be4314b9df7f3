"""Where a training stood, on disk, so that a killed one goes on as if nothing had happened.

Tensors in safetensors, the rest as JSON in its header; never a pickle. A file is written
under another name and renamed: it is there whole, or it is not.
"""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

log = logging.getLogger(__name__)


class Checkpoint:
    """One file, written again and again while a training goes on.

    Parameters
    ----------
    path
        Of the file; its folder must be there.
    key
        What the training is of: a file of another is not read.
    seconds
        Least time between two writings.
    """

    def __init__(self, path: Path, key: str, *, seconds: float):
        self.path, self.key, self.seconds = path, key, seconds
        self.written = time.monotonic()
        self.failed = False

    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self.written >= self.seconds

    def write(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Keep tensors and what JSON can hold; where that fails, what was kept last stays."""
        half = self.path.with_name(self.path.name + ".half")
        kept = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        words = json.dumps(state)
        header = {"key": self.key, "state": words, "sha256": _digest(kept, words)}
        try:
            save_file(kept, half, header)
            half.replace(self.path)
        except (OSError, SafetensorError) as error:  # no reason to end what it would save
            if not self.failed:
                log.warning("%s cannot be written (%s): the training goes on", self.path, error)
            self.failed = True
            with suppress(OSError):
                half.unlink()
        self.written = time.monotonic()

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What was written last; None if there is none, or it is damaged or of another."""
        try:
            with safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("key") != self.key:
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                if header["sha256"] != _digest(tensors, header["state"]):
                    return None
                return tensors, dict(json.loads(header["state"]))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def remove(self) -> None:
        """Forget it: the training ended."""
        with suppress(OSError):
            self.path.unlink()


def _digest(tensors: Mapping[str, Tensor], state: str) -> str:
    """Of all that is kept: a bit that flipped on the disk would be other weights."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
