"""What is fitted for a task and said of a row: edges, invariances, and states that come back."""

import copy
import json

import numpy as np
import pytest

from kekule._errors import RecipeError
from kekule.evaluation.calibration import CALIBRATORS
from kekule.evaluation.conformal import fit_conformal
from kekule.evaluation.thresholds import choose_threshold
from kekule.evaluation.uncertainty import Uncertainty, UncertaintyError
from kekule.evaluation.uncertainty_fitting import fit_uncertainty
from kekule.evaluation.uncertainty_settings import UncertaintySettings, check_aim


def test_settings_name_the_nearest_calibrator_and_every_aim():
    with pytest.raises(ValueError, match=r"'isotonc' is no calibrator; did you mean isotonic\?"):
        UncertaintySettings(calibration="isotonc")
    with pytest.raises(ValueError, match=r"'recall>0.9' is no aim.*mcc.*precision>=0\.8"):
        UncertaintySettings(threshold="recall>0.9")
    for confidence in (0, 1, -0.1):
        with pytest.raises(ValueError, match="confidence"):
            UncertaintySettings(confidence=confidence)


def test_an_aim_of_two_classes_is_refused_where_there_are_three_before_anything_is_trained():
    asked = UncertaintySettings(threshold="recall>=0.9")
    check_aim(asked, 2)
    check_aim(UncertaintySettings(threshold="accuracy"), 3)
    with pytest.raises(RecipeError, match=r"uncertainty\.threshold: 'recall>=0\.9'.*there are 3"):
        check_aim(asked, 3)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_named_calibrator_is_the_one_fitted_on_the_rows_and_none_changes_no_bit(name, n_classes):
    given, truth = drawn(300, n_classes)
    new, _ = drawn(50, n_classes, seed=1)
    fitted = fit(given, truth, calibration=name)

    wanted = new if name == "none" else CALIBRATORS[name].fit(given, truth).apply(new)
    np.testing.assert_array_equal(fitted.calibrated(new), wanted)
    np.testing.assert_array_equal(fitted.labels(new), wanted.argmax(1))


def test_auto_chooses_by_groups_and_says_why():
    given, truth = drawn(400, 2)
    bold = given**4 / (given**4).sum(1, keepdims=True)
    groups = np.arange(400) // 4

    (task,) = fit(bold, truth, groups=groups).tasks
    assert task.calibrator.kind in {"temperature", "platt"}
    assert task.why.startswith(f"{task.calibrator.kind}: log-loss ")
    (one_group,) = fit(bold, truth, groups=np.zeros(400, dtype=int)).tasks
    assert one_group.calibrator.kind == "none"


def test_sets_are_made_of_the_models_own_probabilities_whatever_the_calibrator():
    given, truth = drawn(300, 2)
    new, _ = drawn(80, 2, seed=1)
    wanted = fit_conformal(given, truth).sets(new, 0.8)

    for name in CALIBRATORS:
        fitted = fit(given, truth, calibration=name, confidence=0.8)
        np.testing.assert_array_equal(fitted.sets(new), wanted)
        np.testing.assert_array_equal(
            fitted.sets(new, 0.95), fit_conformal(given, truth).sets(new, 0.95)
        )


def test_the_threshold_cuts_calibrated_probabilities():
    given, truth = drawn(300, 2)
    new, _ = drawn(80, 2, seed=1)
    fitted = fit(given, truth, calibration="platt", threshold="recall>=0.95")

    calibrated = fitted.calibrated(given)
    cut = choose_threshold(calibrated, truth, "recall>=0.95")
    assert fitted.tasks[0].threshold == cut
    np.testing.assert_array_equal(fitted.labels(new), fitted.calibrated(new)[:, 1] >= cut.value)
    assert fitted.labels(given)[truth == 1].mean() >= 0.95


def test_without_a_reachable_threshold_the_most_probable_class_is_given():
    given, truth = drawn(60, 2)
    fitted = fit(given, np.zeros_like(truth), threshold="mcc", calibration="none")

    assert "one class" in fitted.tasks[0].threshold.reason
    np.testing.assert_array_equal(fitted.labels(given), given.argmax(1))


def test_an_aim_for_two_classes_is_a_reason_where_there_are_three():
    given, truth = drawn(90, 3)
    (task,) = fit(given, truth, threshold="f1").tasks

    assert task.threshold.value is None
    assert "there are 3" in task.threshold.reason


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["auto", *CALIBRATORS])
@pytest.mark.parametrize("n", [0, 1, 2, 17])
def test_few_rows_of_one_class_or_none_leave_answers_that_promise_nothing(n, name, n_classes):
    given, _ = drawn(n, n_classes)
    new, _ = drawn(20, n_classes, seed=1)
    truth = np.full(n, n_classes - 1)
    fitted = fit(given, truth, calibration=name, threshold="accuracy", n_classes=n_classes)

    assert fitted.tasks[0].why
    assert np.isfinite(fitted.calibrated(new)).all()
    np.testing.assert_allclose(fitted.calibrated(new).sum(1), 1)
    assert fitted.sets(new)[:, : n_classes - 1].all()  # no row of them calibrates
    if n == 0:
        np.testing.assert_array_equal(fitted.calibrated(new), new)
        assert fitted.sets(new).all()


