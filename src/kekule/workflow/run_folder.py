"""The run folder: made aside, renamed when complete, resumable in between.

While a run is unfinished everything lies in ``.NAME.partial`` beside its final place:
``folds/`` (finished folds), ``key.json`` (of which recipe and data) and ``run/`` (files of
the run). A killed run therefore never leaves a folder that looks like a result.
"""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kekule._errors import OutputError
from kekule.workflow.fold_store import FoldFolder

LOG = "log.txt"

log = logging.getLogger(__name__)


class RunFolder:
    """A run in the making.

    Parameters
    ----------
    out
        Where the finished run will be.

    Attributes
    ----------
    files
        Folder for the run's files until `publish`.
    folds
        Store of finished folds.
    """

    def __init__(self, out: Path):
        self.out = out
        self.partial = out.parent / f".{out.name}.partial"
        self.files = self.partial / "run"

    @property
    def folds(self) -> FoldFolder:
        """Store of finished folds."""
        return FoldFolder(self.partial / "folds")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the place against a second run; the lock ends with the process, however it ends.

        Raises
        ------
        OutputError
            If the place cannot be written to, or another run holds it.
        """
        lock = FileLock(self.out.parent / f".{self.out.name}.lock")
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(
                self.out, "another run is writing there", "Wait for it, or give another --out."
            ) from None
        except OSError as error:
            raise OutputError(
                self.out, f"cannot be written: {error.strerror}", "Give another --out."
            ) from None
        try:
            yield
        finally:
            lock.release()
            Path(lock.lock_file).unlink(missing_ok=True)

    def open(self, key: dict[str, str], *, resume: bool) -> None:
        """Make the unfinished folder, or go on with the one that is there.

        Parameters
        ----------
        key
            What the folds depend on; an unfinished run with another key is not continued.
        resume
            Keep finished folds.

        Raises
        ------
        OutputError
            If the place cannot be written, or the unfinished run is of another key.
        """
        try:
            if resume and self.partial.exists():
                self._check_key(key)
                self._clear_files()
            elif self.partial.exists():
                log.info("an unfinished run of %d folds is discarded", len(self.folds))
                shutil.rmtree(self.partial)
            self.files.mkdir(parents=True, exist_ok=True)
            (self.partial / "key.json").write_text(json.dumps(key, indent=1), encoding="utf-8")
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(
                self.out, f"cannot be written: {error.strerror}", "Give another --out."
            ) from None

    def _check_key(self, key: dict[str, str]) -> None:
        path = self.partial / "key.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        differing = [name for name in key if found.get(name) != key[name]]
        if differing:
            raise OutputError(
                self.out,
                f"the unfinished run there has another {' and '.join(differing)}",
                "Give the command it was started with, or leave out --resume to start anew.",
            )

    def _clear_files(self) -> None:
        """Remove files a run was killed while writing; its folds and its log are kept."""
        for path in self.files.glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOG:
                path.unlink()

    def publish(self) -> Path:
        """Rename the complete run into place, replacing an older one, and tidy up."""
        older = self.partial / "replaced"
        if self.out.exists():
            self.out.rename(older)
        self.files.rename(self.out)
        shutil.rmtree(self.partial, ignore_errors=True)
        return self.out
