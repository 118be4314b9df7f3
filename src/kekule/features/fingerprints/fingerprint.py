"""What every fingerprint is: a molecule in, a row of fixed width out.

Symbols: W columns. Knows NumPy and RDKit's molecule; must not know files, labels or the
other molecules of a set: a row depends on its molecule alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pydantic import BaseModel, ConfigDict
from rdkit import Chem


class Settings(BaseModel):
    """Settings of a fingerprint; frozen, so that they can be a key."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """A member of the family, with what a person needs to choose it.

    Attributes
    ----------
    name
        As it is asked for.
    columns
        W names.
    dtype
        Of a row: unsigned integers for counts and bits, ``float32`` for other numbers.
    compute
        From a sanitised molecule to an array (W,) of `dtype`; at the top level of a module
        or a partial of one that is, so that a worker process can be told of it.
    use, avoid
        When it is the right choice, and when not.
    reference
        The paper that describes it.
    settings
        What `compute` goes by.
    canonical
        Whether RDKit's answer leans on the order of atoms, so that `compute` is to be given
        the molecule as its canonical SMILES spells it.
    """

    name: str
    columns: tuple[str, ...]
    dtype: DTypeLike
    compute: Callable[[Chem.Mol], NDArray[np.generic]]
    use: str
    avoid: str
    reference: str
    settings: Settings
    canonical: bool = False

    @property
    def width(self) -> int:
        """Return W, the number of columns."""
        return len(self.columns)

    def empty(self, n_rows: int) -> NDArray[np.generic]:
        """Rows of nothing: zeros, or NaN where numbers are no counts; (N, W)."""
        nothing = np.nan if np.issubdtype(self.dtype, np.floating) else 0
        return np.full((n_rows, self.width), nothing, dtype=self.dtype)


def numbered(name: str, width: int) -> tuple[str, ...]:
    """Column names of a hashed fingerprint, whose columns have no meaning of their own."""
    return tuple(f"{name}-{k}" for k in range(width))


def cut_to(counts: NDArray[np.unsignedinteger], dtype: DTypeLike) -> NDArray[np.generic]:
    """Counts in a smaller type; what it cannot hold becomes the most it can."""
    smaller: NDArray[np.generic] = np.minimum(counts, np.iinfo(dtype).max).astype(dtype)
    return smaller
