import numpy as np
import pytest

from kekule import KekuleError
from kekule.evaluation import (
    FINAL,
    NETWORK,
    FoldInputs,
    FoldTask,
    folds,
    read_recipe,
    run_fold,
    split_rows,
)
from kekule.features import PackedGraphs
from kekule.models import (
    BASELINES,
    NETWORKS,
    build_network,
    probabilities,
    set_weights,
    weights_of,
)
from stand_in_tables import tables_of

MODELS = [NETWORK, *BASELINES]


@pytest.fixture(scope="module")
def inputs(packed_mutag, mutag_targets):
    """Sixty molecules, three folds, a small network trained for a moment."""
    return made(packed_mutag.take(np.arange(60)), mutag_targets[:60])


@pytest.mark.parametrize("seed", range(5))
def test_the_test_rows_of_the_folds_are_every_row_once(inputs, seed):
    parts = [split_rows(inputs, FoldTask(NETWORK, seed, fold)) for fold in range(3)]
    tested = np.concatenate([test for _, _, test in parts])

    np.testing.assert_array_equal(np.sort(tested), np.arange(60))
    for train, held, test in parts:
        together = np.concatenate([train, held, test])
        np.testing.assert_array_equal(np.sort(together), np.arange(60))
        assert min(map(len, (train, held, test))) > 0
        for rows in (train, held, test):
            assert set(inputs.targets[rows]) == {0, 1}


def test_every_model_of_a_fold_has_the_same_test_rows(inputs):
    tests = [split_rows(inputs, FoldTask(model, 3, 1))[2] for model in MODELS]

    assert all(np.array_equal(tests[0], test) for test in tests)


def test_another_seed_is_another_split(inputs):
    first, second = (split_rows(inputs, FoldTask(NETWORK, seed, 0))[2] for seed in (0, 1))

    assert not np.array_equal(first, second)


def test_the_final_model_trains_on_every_row_and_tests_none(inputs):
    train, held, test = split_rows(inputs, FoldTask(NETWORK, 0, FINAL))

    np.testing.assert_array_equal(np.union1d(train, held), np.arange(60))
    assert not set(train) & set(held)
    assert len(test) == 0


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_shown_no_target_but_those_it_may_learn_from(monkeypatch, inputs, model):
    shown = []
    task = FoldTask(model, 0, 0)
    train, held, test = split_rows(inputs, task)
    if model == NETWORK:
        original = folds.fit
        monkeypatch.setattr(
            folds,
            "fit",
            lambda n, g, targets, **k: shown.append(targets) or original(n, g, targets, **k),
        )
    else:
        original = BASELINES[model].answer
        monkeypatch.setattr(
            BASELINES[model],
            "answer",
            lambda self, targets, **k: shown.append(targets) or original(self, targets, **k),
        )
    run_fold(inputs, task)

    (targets,) = shown
    np.testing.assert_array_equal(targets[test], -1)
    for rows in (train, held):
        np.testing.assert_array_equal(targets[rows], inputs.targets[rows])


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_of_a_test_row_reaches_the_trained_network(monkeypatch, inputs, name):
    """The leak test: other classes and other atoms in the test rows, the same bits learned."""
    task = FoldTask(NETWORK, 0, 1)
    split = split_rows(inputs, task)
    monkeypatch.setattr(folds, "split_rows", lambda *_: split)  # which classes would decide
    graphs, test = inputs.graphs, split[2]
    in_test = np.isin(graphs.graph_of_node, test)
    nodes = graphs.nodes.copy()
    nodes[in_test] = (nodes[in_test] + 1) % 7
    targets = inputs.targets.copy()
    targets[test] = 1 - targets[test]
    changed = made(PackedGraphs(**vars(graphs) | {"nodes": nodes}), targets, f"model={name}")
    weights, answers = [], []
    for given in (made(graphs, inputs.targets, f"model={name}"), changed):
        learned = learned_by(monkeypatch, given, task)
        weights.append(learned[0])
        answers.append(learned[1].probabilities)

    assert weights[0].keys() == weights[1].keys()
    for key in weights[0]:
        np.testing.assert_array_equal(weights[0][key], weights[1][key], err_msg=key)
    assert not np.allclose(*answers)  # the atoms were changed, after all


