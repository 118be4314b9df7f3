"""The journal of a tuning: Optuna's, behind a lock of the operating system.

The journal is a file to which lines of JSON are appended; nothing in it is pickled. Optuna's
own locks are files that a killed process leaves behind, and others wait half a minute for. The
operating system's lock ends with the process that holds it. Whoever gets it next removes the
line that the other was killed in, or what is appended would make it unreadable.

Must not know trials.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock

from kekule._errors import OutputError
from kekule.evaluation.tuning import TuningError


def check_optuna() -> None:
    """Fail before any data are read where Optuna is not installed.

    Raises
    ------
    TuningError
        Naming the command that installs it.
    """
    try:
        import_module("optuna")
    except ImportError as error:
        why = f"it needs Optuna, which cannot be imported ({error})"
        cure = "Install it with: pip install 'kekule[tune]'"
        raise TuningError("tune", why, cure) from None


def open_journal(path: Path, lock: FileLock) -> Any:
    """Optuna's storage on a file that is made if missing.

    Raises
    ------
    OutputError
        If what is there is no journal.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    mending = MendingLock(path, lock)
    try:
        with quiet():
            backend = JournalFileBackend(str(path), lock_obj=mending)
            mending.acquire()
            last = path.read_bytes().splitlines()[-1:]
            mending.release()
            for line in last:
                json.loads(line)  # Optuna would notice only when it appends
            return JournalStorage(backend)
    except OSError:
        raise
    except Exception as error:
        why = f"it cannot be read as a study ({type(error).__name__}: {error})"
        raise OutputError(path, why, "Give another --out.") from None


class MendingLock:
    """Held around every write; on getting it the end of the journal is mended.

    Parameters
    ----------
    journal
        The file.
    lock
        The operating system's.
    """

    def __init__(self, journal: Path, lock: FileLock):
        self.journal, self.lock = journal, lock

    def acquire(self) -> bool:
        """Wait for the lock."""
        self.lock.acquire()
        try:
            _cut_half_line(self.journal)
        except BaseException:
            self.lock.release()
            raise
        return True

    def release(self) -> None:
        """Let it go."""
        self.lock.release()


def _cut_half_line(path: Path) -> None:
    """Remove what follows the last line end."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from logging, and from calling a setting experimental, while inside."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
