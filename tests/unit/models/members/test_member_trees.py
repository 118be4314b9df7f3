from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from kekule.models.boosting import boosted
from kekule.models.fingerprint_models import filled, medians
from kekule.models.members import Stored, Trees
from kekule.models.members.contents import Contents
from kekule.models.members.grown import rounded_down, trees_of_booster, trees_of_forest
from kekule.models.members.trees import DEEPEST

SPLIT = {  # x0 <= 0.5 ? (x1 <= 2 ? leaf 0 : leaf 1) : leaf 2; then a leaf alone
    "feature": np.array([0, 1, -1, -1, -1, -1], dtype=np.int32),
    "threshold": np.array([0.5, 2, 0, 0, 0, 0], dtype=np.float32),
    "left": np.array([1, 2, 0, 0, 0, 0], dtype=np.int32),
    "right": np.array([4, 3, 0, 0, 0, 0], dtype=np.int32),
    "nan_left": np.array([1, 0, 0, 0, 0, 0], dtype=np.uint8),
    "starts": np.array([0, 5], dtype=np.int32),
    "values": np.array([[1, 0], [0.5, 0.5], [0, 1], [0.2, 0.8]], dtype=np.float32),
}


def read(link="mean", n_columns=2, n_classes=2, **changes):
    given = Contents(Stored({}, {**SPLIT, **changes}))
    return Trees.from_arrays(given, n_columns=n_columns, n_classes=n_classes, link=link)


