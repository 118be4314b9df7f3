"""Conformal sets: crepes' p-values, the promised coverage, and edges that promise nothing."""

import json
import math
import warnings
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from kekule.evaluation.conformal import (
    SCORES,
    Conformal,
    ConformalError,
    cross_conformal_calibration,
    fit_conformal,
    least_rows,
)
from kekule.evaluation.coverage import coverage
from kekule.evaluation.shares import share
from kekule.features import composition


@pytest.fixture(scope="module")
def crepes():
    with warnings.catch_warnings():  # it resets the filters when it is imported
        return pytest.importorskip("crepes", reason="crepes is not installed")


@pytest.fixture(scope="module")
def on_mutag(packed_mutag, mutag_targets):
    """Out-of-fold probabilities of a real set, with the fold of each row."""
    features = composition(packed_mutag)
    fold = np.zeros(len(features), dtype=np.int64)
    splits = list(StratifiedKFold(5, shuffle=True, random_state=0).split(features, mutag_targets))
    for number, (_, test) in enumerate(splits):
        fold[test] = number
    model = LogisticRegression(max_iter=2000)
    answers = cross_val_predict(model, features, mutag_targets, cv=splits, method="predict_proba")
    return answers, mutag_targets, fold


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("n_classes", "levels"), [(2, 4), (2, 10**6), (3, 5), (5, 10**6)])
def test_p_values_are_those_of_crepes_to_the_last_bit(crepes, score, n_classes, levels):
    rng = np.random.default_rng(levels + n_classes)
    known, truth = drawn(rng, 90, n_classes, levels)
    new, _ = drawn(rng, 50, n_classes, levels)

    conformal = fit_conformal(known, truth, score=score)
    np.testing.assert_array_equal(
        conformal.p_values(new), of_crepes(crepes, known, truth, new, score)
    )


@pytest.mark.parametrize("score", SCORES)
def test_p_values_on_a_real_set_are_those_of_crepes(crepes, on_mutag, score):
    answers, truth, fold = on_mutag
    known, new = fold < 3, fold >= 3

    conformal = fit_conformal(answers[known], truth[known], score=score)
    np.testing.assert_array_equal(
        conformal.p_values(answers[new]),
        of_crepes(crepes, answers[known], truth[known], answers[new], score),
    )


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95])
def test_sets_are_those_of_crepes_but_for_p_values_at_the_level_itself(crepes, confidence):
    rng = np.random.default_rng(5)
    known, truth = drawn(rng, 200, 3, 10**6)
    new, _ = drawn(rng, 300, 3, 10**6)

    p = of_crepes(crepes, known, truth, new, "hinge")
    sets = fit_conformal(known, truth).sets(new, confidence)
    at_level = np.isclose(p, 1 - confidence, atol=1e-12)
    np.testing.assert_array_equal(sets[~at_level], (p >= 1 - confidence)[~at_level])
    assert not sets[at_level].any()


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_each_class_is_covered_as_promised_even_by_a_model_that_knows_nothing_of_it(
    score, confidence
):
    """Mean over 300 draws of calibration and new rows, against four standard errors."""
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        known, truth = skewed(rng, 120)
        new, new_truth = skewed(rng, 120)
        sets = fit_conformal(known, truth, score=score).sets(new, confidence)
        found.append([sets[new_truth == k, k].mean() for k in range(3)])
    error = np.std(found, axis=0, ddof=1) / math.sqrt(len(found))
    mean = np.mean(found, axis=0)

    assert (mean > confidence - 4 * error).all()
    assert mean[0] < confidence + 0.03  # 100 rows of it: no wider than needed


def test_a_p_value_counts_calibration_rows_of_the_class_as_odd_or_odder_and_the_row_itself():
    known = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.25, 0.75]])
    conformal = fit_conformal(known, np.array([0, 0, 0, 1]))

    p = conformal.p_values(np.array([[0.6, 0.4], [0.95, 0.05], [0.0, 1.0]]))
    np.testing.assert_array_equal(p, [[3 / 4, 1 / 2], [1, 1 / 2], [1 / 4, 1]])


