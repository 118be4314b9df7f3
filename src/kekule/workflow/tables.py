"""The table of out-of-fold predictions of a run folder.

Symbols: N rows of the source, R usable rows.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule.data import OK, WARNING, RowStatus, kept_apart
from kekule.evaluation import NETWORK, FoldResult, FoldTask, out_of_fold
from kekule.registry.answers import answer_columns
from kekule.workflow.prepare import Prepared


def predictions_table(prepared: Prepared, results: dict[FoldTask, FoldResult]) -> pd.DataFrame:
    """Out-of-fold predictions, one row per row of the source, in order.

    Columns: ``row``, the table's own or ``target`` as given, ``status``, ``reason``,
    ``smiles_used`` where the graphs are molecules, then of the first seed ``fold`` (1-based),
    ``prediction`` and ``probability`` (of the last class; ``probability_<class>`` with more
    than two), then the same of every further seed with ``seed<n>.`` before it.

    Of several tasks ``<task>.target``, ``<task>.prediction`` and ``<task>.probability`` stand
    in their places. That target is the label the row was learnt with, be it from a duplicate,
    and is empty where there is none; the prediction is there all the same.
    """
    n_rows, recipe = len(prepared), prepared.inputs.recipe
    table = pd.DataFrame({"row": np.arange(n_rows)})
    told = _targets(prepared) | _told_of_rows(prepared)
    for number, seed in enumerate(recipe.seeds):
        prefix = "" if number == 0 else f"seed{seed}."
        fold, labels, probabilities = out_of_fold(results, NETWORK, seed, len(prepared.usable))
        told[prefix + "fold"] = _spread(fold + 1, prepared.usable, n_rows)
        answers = answer_columns(
            labels, probabilities, classes=prepared.classes, tasks=prepared.tasks
        )
        for column, values in answers.items():
            nothing = "" if values.dtype == object else np.nan
            full = np.full(n_rows, nothing, dtype=values.dtype)
            full[prepared.usable] = values
            told[prefix + column] = full
    own = prepared.origin.columns
    renamed = kept_apart([str(name) for name in own.columns], {"row", *told})
    for k, name in enumerate(renamed):
        table[name] = own.iloc[:, k].to_numpy()
    return pd.concat([table, pd.DataFrame(told)], axis=1)


def _targets(prepared: Prepared) -> dict[str, Any]:
    if not prepared.tasks:
        if not prepared.inputs.recipe.protocol.scramble:
            return {"target": prepared.origin.targets()}
        return {"target": _names(prepared, prepared.classes, prepared.inputs.targets)}
    return {
        f"{task}.target": _names(prepared, classes, prepared.inputs.targets[:, k])
        for k, (task, classes) in enumerate(prepared.tasks.items())
    }


def _names(
    prepared: Prepared, classes: tuple[str, ...], codes: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Class of every row of the source; empty where there is none."""
    names = np.full(len(prepared), "", dtype=object)
    names[prepared.usable] = np.array([*classes, ""], dtype=object)[codes]
    return names


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


def _spread(values: NDArray[np.int64], rows: NDArray[np.int64], n_rows: int) -> pd.Series:
    """Folds, from 1, at their rows; missing elsewhere and where a row is in no test fold."""
    return pd.Series(values, rows).reindex(range(n_rows)).replace(0, np.nan).astype("Int64")
