"""Where an examination is kept: its file in the run, its finished folds beside it.

``examination.json`` lies in the run folder and is replaced whole, part by part. Folds lie in
``.NAME.examination`` beside the run until every part that was asked for is there, so that a
killed examination goes on; the run folder itself never holds anything half done.

Must not know what is examined.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from kekule._errors import OutputError
from kekule.workflow.disk import unwritable
from kekule.workflow.fold_store import FoldFolder
from kekule.workflow.run_folder import EXAMINATION, RunFolder

KEY = "key.json"
GO_ON = "Put that right, and give the same command again: it goes on."

Told = dict[str, Any]

log = logging.getLogger(__name__)


class ExaminationFolder:
    """The examination of one run.

    Parameters
    ----------
    run
        Run folder; links are followed.
    key
        What the folds depend on. Of another key, neither folds nor parts are gone on with.
    """

    def __init__(self, run: Path, key: Mapping[str, str]):
        self.run, self.key = run.resolve(), dict(key)
        self.partial = self.run.parent / f".{self.run.name}.examination"
        self.path = self.run / EXAMINATION

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run against a second examination, and against a training that replaces it.

        Raises
        ------
        OutputError
            If another holds it, or nothing can be written there.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(RunFolder(self.run).locked())
            except OutputError as error:
                cure = "Wait for it, or put that right, and give the same command again."
                raise OutputError(error.path, error.why, cure) from None
            yield

    def folds(self, name: str) -> FoldFolder:
        """Store of the folds of one variant of the run."""
        return FoldFolder(self.partial / "folds" / name)

    def told(self) -> Told:
        """Parts that a former examination of the same key has left; none where there is none."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read (%s) and is made anew", self.path, error)
            return {}
        if isinstance(found, dict) and found.get("of") == self.key:
            return found
        log.warning("%s is of another run, or made by another version; made anew", self.path)
        return {}

    def open(self) -> None:
        """Make the folder of folds, or go on with the one that is there.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = self.partial / KEY
        try:
            if self.partial.exists() and self._found_key() != self.key:
                log.warning("folds of an examination of another run are discarded")
                shutil.rmtree(self.partial)
            self.partial.mkdir(exist_ok=True)
            _write(path, json.dumps(self.key, indent=1), self.partial)
        except OSError as error:
            raise unwritable(self.partial, error, GO_ON) from None

    def write(self, told: Told) -> None:
        """Put the parts so far in place of the former, whole.

        Raises
        ------
        OutputError
            If they cannot be written; the former are still there.
        """
        text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            _write(self.path, text, self.partial)
        except OSError as error:
            raise unwritable(self.path, error, GO_ON) from None

    def close(self) -> None:
        """Remove the folds: every part that was asked for is there."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _found_key(self) -> object:
        try:
            return json.loads((self.partial / KEY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


def _write(path: Path, text: str, aside: Path) -> None:
    """Write in another folder of the same disk and rename, so no half file is seen or left."""
    half = aside / f"{path.name}.half"
    try:
        with half.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError:
        with suppress(OSError):
            half.unlink()
        raise
