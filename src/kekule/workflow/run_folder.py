"""The run folder: made aside, renamed when complete, resumable in between.

While a run is unfinished everything lies in ``.NAME.partial`` beside its final place:
``folds/`` (finished folds), ``key.json`` (of which recipe and data) and ``run/`` (files of
the run). A killed run therefore never leaves a folder that looks like a result.

What stands at the final place is replaced only when told to, and only if every file there
was written by a run: nobody's own files are ever removed.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from kekule._errors import OutputError
from kekule.workflow.disk import unwritable
from kekule.workflow.fold_store import FoldFolder

LOG = "log.txt"
CURVES = "curves.csv"
CHANGES = "standardised.csv"  # of a table of molecules only
PARAMETERS = "parameters.csv"
TENSORBOARD = "tensorboard"  # with train.tensorboard=true
PROFILE = "profile"  # with train.profile=true
EXAMINATION = "examination.json"  # of `kekule examine`
SOMETIMES = (CHANGES, PARAMETERS, TENSORBOARD, PROFILE, EXAMINATION)
FILES = (
    "recipe.yaml",
    "scores.json",
    "predictions.csv",
    "rejected.csv",
    "audit.json",
    CURVES,
    "bundle",
    "report.html",
    LOG,
)
_GROWING = (LOG, CURVES, PROFILE)
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")  # what desktops leave in every folder

GO_ON = "Put that right, and give the same command with --resume."

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
            Path(lock.lock_file).touch()  # filelock takes some refusals for another's lock
            lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(
                self.out, "another run is writing there", "Wait for it, or give another --out."
            ) from None
        except OSError as error:
            raise unwritable(self.out, error, "Give another --out.") from None
        try:
            yield
        finally:
            with suppress(OSError):  # while it is held, or a third run could take its place
                Path(lock.lock_file).unlink()
            lock.release()

    def occupied(self) -> bool:
        """Whether something stands at the final place; an empty folder leaves it free."""
        if self.out.is_dir() and not os.path.ismount(self.out):
            return any(self.out.iterdir())
        return self.out.exists()

    def check_replaceable(self) -> None:
        """Refuse to replace anything but a complete run with nothing else in it.

        Raises
        ------
        OutputError
            Naming the first file no run wrote, or the one that is missing.
        """
        cure = "Move it away, or give another --out."
        here = {path.name for path in self.out.iterdir()} if self.out.is_dir() else set()
        if missing := [name for name in FILES if name not in here]:
            why = f"it is no run of kekule ({missing[0]} is missing) and is not replaced"
            raise OutputError(self.out, why, cure)
        if strange := sorted(here.difference(FILES, SOMETIMES, _LITTER)):
            why = f"no run of kekule wrote the {strange[0]!r} in it, so it is not replaced"
            raise OutputError(self.out, why, cure)

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
                log.warning(
                    "%s: an unfinished run of %d folds is discarded; --resume would go on with it",
                    self.out,
                    len(self.folds),
                )
                shutil.rmtree(self.partial)
            self.files.mkdir(parents=True, exist_ok=True)
            self._write_key(key)
        except OSError as error:
            raise unwritable(self.out, error, "Give another --out.") from None

    def _check_key(self, key: dict[str, str]) -> None:
        path = self.partial / "key.json"
        if not path.exists() and not len(self.folds):
            return  # killed before there was anything to keep
        try:
            found = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError):
            found = {}
        differing = [name for name in key if found.get(name) != key[name]]
        if differing:
            raise OutputError(
                self.out,
                f"the unfinished run there has another {' and '.join(differing)}",
                "Give the command it was started with, or leave out --resume to start anew.",
            )

    def _write_key(self, key: dict[str, str]) -> None:
        path = self.partial / "key.json"
        if not path.exists():
            half = path.with_suffix(".half")
            half.write_text(json.dumps(key, indent=1), encoding="utf-8")
            half.replace(path)

    def _clear_files(self) -> None:
        """Remove files a run was killed while writing; what grows while it runs is kept."""
        for path in self.files.glob("*"):
            if path.name in _GROWING:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def publish(self, *, overwrite: bool = False) -> Path:
        """Rename the complete run into place and tidy up.

        Parameters
        ----------
        overwrite
            Replace the complete run that is there.

        Raises
        ------
        OutputError
            If something else has come to stand there; the run is kept, to be resumed.
        """
        older = self.partial / "replaced"
        try:
            if self.occupied():
                self._make_way(older, overwrite=overwrite)
            elif self.out.exists():
                self.out.rmdir()
            self.files.rename(self.out)
        except OSError as error:
            if older.exists() and not self.out.exists():
                older.rename(self.out)
            raise unwritable(self.out, error, GO_ON) from None
        shutil.rmtree(self.partial, ignore_errors=True)
        return self.out

    def _make_way(self, older: Path, *, overwrite: bool) -> None:
        if not overwrite:
            raise OutputError(
                self.out,
                "something was put there while the run was made",
                "Move it away, and give the same command with --resume.",
            )
        self.check_replaceable()
        shutil.rmtree(older, ignore_errors=True)  # of a run killed between the two renames
        self.out.rename(older)
