import importlib
import inspect
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

import kekule.models
from kekule.features import FINGERPRINTS, pack, schema_of
from kekule.models import BASELINES
from stand_in_tables import tables_of

RING = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)]


@pytest.fixture(params=BASELINES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def easy(by_hand):
    """Rings of six carbons, and of three carbons and three nitrogens."""
    graphs = by_hand(*[([6] * 6, RING), ([6, 7] * 3, RING)] * 20)
    return pack(graphs, schema_of(graphs)), np.tile([0, 1], 20)


def test_every_baseline_is_named_and_every_name_is_a_baseline():
    found = set()
    for module in pkgutil.iter_modules(kekule.models.__path__):
        here = importlib.import_module(f"kekule.models.{module.name}")
        found |= {
            member
            for _, member in inspect.getmembers(here, inspect.isclass)
            if member.__module__ == here.__name__
            and hasattr(member, "answer")
            and not inspect.isabstract(member)
            and not getattr(member, "_is_protocol", False)
        }

    assert found == set(BASELINES.values())


def test_what_a_baseline_needs_is_known_without_importing_it(name):
    assert BASELINES.needs(name) == BASELINES[name].needs
    assert set(BASELINES[name].needs) <= set(FINGERPRINTS)


def test_the_targets_of_test_rows_are_not_read(name, packed_mutag, mutag_targets):
    train, test = halves(mutag_targets)
    blank, scrambled = mutag_targets.copy(), mutag_targets.copy()
    blank[test] = -1
    scrambled[test] = 10**9 - scrambled[test]
    answers = [
        answer(name, packed_mutag, targets, train, test)
        for targets in (mutag_targets, blank, scrambled)
    ]

    for other in answers[1:]:
        same(other, answers[0])


def test_probabilities_are_a_distribution_and_labels_are_classes(name, schema, graphs):
    targets = np.arange(len(graphs)) % 3
    given = answer(name, graphs, targets, np.arange(9), np.arange(9, 12), n_classes=3)

    assert given.probabilities.shape == (3, 3)
    assert (given.probabilities >= 0).all()
    np.testing.assert_allclose(given.probabilities.sum(1), 1)
    assert given.labels.shape == (3,)
    assert given.labels.dtype == np.int64
    assert set(given.labels.tolist()) <= {0, 1, 2}


def test_the_same_seed_gives_the_same_answers(name, packed_mutag, mutag_targets):
    train, test = halves(mutag_targets)

    same(
        answer(name, packed_mutag, mutag_targets, train, test),
        answer(name, packed_mutag, mutag_targets, train, test),
    )


def test_answers_do_not_depend_on_what_was_asked_before(name, easy):
    graphs, targets = easy
    rows = np.arange(len(targets))
    used = BASELINES[name](graphs, tables_of(graphs))
    used.answer(1 - targets, train_rows=rows[:20], test_rows=rows[20:], n_classes=2, seed=1)
    used = used.answer(targets, train_rows=rows[:30], test_rows=rows[30:], n_classes=2, seed=0)

    same(used, answer(name, graphs, targets, rows[:30], rows[30:]))


def test_each_row_is_answered_alone_as_among_others(name, packed_mutag, mutag_targets):
    train, test = halves(mutag_targets)
    together = answer(name, packed_mutag, mutag_targets, train, test[:3])

    for k in range(3):
        alone = answer(name, packed_mutag, mutag_targets, train, test[k : k + 1])
        assert alone.labels[0] == together.labels[k]
        np.testing.assert_allclose(alone.probabilities[0], together.probabilities[k])


def test_renumbering_nodes_changes_no_answer(name, packed_mutag, mutag_targets, renumbered):
    train, test = halves(mutag_targets)
    other = renumbered(packed_mutag, np.random.default_rng(0))

    same(
        answer(name, other, mutag_targets, train, test),
        answer(name, packed_mutag, mutag_targets, train, test),
    )


def test_graphs_that_are_neither_learned_nor_asked_do_not_matter(
    name, packed_mutag, mutag_targets
):
    train, test = halves(mutag_targets)
    asked, other = test[:10], test[10:]
    nodes = packed_mutag.nodes.copy()
    in_other = np.isin(packed_mutag.graph_of_node, other)
    nodes[in_other] = (nodes[in_other] + 1) % 7
    changed = replace(packed_mutag, nodes=nodes)

    given = answer(name, packed_mutag, mutag_targets, train, asked)
    again = answer(name, changed, mutag_targets, train, asked)
    np.testing.assert_array_equal(again.labels, given.labels)
    np.testing.assert_array_equal(again.probabilities, given.probabilities)


def test_a_class_missing_from_training_gets_no_probability(name, easy):
    graphs, targets = easy
    rows = np.arange(len(targets))
    given = answer(name, graphs, targets * 2, rows[:30], rows[30:], n_classes=4)

    assert (given.probabilities[:, [1, 3]] == 0).all()
    assert set(given.labels.tolist()) <= {0, 2}
    np.testing.assert_allclose(given.probabilities.sum(1), 1)


def test_training_rows_of_one_class_leave_one_answer(name, easy):
    graphs, _ = easy
    given = answer(name, graphs, np.full(40, 2), np.arange(30), np.arange(30, 40), n_classes=3)

    assert (given.labels == 2).all()
    assert (given.probabilities == [0, 0, 1]).all()


@pytest.mark.parametrize("train", [[0, 1], [0, 2, 1], [0, 2, 4, 6, 8, 1], [0, 1, 2, 3]])
def test_a_handful_of_training_rows_is_enough(name, easy, train):
    graphs, targets = easy
    given = answer(name, graphs, targets, np.array(train), np.arange(30, 40))

    assert np.isfinite(given.probabilities).all()
    np.testing.assert_allclose(given.probabilities.sum(1), 1)


def test_more_than_a_thousand_rows_are_split_once_and_learned(name, easy):
    graphs, targets = easy
    rows = np.arange(1100) % 40
    many = graphs.take(rows)
    given = answer(name, many, targets[rows], np.arange(1060), np.arange(1060, 1100))

    assert (given.labels == targets[rows[1060:]]).mean() >= 0.5


def test_no_baseline_falls_below_the_majority_on_an_easy_set(name, easy):
    graphs, targets = easy
    rows = np.arange(len(targets))
    given = answer(name, graphs, targets, rows[:20], rows[20:])

    expected = 0.5 if name == "majority" else 1.0
    assert (given.labels == targets[20:]).mean() == expected
    assert ((given.probabilities.argmax(1) == targets[20:]).mean()) == expected


def test_real_molecules_are_answered_better_than_by_the_majority(
    name, packed_mutag, mutag_targets
):
    train, test = halves(mutag_targets)
    hits = answer(name, packed_mutag, mutag_targets, train, test).labels == mutag_targets[test]
    majority = max(np.bincount(mutag_targets[test])) / len(test)

    assert hits.mean() >= majority + (0 if name == "majority" else 0.1)


def answer(name, graphs, targets, train, test, *, n_classes=2, seed=0):
    return BASELINES[name](graphs, tables_of(graphs)).answer(
        targets, train_rows=train, test_rows=test, n_classes=n_classes, seed=seed
    )


def same(one, other):
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-9)


def halves(targets):
    order = np.random.default_rng(0).permutation(len(targets))
    return np.sort(order[:70]), np.sort(order[94:])
