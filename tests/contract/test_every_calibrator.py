"""What holds for every calibrator: of the rows it takes, the answers it gives, what is kept."""

import copy
import importlib
import inspect
import json
import math
import pkgutil

import numpy as np
import pytest

from kekule import KekuleError
from kekule.evaluation import calibration
from kekule.evaluation.calibration import (
    CALIBRATORS,
    CalibrationError,
    calibrator_from_json,
    calibrator_named,
)

KEEPS_EVERY_PAIR = {"none", "temperature", "platt"}


@pytest.fixture(params=CALIBRATORS)
def name(request):
    return request.param


def two(scores):
    scores = np.asarray(scores, dtype=np.float64)
    return np.stack([1 - scores, scores], axis=1)


def drawn(n, n_classes, *, boldness=1.0, seed=0):
    """Rows whose classes follow a distribution, said too boldly by a factor of the log-odds."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 1.5, (n, n_classes))
    p = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    truth = (p.cumsum(1) < rng.random((n, 1))).sum(1).clip(max=n_classes - 1)
    said = p**boldness
    return said / said.sum(1, keepdims=True), truth.astype(np.int64)


CERTAIN = two([0, 0, 1, 1, 1, 0.5, 0, 1]), np.array([0, 1, 1, 0, 1, 1, 0, 1])
ROWS = {
    "two classes": drawn(60, 2, boldness=3),
    "three classes": drawn(60, 3, boldness=3),
    "seven classes": drawn(40, 7, boldness=0.3),
    "certain rows": CERTAIN,
    "three classes, certain": (np.eye(3)[[0, 1, 2, 2, 1]], np.array([0, 1, 2, 0, 0])),
    "only the first class": (two([0.1, 0.6, 0.9]), np.zeros(3, dtype=np.int64)),
    "only the last class": (two([0.1, 0.6, 0.9]), np.ones(3, dtype=np.int64)),
    "a class that is absent": (drawn(50, 4)[0], np.tile([0, 3], 25)),
    "one class of three": (drawn(9, 3)[0], np.full(9, 1)),
    "one row": (two([0.3]), np.array([1])),
    "one certain row that is wrong": (two([0.0]), np.array([1])),
    "one score": (two([0.4] * 12), np.tile([0, 1, 1], 4)),
    "always right": (two([0.1, 0.2, 0.3, 0.7, 0.8]), np.array([0, 0, 0, 1, 1])),
    "always wrong": (two([0.1, 0.2, 0.3, 0.7, 0.8]), np.array([1, 1, 1, 0, 0])),
}


@pytest.fixture(params=ROWS)
def rows(request):
    return ROWS[request.param]


def test_every_calibrator_is_named_and_every_name_is_a_calibrator():
    found = set()
    for module in pkgutil.iter_modules(calibration.__path__):
        here = importlib.import_module(f"{calibration.__name__}.{module.name}")
        found |= {
            member
            for _, member in inspect.getmembers(here, inspect.isclass)
            if member.__module__ == here.__name__
            and hasattr(member, "from_json")
            and not getattr(member, "_is_protocol", False)
        }

    assert found == set(CALIBRATORS.values())
    assert {kind.kind: kind for kind in CALIBRATORS.values()} == CALIBRATORS


def test_answers_are_distributions_and_never_certain(name, rows):
    fitted = CALIBRATORS[name].fit(*rows)
    n_classes = rows[0].shape[1]
    asked = np.concatenate([rows[0], np.eye(n_classes), drawn(20, n_classes, boldness=9)[0]])
    given = fitted.apply(asked)

    assert given.shape == asked.shape
    assert given.dtype == np.float64
    np.testing.assert_allclose(given.sum(1), 1, atol=1e-12)
    assert (given >= calibration.LEAST / n_classes / 2).all()
    assert (given < 1).all()


def test_what_is_stored_is_finite_json_and_answers_to_the_last_digit(name, rows):
    fitted = CALIBRATORS[name].fit(*rows)
    text = json.dumps(fitted.to_json(), allow_nan=False)
    again = calibrator_from_json(json.loads(text))
    asked = drawn(50, rows[0].shape[1], seed=1)[0]

    assert type(again) is CALIBRATORS[name]
    np.testing.assert_array_equal(again.apply(asked), fitted.apply(asked))
    assert json.dumps(again.to_json()) == text


def test_the_order_of_the_rows_does_not_matter(name, rows):
    order = np.random.default_rng(0).permutation(len(rows[1]))
    asked = drawn(30, rows[0].shape[1], seed=1)[0]
    fitted = CALIBRATORS[name].fit(*rows)
    other = CALIBRATORS[name].fit(rows[0][order], rows[1][order])

    np.testing.assert_allclose(other.apply(asked), fitted.apply(asked), rtol=1e-6, atol=1e-12)


def test_each_row_is_answered_alone_as_among_others(name, rows):
    fitted = CALIBRATORS[name].fit(*rows)
    together = fitted.apply(rows[0])

    for k in range(len(rows[0])):
        np.testing.assert_array_equal(fitted.apply(rows[0][k : k + 1])[0], together[k])
    assert fitted.apply(rows[0][:0]).shape == (0, rows[0].shape[1])


def test_classes_with_other_numbers_get_the_same_probabilities(name, rows):
    probabilities, truth = rows
    n_classes = probabilities.shape[1]
    order = np.roll(np.arange(n_classes), 1)
    asked = drawn(30, n_classes, seed=1)[0]
    given = CALIBRATORS[name].fit(probabilities, truth).apply(asked)
    moved = CALIBRATORS[name].fit(probabilities[:, order], np.argsort(order)[truth])

    np.testing.assert_allclose(moved.apply(asked[:, order]), given[:, order], atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("boldness", [0.3, 1, 6])
def test_of_two_classes_no_pair_of_rows_is_turned_round(name, boldness, seed):
    fitted = CALIBRATORS[name].fit(*drawn(200, 2, boldness=boldness, seed=seed))
    rng = np.random.default_rng(seed)
    scores = np.sort(np.concatenate([rng.random(2000), rng.random(500) ** 20, [0, 1]]))
    scores = np.unique(np.concatenate([scores, np.nextafter(scores, 1), 1 - scores**9]))
    rising = np.diff(fitted.apply(two(scores))[:, 1])

    assert (rising[np.diff(scores) > 1e-12] >= 0).all()
    assert (rising >= -2e-16).all()  # neighbouring numbers, to rounding
    if name in KEEPS_EVERY_PAIR:
        apart = fitted.apply(two(np.linspace(0.001, 0.999, 5000)))[:, 1]
        assert (np.diff(apart) > 0).all()


@pytest.mark.parametrize("case", ["always wrong", "only the first class", "one score"])
def test_even_a_model_worse_than_chance_keeps_its_order(name, case):
    fitted = CALIBRATORS[name].fit(*ROWS[case])
    assert (np.diff(fitted.apply(two(np.linspace(0, 1, 300)))[:, 1]) >= 0).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_too_bold_a_model_comes_true_more_nearly_on_new_rows(name, n_classes):
    fitted = CALIBRATORS[name].fit(*drawn(2000, n_classes, boldness=4))
    said, truth = drawn(4000, n_classes, boldness=4, seed=1)
    honest = loss(drawn(4000, n_classes, seed=1)[0], truth)
    before, after = loss(said, truth), loss(fitted.apply(said), truth)

    if name == "none":
        assert after == pytest.approx(before, abs=0.01)
    else:
        assert honest - 0.001 < after < honest + 0.03 < before - 0.2


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_model_that_is_right_already_is_left_nearly_as_it_is(name, n_classes):
    fitted = CALIBRATORS[name].fit(*drawn(6000, n_classes))
    said = drawn(1000, n_classes, seed=1)[0]

    assert np.abs(fitted.apply(said) - said).mean() < 0.03


def test_rows_in_single_precision_are_taken(name):
    probabilities, truth = drawn(40, 3)
    single = probabilities.astype(np.float32)
    given = CALIBRATORS[name].fit(single, truth).apply(single)
    wide = CALIBRATORS[name].fit(probabilities, truth).apply(probabilities)

    np.testing.assert_allclose(given, wide, atol=1e-4)


@pytest.mark.parametrize(
    ("probabilities", "truth", "why"),
    [
        (two([0.5, np.nan]), [0, 1], r"row 1 is no distribution .*nan"),
        ([[0.2, 0.2], [0.5, 0.5]], [0, 1], r"row 0 is no distribution .*0\.2, 0\.2"),
        ([[3.1, -2.1]], [0], "row 0 is no distribution"),
        ([0.2, 0.8], [0, 1], r"shape \(2,\)"),
        ([[1.0], [1.0]], [0, 0], r"shape \(2, 1\)"),
        (two([0.5, 0.1]), [0, 2], "row 1 has class 2, not a whole number from 0 to 1"),
        (two([0.5, 0.1]), [0, -1], "row 1 has class -1"),
        (two([0.5, 0.1]), [0.0, 1.0], r"row 0 has class 0\.0"),
        (two([0.5, 0.1]), [0], r"2 rows of probabilities and classes of shape \(1,\)"),
        (np.zeros((0, 2)), np.zeros(0, dtype=int), "0 rows"),
    ],
)
def test_rows_that_cannot_be_learnt_from_are_named(name, probabilities, truth, why):
    with pytest.raises(CalibrationError, match=why):
        CALIBRATORS[name].fit(np.asarray(probabilities), np.asarray(truth))


def test_rows_of_another_number_of_classes_are_refused(name):
    fitted = CALIBRATORS[name].fit(*ROWS["three classes"])
    with pytest.raises(CalibrationError, match=r"shape \(1, 2\), not \(n, K\) with K = 3"):
        fitted.apply(two([0.5]))
    with pytest.raises(CalibrationError, match="row 1 is no distribution"):
        fitted.apply(np.array([[0.2, 0.3, 0.5], [np.nan, 0.5, 0.5]]))


@pytest.mark.parametrize("case", ["two classes", "three classes"])
@pytest.mark.parametrize("put", [math.nan, math.inf, -1e30, 10**400, "0.5", None, True, [], {}])
def test_a_stored_number_that_was_damaged_is_an_error_and_never_an_answer(name, case, put):
    whole = CALIBRATORS[name].fit(*ROWS[case]).to_json()
    for path in places(whole):
        damaged = copy.deepcopy(whole)
        at(damaged, path[:-1])[path[-1]] = put
        with pytest.raises(CalibrationError):
            calibrator_from_json(damaged)
        if isinstance(path[-1], str):
            damaged = copy.deepcopy(whole)
            del at(damaged, path[:-1])[path[-1]]
            with pytest.raises(CalibrationError):
                calibrator_from_json(damaged)


@pytest.mark.parametrize("name", ["isotonic", "venn-abers"])
def test_a_stored_curve_that_falls_or_stands_still_is_refused(name):
    whole = CALIBRATORS[name].fit(*ROWS["two classes"]).to_json()
    for key, values in whole["curves"][0].items():
        for put in (values[::-1], [values[1], *values[1:]]):
            damaged = copy.deepcopy(whole)
            damaged["curves"][0][key] = put
            if key not in {"values", "lower", "upper"} or put == values[::-1]:
                with pytest.raises(CalibrationError, match=f"{key} do not rise"):
                    calibrator_from_json(damaged)


@pytest.mark.parametrize("count", [2.5, 1, 10**6])
@pytest.mark.parametrize("name", ["none", "temperature"])
def test_a_stored_number_of_classes_is_a_whole_number_of_at_least_two(name, count):
    whole = CALIBRATORS[name].fit(*ROWS["two classes"]).to_json()
    with pytest.raises(CalibrationError, match="n_classes"):
        calibrator_from_json({**whole, "n_classes": count})


@pytest.mark.parametrize("stored", [None, [], "platt", {}, {"kind": "spline"}, {"kind": ["none"]}])
def test_what_is_no_calibrator_is_an_error(stored):
    with pytest.raises(CalibrationError):
        calibrator_from_json(stored)


def test_an_unknown_name_is_answered_with_all_there_are():
    with pytest.raises(KekuleError, match="'Platt' is no calibrator") as caught:
        calibrator_named("Platt")
    assert all(known in str(caught.value) for known in CALIBRATORS)


def loss(probabilities, truth):
    return -np.log(probabilities[np.arange(len(truth)), truth]).mean()


def places(content, path=()):
    """Path of every number and list in what is stored."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inside:
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        if value != content.get("kind") if isinstance(content, dict) else True:
            yield (*path, key)


def at(content, path):
    for key in path:
        content = content[key]
    return content
