"""Calibrators against references and by hand; how one is chosen; what a diagram is drawn of."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import MultinomialNB

from kekule.data import read_tu
from kekule.evaluation.calibration import (
    CALIBRATORS,
    CalibrationError,
    choose_calibrator,
    cross_calibrated,
    reliability,
)
from kekule.evaluation.metrics import ece
from kekule.evaluation.ranking import area_under_roc
from kekule.evaluation.shares import wilson_interval
from kekule.evaluation.thresholds import AT_LEAST, LARGEST


def two(scores):
    scores = np.asarray(scores, dtype=np.float64)
    return np.stack([1 - scores, scores], axis=1)


def bent(n, seed=0, *, bend=lambda p: p):
    """Scores of two classes, and truths that happen with a probability bent from them."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    return two(scores), (rng.random(n) < bend(scores)).astype(np.int64)


def bold(p):
    """How often it is so where a model says p whose log-odds are three times too large."""
    return p ** (1 / 3) / (p ** (1 / 3) + (1 - p) ** (1 / 3))


def hooked(p):
    return 0.1 + 0.8 * (p > 0.3)


def loss(probabilities, truth):
    return -np.log(probabilities[np.arange(len(truth)), truth]).mean()


@pytest.fixture(scope="module")
def nci1(tu_root):
    """Out-of-fold answers of naive Bayes, which is too sure, and the truth."""
    graphs = read_tu(tu_root / "NCI1")
    kinds = np.unique(graphs.node_labels[:, 0], return_inverse=True)[1]
    owner = np.repeat(np.arange(len(graphs)), np.diff(graphs.node_pointer))
    counts = np.zeros((len(graphs), kinds.max() + 1))
    np.add.at(counts, (owner, kinds), 1)
    truth = np.unique(graphs.targets, return_inverse=True)[1].astype(np.int64)
    said = cross_val_predict(MultinomialNB(), counts, truth, cv=5, method="predict_proba")
    return said, truth


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_the_temperature_is_the_one_of_least_log_loss(n_classes, seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (80, n_classes))
    truth = np.where(rng.random(80) < 0.6, logits.argmax(1), rng.integers(0, n_classes, 80))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    def cost(log_t):
        scaled = logits / np.exp(log_t)
        picked = scaled[np.arange(80), truth]
        return (np.log(np.exp(scaled).sum(1)) - picked).mean()

    best = np.exp(minimize_scalar(cost, bounds=(-1.6, 3), options={"xatol": 1e-9}).x)
    assert CALIBRATORS["temperature"].fit(p, truth).temperature == pytest.approx(best, rel=1e-3)


def test_the_temperature_by_which_probabilities_were_sharpened_is_found_again():
    p, truth = bent(40_000, bend=bold)
    assert CALIBRATORS["temperature"].fit(p, truth).temperature == pytest.approx(3, rel=0.03)


def test_temperature_never_changes_the_most_probable_class_of_many():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), 300)
    fitted = CALIBRATORS["temperature"].fit(p, rng.integers(0, 5, 300))

    np.testing.assert_array_equal(fitted.apply(p).argmax(1), p.argmax(1))


