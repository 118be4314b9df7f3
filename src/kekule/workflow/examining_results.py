"""What an examination has found, as ``examination.json`` tells it.

From the folds of its variants to numbers; the form is that which
`kekule.visualization.examination_view` reads, with more beside it.

Symbols: R usable rows, B bins of similarity.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kekule._errors import KekuleError
from kekule.data.chunked import available_cores
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
from kekule.evaluation.error_by_similarity import N_BINS, bin_of, training_similarity
from kekule.evaluation.nested import recipe_of_result
from kekule.evaluation.parallel import one_thread
from kekule.evaluation.summaries import ScoreSummary, summarise
from kekule.evaluation.tuning import score_of
from kekule.features import wl_features
from kekule.models.ensemble_settings import AUTO
from kekule.models.members import Material
from kekule.models.shipped import shipped_from
from kekule.workflow.examining_plan import CHANCE, Variant
from kekule.workflow.graph_set import GraphSet
from kekule.workflow.nearness_of_run import DEPTH, MOST_COMPARED
from kekule.workflow.prepare import Prepared

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

Told = dict[str, Any]


class Trained(NamedTuple):
    """A variant and what its folds left."""

    variant: Variant
    results: dict[FoldTask, FoldResult]


def told_of_ladder(trained: Sequence[Trained], prepared: Prepared, metric: str) -> list[Told]:
    """Each split: how near its test rows lie to training, and the scores of all models there."""
    counts = counts_of(prepared) if trained else None
    return [_rung(each, counts, metric) for each in trained]


def told_of_curve(trained: Sequence[Trained], metric: str) -> list[Told]:
    """Each size: its score on the test rows, and on training rows of the first fold."""
    from kekule.evaluation.fewer_rows import n_training_rows

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
    chance = summarise(trained.results, CHANCE, trained.variant.inputs)[metric].mean
    low, high = scores["primary"]["low"], scores["primary"]["high"]
    known = chance is not None and low is not None
    return scores | {
        "chance": chance,
        "chance_is": f"the {CHANCE} of the training labels, on the same folds",
        "holds_chance": bool(low <= chance <= high) if known else None,
    }


def gain_of_curve(trained: Sequence[Trained], metric: str) -> Told | None:
    """What the last doubling of the training rows brought, fold by fold; None if unknown.

    A corrected paired t test on the same test rows; see `kekule.evaluation.comparison`.
    """
    if len(trained) < 2:
        return None
    fewer, all_ = (_summary(each, metric).folds for each in trained[-2:])
    pairs = [(a, b) for a, b in zip(all_, fewer, strict=True) if a is not None and b is not None]
    resampling = trained[-1].variant.inputs.resampling
    if len(pairs) < 2 or resampling <= 1:
        return None
    ours, theirs = zip(*pairs, strict=True)
    return {"from_share": trained[-2].variant.share, **compare(ours, theirs, resampling)._asdict()}


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


def counts_of(prepared: Prepared) -> "Counts | None":
    """What rows are compared by, (R, W): circular substructures, or subtree patterns of a set."""
    origin, usable = prepared.origin, prepared.usable
    try:
        if not isinstance(origin, GraphSet):
            return origin.fingerprints(
                usable, ("ecfp",), cache=None, processes=available_cores(), progress=None
            )["ecfp"]
        from scipy import sparse

        return sparse.hstack(wl_features(prepared.inputs.graphs, DEPTH)).tocsr()
    except KekuleError:  # of rows that cannot be counted: the ladder goes without
        return None


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
    step = -(-tested * n_rows // MOST_COMPARED)
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
            name: asdict(summarise(trained.results, name, inputs)[metric])
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
    return {"primary": asdict(found[metric]), "metrics": others}


def _summary(trained: Trained, metric: str) -> ScoreSummary:
    return summarise(trained.results, NETWORK, trained.variant.inputs)[metric]


def _settings(inputs: FoldInputs, result: FoldResult) -> Told:
    """Settings of a fold's model: those chosen in it, or of an ensemble what it is made of."""
    if inputs.recipe.model.name == AUTO:
        return {"name": AUTO, **json.loads(result.told)["shipped"]}
    return dict(recipe_of_result(inputs.recipe, result).model.model_dump(mode="json"))
