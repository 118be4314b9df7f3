import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kekule.evaluation import compare, verdict
from kekule.evaluation.comparison import corrected_error, corrected_interval, mean_roc_auc

scores = st.lists(st.floats(0, 1), min_size=2, max_size=12)


def test_an_interval_worked_by_hand():
    """Three folds: variance 0.01, error sqrt((1/3 + 1/2) 0.01), Student's t at 2 is 4.3027."""
    low, high = corrected_interval([0.8, 0.7, 0.9], n_folds=3)

    assert corrected_error([0.8, 0.7, 0.9], 3) == pytest.approx(0.0912871, abs=1e-7)
    assert (low, high) == pytest.approx((0.8 - 0.392776, 0.8 + 0.392776), abs=1e-6)


def test_a_comparison_worked_by_hand():
    """Gaps 0.1, 0.0, 0.2: t = 0.1 / 0.0912871; with two degrees p = 1 - t / sqrt(2 + t²)."""
    d = compare([0.9, 0.7, 0.9], [0.8, 0.7, 0.7], n_folds=3)

    assert d.mean == pytest.approx(0.1)
    assert (d.low, d.high) == pytest.approx((0.1 - 0.392776, 0.1 + 0.392776), abs=1e-6)
    assert d.p == pytest.approx(0.387628, abs=1e-6)


@given(values=scores, n_folds=st.integers(2, 20))
def test_the_correction_only_widens(values, n_folds):
    naive = np.std(values, ddof=1) / np.sqrt(len(values))

    assert corrected_error(values, n_folds) >= naive
    low, high = corrected_interval(values, n_folds)
    assert low <= np.mean(values) + 1e-12
    assert high >= np.mean(values) - 1e-12


def test_repeating_a_cross_validation_does_not_shrink_its_interval_to_nothing():
    rng = np.random.default_rng(0)
    widths = []
    for repeats in (1, 10, 1000):
        low, high = corrected_interval(rng.normal(0.8, 0.1, 10 * repeats).tolist(), 10)
        widths.append(high - low)

    assert widths[2] > 0.05  # 4 · 0.1 · sqrt(1/9) at infinitely many; a naive one would be 0.004


def test_of_a_hundred_intervals_five_miss_where_folds_share_what_the_correction_assumes():
    """Fold scores with correlation 1/k; the uncorrected interval misses far more often."""
    k, truth, rng = 10, 0.8, np.random.default_rng(0)
    shared, own = np.sqrt(1 / k), np.sqrt(1 - 1 / k)
    draws = truth + 0.05 * (shared * rng.normal(size=(4000, 1)) + own * rng.normal(size=(4000, k)))
    covered = np.mean([low <= truth <= high for low, high in map(interval_of_ten, draws)])
    error = draws.std(1, ddof=1) / np.sqrt(k)
    naive = np.mean(np.abs(draws.mean(1) - truth) <= 2.262157 * error)

    assert covered == pytest.approx(0.95, abs=0.012)
    assert naive < 0.87


@given(
    pairs=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12),
    n_folds=st.integers(2, 20),
)
def test_comparing_the_other_way_round_turns_every_sign(pairs, n_folds):
    ours, theirs = zip(*pairs, strict=True)
    one, other = compare(ours, theirs, n_folds), compare(theirs, ours, n_folds)

    assert one.mean == pytest.approx(-other.mean)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.p == pytest.approx(other.p)
    assert 0 <= one.p <= 1


@given(
    pairs=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=12),
    n_folds=st.integers(2, 20),
)
def test_p_is_below_five_percent_where_the_interval_leaves_zero_out(pairs, n_folds):
    ours, theirs = zip(*pairs, strict=True)
    d = compare(ours, theirs, n_folds)

    if d.low < d.high and abs(d.p - 0.05) > 1e-6:
        assert (d.p < 0.05) == (d.low > 0 or d.high < 0)


def test_the_same_scores_differ_by_nothing():
    d = compare([0.7, 0.9], [0.7, 0.9], 2)

    assert (d.mean, d.low, d.high, d.p) == (0, 0, 0, 1)


