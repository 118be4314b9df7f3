"""One table as one CSV file: whole, or not there."""

import os
from contextlib import suppress
from pathlib import Path

import pandas as pd

from kekule._errors import OutputError
from kekule.workflow.disk import unwritable

CURE = "Give another -o."


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV under another name and rename it: whole, or not there.

    A link is followed; a device or pipe, such as ``/dev/stdout``, is written to.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    half = _half(path)
    try:
        if _is_stream(path):
            table.to_csv(path, index=False)
            return
        half.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(half, index=False)
        half.replace(path.resolve())
    except BaseException as error:
        with suppress(OSError):
            half.unlink()
        if not isinstance(error, OSError):
            raise
        raise unwritable(path, error, CURE) from None


def check_writable(path: Path) -> None:
    """Fail before the work, not after it.

    Raises
    ------
    OutputError
        If no file can be made at `path`.
    """
    if path.is_dir():
        raise OutputError(path, "it is a folder, and a file is asked for", "Give a file name.")
    half = _half(path)
    try:
        if not _is_stream(path):
            half.parent.mkdir(parents=True, exist_ok=True)
            half.touch()
            half.unlink()
    except OSError as error:
        raise unwritable(path, error, CURE) from None


def _half(path: Path) -> Path:
    """Hidden neighbour of the file a path means, this process's own."""
    path = path.resolve()
    return path.with_name(f".{path.name}.{os.getpid()}.half")


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file()