@pytest.mark.parametrize("model", MODELS)
def test_a_fold_gives_the_same_bits_again(inputs, model):
    first, again = (run_fold(inputs, FoldTask(model, 1, 2)) for _ in range(2))

    for part in ("rows", "labels", "probabilities", "train_loss", "validation_loss"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert first.best_epoch == again.best_epoch


@pytest.mark.parametrize("model", MODELS)
def test_a_fold_answers_for_its_test_rows_with_distributions(inputs, model):
    task = FoldTask(model, 0, 0)
    result = run_fold(inputs, task)

    np.testing.assert_array_equal(result.rows, split_rows(inputs, task)[2])
    assert result.labels.shape == result.rows.shape
    assert result.probabilities.shape == (len(result.rows), 2)
    np.testing.assert_allclose(result.probabilities.sum(1), 1)
    assert result.seconds > 0
    assert result.weights == {}


def test_the_answers_of_a_fold_are_those_of_its_own_best_epoch(monkeypatch, inputs):
    weights, result = learned_by(monkeypatch, inputs, FoldTask(NETWORK, 0, 0))
    network = build_network(inputs.graphs.schema, 2, inputs.recipe.model, seed=9)
    set_weights(network, weights)

    np.testing.assert_array_equal(
        probabilities(network, inputs.graphs.take(result.rows)), result.probabilities
    )
    assert 0 <= result.best_epoch < len(result.train_loss) == len(result.validation_loss)


def test_the_final_model_leaves_its_weights_and_no_answers(monkeypatch, inputs):
    weights, result = learned_by(monkeypatch, inputs, FoldTask(NETWORK, 0, FINAL))

    assert len(result.rows) == len(result.labels) == 0
    assert result.probabilities.shape == (0, 2)
    assert result.weights.keys() == weights.keys()
    for key, value in weights.items():
        np.testing.assert_array_equal(result.weights[key], value)


def test_a_baseline_is_prepared_once_for_all_its_folds(inputs):
    prepared = {}
    run_fold(inputs, FoldTask("majority", 0, 0), prepared=prepared)
    kept = prepared["majority"]
    run_fold(inputs, FoldTask("majority", 0, 1), prepared=prepared)

    assert prepared == {"majority": kept}


def test_a_baseline_trains_on_the_validation_rows_too(monkeypatch, inputs):
    given = {}
    original = BASELINES["majority"].answer
    monkeypatch.setattr(
        BASELINES["majority"],
        "answer",
        lambda self, targets, **k: given.update(k) or original(self, targets, **k),
    )
    task = FoldTask("majority", 0, 0)
    run_fold(inputs, task)
    train, held, test = split_rows(inputs, task)

    np.testing.assert_array_equal(given["train_rows"], np.union1d(train, held))
    np.testing.assert_array_equal(given["test_rows"], test)


SMALLEST = [((4, 2), 2), ((2, 30), 2), ((4, 4), 4), ((3, 3, 3), 3), ((2, 3, 9), 2)]


@pytest.mark.parametrize(("counts", "n_folds"), SMALLEST)
@pytest.mark.parametrize("model", [*NETWORKS, *BASELINES])
def test_the_smallest_sets_that_can_be_split_can_be_run(packed_mutag, counts, n_folds, model):
    """Classes of two rows, as many folds as rows of a class, more classes than two."""
    targets = np.repeat(np.arange(len(counts)), counts)
    network = model if model in NETWORKS else "gcn"
    small = made(
        packed_mutag.take(np.arange(len(targets))),
        targets,
        f"model={network}",
        f"protocol.folds={n_folds}",
        "train.batch_size=2",
        "train.epochs=2",
    )
    tested = []
    for fold in range(n_folds):
        result = run_fold(small, FoldTask(NETWORK if model in NETWORKS else model, 0, fold))
        tested += result.rows.tolist()
        np.testing.assert_allclose(result.probabilities.sum(1), 1)

    assert sorted(tested) == list(range(len(targets)))


def test_two_rows_of_two_classes_cannot_be_validated_and_say_so(packed_mutag):
    tiny = made(packed_mutag.take(np.arange(4)), np.array([0, 0, 1, 1]), "protocol.folds=2")

    with pytest.raises(KekuleError, match="no class twice cannot give a validation part"):
        run_fold(tiny, FoldTask(NETWORK, 0, 0))


def test_a_task_is_named_as_a_reader_counts():
    assert str(FoldTask("WL-SVM", 2, 0)) == "WL-SVM, seed 2, fold 1"
    assert str(FoldTask(NETWORK, 0, FINAL)) == "final model"


def made(graphs, targets, *overrides):
    recipe = read_recipe(
        overrides=[
            "model=gcn",
            "model.hidden=8",
            "train.epochs=4",
            "train.batch_size=16",
            "protocol.folds=3",
            "protocol.seeds=2",
            *overrides,
        ]
    )
    n_classes = int(targets.max()) + 1
    return FoldInputs(graphs, targets, n_classes, recipe, tables=tables_of(graphs))


def learned_by(monkeypatch, inputs, task):
    """Weights a fold's network ends with, and the fold's result."""
    left = []
    original = folds.probabilities
    with monkeypatch.context() as patch:
        patch.setattr(
            folds, "probabilities", lambda n, g: left.append(weights_of(n)) or original(n, g)
        )
        result = run_fold(inputs, task)
    return left[0], result
