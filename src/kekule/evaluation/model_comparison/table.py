"""Scores of several models on the same folds, as one table.

Only scores of the same rows, dealt into the same folds, may be set against each other fold
by fold; everything else is refused here, so that no test below has to ask.

Symbols: M models, k folds, S repeats (seeds), J = S · k scores of each model. Must not know
where a ``scores.json`` lies.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.comparison import DIGITS
from kekule.evaluation.metrics import METRICS

FEWEST_FOLDS = 3
OF_RUN = {  # key of scores.json: what it is called in an error
    "data_hash": "data",
    "n_rows": "number of rows",
    "n_rejected": "number of rows set aside",
    "duplicates": "treatment of duplicates",
    "classes": "classes",
    "tasks": "tasks",
    "split_hash": "given split",
}
OF_PROTOCOL = ("kind", "split", "column", "test", "folds", "seeds_used")

Scores = Mapping[str, Any]  # a scores.json, read


class ComparisonError(KekuleError, ValueError):
    """Models that cannot be compared, naming the model or run that stands in the way."""

    def __init__(self, where: str, why: str, cure: str):
        super().__init__(f"{where}: {why}. {cure}")
        self.where, self.why, self.cure = where, why, cure


class Pair(NamedTuple):
    """Difference of two models over the folds, `one` minus `other`, in units of the metric.

    Attributes
    ----------
    one, other
        Names of the models.
    mean
        Mean difference.
    low, high
        Interval of the difference; None where so few folds allow none.
    p
        Chance of a difference at least as large where there is none.
    """

    one: str
    other: str
    mean: float
    low: float | None
    high: float | None
    p: float


@dataclass(frozen=True, eq=False)
class FoldTable:
    """Scores of models on the same folds; refuses what cannot be compared.

    Attributes
    ----------
    models
        Names, all different.
    scores
        float64 (M, J), finite, M ≥ 2 and J = `n_folds` · `repeats` ≥ 3; repeat by repeat.
    metric
        Name of the score.
    higher_is_better
        Which end of the metric is good.
    n_folds, repeats
        k ≥ 2, and how often the folds were dealt.
    """

    models: tuple[str, ...]
    scores: NDArray[np.float64]
    metric: str
    higher_is_better: bool
    n_folds: int
    repeats: int

    def __post_init__(self) -> None:
        _check_models(self.models)
        shape, wanted = self.scores.shape, (len(self.models), self.n_folds * self.repeats)
        if shape != wanted:
            why = f"the scores have the shape {shape}, not {wanted} (models, folds · repeats)"
            raise ComparisonError(self.metric, why, "Give one row a model, one column a fold.")
        _check_folds(self.n_folds, wanted[1], self.metric)
        for m, j in np.argwhere(~np.isfinite(self.scores)).tolist():
            where = (
                f"{self.models[m]}, repeat {j // self.n_folds + 1}, fold {j % self.n_folds + 1}"
            )
            why = f"{self.metric} is {self.scores[m, j]}"
            raise ComparisonError(where, why, "Every model needs a number on every fold.")

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each model over the folds, float64 (M,)."""
        return np.asarray(self.scores.mean(1).round(DIGITS))

    @property
    def residuals(self) -> NDArray[np.float64]:
        """What model and fold do not explain of a score, float64 (M, J); sums of 0 both ways."""
        s = self.scores
        left = s - s.mean(1, keepdims=True) - s.mean(0, keepdims=True) + s.mean()
        return np.asarray(left.round(DIGITS))  # what lies beyond is rounding, no spread

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Row numbers of every two models."""
        return combinations(range(len(self.models)), 2)


def fold_table(
    runs: Mapping[str, Scores],
    metric: str,
    *,
    baselines: bool = True,
    without: Collection[str] = (),
) -> FoldTable:
    """Put networks and baselines of runs on the same folds into one table.

    A run's network is called as the run, its baselines ``RUN/BASELINE``. A baseline that
    several runs scored alike is one model and goes by its own name.

    Parameters
    ----------
    runs
        Name of each run, and its ``scores.json`` as read.
    metric
        One of `kekule.evaluation.METRICS`.
    baselines
        Whether the runs' baselines take part.
    without
        Models to leave out, by the names they would have in the table.

    Raises
    ------
    ComparisonError
        If runs differ in data, split or folds; a score is undefined on a fold (names model,
        seed and fold); there are fewer than two models or three folds; or folds are not of
        a cross-validation.
    """
    if metric not in METRICS:
        near = difflib.get_close_matches(metric, METRICS, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"Choose from {', '.join(METRICS)}."
        raise ComparisonError("metric", f"there is no {metric!r}", cure)
    for name, scores in runs.items():
        _check_whole(name, scores, metric)
        _check_same(next(iter(runs)), next(iter(runs.values())), name, scores)
    found = _models(runs, metric, baselines)
    if unknown := sorted(set(without) - set(found)):
        cure = f"The models are {', '.join(found)}."
        raise ComparisonError("without", f"there is no model {unknown[0]!r}", cure)
    found = {name: values for name, values in found.items() if name not in without}
    _check_models(tuple(found))
    protocol = next(iter(runs.values()))["protocol"]
    k, seeds = protocol["folds"], protocol["seeds_used"]
    _check_folds(k, k * len(seeds), metric)
    for name, values in found.items():
        _check_defined(name, values, metric, k, seeds)
    table = np.asarray(list(found.values()), dtype=np.float64)
    better = METRICS[metric].higher_is_better
    return FoldTable(tuple(found), table, metric, better, k, len(seeds))


def _models(runs: Mapping[str, Scores], metric: str, baselines: bool) -> dict[str, list[Any]]:
    """Scores of every model by its name in the table."""
    found = {name: list(scores["metrics"][metric]["folds"]) for name, scores in runs.items()}
    alike: dict[tuple[Any, ...], list[str]] = {}
    for run, scores in runs.items() if baselines else ():
        for baseline, summary in scores["baselines"].items():
            rounded = (v if v is None else round(v, DIGITS) for v in summary[metric]["folds"])
            alike.setdefault((baseline, *rounded), []).append(run)
    for (baseline, *_), owners in alike.items():
        shared = len(owners) > 1 and baseline not in found
        name = baseline if shared else f"{owners[0]}/{baseline}"
        if name in found:
            why = f"{name!r} is both a run and a baseline of {owners[0]}"
            raise ComparisonError("models", why, "Give the run another name.")
        found[name] = list(runs[owners[0]]["baselines"][baseline][metric]["folds"])
    return found


def _check_whole(name: str, scores: Scores, metric: str) -> None:
    """Refuse what is no ``scores.json``, or one of a time before the metric."""
    cure = "Give the scores.json of a complete run; train it again if it is an old one."
    for key in ("data_hash", "protocol", "metrics", "baselines"):
        if key not in scores:
            raise ComparisonError(name, f"{key!r} is missing from its scores", cure)
    for key in ("folds", "seeds_used"):
        if key not in scores["protocol"]:
            raise ComparisonError(name, f"{key!r} is missing from its protocol", cure)
    for model, summary in {name: scores["metrics"], **scores["baselines"]}.items():
        if metric not in summary:
            raise ComparisonError(name, f"{model} has no score {metric!r}", cure)


def _check_same(first: str, ours: Scores, name: str, theirs: Scores) -> None:
    """Refuse another set of rows, or the same rows dealt otherwise."""
    for key, words in OF_RUN.items():
        one, other = ours.get(key) or None, theirs.get(key) or None
        if one != other:
            why = f"its {words} ({_short(other)}) is not that of {first} ({_short(one)})"
            cure = "Train both on the same rows, with the same settings of `data`."
            raise ComparisonError(name, why, cure)
    a, b = ours["protocol"], theirs["protocol"]
    for key in OF_PROTOCOL:
        if a.get(key) != b.get(key):
            why = f"protocol {key} is {b.get(key)!r}, and {a.get(key)!r} in {first}"
            cure = "Train both with the same `protocol` and `seed`."
            raise ComparisonError(name, why, cure)
    # Folds of other sizes come of other standardisation; the last part speaks of the epoch.
    one, other = (p.get("description", "").rpartition("; ")[0] for p in (a, b))
    if one != other:
        why = f"its folds are {other!r}, and {one!r} in {first}"
        raise ComparisonError(name, why, "Train both with the same `standardise` and `protocol`.")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"


def _check_models(models: tuple[str, ...]) -> None:
    if len(models) < 2:
        why = f"there is {models[0]!r} alone" if models else "there are none"
        raise ComparisonError("models", why, "Give at least two models to compare.")
    if twice := [name for name in models if models.count(name) > 1]:
        raise ComparisonError("models", f"{twice[0]!r} is there twice", "Give each its own name.")


def _check_folds(n_folds: int, n_scores: int, metric: str) -> None:
    if n_folds < 2:
        why = "there is a single test set, whose luck no repeat can show"
        raise ComparisonError(metric, why, "Compare models by cross-validation.")
    if n_scores < FEWEST_FOLDS:
        why = f"{n_scores} folds are too few to tell a difference from noise"
        raise ComparisonError(metric, why, "Train with protocol.folds=5 and protocol.seeds=5.")


def _check_defined(
    name: str, values: list[float | None], metric: str, n_folds: int, seeds: list[int]
) -> None:
    if len(values) != n_folds * len(seeds):
        why = f"there are {len(values)} scores, not {n_folds} folds of {len(seeds)} seeds"
        raise ComparisonError(name, why, "Train the run again, to its end.")
    if None in values:
        j = values.index(None)
        where = f"{name}, seed {seeds[j // n_folds]}, fold {j % n_folds + 1}"
        why = f"{metric} is undefined there, and on {values.count(None)} of {len(values)} folds"
        cure = f"Choose another metric, or leave the model out with without=[{name!r}]."
        raise ComparisonError(where, why, cure)
