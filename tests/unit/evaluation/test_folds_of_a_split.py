"""Folds of a split that keeps rows together, or was given."""

import json

import numpy as np
import pytest

from kekule.data import Split
from kekule.evaluation import (
    FINAL,
    NETWORK,
    FoldInputs,
    FoldTask,
    cross_validate,
    read_recipe,
    run_fold,
    scores_json,
    split_rows,
    tasks_of,
)

GROUPS = np.arange(60) // 4  # fifteen series of four molecules


@pytest.fixture(scope="module")
def inputs_of(packed_mutag, mutag_targets):
    """Sixty molecules under a split, a network trained for a moment."""

    def build(split, *overrides, **changes):
        recipe = read_recipe(
            overrides=[
                *("model=gcn", "model.hidden=4", "train.epochs=2", "protocol.seeds=2"),
                *("protocol.folds=3", "protocol.baselines=[majority]", *overrides),
            ]
        )
        splits = dict.fromkeys(recipe.seeds, split)
        graphs, targets = packed_mutag.take(np.arange(60)), mutag_targets[:60]
        return FoldInputs(graphs, targets, 2, recipe, splits, **changes)

    return build


@pytest.mark.parametrize("fold", [FINAL, 0, 1, 2])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_group_stands_on_two_sides_validation_included(inputs_of, seed, fold):
    inputs = inputs_of(Split("scaffold", "series", 3, GROUPS % 3, GROUPS))
    parts = split_rows(inputs, FoldTask(NETWORK, seed, fold))
    sides = [set(GROUPS[rows].tolist()) for rows in parts]

    assert sum(map(len, parts)) == 60
    assert sum(map(len, sides)) == 15
    assert len(parts[1]) > 0


def test_the_folds_are_those_of_the_split(inputs_of):
    fold = np.random.default_rng(0).integers(0, 3, 60)
    inputs = inputs_of(Split("given", "as given", 3, fold))

    for number in range(3):
        test = split_rows(inputs, FoldTask(NETWORK, 1, number))[2]
        np.testing.assert_array_equal(test, np.flatnonzero(fold == number))


def test_rows_given_for_validation_choose_the_epoch_and_rows_left_out_stay_out(inputs_of):
    fold = np.repeat([-1, 0], [40, 20])
    held, train = np.arange(10, 20), np.arange(20, 38)
    split = Split("given", "as given", 1, fold, validation=(held,), train=(train,))
    found = split_rows(inputs_of(split), FoldTask(NETWORK, 0, 0))

    for given, rows in zip((train, held, np.arange(40, 60)), found, strict=True):
        np.testing.assert_array_equal(rows, given)


def test_a_single_test_set_is_run_once_a_seed_and_claims_no_interval(inputs_of):
    inputs = inputs_of(Split("time", "the last are tested", 1, np.repeat([-1, 0], [45, 15])))
    results = cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)
    scores = json.loads(json.dumps(scores_json(results, inputs), allow_nan=False))
    accuracy = scores["metrics"]["accuracy"]

    assert list(results) == tasks_of(inputs.recipe, 1)
    assert len(accuracy["folds"]) == 2
    assert accuracy["low"] is accuracy["high"] is None
    assert scores["protocol"]["folds"] == 1
    assert "one test set" in scores["verdict"]
    assert "interval 9" not in scores["verdict"]
    assert scores["protocol"]["description"].startswith("the last are tested")


def test_a_row_of_no_weight_teaches_nothing(inputs_of):
    split = Split("given", "as given", 3, np.arange(60) % 3)
    inputs = inputs_of(split, weights=np.repeat([0.0, 1.0], 30))
    task = FoldTask(NETWORK, 0, 0)
    train, *_ = split_rows(inputs, task)
    turned = inputs.targets.copy()
    weightless = train[train < 30]
    turned[weightless] = 1 - turned[weightless]
    other = FoldInputs(inputs.graphs, turned, 2, inputs.recipe, inputs.splits, inputs.weights)
    # Which rows are held out hangs on their classes; here they are the same.
    found = [run_fold(given, task) for given in pinned(inputs, other, task)]

    assert len(weightless) > 5
    np.testing.assert_array_equal(found[0].probabilities, found[1].probabilities)


class Store(dict):
    def put(self, task, result):
        self[task] = result


def pinned(one, other, task):
    """Both inputs with the rows of the first, so that only labels differ."""
    train, held, _ = split_rows(one, task)
    split = one.splits[task.seed]
    for inputs in (one, other):
        fixed = Split(
            split.kind, split.description, 3, split.fold, None, (held,) * 3, (train,) * 3
        )
        yield FoldInputs(
            inputs.graphs, inputs.targets, 2, inputs.recipe, {task.seed: fixed}, inputs.weights
        )
