"""Predict: from a bundle and an input to a table with one row per input row."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kekule._errors import OutputError
from kekule.data.chunked import available_cores
from kekule.data.structures import read_structures
from kekule.registry import load
from kekule.workflow.csv_file import check_writable, write_csv
from kekule.workflow.molecule_set import FEW
from kekule.workflow.progress import StageProgress

LONGEST_NAME = 1000  # characters; a longer input is a SMILES


def predict(
    bundle: str | Path,
    inputs: str | Sequence[str],
    *,
    out: str | Path | None = None,
    column: str | None = None,
    strict: bool = False,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Class and probability of every row of an input.

    Parameters
    ----------
    bundle
        Bundle or run folder.
    inputs
        SMILES, one or several; or files (``.smi``, ``.csv``, ``.tsv``, ``.parquet``, ``.sdf``,
        also ``.gz``), a TU folder or ``-``.
    out
        Also write the table there as CSV, complete or not at all.
    column
        Column of the SMILES in a table; found by its name if None.
    strict
        Raise at the first invalid row instead of keeping it.
    progress
        Show progress bars; None shows them on a terminal.

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
        names = [inputs] if isinstance(inputs, str) else inputs
        if any(Path(name) == Path(out) for name in names if len(name) < LONGEST_NAME):
            raise OutputError(out, "it is what is to be predicted", "Give another -o.")
    model = load(bundle)
    rows = read_structures([inputs] if isinstance(inputs, str) else inputs, column=column)
    processes = available_cores() if len(rows) > FEW else 1
    with StageProgress(show=progress) as stages:
        table = model.predict(rows, strict=strict, processes=processes, progress=stages)
    if out is not None:
        write_csv(table, Path(out))
    return table