@pytest.mark.parametrize("name", ["auto", *CALIBRATORS])
def test_probabilities_of_0_and_1_that_were_wrong_are_put_up_with(name):
    given = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]] * 20)
    truth = np.array([1, 0, 1, 0] * 20)
    fitted = fit(given, truth, calibration=name, threshold="mcc")

    assert np.isfinite(fitted.calibrated(given)).all()
    json.dumps(fitted.to_json(), allow_nan=False)


def test_a_stated_curve_on_few_rows_is_fitted_and_its_reason_says_they_are_few():
    given, truth = drawn(30, 2)
    (few,) = fit(given, truth, calibration="isotonic").tasks
    (many,) = fit(*drawn(300, 2), calibration="isotonic").tasks

    assert few.calibrator.kind == "isotonic"
    assert "too few for a free curve" in few.why
    assert "too few" not in many.why


def test_each_of_several_tasks_is_fitted_as_it_would_be_alone_on_the_rows_with_its_label():
    rng = np.random.default_rng(0)
    given, truth = drawn(600, 2)
    given, truth = given.reshape(200, 3, 2), truth.reshape(200, 3)
    truth[rng.random(truth.shape) < 0.3] = -1
    truth[:, 2] = -1
    groups = rng.integers(0, 40, 200)
    together = fit(given, truth, groups=groups, threshold="f1")

    assert [task.n_rows for task in together.tasks] == [*(truth[:, :2] >= 0).sum(0), 0]
    for t in range(2):
        known = truth[:, t] >= 0
        alone = fit(given[known, t], truth[known, t], groups=groups[known], threshold="f1")
        np.testing.assert_array_equal(together.sets(given)[:, t], alone.sets(given[:, t]))
        np.testing.assert_array_equal(together.labels(given)[:, t], alone.labels(given[:, t]))
        np.testing.assert_array_equal(
            together.calibrated(given)[:, t], alone.calibrated(given[:, t])
        )
    assert together.sets(given)[:, 2].all()


@pytest.mark.parametrize("n_tasks", [1, 3])
def test_a_row_without_an_answer_has_none_and_changes_no_other(n_tasks):
    given, truth = several(100, n_tasks)
    fitted = fit(given, truth, calibration="platt", threshold="f1")
    with_gap = np.insert(given, 7, np.nan, axis=0)

    assert np.isnan(fitted.calibrated(with_gap)[7]).all()
    assert (fitted.labels(with_gap)[7] == -1).all()
    assert not fitted.sets(with_gap)[7].any()
    for method in (fitted.calibrated, fitted.labels, fitted.sets):
        np.testing.assert_array_equal(np.delete(method(with_gap), 7, axis=0), method(given))
        assert method(given[:0]).shape == (0, *method(given).shape[1:])


def test_rows_without_an_answer_are_not_fitted_on():
    given, truth = drawn(100, 2)
    gap, twice = given.copy(), np.concatenate([truth, truth[:5]])
    gap = np.concatenate([given, np.full((5, 2), np.nan)])

    assert fit(gap, twice).to_json() == fit(given, truth).to_json()


def test_probabilities_of_other_classes_or_tasks_are_refused():
    fitted = fit(*several(60, 3))
    for wrong in (np.full((4, 2), 0.5), np.full((4, 2, 2), 0.5), np.full((4, 3, 3), 1 / 3)):
        with pytest.raises(UncertaintyError, match=r"shape .* fitted to \('n', 3, 2\)"):
            fitted.sets(wrong)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["auto", *CALIBRATORS])
def test_what_was_stored_comes_back_to_the_last_bit(name, n_classes):
    given, truth = drawn(200, n_classes)
    new, _ = drawn(50, n_classes, seed=1)
    fitted = fit(given, truth, calibration=name, threshold="accuracy")

    again = Uncertainty.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)))
    assert again.settings == fitted.settings
    assert again.tasks[0].threshold == fitted.tasks[0].threshold
    for method in ("calibrated", "labels", "sets"):
        np.testing.assert_array_equal(getattr(again, method)(new), getattr(fitted, method)(new))


