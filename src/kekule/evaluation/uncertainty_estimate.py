"""What calibration, threshold, sets and domain are worth outside: `uncertainty` of the scores.

In every outer fold they are fitted on that fold's inner rows and applied to its test rows, which
no part of them has seen. What is shipped may be fitted on more rows, see
`kekule.evaluation.uncertainty_fitting`, and then does a little better than is told here.

Symbols: T tasks. Must not know where results are kept or how they look.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kekule.evaluation.fold_inputs import FINAL, NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.evaluation.uncertainty import TaskUncertainty, Uncertainty
from kekule.evaluation.uncertainty_domain import RunDomain, domain_of_run
from kekule.evaluation.uncertainty_fitting import uncertainty_of_fold
from kekule.evaluation.uncertainty_scores import Tested, Told, scores_of_task

INTERVALS = "95 % Wilson intervals; a row that several seeds tested counts once"


def estimate_uncertainty(
    results: Mapping[FoldTask, FoldResult],
    inputs: FoldInputs,
    *,
    domain: RunDomain | None = None,
) -> dict[str, Any]:
    """Fit inside every fold, apply outside, and pool over folds and seeds.

    Parameters
    ----------
    results, inputs
        Of a finished run; results of the recipe's own model are read.
    domain
        `domain_of_run` of this run, to spare measuring it twice.

    Returns
    -------
    dict
        JSON, finite: ``intervals``, ``domain``, and ``calibration``, ``threshold`` and
        ``conformal``; of several tasks these three in ``tasks`` under the name of each. A part
        that cannot be told has ``why_not``, in words; ``threshold`` is None where no aim was
        given.
    """
    parts = _tested(results, inputs)
    scores = [scores_of_task(part, inputs.recipe.uncertainty) for part in parts]
    measured = domain_of_run(results, inputs) if domain is None else domain
    several = dict(zip(inputs.tasks, scores, strict=True)) if inputs.tasks else None
    return {
        "intervals": INTERVALS,
        **(scores[0] if several is None else {"tasks": several}),
        "domain": measured.to_json(),
    }


def told_of_shipped(uncertainty: Uncertainty, tasks: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the bundle was given, for the reader of a report: JSON, finite.

    Parameters
    ----------
    uncertainty
        Of the shipped model.
    tasks
        Names of several tasks; none where there is one.
    """
    told = [_told(task) for task in uncertainty.tasks]
    return {
        "fitted_on": uncertainty.fitted_on,
        "confidence": uncertainty.settings.confidence,
        "similarity": uncertainty.similarity,
        **({"tasks": dict(zip(tasks, told, strict=True))} if tasks else told[0]),
    }


def _told(task: TaskUncertainty) -> Told:
    cut = task.threshold
    counts = [len(known) for known in task.conformal.calibration]
    return {
        "calibrator": task.calibrator.kind,
        "why": task.why,
        "rows": task.n_rows,
        "threshold": None if cut is None else cut.value,
        "threshold_reason": "" if cut is None else cut.reason,
        "calibration_rows": {str(k): count for k, count in enumerate(counts)},
    }


def _tested(results: Mapping[FoldTask, FoldResult], inputs: FoldInputs) -> list[list[Tested]]:
    """Test rows with a label and what was fitted for them, by task and fold."""
    several = inputs.targets.ndim > 1
    parts: list[list[Tested]] = [[] for _ in range(inputs.n_tasks)]
    for task, result in results.items():
        if task.model != NETWORK or task.fold == FINAL:
            continue
        fitted = uncertainty_of_fold(result, inputs, task)
        for t, own in enumerate(fitted.tasks):
            truth = inputs.targets[result.rows]
            truth = truth[:, t] if several else truth
            given = result.probabilities[:, t] if several else result.probabilities
            known = (truth >= 0) & np.isfinite(given).all(axis=-1)
            parts[t].append(Tested(result.rows[known], truth[known], given[known], own))
    return parts
