"""Graphs and tables kept on disk from one run to the next, under a key of all they depend on.

An entry is there whole or not at all: it is written beside its place, flushed to the disk
and renamed. Each time it is opened the sums of its files are compared; a damaged one is
removed and made anew. Two processes that want one entry at once make it once. A cache that
cannot be used costs time and nothing else.

What the key must hold is for the caller to know: here, other keys are other entries.
"""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from kekule.data.checksums import sha256_of
from kekule.features.packed import PackedGraphs, load_packed, save_packed

if TYPE_CHECKING:
    import pandas as pd

GIB = 2**30
FORMAT = 1  # of an entry; another one is made anew
PATIENCE = 2.0  # seconds to wait for another process before that is said

_RECORD, _ROWS, _GRAPHS, _PARTIAL = "entry.json", "rows.parquet", "graphs", ".partial"
_TABLE = "table.npy"
_HEX = 64  # letters of an entry's name
_FAILURES = (OSError, ValueError, TypeError, ImportError, NotImplementedError)  # pyarrow's too
_LOG = logging.getLogger(__name__)


Entry = TypeVar("Entry")


class CacheEntry(NamedTuple):
    """What is kept: graphs, and what is known of their rows as text columns."""

    graphs: PackedGraphs
    rows: "pd.DataFrame"


def cache_folder() -> Path:
    """``$KEKULE_CACHE``, else ``$XDG_CACHE_HOME/kekule``, else ``~/.cache/kekule``."""
    ours, common = os.environ.get("KEKULE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if ours:
        return Path(ours)
    if common and Path(common).is_absolute():  # others are to be ignored, says the standard
        return Path(common) / "kekule"
    try:
        return Path.home() / ".cache" / "kekule"
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / f"kekule-{os.getuid()}"


class DiskCache(ABC, Generic[Entry]):
    """A folder of entries, the longest unused of which give way to new ones.

    Parameters
    ----------
    folder
        Made when first needed, for this user alone.
    most_bytes
        Room for all entries. A single one that needs more is not kept.
    """

    def __init__(self, folder: Path, *, most_bytes: int = 4 * GIB):
        self.folder = folder
        self.most_bytes = most_bytes
        self._warned = False

    @abstractmethod
    def _save(self, entry: Entry, folder: Path) -> None:
        """Write an entry into an empty folder."""

    @abstractmethod
    def _load(self, folder: Path) -> Entry:
        """Read what `_save` wrote."""

    def load_or_make(self, key: Mapping[str, str], make: Callable[[], Entry]) -> Entry:
        """Entry of `key`, from the disk if it is there and whole, else from `make`.

        Its arrays are memory-mapped and read-only where they come from the disk. What
        `make` raises passes through and leaves nothing behind.
        """
        name = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()
        lock = self._locked(name)
        if lock is None:
            return make()
        try:
            found = self._read(name, key)
            if found is not None:
                return found
            made = make()
            kept = self._read(name, key) if self._write(name, key, made) else None
            return made if kept is None else kept
        finally:
            lock.release()

    def _locked(self, name: str) -> FileLock | None:
        """Lock of an entry, held; None if nothing can be kept here."""
        path = self.folder / f"{name}.lock"
        lock = FileLock(path)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)  # filelock takes some refusals for another's lock
            _acquire(lock)
        except OSError as error:
            self._go_without(error)
            return None
        return lock

    def _go_without(self, error: Exception) -> None:
        if not self._warned:
            _LOG.warning(
                "%s: nothing can be kept here (%s), so that it is made again each time. "
                "Set KEKULE_CACHE to a folder that can be written to.",
                self.folder,
                error,
            )
        self._warned = True

    def _read(self, name: str, key: Mapping[str, str]) -> Entry | None:
        folder = self.folder / name
        if not folder.exists():
            return None
        try:
            _check(folder, key)
            entry = self._load(folder)
            os.utime(folder)  # when it was last of use
        except (*_FAILURES, LookupError) as error:
            _LOG.info("%s is damaged and is made anew: %s", folder, error)
            _remove(folder)
            return None
        return entry

    def _write(self, name: str, key: Mapping[str, str], entry: Entry) -> bool:
        """Keep an entry; False if it cannot be."""
        partial = self.folder / f"{name}{_PARTIAL}"
        _remove(partial)  # of a process that was stopped while it wrote
        try:
            partial.mkdir(mode=0o700)
            self._save(entry, partial)
            record = {"format": FORMAT, "key": dict(key), "files": _sums(partial)}
            (partial / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
            if _size(partial) > self.most_bytes:
                _LOG.info("%s: an entry larger than the whole cache may be is not kept", partial)
                _remove(partial)
                return False
            _flush(partial)
            partial.rename(self.folder / name)
            _flush_folder(self.folder)
        except _FAILURES as error:
            _remove(partial)
            self._go_without(error)
            return False
        with suppress(OSError):  # what another process removes meanwhile is none of our concern
            self._prune(keep=name)
        return True

    def _prune(self, keep: str) -> None:
        """Remove the longest unused entries until the rest has room."""
        used = sorted((when, path) for path in self.folder.iterdir() if (when := _used(path)))
        sizes = {path: _size(path) for _, path in used}
        room = self.most_bytes - sum(sizes.values())
        for _, path in used:
            name = path.name.removesuffix(_PARTIAL)
            if name == keep or (room >= 0 and name == path.name):
                continue
            with suppress(Timeout), FileLock(self.folder / f"{name}.lock", timeout=0):
                _remove(path)  # unless someone is at work on it
                room += sizes[path]


class GraphCache(DiskCache[CacheEntry]):
    """Packed graphs, and what is known of their rows."""

    def _save(self, entry: CacheEntry, folder: Path) -> None:
        save_packed(entry.graphs, folder / _GRAPHS)
        entry.rows.to_parquet(folder / _ROWS)

    def _load(self, folder: Path) -> CacheEntry:
        import pandas as pd  # not in every process that lays out molecules

        return CacheEntry(load_packed(folder / _GRAPHS), pd.read_parquet(folder / _ROWS))


class TableCache(DiskCache[NDArray[np.generic]]):
    """Tables of numbers, a row a molecule."""

    def _save(self, entry: NDArray[np.generic], folder: Path) -> None:
        np.save(folder / _TABLE, entry, allow_pickle=False)

    def _load(self, folder: Path) -> NDArray[np.generic]:
        found: NDArray[np.generic] = np.load(folder / _TABLE, mmap_mode="r", allow_pickle=False)
        return found


def _acquire(lock: FileLock) -> None:
    """Hold a lock; say so where that means waiting for another process."""
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:  # an OSError, as it happens
        _LOG.info("waiting for another process that makes %s", lock.lock_file)
        lock.acquire()


def _check(folder: Path, key: Mapping[str, str]) -> None:
    """Raise ValueError unless an entry is what was written for `key`, to the last byte."""
    record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    if record["format"] != FORMAT or record["key"] != dict(key):
        raise ValueError("it is the entry of another key or format")
    if record["files"] != _sums(folder):
        raise ValueError("its files are not those that were written")


def _sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / _RECORD
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _used(path: Path) -> float:
    """When an entry was last used; 0 where the path is none."""
    name = path.name.removesuffix(_PARTIAL)
    return path.stat().st_mtime if len(name) == _HEX and path.is_dir() else 0.0


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with suppress(OSError):
            folder.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """See that a folder and all in it is on the disk, and not only on its way there."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _flush_folder(path)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
