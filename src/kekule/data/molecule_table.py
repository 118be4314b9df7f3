"""A user's table of molecules, before any of them is believed.

Rows keep their place and their text from here to the last output. What a cell of the
structure column means is for `kekule.data.standardisation` to find out; what a label
means is settled here, once.

Symbols: N rows, T tasks. Knows NumPy and pandas; must not know RDKit or models.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

MISSING = -1  # code of a label that is not there


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be learnt of each row, one column a task.

    Attributes
    ----------
    tasks
        T names, those of the columns.
    classes
        For each task its class names as spelt in the table, in the order of their codes.
    codes
        int64 (N, T); `MISSING` where a cell is empty.
    """

    tasks: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]
    codes: NDArray[np.int64]

    def names(self, task: int = 0) -> list[str]:
        """Class name of every row, empty where it is missing."""
        classes = [*self.classes[task], ""]  # MISSING is the last
        return [classes[code] for code in self.codes[:, task].tolist()]


@dataclass(frozen=True, eq=False)
class MoleculeTable:
    """Rows of structures with what their source says of them.

    Attributes
    ----------
    name
        Of the set: the file's stem.
    source
        Where it was read from, for messages.
    frame
        The source's own columns as text, N rows, index 0 to N - 1.
    structure_column
        The column of `frame` that holds the structures.
    structures
        N SMILES as given (of an SDF: as its records spell out); any text at all.
    reasons
        N strings: why a record of the file could not be read at all, empty where it could.
    targets
        Labels; None where the table is only to be predicted.
    ids
        N identifiers as given, or None.
    weights
        float64 (N,), finite and not negative, NaN where the cell is empty; or None.
    sha256
        Of the bytes of the files, or of the cells where there were none.
    remarks
        What the reader guessed, changed or noticed, one sentence each.
    """

    name: str
    source: str
    frame: "pd.DataFrame"
    structure_column: str
    structures: list[str]
    reasons: list[str]
    targets: Targets | None
    ids: list[str] | None
    weights: NDArray[np.float64] | None
    sha256: str
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return N, the number of rows."""
        return len(self.structures)

    def take(self, rows: NDArray[np.integer]) -> "MoleculeTable":
        """Rows `rows`, in that order; the hash is still that of the whole table."""
        chosen = rows.tolist()
        targets = self.targets
        return replace(
            self,
            frame=self.frame.iloc[chosen].reset_index(drop=True),
            structures=[self.structures[row] for row in chosen],
            reasons=[self.reasons[row] for row in chosen],
            targets=None if targets is None else replace(targets, codes=targets.codes[rows]),
            ids=None if self.ids is None else [self.ids[row] for row in chosen],
            weights=None if self.weights is None else self.weights[rows],
        )
