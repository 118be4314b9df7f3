"""Tables of text with a separator between cells: rows read one at a time, none lost.

A cell in quotation marks may hold separators, line ends and doubled marks. A mark inside
an unquoted cell is part of it. A line with too few or too many cells is a row with a
reason; a mark that is never closed is an error, for nobody knows where its row ends.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from kekule._errors import DataFileError
from kekule.data.quoted_cells import MarkError, QuotedCells
from kekule.data.raw_rows import MOST_COLUMNS, OpenedTable, Row, blank_row, repeated
from kekule.data.tables import SMILES_COLUMNS
from kekule.data.text_lines import LONGEST_LINE, TextFile, text_lines

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_SNIFFED = 20  # lines


class _Record(NamedTuple):
    """Cells of one row; none where the line is blank."""

    line: int
    cells: list[str]
    fault: str = ""
    ended: bool = True  # by a line end


_SAID = re.compile(r"sep=(.)", re.IGNORECASE)


def open_delimited(file: TextFile, separator: str) -> OpenedTable:
    """Open a table whose first line names its columns.

    Blank lines inside the table are rows; those after its last row are not.

    Parameters
    ----------
    file
        Text.
    separator
        The one expected; another of `SEPARATORS` is taken, and said so, where that one
        does not fit the first lines.

    Raises
    ------
    DataFileError
        At once, if there is no header or a column is named twice; while rows are read, if
        a quotation mark is not closed.
    """
    remarks: list[str] = []
    lines = enumerate(text_lines(file, remarks), 1)
    first = list(islice(lines, _SNIFFED))
    if first and (told := _SAID.fullmatch(first[0][1].strip())):
        separator = told[1]  # as spreadsheets write it, before the header
        first = first[1:]
    chosen = sniffed([text for _, text in first], separator)
    if chosen != separator:
        remarks.append(f"The cells of {file.short} are separated by a {SEPARATORS[chosen]}.")
    records = _records(file.name, chain(first, lines), chosen)
    header = _header(file.name, next(records, _Record(1, [])))
    rows = _rows(records, len(header))
    return OpenedTable(file.name, header, rows, remarks=remarks)


def sniffed(lines: Sequence[str], expected: str) -> str:
    """Separator that makes a table of the first lines.

    One that sets a name such as ``smiles`` apart in the header goes before one that does
    not, then the one that splits the most lines as it splits the header, then `expected`.
    """

    def fit(separator: str) -> tuple[bool, int, bool, int]:
        header, *others = [_split(line, separator) for line in lines]
        if len(header) < 2:
            return False, 0, separator == expected, 0
        named = any(name.strip().lower() in SMILES_COLUMNS for name in header)
        alike = 1 + sum(len(cells) == len(header) for cells in others)
        return named, alike, separator == expected, len(header)

    return max([expected, *SEPARATORS], key=fit) if lines else expected


def _split(line: str, separator: str) -> list[str]:
    """Cells of a line; none where it does not end a row."""
    try:
        return _cells_of(line.rstrip("\r\n"), separator)
    except MarkError:
        return []


def _cells_of(text: str, separator: str) -> list[str]:
    """Cells of a line that is a row by itself.

    Raises
    ------
    MarkError
        If it is none.
    """
    if '"' not in text:
        if text.count(separator) >= MOST_COLUMNS:
            raise MarkError(f"it has more than {MOST_COLUMNS:,} cells")
        return text.split(separator) if text.strip(" ") else []
    cells = QuotedCells(separator, MOST_COLUMNS)
    if not cells.feed(1, text):
        raise MarkError("a quotation mark is not closed")
    return cells.cells


def _header(source: str, record: _Record) -> list[str]:
    if record.fault or any("\0" in name for name in record.cells):
        why = record.fault or "it is not text"
        raise DataFileError(source, why, "Save it as text in UTF-8, columns named first.", line=1)
    if not any(name.strip() for name in record.cells):
        raise DataFileError(source, "no header", "Name the columns in the first line.", line=1)
    twice = repeated(record.cells)
    if twice is not None:
        why = f"two columns are named {twice!r}"
        raise DataFileError(source, why, "Rename one of them.", line=1)
    return record.cells


def _rows(records: Iterable[_Record], width: int) -> Iterator[Row]:
    blanks = 0  # rows only if something follows
    for record in records:
        if not record.cells and not record.fault:
            blanks += 1
            continue
        for _ in range(blanks):
            yield blank_row(width)
        blanks = 0
        yield _fitted(record, width)


def _fitted(record: _Record, width: int) -> Row:
    """Cells for each column, or blanks and the reason."""
    n, reason = len(record.cells), record.fault
    if reason:
        return blank_row(width, f"line {record.line}: {reason}")
    if n == width:
        return Row(record.cells)
    if n > width and not any(record.cells[width:]):
        return Row(record.cells[:width])
    noun = "cell" if n == 1 else "cells"
    cut = "" if record.ended or n > width else "; the file ends within it"
    shown = ", ".join(record.cells)[:60]
    return blank_row(
        width, f"line {record.line} has {n} {noun} where the header has {width}{cut} ({shown!r})"
    )


def _records(source: str, lines: Iterator[tuple[int, str]], separator: str) -> Iterator[_Record]:
    for number, line in lines:
        text, ended = line.rstrip("\r\n"), line.endswith(("\n", "\r"))
        try:
            if '"' in text:
                yield _quoted_record(source, number, line, lines, separator)
            else:
                yield _Record(number, _cells_of(text, separator), "", ended)
        except MarkError as error:
            yield _Record(number, [], str(error), ended)


def _quoted_record(
    source: str, number: int, line: str, lines: Iterator[tuple[int, str]], separator: str
) -> _Record:
    """Read a record that holds quotation marks, on as many lines as it needs.

    Raises
    ------
    MarkError
        If it is damaged and on one line, so that the next row is still known.
    DataFileError
        If it is damaged and on several.
    """
    cells, last, size = QuotedCells(separator, MOST_COLUMNS), number, len(line)
    while not _fed(source, cells, number, last, line):
        if last == number and not line.endswith(("\n", "\r")):
            raise MarkError("the file ends inside a quotation mark")
        following = next(lines, None)
        if following is None or size > LONGEST_LINE:
            end = "unexpected end of data" if following is None else "a cell without end"
            raise _unclosed(source, last, end, cells.opened)
        last, line = following
        size += len(line)
    return _Record(number, cells.cells, "", line.endswith(("\n", "\r")))


def _fed(source: str, cells: QuotedCells, first: int, number: int, line: str) -> bool:
    opened = cells.opened
    try:
        return cells.feed(number, line)
    except MarkError as error:
        if first == number:
            raise
        raise _unclosed(source, number, str(error), opened) from None


def _unclosed(source: str, line: int, what: str, opened: int) -> DataFileError:
    why = f"not a table ({what}): the quotation mark opened in line {opened} is not closed"
    return DataFileError(source, why, "Close it, or remove it.", line=line)
