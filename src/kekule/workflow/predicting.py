"""Predict: from a bundle and an input to a table with one row per input row."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kekule._errors import OutputError
from kekule.data.structures import read_structures
from kekule.registry import load


def predict(
    bundle: str | Path,
    inputs: str | Sequence[str],
    *,
    out: str | Path | None = None,
    column: str | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Class and probability of every row of an input.

    Parameters
    ----------
    bundle
        Bundle or run folder.
    inputs
        SMILES, one or several; or one ``.smi``, ``.csv``, ``.tsv`` file, TU folder or ``-``.
    out
        Also write the table there as CSV, complete or not at all.
    column
        Column of the SMILES in a table; found by its name if None.
    strict
        Raise at the first invalid row instead of keeping it.

    Returns
    -------
    DataFrame
        ``row``, the input's own columns, ``status``, ``reason``, then the results.

    Raises
    ------
    BundleError, DataFileError, KekuleError
        If the bundle or the input cannot be used.
    OutputError
        If `out` cannot be written; nothing is computed then.
    """
    if out is not None:
        _check_writable(Path(out))
    model = load(bundle)
    rows = read_structures([inputs] if isinstance(inputs, str) else inputs, column=column)
    table = model.predict(rows, strict=strict)
    if out is not None:
        write_csv(table, Path(out))
    return table


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
        half.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise _unwritable(path, error) from None


def _check_writable(path: Path) -> None:
    """Fail before the work, not after it."""
    if path.is_dir():
        raise OutputError(path, "it is a folder, and a file is asked for", "Give a file name.")
    half = _half(path)
    try:
        if not _is_stream(path):
            half.parent.mkdir(parents=True, exist_ok=True)
            half.touch()
            half.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def _half(path: Path) -> Path:
    """Hidden neighbour of the file a path means, this process's own."""
    path = path.resolve()
    return path.with_name(f".{path.name}.{os.getpid()}.half")


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _unwritable(path: Path, error: OSError) -> OutputError:
    why = f"cannot be written: {error.strerror or error}"
    return OutputError(path, why, "Give another -o.")
