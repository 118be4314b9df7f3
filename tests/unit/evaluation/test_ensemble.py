"""The model `auto`: weighed inside the training rows, answering for others, shipped as arrays."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kekule.data import Split, stratified_folds
from kekule.evaluation import FINAL, NETWORK, FoldInputs, FoldTask, read_recipe, scores_json
from kekule.evaluation.ensemble import run_ensemble
from kekule.evaluation.folds import split_rows
from kekule.evaluation.parallel import run_folds
from kekule.evaluation.plan import CORES, n_steps, plan_of
from kekule.evaluation.weighing import mixture
from kekule.models.members import Material
from kekule.models.shipped import shipped_from

TASK = FoldTask(NETWORK, 0, 0)
SHIPPED = FoldTask(NETWORK, 0, FINAL)
QUICK = ("model=auto", "model.epochs=3", "model.inner=3", "protocol.seeds=1", "protocol.folds=4")


def same(found, expected):
    np.testing.assert_array_equal(found, expected)


def close(found, expected, within=1e-9):
    np.testing.assert_allclose(found, expected, rtol=0, atol=within)


@pytest.fixture(scope="module")
def inputs(packed_mutag, mutag_targets):
    """MUTAG, a fold of which takes a few seconds."""

    def made(*overrides, targets=mutag_targets, n_classes=2, tasks=()):
        recipe = read_recipe(overrides=[*QUICK, *overrides])
        return FoldInputs(packed_mutag, targets, n_classes, recipe, tasks=tasks)

    return made


@pytest.fixture(scope="module")
def result(inputs):
    return run_ensemble(inputs(), TASK)


def with_folds_of(inputs, targets):
    """The folds that other targets would have, whatever the targets are."""
    fold = stratified_folds(targets, inputs.n_folds, seed=0)
    return replace(inputs, splits={0: Split("random", "as before", inputs.n_folds, fold)})


def members(found):
    return json.loads(found.told)["members"]


def weights(found):
    return np.array([member["weights"] for member in members(found)])


def test_test_rows_reach_nothing(inputs, result, mutag_targets):
    changed = mutag_targets.copy()
    changed[result.rows] = 1 - changed[result.rows]
    given = with_folds_of(inputs(targets=changed), mutag_targets)
    again = run_ensemble(given, TASK)

    same(again.rows, result.rows)
    same(again.probabilities, result.probabilities)
    same(again.inner_probabilities, result.inner_probabilities)
    assert weights(again).tolist() == weights(result).tolist()


def test_rows_that_weigh_are_training_rows_that_were_held_out_once(inputs, result):
    train, held, test = split_rows(inputs(), TASK)
    same(result.inner_rows, np.union1d(train, held))
    assert not np.intersect1d(result.inner_rows, test).size
    assert json.loads(result.told)["inner_used"] == 3
    assert not json.loads(result.told)["inner_by_chance"]
    assert np.isfinite(result.inner_probabilities).all()
    close(result.inner_probabilities.sum(-1), 1)


def test_answers_are_the_weighted_mean_of_the_members(result):
    close(result.probabilities, mixture(result.member_probabilities, weights(result)[:, 0]))
    close(result.probabilities.sum(-1), 1)
    same(result.labels, result.probabilities.argmax(-1))


def test_weights_sum_to_one_and_every_member_is_named(result):
    assert [m["name"] for m in members(result)] == ["WL-SVM", "WL-LightGBM", "network"]
    close(weights(result).sum(0), 1)
    assert np.isfinite(result.member_probabilities).all()


def test_the_same_task_gives_the_same_answers(inputs, result):
    again = run_ensemble(inputs(), TASK)
    same(again.probabilities, result.probabilities)
    same(again.inner_probabilities, result.inner_probabilities)


def test_what_is_shipped_is_restored_to_the_last_bit(inputs):
    given = inputs("model.members=[WL-LightGBM, network]")
    found = run_ensemble(given, SHIPPED)
    settings = {"name": "auto", **json.loads(json.dumps(json.loads(found.told)["shipped"]))}
    model = shipped_from(settings, found.weights, schema=given.graphs.schema, n_classes=2)
    answers = model.probabilities(Material(given.graphs))
    again = shipped_from(settings, found.weights, schema=given.graphs.schema, n_classes=2)

    assert not found.rows.size
    close(answers.sum(-1), 1)
    same(again.probabilities(Material(given.graphs)), answers)
    assert (answers.argmax(-1) == given.targets).mean() > 0.85  # it has seen them


def test_a_fold_that_is_shipped_answers_as_it_did(inputs):
    given = inputs("protocol.refit=false", "model.members=[WL-SVM, WL-LightGBM]")
    found = run_ensemble(given, TASK)
    settings = {"name": "auto", **json.loads(found.told)["shipped"]}
    model = shipped_from(settings, found.weights, schema=given.graphs.schema, n_classes=2)
    close(model.probabilities(Material(given.graphs.take(found.rows))), found.probabilities, 1e-6)


def test_without_its_network_an_ensemble_answers_as_one_that_never_had_it(inputs, result):
    bare = run_ensemble(inputs("model.members=[WL-SVM, WL-LightGBM]"), TASK)
    close(result.without_networks, bare.probabilities)
    assert not bare.without_networks.size


def test_every_training_is_told_once(inputs):
    given, steps = inputs("model.members=[WL-LightGBM, network]"), []
    run_ensemble(given, TASK, on_step=steps.append)
    assert [s.done for s in steps] == list(range(1, len(steps) + 1))
    assert len(steps) == n_steps(plan_of(given))


def test_a_class_with_a_single_row_stops_nothing(inputs, mutag_targets):
    rare = mutag_targets.copy()
    rare[split_rows(inputs(), TASK)[0][0]] = 2
    given = inputs("model.members=[WL-LightGBM]", targets=rare, n_classes=3)
    found = run_ensemble(with_folds_of(given, mutag_targets), TASK)
    assert found.probabilities.shape[1] == 3
    assert json.loads(found.told)["inner_by_chance"]
    close(found.probabilities.sum(-1), 1)


def test_several_tasks_are_weighed_each_by_itself(inputs, mutag_targets):
    other = np.random.default_rng(0).permutation(mutag_targets)
    other[::5] = -1
    both = np.stack([mutag_targets, other], axis=1)
    given = inputs(
        "model.members=[WL-LightGBM, network]", targets=both, tasks=("mutagenic", "by chance")
    )
    found = run_ensemble(given, TASK)
    assert found.probabilities.shape == (len(found.rows), 2, 2)
    assert weights(found).shape == (2, 2)
    close(found.probabilities, mixture(found.member_probabilities, weights(found)))


def test_scores_tell_of_members_and_of_the_network(inputs):
    quick = ("protocol.baselines=[majority]", "protocol.refit=false")
    given = inputs("model.members=[WL-LightGBM, network]", *quick)
    results = {}
    tasks = [FoldTask(m, 0, k) for m in (NETWORK, "majority") for k in range(4)]
    run_folds(
        given, tasks, processes=1, on_progress=lambda word: None, on_result=results.__setitem__
    )
    scores = scores_json(results, given)
    told = scores["ensemble"]
    names = [member["name"] for member in told["members"]]

    assert names == ["WL-LightGBM", "network"]
    close(sum(member["weight"] for member in told["members"]), 1)
    assert all(0 <= m["kept"] <= 1 and m["scores"]["accuracy"]["mean"] for m in told["members"])
    assert "graph network" in told["network"]["verdict"]
    assert json.dumps(scores, allow_nan=False)


def test_time_cuts_inner_folds_first_and_then_the_slowest_members(inputs):
    given = [inputs(f"model.minutes={m}", "model.inner=null") for m in (1000, 1, 0.2, 1e-3)]
    plans = [plan_of(one) for one in given]
    counts = [(plan.inner, len(plan.members)) for plan in plans]

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == (5, 3)
    assert len(plans[-1].members) == 1
    assert set(plans[-1].members) | set(plans[-1].left_out) == {"WL-SVM", "WL-LightGBM", "network"}
    for minutes, plan in zip((1000, 1, 0.2), plans, strict=False):
        assert plan.seconds <= minutes * 60 * CORES or len(plan.members) == 1
