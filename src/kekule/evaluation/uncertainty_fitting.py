"""Fit what is said of a model beside its answers, on rows the model was not fitted on.

Rows may be few, of one class, or none. What cannot be fitted on them is left out, and says why:
the probabilities stay as they are, the most probable class is given, and no class is excluded.

Symbols: m rows to fit on, G graphs, T tasks, K classes. Must not know models or storage.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration.calibrator import CALIBRATORS, Calibrator
from kekule.evaluation.calibration.choice import (
    FOR_FEW_ROWS,
    OF_A_CLASS_FOR_A_CURVE,
    ROWS_FOR_A_CURVE,
    choose_calibrator,
)
from kekule.evaluation.calibration.uncalibrated import Uncalibrated
from kekule.evaluation.conformal import Conformal, fit_conformal
from kekule.evaluation.fold_inputs import (
    FINAL,
    NETWORK,
    FoldInputs,
    FoldResult,
    FoldTask,
    Rows,
)
from kekule.evaluation.folds import groups_of, shipped
from kekule.evaluation.thresholds import Threshold, ThresholdError, choose_threshold
from kekule.evaluation.uncertainty import (
    AS_IT_IS,
    Probabilities,
    TaskUncertainty,
    Uncertainty,
)
from kekule.evaluation.uncertainty_domain import RunDomain, domain_of_run
from kekule.evaluation.uncertainty_settings import AUTO, UncertaintySettings

SCORE = "hinge"
NO_ROWS = "there are no rows with a label that the model was not fitted on"


class _Fitting(NamedTuple):
    """How to fit, whatever the rows."""

    settings: UncertaintySettings
    seed: int
    n_classes: int


def fit_uncertainty(
    probabilities: Probabilities,
    truth: NDArray[np.int64],
    *,
    groups: Rows | None = None,
    settings: UncertaintySettings,
    seed: int = 0,
    n_classes: int,
    fitted_on: str = "",
) -> Uncertainty:
    """Fit calibrator, threshold and sets of every task on the rows that have its label.

    Calibrator and threshold are fitted on the same rows, so what the threshold reaches on them
    is a little too good. Sets are calibrated with the model's own probabilities. Where the rows
    chose something of the model, an epoch or the weights of an ensemble, the promise of the sets
    holds about, not exactly; `kekule.evaluation.uncertainty_estimate` measures what is left.

    Not on rows the model was fitted on: it would be found as sure as it is right.

    Parameters
    ----------
    probabilities
        float64 (m, K) or (m, T, K), as the model gives them; a row with NaN is left out.
    truth
        int64 (m,) or (m, T), -1 where a label is missing; says whether there are several tasks.
    groups
        int64 (m,), see `choose_calibrator`; each row its own where not given.
    settings
        What is wanted.
    seed
        Deals rows to the folds that choose a calibrator.
    n_classes
        K; rows may be none, and then do not say.
    fitted_on
        Which rows these are, in words.
    """
    truth = np.asarray(truth)
    of_tasks = truth[:, None] if truth.ndim == 1 else truth
    given = np.asarray(probabilities, dtype=np.float64)
    given = given.reshape(len(truth), of_tasks.shape[1], n_classes)
    fitting = _Fitting(settings, seed, n_classes)
    tasks = []
    for t in range(of_tasks.shape[1]):
        known = (of_tasks[:, t] >= 0) & np.isfinite(given[:, t]).all(axis=1)
        own = None if groups is None else np.asarray(groups)[known]
        tasks.append(_fitted(given[known, t], of_tasks[known, t], own, fitting))
    return Uncertainty(tuple(tasks), settings, fitted_on)


def uncertainty_of_shipped(
    results: Mapping[FoldTask, FoldResult],
    inputs: FoldInputs,
    shipped_task: FoldTask | None = None,
    *,
    domain: RunDomain | None = None,
) -> Uncertainty:
    """Fit what goes into the bundle with the model that is shipped.

    An ensemble has out-of-fold answers of its own. A network trained anew on all rows has only a
    few rows it was not fitted on; the answers of the first seed's folds for their test rows take
    their place where they are more. They are of networks that saw a little less, so that the
    promise of the sets is given up for sharper ones, see `cross_conformal_calibration`. Of a
    nested run they are those of each fold's first final run: it is one network that is shipped,
    and the mean of several would be calibrated otherwise.

    Parameters
    ----------
    results, inputs
        Of a finished run.
    shipped_task
        `kekule.evaluation.shipped` of the recipe where not given.
    domain
        `domain_of_run` of this run, to spare measuring it twice, with the numbers that rows
        have in the source.
    """
    task = shipped(inputs.recipe) if shipped_task is None else shipped_task
    rows, answers, fitted_on = _rows_of_shipped(results, inputs, task)
    groups = groups_of(inputs, task)
    found = fit_uncertainty(
        answers,
        inputs.targets[rows],
        groups=None if groups is None else groups[rows],
        settings=inputs.recipe.uncertainty,
        seed=task.seed,
        n_classes=inputs.n_classes,
        fitted_on=fitted_on,
    )
    measured = domain_of_run(results, inputs) if domain is None else domain
    return replace(found, domain=measured.domain, similarity=measured.similarity)


def uncertainty_of_fold(result: FoldResult, inputs: FoldInputs, task: FoldTask) -> Uncertainty:
    """Fit on a fold's inner rows, which its test rows are none of."""
    groups = groups_of(inputs, task)
    return fit_uncertainty(
        result.inner_probabilities,
        inputs.targets[result.inner_rows],
        groups=None if groups is None else groups[result.inner_rows],
        settings=inputs.recipe.uncertainty,
        seed=task.seed,
        n_classes=inputs.n_classes,
        fitted_on=_inner_rows(result),
    )