@pytest.mark.parametrize("seed", range(4))
def test_platt_is_logistic_regression_on_the_log_odds_with_the_corrected_targets(seed):
    p, truth = bent(150, seed, bend=lambda p: 0.1 + 0.5 * p)
    ups, downs = (truth == 1).sum(), (truth == 0).sum()
    target = np.where(truth == 1, (ups + 1) / (ups + 2), 1 / (downs + 2))
    x = np.log(p[:, 1] / p[:, 0])[:, None]
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(
        np.concatenate([x, x]),
        np.repeat([1, 0], 150),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    given = CALIBRATORS["platt"].fit(p, truth).apply(p)

    np.testing.assert_allclose(given, reference.predict_proba(x), atol=1e-4)


def test_platt_of_scores_that_tell_nothing_gives_the_corrected_share():
    p, truth = two([0.3] * 10), np.repeat([0, 1], [7, 3])
    given = CALIBRATORS["platt"].fit(p, truth).apply(p[:1])

    assert given[0, 1] == pytest.approx((3 * 4 / 5 + 7 * 1 / 9) / 10, abs=1e-5)


@pytest.mark.parametrize("levels", [3, 10, 10**6])
@pytest.mark.parametrize("seed", range(4))
def test_isotonic_is_that_of_scikit_learn_but_for_its_ends(levels, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels + 1, 200) / levels
    truth = (rng.random(200) < scores).astype(np.int64)
    reference = IsotonicRegression(out_of_bounds="clip").fit(scores, truth)
    asked = np.concatenate([scores, rng.random(300), [0, 1]])
    corners = reference.y_thresholds_.clip(1 / 202, 201 / 202)
    given = CALIBRATORS["isotonic"].fit(two(scores), truth).apply(two(asked))[:, 1]

    expected = np.interp(asked, reference.X_thresholds_, corners)
    np.testing.assert_allclose(given, expected, atol=2e-6)


def test_isotonic_pools_what_falls_and_stays_off_the_ends():
    fitted = CALIBRATORS["isotonic"].fit(two([0.1, 0.2, 0.3, 0.9]), np.array([0, 1, 0, 1]))
    given = fitted.apply(two([0.0, 0.1, 0.2, 0.25, 0.3, 0.6, 1.0]))[:, 1]

    np.testing.assert_allclose(given, [1 / 6, 1 / 6, 0.5, 0.5, 0.5, 2 / 3, 5 / 6], atol=2e-6)


def refitted(scores, truth, asked):
    """Both answers of Venn and Abers by fitting the curve anew for every row."""
    answers = []
    for score in asked:
        both = []
        for label in (0, 1):
            x, y = np.append(scores, score), np.append(truth, label)
            both.append(IsotonicRegression().fit(x, y).predict([score])[0])
        answers.append(both)
    return np.array(answers).T


@pytest.mark.parametrize("levels", [1, 4, 16, 2**20])
@pytest.mark.parametrize("n", [1, 2, 5, 30])
@pytest.mark.parametrize("chance", ["none", "some", "score", "all"])
def test_venn_abers_is_what_a_refit_for_every_row_gives(levels, n, chance):
    rng = np.random.default_rng([levels, n])
    scores = rng.integers(0, levels + 1, n) / levels
    truth = (rng.random(n) < {"none": 0, "some": 0.4, "score": scores, "all": 1}[chance]) * 1
    asked = np.concatenate([scores, rng.random(8), [0, 1], (scores[1:] + scores[:-1]) / 2])
    fitted = CALIBRATORS["venn-abers"].fit(two(scores), truth)
    low, high = (side[:, 1] for side in fitted.interval(two(asked)))
    p0, p1 = refitted(scores, truth, asked)

    np.testing.assert_allclose(low, p0, atol=1e-12)
    np.testing.assert_allclose(high, p1, atol=1e-12)
    merged = p1 / (1 - p0 + p1)
    np.testing.assert_allclose(fitted.apply(two(asked))[:, 1], merged, atol=2e-6)


def test_venn_abers_of_real_rows_is_what_a_refit_gives(nci1):
    said, truth = nci1
    fitted = CALIBRATORS["venn-abers"].fit(said[::2], truth[::2])
    asked = said[1::80]
    low, high = (side[:, 1] for side in fitted.interval(asked))

    expected = refitted(said[::2, 1], truth[::2], asked[:, 1])
    np.testing.assert_allclose([low, high], expected, atol=1e-12)


def test_venn_abers_by_hand():
    fitted = CALIBRATORS["venn-abers"].fit(two([0.2, 0.8]), np.array([0, 1]))
    low, high = fitted.interval(two([0.1, 0.5, 0.9]))

    # Below both: {0,0,1} and {1,0,1}; between: {0,0,1} and {0,1,1}; above: {0,1,0} and {0,1,1}.
    np.testing.assert_allclose(low[:, 1], [0, 0, 0.5], atol=1e-12)
    np.testing.assert_allclose(high[:, 1], [0.5, 1, 1], atol=1e-12)
    np.testing.assert_allclose(
        fitted.apply(two([0.1, 0.5, 0.9]))[:, 1], [1 / 3, 1 / 2, 2 / 3], atol=1e-6
    )
    np.testing.assert_allclose(low[:, 0], 1 - high[:, 1])


def test_the_merged_probability_lies_between_both_answers_and_they_close_up_with_rows():
    asked = two(np.linspace(0, 1, 99))
    widths = []
    for n in (50, 500, 5000):
        fitted = CALIBRATORS["venn-abers"].fit(*bent(n))
        low, high = fitted.interval(asked)
        merged = fitted.apply(asked)
        assert (low <= high).all()
        assert (low - 1e-6 <= merged).all()
        assert (merged <= high + 1e-6).all()
        assert merged.min() >= 1 / (n + 2)
        widths.append((high - low)[10:-10, 1].mean())

    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_venn_abers_sets_each_of_three_classes_against_the_rest():
    rng = np.random.default_rng(0)
    p, truth = rng.dirichlet(np.ones(3), 60), rng.integers(0, 3, 60)
    fitted = CALIBRATORS["venn-abers"].fit(p, truth)
    low, high = fitted.interval(p)

    for k in range(3):
        expected = refitted(p[:, k], truth == k, p[:5, k])
        np.testing.assert_allclose([low[:5, k], high[:5, k]], expected, atol=1e-12)
    merged = high / (1 - low + high)
    np.testing.assert_allclose(fitted.apply(p), merged / merged.sum(1)[:, None], atol=1e-5)


def test_a_hundred_thousand_rows_are_answered_without_a_fit_for_each():
    p, truth = bent(100_000)
    start = time.process_time()
    CALIBRATORS["venn-abers"].fit(p, truth).apply(p)

    assert time.process_time() - start < 5


@pytest.mark.parametrize("name", ["platt", "isotonic"])
def test_a_class_that_never_happened_keeps_a_small_probability(name):
    rng = np.random.default_rng(0)
    p, truth = rng.dirichlet(np.ones(3), 98), rng.integers(0, 2, 98)
    given = CALIBRATORS[name].fit(p, truth).apply(p)

    assert given[:, 2].min() > 0.002
    assert given[:, 2].max() < 0.05


def test_bold_rows_of_a_few_hundred_ask_for_a_temperature():
    choice = choose_calibrator(*bent(400, bend=bold))

    assert choice.name == "temperature"
    assert choice.calibrator.temperature == pytest.approx(3, rel=0.5)
    assert list(choice.scores) == list(CALIBRATORS)
    assert choice.why.startswith("temperature: log-loss")
    assert choice.scores["none"].behind > choice.scores["none"].error > 0


@pytest.mark.parametrize("seed", range(5))
def test_rows_that_come_true_already_are_left_alone(seed):
    assert choose_calibrator(*bent(300, seed)).name in {"none", "temperature"}
    assert choose_calibrator(*bent(40, seed)).name in {"none", "temperature", "platt"}


def test_a_hook_asks_for_a_free_curve_where_there_are_rows_enough():
    assert choose_calibrator(*bent(2000, bend=hooked)).name in {"isotonic", "venn-abers"}
    few = choose_calibrator(*bent(49, bend=hooked))
    assert set(few.scores) == {"none", "temperature", "platt"}


def test_the_choice_is_the_simplest_within_one_standard_error_and_its_scores_are_numbers():
    for seed in range(6):
        choice = choose_calibrator(*bent(150, seed, bend=bold), seed=seed)
        losses = {name: score.log_loss for name, score in choice.scores.items()}
        near = [name for name, s in choice.scores.items() if s.behind <= s.error]

        assert choice.name == near[0]
        assert min(losses, key=losses.get) in near
        for score in choice.scores.values():
            assert np.isfinite(score).all()
            assert score.behind == pytest.approx(score.log_loss - min(losses.values()), abs=1e-12)


def test_the_standard_error_is_that_of_the_difference_row_by_row():
    p, truth = bent(150, bend=bold)
    names = ("none", "temperature")
    scores = choose_calibrator(p, truth, candidates=names, seed=3).scores
    one, other = (cross_calibrated(p, truth, candidates=(name,), seed=3) for name in names)
    rows = np.arange(150)
    behind = np.log(other[rows, truth]) - np.log(one[rows, truth])

    assert scores["temperature"] == (*scores["temperature"][:3], 0, 0)
    assert scores["none"].behind == pytest.approx(behind.mean())
    assert scores["none"].error == pytest.approx(behind.std(ddof=1) / np.sqrt(150))


def test_a_rare_class_leaves_the_free_curves_out():
    p, _ = bent(400)
    truth = np.zeros(400, dtype=np.int64)
    truth[p[:, 1].argsort()[-9:]] = 1
    assert set(choose_calibrator(p, truth).scores) == {"none", "temperature", "platt"}
    truth[p[:, 1].argsort()[-10:]] = 1
    assert set(choose_calibrator(p, truth).scores) == set(CALIBRATORS)


def test_three_classes_are_chosen_for_too():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 900)
    truth = (p.cumsum(1) < rng.random((900, 1))).sum(1)
    sharp = p**3 / (p**3).sum(1, keepdims=True)

    assert choose_calibrator(sharp, truth).name == "temperature"
    assert loss(cross_calibrated(sharp, truth), truth) < loss(sharp, truth) - 0.1


