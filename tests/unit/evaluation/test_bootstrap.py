"""Intervals of one test set hold the truth as often as they say, or say they know nothing."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from kekule import KekuleError
from kekule.evaluation import METRICS
from kekule.evaluation.bootstrap import (
    JACKKNIFE,
    BootstrapError,
    bootstrap_interval,
    paired_bootstrap,
)
from kekule.evaluation.metrics import Metric

AUC, ACCURACY = METRICS["roc_auc"], METRICS["accuracy"]


def mean_of_second(truth, labels, p):
    return float(p[:, 1].mean())


MEAN = Metric(mean_of_second, 0, 1, True, "a score whose interval is known")


def test_ends_for_two_strata_are_those_of_scipy():
    truth, labels, p = drawn(0, 40, 25)
    ours = bootstrap_interval(AUC, truth, labels, p, resamples=4000)

    theirs = stats.bootstrap(
        (p[truth == 0, 1], p[truth == 1, 1]),
        lambda downs, ups: roc_auc_score(
            np.repeat([0, 1], [len(downs), len(ups)]), np.concatenate([downs, ups])
        ),
        vectorized=False,
        n_resamples=2000,
        rng=np.random.default_rng(1),
    )
    assert "BCa" in ours.method
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.012)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.012)
    assert theirs.confidence_interval.high < 1


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("statistic", [np.mean, np.var], ids=["skewed", "skewed and biased"])
def test_ends_for_an_odd_score_are_those_of_scipy_and_not_plain_percentiles(statistic, confidence):
    """Bias and acceleration move them; a wrong sign would move them the other way."""
    none, odd = np.zeros(30, dtype=int), np.random.default_rng(3).exponential(size=30) / 10
    metric = MEAN._replace(compute=lambda truth, labels, p: float(statistic(p[:, 1])))
    given = metric, none, none, np.stack([1 - odd, odd], axis=1)
    low, high, *_ = bootstrap_interval(*given, resamples=8000, confidence=confidence)

    (theirs, plain), spread = scipy_ends(odd, statistic, confidence)
    assert (low, high) == pytest.approx(tuple(theirs), abs=0.25 * spread)
    assert theirs.high - plain.high > 0.15 * spread


def test_an_interval_holds_the_true_score_as_often_as_it_says():
    """Normal scores one apart: the area under the curve is known."""
    true = stats.norm.cdf(1 / np.sqrt(2))
    held = 0
    for seed in range(200):
        end = bootstrap_interval(AUC, *drawn(seed, 40, 30), resamples=200, seed=seed)
        held += end.low <= true <= end.high

    assert 0.89 <= held / 200 <= 0.99


def test_an_interval_over_single_rows_is_too_narrow_where_families_share_their_fate():
    """Twenty-five scaffolds of eight rows, each right or wrong as one."""
    groups, held = np.repeat(np.arange(25), 8), {"rows": 0, "groups": 0}
    for seed in range(100):
        right = np.random.default_rng(seed).random(25) < 0.7
        truth = np.arange(200) % 2
        labels = np.where(right[groups], truth, 1 - truth)
        given = ACCURACY, truth, labels, np.eye(2)[labels]
        for name, families in [("rows", None), ("groups", groups)]:
            end = bootstrap_interval(*given, groups=families, resamples=200, seed=seed)
            held[name] += end.low <= 0.7 <= end.high

    assert held["rows"] < 65
    assert 86 <= held["groups"] <= 100


def test_no_resample_lacks_a_class_or_has_more_of_it():
    truth, labels, p = drawn(1, 60, 2)
    seen = []

    def spy(truth, labels, p):
        seen.append(np.bincount(truth, minlength=2).tolist())
        return AUC.compute(truth, labels, p)

    end = bootstrap_interval(AUC._replace(compute=spy), truth, labels, p, resamples=50)
    assert end.defined == 50
    assert seen[:51] == [[60, 2]] * 51  # the rows as they are, then the resamples
    assert {tuple(counts) for counts in seen[51:]} == {(59, 2), (60, 1)}  # one left out


def test_a_family_comes_whole_or_not_at_all():
    rng = np.random.default_rng(5)
    groups = rng.permutation(np.repeat([3, 11, 4, 70, 9], [1, 6, 2, 9, 2]))
    name = np.arange(20) / 100  # of a row, in its probability
    seen = []

    def spy(truth, labels, p):
        seen.append(np.bincount((p[:, 1] * 100).round().astype(int), minlength=20))
        return float(p[:, 1].mean())

    bootstrap_interval(
        MEAN._replace(compute=spy), groups % 2, groups % 2, np.stack([1 - name, name], axis=1),
        groups=groups, resamples=60,
    )  # fmt: skip
    counts = np.array(seen)
    for group in np.unique(groups):
        assert (np.ptp(counts[:, groups == group], axis=1) == 0).all()
    drawn_families = np.stack([counts[:, groups == g][:, 0] for g in np.unique(groups)])
    assert (drawn_families.sum(0)[:61] == 5).all()
    assert drawn_families.max() > 1


def test_families_of_one_row_are_rows_and_their_numbers_only_names():
    _, labels, p = drawn(2, 30, 0)
    given = MEAN, np.zeros(30, dtype=int), labels, p
    alone = bootstrap_interval(*given)

    assert bootstrap_interval(*given, groups=np.arange(30))[:2] == alone[:2]
    families = np.arange(30) // 3
    one = bootstrap_interval(*given, groups=families)
    assert bootstrap_interval(*given, groups=7 * families - 20) == one
    assert one[:2] != alone[:2]


def test_the_same_seed_gives_the_same_interval_and_another_nearly():
    given = AUC, *drawn(3, 80, 60)
    ends = [bootstrap_interval(*given, seed=seed) for seed in (0, 0, 1)]

    assert ends[0] == ends[1]
    assert ends[0] != ends[2]
    assert ends[0][:2] == pytest.approx(ends[2][:2], abs=0.02)


def test_more_confidence_and_fewer_rows_both_widen_an_interval():
    def width(n, confidence):
        low, high, *_ = bootstrap_interval(AUC, *drawn(4, n, n), confidence=confidence)
        return high - low

    assert width(60, 0.8) < width(60, 0.95) < width(60, 0.99)
    assert width(600, 0.95) < width(60, 0.95) / 2


def test_more_rows_than_can_be_left_out_one_by_one_have_percentiles():
    truth = np.arange(JACKKNIFE + 1) % 2
    labels = np.where(np.arange(len(truth)) % 10 < 8, truth, 1 - truth)
    given = truth, labels, np.eye(2)[labels]
    few = tuple(rows[:JACKKNIFE] for rows in given)
    many, fewer = (bootstrap_interval(ACCURACY, *rows, resamples=400) for rows in (given, few))

    assert "percentile" in many.method
    assert "BCa" in fewer.method
    error = np.sqrt(0.8 * 0.2 / len(truth))
    assert (many.low, many.high) == pytest.approx(
        (0.8 - 1.96 * error, 0.8 + 1.96 * error), abs=error / 3
    )


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("sure", [False, True], ids=["unsure", "probabilities of 0 and 1"])
def test_no_end_is_outside_the_range_of_its_metric(name, n_classes, sure):
    metric = METRICS[name]
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth, p = rng.integers(0, n_classes, 12), rng.dirichlet(np.ones(n_classes), 12)
        labels = p.argmax(1)
        p = np.eye(n_classes)[labels] if sure else p
        groups = rng.integers(0, 5, 12) if seed % 2 else None
        end = bootstrap_interval(metric, truth, labels, p, groups=groups, resamples=60)
        assert (end.low is None) == (end.high is None)
        if end.low is not None:
            assert metric.low <= end.low <= end.high <= metric.high
            assert end.defined >= 30


def test_a_score_that_most_resamples_lack_has_no_interval():
    """Three families of one class each: all three are drawn in 2 of 9 resamples."""
    truth = np.repeat([0, 1, 2], 5)

    def whole(truth, labels, p):
        return float(p[:, 1].mean()) if len(np.unique(truth)) == 3 else None

    p = np.random.default_rng(0).dirichlet(np.ones(3), 15)
    given = MEAN._replace(compute=whole), truth, p.argmax(1), p
    end = bootstrap_interval(*given, groups=truth)
    assert end[:2] == (None, None)
    assert end.defined / 1000 == pytest.approx(2 / 9, abs=0.05)
    assert "undefined" in end.method
    assert bootstrap_interval(*given).defined == 1000


def test_a_score_that_one_resample_in_three_lacks_has_one_of_those_that_have_it():
    """A negative family of two is missed by a quarter; AUC is left with percentiles."""
    truth = np.array([0, 0, 1, 1, 1, 1, 1, 1])
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    positive = np.array([0.3, 0.5, 0.4, 0.6, 0.2, 0.8, 0.7, 0.9])
    p = np.stack([1 - positive, positive], axis=1)

    end = bootstrap_interval(AUC, truth, p.argmax(1), p, groups=groups)
    missed = (3 / 4) ** 4 + (1 / 4) ** 4  # no negative, or nothing else
    assert end.defined / 1000 == pytest.approx(1 - missed, abs=0.05)
    assert "percentile" in end.method
    assert 0 <= end.low < end.high <= 1


@pytest.mark.parametrize(
    ("truth", "positive"),
    [([], []), ([1], [0.7]), ([0, 1], [0.2, 0.7]), ([1, 1, 1], [0.2, 0.7, 0.8])],
    ids=["no rows", "one row", "one row a class", "one class"],
)
def test_what_cannot_be_drawn_differently_has_no_interval(truth, positive):
    truth, positive = np.array(truth, dtype=int), np.array(positive)
    p = np.stack([1 - positive, positive], axis=1)

    end = bootstrap_interval(AUC, truth, p.argmax(1).astype(int), p)
    assert (end.low, end.high, end.defined) == (None, None, 0)


def test_a_single_family_has_no_interval():
    truth, labels, p = drawn(0, 5, 5)

    end = bootstrap_interval(AUC, truth, labels, p, groups=np.zeros(10, dtype=int))
    assert end[:2] == (None, None)


def test_a_score_that_never_moves_claims_no_certainty():
    truth = np.arange(10) % 2

    end = bootstrap_interval(ACCURACY, truth, truth, np.eye(2)[truth])
    assert (end.low, end.high, end.defined) == (None, None, 1000)


def test_the_difference_the_other_way_round_is_its_mirror_image():
    truth, one, other = two_models(0)
    forth, back = (
        paired_bootstrap(AUC, truth, one, other),
        paired_bootstrap(AUC, truth, other, one),
    )

    assert forth[:2] == pytest.approx((-back.high, -back.low), abs=1e-9)
    assert forth[2:] == back[2:]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_hard_for_both_models_cancels_in_their_difference(seed):
    truth, one, other = two_models(seed)
    alone = [bootstrap_interval(AUC, truth, *answer) for answer in (one, other)]
    difference = paired_bootstrap(AUC, truth, one, other)

    observed = AUC.compute(truth, *one) - AUC.compute(truth, *other)
    assert difference.low < observed < difference.high
    widths = [high - low for low, high, *_ in (*alone, difference)]
    assert widths[2] < 0.6 * np.hypot(
        widths[0], widths[1]
    )  # that of models with nothing in common


def test_two_equally_good_models_are_seldom_told_apart():
    told = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = np.repeat([0, 1], 40)
        shared = truth + rng.normal(size=80)
        models = [answers(shared + rng.normal(size=80) / 2) for _ in range(2)]
        low, high, *_ = paired_bootstrap(AUC, truth, *models, resamples=200, seed=seed)
        told += not low <= 0 <= high

    assert told <= 13


def test_pairs_are_drawn_by_family_as_single_models_are():
    truth, one, _ = two_models(1)
    nothing = one[0], np.full_like(one[1], 0.5)
    groups = np.arange(len(truth)) % 17

    difference = paired_bootstrap(AUC, truth, one, nothing, groups=groups)
    alone = bootstrap_interval(AUC, truth, *one, groups=groups)
    assert difference[:2] == pytest.approx((alone.low - 0.5, alone.high - 0.5))
    assert difference.method == alone.method


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(5, int)}, r"labels: it has shape \(5,\), and the truth \(6,\)"),
        ({"probabilities": np.ones(6)}, r"probabilities: it has shape \(6,\).*a column a class"),
        ({"probabilities": np.full((6, 2), np.nan)}, "6 of 6 rows hold no numbers"),
        ({"truth": np.array([0, 1, -1, 0, 1, 2])}, "row 2 has -1, none of 2 .*without a label"),
        ({"truth": np.zeros((6, 3), int)}, r"truth: it has shape \(6, 3\).* one a call"),
        ({"groups": np.zeros((6, 1), int)}, r"groups: it has shape \(6, 1\)"),
        ({"confidence": 95}, "confidence: 95 is not between 0 and 1.*0.95"),
        ({"resamples": 39}, "resamples: 39 resamples have none beyond .*Pass 40 or more"),
        ({"resamples": 100, "confidence": 0.99}, "Pass 200 or more"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name_and_a_cure(changes, message):
    given = {
        "truth": np.arange(6) % 2,
        "labels": np.zeros(6, int),
        "probabilities": np.full((6, 2), 0.5),
    }
    with pytest.raises(BootstrapError, match=f"bootstrap: .*{message}") as caught:
        bootstrap_interval(ACCURACY, **(given | changes))
    assert isinstance(caught.value, KekuleError)
    assert caught.value.argument in {*given, "groups", "confidence", "resamples"}


def test_of_a_pair_the_model_that_does_not_fit_is_named():
    truth, one, other = two_models(0)

    with pytest.raises(BootstrapError, match="labels of other: it has shape"):
        paired_bootstrap(AUC, truth, one, (other[0][1:], other[1]))


def scipy_ends(values, statistic, confidence):
    """BCa and percentile ends of SciPy, and the standard error."""
    found = [
        stats.bootstrap(
            (values,),
            statistic,
            n_resamples=8000,
            method=method,
            confidence_level=confidence,
            rng=np.random.default_rng(4),
        )
        for method in ("BCa", "percentile")
    ]
    return [one.confidence_interval for one in found], found[0].standard_error


def drawn(seed, n_negative, n_positive):
    """Truth, labels and probabilities of a model whose scores are normal, one apart."""
    truth = np.repeat([0, 1], [n_negative, n_positive])
    return truth, *answers(truth + np.random.default_rng(seed).normal(size=len(truth)))


def two_models(seed):
    """Truth and two models with mistakes in common, of which the second makes some more."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1], 100)
    shared = 2 * truth + rng.normal(size=200)
    return truth, answers(shared), answers(shared + 0.4 * rng.normal(size=200))


def answers(scores):
    """Labels and probabilities."""
    positive = 1 / (1 + np.exp(0.5 - scores))
    p = np.stack([1 - positive, positive], axis=1)
    return p.argmax(1), p
