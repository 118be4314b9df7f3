import json
from collections import Counter

import numpy as np
import pytest

from kekule.evaluation import (
    FINAL,
    METRICS,
    NETWORK,
    PRIMARY,
    FoldInputs,
    FoldResult,
    FoldTask,
    compare,
    cross_validate,
    out_of_fold,
    parallel,
    read_recipe,
    scores_json,
    split_rows,
    tasks_of,
)
from kekule.evaluation.comparison import corrected_interval
from kekule.evaluation.summaries import summarise


class Store(dict):
    """Finished folds in memory."""

    def put(self, task, result):
        self[task] = result


@pytest.fixture(scope="module")
def inputs(packed_mutag, mutag_targets):
    recipe = read_recipe(
        overrides=[
            "model=gcn",
            "model.hidden=4",
            "train.epochs=2",
            "protocol.folds=3",
            "protocol.seeds=2",
            "protocol.baselines=[majority, structure-free]",
            "seed=5",
        ]
    )
    return FoldInputs(packed_mutag.take(np.arange(48)), mutag_targets[:48], 2, recipe)


@pytest.fixture(scope="module")
def results(inputs):
    return cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)


def test_every_model_is_run_on_every_fold_of_every_seed_and_once_on_all_rows(inputs):
    tasks = tasks_of(inputs.recipe)
    counts = Counter(task.model for task in tasks if task.fold != FINAL)

    assert counts == {NETWORK: 6, "majority": 6, "structure-free": 6}
    assert len(set(tasks)) == len(tasks)
    assert [task for task in tasks if task.fold == FINAL] == [FoldTask(NETWORK, 5, FINAL)]
    assert {task.seed for task in tasks} == {5, 6}


def test_results_come_in_the_order_of_the_tasks(inputs, results):
    assert list(results) == tasks_of(inputs.recipe)


def test_every_result_is_stored_before_it_is_told(inputs):
    store, told = Store(), []

    def on_result(task, result):
        assert store[task] is result
        told.append(task)

    cross_validate(inputs, store, processes=1, on_progress=lambda word: None, on_result=on_result)
    assert told == tasks_of(inputs.recipe)


def test_stored_folds_are_not_run_again(monkeypatch, inputs, results):
    kept = dict(list(results.items())[::2])
    ran = counted(monkeypatch)
    again = cross_validate(inputs, Store(kept), processes=1, on_progress=lambda word: None)

    assert set(ran) == set(results) - set(kept)
    for task, result in results.items():
        np.testing.assert_array_equal(again[task].probabilities, result.probabilities)


def test_a_complete_store_asks_for_nothing(monkeypatch, inputs, results):
    ran = counted(monkeypatch)
    again = cross_validate(inputs, Store(results), processes=1, on_progress=lambda word: None)

    assert ran == []
    assert again == results


def test_every_row_is_answered_out_of_the_fold_that_did_not_train_on_it(inputs, results):
    for model in (NETWORK, "majority", "structure-free"):
        for seed in inputs.recipe.seeds:
            fold, labels, probabilities = out_of_fold(results, model, seed, 48)

            assert not np.isnan(probabilities).any()
            assert set(labels) <= {0, 1}
            for k in range(3):
                test = split_rows(inputs, FoldTask(model, seed, k))[2]
                np.testing.assert_array_equal(np.flatnonzero(fold == k), test)
                np.testing.assert_array_equal(
                    probabilities[test], results[FoldTask(model, seed, k)].probabilities
                )


def test_a_row_that_no_fold_answered_stays_visible(results):
    some = {t: r for t, r in results.items() if t.fold != 1}
    fold, labels, probabilities = out_of_fold(some, NETWORK, 5, 48)

    assert (fold == -1).sum() == (labels == -1).sum() == np.isnan(probabilities[:, 0]).sum() == 16


