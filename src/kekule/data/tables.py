"""Text tables with every cell kept as the text it was given as.

Nothing is turned into a number, a date or a missing value: an identifier ``007`` and a
name ``NA`` come out as they went in. Knows the csv module and pandas; must not know
molecules.
"""

import csv
import io
from collections.abc import Iterator
from difflib import get_close_matches

import pandas as pd

from kekule._errors import DataFileError

SMILES_COLUMNS = (  # in order of preference, compared without case
    "smiles",
    "canonical_smiles",
    "isomeric_smiles",
    "smi",
    "mol",
    "molecule",
    "structure",
    "drug",
)


def decode_text(source: object, raw: bytes) -> str:
    """Turn bytes into text: UTF-8 or UTF-16 with or without mark, else Latin-1.

    Raises
    ------
    DataFileError
        If the bytes are no text.
    """
    encodings = ["utf-8-sig", "latin-1"]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise DataFileError(source, "it is not text", "Save it as text in UTF-8.")


def read_lines(source: object, raw: bytes) -> pd.DataFrame:
    """Read lines of a SMILES, a blank and a name, the ``.smi`` format.

    A first line that says ``smiles`` is taken for a header.

    Returns
    -------
    pandas.DataFrame
        Columns ``smiles`` and, if any line has a name, ``name``; a row for each line, also
        the blank ones, but for the end of the last.
    """
    lines = decode_text(source, raw).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    pairs = [(*line.strip().split(maxsplit=1), "", "")[:2] for line in lines]
    if pairs and pairs[0][0].lower() == "smiles":
        pairs = pairs[1:]
    frame = pd.DataFrame(pairs, columns=["smiles", "name"], dtype=str)
    return frame if any(name for _, name in pairs) else frame[["smiles"]]


def read_table(source: object, raw: bytes, separator: str) -> pd.DataFrame:
    """Read a table with a header, every cell as text.

    Parameters
    ----------
    source
        Named in errors.
    raw
        The file's bytes.
    separator
        One character; a file of ``,`` whose header only has ``;`` is read with that.

    Returns
    -------
    pandas.DataFrame
        A row for each line, also the blank ones inside the table; index 0 to n - 1.

    Raises
    ------
    DataFileError
        If there is no header, a column is named twice, a row has another number of cells
        than the header, or a quotation mark is not closed; with the line.
    """
    text = decode_text(source, raw)
    head = text.partition("\n")[0]
    if separator == "," and "," not in head and ";" in head:
        separator = ";"
    records = _records(source, text, separator)
    _, header = next(records, (0, []))
    if not any(name.strip() for name in header):
        raise DataFileError(source, "no header", "Name the columns in the first line.", line=1)
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        why = f"two columns are named {min(twice)!r}"
        raise DataFileError(source, why, "Rename one of them.", line=1)
    rows = [_fitted(source, line, cells, len(header)) for line, cells in records]
    while rows and rows[-1] is None:
        rows.pop()
    blank = [""] * len(header)
    return pd.DataFrame([row or blank for row in rows], columns=header, dtype=str)


def find_column(frame: pd.DataFrame, column: str | None, *, source: object) -> str:
    """Name of the column that holds the SMILES.

    Parameters
    ----------
    frame
        A table.
    column
        Its name, if known; case matters only where two names differ in nothing else.
        None looks for one of `SMILES_COLUMNS`.

    Raises
    ------
    DataFileError
        Listing the columns there are, and the one most like the one asked for.
    """
    names = [str(name) for name in frame.columns]
    if column in names:
        return str(column)
    folded = [name.strip().lower() for name in names]
    for wanted in SMILES_COLUMNS if column is None else (column.strip().lower(),):
        if folded.count(wanted) == 1 or (column is None and wanted in folded):
            return names[folded.index(wanted)]
    shown = ", ".join(repr(name) for name in names[:20]) + (", ..." if len(names) > 20 else "")
    if column is None:
        why = f"no column is named like one of SMILES; there are {shown}"
        raise DataFileError(
            source, why, "Say which it is with --column NAME (in Python, column=NAME)."
        )
    near = get_close_matches(column.strip().lower(), folded, n=1)
    cure = f"Did you mean {names[folded.index(near[0])]!r}?" if near else "Name one of them."
    raise DataFileError(source, f"there is no column {column!r}; there are {shown}", cure)


def _records(source: object, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Cells of each record, with the line it ends on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        why, cure = f"not a table ({error})", "Correct the quotation marks in or before it."
        raise DataFileError(source, why, cure, line=reader.line_num) from None


def _fitted(source: object, line: int, cells: list[str], width: int) -> list[str] | None:
    """Check that a record has as many cells as the header; None for a blank line."""
    if not cells:
        return None
    if len(cells) < width or any(cells[width:]):
        why = f"{len(cells)} cells where the header has {width}"
        raise DataFileError(source, why, "Correct the row, or quote its separators.", line=line)
    return cells[:width]