def test_the_same_seed_chooses_alike_and_candidates_are_kept_to():
    p, truth = bent(200, bend=bold)
    one, other = (choose_calibrator(p, truth, seed=5) for _ in range(2))
    only = choose_calibrator(p, truth, candidates=("venn-abers", "none"))

    assert one.scores == other.scores
    assert list(only.scores) == ["none", "venn-abers"]
    np.testing.assert_array_equal(
        cross_calibrated(p, truth, seed=5), cross_calibrated(p, truth, seed=5)
    )


@pytest.mark.parametrize(("n", "groups"), [(1, None), (30, np.zeros(30))])
def test_rows_that_cannot_be_parted_are_left_as_they_are(n, groups):
    p, truth = bent(n)
    choice = choose_calibrator(p, truth, groups=groups)

    assert (choice.name, choice.scores) == ("none", {})
    assert "cannot be parted" in choice.why
    np.testing.assert_allclose(cross_calibrated(p, truth, groups=groups), p, atol=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5, 11])
def test_a_handful_of_rows_of_one_class_or_two_is_survived(n):
    for truth in (np.zeros(n, dtype=int), np.arange(n) % 2):
        p = two(np.linspace(0, 1, n))
        assert choose_calibrator(p, truth).name in {"none", "temperature", "platt"}
        assert np.isfinite(np.log(cross_calibrated(p, truth))).all()