def test_margin_and_hinge_order_two_classes_alike():
    rng = np.random.default_rng(3)
    positive = rng.integers(0, 65, 200) / 64  # no rounding in either
    answers, truth = np.stack([1 - positive, positive], 1), rng.integers(0, 2, 200)

    one, other = (fit_conformal(answers[:99], truth[:99], score=s) for s in SCORES)
    np.testing.assert_array_equal(one.p_values(answers[99:]), other.p_values(answers[99:]))


def test_margin_is_the_best_other_class_less_the_own_also_where_two_are_best():
    odd = SCORES["margin"](np.array([[0.5, 0.5, 0.0], [0.125, 0.25, 0.625], [0.0, 0.0, 1.0]]))
    assert odd.tolist() == [[0, 0, 0.5], [0.5, 0.375, -0.375], [1, 1, -1]]


@pytest.mark.parametrize("score", SCORES)
def test_renaming_classes_renames_p_values_and_reordering_rows_changes_none(score):
    rng = np.random.default_rng(8)
    (known, truth), (new, _) = drawn(rng, 80, 4, 50), drawn(rng, 30, 4, 50)
    rows, names = rng.permutation(80), rng.permutation(4)
    number = np.argsort(names)

    plain = fit_conformal(known, truth, score=score).p_values(new)
    shuffled = fit_conformal(known[rows][:, names], number[truth[rows]], score=score)
    np.testing.assert_array_equal(shuffled.p_values(new[:, names]), plain[:, names])


def test_sets_grow_with_confidence():
    rng = np.random.default_rng(1)
    (known, truth), (new, _) = drawn(rng, 150, 3, 10**6), drawn(rng, 100, 3, 10**6)
    conformal = fit_conformal(known, truth)

    sets = [conformal.sets(new, c) for c in (0.3, 0.6, 0.9, 0.99)]
    for narrow, wide in pairwise(sets):
        assert (narrow <= wide).all()
    assert not (sets[0] == sets[-1]).all()


@pytest.mark.parametrize(
    ("confidence", "least"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99), (0.93, 14)]
)
def test_a_class_with_one_row_fewer_than_the_least_is_in_every_set_and_with_it_is_not(
    confidence, least
):
    assert least_rows(confidence) == least
    new = np.array([[1.0, 0.0]])  # as odd for class 1 as can be
    for n_rows, kept in ((least - 1, True), (least, False)):
        known = np.tile([0.25, 0.75], (n_rows + 200, 1))
        truth = np.repeat([1, 0], [n_rows, 200])
        conformal = fit_conformal(known, truth)
        assert conformal.sets(new, confidence)[0, 1] == kept
        assert conformal.never_excluded(confidence) == ((1,) if kept else ())


def test_a_class_without_calibration_rows_has_p_one_and_is_never_excluded():
    conformal = fit_conformal(np.array([[0.5, 0.25, 0.25]] * 30), np.zeros(30, dtype=int))

    assert conformal.p_values(np.array([[1.0, 0, 0], [0, 0, 1.0]]))[:, 1:].tolist() == [[1, 1]] * 2
    assert conformal.never_excluded(0.9) == (1, 2)


@pytest.mark.parametrize("score", SCORES)
def test_probabilities_of_zero_and_one_give_p_values_above_zero(score):
    certain = np.eye(2)[[0, 0, 1, 1, 0]]
    conformal = fit_conformal(certain, np.array([0, 0, 1, 0, 1]), score=score)

    p = conformal.p_values(certain)
    assert ((p > 0) & (p <= 1)).all()


