import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from kekule.models import BASELINES
from kekule.models.members import MEMBERS, Material
from kekule.models.members.columns import signed_logarithms
from kekule.models.members.linear import Logistic


class _OfTwo(Logistic):
    needs = ("ecfp", "rdkit-descriptors")


class _NoGraphs:
    """Rows without a graph: none is looked at."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n


def learn(member, tables, truth, rows, n_classes):
    material = Material(_NoGraphs(len(truth)), tables)
    trained = member.train(
        material, truth, train_rows=rows, held_rows=rows[:0], n_classes=n_classes, seed=0
    )
    return trained, trained.probabilities(material)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_is_scikit_learn_s_regression_of_standardised_logarithms(molecules, n_classes):
    tables, truth = molecules
    truth = truth + (n_classes == 3) * (np.arange(len(truth)) % 3 == 0)
    rows = np.arange(0, len(truth), 2)
    _, given = learn(_OfTwo(), tables, truth, rows, n_classes)

    columns = np.hstack([t.astype(np.float64) for t in tables.values()])
    usual = np.nan_to_num(np.nanmedian(columns[rows], axis=0))
    columns = np.where(np.isnan(columns), usual, columns)
    columns = np.clip(np.sign(columns) * np.log1p(abs(columns)), -20, 20)
    varying = columns[rows].std(axis=0) > 1e-5 * abs(columns[rows].mean(axis=0))
    scaler = StandardScaler().fit(columns[rows][:, varying])
    theirs = LogisticRegression(C=0.001, tol=1e-9, max_iter=10_000)
    theirs.fit(scaler.transform(columns[rows][:, varying]), truth[rows])
    expected = theirs.predict_proba(scaler.transform(columns[:, varying]))
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-4)
    assert np.ptp(given[:, 1]) > 0.3


def test_a_column_that_is_the_same_in_training_has_no_weight(molecules):
    tables, truth = molecules
    rows = np.arange(0, len(truth), 2)
    counts = tables["ecfp"].copy()
    counts[rows, 3], counts[1::2, 3] = 7, 200
    trained, given = learn(_OfTwo(), {**tables, "ecfp": counts}, truth, rows, 2)
    counts = counts.copy()
    counts[:, 3] = 7
    _, again = learn(_OfTwo(), {**tables, "ecfp": counts}, truth, rows, 2)

    assert trained.weights[3, 0] == 0
    np.testing.assert_array_equal(again, given)


def test_values_beyond_measure_give_an_answer_and_missing_ones_are_the_median(molecules):
    tables, truth = molecules
    rows = np.arange(0, len(truth), 2)
    values = tables["rdkit-descriptors"].copy()
    values[1, :] = np.finfo(np.float32).max
    values[3, :] = -np.finfo(np.float32).max
    values[5, :] = np.nan
    trained, given = learn(_OfTwo(), {**tables, "rdkit-descriptors": values}, truth, rows, 2)
    values[5, :] = trained.usual[2048:]
    _, median = learn(_OfTwo(), {**tables, "rdkit-descriptors": values}, truth, rows, 2)

    assert np.isfinite(given).all()
    np.testing.assert_array_equal(given[5], median[5])


def test_a_signed_logarithm_is_odd_keeps_small_values_and_is_bounded():
    values = np.float32([0, 1e-6, 1, 9, 1e30])

    expected = [0, 1e-6, np.log(2), np.log(10), 20]
    np.testing.assert_allclose(signed_logarithms(values), expected, rtol=1e-6)
    np.testing.assert_array_equal(signed_logarithms(-values), -signed_logarithms(values))


def test_forests_and_boosted_trees_answer_as_the_baselines_of_their_names(molecules):
    tables, truth = molecules
    rows, asked = np.arange(0, len(truth), 2), np.arange(1, len(truth), 2)
    for name in ("extra-trees", "LightGBM"):
        _, given = learn(MEMBERS[name], tables, truth, rows, 2)
        baseline = BASELINES[name](_NoGraphs(len(truth)), tables)
        expected = baseline.answer(
            truth, train_rows=rows, test_rows=asked, n_classes=2, seed=0
        ).probabilities
        np.testing.assert_allclose(given[asked], expected, rtol=0, atol=1e-7)
