"""Tables of molecules: every kind of file in, one kind of table out, no row lost.

Both doors stand on the same readers and give the same rows: `read_molecules` the whole
table with its labels, `iter_molecules` a part at a time, in memory that does not grow with
the file. Below: the readers of each kind. Must not know what a molecule is made of.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from kekule._errors import DataFileError, KekuleError
from kekule.data.checksums import sha256_of
from kekule.data.column_choice import choose_column
from kekule.data.columnar import open_frame, open_list
from kekule.data.file_kinds import is_file_name, stem_of
from kekule.data.molecule_sources import open_files
from kekule.data.molecule_table import MoleculeTable
from kekule.data.raw_rows import OpenedTable, Row, as_frame, in_chunks
from kekule.data.smiles import shorten
from kekule.data.tables import find_column
from kekule.data.targets import read_targets, target_columns
from kekule.data.weights import read_weights

CHUNK_ROWS = 8192

MoleculeSource = str | Path | pd.DataFrame | Sequence[str | Path]

_HOW = "it is with smiles=NAME"


def read_molecules(
    source: MoleculeSource,
    *,
    smiles: str | None = None,
    targets: Sequence[str] | str = (),
    id_column: str | None = None,
    weight_column: str | None = None,
) -> MoleculeTable:
    """Read a table of molecules whole.

    Parameters
    ----------
    source
        A file ``.csv``, ``.tsv``, ``.tab``, ``.txt``, ``.smi``, ``.smiles``, ``.sdf``,
        ``.sd`` (these also packed, ``.gz``) or ``.parquet``; a list of files, whose rows
        follow each other; a frame; or a list of SMILES.
    smiles
        The column of structures. If None it is found by its name, else by what stands in
        it, and said so in the remarks. An SDF's are its records.
    targets
        Columns of labels, one a task; none for a table that is only to be predicted.
    id_column
        The column that names the rows; if None, the names of a ``.smi`` or the titles of
        an SDF.
    weight_column
        The column that says how much each row counts; if None, all count the same.

    Returns
    -------
    MoleculeTable
        A row for each row of the source. One that cannot be laid out (too few or too many
        cells, a cell of over a million characters, a damaged record) has a reason.

    Raises
    ------
    DataFileError
        If a file is missing, damaged or of no known kind, a column is not there, or labels
        or weights cannot be used.
    """
    given = _opened(source)
    table = given.table
    layout = _layout(table, smiles, id_column)
    header = pd.DataFrame(columns=table.columns)
    names = target_columns(header, targets, table.source) if targets else []
    if layout.structures in names:
        why = f"column {layout.structures!r} holds the structures and cannot be a target"
        raise DataFileError(table.source, why, "Name a column of classes.")
    if weight_column is not None:
        weight_column = find_column(header, weight_column, source=table.source)
    read = _molecule_table(given, layout, list(table.rows), ())
    found, remarks = read_targets(read.frame, names, table.source) if names else (None, [])
    weights = None
    if weight_column is not None:
        cells = read.frame[weight_column].tolist()
        weights = read_weights(cells, read.reasons, column=weight_column, source=table.source)
    return replace(read, targets=found, weights=weights, remarks=(*table.remarks, *remarks))


def iter_molecules(
    source: MoleculeSource, *, smiles: str | None = None, chunk_rows: int = CHUNK_ROWS
) -> Iterator[MoleculeTable]:
    """Read a table of molecules part by part, without labels.

    For files that do not fit into memory, and for work that is done row by row. The parts
    have the same columns and no row in common; each says in its remarks what was noticed
    since the last.

    Parameters
    ----------
    source, smiles
        As for `read_molecules`.
    chunk_rows
        The most rows of a part; one has fewer where cells are very long.

    Raises
    ------
    DataFileError
        At once, if a file is missing or of no known kind or has no such column; on the
        way, when damage is met after which no row can be told: a cut archive, a mark that
        is never closed.
    """
    if chunk_rows < 1:
        raise KekuleError(f"chunk_rows: a part has at least one row, not {chunk_rows!r}.")
    given = _opened(source)
    return _parts(given, _layout(given.table, smiles, None), chunk_rows)


@dataclass(frozen=True)
class _Given:
    """A source whose rows are still to be read."""

    name: str
    table: OpenedTable
    sha256: str


@dataclass(frozen=True)
class _Layout:
    """What the columns of a table are for."""

    structures: str
    identifiers: str | None


def _parts(given: _Given, layout: _Layout, chunk_rows: int) -> Iterator[MoleculeTable]:
    told = 0
    for rows in in_chunks(given.table.rows, chunk_rows):
        remarks = given.table.remarks[told:]
        told += len(remarks)
        yield _molecule_table(given, layout, rows, remarks)


def _layout(table: OpenedTable, smiles: str | None, id_column: str | None) -> _Layout:
    structures = choose_column(table, smiles, how=_HOW)
    if id_column is not None:
        header = pd.DataFrame(columns=table.columns)
        return _Layout(structures, find_column(header, id_column, source=table.source))
    return _Layout(structures, table.identifiers)


def _molecule_table(
    given: _Given, layout: _Layout, rows: Sequence[Row], remarks: Sequence[str]
) -> MoleculeTable:
    table = given.table
    frame = as_frame(table.columns, rows)
    structures, reasons = structures_of(table, layout.structures, rows)
    return MoleculeTable(
        name=given.name,
        source=table.source,
        frame=frame,
        structure_column=layout.structures,
        structures=structures,
        reasons=reasons,
        targets=None,
        ids=None if layout.identifiers is None else frame[layout.identifiers].tolist(),
        weights=None,
        sha256=given.sha256,
        remarks=tuple(remarks),
    )


def structures_of(
    table: OpenedTable, column: str, rows: Sequence[Row]
) -> tuple[list[str], list[str]]:
    """Structure of each row, and why there is none.

    What is wrong with an SDF's record does not matter where the structures are taken from
    one of its data fields.
    """
    place = table.columns.index(column)
    structures = [row.cells[place] for row in rows]
    foreign = table.structures is not None and column != table.structures
    reasons = [
        "" if foreign and text else row.reason for row, text in zip(rows, structures, strict=True)
    ]
    return structures, reasons


def _opened(source: MoleculeSource) -> _Given:
    if isinstance(source, pd.DataFrame):
        return _in_memory("frame", open_frame, source)
    given = [source] if isinstance(source, str | Path) else list(source)
    paths = [_path(source)] if isinstance(source, str | Path) else _paths(given)
    if not paths:
        return _in_memory("list", open_list, given)
    stems = [stem_of(path) for path in paths]
    name = "+".join(stems) if len(stems) <= 3 else f"{stems[0]}+{len(stems) - 1}"
    return _Given(name, open_files(paths), _hash_of_files(paths))


def _paths(given: Sequence[str | Path]) -> list[Path]:
    """Files that are meant by a list; none where it is SMILES."""
    files = [item for item in given if isinstance(item, Path) or is_file_name(str(item))]
    if files and len(files) < len(given):
        raise KekuleError(
            f"source: {str(files[0])!r} is given beside {len(given) - len(files)} items that are "
            "no files. Give files alone, or SMILES alone."
        )
    return [_path(item) for item in files]


def _path(text: str | Path) -> Path:
    path = Path(text).expanduser()
    try:
        exists = path.exists()
    except OSError:  # a name too long for one
        exists = False
    if not exists and isinstance(text, str) and not is_file_name(text):
        why, cure = (
            "there is no such file",
            f"If it is a SMILES, give it in a list: [{shorten(text)!r}].",
        )
        raise DataFileError(shorten(text), why, cure)
    return path


def _in_memory(name: str, opener: Callable[[Any], OpenedTable], source: object) -> _Given:
    """Open what is in memory, having gone through its cells once for their hash."""
    table = opener(source)
    digest = hashlib.sha256(json.dumps(table.columns).encode())
    for row in table.rows:
        digest.update(json.dumps(row).encode())
    return _Given(name, opener(source), digest.hexdigest())


def _hash_of_files(paths: Sequence[Path]) -> str:
    """Hash of one file's bytes; of several, of their hashes, so that it tells where each ends."""
    sums = [sha256_of(path) for path in paths]
    return sums[0] if len(sums) == 1 else hashlib.sha256(" ".join(sums).encode()).hexdigest()