def test_one_calibration_row_and_no_new_row_are_survived():
    conformal = fit_conformal(np.array([[0.3, 0.7]]), np.array([1]))
    assert conformal.p_values(np.array([[0.2, 0.8]])).tolist() == [[1, 1]]
    assert conformal.p_values(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("score", SCORES)
def test_stored_as_json_and_restored_the_p_values_are_the_same_to_the_last_bit(score):
    rng = np.random.default_rng(2)
    (known, truth), (new, _) = drawn(rng, 60, 3, 10**6), drawn(rng, 40, 3, 10**6)
    conformal = fit_conformal(known, truth % 2, score=score)  # one class is empty

    text = json.dumps(conformal.to_json(), allow_nan=False)
    restored = Conformal.from_json(json.loads(text))
    np.testing.assert_array_equal(restored.p_values(new), conformal.p_values(new))
    assert restored.score == score


def test_calibration_scores_cannot_be_changed_afterwards():
    conformal = fit_conformal(np.array([[0.3, 0.7]]), np.array([1]))
    with pytest.raises(ValueError, match="read-only"):
        conformal.calibration[1][0] = 0


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"score": "hinge"},
        {"score": "hinge", "calibration": [[0.1]]},
        {"score": "hinge", "calibration": [[0.1], [float("nan")]]},
        {"score": "hinge", "calibration": [[0.1], ["x"]]},
        {"score": "hinge", "calibration": [[[0.1]], [0.2]]},
        {"score": "inverse", "calibration": [[0.1], [0.2]]},
        {"score": ["hinge"], "calibration": [[0.1], [0.2]]},
    ],
)
def test_a_state_that_was_not_stored_here_is_refused(told):
    with pytest.raises(ConformalError, match="conformal: "):
        Conformal.from_json(told)


def test_coverage_of_four_sets_counted_by_hand():
    sets = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=bool)

    found = coverage(sets, np.array([0, 0, 1, 1]))
    assert found.overall.covered[:3] == (2, 4, 0.5)
    assert found.overall.mean_size == 1
    assert found.overall.singletons[:2] == (2, 4)
    assert found.overall.empty[:2] == (1, 4)
    assert found.overall.singletons_right[:2] == (1, 2)
    assert [c.covered[:2] for c in found.classes] == [(1, 2), (1, 2)]
    assert [c.singletons[:2] for c in found.classes] == [(2, 2), (0, 2)]
    assert found.classes[1].singletons_right.value is None


def test_coverage_of_one_class_or_of_no_row_is_none_where_undefined_and_is_json():
    alone = coverage(np.ones((3, 2), dtype=bool), np.zeros(3, dtype=int))
    nothing = coverage(np.ones((0, 3), dtype=bool), np.zeros(0, dtype=int))

    assert alone.classes[1].covered == (0, 0, None, None, None)
    assert alone.classes[1].mean_size is None
    told = json.loads(json.dumps([alone.to_json(), nothing.to_json()], allow_nan=False))
    assert told[0]["overall"]["covered"]["value"] == 1
    assert told[1]["overall"]["mean_size"] is None
    assert len(told[1]["classes"]) == 3


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 40), (40, 40), (7, 40), (9, 10)])
def test_the_interval_of_a_share_is_wilson_s(hits, n):
    proportion = pytest.importorskip("scipy.stats").binomtest(hits, n)
    low, high = proportion.proportion_ci(0.95, method="wilson")

    assert share(hits, n)[:3] == (hits, n, hits / n)
    np.testing.assert_allclose(share(hits, n)[3:], (low, high), atol=1e-12)
    assert 0 <= share(hits, n).low <= hits / n <= share(hits, n).high <= 1


