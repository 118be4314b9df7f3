"""The columns of a table, found by the names people give them.

A name may differ in case; one that is wrong is met with the nearest there is. Knows
pandas; must not know molecules.
"""

from difflib import get_close_matches

import pandas as pd

from kekule._errors import DataFileError

SMILES_COLUMNS = (  # in order of preference, in lower case, words joined by _
    "smiles",
    "canonical_smiles",
    "isomeric_smiles",
    "smi",
    "smiles_string",
    "structure_smiles",
    "ligand_smiles",
    "compound_smiles",
    "cxsmiles",
    "mol",
    "molecule",
    "structure",
    "drug",
    "ligand",
)
DOUBTFUL_COLUMNS = ("mol", "molecule", "structure", "drug", "ligand")  # may hold names

BY_OPTION = "it is with --column NAME (in Python, column=NAME)"


def find_column(
    frame: pd.DataFrame, column: str | None, *, source: object, how: str = BY_OPTION
) -> str:
    """Name of a column.

    Parameters
    ----------
    frame
        A table.
    column
        Its name, if known; case matters only where two names differ in nothing else.
        None looks for one of `SMILES_COLUMNS`.
    source
        For the error.
    how
        In the error where none is found, how to say which it is.

    Raises
    ------
    DataFileError
        Listing the columns there are, and the one most like the one asked for.
    """
    names = [str(name) for name in frame.columns]
    if column in names:
        return str(column)
    folded = [name.strip().lower() for name in names]
    for wanted in SMILES_COLUMNS if column is None else (column.strip().lower(),):
        if folded.count(wanted) == 1 or (column is None and wanted in folded):
            return names[folded.index(wanted)]
    shown = ", ".join(repr(name) for name in names[:20]) + (", ..." if len(names) > 20 else "")
    if column is None:
        why = f"no column is named like one of SMILES; there are {shown}"
        raise DataFileError(source, why, f"Say which {how}.")
    near = get_close_matches(column.strip().lower(), folded, n=1)
    cure = f"Did you mean {names[folded.index(near[0])]!r}?" if near else "Name one of them."
    raise DataFileError(source, f"there is no column {column!r}; there are {shown}", cure)
