"""The files of one TU Dortmund set: which there are, and what numbers they hold.

A set NAME is a folder of text files ``NAME_A.txt``, ``NAME_graph_indicator.txt`` and so
on, lying in the folder itself or, as PyTorch Geometric keeps them, in its subfolder
``raw``. Here they are found, read and hashed; `kekule.data.tu` makes graphs of them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data.number_text import parse_integers, parse_reals, read_bytes

INTEGER_ROLES = ("A", "graph_indicator", "graph_labels", "node_labels", "edge_labels")
REAL_ROLES = ("node_attributes", "edge_attributes")
ROLES = INTEGER_ROLES + REAL_ROLES  # also the order in which they are hashed
REQUIRED = ("A", "graph_indicator")
ROWS_OF = {  # which file a file must have as many lines as
    "node_labels": "graph_indicator",
    "node_attributes": "graph_indicator",
    "edge_labels": "A",
    "edge_attributes": "A",
}


@dataclass(frozen=True)
class TuFiles:
    """The numbers in the files of one set, by role (``A``, ``node_labels``, ...).

    Attributes
    ----------
    name, folder
        The set's name and the folder that holds its files.
    integers
        int64 (lines, columns) of each file of whole numbers.
    reals
        float32 (lines, columns) of each file of attributes.
    sha256
        Of the names and bytes of those files, in the order of `ROLES`.
    """

    name: str
    folder: Path
    integers: dict[str, NDArray[np.int64]]
    reals: dict[str, NDArray[np.float32]]
    sha256: str

    def path(self, role: str) -> Path:
        """Where the file of a role is, or would be."""
        return self.folder / f"{self.name}_{role}.txt"

    def readme(self) -> str:
        """Text of the set's README.txt, empty where there is none or it is not text."""
        try:
            return (self.folder / "README.txt").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def locate(folder: Path, name: str | None = None) -> tuple[Path, str]:
    """Find the folder that holds ``NAME_A.txt``, and NAME where it is not given.

    Raises
    ------
    DataFileError
        If there is no such folder or file, or several sets to choose from.
    """
    if not folder.is_dir():
        why = "this is a file, not a folder" if folder.exists() else "there is no such folder"
        raise DataFileError(folder, why, "Give the folder that holds NAME_A.txt.")
    for place in (folder, folder / "raw"):
        names = sorted(path.name.removesuffix("_A.txt") for path in place.glob("?*_A.txt"))
        wanted = [n for n in names if n == (name or folder.name)] or ([] if name else names)
        if len(wanted) == 1:
            return place, wanted[0]
        if len(wanted) > 1:
            why = f"it holds {len(wanted)} sets: {', '.join(wanted[:5])}"
            raise DataFileError(place, why, "Move each into a folder of its own.")
    missing = folder / f"{name}_A.txt" if name else folder
    why = "there is no such file" if name else "no file in it is named NAME_A.txt"
    raise DataFileError(missing, why, "Give a folder in the TU Dortmund format.")


def read_files(folder: Path, name: str | None = None) -> TuFiles:
    """Read every file of a set whose role is known, and check their lengths.

    Raises
    ------
    DataFileError
        Naming the file, and the line where there is one.
    """
    place, name = locate(folder, name)
    integers: dict[str, NDArray[np.int64]] = {}
    reals: dict[str, NDArray[np.float32]] = {}
    digest = hashlib.sha256()
    for role in ROLES:
        path = place / f"{name}_{role}.txt"
        if role not in REQUIRED and not path.exists():
            continue
        raw = read_bytes(path)
        digest.update(f"{path.name}\n{len(raw)}\n".encode())
        digest.update(raw)
        if role in REAL_ROLES:
            reals[role] = parse_reals(path, raw)
        else:
            integers[role] = parse_integers(path, raw)
    files = TuFiles(name, place, integers, reals, digest.hexdigest())
    _check_shapes(files)
    return files


def _check_shapes(files: TuFiles) -> None:
    for role, columns in (("A", 2), ("graph_indicator", 1), ("graph_labels", 1)):
        table = files.integers.get(role)
        if table is not None and len(table) and table.shape[1] != columns:
            why = f"{table.shape[1]} columns where the format has {columns}"
            raise DataFileError(files.path(role), why, "Correct the file.", line=1)
    if not len(files.integers["graph_indicator"]):
        path = files.path("graph_indicator")
        raise DataFileError(path, "it is empty, so there are no nodes", "Fetch the set again.")
    for role, other in ROWS_OF.items():
        rows = len(files.integers[other])
        lines = len(files.reals.get(role, files.integers.get(role, range(rows))))
        if lines != rows:
            why = f"{lines} lines where {files.path(other).name} has {rows}"
            line = min(lines, rows) + 1
            cure = "Fetch the set again: one of the two is cut short."
            raise DataFileError(files.path(role), why, cure, line=line)