def test_pooled_folds_calibrate_as_their_rows_together_would(on_mutag):
    answers, truth, fold = on_mutag
    parts = [result(np.flatnonzero(fold == f), answers) for f in (3, 1, 0, 4, 2)]
    final = result(np.zeros(0, dtype=np.int64), answers)

    pooled = cross_conformal_calibration([final, *parts], truth, score="margin")
    plain = fit_conformal(answers, truth, score="margin")
    for ours, theirs in zip(pooled.calibration, plain.calibration, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_on_a_real_set_both_classes_are_covered_by_rows_of_other_folds(on_mutag):
    answers, truth, fold = on_mutag
    sets = np.zeros(answers.shape, dtype=bool)
    for f in range(5):
        others = [result(np.flatnonzero(fold == g), answers) for g in range(5) if g != f]
        conformal = cross_conformal_calibration(others, truth)
        sets[fold == f] = conformal.sets(answers[fold == f], 0.9)

    for summary in coverage(sets, truth).classes:
        assert summary.covered.high > 0.9
        assert summary.covered.value > 0.8
    assert coverage(sets, truth).overall.mean_size < 2


def test_rows_that_are_in_two_folds_or_in_none_or_unknown_are_refused(on_mutag):
    answers, truth, _ = on_mutag
    first = result(np.arange(10), answers)

    with pytest.raises(ConformalError, match=r"row 4: it is in 2 folds.*single seed"):
        cross_conformal_calibration([first, result(np.array([4]), answers)], truth)
    with pytest.raises(ConformalError, match="none has test rows"):
        cross_conformal_calibration([], truth)
    with pytest.raises(ConformalError, match="rows 0 to 9 of 5"):
        cross_conformal_calibration([first], truth[:5])


@pytest.mark.parametrize(
    ("answers", "truth", "score", "message"),
    [
        ([[0.5, 0.5]], [0], "inverse", r"score 'inverse'.*hinge, margin"),
        ([[0.5, 0.5]], [2], "hinge", r"row 0: 2 is none of the classes 0 to 1"),
        ([[0.5, 0.5], [0.2, 0.8]], [0, -1], "hinge", r"row 1: -1 .*without a label"),
        ([[0.5, np.nan]], [0], "hinge", r"row 0, class 1: nan is no probability"),
        ([[-0.5, 1.5]], [0], "hinge", r"row 0, class 0: -0\.5"),
        ([[1.0]], [0], "margin", r"shape \(1, 1\)"),
        ([0.5, 0.5], [0, 1], "hinge", r"shape \(2,\)"),
        ([[0.5, 0.5]], [0, 1], "hinge", r"truth: .* for 1 rows"),
        ([[0.5, 0.5]], [0.0], "hinge", r"truth: float64"),
    ],
)
def test_rows_that_cannot_calibrate_are_refused_with_the_reason(answers, truth, score, message):
    with pytest.raises(ConformalError, match=message):
        fit_conformal(np.array(answers), np.array(truth), score=score)


def test_no_row_another_number_of_classes_and_an_impossible_confidence_are_refused():
    with pytest.raises(ConformalError, match="there are none"):
        fit_conformal(np.zeros((0, 2)), np.zeros(0, dtype=int))
    conformal = fit_conformal(np.array([[0.5, 0.5]]), np.array([0]))
    with pytest.raises(ConformalError, match=r"shape \(1, 3\) where \(n, 2\)"):
        conformal.p_values(np.ones((1, 3)) / 3)
    for confidence in (0, 1, -0.1, 90, float("nan")):
        with pytest.raises(ConformalError, match="confidence"):
            conformal.sets(np.array([[0.5, 0.5]]), confidence)
    with pytest.raises(ConformalError, match="sets: int64"):
        coverage(np.ones((2, 2), dtype=np.int64), np.zeros(2, dtype=int))


def drawn(rng, n, n_classes, levels):
    """Probabilities on a grid, so that few levels make ties, and classes they know a little of."""
    raw = rng.integers(0, levels + 1, (n, n_classes)) + 1e-3
    answers = raw / raw.sum(1, keepdims=True)
    truth = np.array([rng.choice(n_classes, p=p) for p in answers])
    return answers, truth


def skewed(rng, n):
    """Three classes, 83 : 11 : 6, and a model that is overconfident of the first."""
    truth = np.repeat([0, 1, 2], [n * 5 // 6, n // 9, n - n * 5 // 6 - n // 9])
    logits = rng.normal(0, 1.5, (n, 3)) + np.eye(3)[truth] + [3, 0, 0]
    exps = np.exp(logits)
    return exps / exps.sum(1, keepdims=True), truth


def result(rows, answers):
    """What of a fold's result calibration reads."""
    return SimpleNamespace(rows=rows, probabilities=answers[rows])


def of_crepes(crepes, known, truth, new, score):
    """Unsmoothed class-conditional p-values, class by class as crepes' own wrapper asks."""
    function = getattr(crepes.extras, score)
    classes = np.arange(known.shape[1])
    classifier = crepes.ConformalClassifier()
    classifier.fit(function(known, classes, truth), bins=truth)
    scores = function(new)
    return np.stack(
        [
            classifier.predict_p(scores, bins=np.full(len(new), k), smoothing=False)[:, k]
            for k in classes
        ],
        axis=1,
    )
