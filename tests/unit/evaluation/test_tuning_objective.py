"""The objective of a tuning: on which rows, and that no others are looked at."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from kekule._errors import RecipeError
from kekule.data import Split
from kekule.evaluation import NETWORK, FoldInputs, FoldTask, read_recipe, run_fold, split_rows
from kekule.evaluation.folds import train_network
from kekule.evaluation.metrics import METRICS, selection_score
from kekule.evaluation.tuning import (
    InnerFold,
    TuningError,
    check_scorable,
    check_tunable,
    falls_behind,
    fold_score,
    folds_of_recipe,
    folds_of_training_rows,
    metric_named,
    outer_scores,
    outer_tasks,
    score_of,
)
from kekule.models import probabilities

GROUPS = np.arange(60) // 4  # fifteen series of four molecules
SMALL = {"model.hidden": 8, "train.learning_rate": 0.01}


@pytest.fixture(scope="module")
def inputs_of(packed_mutag, mutag_targets):
    """Sixty molecules, a network trained for a moment."""

    def build(*overrides, split=None, **changes):
        usual = ("model=gcn", "model.hidden=4", "train.epochs=2", "protocol.seeds=2")
        folds = () if any("kind" in text for text in overrides) else ("protocol.folds=3",)
        recipe = read_recipe(None, [*usual, *folds, "protocol.baselines=[]", *overrides])
        given = {
            "graphs": packed_mutag.take(np.arange(60)),
            "targets": mutag_targets[:60],
            "n_classes": 2,
            "recipe": recipe,
            "splits": {} if split is None else dict.fromkeys(recipe.seeds, split),
        }
        return FoldInputs(**given | changes)

    return build


def apart(fold):
    rows = np.concatenate([fold.train, fold.held, fold.scored])
    return len(np.unique(rows)) == len(rows) and min(map(len, fold[1:])) > 0


def test_a_recipe_with_folds_is_tuned_on_those_of_its_first_seed(inputs_of):
    inputs = inputs_of()
    folds = folds_of_recipe(inputs)

    assert outer_tasks(inputs) == [FoldTask(NETWORK, 0, fold) for fold in range(3)]
    assert all(map(apart, folds))
    scored = np.sort(np.concatenate([fold.scored for fold in folds]))
    np.testing.assert_array_equal(scored, np.arange(60))
    for fold, task in zip(folds, outer_tasks(inputs), strict=True):
        for rows, theirs in zip(fold[1:], split_rows(inputs, task), strict=True):
            np.testing.assert_array_equal(rows, theirs)


def test_test_sets_that_are_drawn_by_seed_are_each_a_fold_and_a_fixed_one_is_one(inputs_of):
    drawn = inputs_of("protocol.kind=holdout")
    alone = inputs_of("protocol.kind=holdout", "protocol.seeds=1")

    assert outer_tasks(drawn) == [FoldTask(NETWORK, seed, 0) for seed in (0, 1)]
    assert outer_tasks(alone) == [FoldTask(NETWORK, 0, 0)]
    one, other = folds_of_recipe(drawn)
    assert (one.seed, other.seed) == (0, 1)
    assert set(one.scored.tolist()) != set(other.scored.tolist())

    fixed = inputs_of(
        "protocol.kind=given", "protocol.file=split.json",
        split=Split("given", "as given", 1, np.where(np.arange(60) < 12, 0, -1)),
    )  # fmt: skip
    assert outer_tasks(fixed) == [FoldTask(NETWORK, 0, 0)]


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("n_folds", [2, 4])
@pytest.mark.parametrize("outer", [0, 2])
def test_folds_of_training_rows_share_these_out_and_leave_the_test_rows_alone(
    inputs_of, outer, n_folds, grouped
):
    split = Split("scaffold", "series", 3, GROUPS % 3, GROUPS) if grouped else None
    inputs, task = inputs_of(split=split), FoldTask(NETWORK, 1, outer)
    folds = folds_of_training_rows(inputs, task, n_folds)
    tested = split_rows(inputs, task)[2]

    assert len(folds) == n_folds
    assert all(map(apart, folds))
    scored = np.sort(np.concatenate([fold.scored for fold in folds]))
    np.testing.assert_array_equal(scored, np.setdiff1d(np.arange(60), tested))
    for fold in folds:
        assert not np.isin(tested, np.concatenate(fold[1:])).any()
        if grouped:
            sides = [set(GROUPS[rows].tolist()) for rows in (*fold[1:], tested)]
            assert sum(map(len, sides)) == 15


def test_too_many_inner_folds_are_refused_with_their_number(inputs_of):
    split = Split("scaffold", "series", 3, GROUPS % 3, GROUPS)
    with pytest.raises(TuningError, match=r"inner 40: .*Give fewer inner folds"):
        folds_of_training_rows(inputs_of(split=split), FoldTask(NETWORK, 0, 0), 40)


def test_no_label_but_those_of_the_folds_own_rows_is_looked_at(inputs_of):
    inputs = inputs_of()
    fold = folds_of_training_rows(inputs, FoldTask(NETWORK, 0, 1), 3)[0]
    elsewhere = np.setdiff1d(np.arange(60), np.concatenate(fold[1:]))
    targets = inputs.targets.copy()
    targets[elsewhere] = 1 - targets[elsewhere]
    scored = replace(inputs, targets=np.where(np.isin(np.arange(60), fold.scored), 0, targets))

    assert len(elsewhere) > 0
    same = fold_score(replace(inputs, targets=targets), SMALL, fold, "brier")
    assert same == fold_score(inputs, SMALL, fold, "brier")
    # Of the rows that are scored the labels enter the score alone, and not the network.
    asked = [train_network(one, fold.train, fold.held, seed=0)[0] for one in (inputs, scored)]
    answers = [probabilities(network, inputs.graphs.take(fold.scored)) for network in asked]
    np.testing.assert_array_equal(*answers)


def test_the_score_is_that_of_a_network_trained_under_the_combination(inputs_of):
    inputs = inputs_of()
    fold = folds_of_recipe(inputs)[0]
    as_told = inputs_of("model.hidden=8", "train.learning_rate=0.01")
    network, _ = train_network(as_told, fold.train, fold.held, seed=fold.seed)
    answers = probabilities(network, inputs.graphs.take(fold.scored))

    score = fold_score(inputs, SMALL, fold, "brier")
    assert score == pytest.approx(-selection_score(answers, inputs.targets[fold.scored]))
    assert score != fold_score(inputs, {}, fold, "brier")


def test_the_outer_score_is_that_of_the_recipe_with_the_chosen_settings(inputs_of):
    task = FoldTask(NETWORK, 1, 2)
    inputs, as_told = inputs_of(), inputs_of("model.hidden=8", "train.learning_rate=0.01")
    result = run_fold(as_told, task)
    truth = inputs.targets[result.rows]

    found = outer_scores(inputs, task, SMALL)
    assert found.keys() == METRICS.keys()
    for name, metric in METRICS.items():
        assert found[name] == metric.compute(truth, result.labels, result.probabilities)


def test_of_several_tasks_the_score_is_the_mean_over_those_that_have_one():
    truth = np.array([[0, 1], [1, 1], [1, -1], [0, 1]])
    answered = np.random.default_rng(0).dirichlet([1, 1], (4, 2))
    first = METRICS["roc_auc"].compute(truth[:, 0], answered[:, 0].argmax(1), answered[:, 0])
    known = truth[:, 1] >= 0
    second = METRICS["brier"].compute(
        truth[known, 1], answered[known, 1].argmax(1), answered[known, 1]
    )

    assert score_of("roc_auc", truth, answered) == first  # the second task has one class
    mean = (METRICS["brier"].compute(truth[:, 0], truth[:, 0], answered[:, 0]) + second) / 2
    assert score_of("brier", truth, answered) == pytest.approx(mean)
    assert score_of("roc_auc", truth[:, 1:], answered[:, 1:]) is None


def test_several_tasks_are_trained_and_scored_together(inputs_of, mutag_targets):
    targets = np.stack([mutag_targets[:60], np.arange(60) % 2], axis=1)
    targets[::7, 1] = -1
    inputs = inputs_of(targets=targets, tasks=("mutagenic", "even"))
    score = fold_score(inputs, SMALL, folds_of_recipe(inputs)[0], "brier")
    assert 0 < score < 1
    assert len(folds_of_training_rows(inputs, FoldTask(NETWORK, 0, 0), 3)) == 3


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_metric_that_a_fold_cannot_have_is_refused_before_training(inputs_of, n_classes):
    rows = np.arange(4)
    folds = [InnerFold(0, rows, rows, rows), InnerFold(0, rows, rows, rows + 20)]
    targets = np.where(np.arange(60) < 20, np.arange(60) % n_classes, 0)
    inputs = inputs_of(targets=targets, n_classes=n_classes)

    for metric in ("brier", "accuracy", "log_loss"):
        check_scorable(inputs, folds, metric)
    for metric in ("roc_auc", "mcc"):
        with pytest.raises(TuningError, match=rf"{metric}: it is undefined on fold 2"):
            check_scorable(inputs, folds, metric)


def test_answers_without_a_score_are_an_error_not_a_number(inputs_of):
    fold = folds_of_recipe(inputs_of())[0]
    always = {"train.learning_rate": 1e-12, "train.epochs": 1}  # one label for all rows
    with pytest.raises(TuningError, match="mcc: it is undefined for these answers"):
        fold_score(inputs_of(), always, fold, "mcc")


OTHERS = [[0.1, 0.3], [0.1, 0.4], [0.2, 0.5], [0.1, 0.2], [0.2, 0.6]]  # means .2 .25 .35 .15 .4


@pytest.mark.parametrize(
    ("mean", "behind"), [(0.24, False), (0.25, False), (0.26, True), (0.9, True)]
)
def test_a_trial_is_behind_if_it_is_worse_than_the_median_on_the_same_folds(mean, behind):
    assert falls_behind(mean, OTHERS, 2, higher=False) is behind
    mirrored = [[1 - value for value in scores] for scores in OTHERS]
    assert falls_behind(1 - mean, mirrored, 2, higher=True) is behind


def test_nothing_is_behind_after_one_fold_or_beside_a_few_trials():
    assert not falls_behind(0.9, OTHERS, 1, higher=False)
    assert not falls_behind(0.9, OTHERS[:4], 2, higher=False)


def test_an_easy_first_fold_spares_no_trial():
    """Optuna's median pruner compares the best running mean, here that of the first fold."""
    bad = [0.01, 0.9]
    assert falls_behind(float(np.mean(bad)), [[0.01, 0.5]] * 5, 2, higher=False)


@pytest.mark.parametrize(
    ("name", "said"),
    [("acc", "Did you mean accuracy?"), ("ROC_auc", "Did you mean"), ("xyzzy", "Choose from acc")],
)
def test_an_unknown_metric_is_refused_with_the_nearest(name, said):
    with pytest.raises(TuningError, match=rf"metric: there is no '{name}'") as caught:
        metric_named(name)
    assert said in str(caught.value)


def test_recipes_that_choose_inside_themselves_are_refused():
    grid = ["protocol.kind=nested", "protocol.grid={model.hidden: [8, 16]}"]
    with pytest.raises(RecipeError, match=r"protocol\.kind: nested chooses from its own grid"):
        check_tunable(read_recipe(None, grid))
    auto = read_recipe().model_copy(update={"model": SimpleNamespace(name="auto")})
    with pytest.raises(RecipeError, match=r"model\.name: auto chooses"):
        check_tunable(auto)
    check_tunable(read_recipe())
