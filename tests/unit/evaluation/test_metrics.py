import re
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk

from kekule.evaluation import METRICS, PRIMARY
from kekule.evaluation.metrics import selection_score

DOCS = Path(__file__).parents[3] / "docs"
SEEDS = range(5)
EARLY = {"bedroc", "enrichment_1pct", "enrichment_5pct"}  # see test_early_recognition


@pytest.mark.parametrize("seed", SEEDS)
def test_two_classes_are_scored_as_by_scikit_learn(seed):
    truth, labels, p = drawn(seed, 2)
    positive = p[:, 1]
    theirs = {
        "accuracy": sk.accuracy_score(truth, labels),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, labels),
        "roc_auc": sk.roc_auc_score(truth, positive),
        "pr_auc": sk.average_precision_score(truth, positive),
        "mcc": sk.matthews_corrcoef(truth, labels),
        "f1": sk.f1_score(truth, labels),
        "log_loss": sk.log_loss(truth, p),
        "brier": sk.brier_score_loss(truth, positive),
        "recall_at_precision_0.8": best_recall(truth == 1, positive),
        "tnr_at_npv_0.8": best_recall(truth == 0, -positive),
    }

    assert set(theirs) == set(METRICS) - {"ece"} - EARLY  # which scikit-learn does not have
    for name, value in theirs.items():
        assert METRICS[name].compute(truth, labels, p) == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("seed", SEEDS)
def test_several_classes_are_scored_as_by_scikit_learn(seed):
    truth, labels, p = drawn(seed, 4)
    one_hot = np.eye(4)[truth]
    theirs = {
        "accuracy": sk.accuracy_score(truth, labels),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, labels),
        "roc_auc": sk.roc_auc_score(truth, p, multi_class="ovr", average="macro"),
        "pr_auc": sk.average_precision_score(one_hot, p, average="macro"),
        "mcc": sk.matthews_corrcoef(truth, labels),
        "f1": sk.f1_score(truth, labels, average="macro"),
        "log_loss": sk.log_loss(truth, p),
        "brier": float(((p - one_hot) ** 2).sum(1).mean()),
        "recall_at_precision_0.8": np.mean([best_recall(truth == k, p[:, k]) for k in range(4)]),
        "tnr_at_npv_0.8": np.mean([best_recall(truth != k, -p[:, k]) for k in range(4)]),
    }

    for name, value in theirs.items():
        assert METRICS[name].compute(truth, labels, p) == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_score_is_ever_outside_its_range_or_not_a_number(name, n_classes):
    metric = METRICS[name]
    for seed in range(60):
        truth, labels, p = drawn(seed, n_classes, n_rows=seed % 6)
        if seed % 2:  # certain and often wrong
            p = np.eye(n_classes)[labels]
        value = metric.compute(truth, labels, p)
        assert value is None or (np.isfinite(value) and metric.low <= value <= metric.high)
        assert value is None or type(value) is float


@pytest.mark.parametrize("name", METRICS)
def test_no_rows_have_no_score(name):
    nothing = np.zeros(0, dtype=np.int64)

    assert METRICS[name].compute(nothing, nothing, np.zeros((0, 2))) is None


@pytest.mark.parametrize(
    "name",
    ["roc_auc", "pr_auc", "mcc", "recall_at_precision_0.8", "tnr_at_npv_0.8", *sorted(EARLY)],
)
def test_what_needs_two_classes_is_undefined_with_one(name):
    truth, labels, p = np.ones(4, dtype=int), np.array([1, 0, 1, 1]), np.full((4, 2), 0.5)

    assert METRICS[name].compute(truth, labels, p) is None


def test_a_model_with_one_answer_has_no_correlation():
    truth, labels = np.array([0, 1, 1]), np.ones(3, dtype=int)

    assert METRICS["mcc"].compute(truth, labels, np.full((3, 2), 0.5)) is None


def test_f1_is_undefined_where_the_class_is_neither_there_nor_predicted():
    zeros, p = np.zeros(3, dtype=int), np.full((3, 2), 0.5)

    assert METRICS["f1"].compute(zeros, zeros, p) is None
    assert METRICS["f1"].compute(zeros, np.array([0, 1, 0]), p) == 0


def test_a_class_missing_from_a_fold_is_left_out_of_the_mean():
    truth, labels, p = drawn(3, 3)
    here = truth != 2
    aucs = [sk.roc_auc_score(truth[here] == k, p[here, k]) for k in (0, 1)]

    value = METRICS["roc_auc"].compute(truth[here], labels[here], p[here])
    assert value == pytest.approx(np.mean(aucs))


def test_a_class_of_probability_zero_that_happened_costs_much_and_not_infinitely():
    cost = METRICS["log_loss"].compute(np.array([1]), np.array([0]), np.array([[1.0, 0.0]]))

    assert cost == pytest.approx(-np.log(1e-15))


def test_recall_at_a_precision_worked_by_hand():
    """From the top + + - + + - - +: four of five are positive down to the fifth row."""
    truth = np.array([1, 1, 0, 1, 1, 0, 0, 1])
    positive = np.linspace(0.9, 0.2, 8)
    lists = METRICS["recall_at_precision_0.8"]

    assert lists.compute(*answered(truth, positive)) == 4 / 5
    positive[4:6] = 0.45  # the fifth row no longer comes without the sixth
    assert lists.compute(*answered(truth, positive)) == 2 / 5


