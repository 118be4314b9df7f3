"""The tables of a run folder: out-of-fold predictions and learning curves."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule.data import OK, WARNING, RowStatus, kept_apart
from kekule.evaluation import FINAL, NETWORK, FoldResult, FoldTask, out_of_fold
from kekule.workflow.prepare import Prepared


def predictions_table(prepared: Prepared, results: dict[FoldTask, FoldResult]) -> pd.DataFrame:
    """Out-of-fold predictions, one row per row of the source, in order.

    Columns: ``row``, the table's own or ``target`` as given, ``status``, ``reason``,
    ``smiles_used`` where the graphs are molecules, then of the first seed ``fold`` (1-based),
    ``prediction`` and ``probability`` (of the last class; ``probability_<class>`` with more
    than two), then the same of every further seed with ``seed<n>.`` before it.
    """
    n_rows, recipe = len(prepared), prepared.inputs.recipe
    table = pd.DataFrame({"row": np.arange(n_rows)})
    told: dict[str, Any] = {"target": prepared.origin.targets()}
    told |= _told_of_rows(prepared)
    for number, seed in enumerate(recipe.seeds):
        prefix = "" if number == 0 else f"seed{seed}."
        fold, labels, probabilities = out_of_fold(results, NETWORK, seed, len(prepared.usable))
        told[prefix + "fold"] = _spread(fold + 1, prepared.usable, n_rows)
        names = np.where(fold < 0, "", np.asarray(prepared.classes, dtype=object)[labels])
        spread = pd.Series(names, prepared.usable, dtype=object)
        told[prefix + "prediction"] = spread.reindex(range(n_rows), fill_value="")
        for column, values in probability_columns(prepared.classes, probabilities).items():
            full = np.full(n_rows, np.nan)
            full[prepared.usable] = values
            told[prefix + column] = full
    own = prepared.origin.columns
    renamed = kept_apart([str(name) for name in own.columns], {"row", *told})
    for k, name in enumerate(renamed):
        table[name] = own.iloc[:, k].to_numpy()
    return pd.concat([table, pd.DataFrame(told)], axis=1)


def _told_of_rows(prepared: Prepared) -> dict[str, list[str]]:
    """Status, reason and, of molecules, the SMILES of every row."""
    statuses = list(prepared.statuses)
    if not prepared.origin.is_molecular:
        return _columns(statuses)
    smiles, doubts = prepared.origin.smiles()
    for row, doubt in enumerate(doubts):
        if doubt and statuses[row].status == OK:
            reason = f"used as a graph; it is no valid molecule: {doubt}"
            statuses[row] = RowStatus(WARNING, reason)
    return _columns(statuses) | {"smiles_used": smiles}


def _columns(statuses: list[RowStatus]) -> dict[str, list[str]]:
    return {"status": [s.status for s in statuses], "reason": [s.reason for s in statuses]}


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
    """Folds, from 1, at their rows; missing elsewhere and where a row is in no test fold."""
    return pd.Series(values, rows).reindex(range(n_rows)).replace(0, np.nan).astype("Int64")
