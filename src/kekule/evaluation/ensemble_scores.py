"""What the members of an ensemble score, what they count, and whether its network adds anything.

Symbols: M members, F folds of all seeds.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.comparison import CONFIDENCE, compare
from kekule.evaluation.fold_inputs import FINAL, NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.evaluation.metrics import METRICS, Metric
from kekule.evaluation.per_task import mean_of_defined, task_values
from kekule.evaluation.summaries import ScoreSummary, complete, summary_of

Probabilities = NDArray[np.float64]
MEANING = {
    "members": "scores of each member alone on the test rows of the folds; weights and shares of "
    "folds in which it was kept are chosen inside the training rows",
    "network": "the ensemble beside the same ensemble weighed anew without its network",
}


def ensemble_scores(
    results: dict[FoldTask, FoldResult], inputs: FoldInputs, primary: str
) -> dict[str, Any]:
    """The part of ``scores.json`` that tells of the members of `auto`."""
    folds = [r for t, r in results.items() if t.model == NETWORK and t.fold != FINAL]
    told = [json.loads(r.told) for r in folds]
    names = [member["name"] for member in told[0]["members"]]
    final = next((r for t, r in results.items() if t.model == NETWORK and t.fold == FINAL), None)
    return {
        "meaning": MEANING,
        "plan": told[0]["plan"],
        "inner_used": [one["inner_used"] for one in told],
        "inner_by_chance": any(one["inner_by_chance"] for one in told),
        "members": [
            {
                "name": name,
                "weight": float(np.mean([_weights(one, m) for one in told])),
                "kept": float(np.mean([bool(np.any(np.array(_weights(o, m)) > 0)) for o in told])),
                "seconds": round(float(np.mean([o["members"][m]["seconds"] for o in told])), 2),
                "shipped_weight": None if final is None else _mean_weight(final, name),
                "scores": {
                    key: asdict(_summary(metric, folds, inputs, _answers_of(m)))
                    for key, metric in METRICS.items()
                },
            }
            for m, name in enumerate(names)
        ],
        "network": _of_network(folds, inputs, primary),
    }


def _weights(told: dict[str, Any], m: int) -> list[float]:
    return list(told["members"][m]["weights"])


def _mean_weight(final: FoldResult, name: str) -> float:
    found = [m["weights"] for m in json.loads(final.told)["members"] if m["name"] == name]
    return float(np.mean(found)) if found else 0.0


def _answers_of(m: int) -> Callable[[FoldResult], Probabilities]:
    def answers(result: FoldResult) -> Probabilities:
        of_member: Probabilities = result.member_probabilities[m]
        return of_member

    return answers


def _of_network(
    folds: list[FoldResult], inputs: FoldInputs, primary: str
) -> dict[str, Any] | None:
    """Ensemble with and without its network; None where it has none, or nothing else."""
    if any(not r.without_networks.size for r in folds if len(r.rows)):
        return None
    metric = METRICS[primary]
    ours = _summary(metric, folds, inputs, lambda r: r.probabilities)
    theirs = _summary(metric, folds, inputs, lambda r: r.without_networks)
    return {
        "metric": primary,
        "with": asdict(ours),
        "without": asdict(theirs),
        "verdict": _verdict(ours, theirs, inputs.resampling, primary),
    }


def _summary(
    metric: Metric,
    folds: list[FoldResult],
    inputs: FoldInputs,
    answers: Callable[[FoldResult], Probabilities],
) -> ScoreSummary:
    values = []
    for result in folds:
        truth, given = inputs.targets[result.rows], answers(result)
        if truth.ndim == 1:
            values.append(metric.compute(truth, given.argmax(-1), given))
        else:
            values.append(mean_of_defined(task_values(metric, truth, given.argmax(-1), given)))
    return summary_of(tuple(values), inputs.resampling, (metric.low, metric.high))


def _verdict(ours: ScoreSummary, theirs: ScoreSummary, n_folds: float, primary: str) -> str:
    """Whether the graph network adds anything, in one sentence."""
    name = primary.replace("_", " ")
    if ours.mean is None or theirs.mean is None:
        return f"Whether the graph network adds anything cannot be said: no fold has a {name}."
    gap = ours.mean - theirs.mean
    numbers = f"{name} {ours.mean:.3f} with it, {theirs.mean:.3f} without"
    with_it, without = complete(ours.folds), complete(theirs.folds)
    if n_folds <= 1 or len(with_it) < 2 or len(with_it) != len(without):
        return f"On one test set: {numbers}; nothing says whether that is more than noise."
    d = compare(with_it, without, n_folds)
    if d.p >= 1 - CONFIDENCE:
        return f"The graph network adds nothing that can be told from noise: {numbers}."
    word = "adds to" if gap > 0 else "takes from"
    return f"The graph network {word} the ensemble: {numbers} (p = {d.p:.2g})."
