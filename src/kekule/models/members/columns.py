"""Columns of fingerprints side by side, as one member reads them in training and when asked.

Symbols: n rows, W columns. Must not know how fingerprints were made from molecules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kekule.models.baseline import Tables
from kekule.models.fingerprint_models import DESCRIPTORS, medians, side_by_side
from kekule.models.members.contents import Contents
from kekule.models.members.member import Material, Rows

WIDE: Final = ("ecfp", "fcfp", "avalon", "atom-pair", "maccs", "erg", DESCRIPTORS)
FARTHEST: Final = 20.0  # of a signed logarithm, as of the descriptors beside a graph

ROWS_A_PIECE = 1024  # of 8,000 float32 columns: 32 MB
MOST_COLUMNS = 10_000_000


@dataclass(frozen=True)
class Columns:
    """Which fingerprints, in which order, and how many columns each has.

    Attributes
    ----------
    names, widths
        Of the fingerprints.
    """

    names: tuple[str, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, tables: Tables, names: tuple[str, ...]) -> "Columns":
        """Columns that the tables have now."""
        missing = [name for name in names if name not in tables]
        if missing:
            raise ValueError(
                f"a member needs the fingerprints {', '.join(names)}; there is no {missing[0]}"
            )
        return cls(names, tuple(np.shape(tables[name])[1] for name in names))

    @property
    def width(self) -> int:
        """W."""
        return sum(self.widths)

    def table(self, tables: Tables, rows: Rows | slice) -> NDArray[np.float32]:
        """Some rows of the columns, float32 (n, W); NaN where there is no value.

        Raises
        ------
        ValueError
            If the tables have not the columns of the training.
        """
        there = Columns.of(tables, self.names)
        if there != self:
            raise ValueError(
                f"fingerprints {', '.join(self.names)} have {there.widths} columns; the member "
                f"was trained on {self.widths}"
            )
        return side_by_side({name: tables[name][rows] for name in self.names}, self.names)

    def usual(self, tables: Tables, rows: Rows) -> NDArray[np.float32]:
        """Median of every column over some rows, (W,); 0 where there is no value."""
        parts = [medians(np.asarray(tables[name][rows], np.float32)) for name in self.names]
        return np.concatenate(parts)

    def pieces(self, material: Material) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """All rows, some at a time, so that their columns never stand side by side at once."""
        for rows in pieces_of(len(material)):
            yield rows, self.table(material.tables, rows)

    def told(self) -> dict[str, Any]:
        """Settings that `columns_in` reads."""
        return {"fingerprints": list(self.names), "widths": list(self.widths)}


def pieces_of(n_rows: int) -> Iterator[slice]:
    """Rows 0 to n, some at a time."""
    for start in range(0, n_rows, ROWS_A_PIECE):
        yield slice(start, min(start + ROWS_A_PIECE, n_rows))


def columns_in(given: Contents) -> Columns:
    """Columns that a stored member says it reads."""
    names = given.names("fingerprints")
    widths = given.whole_numbers("widths", 1, MOST_COLUMNS)
    if len(names) != len(widths) or not names:
        raise ValueError(f"{given.what}: {len(names)} fingerprints have {len(widths)} widths")
    return Columns(names, widths)


def signed_logarithms(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sign(x) · ln(1 + abs(x)), cut to ±20; float32 of any shape, without missing values.

    A pattern that occurs nine times is not nine times as telling as one that occurs once, and a
    descriptor of some thousand may stand beside one of some hundredth.
    """
    logarithms = np.copysign(np.log1p(np.abs(features)), features)
    return np.clip(logarithms, -FARTHEST, FARTHEST)
