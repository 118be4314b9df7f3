import numpy as np
import pytest
from sklearn.preprocessing import normalize

from kekule.data import read_tu
from kekule.features import Column, GraphSchema, pack, schema_of
from kekule.models import BASELINES
from kekule.models.members import MEMBERS, Material

NAMES = ("WL-SVM", "WL-LightGBM")


def both(name, graphs, targets, train, test, n_classes):
    """Answers of the member and of the baseline."""
    rows = {"train_rows": train, "n_classes": n_classes, "seed": 3}
    trained = MEMBERS[name].train(Material(graphs), targets, held_rows=test[:0], **rows)
    given = trained.probabilities(Material(graphs.take(test)))
    return given, BASELINES[name](graphs).answer(targets, test_rows=test, **rows).probabilities


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_member_answers_as_the_baseline_of_its_name(
    name, n_classes, packed_mutag, mutag_targets
):
    order = np.random.default_rng(0).permutation(188)
    targets = mutag_targets + (n_classes == 3) * (np.arange(188) % 4 == 0)
    given, expected = both(name, packed_mutag, targets, order[:80], order[80:], n_classes)

    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-12)
    assert np.ptp(given[:, 0]) > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_so_it_does_of_graphs_with_degrees_and_attributes(name, random_packed):
    schema = GraphSchema(
        (Column("label", (1, 6, 7)), Column("degree", tuple(range(9)))), (), n_node_attributes=2
    )
    rng = np.random.default_rng(1)
    graphs = random_packed(schema, rng.integers(1, 9, 90), rng, bond_chance=0.3)
    targets = (np.diff(graphs.node_pointer) > 4).astype(np.int64)
    given, expected = both(name, graphs, targets, np.arange(60), np.arange(60, 90), 2)

    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_so_it_does_of_a_real_set_of_other_molecules(name, tu_root):
    found = read_tu(tu_root / "PTC_MR").take(np.arange(0, 344, 2))
    graphs = pack(found, schema_of(found))
    targets = np.unique(found.targets, return_inverse=True)[1].astype(np.int64)
    order = np.random.default_rng(2).permutation(len(targets))
    given, expected = both(name, graphs, targets, order[:100], order[100:], 2)

    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-12)


def test_more_than_a_thousand_rows_are_split_once(packed_mutag, mutag_targets):
    rows = np.arange(1100) % 188
    many, targets = packed_mutag.take(rows), mutag_targets[rows]
    given, expected = both("WL-SVM", many, targets, np.arange(1050), np.arange(1050, 1100), 2)

    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-12)


def test_a_margin_is_that_of_a_vector_of_unit_length(packed_mutag, mutag_targets):
    """Patterns that training has not seen make the others of a graph smaller."""
    train, asked = np.arange(0, 30), np.arange(30, 188)
    trained = MEMBERS["WL-SVM"].train(
        Material(packed_mutag),
        mutag_targets,
        train_rows=train,
        held_rows=train[:0],
        n_classes=2,
        seed=0,
    )
    counts = trained.vocabulary.counts(packed_mutag.take(asked))
    tables, unknown = [], np.zeros(len(asked))
    for known, size in zip(counts, trained.vocabulary.sizes, strict=True):
        table = np.zeros((len(asked), size))
        table[known.graph, known.column] = known.times
        tables.append(table)
        unknown += known.squares - (table**2).sum(1)
    features = normalize(np.column_stack([*tables, np.sqrt(unknown)]))[:, :-1]
    margins = features @ np.concatenate(trained.weights)[:, 0] + trained.intercept
    expected = 1 / (1 + np.exp(-(margins * trained.platt_weights[0] + trained.platt_intercept)))

    assert (unknown > 0).any()
    given = trained.probabilities(Material(packed_mutag.take(asked)))[:, 1]
    np.testing.assert_allclose(given, expected, atol=1e-12)


def test_trees_keep_only_patterns_that_they_ask_for(packed_mutag, mutag_targets):
    rows = np.arange(188)
    trained = MEMBERS["WL-LightGBM"].train(
        Material(packed_mutag),
        mutag_targets,
        train_rows=rows,
        held_rows=rows[:0],
        n_classes=2,
        seed=0,
    )
    asked = np.unique(np.concatenate([t.feature for t in trained.trees]))

    patterns = np.arange(sum(trained.vocabulary.sizes)) + trained.n_plain
    assert set(patterns.tolist()) <= set(asked.tolist())
    assert len(trained.trees) == 5
