"""What an examination has found, as ``examination.json`` tells it.

From the folds of its variants to numbers; the form is that which
`kekule.visualization.examination_view` reads, with more beside it.

Symbols: R usable rows, B bins of similarity.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kekule._errors import KekuleError
from kekule.evaluation import (
    METRICS,
    NETWORK,
    FoldInputs,
    FoldResult,
    FoldTask,
    compare,
    shipped,
    split_rows,
)
from kekule.evaluation.comparison import INTERVAL
from kekule.evaluation.cross_validation import NO_INTERVAL
from kekule.evaluation.error_by_similarity import N_BINS, bin_of, training_similarity
from kekule.evaluation.fewer_rows import n_training_rows
from kekule.evaluation.nested import recipe_of_result
from kekule.evaluation.one_test_set import (
    INTERVAL_OF_ROWS,
    difference_of,
    has_one_test_set,
    interval_of,
)
from kekule.evaluation.parallel import one_thread
from kekule.evaluation.summaries import ScoreSummary, summarise
from kekule.evaluation.tuning import score_of
from kekule.models.ensemble_settings import AUTO
from kekule.models.members import Material
from kekule.models.shipped import shipped_from
from kekule.workflow.examining_plan import CHANCE, Variant
from kekule.workflow.nearness_of_run import counts_of, every_how_many
from kekule.workflow.prepare import Prepared

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

Told = dict[str, Any]

FEWER = "fewer rows"  # beside NETWORK, where two sizes are compared


class Trained(NamedTuple):
    """A variant and what its folds left."""

    variant: Variant
    results: dict[FoldTask, FoldResult]


def interval_told(inputs: FoldInputs, metric: str) -> str:
    """How the intervals were found, in words."""
    if inputs.resampling > 1:
        return INTERVAL
    named = metric.replace("_", " ")
    return INTERVAL_OF_ROWS.format(named) if has_one_test_set(inputs) else NO_INTERVAL


def told_of_ladder(trained: Sequence[Trained], prepared: Prepared, metric: str) -> list[Told]:
    """Each split: how near its test rows lie to training, and the scores of all models there."""
    counts = _counts(prepared) if trained else None
    return [_rung(each, counts, metric) for each in trained]


def told_of_curve(trained: Sequence[Trained], metric: str) -> list[Told]:
    """Each size: its score on the test rows, and on training rows of the first fold."""
    return [
        {
            "share": each.variant.share,
            "rows": n_training_rows(each.variant.inputs),
            **_scores(each, metric),
            "train_primary": score_on_training_rows(each, metric),
        }
        for each in trained
    ]


def told_of_scrambled(trained: Trained, metric: str) -> Told:
    """Score on labels dealt anew, beside what the frequencies of the classes alone get."""
    scores = _scores(trained, metric)
    chance = _summary(trained, metric, CHANCE).mean
    low, high = scores["primary"]["low"], scores["primary"]["high"]
    known = chance is not None and low is not None
    return scores | {
        "chance": chance,
        "chance_is": f"the {CHANCE} of the training labels, on the same folds",
        "holds_chance": bool(low <= chance <= high) if known else None,
    }


def gain_of_curve(trained: Sequence[Trained], metric: str) -> Told | None:
    """What the last doubling of the training rows brought on the same test rows.

    Of folds a corrected paired t test, see `kekule.evaluation.comparison`; of a single test set
    an interval over its rows and no p value; None where neither can be had.
    """
    if len(trained) < 2:
        return None
    fewer, all_ = trained[-2:]
    told = {"from_share": fewer.variant.share}
    inputs = all_.variant.inputs
    pairs = zip(_summary(all_, metric).folds, _summary(fewer, metric).folds, strict=True)
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if has_one_test_set(inputs) and known:
        both = all_.results | {t._replace(model=FEWER): r for t, r in fewer.results.items()}
        found = difference_of(both, NETWORK, FEWER, inputs, metric)
        mean = float(np.mean([a - b for a, b in known]))
        return told | {"mean": mean, "low": found.low, "high": found.high, "p": None}
    if len(known) < 2 or inputs.resampling <= 1:
        return None
    ours, theirs = zip(*known, strict=True)
    return told | compare(ours, theirs, inputs.resampling)._asdict()


def score_on_training_rows(trained: Trained, metric: str) -> float | None:
    """Score of the first fold's model on the rows that it was fitted to.

    That of one fold, since the weights of one are kept: it says how much was learnt by heart,
    and needs no interval.
    """
    inputs = trained.variant.inputs
    task = shipped(inputs.recipe)
    result = trained.results[task]
    train, held, _ = split_rows(inputs, task)
    rows = np.union1d(train, held) if inputs.recipe.model.name == AUTO else train
    with one_thread():
        model = shipped_from(
            _settings(inputs, result),
            result.weights,
            schema=inputs.graphs.schema,
            n_classes=inputs.n_classes,
            n_tasks=inputs.n_tasks,
        )
        answered = model.probabilities(Material(inputs.graphs, inputs.tables).take(rows))
    return score_of(metric, inputs.targets[rows], answered)


def similarity_histogram(counts: "Counts | None", inputs: FoldInputs) -> Told | None:
    """Count test rows by their similarity to the nearest row that their fold was trained on.

    Of the first seed. Of many rows an even sample of the test rows is asked about, each still
    against all training rows.

    Returns
    -------
    dict or None
        ``edges``, B + 1 limits from 0 to 1; ``counts``, B; ``mean`` of the rows asked about.
    """
    if counts is None:
        return None
    seed, n_rows = inputs.recipe.seed, len(inputs.targets)
    tested = int((inputs.splits[seed].fold >= 0).sum())
    step = every_how_many(tested, n_rows)
    folds = []
    for fold in range(inputs.n_folds):
        train, held, test = split_rows(inputs, FoldTask(NETWORK, seed, fold))
        folds.append((np.union1d(train, held), test[::step]))
    try:
        similarity = training_similarity(counts, folds)
    except KekuleError:
        return None
    found = similarity[~np.isnan(similarity)]
    return {
        "edges": [k / N_BINS for k in range(N_BINS + 1)],
        "counts": np.bincount(bin_of(found), minlength=N_BINS).tolist(),
        "mean": float(found.mean()),
    }


def _counts(prepared: Prepared) -> "Counts | None":
    try:
        return counts_of(prepared.origin, prepared.usable)
    except KekuleError:  # of rows that cannot be counted: the ladder goes without
        return None


def _rung(trained: Trained, counts: "Counts | None", metric: str) -> Told:
    inputs = trained.variant.inputs
    split = inputs.splits[inputs.recipe.seed]
    return {
        "split": trained.variant.name,
        "description": split.description,
        "rows": int((split.fold >= 0).sum()),
        "similarity_histogram": similarity_histogram(counts, inputs),
        **_scores(trained, metric),
        "baselines": {
            name: _plain(_summary(trained, metric, name))
            for name in inputs.recipe.protocol.baselines
        },
    }


def _scores(trained: Trained, metric: str) -> Told:
    """The run's primary score with its folds, and the others without."""
    found = summarise(trained.results, NETWORK, trained.variant.inputs)
    others = {
        name: {"mean": found[name].mean, "low": found[name].low, "high": found[name].high}
        for name in METRICS
    }
    return {"primary": _plain(_over_rows(found[metric], trained, metric)), "metrics": others}


def _summary(trained: Trained, metric: str, model: str = NETWORK) -> ScoreSummary:
    """A score of a model, on a single test set with the interval over its rows."""
    found = summarise(trained.results, model, trained.variant.inputs)[metric]
    return _over_rows(found, trained, metric, model)


def _over_rows(
    found: ScoreSummary, trained: Trained, metric: str, model: str = NETWORK
) -> ScoreSummary:
    inputs = trained.variant.inputs
    if not has_one_test_set(inputs):
        return found
    ends = interval_of(trained.results, model, inputs, metric)
    return replace(found, low=ends.low, high=ends.high)


def _plain(summary: ScoreSummary) -> Told:
    return asdict(summary) | {"folds": list(summary.folds)}  # as JSON gives it back


def _settings(inputs: FoldInputs, result: FoldResult) -> Told:
    """Settings of a fold's model: those chosen in it, or of an ensemble what it is made of."""
    if inputs.recipe.model.name == AUTO:
        return {"name": AUTO, **json.loads(result.told)["shipped"]}
    return dict(recipe_of_result(inputs.recipe, result).model.model_dump(mode="json"))
