"""Several tasks at once: what is missing enters nothing, and one task is what it was alone."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from kekule.evaluation import (
    METRICS,
    NETWORK,
    FoldInputs,
    FoldTask,
    cross_validate,
    folds,
    read_recipe,
    run_fold,
    scores_json,
    split_rows,
)
from kekule.evaluation.metrics import selection_score
from kekule.evaluation.per_task import answers_by_task, mean_of_defined, task_values
from kekule.evaluation.summaries import summarise_tasks
from kekule.models import BASELINES, OF_GRAPHS
from kekule.models.baseline import Answer
from stand_in_tables import tables_of

TASKS = ("toxic", "mutagenic", "soluble")


@pytest.fixture(scope="module")
def inputs(packed_mutag, mutag_targets):
    """Sixty molecules with three tasks, a third of the labels missing, each row with one."""
    rng = np.random.default_rng(4)
    own = mutag_targets[:60]
    targets = np.stack([own, 1 - own, rng.permutation(own)], axis=1)
    targets[rng.random(targets.shape) < 1 / 3] = -1
    targets[(targets < 0).all(axis=1), 0] = 1
    return made(packed_mutag.take(np.arange(60)), targets)


@pytest.fixture(scope="module")
def results(inputs):
    return cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", METRICS)
def test_a_missing_label_enters_no_score(name, seed):
    truth, labels, p = drawn(seed)
    other = np.random.default_rng(seed + 100).dirichlet([1, 1], size=truth.shape)
    missing = truth < 0
    changed = np.where(missing[..., None], other, p)
    relabelled = np.where(missing, 1 - labels, labels)

    values = task_values(METRICS[name], truth, labels, p)
    assert task_values(METRICS[name], truth, relabelled, changed) == values
    assert values[3] is None  # no row has a label of it


@pytest.mark.parametrize("seed", range(4))
def test_each_task_is_scored_as_by_scikit_learn_on_its_own_rows(seed):
    truth, labels, p = drawn(seed)
    aucs = task_values(METRICS["roc_auc"], truth, labels, p)

    for task in range(2):
        known = truth[:, task] >= 0
        theirs = sk.roc_auc_score(truth[known, task], p[known, task, 1])
        assert aucs[task] == pytest.approx(theirs, abs=1e-12)
    assert aucs[2] is None  # every row with a label is positive
    assert mean_of_defined(aucs) == pytest.approx(np.mean(aucs[:2]))
    assert mean_of_defined([None, None]) is None


@pytest.mark.parametrize("seed", range(4))
def test_the_epoch_is_chosen_by_the_mean_over_the_labels_there_are(seed):
    truth, _, p = drawn(seed)
    known = truth >= 0
    squares = (p[..., 1] - truth)[known] ** 2
    moved = np.where(known[..., None], p, p[::-1])

    assert selection_score(p, truth) == pytest.approx(-squares.mean())
    assert selection_score(moved, truth) == selection_score(p, truth)
    one = truth[:, 0] >= 0
    alone = selection_score(p[one, 0], truth[one, 0])
    assert selection_score(p[one, :1], truth[one, :1]) == alone


def test_without_any_label_no_epoch_can_be_chosen():
    with pytest.raises(ValueError, match="of 2 validation rows none has a label"):
        selection_score(np.full((2, 1, 2), 0.5), np.full((2, 1), -1))


def test_the_rows_of_a_fold_are_shared_out_and_every_part_has_labels(inputs):
    tested = []
    for fold in range(3):
        train, held, test = split_rows(inputs, FoldTask(NETWORK, 0, fold))
        tested += test.tolist()
        assert len(np.unique(np.concatenate([train, held, test]))) == 60
        for task in range(3):
            assert set(inputs.targets[train, task]) >= {0, 1}
        assert (inputs.targets[held] >= 0).any()
    assert sorted(tested) == list(range(60))


@pytest.mark.parametrize("model", [NETWORK, *BASELINES])
def test_no_task_shows_a_model_the_labels_of_the_test_rows(monkeypatch, inputs, model):
    shown = []
    task = FoldTask(model, 0, 0)
    train, held, test = split_rows(inputs, task)
    if model == NETWORK:
        fit = folds.fit
        monkeypatch.setattr(
            folds, "fit", lambda n, g, t, **k: shown.append(t) or fit(n, g, t, **k)
        )
    else:
        answer = BASELINES[model].answer
        monkeypatch.setattr(
            BASELINES[model],
            "answer",
            lambda self, t, **k: shown.append(t) or answer(self, t, **k),
        )
    run_fold(inputs, task)

    seen = shown[0] if model == NETWORK else np.stack(shown, axis=1)
    np.testing.assert_array_equal(seen[test], -1)
    for rows in (train, held):
        np.testing.assert_array_equal(seen[rows], inputs.targets[rows])


@pytest.mark.parametrize("model", [NETWORK, *BASELINES])
def test_changing_the_labels_of_the_test_rows_changes_no_answer(monkeypatch, inputs, model):
    task = FoldTask(model, 0, 1)
    split = split_rows(inputs, task)
    monkeypatch.setattr(folds, "split_rows", lambda *_: split)
    targets = inputs.targets.copy()
    targets[split[2]] = 1 - targets[split[2]] % 2
    first, second = (run_fold(each, task) for each in (inputs, replace(inputs, targets=targets)))

    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    np.testing.assert_array_equal(first.labels, second.labels)


@pytest.mark.parametrize("model", [NETWORK, *OF_GRAPHS])
def test_a_fold_answers_every_task_of_every_test_row_with_distributions(results, model):
    result = results[FoldTask(model, 0, 2)]

    assert result.labels.shape == (len(result.rows), 3)
    assert result.probabilities.shape == (len(result.rows), 3, 2)
    np.testing.assert_allclose(result.probabilities.sum(-1), 1)


@pytest.mark.parametrize("model", BASELINES)
def test_a_baseline_answers_one_of_several_tasks_as_it_would_that_task_alone(inputs, model):
    baseline = BASELINES[model](inputs.graphs, inputs.tables)
    train, held, test = split_rows(inputs, FoldTask(model, 0, 0))
    rows = np.union1d(train, held)
    asked = {"test_rows": test, "n_classes": 2, "seed": 0}
    labels, p = answers_by_task(baseline, inputs.targets, train_rows=rows, **asked)

    for task in range(3):
        of_task = inputs.targets[:, task]
        alone = baseline.answer(of_task, train_rows=rows[of_task[rows] >= 0], **asked)
        np.testing.assert_array_equal(labels[:, task], alone.labels)
        np.testing.assert_array_equal(p[:, task], alone.probabilities)


@pytest.mark.parametrize("model", BASELINES)
def test_a_task_with_one_class_or_none_to_train_on_is_answered_and_no_crash(inputs, model):
    targets = inputs.targets.copy()
    targets[:, 1] = np.where(targets[:, 1] >= 0, 1, -1)
    targets[:, 2] = -1
    train, test = np.arange(40), np.arange(40, 60)
    labels, p = answers_by_task(
        BASELINES[model](inputs.graphs, inputs.tables),
        targets,
        train_rows=train,
        test_rows=test,
        n_classes=2,
        seed=0,
    )

    assert set(labels[:, 1]) == {1}
    np.testing.assert_array_equal(p[:, 1], np.tile([0.0, 1.0], (20, 1)))
    np.testing.assert_array_equal(p[:, 2], 0.5)


def test_one_task_reaches_a_baseline_as_it_is(inputs):
    given = []

    class Asked:
        def answer(self, targets, *, train_rows, test_rows, n_classes, seed):
            given.append((targets, train_rows))
            return Answer(test_rows * 0, np.full((len(test_rows), n_classes), 0.5))

    targets, rows = np.array([0, 1, -1, 1]), np.array([0, 1, 3])
    answers_by_task(
        Asked(), targets, train_rows=rows, test_rows=np.array([2]), n_classes=2, seed=0
    )

    ((shown, train_rows),) = given
    assert shown is targets
    np.testing.assert_array_equal(train_rows, rows)


def test_the_score_of_a_fold_is_the_mean_of_its_tasks_scores(inputs, results):
    scores = scores_json(results, inputs)
    network, others = scores["per_task"], scores["baselines_per_task"]

    assert list(network) == list(TASKS)
    for single, mean in [
        (network, scores["metrics"]),
        *((others[name], scores["baselines"][name]) for name in others),
    ]:
        for name in METRICS:
            for fold, value in enumerate(mean[name]["folds"]):
                of_tasks = [single[task][name]["folds"][fold] for task in TASKS]
                defined = [one for one in of_tasks if one is not None]
                assert value == (pytest.approx(np.mean(defined)) if defined else None)
    assert scores["n_tasks_scored"]["roc_auc"] == 3


def test_several_tasks_are_judged_by_their_roc_auc(inputs, results):
    scores = scores_json(results, inputs)

    assert scores["primary"] == "roc_auc"
    assert (
        f"ROC AUC of {scores['metrics']['roc_auc']['mean']:.3f} over 3 tasks"
        in (scores["verdict"])
    )
    assert "of unseen rows their class" not in scores["verdict"]


def test_a_task_that_no_fold_can_score_is_counted_out_and_named(inputs, results):
    targets = inputs.targets.copy()
    targets[:, 1] = np.where(targets[:, 1] >= 0, 1, -1)
    scores = scores_json(results, replace(inputs, targets=targets))

    assert scores["per_task"]["mutagenic"]["roc_auc"]["mean"] is None
    assert scores["n_tasks_scored"]["roc_auc"] == 2
    assert scores["n_tasks_scored"]["accuracy"] == 3
    assert "over 2 of 3 tasks" in scores["verdict"]
    assert scores["verdict"].endswith(
        " Never both classes among the test rows of a fold: mutagenic."
    )


def test_where_no_task_can_be_scored_that_is_said(inputs, results):
    targets = np.where(inputs.targets >= 0, 1, -1)
    scores = scores_json(results, replace(inputs, targets=targets))

    assert scores["metrics"]["roc_auc"]["mean"] is None
    assert scores["verdict"].startswith("Nothing can be said of gcn. Never both classes")


def test_a_summary_of_a_task_alone_is_that_of_its_column(inputs, results):
    of_tasks = summarise_tasks(results, "majority", inputs)
    one = {
        task: replace(r, labels=r.labels[:, 0], probabilities=r.probabilities[:, 0])
        for task, r in results.items()
    }
    folds_of_one = [
        METRICS["accuracy"].compute(
            inputs.targets[r.rows, 0][known], r.labels[known], r.probabilities[known]
        )
        for task, r in one.items()
        if task.model == "majority"
        for known in [inputs.targets[r.rows, 0] >= 0]
    ]

    assert list(of_tasks["toxic"]["accuracy"].folds) == folds_of_one


class Store(dict):
    """Finished folds in memory."""

    def put(self, task, result):
        self[task] = result


def made(graphs, targets):
    recipe = read_recipe(
        overrides=[
            *("model=gcn", "model.hidden=8", "train.epochs=3", "train.batch_size=16"),
            *("protocol.folds=3", "protocol.seeds=1"),
        ]
    )
    return FoldInputs(graphs, targets, 2, recipe, tasks=TASKS, tables=tables_of(graphs))


def drawn(seed, n_rows=50):
    """Four tasks: two with gaps, one of positives alone, one without a label."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (n_rows, 4))
    truth[rng.random(truth.shape) < 0.3] = -1
    truth[:, 2] = np.where(truth[:, 2] >= 0, 1, -1)
    truth[:, 3] = -1
    p = rng.dirichlet([1, 1], size=truth.shape)
    return truth, p.argmax(-1), p
