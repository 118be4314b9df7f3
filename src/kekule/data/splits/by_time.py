"""One test set, the latest rows: the question a model is asked once it is in use."""

import math
import re
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.split import NEVER_TESTED, Split

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


def time_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Train on what came first and test on what came last.

    Use it where there is a date: it meets new chemistry, new assays and new people at
    once, as the model will. It is a single test set; there are no folds to average.

    The column holds numbers (years, serial numbers), or dates as ISO 8601 writes them:
    ``2019-05-31``, ``2019-05`` for its first day, ``2019-05-31T12:00+02:00``; without a
    zone UTC is meant. Rows of one time are never parted, so the test misses its share of
    the rows by at most half of the rows of one time, save that neither side is empty.

    Raises
    ------
    KekuleError
        If there is no column, a cell is neither, numbers and dates are mixed, or all
        rows have one time.
    """
    cells = [cell.strip() for cell in inputs.cells("time")]
    times = _times(inputs, cells)
    counts = np.bincount(times)
    if len(counts) < 2:
        raise KekuleError(
            f"splits: all {len(times)} rows of column {inputs.column_name!r} have one time, so "
            "none is later. Name another column, or use random."
        )
    tested = np.cumsum(counts[::-1])[:-1]  # rows of the last 1, 2, ... times
    n_last = int(np.abs(tested - dealing.test * len(times)).argmin()) + 1
    start = len(counts) - n_last
    fold = np.where(times >= start, 0, NEVER_TESTED).astype(np.int64)
    before, after = (cells[int(np.argmax(times == at))] for at in (start - 1, start))
    n_test = int(tested[n_last - 1])
    return Split(
        "time",
        f"the latest {n_test} rows ({n_test / len(times):.1%}) are tested, from {after} on; "
        f"training ends with {before}",
        1,
        fold,
        times,
    )


def _times(inputs: SplitInputs, cells: list[str]) -> NDArray[np.int64]:
    """Number the rows by time: equal numbers for equal times, rising with it."""
    keys: list[float | datetime] = []
    for position, cell in enumerate(cells):
        key = _number(cell) if _NUMBER.fullmatch(cell) else _date(cell)
        if key is None:
            raise KekuleError(
                f"{inputs.where(position)}: {cell[:40]!r} is neither a number nor a date such as "
                "2019-05-31. Correct the cell, or leave the row out."
            )
        if keys and type(key) is not type(keys[0]):
            raise KekuleError(
                f"{inputs.where(position)}: {cell[:40]!r} and {cells[0][:40]!r} are a number and "
                "a date, and it is not known which is later. Write all cells in one way."
            )
        keys.append(key)
    rank = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([rank[key] for key in keys], dtype=np.int64)


def _number(cell: str) -> float | None:
    value = float(cell)
    return value if math.isfinite(value) else None


def _date(cell: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(f"{cell}-01" if _MONTH.fullmatch(cell) else cell)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