def test_several_tasks_of_which_one_has_no_row_come_back():
    given, truth = several(80, 3)
    truth[:, 1] = -1
    fitted = fit(given, truth, threshold="recall>=0.8")

    again = Uncertainty.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)))
    assert again.to_json() == fitted.to_json()
    np.testing.assert_array_equal(again.sets(given), fitted.sets(given))


STORED = ("calibration", "tasks", 0)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("calibration",), []),
        (("calibration", "settings", "confidence"), 1.5),
        (("calibration", "settings", "confidence"), "0.9"),
        (("calibration", "settings", "surprise"), 1),
        (("calibration", "settings", "threshold"), "recall"),
        (("calibration", "fitted_on"), None),
        (("calibration", "tasks"), {}),
        (("calibration", "tasks"), []),
        ((*STORED, "calibrator", "kind"), "os.system"),
        ((*STORED, "calibrator", "n_classes"), 3),
        ((*STORED, "calibrator", "temperature"), float("nan")),
        ((*STORED, "why"), 7),
        ((*STORED, "rows"), -1),
        ((*STORED, "rows"), True),
        ((*STORED, "threshold", "value"), 1.01),
        ((*STORED, "threshold", "value"), float("nan")),
        ((*STORED, "threshold", "value"), "0.5"),
        ((*STORED, "threshold", "aim"), "all"),
        ((*STORED, "threshold", "on_rows"), 0.5),
        ((*STORED, "rows"), 10**9 + 1),
        (("conformal", "tasks"), []),
        (("conformal", "tasks", 0, "score"), ["hinge"]),
        (("conformal", "tasks", 0, "calibration"), [[0.1], ["0.2"]]),
        (("conformal", "tasks", 0, "calibration"), [[0.1], [True]]),
        (("conformal", "tasks", 0, "calibration"), [[0.1], [5]]),
        (("conformal", "tasks", 0, "calibration"), [[-5], [0.1]]),
        (("conformal", "tasks", 0, "calibration"), [[10**400], [0.1]]),
        (("conformal", "tasks", 0, "score"), "eval"),
        (("conformal", "tasks", 0, "calibration"), [[0.1]]),
        (("conformal", "tasks", 0, "calibration"), [[0.1], [0.2], [0.3]]),
        (("conformal", "tasks", 0, "calibration"), [[0.1], [float("nan")]]),
    ],
)
def test_what_was_stored_amiss_is_an_error_of_the_user_and_not_believed(place, value):
    told = fit(*drawn(60, 2), calibration="temperature", threshold="f1").to_json()
    target = told
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value

    with pytest.raises(UncertaintyError) as caught:
        Uncertainty.from_json(told)
    assert caught.value.what in (place[0], "both")
    if len(place) > 1 and place[-1] not in ("n_classes", "calibration"):
        assert caught.value.what == place[0]


def test_a_part_that_is_missing_is_an_error_wherever_it_is():
    told = fit(*drawn(60, 2), calibration="platt", threshold="f1").to_json()
    paths = [path for path in leaves(told) if isinstance(path[-1], str)]

    assert len(paths) > 12
    for path in paths:
        damaged = copy.deepcopy(told)
        target = damaged
        for key in path[:-1]:
            target = target[key]
        del target[path[-1]]
        if path[1:2] == ("settings",) and len(path) > 2:  # which have defaults
            assert Uncertainty.from_json(damaged)
            continue
        with pytest.raises(UncertaintyError) as caught:
            Uncertainty.from_json(damaged)
        assert caught.value.what == path[0]


def test_tasks_of_different_numbers_of_classes_are_refused():
    one, other = (fit(*drawn(60, k)).to_json() for k in (2, 3))
    for part in one:
        one[part]["tasks"] += other[part]["tasks"]

    with pytest.raises(UncertaintyError, match=r"both: .*tasks of \[2, 3\] classes"):
        Uncertainty.from_json(one)


def leaves(told, path=()):
    """Path of every key of nested JSON."""
    items = told.items() if isinstance(told, dict) else enumerate(told)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


def fit(given, truth, *, groups=None, n_classes=None, **settings):
    return fit_uncertainty(
        given,
        truth,
        groups=groups,
        settings=UncertaintySettings(**settings),
        n_classes=n_classes or given.shape[-1],
    )


def drawn(n, n_classes, *, seed=0):
    """Probabilities, and classes drawn by them."""
    rng = np.random.default_rng(seed)
    given = rng.dirichlet(np.ones(n_classes), n)
    truth = (rng.random((n, 1)) > given.cumsum(1)).sum(1).clip(0, n_classes - 1)
    return given, truth


def several(n, n_tasks):
    given, truth = drawn(n * n_tasks, 2)
    if n_tasks == 1:
        return given, truth
    return given.reshape(n, n_tasks, 2), truth.reshape(n, n_tasks)
