"""Folds of whole groups that the user names: batches, laboratories, patents, assays."""

import numpy as np

from kekule._errors import KekuleError
from kekule.data.splits.grouped import grouped_split
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.labels import numbered
from kekule.data.splits.split import Split


def group_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Test on groups that were not trained on, in k folds even in rows and classes.

    Use it when rows of one origin are alike for reasons that are not chemistry. Two cells
    name one group if they are the same text but for blanks around it. An empty cell is
    refused: a row of unknown origin may belong to any group, and so to both sides.

    Raises
    ------
    KekuleError
        If there is no column, a cell is empty, or there are fewer groups than folds.
    """
    names = [cell.strip() for cell in inputs.cells("group")]
    empty = [position for position, name in enumerate(names) if not name]
    if empty:
        others = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
        raise KekuleError(
            f"{inputs.where(empty[0])}{others}: the cell is empty, so it is not known with which "
            "rows this one must stay. Fill it in, or leave the row out."
        )
    groups = numbered(names).astype(np.int64)
    return grouped_split("group", inputs, groups, dealing, unit="groups")
