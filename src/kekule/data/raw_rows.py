"""Rows on their way from a file into a table: cells as text, and what is wrong with them.

Every reader of a kind of file gives an `OpenedTable`; what comes after it does not know
which kind it was. A row that cannot be laid out has blank cells and a reason, because
nobody knows which of its cells belongs to which column. Knows pandas; must not know files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from kekule._errors import DataFileError

LONGEST_CELL = 1_000_000  # characters
MOST_COLUMNS = 100_000
LONGEST_NAME = 500  # characters of a column's

_CHUNK_CHARACTERS = 64_000_000
_CELL_OVERHEAD = 50  # what a cell takes beside its characters


class Row(NamedTuple):
    """Cells of one row, and why it could not be read; empty if it could."""

    cells: list[str]
    reason: str = ""


@dataclass
class OpenedTable:
    """A table of which only the columns were read so far.

    Attributes
    ----------
    source
        For messages.
    columns
        Names, each once.
    rows
        To be read once, from the first to the last.
    structures
        The column that holds the structures, where the kind of file says so.
    identifiers
        The column that names the rows, where the kind of file says so.
    remarks
        What was noticed; grows while rows are read.
    """

    source: str
    columns: list[str]
    rows: Iterator[Row]
    structures: str | None = None
    identifiers: str | None = None
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse columns no table can have, and look at every row on its way."""
        if len(self.columns) > MOST_COLUMNS:
            why = f"it has {len(self.columns):,} columns, and at most {MOST_COLUMNS:,} are read"
            raise DataFileError(self.source, why, "Check that it is a table of molecules.")
        longest = max(self.columns, key=len, default="")
        if len(longest) > LONGEST_NAME:
            why = f"column {longest[:40]!r}... has a name of {len(longest):,} characters"
            raise DataFileError(self.source, why, "Name the columns in the first line.")
        twice = repeated(self.columns)
        if twice is not None:
            why = f"two columns are named {twice!r}"
            raise DataFileError(self.source, why, "Rename one of them.")
        self.rows = _looked_at(self.columns, self.rows)


def repeated(names: Sequence[str]) -> str | None:
    """First name that occurs more than once."""
    return next((name for name, n in Counter(names).items() if n > 1), None)


def blank_row(width: int, reason: str = "") -> Row:
    """Make a row without content, which keeps the place of one."""
    return Row([""] * width, reason)


def in_chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of at most `size` rows; fewer where their text is long, for memory is bounded."""
    chunk: list[Row] = []
    characters = 0
    for row in rows:
        chunk.append(row)
        characters += sum(map(len, row.cells)) + _CELL_OVERHEAD * len(row.cells)
        if len(chunk) >= size or characters > _CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def as_frame(columns: Sequence[str], rows: Sequence[Row]) -> pd.DataFrame:
    """Lay rows out as a frame of text, index 0 to n - 1."""
    by_column = zip(*(row.cells for row in rows), strict=True) if rows else ([] for _ in columns)
    cells = {name: list(column) for name, column in zip(columns, by_column, strict=True)}
    return pd.DataFrame(cells, index=range(len(rows)), columns=list(columns), dtype=str)


def _looked_at(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
    """Blank out rows with a cell that is no text or too long to be one."""
    for row in rows:
        if max(map(len, row.cells), default=0) > LONGEST_CELL or "\0" in "".join(row.cells):
            yield blank_row(len(row.cells), row.reason or _unfit(columns, row.cells))
        else:
            yield row


def _unfit(columns: Sequence[str], cells: Sequence[str]) -> str:
    for name, cell in zip(columns, cells, strict=True):
        if len(cell) > LONGEST_CELL:
            return (
                f"the cell of column {name!r} has {len(cell):,} characters, "
                f"and at most {LONGEST_CELL:,} are read"
            )
        if "\0" in cell:
            return f"the cell of column {name!r} holds a NUL character, which no text has"
    return ""
