"""Columns of numbers in comma-separated text: read fast, complained about exactly.

NumPy reads a well-formed file in one call, but says little that helps about a damaged
one. So a file it refuses, or that holds anything unusual, is read again line by line:
either every line turns out to be good, or the first bad one is named.

Knows NumPy and text; must not know what the numbers mean.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError

CURE = "Correct that line, or fetch the set again."

_PLAIN = {
    "whole number": re.compile(r"[-+0-9, \t\n]*"),
    "number": re.compile(r"[-+0-9.eE, \t\n]*"),
}
_CELL = {
    "whole number": re.compile(r"[-+]?[0-9]+"),
    "number": re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"),
}
_NOT_FINITE = re.compile(r"[-+]?(nan|inf|infinity)", re.IGNORECASE)
_LONG = re.compile(r"[0-9]{19}")  # may not fit into 64 bits
_LARGEST = {"whole number": 2**63 - 1, "number": float(np.finfo(np.float32).max)}
_SIZE = {"whole number": "64 bits", "number": "a 32-bit float"}


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    DataFileError
        If it is missing or the system will not let it be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataFileError(
            path, "there is no such file", "Add it, or fetch the set again."
        ) from None
    except OSError as error:
        why = f"it cannot be read ({error.strerror or error})"
        raise DataFileError(path, why, "Check what it is and who may read it.") from error


def parse_integers(path: Path, raw: bytes) -> NDArray[np.int64]:
    """Read whole numbers, one row a line; blank lines at the end do not count.

    Parameters
    ----------
    path
        Named in errors; not opened.
    raw
        The file's bytes, UTF-8, with or without a byte order mark.

    Returns
    -------
    NDArray[np.int64]
        (lines, columns); (0, 0) where the file is empty.

    Raises
    ------
    DataFileError
        Naming the first line that holds anything else, such as ``1.0``, a blank line
        or another number of columns than line 1.
    """
    lines = _lines(path, raw)
    rows = _fast(lines, "whole number", np.int64)
    if rows is None:
        rows = np.array(_slow(path, lines, "whole number"), dtype=np.int64)
    return rows.astype(np.int64, copy=False)


def parse_reals(path: Path, raw: bytes) -> NDArray[np.float32]:
    """Read finite numbers, one row a line, as `parse_integers` does.

    Returns
    -------
    NDArray[np.float32]
        (lines, columns); (0, 0) where the file is empty.

    Raises
    ------
    DataFileError
        As for `parse_integers`, and for NaN, infinity and what overflows float32.
    """
    lines = _lines(path, raw)
    rows = _fast(lines, "number", np.float64)
    if rows is None or not (np.abs(rows) <= _LARGEST["number"]).all():
        rows = np.array(_slow(path, lines, "number"), dtype=np.float64)
    return rows.astype(np.float32)


def _lines(path: Path, raw: bytes) -> list[str]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        why = f"byte 0x{raw[error.start]:02x} is not text in UTF-8"
        raise DataFileError(path, why, "Save the file as UTF-8.", line=line) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip(" \t\n")
    return text.split("\n") if text else []


def _fast(lines: list[str], kind: str, dtype: type) -> NDArray[Any] | None:
    """Let NumPy read what holds digits and separators only; None where it cannot."""
    if not lines:
        return np.empty((0, 0), dtype)
    text = "\n".join(lines)
    if not _PLAIN[kind].fullmatch(text) or (dtype is np.int64 and _LONG.search(text)):
        return None
    try:
        rows: NDArray[Any] = np.loadtxt(lines, dtype=dtype, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
    return rows if len(rows) == len(lines) else None  # NumPy skips blank lines


def _slow(path: Path, lines: list[str], kind: str) -> list[list[float]]:
    """Read line by line; the first bad line is an error."""
    rows: list[list[float]] = []
    for line, text in enumerate(lines, start=1):
        cells = [cell.strip(" \t") for cell in text.split(",")]
        if rows and len(cells) != len(rows[0]):
            why = f"{len(cells)} columns where line 1 has {len(rows[0])}"
            raise DataFileError(path, why, CURE, line=line)
        rows.append([_cell(path, line, cell, kind) for cell in cells])
    return rows


def _cell(path: Path, line: int, cell: str, kind: str) -> float:
    shown = cell if len(cell) <= 40 else cell[:37] + "..."
    if not cell:
        raise DataFileError(path, f"a {kind} is missing", CURE, line=line)
    if _NOT_FINITE.fullmatch(cell):
        raise DataFileError(path, f"{shown!r} is not a finite number", CURE, line=line)
    if not _CELL[kind].fullmatch(cell):
        raise DataFileError(path, f"{shown!r} is not a {kind}", CURE, line=line)
    digits = len(cell) <= 400  # Python refuses to convert thousands of digits
    value = (int(cell) if kind == "whole number" else float(cell)) if digits else float("inf")
    if abs(value) > _LARGEST[kind]:
        why = f"{shown!r} is too large for {_SIZE[kind]}"
        raise DataFileError(path, why, CURE, line=line)
    return value