@pytest.mark.parametrize("call", [choose_calibrator, cross_calibrated])
def test_what_cannot_be_chosen_from_is_said_before_anything_is_fitted(call):
    p, truth = bent(40)
    with pytest.raises(CalibrationError, match=r"on 40 rows .* isotonic cannot be chosen from"):
        call(p, truth, candidates=("isotonic",))
    with pytest.raises(CalibrationError, match="'spline' is no calibrator"):
        call(p, truth, candidates=("none", "spline"))
    with pytest.raises(CalibrationError, match=r"40 rows and groups of shape \(3,\)"):
        call(p, truth, groups=np.arange(3))


def test_calibrated_out_of_fold_noise_stays_noise():
    p, truth = bent(300, bend=lambda p: np.full_like(p, 0.5))
    inside = CALIBRATORS["isotonic"].fit(p, truth).apply(p)
    honest = cross_calibrated(p, truth, candidates=("isotonic",))

    assert loss(inside, truth) < 0.99 * np.log(2) < np.log(2) < loss(honest, truth)


def test_rows_of_a_group_do_not_calibrate_each_other():
    leaky, honest = [], []
    for seed in range(6):
        p, truth = bent(60, seed, bend=lambda p: np.full_like(p, 0.5))
        p, truth, groups = np.repeat(p, 6, 0), np.repeat(truth, 6), np.repeat(np.arange(60), 6)
        names = ("isotonic",)
        leaky.append(loss(cross_calibrated(p, truth, candidates=names), truth))
        apart = cross_calibrated(p, truth, candidates=names, groups=groups)
        honest.append(loss(apart, truth))

    assert np.mean(leaky) < 0.97 * np.log(2) < np.log(2) < np.mean(honest)


def test_rows_of_a_group_count_as_one_when_a_difference_is_judged():
    p, truth = bent(60, bend=bold)
    groups = np.repeat(np.arange(60), 6)
    p, truth, names = np.repeat(p, 6, 0), np.repeat(truth, 6), ("none", "temperature")
    score = choose_calibrator(p, truth, candidates=names, groups=groups).scores["none"]
    one, other = (cross_calibrated(p, truth, candidates=(name,), groups=groups) for name in names)
    rows = np.arange(360)
    behind = np.log(other[rows, truth]) - np.log(one[rows, truth])

    assert score.error == pytest.approx(behind[::6].std(ddof=1) / np.sqrt(60))


