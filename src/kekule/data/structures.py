"""What a user hands over to be predicted, as rows: SMILES, a table, or a graph set.

Every row keeps its place and every cell its text, exactly as given; whether a SMILES is
a molecule is for others to find out later. Row i of the result is row i of the input,
blank lines included. Tables are read as `kekule.data.molecule_files` reads them.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from kekule._errors import DataFileError, KekuleError
from kekule.data.catalogue import find_set
from kekule.data.column_choice import choose_column
from kekule.data.file_kinds import KINDS, is_file_name
from kekule.data.graphs import LabelledGraphs
from kekule.data.molecule_files import structures_of
from kekule.data.molecule_sources import open_files
from kekule.data.raw_rows import OpenedTable, as_frame
from kekule.data.sets import SETS
from kekule.data.smiles_lines import open_smiles_lines
from kekule.data.tables import BY_OPTION
from kekule.data.text_lines import text_in_memory

GIVE = f"Give SMILES, a file {', '.join(KINDS)}, a TU folder, or - for standard input."


@dataclass(frozen=True, eq=False)
class Structures:
    """Rows to predict.

    Attributes
    ----------
    frame
        The input's own columns as text, index 0 to n - 1.
    smiles
        One SMILES a row, as given; None where the input is a graph set.
    graphs
        The graph set; None where the input is SMILES.
    source
        Where the rows came from, for messages.
    reasons
        Why a row could not be read at all, empty where it could; None where all could.
    """

    frame: pd.DataFrame
    smiles: list[str] | None
    graphs: LabelledGraphs | None
    source: str
    reasons: list[str] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)


def read_structures(
    inputs: Sequence[str], *, column: str | None = None, stdin: BinaryIO | None = None
) -> Structures:
    """Read what ``kekule predict BUNDLE INPUT...`` is given.

    Parameters
    ----------
    inputs
        One or several SMILES; or one or several files of the kinds that
        `kekule.data.read_molecules` reads; or a single ``-`` (standard input, a SMILES, a
        blank and a name on each line), TU folder, or name of a TU set in the catalogue.
    column
        The column of SMILES in a table; found where not given.
    stdin
        Read for ``-`` in place of `sys.stdin`.

    Returns
    -------
    Structures
        As many rows as the input has.

    Raises
    ------
    DataFileError
        If a file is missing, damaged or of no known kind.
    KekuleError
        If nothing is given, or a file beside inputs that are none.
    """
    inputs = [str(item) for item in inputs]
    if not inputs:
        raise KekuleError(f"input: nothing was given. {GIVE}")
    if len(inputs) == 1:
        return _read_one(inputs[0], column, stdin)
    other = [item for item in inputs if item == "-" or _is_path(item)]
    if not other:
        return _from_smiles(inputs, "command line")
    paths = [Path(item).expanduser() for item in inputs]
    if len(other) < len(inputs) or "-" in other or any(path.is_dir() for path in paths):
        raise KekuleError(
            f"input: {other[0]!r} is given beside {len(inputs) - 1} other inputs. "
            "Give files alone, a folder or - alone, or SMILES only."
        )
    return _from_table(open_files(paths), column)


def _read_one(text: str, column: str | None, stdin: BinaryIO | None) -> Structures:
    if text == "-":
        raw = (stdin or sys.stdin.buffer).read()
        return _from_table(open_smiles_lines([text_in_memory("standard input", raw)]), None)
    if text in SETS:
        return _from_graphs(find_set(text))
    if not _is_path(text):
        return _from_smiles([text], "command line")
    path = Path(text).expanduser()
    if path.is_dir():
        return _from_graphs(find_set(path))
    if not path.exists():
        raise DataFileError(path, "there is no such file or folder", GIVE)
    return _from_table(open_files([path]), column)


def _from_table(table: OpenedTable, column: str | None) -> Structures:
    chosen = choose_column(table, column, how=BY_OPTION)
    rows = list(table.rows)
    smiles, reasons = structures_of(table, chosen, rows)
    frame = as_frame(table.columns, rows)
    return Structures(frame, smiles, None, table.source, reasons if any(reasons) else None)


def _from_smiles(smiles: list[str], source: str) -> Structures:
    # A byte that is no UTF-8 comes from a shell as half a character, which no column can hold.
    smiles = [text.encode("utf-8", "replace").decode() for text in smiles]
    return Structures(pd.DataFrame({"smiles": smiles}, dtype=str), smiles, None, source)


def _from_graphs(graphs: LabelledGraphs) -> Structures:
    """Give each graph the number its files have for it, and its class if known."""
    columns = {"graph": [str(number) for number in range(1, len(graphs) + 1)]}
    if graphs.targets is not None:
        columns["target"] = [str(target) for target in graphs.targets.tolist()]
    return Structures(pd.DataFrame(columns, dtype=str), None, graphs, graphs.source)


def _is_path(text: str) -> bool:
    """Whether an argument means a file or folder, which may be missing; a SMILES else.

    A SMILES may hold slashes and dots, so only what exists, ends like a data file, or
    lies in a folder that exists is taken for a path.
    """
    if not text:
        return False
    path = Path(text).expanduser()
    if is_file_name(text):
        return True
    try:
        if path.exists() or text.startswith(("./", "../", "~/")):
            return True
        return "/" in text and path.parent != Path() and path.parent.is_dir()
    except (OSError, ValueError):  # a name too long, or with a NUL: no path
        return False
