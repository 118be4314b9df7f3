"""A hidden folder beside a set's place, in which the set is put together before it is shown."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kekule._errors import KekuleError, OutputError

_ABANDONED = 3600.0  # seconds without a change, after which a hidden folder is litter


@contextmanager
def workshop(raw: Path, name: str) -> Iterator[Path]:
    """Make a hidden folder beside the place of a set, and leave nothing of it behind."""
    try:
        raw.mkdir(parents=True, exist_ok=True)
        _sweep(raw, name)
        bench = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=raw))
    except OSError as error:
        cure = "Choose a folder that can be written to."
        raise OutputError(raw, f"nothing can be put here ({error.strerror})", cure) from error
    try:
        yield bench
    except OSError as error:
        if isinstance(error, KekuleError):
            raise
        cure = "Make room, or choose another folder."
        raise OutputError(raw, f"the set cannot be put here ({error})", cure) from error
    finally:
        shutil.rmtree(bench, ignore_errors=True)


def _sweep(raw: Path, name: str) -> None:
    """Remove what a killed fetch of the same set left behind."""
    for litter in raw.glob(f".{name}-*"):
        with suppress(FileNotFoundError):  # another process has just finished with it
            changes = [path.lstat().st_mtime for path in (litter, *litter.rglob("*"))]
            if time.time() - max(changes) > _ABANDONED:
                shutil.rmtree(litter, ignore_errors=True)
