"""A split that somebody else made: parts of the rows of a source, named one by one.

The words and numbers of a column are understood here, wherever the column stood, in the
table or in a file of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError, KekuleError

WORDS = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
_FOLD = re.compile(r"([0-9]{1,9})(\.0*)?")
_CURE = "Write train, valid (or validation) and test, or fold numbers that start with 0 or 1."


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of the source in one fold, 0-based; ``train`` is None for all that are left."""

    test: NDArray[np.int64]
    train: NDArray[np.int64] | None = None
    validation: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Origin:
    """Where a given split is from, for errors.

    Attributes
    ----------
    name
        Path of a file, or the name of a column.
    is_file
        Whether it is a file, whose places are lines and not rows.
    places
        Row or line of each entry.
    """

    name: str
    is_file: bool
    places: Sequence[int] = ()

    def refused(self, why: str, cure: str, *, entry: int | None = None) -> KekuleError:
        """Make the error for one entry, or for the whole."""
        place = None if entry is None else int(self.places[entry])
        if self.is_file:
            return DataFileError(self.name, why, cure, line=place)
        where = self.name if place is None else f"{self.name}, row {place}"
        return KekuleError(f"{where}: {why}. {cure}")


def parts_of_cells(rows: NDArray[np.int64], cells: Sequence[str], origin: Origin) -> list[Parts]:
    """Folds from a cell for each row: the name of its part, or the fold that tests it.

    Parameters
    ----------
    rows
        int64, row of the source of each cell.
    cells
        As given; case and blanks around do not matter. Numbers make k folds and run from
        0 to k - 1 or from 1 to k; words make a single one.

    Raises
    ------
    KekuleError
        If a cell is neither, they are mixed, numbers leave one out, or no row is to be
        trained on or tested.
    """
    texts = [cell.strip().lower() for cell in cells]
    numbers = [_FOLD.fullmatch(text) for text in texts]
    if texts and all(numbers):
        return _numbered(rows, np.array([int(n[1]) for n in numbers if n]), origin)
    for entry, text in enumerate(texts):
        if text not in WORDS:
            odd = "a number among words" if numbers[entry] else "no part of a split"
            why = f"{cells[entry][:40]!r} is {odd}" if text else "the cell is empty"
            raise origin.refused(why, _CURE, entry=entry)
    part = np.array([WORDS[text] for text in texts])
    for name in ("train", "test"):
        if name not in part:
            raise origin.refused(f"no row is in the part {name!r}", _CURE)
    held = rows[part == "validation"]
    return [Parts(rows[part == "test"], rows[part == "train"], held if len(held) else None)]


def _numbered(rows: NDArray[np.int64], numbers: NDArray[np.int64], origin: Origin) -> list[Parts]:
    found = np.unique(numbers)
    start, k = int(found[0]), len(found)
    if start > 1 or k < 2 or int(found[-1]) != start + k - 1:
        shown = ", ".join(str(number) for number in found[:6]) + (", ..." if k > 6 else "")
        why = f"the fold numbers are {shown}, not 0 to k - 1 or 1 to k with at least two folds"
        raise origin.refused(why, _CURE)
    return [Parts(rows[numbers == fold], rows[numbers != fold]) for fold in found]