def test_naive_bayes_on_real_molecules_comes_true_more_nearly_and_ranks_no_worse(nci1):
    said, truth = nci1
    choice = choose_calibrator(said, truth)
    after = cross_calibrated(said, truth)
    auc = [area_under_roc(truth == 1, p[:, 1]) for p in (said, choice.calibrator.apply(said))]

    assert choice.name != "none"
    assert loss(after, truth) < loss(said.clip(1e-6), truth) - 0.02
    assert ece(truth, after.argmax(1), after) < ece(truth, said.argmax(1), said) / 2
    assert auc[1] > auc[0] - 0.005
    assert choice.scores[choice.name].log_loss == pytest.approx(loss(after, truth), abs=0.005)


def test_a_reliability_diagram_by_hand():
    p = two([0.05, 0.15, 0.15, 0.95, 1.0, 0.0])
    found = reliability(p, np.array([0, 0, 1, 1, 1, 0]), strategy="uniform")

    assert found.counts.tolist() == [2, 2, 2]
    np.testing.assert_allclose(found.confidence, [0.025, 0.15, 0.975])
    np.testing.assert_allclose(found.hit_rate, [0, 0.5, 1])
    assert (found.low[0], found.high[2]) == (0, 1)
    assert 0 < found.high[0] < 1


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (3, 10), (0, 50), (50, 50), (499, 1000)])
def test_the_interval_of_a_share_is_wilsons(hits, n):
    low, high = wilson_interval(np.array([float(hits)]), np.array([n]))
    expected = binomtest(hits, n).proportion_ci(method="wilson")

    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_bins_hold_every_row_once_and_rise(n_classes, strategy):
    rng = np.random.default_rng(0)
    p, truth = rng.dirichlet(np.ones(n_classes), 205), rng.integers(0, n_classes, 205)
    found = reliability(p, truth, strategy=strategy)
    order = rng.permutation(205)
    other = reliability(p[order], truth[order], strategy=strategy)

    assert found.counts.sum() == 205
    assert (np.diff(found.confidence) > 0).all()
    assert ((found.low <= found.hit_rate) & (found.hit_rate <= found.high)).all()
    np.testing.assert_array_equal(other.counts, found.counts)
    np.testing.assert_allclose(other.confidence, found.confidence)
    if strategy == "quantile":
        assert set(found.counts.tolist()) <= {20, 21}


def test_of_more_classes_equal_bins_give_the_expected_calibration_error():
    rng = np.random.default_rng(0)
    p, truth = rng.dirichlet(np.ones(3), 300), rng.integers(0, 3, 300)
    found = reliability(p, truth, strategy="uniform")

    gap = (found.counts * np.abs(found.confidence - found.hit_rate)).sum() / 300
    assert gap == pytest.approx(ece(truth, p.argmax(1), p))


def test_equal_probabilities_share_a_bin_and_one_row_is_a_diagram():
    tied = reliability(two([0.2] * 30 + [0.7] * 3), np.arange(33) % 2)
    single = reliability(two([0.2]), np.array([1]))

    assert tied.counts.tolist() == [30, 3]
    assert (single.counts.tolist(), single.hit_rate.tolist()) == ([1], [1.0])


@pytest.mark.parametrize(("bins", "how"), [(0, "uniform"), (2.5, "uniform"), (5, "equal")])
def test_a_diagram_that_cannot_be_made_is_refused(bins, how):
    with pytest.raises(CalibrationError, match=f"{bins} bins by '{how}' cannot be made"):
        reliability(two([0.2]), np.array([1]), n_bins=bins, strategy=how)


def test_the_page_on_calibration_runs_and_names_every_calibrator_and_aim():
    page = (Path(__file__).parents[3] / "docs/calibration.md").read_text(encoding="utf-8")
    probabilities, truth = bent(200, bend=bold)
    names = {"probabilities": probabilities, "truth": truth, "new": probabilities[:3]}
    for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S):
        exec(compile(block, "calibration.md", "exec"), names)  # noqa: S102

    rows = re.findall(r"^\| `([\w>=.-]+)` \|", page, flags=re.M)
    bounds = [f"{name}>=0.8" for name in AT_LEAST]
    assert rows == [*CALIBRATORS, *LARGEST, *bounds]
    np.testing.assert_allclose(names["calibrated"].sum(1), 1)
    assert names["cut"].reached >= 0.8
