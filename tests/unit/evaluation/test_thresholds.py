"""Thresholds against every cut tried by hand, and aims written in every wrong way."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from kekule import KekuleError
from kekule.data import read_tu
from kekule.evaluation.thresholds import (
    AT_LEAST,
    LARGEST,
    ThresholdError,
    choose_threshold,
    parse_aim,
)

BOUNDS = ("precision>=0.8", "recall>=0.9", "npv>=0.8", "precision>=0.55", "recall>=1", "npv>=1.0")
AIMS = (*LARGEST, *BOUNDS)


def specificity(truth, labels):
    return sk.recall_score(truth, labels, pos_label=0)


def npv(truth, labels):
    return sk.precision_score(truth, labels, pos_label=0, zero_division=np.nan)


def precision(truth, labels):
    return sk.precision_score(truth, labels, zero_division=np.nan)


def mcc(truth, labels):
    return sk.matthews_corrcoef(truth, labels) if len(np.unique(labels)) == 2 else np.nan


SCORES = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "mcc": mcc,
    "precision": precision,
    "recall": sk.recall_score,
    "npv": npv,
}
BESIDE = {"precision": sk.recall_score, "recall": precision, "npv": specificity}


def noisy(n, seed, levels=10**6, share=0.4):
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < share).astype(np.int64)
    truth[:2] = 0, 1
    scores = np.clip(0.5 * truth + rng.normal(0.25, 0.3, n), 0, 1)
    return np.round(scores * levels) / levels, truth


def every_way(scores, truth):
    """Labels by every way to part the rows by score that a cut from 0 to 1 can make."""
    ends = np.unique(scores)
    ways = [(scores >= end).astype(int) for end in ends]
    return ways if ends[-1] == 1 else [*ways, np.zeros(len(truth), dtype=int)]


@pytest.mark.parametrize("aim", AIMS)
@pytest.mark.parametrize("levels", [4, 20, 10**6])
@pytest.mark.parametrize("seed", range(4))
def test_no_other_cut_serves_the_aim_better(aim, levels, seed):
    scores, truth = noisy(40, seed, levels, share=0.15 + 0.2 * seed)
    found = choose_threshold(scores, truth, aim)
    name, at_least, _ = parse_aim(aim)
    ways = every_way(scores, truth)
    values = np.array([SCORES[name](truth, labels) for labels in ways])

    if at_least is None:
        assert found.reached == pytest.approx(np.nanmax(values), abs=1e-12)
        assert found.beside is None
    elif (values >= at_least).any():
        beside = np.array([BESIDE[name](truth, labels) for labels in ways])
        assert found.reached >= at_least
        assert found.beside == pytest.approx(np.nanmax(beside[values >= at_least]), abs=1e-12)
    else:
        assert (found.value, found.reached) == (None, None)
        assert f"{name} {at_least:g}" in found.reason
    if found.value is not None:
        labels = (scores >= found.value).astype(int)
        assert SCORES[name](truth, labels) == pytest.approx(found.reached, abs=1e-12)
        assert found.reason == ""


@pytest.mark.parametrize("aim", AIMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_does_not_matter(aim, seed):
    scores, truth = noisy(60, seed, levels=30)
    order = np.random.default_rng(seed).permutation(60)

    assert choose_threshold(scores[order], truth[order], aim) == choose_threshold(
        scores, truth, aim
    )


@pytest.mark.parametrize("aim", AIMS)
def test_a_cut_lies_half_way_between_two_neighbouring_scores(aim):
    for seed in range(10):
        scores, truth = noisy(50, seed, levels=64)
        value = choose_threshold(scores, truth, aim).value
        if value is not None:
            edges = np.unique([0, *scores, 1])
            assert value in (edges[1:] + edges[:-1]) / 2


@pytest.mark.parametrize("aim", AIMS)
def test_scores_stretched_in_order_call_the_same_rows_positive(aim):
    scores, truth = noisy(50, 3, levels=25)
    stretched = 0.1 + scores * 0.8
    one, other = (choose_threshold(s, truth, aim) for s in (scores * 0.9 + 0.05, stretched))

    assert one.reached == other.reached
    assert one.beside == other.beside


def test_a_threshold_by_hand():
    scores, truth = np.array([0.1, 0.2, 0.4, 0.6, 0.8]), np.array([0, 0, 1, 0, 1])

    found = choose_threshold(scores, truth, "precision>=0.8")
    assert (found.value, found.reached, found.beside) == (pytest.approx(0.7), 1.0, 0.5)
    found = choose_threshold(scores, truth, "recall>=0.9")
    assert (found.value, found.reached) == (pytest.approx(0.3), 1.0)
    assert found.beside == pytest.approx(2 / 3)
    found = choose_threshold(scores, truth, "npv>=0.8")
    assert (found.value, found.reached) == (pytest.approx(0.3), 1.0)
    assert found.beside == pytest.approx(2 / 3)
    assert choose_threshold(scores, truth, "accuracy").reached == 0.8
    assert choose_threshold(scores, truth, "accuracy").on_rows == 5


def test_of_cuts_that_are_alike_the_one_nearest_one_half_is_taken():
    scores, truth = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1])
    assert choose_threshold(scores, truth, "accuracy").value == pytest.approx(0.25)
    scores[1:] = 0.5, 0.6, 0.7
    assert choose_threshold(scores, truth, "accuracy").value == pytest.approx(0.65)
    wide = choose_threshold(np.array([0.2, 0.9]), np.array([0, 1]), "mcc")
    assert wide.value == pytest.approx(0.55)


def test_a_reached_precision_comes_with_the_better_precision_of_equal_recalls():
    scores = np.array([0.1, 0.45, 0.5, 0.8, 0.85, 0.9, 0.95])
    truth = np.array([0, 0, 0, 1, 1, 1, 1])
    found = choose_threshold(scores, truth, "precision>=0.5")

    assert (found.reached, found.beside) == (1.0, 1.0)
    assert found.value == pytest.approx(0.65)


@pytest.mark.parametrize("low", [0.3, np.nextafter(0.3, 1), np.nextafter(0.3, 0), 0.0])
def test_neighbouring_numbers_are_parted_too(low):
    high = np.nextafter(low, 1)
    found = choose_threshold(np.array([low, high]), np.array([0, 1]), "accuracy")

    assert low < found.value <= high
    assert found.reached == 1


def test_probabilities_of_zero_and_one_are_survived():
    scores, truth = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 1, 1, 1])

    assert choose_threshold(scores, truth, "accuracy").value == 0.5
    every = choose_threshold(scores, truth, "recall>=1")
    assert every.value == 0  # the only cut that calls a row of probability 0 positive
    unsafe = choose_threshold(scores, truth, "npv>=0.8")
    assert unsafe.value is None
    assert unsafe.reason == "on 4 rows no cut has npv 0.8; the most is 0.500"


def test_a_useless_model_is_cut_where_all_rows_are_called_alike():
    scores, truth = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0, 1, 0, 0])
    assert choose_threshold(scores, truth, "accuracy").value == pytest.approx(0.9)
    assert choose_threshold(1 - scores, 1 - truth, "f1").value == pytest.approx(0.1)


def test_a_row_that_is_certain_can_by_no_cut_be_called_negative():
    found = choose_threshold(np.array([0.1, 0.5, 1, 1]), np.array([0, 1, 0, 0]), "accuracy")
    assert (found.value, found.reached) == (pytest.approx(0.3), 0.5)


@pytest.mark.parametrize("aim", AIMS)
@pytest.mark.parametrize(
    ("scores", "truth", "reason"),
    [
        ([0.1, 0.9], [1, 1], "all 2 rows are of one class"),
        ([0.1, 0.9, 0.3], [0, 0, 0], "all 3 rows are of one class"),
        ([0.7], [1], "all 1 rows are of one class"),
        ([0.7, 0.7, 0.7], [1, 0, 1], "all 3 rows have one score"),
    ],
)
def test_rows_that_tell_of_no_cut_give_none_and_the_reason(aim, scores, truth, reason):
    found = choose_threshold(np.array(scores), np.array(truth), aim)

    assert (found.value, found.reached, found.reason) == (None, None, reason)
    json.dumps(asdict(found), allow_nan=False)


def test_both_columns_of_two_classes_are_taken_as_the_last():
    scores, truth = noisy(30, 0)
    pair = np.stack([1 - scores, scores], axis=1)

    assert choose_threshold(pair, truth, "mcc") == choose_threshold(scores, truth, "mcc")


def test_of_more_classes_the_most_probable_is_taken_and_other_aims_are_refused():
    p = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    truth = np.random.default_rng(1).integers(0, 3, 50)
    found = choose_threshold(p, truth, "accuracy")

    assert (found.value, found.reached) == (None, (p.argmax(1) == truth).mean())
    assert found.reason == "of 3 classes the most probable is taken"
    for aim in set(AIMS) - {"accuracy"}:
        with pytest.raises(ThresholdError, match="aim for two classes, and there are 3"):
            choose_threshold(p, truth, aim)


@pytest.mark.parametrize(
    "text",
    [
        *("precision", "precision>0.8", "precision >= 0.8", "precision>=.8", "precision>=80"),
        *("precision>=0", "precision>=0.0", "precision>=1.01", "precision>=-0.5", "recall>=nan"),
        *("recall>=1e-1", "recall>=0.9\n", "f1>=0.5", "Accuracy", "auc", "", "npv>=0.8 ", "0.8"),
        *("npv>=0.٨", "accuracy,mcc", "specificity>=0.9", None, 0.5, ["accuracy"]),
    ],
)
def test_an_aim_written_in_any_other_way_is_answered_with_all_there_are(text):
    with pytest.raises(KekuleError) as caught:
        parse_aim(text)
    said = str(caught.value)

    assert said.startswith(f"threshold: {text!r} is no aim")
    assert all(name in said for name in LARGEST)
    assert all(f"{name}>=0.8" in said for name in AT_LEAST)


def test_an_aim_is_a_score_and_its_bound():
    assert parse_aim("mcc") == ("mcc", None, "mcc")
    assert parse_aim("npv>=0.85") == ("npv", 0.85, "npv>=0.85")
    assert parse_aim("recall>=1") == ("recall", 1.0, "recall>=1")


@pytest.mark.parametrize(
    ("scores", "truth", "why"),
    [
        ([0.1, np.nan], [0, 1], "row 1 has class 1 and probability nan"),
        ([0.1, 1.2], [0, 1], r"row 1 has class 1 and probability 1\.2"),
        ([0.1, 0.2], [0, -1], "row 1 has class -1"),
        ([0.1, 0.2], [0, 2], "row 1 has class 2"),
        ([0.1, 0.2], [0.0, 1.0], "float64"),
        ([0.1, 0.2], [0], r"2 rows and classes of shape \(1,\)"),
        ([], [], r"shape \(0,\)"),
        ([[0.1], [0.2]], [0, 1], r"shape \(2, 1\)"),
        (0.5, [1], r"shape \(\)"),
    ],
)
def test_rows_that_cannot_be_cut_are_named(scores, truth, why):
    with pytest.raises(ThresholdError, match=why):
        choose_threshold(np.array(scores), np.array(truth), "accuracy")


def test_on_real_molecules_the_bound_is_kept_on_the_rows_and_nearly_on_others(tu_root):
    graphs = read_tu(tu_root / "NCI1")
    kinds = np.unique(graphs.node_labels[:, 0], return_inverse=True)[1]
    owner = np.repeat(np.arange(len(graphs)), np.diff(graphs.node_pointer))
    counts = np.zeros((len(graphs), kinds.max() + 1))
    np.add.at(counts, (owner, kinds), 1)
    truth = np.unique(graphs.targets, return_inverse=True)[1].astype(np.int64)
    part = np.random.default_rng(0).integers(0, 3, len(truth))
    model = LogisticRegression(max_iter=2000).fit(counts[part == 0], truth[part == 0])
    scores = model.predict_proba(counts)[:, 1]
    found = choose_threshold(scores[part == 1], truth[part == 1], "recall>=0.9")
    labels = scores[part == 2] >= found.value

    assert found.reached >= 0.9
    assert sk.recall_score(truth[part == 2], labels) > 0.85
    assert 0 < found.value < 0.5
