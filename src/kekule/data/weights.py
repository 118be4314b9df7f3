"""How much each row of a table counts, read from a column of it."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError

_NUMBER = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def read_weights(
    cells: Sequence[str], reasons: Sequence[str], *, column: str, source: object
) -> NDArray[np.float64]:
    """Read a weight a row.

    Parameters
    ----------
    cells
        N texts.
    reasons
        Why a row could not be read, empty where it could.
    column, source
        For the error.

    Returns
    -------
    NDArray[np.float64]
        (N,), finite and not negative; NaN where the cell is empty.

    Raises
    ------
    DataFileError
        Naming the first row that could be read whose cell is anything else, or if all
        weigh 0.
    """
    weights = np.full(len(cells), np.nan)
    for row, (cell, reason) in enumerate(zip(cells, reasons, strict=True)):
        text = cell.strip()
        if not text or reason:
            continue
        value = float(text) if len(text) <= 400 and _NUMBER.fullmatch(text) else math.inf
        if not math.isfinite(value):
            why = f"row {row}: the weight in column {column!r} is {text[:40]!r}"
            raise DataFileError(source, why, "Give every row a number that is 0 or more.")
        weights[row] = value
    if len(cells) and not np.nan_to_num(weights).any():
        why = f"every weight in column {column!r} is 0"
        raise DataFileError(source, why, "Give some row a larger one, or name no weights.")
    return weights
