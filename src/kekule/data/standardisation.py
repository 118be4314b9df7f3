"""One molecule, one way to write it: a small, named, versioned policy on RDKit's MolStandardize.

The same policy object stands in the recipe and in the bundle and is applied in training and
in prediction; a salt is stripped in both or in neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from kekule.data.chunked import Progress
from kekule.data.rows import RowStatus


class StandardisationPolicy(BaseModel):
    """What is done to a molecule before it is learnt from or asked about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=60)] = "parent"
    version: Literal[1] = 1
    fragment: Literal["largest-organic", "keep"] = "largest-organic"
    normalise: bool = True
    neutralise: bool = True
    tautomer: bool = False
    stereo: Literal["keep", "drop"] = "keep"
    isotopes: Literal["keep", "drop"] = "drop"


@dataclass(frozen=True, eq=False)
class StandardisedRows:
    """What became of N structures; entry i of each list belongs to row i.

    Attributes
    ----------
    smiles
        Canonical SMILES of the standardised molecule; empty where the row is invalid.
    statuses
        Status and reason of each row.
    steps
        The steps that changed the molecule, in order; empty where none did.
    """

    smiles: list[str]
    statuses: list[RowStatus]
    steps: list[tuple[str, ...]]


def standardise_smiles(
    smiles: Sequence[str],
    policy: StandardisationPolicy,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> StandardisedRows:
    """Read and standardise every SMILES; a row that cannot be read keeps its place."""
    raise NotImplementedError


def changes_table(structures: Sequence[str], rows: StandardisedRows) -> pd.DataFrame:
    """Every molecule that was changed: ``row``, ``input``, ``output``, ``steps``."""
    raise NotImplementedError
