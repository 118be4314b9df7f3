"""One door to every kind of file that holds molecules, and to several files as one table."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kekule._errors import DataFileError
from kekule.data.column_choice import reads_as_smiles
from kekule.data.columnar import open_parquet
from kekule.data.delimited import open_delimited, sniffed
from kekule.data.file_kinds import DELIMITED, LINES, PARQUET, RECORDS, TEXT, kind_of
from kekule.data.raw_rows import OpenedTable, Row
from kekule.data.sdf import open_sdf
from kekule.data.smiles_lines import open_smiles_lines
from kekule.data.tables import SMILES_COLUMNS
from kekule.data.text_lines import TextFile, text_file, text_lines

_Opener = Callable[[], OpenedTable]


def open_files(paths: Sequence[Path]) -> OpenedTable:
    """Open one or several files as one table, rows in the order of the files.

    Data fields of several SDF files need not agree; the columns of other files must, though
    not in their order.

    Raises
    ------
    DataFileError
        If a file is missing or of no known kind, or the columns do not agree.
    """
    kinds = [_resolved(path) for path in paths]
    files = [text_file(path) for path in paths]
    if all(kind in RECORDS for kind in kinds):
        return open_sdf(files)
    if all(kind in LINES for kind in kinds):
        return open_smiles_lines(files)
    openers = [_opener(path, kind) for path, kind in zip(paths, kinds, strict=True)]
    return openers[0]() if len(openers) == 1 else _joined(paths, openers)


def _resolved(path: Path) -> str:
    """Kind of a file; a ``.txt`` is that of lines or of tables, as its first line looks."""
    kind = kind_of(path)
    if kind != TEXT:
        return kind
    return TEXT if _has_header(text_file(path)) else LINES[0]


def _has_header(file: TextFile) -> bool:
    """Whether a text begins with the names of columns rather than with a SMILES."""
    first = next(text_lines(file, []), "").rstrip("\r\n")
    cells = [cell.strip(' "') for cell in first.split(sniffed([first], "\t"))]
    named = any(cell.lower() in SMILES_COLUMNS for cell in cells)
    return len(cells) > 1 and (named or not any(map(reads_as_smiles, [*cells, *first.split()])))


def _opener(path: Path, kind: str) -> _Opener:
    if kind == PARQUET:
        return partial(open_parquet, path)
    file = text_file(path)
    if kind in RECORDS:
        return partial(open_sdf, [file])
    if kind in LINES:
        return partial(open_smiles_lines, [file])
    return partial(open_delimited, file, DELIMITED.get(kind, "\t"))


def _joined(paths: Sequence[Path], openers: Sequence[_Opener]) -> OpenedTable:
    # Each is opened twice, so that no more than one file is open at a time.
    tables = [opener() for opener in openers]
    first = tables[0]
    for table in tables[1:]:
        _agree(first, table)
    same = all(table.structures == first.structures for table in tables)
    named = all(table.identifiers == first.identifiers for table in tables)
    remarks: list[str] = []
    return OpenedTable(
        source=", ".join(map(str, paths)),
        columns=first.columns,
        rows=_rows_of_all(paths, openers, first.columns, remarks),
        structures=first.structures if same else None,
        identifiers=first.identifiers if named else None,
        remarks=remarks,
    )


def _agree(first: OpenedTable, other: OpenedTable) -> None:
    only_first = [name for name in first.columns if name not in other.columns]
    only_other = [name for name in other.columns if name not in first.columns]
    told = [
        f"only {table.source} has {', '.join(map(repr, names[:20]))}"
        for table, names in ((first, only_first), (other, only_other))
        if names
    ]
    if told:
        why = f"its columns are not those of {first.source}: {'; '.join(told)}"
        cure = "Rename or remove columns until all files have the same."
        raise DataFileError(other.source, why, cure)


def _rows_of_all(
    paths: Sequence[Path],
    openers: Sequence[_Opener],
    columns: Sequence[str],
    remarks: list[str],
) -> Iterator[Row]:
    for path, opener in zip(paths, openers, strict=True):
        table = opener()
        places = [table.columns.index(name) for name in columns]
        told = 0
        for cells, reason in table.rows:
            remarks += table.remarks[told:]
            told = len(table.remarks)
            yield Row([cells[k] for k in places], f"{path.name}, {reason}" if reason else "")
        remarks += table.remarks[told:]