def drawn(n, width, seed, *, gaps=0.0):
    """Counts, numbers of every size, both zeros, and some values missing."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(n, width)) * 10.0 ** rng.integers(-38, 30, (n, width))
    columns[:, ::2] = rng.poisson(1.0, columns[:, ::2].shape)
    columns[rng.random((n, width)) < 0.1] = -0.0
    columns[rng.random((n, width)) < gaps] = np.nan
    return columns.astype(np.float32)


def classes_of(columns, n_classes, seed):
    noise = np.random.default_rng(seed).normal(size=len(columns))
    score = np.nan_to_num(columns[:, 0]) + noise
    return np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes))


def test_two_trees_read_by_hand():
    rows = np.array([[0.5, 2.0], [0.5, 2.1], [0.6, 0], [np.nan, np.nan]], dtype=np.float32)

    expected = [[0.6, 0.4], [0.35, 0.65], [0.1, 0.9], [0.35, 0.65]]
    np.testing.assert_allclose(read().probabilities(rows), expected, atol=1e-7)


def test_margins_are_added_up_to_log_odds_read_by_hand():
    margins = np.array([[2.0], [-1.0], [0.5], [-0.5]])
    trees = read("sum", values=margins)
    given = trees.probabilities(np.array([[0, 0], [1, 0]], dtype=np.float32))

    np.testing.assert_allclose(given[:, 1], [1 / (1 + np.exp(-1.5)), 0.5], rtol=1e-14)


@pytest.mark.parametrize("kind", [ExtraTreesClassifier, RandomForestClassifier])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_forest_answers_as_in_scikit_learn(kind, n_classes):
    columns, asked = drawn(300, 12, 0), drawn(500, 12, 1)
    forest = kind(40, random_state=0).fit(columns, classes_of(columns, n_classes, 0))

    given = trees_of_forest(forest).probabilities(asked)
    np.testing.assert_allclose(given, forest.predict_proba(asked), rtol=0, atol=1e-7)


def test_a_forest_of_real_molecules_answers_as_in_scikit_learn(real_columns):
    columns, classes = real_columns
    columns = filled(columns, medians(columns))
    forest = ExtraTreesClassifier(60, criterion="entropy", min_samples_leaf=2, random_state=0)
    forest.fit(columns[:100], classes[:100])

    given = trees_of_forest(forest).probabilities(columns)
    np.testing.assert_allclose(given, forest.predict_proba(columns), rtol=0, atol=1e-7)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_a_booster_answers_as_in_lightgbm(n_classes, gaps):
    """Missing values are met where training had some, and where it had none."""
    columns, asked = drawn(300, 12, 0, gaps=gaps), drawn(500, 12, 1, gaps=0.2)
    model = grow(columns, classes_of(columns, n_classes, 0))

    given = trees_of_booster(model.booster).probabilities(asked)
    np.testing.assert_allclose(given, model.predict_proba(asked), rtol=0, atol=1e-12)
    np.testing.assert_allclose(given.sum(1), 1, atol=1e-15)


def test_boosted_trees_of_real_molecules_answer_as_in_lightgbm(real_columns):
    columns, classes = real_columns
    for truth in (classes, classes + (np.arange(len(classes)) % 3 == 0)):
        model = grow(columns[:120], truth[:120])

        given = trees_of_booster(model.booster).probabilities(columns)
        np.testing.assert_allclose(given, model.predict_proba(columns), rtol=0, atol=1e-12)


def test_rows_too_few_to_split_leave_trees_of_one_leaf():
    columns = drawn(6, 3, 0)
    for classes in ([0, 1, 1, 1, 1, 1], [0, 1, 2, 2, 2, 2]):
        model = grow(columns, np.array(classes))
        trees = trees_of_booster(model.booster)

        assert (trees.feature == -1).all()
        given = trees.probabilities(columns)
        np.testing.assert_allclose(given, model.predict_proba(columns), rtol=0, atol=1e-12)
    forest = ExtraTreesClassifier(5, min_samples_leaf=6, random_state=0)
    forest.fit(columns, [0, 1, 1, 1, 1, 1])
    given = trees_of_forest(forest).probabilities(columns)
    np.testing.assert_allclose(given, np.tile([1 / 6, 5 / 6], (6, 1)), atol=1e-7)


def test_a_booster_that_reads_zeros_as_missing_is_refused():
    columns = np.nan_to_num(drawn(200, 4, 0))
    data = lightgbm.Dataset(columns, classes_of(columns, 2, 0))
    settings = {"objective": "binary", "zero_as_missing": True, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(settings, data, 3)

    with pytest.raises(ValueError, match="zeros for missing values"):
        trees_of_booster(booster)


@pytest.mark.parametrize("seed", range(5))
def test_no_comparison_changes_when_thresholds_are_rounded_down(seed):
    rng = np.random.default_rng(seed)
    thresholds = rng.normal(size=2000) * 10.0 ** rng.integers(-44, 38, 2000)
    near = thresholds.astype(np.float32)
    for values in (near, np.nextafter(near, np.float32(-9)), np.nextafter(near, np.float32(9))):
        np.testing.assert_array_equal(values <= rounded_down(thresholds), values <= thresholds)


def test_thresholds_beyond_float32_become_its_ends():
    with np.errstate(over="raise"):
        ends = rounded_down(np.array([1.7e308, -1.7e308, 1.0000000180025095e-35]))

    assert np.isfinite(ends).all()
    assert np.float32(3.4e38) <= ends[0]
    assert not np.float32(-3.3e38) <= ends[1]
    assert 0 <= ends[2] < 1e-30


def test_answers_do_not_depend_on_the_rows_beside(real_columns):
    columns, classes = real_columns
    trees = trees_of_booster(grow(columns, classes).booster)
    together = trees.probabilities(columns)

    for k in range(0, len(columns), 13):
        np.testing.assert_array_equal(trees.probabilities(columns[[k]])[0], together[k])
    assert trees.probabilities(columns[:0]).shape == (0, 2)


def i4(*values):
    return np.array(values, dtype=np.int32)


FAULTS = {
    "a child that is its own parent": ({"left": i4(0, 2, 0, 0, 0, 0)}, "behind its parent"),
    "a child before its parent": ({"right": i4(4, 0, 0, 0, 0, 0)}, "behind its parent"),
    "a child in another tree": ({"right": i4(5, 3, 0, 0, 0, 0)}, "behind its parent"),
    "a child below all nodes": ({"right": i4(4, -1, 0, 0, 0, 0)}, "behind its parent"),
    "a child beyond all nodes": ({"right": i4(4, 2**31 - 1, 0, 0, 0, 0)}, "behind its parent"),
    "a child with two parents": ({"right": i4(4, 4, 0, 0, 0, 0)}, "no parent, or two"),
    "a leaf with a child": ({"left": i4(1, 2, 0, 4, 0, 0)}, "a leaf has children"),
    "a column beyond all": ({"feature": i4(2, 1, -1, -1, -1, -1)}, "are not among 2"),
    "a column below -1": ({"feature": i4(-2, 1, -1, -1, -1, -1)}, "values"),
    "a direction that is none": ({"nan_left": np.full(6, 2, np.uint8)}, "neither left nor right"),
    "no tree": ({"starts": i4()}, "0 trees"),
    "a first tree that starts late": ({"starts": i4(1, 5)}, "do not start"),
    "trees that start together": ({"starts": i4(0, 0)}, "do not start"),
    "a tree beyond the nodes": ({"starts": i4(0, 6)}, "starts at node 6 of 6"),
    "a tree less": ({"starts": i4(0)}, "no parent, or two"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_trees_that_a_walk_would_be_lost_in_are_refused(fault):
    changes, why = FAULTS[fault]
    with pytest.raises(ValueError, match=why):
        read(**changes)


@pytest.mark.parametrize(
    "values", [[[1.5, -0.5]] + 3 * [[0, 1]], 4 * [[0.5, 0.4]], 4 * [[0.0, 0.0]], 4 * [[np.nan, 1]]]
)
def test_values_that_are_no_shares_are_refused(values):
    with pytest.raises(ValueError, match=r"no shares|no numbers"):
        read(values=np.array(values, dtype=np.float32))


def test_margins_that_could_overflow_and_other_numbers_of_classes_are_refused():
    with pytest.raises(ValueError, match="a leaf's value is 1e"):
        read("sum", values=np.full((4, 1), 1e300))
    for n_classes in (3, 4):
        with pytest.raises(ValueError, match="'values' is"):
            read(n_classes=n_classes)
        with pytest.raises(ValueError, match="'values' is"):
            read("sum", n_classes=n_classes, values=np.zeros((4, 1)))


def chain(depth):
    """A tree with a leaf on the left of every split."""
    n = 2 * depth + 1
    inner = np.arange(n) % 2 == 0
    inner[-1] = False
    own = np.arange(n)
    return {
        "feature": np.where(inner, 0, -1).astype(np.int32),
        "threshold": np.zeros(n, dtype=np.float32),
        "left": np.where(inner, own + 1, 0).astype(np.int32),
        "right": np.where(inner, own + 2, 0).astype(np.int32),
        "nan_left": np.zeros(n, dtype=np.uint8),
        "starts": i4(0),
        "values": np.tile(np.float32([0, 1]), (depth + 1, 1)),
    }


def test_a_tree_may_be_deep_but_not_bottomless():
    rows = np.ones((3, 1), dtype=np.float32)
    assert (read(n_columns=1, **chain(DEEPEST)).probabilities(rows) == [0, 1]).all()
    with pytest.raises(ValueError, match="deeper than"):
        read(n_columns=1, **chain(DEEPEST + 1))


def test_what_is_written_is_read_again_to_the_last_bit(real_columns):
    columns, classes = real_columns
    trees = trees_of_booster(grow(columns, classes).booster)
    given = Contents(Stored({}, trees.arrays()))
    again = Trees.from_arrays(given, n_columns=columns.shape[1], n_classes=2, link="sum")

    np.testing.assert_array_equal(again.probabilities(columns), trees.probabilities(columns))
    fewer = replace(trees, feature=np.where(trees.feature > 100, 100, trees.feature))
    with pytest.raises(ValueError, match="are not among 100"):
        Trees.from_arrays(
            Contents(Stored({}, fewer.arrays())), n_columns=100, n_classes=2, link="sum"
        )


def grow(columns, classes):
    return boosted(columns, classes, seed=0, share_of_columns=0.5, least_in_a_leaf=5)
