"""What a way of splitting may look at, and how the dealing is to go.

Symbols: N rows that are learnt from, T tasks. Rows that were set aside before are not
among the N; `SplitInputs.rows` remembers where in the source each of them stood.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError

if TYPE_CHECKING:
    from kekule.data.chunked import Progress


@dataclass(frozen=True, eq=False)
class SplitInputs:
    """The rows to be split and all that a split may know of them.

    Attributes
    ----------
    codes
        int64 (N, T), class of each row in each task; -1 where it is missing.
    rows
        int64 (N,), row number of each in the source, 0-based, no two alike.
    n_source
        How many rows the source has.
    smiles
        N standardised SMILES, every one of them readable; None for sets of graphs.
    column
        N cells of the column that says time, group or part; None where there is none.
    file
        Index file of a given split; None where there is none.
    column_name
        For messages.
    whole_column
        The column's cells of all ``n_source`` rows, those set aside included.
    found
        Groups already found, by kind: those of scaffolds and clusters do not depend on
        the seed, so that repeats need not look for them again.
    """

    codes: NDArray[np.int64]
    rows: NDArray[np.int64]
    n_source: int
    smiles: Sequence[str] | None = None
    column: Sequence[str] | None = None
    file: Path | None = None
    column_name: str = "split column"
    whole_column: Sequence[str] | None = None
    found: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together: a mistake of the caller, not the user."""
        n = len(self.rows)
        parts = [self.codes, *(part for part in (self.smiles, self.column) if part is not None)]
        if self.codes.ndim != 2 or any(len(part) != n for part in parts):
            sizes = ", ".join(str(len(part)) for part in parts)
            raise ValueError(f"{n} rows, but codes {self.codes.shape} and parts of {sizes}")
        if len(np.unique(self.rows)) < n or (n and not self._rows_in_source()):
            raise ValueError(f"rows are not distinct numbers from 0 to {self.n_source - 1}")

    def __len__(self) -> int:
        """Return N, the number of rows to be split."""
        return len(self.rows)

    def molecules(self, kind: str) -> Sequence[str]:
        """Return the SMILES, or say that this kind of split needs them."""
        if self.smiles is None:
            raise KekuleError(
                f"splits: {kind} compares molecules, and these rows have no SMILES. "
                "Use random, or group, time or given with a column."
            )
        return self.smiles

    def cells(self, kind: str) -> Sequence[str]:
        """Return the column, or say that this kind of split needs one."""
        if self.column is None:
            raise KekuleError(
                f"splits: {kind} goes by a column of the table, and none is named. "
                "Say which with protocol.column=COLUMN."
            )
        return self.column

    def where(self, position: int) -> str:
        """Name the cell of one of the N rows as the user knows it."""
        return f"column {self.column_name!r}, row {self.rows[position]}"

    def _rows_in_source(self) -> bool:
        return bool(self.rows.min() >= 0 and self.rows.max() < self.n_source)


@dataclass(frozen=True, kw_only=True)
class Dealing:
    """How many folds, which of the many ways, how much is tested, and with what help.

    Each kind of split reads what concerns it: one that folds reads ``n_folds`` and
    ``seed``, one that holds rows out reads ``test``. With ``holdout`` one that folds holds a
    single part of ``test`` of the rows out instead, drawn by ``seed``.

    Raises
    ------
    KekuleError
        If ``n_folds`` is less than 2 or ``test`` is not between 0 and 1.
    """

    n_folds: int = 5
    seed: int = 0
    test: float = 0.2
    holdout: bool = False
    processes: int = 1
    progress: "Progress | None" = None

    def __post_init__(self) -> None:
        """Refuse numbers that leave nothing to train on or nothing to test."""
        if self.n_folds < 2:
            raise KekuleError(
                f"splits: {self.n_folds} folds leave nothing to train on. Use 2 or more."
            )
        if not 0.0 < self.test < 1.0:
            raise KekuleError(
                f"splits: test share {self.test} is not between 0 and 1. Use 0.2, say."
            )
