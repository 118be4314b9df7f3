"""How sure a model is of each row, as columns beside its answers.

Symbols: n rows, T tasks, K classes of each, W columns of counts.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.domain import Domain
from kekule.evaluation.uncertainty import Uncertainty
from kekule.registry.answers import Columns

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

SET_COLUMN, NEAR_COLUMNS = "prediction_set", ("in_domain", "similarity", "nearest_row")
BETWEEN = "|"  # of classes in a set


def uncertainty_columns(
    uncertainty: Uncertainty,
    probabilities: NDArray[np.float64],
    counts: "Counts | None" = None,
    *,
    counted: NDArray[np.int64] | None = None,
    classes: Sequence[str],
    tasks: Mapping[str, Sequence[str]],
) -> Columns:
    """``prediction_set``, and of a row whose neighbours are known how near they are.

    Parameters
    ----------
    uncertainty
        Of the bundle.
    probabilities
        (n, K), or (n, T, K) of several tasks: the model's own, not calibrated; NaN where there
        is no answer.
    counts
        (rows counted, W), of the kind that ``uncertainty.similarity`` names; None leaves the
        three columns out, as does an uncertainty without a domain.
    counted
        int64, rows that `counts` are of; all n where not given. Others have no neighbours.
    classes
        Names of the classes of one task.
    tasks
        Names of several tasks with those of their classes; empty where there is one.

    Returns
    -------
    dict
        ``prediction_set``, class names joined by ``|``: empty where no class is left, and where
        there is no answer; of several tasks each with its ``<task>.`` before it. Then, once for
        each row, ``in_domain``, True or False, where it was measured what that is worth;
        ``similarity``; ``nearest_row``, the number of a training row in its source. None and
        NaN where there is no answer.
    """
    sets = uncertainty.sets(probabilities)
    named = {f"{task}.{SET_COLUMN}": names for task, names in tasks.items()}
    by_task = np.moveaxis(sets, 1, 0) if tasks else sets[None]
    columns: Columns = {
        name: _joined(of_task, names)
        for (name, names), of_task in zip(
            (named or {SET_COLUMN: classes}).items(), by_task, strict=True
        )
    }
    if counts is None or uncertainty.domain is None:
        return columns
    classes_and_tasks = tuple(range(1, probabilities.ndim))
    answered = np.asarray(np.isfinite(probabilities).all(axis=classes_and_tasks), dtype=np.bool_)
    rows = np.arange(len(answered)) if counted is None else counted
    return columns | _near(uncertainty.domain, counts, rows, answered)


def _joined(sets: NDArray[np.bool_], names: Sequence[str]) -> NDArray[np.object_]:
    # A name that holds the mark would read as two.
    told = [name.replace("\\", "\\\\").replace(BETWEEN, f"\\{BETWEEN}") for name in names]
    texts = [BETWEEN.join(n for n, kept in zip(told, row, strict=True) if kept) for row in sets]
    return np.array(texts, dtype=object)


def _near(
    domain: Domain,
    counts: "Counts",
    rows: NDArray[np.int64],
    answered: NDArray[np.bool_],
) -> Columns:
    n = len(answered)
    similarity, nearest = np.full(n, np.nan), np.full(n, None, dtype=object)
    inside = np.full(n, None, dtype=object)
    asked = np.flatnonzero(answered[rows])
    if len(asked):
        near = domain.closeness(counts[asked])
        similarity[rows[asked]] = near.similarity
        nearest[rows[asked]] = near.nearest_row.tolist()
        inside[rows[asked]] = (near.similarity >= domain.threshold).tolist()
    columns: Columns = {"similarity": similarity, "nearest_row": nearest}
    if domain.worth is None:
        return columns
    return {"in_domain": inside, **columns}