def test_a_summary_is_what_its_folds_amount_to(inputs, results):
    summary = summarise(results, NETWORK, inputs)

    assert set(summary) == set(METRICS)
    accuracies = [
        (r.labels == inputs.targets[r.rows]).mean()
        for t, r in results.items()
        if t.model == NETWORK and t.fold != FINAL
    ]
    ours = summary["accuracy"]
    assert ours.folds == pytest.approx(accuracies)
    assert ours.mean == pytest.approx(np.mean(accuracies))
    assert ours.std == pytest.approx(np.std(accuracies, ddof=1))
    low, high = corrected_interval(accuracies, 3)
    assert (ours.low, ours.high) == pytest.approx((max(low, 0), min(high, 1)))


def test_a_metric_without_value_on_a_fold_is_none_there_and_the_mean_of_the_others(inputs):
    """The majority's correlation is defined nowhere, another model's on two of three folds."""
    made = {}
    for fold, labels in enumerate(([0, 0], [0, 1], [1, 0])):
        rows = np.array([2 * fold, 2 * fold + 1])
        made[FoldTask("m", 5, fold)] = FoldResult(rows, np.array(labels), np.full((2, 2), 0.5))
    targets = np.array([0, 1] * 24)
    given = FoldInputs(inputs.graphs, targets, 2, inputs.recipe)
    mcc = summarise(made, "m", given)["mcc"]

    assert mcc.folds == (None, 1.0, -1.0)
    assert (mcc.mean, mcc.low, mcc.high) == (0, -1, 1)
    constant = {t: FoldResult(r.rows, r.rows * 0, r.probabilities) for t, r in made.items()}
    mcc = summarise(constant, "m", given)["mcc"]
    assert (mcc.mean, mcc.std, mcc.low, mcc.high, mcc.folds) == (None,) * 4 + ((None,) * 3,)


def test_a_single_defined_fold_has_a_mean_and_no_interval(inputs):
    rows = np.array([0, 1])
    made = {
        FoldTask("m", 5, 0): FoldResult(rows, np.array([0, 1]), np.eye(2)),
        FoldTask("m", 5, 1): FoldResult(rows + 2, np.array([0, 0]), np.eye(2)),
    }
    given = FoldInputs(inputs.graphs, np.array([0, 1] * 24), 2, inputs.recipe)
    mcc = summarise(made, "m", given)["mcc"]

    assert (mcc.mean, mcc.std, mcc.low, mcc.high) == (1, None, None, None)


def test_scores_are_plain_json_without_a_nan(inputs, results):
    text = json.dumps(scores_json(results, inputs), allow_nan=False)
    scores = json.loads(text)

    assert set(scores["metrics"]) == set(METRICS)
    assert set(scores["baselines"]) == {"majority", "structure-free"}
    assert scores["primary"] == PRIMARY
    assert scores["protocol"]["seeds_used"] == [5, 6]
    assert len(scores["metrics"][PRIMARY]["folds"]) == 6
    assert "Nadeau & Bengio" in scores["protocol"]["interval"]
    assert "stratified 3-fold; 2 seed(s)" in scores["protocol"]["description"]


def test_the_spread_over_seeds_is_reported(inputs, results):
    scores = scores_json(results, inputs)
    folds = scores["metrics"]["accuracy"]["folds"]

    assert scores["seed_means"]["accuracy"] == pytest.approx(
        [np.mean(folds[:3]), np.mean(folds[3:])]
    )
    assert scores["seed_means"]["mcc"][0] is None or -1 <= scores["seed_means"]["mcc"][0] <= 1


def test_the_verdict_is_about_these_folds(inputs, results):
    scores = scores_json(results, inputs)
    ours = scores["metrics"]["accuracy"]["folds"]
    best = max(scores["baselines"].values(), key=lambda summary: summary["accuracy"]["mean"])[
        "accuracy"
    ]
    d = compare(ours, best["folds"], 3)

    assert f"gcn gives {np.mean(ours):.1%} of unseen rows their class" in scores["verdict"]
    assert ("within noise" in scores["verdict"]) == (d.p >= 0.05)


def counted(monkeypatch):
    """List of the tasks that are really run."""
    ran = []
    original = parallel.run_fold
    monkeypatch.setattr(
        parallel,
        "run_fold",
        lambda inputs, task, **k: ran.append(task) or original(inputs, task, **k),
    )
    return ran
