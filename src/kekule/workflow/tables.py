"""The tables of a run folder: out-of-fold predictions and learning curves."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule.data import OK, WARNING
from kekule.evaluation import FINAL, NETWORK, FoldResult, FoldTask, out_of_fold
from kekule.workflow.prepare import Prepared
from kekule.workflow.smiles import smiles_of


def predictions_table(prepared: Prepared, results: dict[FoldTask, FoldResult]) -> pd.DataFrame:
    """Out-of-fold predictions, one row per row of the source, in order.

    Columns: ``row``, ``target`` as given, ``status``, ``reason``, ``smiles_used`` where the
    graphs are molecules, then of the first seed ``fold`` (1-based), ``prediction`` and
    ``probability`` (of the last class; ``probability_<class>`` with more than two), then
    the same of every further seed with ``seed<n>.`` before it.
    """
    n_rows, recipe = len(prepared.graphs), prepared.inputs.recipe
    targets = prepared.graphs.targets
    table = pd.DataFrame({"row": np.arange(n_rows)})
    table["target"] = [] if targets is None else targets.astype(str)
    table["status"], table["reason"] = prepared.status(), prepared.reasons
    if prepared.graphs.alphabet is not None:
        table["smiles_used"], doubts = smiles_of(prepared.graphs)
        for row, doubt in enumerate(doubts):
            if doubt and table.loc[row, "status"] == OK:
                reason = f"used as a graph; it is no valid molecule: {doubt}"
                table.loc[row, ["status", "reason"]] = [WARNING, reason]
    for number, seed in enumerate(recipe.seeds):
        prefix = "" if number == 0 else f"seed{seed}."
        fold, labels, probabilities = out_of_fold(results, NETWORK, seed, len(prepared.usable))
        table[prefix + "fold"] = _spread(fold + 1, prepared.usable, n_rows)
        names = pd.Series(np.asarray(prepared.classes, dtype=object)[labels], prepared.usable)
        table[prefix + "prediction"] = names.reindex(range(n_rows), fill_value="")
        for column, values in probability_columns(prepared.classes, probabilities).items():
            full = np.full(n_rows, np.nan)
            full[prepared.usable] = values
            table[prefix + column] = full
    return table


def probability_columns(
    classes: tuple[str, ...], probabilities: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Probability columns by name: one for two classes, else one a class."""
    if len(classes) == 2:
        return {"probability": probabilities[:, 1]}
    return {f"probability_{name}": probabilities[:, k] for k, name in enumerate(classes)}


def curves_table(results: dict[FoldTask, FoldResult]) -> pd.DataFrame:
    """Losses of every epoch of every network; fold 0 is the final model, folds count from 1."""
    parts = [
        pd.DataFrame(
            {
                "seed": task.seed,
                "fold": 0 if task.fold == FINAL else task.fold + 1,
                "epoch": np.arange(1, len(result.train_loss) + 1),
                "train_loss": result.train_loss,
                "validation_loss": result.validation_loss,
                "chosen": np.arange(len(result.train_loss)) == result.best_epoch,
            }
        )
        for task, result in results.items()
        if task.model == NETWORK
    ]
    return pd.concat(parts, ignore_index=True)


def _spread(values: NDArray[np.int64], rows: NDArray[np.int64], n_rows: int) -> pd.Series:
    """Values at their rows, missing elsewhere."""
    return pd.Series(values, rows).reindex(range(n_rows)).astype("Int64")
