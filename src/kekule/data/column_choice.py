"""Which column of a table holds the structures, where nobody said so.

First a name such as ``smiles`` counts; a name such as ``mol`` or ``drug``, which may as
well stand over names or numbers, counts only if what stands below it are SMILES; last,
what stands in the columns counts alone. A guess is always said. Knows RDKit.
"""

import re
from collections.abc import Sequence
from itertools import chain, islice

import pandas as pd
from rdkit import Chem

from kekule._errors import DataFileError
from kekule.data.raw_rows import OpenedTable
from kekule.data.smiles import LONGEST, quiet
from kekule.data.tables import DOUBTFUL_COLUMNS, SMILES_COLUMNS, find_column

_PEEKED = 1000  # rows
_TRIED = 100  # cells of a column that are not empty
_ELEMENT = re.compile("[BCNOPSFIbcnops]")


TAKEN = "was taken for the structures"


def choose_column(table: OpenedTable, column: str | None, *, how: str) -> str:
    """Name of the column that holds the structures.

    Parameters
    ----------
    table
        Is told of a guess among its remarks; its rows can still all be read.
    column
        The name, if it was given.
    how
        In an error, how to say which column it is.

    Raises
    ------
    DataFileError
        If there is no such column, or none or more than one that could be meant.
    """
    header = pd.DataFrame(columns=table.columns)
    if column is not None:
        return find_column(header, column, source=table.source, how=how)
    if table.structures is not None:
        return table.structures
    chosen = _guessed(table, header, how)
    table.remarks.append(f"Column {chosen!r} {TAKEN}.")
    return chosen


def reads_as_smiles(text: str) -> bool:
    """Whether RDKit's parser takes a text, and it says an element."""
    text = text.strip()
    if len(text) > LONGEST or not text.isascii() or not _ELEMENT.search(text):
        return False
    with quiet():
        return Chem.MolFromSmiles(text, sanitize=False) is not None


def _guessed(table: OpenedTable, header: pd.DataFrame, how: str) -> str:
    folded = [_folded(name) for name in table.columns]
    named = [table.columns[folded.index(name)] for name in SMILES_COLUMNS if name in folded]
    if named and _folded(named[0]) not in DOUBTFUL_COLUMNS:
        return named[0]
    peeked = list(islice(table.rows, _PEEKED))
    table.rows = chain(peeked, table.rows)
    of_smiles = [
        name
        for place, name in enumerate(table.columns)
        if _mostly_smiles([row.cells[place] for row in peeked])
    ]
    believed = [name for name in named if name in of_smiles] or of_smiles or named
    if len(believed) == 1 or (believed and believed[0] in named):
        return _no_row(table.source, believed[0], named)
    if not believed:
        return find_column(header, None, source=table.source, how=how)
    shown = ", ".join(map(repr, believed[:20]))
    raise DataFileError(table.source, f"columns {shown} all hold SMILES", f"Say which {how}.")


def _no_row(source: str, column: str, named: Sequence[str]) -> str:
    """Refuse a name that is a SMILES itself: the first row of a table without header."""
    if column in named or not reads_as_smiles(column):
        return column
    why = f"its first line names a column {column!r}, which is a SMILES"
    raise DataFileError(source, why, "Name the columns in the first line.", line=1)


def _mostly_smiles(cells: Sequence[str]) -> bool:
    tried = list(islice((cell for cell in cells if cell.strip()), _TRIED))
    return 2 * sum(map(reads_as_smiles, tried)) > len(tried)


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())