def test_negatives_set_aside_worked_by_hand():
    """From the bottom - + - - - +: four of five are negative only up to the fifth row."""
    truth = np.array([0, 1, 0, 0, 0, 1])
    positive = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    aside = METRICS["tnr_at_npv_0.8"]

    assert aside.compute(*answered(truth, positive)) == 1
    assert aside.compute(*answered(truth[:4], positive[:4])) == 1 / 3
    assert aside.compute(*answered(1 - truth, positive)) == 0  # - - at the top only, after four +


def test_no_list_is_pure_enough_where_every_row_has_the_same_score():
    truth, same = np.array([1, 0, 1, 0]), np.full(4, 0.5)

    assert METRICS["recall_at_precision_0.8"].compute(*answered(truth, same)) == 0
    assert (
        METRICS["recall_at_precision_0.8"].compute(
            *answered(np.array([1] * 4 + [0]), np.full(5, 1.0))
        )
        == 1
    )


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_order_of_the_rows_changes_no_score(name, n_classes):
    truth, labels, p = drawn(2, n_classes)
    p = p.round(1)  # ties, and probabilities of 0
    value = METRICS[name].compute(truth, labels, p)

    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(truth))
        moved = METRICS[name].compute(truth[order], labels[order], p[order])
        assert moved == pytest.approx(value, rel=1e-12), name


def test_the_recall_of_real_molecules_ranked_by_their_size_is_that_of_scikit_learn(
    packed_mutag, mutag_targets
):
    size = np.diff(packed_mutag.node_pointer) / 100  # many are of one size
    given = answered(mutag_targets, size)

    for name, positive, score in [
        ("recall_at_precision_0.8", mutag_targets == 1, size),
        ("tnr_at_npv_0.8", mutag_targets == 0, -size),
    ]:
        value = METRICS[name].compute(*given)
        assert 0 < value < 1
        assert value == pytest.approx(best_recall(positive, score), abs=1e-12)


def test_calibration_error_on_five_rows_worked_by_hand():
    """Bins 0.5-0.6: 0.55 right, 0.58 wrong; 0.9-1: 0.95 right, 0.95 wrong, 1.0 right."""
    positive = np.array([0.55, 0.42, 0.95, 0.95, 1.0])
    truth = np.array([1, 1, 1, 0, 1])
    p = np.stack([1 - positive, positive], axis=1)
    low = abs((0.55 + 0.58) / 2 - 1 / 2) * 2 / 5
    high = abs((0.95 + 0.95 + 1.0) / 3 - 2 / 3) * 3 / 5

    value = METRICS["ece"].compute(truth, p.argmax(1), p)
    assert value == pytest.approx(low + high)


def test_a_model_that_knows_how_sure_to_be_has_little_calibration_error():
    rng = np.random.default_rng(0)
    positive = rng.random(200_000)
    truth = (rng.random(200_000) < positive).astype(int)
    honest = np.stack([1 - positive, positive], axis=1)
    boastful = np.eye(2)[(positive > 0.5).astype(int)]

    errors = [METRICS["ece"].compute(truth, p.argmax(1), p) for p in (honest, boastful)]
    assert errors[0] < 0.01
    assert errors[1] == pytest.approx(0.25, abs=0.01)


def test_the_score_that_chooses_the_epoch_rewards_the_truth_most():
    truth = np.array([0, 1, 1])
    right, unsure, wrong = np.eye(2)[truth], np.full((3, 2), 0.5), np.eye(2)[1 - truth]
    scores = [selection_score(p, truth) for p in (right, unsure, wrong)]

    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 0
    assert scores[1] == -METRICS["brier"].compute(truth, truth, unsure)


def test_the_primary_metric_is_one_of_them():
    assert PRIMARY in METRICS


def test_the_page_lists_every_metric_with_its_range_and_direction():
    page = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)`( ↓)? \| (\S+) to (\S+) \|", page, flags=re.M)
    number = {"∞": np.inf, "\N{MINUS SIGN}1": -1.0}

    listed = {
        name: (number.get(low) or float(low), number.get(high) or float(high), not down)
        for name, down, low, high in rows
    }
    assert listed == {name: (m.low, m.high, m.higher_is_better) for name, m in METRICS.items()}


def answered(truth, positive):
    """Truth, labels and probabilities of a model that gives these chances of the last class."""
    p = np.stack([1 - positive, positive], axis=1)
    return truth, p.argmax(1), p


def best_recall(positive, scores):
    precision, recall, _ = sk.precision_recall_curve(positive, scores)
    return recall[precision >= 0.8].max()


def drawn(seed, n_classes, n_rows=60):
    """Truth, labels and probabilities of a middling model; every class occurs in 60 rows."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n_rows) % n_classes)
    p = rng.dirichlet(np.ones(n_classes), n_rows)
    p = (p + 0.4 * np.eye(n_classes)[truth]) / 1.4
    return truth, p.argmax(1), p