def _rows_of_shipped(
    results: Mapping[FoldTask, FoldResult], inputs: FoldInputs, task: FoldTask
) -> tuple[Rows, Probabilities, str]:
    """Rows the shipped model was not fitted on, answers for them, and which they are."""
    result = results[task]
    own = result.inner_rows, result.inner_probabilities, _inner_rows(result)
    if result.told or task.fold != FINAL:
        return own
    first = {t: r for t, r in results.items() if (t.model, t.seed) == (NETWORK, task.seed)}
    parts = [r for t, r in first.items() if t.fold != FINAL and len(r.rows)]
    rows = np.concatenate([r.rows for r in parts]) if parts else own[0]
    if len(rows) <= len(own[0]):
        return own
    answers = np.concatenate([_of_one_network(r) for r in parts])
    order = np.argsort(rows, kind="stable")
    return rows[order], answers[order], f"answers of the folds of seed {task.seed}"


def _of_one_network(result: FoldResult) -> Probabilities:
    runs = result.run_probabilities
    return runs[0] if len(runs) else result.probabilities


def _inner_rows(result: FoldResult) -> str:
    if result.told:
        return "the ensemble's own out-of-fold answers"
    return "rows that chose the epoch"


def _fitted(
    given: Probabilities, truth: NDArray[np.int64], groups: Rows | None, fitting: _Fitting
) -> TaskUncertainty:
    """Fit one task, on rows that all have a label and an answer."""
    settings, n_classes = fitting.settings, fitting.n_classes
    if not len(truth):
        nothing = Conformal(SCORE, tuple(np.zeros(0) for _ in range(n_classes)))
        cut = settings.threshold and Threshold(None, settings.threshold, None, 0, reason=NO_ROWS)
        why = f"{AS_IT_IS}: {NO_ROWS}"
        return TaskUncertainty(Uncalibrated(n_classes), why, cut or None, nothing, 0)
    calibrator, why = _calibrator(given, truth, groups, fitting)
    conformal = fit_conformal(given, truth, score=SCORE)
    found = TaskUncertainty(calibrator, why, None, conformal, len(truth))
    if settings.threshold is None:
        return found
    cut = _threshold(found.calibrated(given), truth, settings.threshold)
    return replace(found, threshold=cut)


def _calibrator(
    given: Probabilities, truth: NDArray[np.int64], groups: Rows | None, fitting: _Fitting
) -> tuple[Calibrator, str]:
    name = fitting.settings.calibration
    if name == AUTO:
        choice = choose_calibrator(given, truth, groups=groups, seed=fitting.seed)
        return choice.calibrator, choice.why
    fewest = int(np.bincount(truth, minlength=fitting.n_classes).min())
    why = f"{name}: as the recipe asks, on {len(truth)} rows"
    if name not in FOR_FEW_ROWS and (
        len(truth) < ROWS_FOR_A_CURVE or fewest < OF_A_CLASS_FOR_A_CURVE
    ):
        why += f", {fewest} of the rarest class, which are too few for a free curve"
    return CALIBRATORS[name].fit(given, truth), why


def _threshold(calibrated: Probabilities, truth: NDArray[np.int64], aim: str) -> Threshold:
    try:
        return choose_threshold(calibrated, truth, aim)
    except ThresholdError as error:  # an aim for two classes, where there are more
        return Threshold(None, aim, None, len(truth), reason=error.why)
