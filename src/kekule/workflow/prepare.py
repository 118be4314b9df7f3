"""From a recipe's data to the inputs of its folds, every row accounted for.

Symbols: N rows of the source, R usable rows, K classes.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data import INVALID, OK, LabelledGraphs, find_set, stratified_folds
from kekule.evaluation import FoldInputs, Recipe
from kekule.features import misfits, pack, schema_of


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set ready for its folds.

    Attributes
    ----------
    graphs
        The set as its source gives it, N graphs.
    usable
        int64 (R,), rows that can be trained on, rising.
    reasons
        N strings; why a row cannot, empty where it can.
    classes
        K class names as spelt in the data, in the order of their numbers.
    inputs
        What the folds share; row r of it is row ``usable[r]`` of the source.
    """

    graphs: LabelledGraphs
    usable: NDArray[np.int64]
    reasons: list[str]
    classes: tuple[str, ...]
    inputs: FoldInputs

    def status(self) -> list[str]:
        """Status of each of the N rows."""
        return [INVALID if reason else OK for reason in self.reasons]

    def rejected(self) -> pd.DataFrame:
        """Rows that were set aside: row, status, reason."""
        rows = [row for row, reason in enumerate(self.reasons) if reason]
        reasons = [self.reasons[row] for row in rows]
        return pd.DataFrame({"row": rows, "status": INVALID, "reason": reasons})


def prepare(recipe: Recipe) -> Prepared:
    """Read the recipe's set, set unusable rows aside, number the classes, pack the graphs.

    Raises
    ------
    DataFileError
        If the set cannot be found or read, or has no class labels.
    KekuleError
        If its classes cannot be shared out over the recipe's folds.
    """
    graphs = find_set(recipe.data.source)
    if graphs.targets is None:
        raise DataFileError(
            graphs.source,
            "the set has no class labels, so there is nothing to train on",
            f"Add {graphs.name}_graph_labels.txt, one class a line.",
        )
    schema = schema_of(graphs)
    reasons = misfits(graphs, schema)
    usable = np.flatnonzero([not reason for reason in reasons])
    values, targets = np.unique(graphs.targets[usable], return_inverse=True)
    stratified_folds(
        targets, recipe.protocol.folds, seed=recipe.seed
    )  # fails early, or not at all
    inputs = FoldInputs(
        graphs=pack(graphs.take(usable), schema),
        targets=targets.astype(np.int64),
        n_classes=len(values),
        recipe=recipe,
    )
    return Prepared(graphs, usable, reasons, tuple(map(str, values.tolist())), inputs)
