"""Tables that come as columns of values, and their values as text: frames, Parquet, lists.

A missing value becomes an empty cell; everything else is written as Python writes it.
Knows pandas and pyarrow; must not know molecules.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kekule._errors import DataFileError
from kekule.data.raw_rows import OpenedTable, Row
from kekule.data.smiles_lines import STRUCTURES

BATCH = 8192  # rows of a Parquet file in memory at once, beside one of its row groups

_UNNAMED_INDEX = "__index_level_0__"  # what pandas calls it in Parquet


def open_frame(frame: pd.DataFrame) -> OpenedTable:
    """Open a frame; an index that has a name is a column of it."""
    if any(name is not None for name in frame.index.names):
        named = [str(name) for name in frame.index.names if name is not None]
        twice = [name for name in named if name in map(str, frame.columns)]
        if twice:
            why = f"its index and a column are both named {twice[0]!r}"
            raise DataFileError("data frame", why, "Rename one of them.")
        frame = frame.reset_index(names=[name or "index" for name in frame.index.names])
    columns = [str(name) for name in frame.columns]
    return OpenedTable("data frame", columns, _rows(frame))


def open_list(smiles: Sequence[object]) -> OpenedTable:
    """Open a list of SMILES."""
    frame = pd.DataFrame({STRUCTURES: pd.Series(list(smiles), dtype=object)})
    return OpenedTable("list", [STRUCTURES], _rows(frame), structures=STRUCTURES)


def open_parquet(path: Path) -> OpenedTable:
    """Open a Parquet file, to be read in batches of rows.

    Raises
    ------
    DataFileError
        If it is no Parquet file, at once; or damaged, when the damage is met.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        names = list(parquet.read_schema(path).names)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    columns = [name for name in names if name != _UNNAMED_INDEX]
    return OpenedTable(str(path), columns, _parquet_rows(path, columns))


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:
            batches = file.iter_batches(BATCH, columns=list(columns), use_threads=False)
            for batch in batches:
                yield from _rows(batch.to_pandas(integer_object_nulls=True, ignore_metadata=True))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataFileError:
    why = f"it is not a whole Parquet file ({' '.join(str(error).split())[:200]})"
    return DataFileError(path, why, "Write it again, or give the table as CSV.")


def _rows(frame: pd.DataFrame) -> Iterator[Row]:
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        columns = [_texts(part.iloc[:, place]) for place in range(part.shape[1])]
        yield from (Row(list(cells)) for cells in zip(*columns, strict=True))


def _texts(column: "pd.Series[Any]") -> list[str]:
    values = column.to_numpy(dtype=object) if column.dtype.kind not in "f" else column.to_numpy()
    missing = np.asarray(column.isna(), dtype=bool)
    return ["" if gone else _text(value) for value, gone in zip(values, missing, strict=True)]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    # Half a character, which Python allows in a text, fits into no column.
    return str(value).encode("utf-8", "replace").decode()
