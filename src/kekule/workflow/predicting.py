"""Predict: from a bundle and an input to a table with one row per input row."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kekule.data.structures import read_structures
from kekule.registry import load
from kekule.workflow.csv_file import check_writable, write_csv


def predict(
    bundle: str | Path,
    inputs: str | Sequence[str],
    *,
    out: str | Path | None = None,
    column: str | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Class and probability of every row of an input.

    Parameters
    ----------
    bundle
        Bundle or run folder.
    inputs
        SMILES, one or several; or one ``.smi``, ``.csv``, ``.tsv`` file, TU folder or ``-``.
    out
        Also write the table there as CSV, complete or not at all.
    column
        Column of the SMILES in a table; found by its name if None.
    strict
        Raise at the first invalid row instead of keeping it.

    Returns
    -------
    DataFrame
        ``row``, the input's own columns, ``status``, ``reason``, then the results.

    Raises
    ------
    BundleError, DataFileError, KekuleError
        If the bundle or the input cannot be used.
    OutputError
        If `out` cannot be written; nothing is computed then.
    """
    if out is not None:
        check_writable(Path(out))
    model = load(bundle)
    rows = read_structures([inputs] if isinstance(inputs, str) else inputs, column=column)
    table = model.predict(rows, strict=strict)
    if out is not None:
        write_csv(table, Path(out))
    return table
