"""Where a training stood, on disk, so that a killed one goes on as if nothing had happened.

Tensors in safetensors, the rest as JSON in its header; never a pickle. A file is written
under another name and renamed: it is there whole, or it is not.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


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

    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self.written >= self.seconds

    def write(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Keep tensors and what JSON can hold."""
        half = self.path.with_name(self.path.name + ".half")
        header = {"key": self.key, "state": json.dumps(state)}
        save_file(
            {name: t.detach().cpu().contiguous() for name, t in tensors.items()}, half, header
        )
        half.replace(self.path)
        self.written = time.monotonic()

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What was written last; None if there is none, or it is damaged or of another."""
        try:
            with safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("key") != self.key:
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return tensors, dict(json.loads(header["state"]))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return None

    def remove(self) -> None:
        """Forget it: the training ended."""
        with suppress(OSError):
            self.path.unlink()
