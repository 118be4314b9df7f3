"""Files of row numbers that say how others split a set. They are not trusted.

JSON, a list of folds as "A Fair Comparison of Graph Neural Networks" publishes them,
``[{"test": [...], "model_selection": [{"train": [...], "validation": [...]}]}, ...]``, or
one fold alone, ``{"train": [...], "valid": [...], "test": [...]}``. Or CSV with a heading,
one column named ``index`` or ``row`` and one named ``split`` or ``fold``, other columns
ignored. Rows are those of the source, 0-based.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data.splits.parts import WORDS, Origin, Parts, parts_of_cells

LARGEST = 64 * 2**20  # bytes
INDEX_NAMES, SPLIT_NAMES = ("index", "row"), ("split", "fold")
_INNER = "model_selection"
_HIGHEST = 2**40  # rows no table has; whether this one does is asked later
_FORM = 'Write [{"test": [...], "model_selection": [{"train": [...], "validation": [...]}]}].'


def read_index_file(path: Path) -> tuple[list[Parts], Origin]:
    """Read the folds of a file, and how to name its places.

    Raises
    ------
    DataFileError
        If it is missing, too large, of another form, or holds anything but row numbers
        and the names of parts.
    """
    origin = Origin(str(path), is_file=True)
    text = _text(path, origin)
    if path.suffix.lower() == ".json":
        return _folds(_parsed(text, origin), origin), origin
    return _of_table(text, origin, "\t" if path.suffix.lower() == ".tsv" else ",")


def _text(path: Path, origin: Origin) -> str:
    if not path.is_file():
        raise origin.refused("there is no such file", "Give a JSON or CSV file of row numbers.")
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        why = f"it cannot be read ({error.strerror or error})"
        raise origin.refused(why, "Check who may read it.") from error
    if len(raw) > LARGEST:
        why = f"it has more than the {LARGEST >> 20} MB that are read"
        raise origin.refused(why, "Leave out what is no row number.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        why = "it is no UTF-8 text"
        raise DataFileError(path, why, "Save it as UTF-8.", line=line) from None


def _parsed(text: str, origin: Origin) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataFileError(
            origin.name, f"it is no JSON ({error.msg})", _FORM, line=error.lineno
        ) from None
    except (ValueError, RecursionError):
        raise origin.refused("its JSON is nested too deep or has huge numbers", _FORM) from None


def _folds(given: Any, origin: Origin) -> list[Parts]:
    entries = given if isinstance(given, list) else [given]
    if not entries:
        raise origin.refused("it holds no fold", _FORM)
    return [_fold(entry, number, origin) for number, entry in enumerate(entries)]


def _fold(entry: Any, number: int, origin: Origin) -> Parts:
    if not isinstance(entry, dict):
        raise origin.refused(f"fold {number} is {_kind(entry)}, not an object", _FORM)
    inner = entry.get(_INNER, [{}])
    if not (isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict)):
        why = f"{_INNER!r} of fold {number} is not a list of one object"
        raise origin.refused(why, "Give one pair of training and validation rows for each fold.")
    found: dict[str, NDArray[np.int64]] = {}
    for name, rows in [*entry.items(), *inner[0].items()]:
        if name == _INNER:
            continue
        part = WORDS.get(name.lower())
        if part is None or part in found:
            twice = "another name of a part" if part else "no part of a split"
            raise origin.refused(f"fold {number} has {name[:40]!r}, which is {twice}", _FORM)
        found[part] = _rows(rows, f"{name!r} of fold {number}", origin)
    if "test" not in found:
        raise origin.refused(f"fold {number} has no 'test'", _FORM)
    return Parts(found["test"], found.get("train"), found.get("validation"))


def _rows(given: Any, name: str, origin: Origin) -> NDArray[np.int64]:
    if not isinstance(given, list):
        raise origin.refused(f"{name} is {_kind(given)}, not a list", "Give row numbers.")
    for row in given:
        if type(row) is not int or not 0 <= row < _HIGHEST:
            why = f"{name} holds {str(row)[:40]}, which is no row number"
            raise origin.refused(why, "Give whole numbers from 0 on.")
    return np.array(given, dtype=np.int64)


def _of_table(text: str, origin: Origin, delimiter: str) -> tuple[list[Parts], Origin]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[int] = []
    cells: list[str] = []
    lines: list[int] = []
    try:
        heading = next(reader, [])
        index, split = (_column(heading, names, origin) for names in (INDEX_NAMES, SPLIT_NAMES))
        for record in reader:
            if record:
                lines.append(reader.line_num)
                rows.append(_row_number(record, index, split, Origin(origin.name, True, lines)))
                cells.append(record[split])
    except csv.Error as error:
        why = f"it is no CSV ({error})"
        raise DataFileError(origin.name, why, "Correct it.", line=reader.line_num) from None
    origin = Origin(origin.name, is_file=True, places=lines)
    return parts_of_cells(np.array(rows, dtype=np.int64), cells, origin), origin


def _column(heading: list[str], names: tuple[str, ...], origin: Origin) -> int:
    lower = [name.strip().lower() for name in heading]
    found = [name for name in names if name in lower]
    if not found:
        shown = ", ".join(repr(name[:40]) for name in heading[:6]) or "nothing"
        why = f"no column is named {' or '.join(names)}, but {shown}"
        raise origin.refused(why, "Give the columns index and split.")
    return lower.index(found[0])


def _row_number(record: list[str], index: int, split: int, origin: Origin) -> int:
    if len(record) <= max(index, split):
        why = f"it has {len(record)} cell(s), too few for index and split"
        raise origin.refused(why, "Fill the line up.", entry=-1)
    text = record[index].strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) < _HIGHEST):
        why = f"{record[index][:40]!r} is no row number"
        raise origin.refused(why, "Give whole numbers from 0 on.", entry=-1)
    return int(text)


def _kind(given: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return kinds.get(type(given), "a number")