def test_two_folds_with_one_gap_prove_nothing_and_ten_do():
    """0.9 - 0.8 and 0.8 - 0.7 differ in their last bit, which is no spread to measure by."""
    two = compare([0.9, 0.8], [0.8, 0.7], 2)
    ten = compare([0.9, 0.8] * 5, [0.8, 0.7] * 5, 10)

    assert two.p == 0.5
    assert ten.p == pytest.approx(2**-9)


def test_a_difference_within_noise_names_no_winner():
    text = verdict("gin", [0.9, 0.8, 0.85], {"WL-SVM": [0.85, 0.84, 0.84]}, 3)

    assert "ahead of the best baseline, WL-SVM (84.3%)" in text
    assert "within noise" in text
    assert "beats" not in text
    assert "the baseline is the simpler" in text


def test_a_baseline_that_is_ahead_within_noise_is_said_to_be_ahead():
    text = verdict("gin", [0.80, 0.84, 0.82], {"WL-SVM": [0.85, 0.83, 0.84]}, 3)

    assert "behind the best baseline" in text
    assert "within noise" in text


def test_equal_scores_are_called_level():
    assert "level with the best baseline" in verdict("gin", [0.8, 0.9], {"m": [0.9, 0.8]}, 2)


def test_a_baseline_that_wins_is_said_to_win_and_is_recommended():
    folds = np.linspace(0, 0.02, 10)
    text = verdict("gcn", (0.7 + folds).tolist(), {"WL-SVM": (0.9 - folds).tolist()}, 10)

    assert "The baseline WL-SVM (89.0%) beats it" in text
    assert "more than noise. On these data use the baseline." in text


def test_a_network_that_wins_is_said_to_beat_the_best_baseline():
    folds = np.linspace(0, 0.02, 10)
    rivals = {"majority": [0.6] * 10, "WL-SVM": (0.8 + folds[::-1]).tolist()}
    text = verdict("gin", (0.9 + folds).tolist(), rivals, 10)

    assert "It beats the best baseline, WL-SVM (81.0%)" in text
    assert "more than noise" in text


def test_without_baselines_the_score_is_said_to_be_of_unknown_worth():
    text = verdict("gin", [0.9, 0.8], {}, 2)

    assert "No baseline was run beside it" in text
    assert "interval" in text


def test_the_interval_of_an_accuracy_stays_within_nought_and_one():
    text = verdict("gin", [1.0, 0.6], {}, 2)

    assert "interval 0.0% to 100.0%" in text


def interval_of_ten(values):
    return corrected_interval(values.tolist(), 10)


def test_a_mean_over_tasks_is_spoken_of_as_such_and_not_as_rows_given_their_class():
    measure = mean_roc_auc(12, [])
    folds = np.linspace(0, 0.02, 10)
    rivals = {"majority": [0.5] * 10}
    text = verdict("gin", (0.75 + folds).tolist(), rivals, 10, measure=measure)
    one = verdict("gin", [0.75], {"majority": [0.5]}, 1, measure=measure)

    assert text.startswith("gin reaches a mean ROC AUC of 0.760 over 12 tasks on unseen rows")
    assert "It beats the best baseline, majority (0.500), by 0.260" in text
    assert "%" not in text.replace("95%", "")
    assert "points" not in text
    assert one.startswith("gin reaches a mean ROC AUC of 0.750 over 12 tasks on the test rows.")


def test_tasks_without_a_score_are_named_and_many_are_counted():
    names = [f"t{k}" for k in range(8)]
    text = verdict("gin", [0.7, 0.8], {}, 2, measure=mean_roc_auc(9, names))

    assert "over 1 of 9 tasks" in text
    assert text.endswith("of a fold: t0, t1, t2, t3, t4 and 3 more.")


def test_a_single_fold_with_a_score_has_no_noise_to_speak_of():
    text = verdict("gin", [0.7], {"m": [0.5]}, 5, measure=mean_roc_auc(2, []))

    assert "nothing says whether that is more than noise" in text
