"""What a user hands over to be predicted, as rows: SMILES, a table, or a graph set.

Every row keeps its place and every cell its text, exactly as given; whether a SMILES is
a molecule is for `kekule.data.molecules` to find out later. Row i of the result is row i
of the input, blank lines included.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from kekule._errors import DataFileError, KekuleError
from kekule.data.catalogue import find_set
from kekule.data.graphs import LabelledGraphs
from kekule.data.number_text import read_bytes
from kekule.data.sets import SETS
from kekule.data.tables import find_column, read_lines, read_table

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
LINES = (".smi", ".smiles", ".txt")
KINDS = "Give SMILES, a .smi, .csv or .tsv file, a TU folder, or - for standard input."
_FOREIGN = (".sdf", ".mol", ".mol2", ".sd", ".xls", ".xlsx", ".parquet", ".json", ".gz", ".zip")


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
    """

    frame: pd.DataFrame
    smiles: list[str] | None
    graphs: LabelledGraphs | None
    source: str

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
        One or several SMILES; or a single ``-`` (standard input, one SMILES a line), file
        ``.smi`` (SMILES, blank, name), ``.csv`` or ``.tsv`` (one column of SMILES), TU
        folder, or name of a TU set in the catalogue.
    column
        The column of SMILES in a table; found by its name where not given.
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
        If nothing is given, or a file beside other inputs.
    """
    inputs = [str(item) for item in inputs]
    if not inputs:
        raise KekuleError(f"input: nothing was given. {KINDS}")
    if len(inputs) == 1:
        return _read_one(inputs[0], column, stdin)
    other = next((item for item in inputs if item == "-" or _is_path(item)), None)
    if other is not None:
        raise KekuleError(
            f"input: {other!r} is given beside {len(inputs) - 1} other inputs. "
            "Give one file alone, or SMILES only."
        )
    return _from_smiles(inputs, "command line")


def _read_one(text: str, column: str | None, stdin: BinaryIO | None) -> Structures:
    if text == "-":
        raw = (stdin or sys.stdin.buffer).read()
        return _from_frame(read_lines("standard input", raw), "smiles", "standard input")
    if text in SETS:
        return _from_graphs(find_set(text))
    if not _is_path(text):
        return _from_smiles([text], "command line")
    path = Path(text).expanduser()
    if path.is_dir():
        return _from_graphs(find_set(path))
    if not path.exists():
        raise DataFileError(path, "there is no such file or folder", KINDS)
    suffix = path.suffix.lower()
    if suffix in LINES:
        return _from_frame(read_lines(path, read_bytes(path)), "smiles", str(path))
    if suffix not in SEPARATORS:
        raise DataFileError(path, f"files of kind {suffix!r} are not read", KINDS)
    frame = read_table(path, read_bytes(path), SEPARATORS[suffix])
    return _from_frame(frame, find_column(frame, column, source=path), str(path))


def _from_smiles(smiles: list[str], source: str) -> Structures:
    # A byte that is no UTF-8 comes from a shell as half a character, which no column can hold.
    smiles = [text.encode("utf-8", "replace").decode() for text in smiles]
    return Structures(pd.DataFrame({"smiles": smiles}, dtype=str), smiles, None, source)


def _from_frame(frame: pd.DataFrame, column: str, source: str) -> Structures:
    return Structures(frame, [str(cell) for cell in frame[column]], None, source)


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
    if path.suffix.lower() in (*SEPARATORS, *LINES, *_FOREIGN):
        return True
    try:
        if path.exists() or text.startswith(("./", "../", "~/")):
            return True
        return "/" in text and path.parent != Path() and path.parent.is_dir()
    except (OSError, ValueError):  # a name too long, or with a NUL: no path
        return False
