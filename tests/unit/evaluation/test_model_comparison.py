import json
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from kekule import KekuleError
from kekule.evaluation import METRICS, compare
from kekule.evaluation.model_comparison import (
    ComparisonError,
    FoldTable,
    anova,
    assumptions,
    compare_models,
    conover,
    corrected_pairs,
    fold_table,
    friedman,
    median_pairs,
    tukey,
)
from kekule.evaluation.model_comparison.ranks import holm

MODELS = ("gin", "gcn", "WL-SVM", "majority")


def table_of(scores, names=None, *, higher=True, folds=5):
    scores = np.asarray(scores, dtype=np.float64)
    names = names or tuple(f"m{i}" for i in range(len(scores)))
    return FoldTable(names, scores, "roc_auc", higher, folds, scores.shape[1] // folds)


def drawn(seed=0, gains=(0.02, 0.01, 0.0, -0.03), folds=25):
    """Scores of 5 × 5 folds of unlike difficulty, by models of unlike worth."""
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 0.03, folds)
    scores = 0.85 + np.asarray(gains)[:, None] + hardness
    return table_of(scores + rng.normal(0, 0.01, scores.shape), MODELS[: len(gains)])


def tied(seed=0, n_models=4, folds=25):
    """Accuracies on 17 rows a fold, which tie often."""
    rng = np.random.default_rng(seed)
    return table_of(rng.binomial(17, 0.8, (n_models, folds)) / 17)


def scores_json(folds, baselines=None, **changes):
    """What `kekule train` writes of a run, as far as a comparison looks at it."""
    protocol = {
        **{"kind": "kfold", "split": "scaffold", "column": None, "test": 0.2, "folds": 3},
        **{"seeds": 2, "seeds_used": [4, 5], "baselines": list(baselines or {})},
        "description": "3 folds of 9 rows; 2 seed(s); 10% of each fold's training rows chose it",
    } | changes.pop("protocol", {})
    metrics = {name: {"folds": list(folds)} for name in METRICS}
    return {
        **{"data_hash": "ab" * 32, "n_rows": 27, "n_rejected": 0, "classes": ["0", "1"]},
        **{"split_hash": "", "protocol": protocol, "metrics": metrics},
        "baselines": {b: {n: {"folds": list(f)} for n in METRICS} for b, f in baselines.items()}
        if baselines
        else {},
    } | changes


SIX = [0.8, 0.81, 0.79, 0.82, 0.8, 0.83]


# --- the table ------------------------------------------------------------------------------


def test_a_run_brings_its_network_and_its_baselines_and_a_shared_baseline_comes_once():
    svm, majority = [v - 0.1 for v in SIX], [0.5] * 6
    runs = {
        "gin": scores_json(SIX, {"WL-SVM": svm, "majority": majority}),
        "gcn": scores_json(SIX[::-1], {"WL-SVM": [v + 1e-15 for v in svm]}),
    }
    table = fold_table(runs, "roc_auc")

    assert table.models == ("gin", "gcn", "WL-SVM", "gin/majority")
    np.testing.assert_array_equal(table.scores, [SIX, SIX[::-1], svm, majority])
    assert (table.n_folds, table.repeats, table.higher_is_better) == (3, 2, True)
    assert not fold_table(runs, "log_loss").higher_is_better


def test_baselines_that_scored_otherwise_stay_apart_and_models_can_be_left_out():
    runs = {
        "gin": scores_json(SIX, {"WL-SVM": SIX[::-1]}),
        "gcn": scores_json(SIX, {"WL-SVM": [0.5] * 6}),
    }

    assert fold_table(runs, "f1").models == ("gin", "gcn", "gin/WL-SVM", "gcn/WL-SVM")
    assert fold_table(runs, "f1", baselines=False).models == ("gin", "gcn")
    assert fold_table(runs, "f1", without=["gcn", "gin/WL-SVM"]).models == ("gin", "gcn/WL-SVM")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data_hash": "cd" * 32}, "gcn: its data .* is not that of gin"),
        ({"n_rejected": 2}, "number of rows set aside"),
        ({"classes": ["no", "yes"]}, r"classes .*'no'"),
        ({"split_hash": "ef" * 32}, "given split"),
        ({"protocol": {"split": "random"}}, "protocol split is 'random', and 'scaffold' in gin"),
        ({"protocol": {"seeds_used": [0, 1]}}, r"seeds_used is \[0, 1\].*same `protocol` and"),
        ({"protocol": {"folds": 6, "seeds_used": [4]}}, "protocol folds is 6, and 3 in gin"),
        ({"protocol": {"description": "3 folds of 8 rows; 2 seed(s); x"}}, "3 folds of 8 rows"),
    ],
)
def test_runs_on_other_rows_or_folds_are_refused_and_told_apart(change, said):
    with pytest.raises(ComparisonError, match=said):
        fold_table({"gin": scores_json(SIX), "gcn": scores_json(SIX, **change)}, "accuracy")


def test_how_the_epoch_was_chosen_does_not_make_another_split():
    other = {"description": "3 folds of 9 rows; 2 seed(s); 20% of each fold's rows chose it"}
    runs = {"gin": scores_json(SIX), "gcn": scores_json(SIX, protocol=other)}

    assert fold_table(runs, "accuracy").models == ("gin", "gcn")


def test_an_undefined_score_is_named_by_model_seed_and_fold():
    runs = {"gin": scores_json(SIX, {"majority": [0.5, 0.5, 0.5, 0.5, None, None]})}

    with pytest.raises(ComparisonError, match=r"gin/majority, seed 5, fold 2: mcc .* 2 of 6"):
        fold_table(runs, "mcc")


@pytest.mark.parametrize(
    ("runs", "metric", "said"),
    [
        ({}, "accuracy", "models: there are none"),
        ({"gin": scores_json(SIX)}, "accuracy", "there is 'gin' alone"),
        ({"gin": {}}, "accuracy", "gin: 'data_hash' is missing"),
        ({"gin": scores_json(SIX, metrics={})}, "accuracy", "gin has no score 'accuracy'"),
        ({"gin": scores_json(SIX)}, "acuracy", "no 'acuracy'. Did you mean accuracy"),
        ({"a": scores_json(SIX), "b": scores_json(SIX[:5])}, "f1", "b: there are 5 scores, not 3"),
        (
            {"a": scores_json(SIX, {"b": SIX[::-1]}), "a/b": scores_json(SIX)},
            "f1",
            "'a/b' is both a run and a baseline",
        ),
    ],
)
def test_what_is_no_comparison_is_refused_with_a_cure(runs, metric, said):
    with pytest.raises(ComparisonError, match=said):
        fold_table(runs, metric)


@pytest.mark.parametrize(
    ("folds", "seeds", "said"),
    [(1, [1, 2, 3], "single test set"), (2, [1], "2 folds are too few")],
)
def test_one_test_set_and_two_folds_are_refused(folds, seeds, said):
    protocol = {"folds": folds, "seeds_used": seeds}
    run = scores_json([0.1] * folds * len(seeds), protocol=protocol)

    with pytest.raises(ComparisonError, match=said):
        fold_table({"a": run, "b": run}, "accuracy")


def test_a_table_refuses_nan_another_shape_and_a_name_twice():
    with pytest.raises(ComparisonError, match="m1, repeat 2, fold 1: roc_auc is nan"):
        table_of([[0.1] * 4, [0.1, 0.2, math.nan, 0.1]], folds=2)
    with pytest.raises(ComparisonError, match=r"shape \(2, 4\), not \(2, 3\)"):
        table_of([[0.1] * 4] * 2, folds=3)
    with pytest.raises(ComparisonError, match="'a' is there twice"):
        table_of([[0.1] * 4] * 2, ("a", "a"), folds=4)
    assert issubclass(ComparisonError, KekuleError)


# --- means ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [drawn(), drawn(1, (0, 0, 0)), tied(), tied(3, 3, 10)])
def test_the_anova_is_that_of_statsmodels(table):
    models = pytest.importorskip("statsmodels.stats.anova")
    pandas = pytest.importorskip("pandas")
    rows = [
        (name, fold, value)
        for name, values in zip(table.models, table.scores, strict=True)
        for fold, value in enumerate(values)
    ]
    frame = pandas.DataFrame(rows, columns=["model", "fold", "score"])
    found = models.AnovaRM(frame, "score", "fold", ["model"]).fit()
    f, *degrees, p = found.anova_table.iloc[0]
    ours = anova(table)

    assert ours.f == pytest.approx(f)
    assert ours.p == pytest.approx(p)
    assert [ours.df_models, ours.df_error] == degrees
    assert ours.p <= ours.p_corrected + 1e-12 or ours.f < 1


def test_two_models_have_the_f_of_the_paired_t_test():
    table = drawn(2, (0.0, 0.01))
    t = stats.ttest_rel(*table.scores)

    assert anova(table).f == pytest.approx(t.statistic**2)
    assert anova(table).p == pytest.approx(t.pvalue)


@pytest.mark.parametrize("table", [drawn(), tied(3, 3, 10)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_tukeys_intervals_are_those_worked_by_hand(table, alpha):
    s = table.scores
    n_models, n_scores = s.shape
    df = (n_models - 1) * (n_scores - 1)
    left = s - s.mean(0) - s.mean(1)[:, None] + s.mean()
    error = (left**2).sum() / df
    q = stats.studentized_range.ppf(1 - alpha, n_models, df)
    pairs = tukey(table, alpha=alpha)

    assert len(pairs) == n_models * (n_models - 1) / 2
    for pair in pairs:
        i, j = table.models.index(pair.one), table.models.index(pair.other)
        gap = s[i].mean() - s[j].mean()
        p = stats.studentized_range.sf(abs(gap) / math.sqrt(error / n_scores), n_models, df)
        assert pair.mean == pytest.approx(gap)
        assert pair.high - pair.low == pytest.approx(2 * q * math.sqrt(error / n_scores))
        assert pair.low + pair.high == pytest.approx(2 * gap)
        assert pair.p == pytest.approx(p, abs=1e-10)
        assert (pair.p < alpha) == (pair.low > 0 or pair.high < 0)


def test_without_sphericity_epsilon_takes_degrees_of_freedom_from_the_anova():
    scores = drawn(0, (0.0, 0.0, 0.0)).scores
    scores[2] += np.random.default_rng(1).normal(0, 0.05, 25)
    found = anova(table_of(scores))
    epsilon = assumptions(table_of(scores)).sphericity.epsilon

    assert found.epsilon == pytest.approx(epsilon)
    assert 0.5 <= epsilon < 0.6
    assert found.p_corrected == pytest.approx(stats.f.sf(found.f, 2 * epsilon, 48 * epsilon))


def test_a_fold_that_is_hard_for_all_models_changes_no_test_on_means():
    table = drawn()
    harder = table_of(table.scores - np.linspace(0, 0.5, 25), table.models)

    assert anova(harder).f == pytest.approx(anova(table).f)
    for one, other in zip(tukey(harder), tukey(table), strict=True):
        assert one[2:] == pytest.approx(other[2:], abs=1e-9)


def test_no_spread_is_no_error_to_judge_by():
    table = table_of([[0.9, 0.8, 0.7], [0.8, 0.7, 0.6], [0.7, 0.6, 0.5]], folds=3)
    for test in (anova, tukey):
        with pytest.raises(ComparisonError, match=r"there is no error\. Compare the models by"):
            test(table)


def test_corrected_pairs_are_those_of_the_corrected_t_test():
    table = drawn()
    for pair in corrected_pairs(table):
        ours, theirs = (table.scores[table.models.index(name)] for name in pair[:2])
        assert pair[2:] == pytest.approx(compare(ours, theirs, 5))
    wider = corrected_pairs(table, alpha=0.01)[0]
    assert wider.high - wider.low > pair.high - pair.low


# --- assumptions ----------------------------------------------------------------------------


def test_normal_scores_of_like_spread_are_judged_by_means():
    found = assumptions(drawn())
    left = drawn().residuals

    assert (found.decision, found.reasons) == ("parametric", ())
    assert found.normality_p == pytest.approx(stats.shapiro(left.ravel()).pvalue)
    assert found.levene_p == pytest.approx(stats.levene(*drawn().scores).pvalue)
    variances = drawn().scores.var(1, ddof=1)
    assert found.variance_ratio == pytest.approx(variances.max() / variances.min())


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: np.where(np.arange(25) == 3, s - [[0.3], [0], [0], [0]], s), "not normal"),
        (lambda s: np.vstack([s[0], s[1], s[2], 0.5 + (s[3] - s[3].mean()) / 10]), "variance of"),
        (lambda s: np.vstack([s[:3], np.full(25, 0.5)]), "majority does not vary"),
        (lambda s: np.vstack([s[:3], s[2] + 1e-3 * (s[1] - s[0])]), "not spherical"),
        (lambda s: np.vstack([s[:3], s[2]]), "not spherical"),
    ],
)
def test_each_broken_assumption_leads_to_ranks_and_is_named(spoil, reason):
    found = assumptions(table_of(spoil(drawn().scores), MODELS))

    assert found.decision == "ranks"
    assert any(reason in text for text in found.reasons), found.reasons


def test_mauchlys_w_and_epsilon_are_those_of_the_orthonormal_contrasts():
    """Helmert contrasts, worked out beside: W = det / (trace / p)^p."""
    table = drawn(5)
    contrasts = np.array([[1, -1, 0, 0], [1, 1, -2, 0], [1, 1, 1, -3]], dtype=float)
    contrasts /= np.linalg.norm(contrasts, axis=1, keepdims=True)
    s = contrasts @ np.cov(table.scores) @ contrasts.T
    w = np.linalg.det(s) / (np.trace(s) / 3) ** 3
    chi2 = -(24 - (2 * 9 + 3 + 2) / 18) * math.log(w)
    found = assumptions(table).sphericity

    assert found.w == pytest.approx(w)
    assert found.p == pytest.approx(stats.chi2.sf(chi2, 5))
    assert found.epsilon == pytest.approx(np.trace(s) ** 2 / (3 * np.trace(s @ s)))


def test_mauchlys_test_calls_one_spherical_table_in_twenty_otherwise():
    alarms = [assumptions(drawn(seed)).sphericity.p < 0.05 for seed in range(10_000, 11_000)]
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.02)


def test_two_models_are_always_spherical_and_one_side_of_their_residuals_is_tested():
    table = drawn(0, (0.0, 0.01))
    found = assumptions(table)

    assert found.sphericity == (1, 1, 1)
    gaps = table.scores[0] - table.scores[1]
    assert found.normality_p == pytest.approx(stats.shapiro(gaps).pvalue)


def test_fewer_folds_than_models_cannot_show_sphericity():
    found = assumptions(table_of(drawn().scores[:, :3], folds=3))

    assert found.sphericity.p is None
    assert "fewer folds than models" in found.reasons[-1]


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([[0.5] * 5] * 3, "all models score alike on every fold"),
        ([[0.9, 0.8, 0.7, 0.9, 0.8]] * 3, "all models score alike on every fold"),
        ([[0.5] * 5, [0.6] * 5, [0.7] * 5], "differ by the same on every fold"),
        ([[0.9, 0.8, 0.7, 0.7, 0.7], [0.8, 0.7, 0.6, 0.6, 0.6]], "differ by the same"),
    ],
)
def test_scores_without_spread_are_said_to_be_so_and_give_finite_numbers(scores, reason):
    found = compare_models(table_of(scores))

    assert reason in found.assumptions.reasons[0]
    assert found.assumptions.normality_p is None
    assert (found.anova, found.winner) == (None, None)
    json.dumps(found.to_json(), allow_nan=False)


# --- ranks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [drawn(), tied(), tied(3, 3, 10), tied(7, 6, 5)])
def test_friedmans_test_is_that_of_scipy_also_with_ties(table):
    theirs = stats.friedmanchisquare(*table.scores)
    ours = friedman(table)

    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert sum(ours.mean_ranks) == pytest.approx(sum(range(1, len(table.models) + 1)))


@pytest.mark.parametrize("table", [drawn(), tied(), tied(3, 3, 10), tied(7, 6, 5)])
def test_conovers_test_is_that_of_scikit_posthocs_with_holm(table):
    posthocs = pytest.importorskip("scikit_posthocs")
    theirs = posthocs.posthoc_conover_friedman(table.scores.T, p_adjust="holm").to_numpy()
    wanted = [theirs[i, j] for i, j in table.pairs()]

    assert [pair.p for pair in conover(table)] == pytest.approx(wanted)


def test_holm_worked_by_hand():
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1, 1])


def test_rank_one_is_the_best_whichever_end_of_the_metric_is_good():
    scores = [[0.9, 0.8, 0.7], [0.5, 0.6, 0.4], [0.5, 0.5, 0.5]]

    assert friedman(table_of(scores, folds=3)).mean_ranks == pytest.approx((1, 2.5, 2.5))
    lower = friedman(table_of(scores, folds=3, higher=False))
    assert lower.mean_ranks == pytest.approx((3, 1.5, 1.5))


def test_folds_that_rank_all_alike_are_judged_by_nemenyi_and_three_prove_nothing():
    three = table_of([[0.9, 0.8, 0.7], [0.8, 0.71, 0.6], [0.7, 0.6, 0.52]], folds=3)
    scale = math.sqrt(3 * 4 / (6 * 3)) / math.sqrt(2)
    wanted = [stats.studentized_range.sf(d / scale, 3, np.inf) for d in (1, 2, 1)]

    assert [pair.p for pair in conover(three)] == pytest.approx(wanted)
    assert conover(three)[0].p > 0.4
    many = table_of(np.tile(three.scores, 8) + np.arange(24) / 1000, folds=3)
    assert conover(many)[0].p < 0.01


def test_the_critical_difference_is_demsars_and_joins_what_is_closer():
    """q of 4 models at 0.05 is 2.569 (Demšar 2006, table 5)."""
    ranks = np.array([[1, 2, 3, 4]] * 13 + [[2, 1, 4, 3]] * 12).T
    found = friedman(table_of(-ranks, MODELS))

    assert found.critical_difference == pytest.approx(2.569 * math.sqrt(20 / 150), abs=1e-3)
    assert found.cliques == (("gin", "gcn"), ("WL-SVM", "majority"))


def test_models_that_tie_everywhere_are_one_clique_with_p_one():
    found = friedman(table_of([[0.5] * 5] * 3))

    assert (found.statistic, found.p, found.mean_ranks) == (0, 1, (2, 2, 2))
    assert found.cliques == (("m0", "m1", "m2"),)


def test_the_median_interval_is_made_of_order_statistics_that_hold_their_chance():
    """25 folds, 3 pairs: leaving out 5 at either end errs with 2 · P(B ≤ 5) = 0.0041 < 0.05/3."""
    table = drawn(0, (0.02, 0.0, -0.01))
    gaps = np.sort(table.scores[0] - table.scores[1])
    pair = median_pairs(table)[0]
    k = max(k for k in range(12) if 2 * stats.binom.cdf(k, 25, 0.5) <= 0.05 / 3)

    assert (pair.low, pair.high) == pytest.approx((gaps[k], gaps[24 - k]))
    assert median_pairs(table_of(table.scores[:, :5]))[0][3:5] == (None, None)


# --- the verdict ----------------------------------------------------------------------------


@pytest.mark.parametrize("n_models", [2, 4])
def test_pure_noise_names_no_winner_in_ninety_of_a_hundred(n_models):
    named = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        noise = 0.8 + rng.normal(0, 0.03, 25) + rng.normal(0, 0.01, (n_models, 25))
        named += compare_models(table_of(noise)).winner is not None

    assert named <= 10


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("higher", [False, True])
def test_a_planted_difference_is_found_by_means_and_by_ranks(spoilt, higher):
    scores = drawn(3, (0.0, 0.05, 0.0, -0.01)).scores
    if spoilt:
        scores[3, 4] -= 0.1
    found = compare_models(
        table_of(scores if higher else 1 - scores, MODELS, higher=higher), smallest_difference=0.02
    )

    assert found.method == ("ranks" if spoilt else "parametric")
    assert (found.winner, found.best_group) == ("gcn", ("gcn",))
    if not spoilt:
        assert found.confirmed
        assert found.words.endswith("gcn wins. The corrected t test, which allows for shared "
                                    "training rows, agrees.")  # fmt: skip


def test_a_lead_that_may_be_less_than_what_matters_wins_nothing():
    table = drawn(3, (0.0, 0.05, 0.0, -0.01))
    found = compare_models(table, smallest_difference=0.05)

    assert found.best_group == ("gcn",)
    assert found.winner is None
    assert "perhaps no more than 0.05: no winner is named" in found.words


def test_models_that_are_not_separated_are_named_with_the_best():
    found = compare_models(drawn(1, (0.05, 0.049, 0.0, -0.05)))

    assert set(found.best_group) == {"gin", "gcn"}
    assert found.winner is None
    assert "It is not separated from" in found.words
    assert "within noise, so no winner is named" in found.words


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_leader_the_corrected_test_does_not_separate_wins_nothing(spoilt):
    scores = drawn(0, (0.009, 0.0, 0.0)).scores
    if spoilt:
        scores[0] = scores[1:].max(0) + 0.001
        scores[0, 3] += 0.4
    found = compare_models(table_of(scores, MODELS[:3]))

    assert found.method == ("ranks" if spoilt else "parametric")
    assert found.best_group == ("gin",)
    assert found.confirmed is False
    assert found.winner is None
    judge = "Ranks separate" if spoilt else "Tukey's test separates"
    assert f"{judge} them, the corrected t test, which allows for" in found.words
    assert found.words.endswith("): no winner is named.")
    assert " wins" not in found.words


@pytest.mark.parametrize("seed", range(20))
def test_whoever_wins_is_separated_from_all_by_the_corrected_test_as_well(seed):
    gains = np.random.default_rng(seed).uniform(0, 0.03, 4)
    found = compare_models(drawn(seed, gains))
    alone = found.best_group[0]
    apart = all(pair.p < 0.05 for pair in found.corrected if alone in pair[:2])

    assert found.confirmed in (None, apart)
    assert found.winner == (alone if found.confirmed else None)


def test_two_models_are_judged_by_the_corrected_t_test():
    table = drawn(0, (0.03, 0.0))
    found = compare_models(table)

    assert found.method == "corrected t"
    assert found.pairs == found.corrected
    assert found.pairs[0][2:] == pytest.approx(compare(*table.scores, 5))
    assert found.winner == "gin"


def test_a_best_mean_that_owes_all_to_one_fold_is_not_ahead_of_those_that_rank_better():
    """gin is last on 24 folds and far ahead on one; ranks separate it, the wrong way round."""
    scores = drawn(0, (0.0, 0.02, -0.02)).scores - [[0.03], [0], [0]]
    scores[0, 0] += 2
    found = compare_models(table_of(scores, MODELS[:3]))

    assert found.method == "ranks"
    assert found.best_group[0] == "gin"
    assert "gcn" in found.best_group
    assert found.winner is None


def test_too_few_folds_for_an_interval_name_no_winner_and_say_so():
    """One fold of five would have to be left out at either end with chance 1/16 > 0.05/6."""
    mixed = [[0.6, 0.5, 0.4, 0.6, 0.5], [0.4, 0.6, 0.5, 0.5, 0.4], [0.5, 0.4, 0.6, 0.4, 0.6]]
    found = compare_models(table_of([[0.9] * 5, *mixed]))

    assert found.method == "ranks"
    assert found.best_group == ("m0",)
    assert found.winner is None
    assert "but so few folds give no interval of its lead: no winner is named." in found.words
    assert found.to_json()["pairs"][0]["low"] is None


def test_pairs_are_not_separated_by_ranks_where_friedmans_test_finds_nothing():
    quarters = [[0, 3, 2, 0, 3], [1, 0, 0, 1, 1], [2, 1, 3, 1, 2], [0, 0, 0, 0, 1]]
    found = compare_models(table_of(np.array(quarters) / 4))

    assert found.method == "ranks"
    assert found.ranks.p > 0.05 > min(pair.p for pair in found.pairs)
    assert set(found.best_group) == set(found.table.models)


def test_of_equal_means_the_better_ranked_stands_first_then_the_first_by_name():
    scores = [[0.9, 0.2, 0.4], [0.5, 0.6, 0.4], [0.6, 0.5, 0.3]]
    same = [[0.5, 0.6, 0.4], [0.5, 0.6, 0.4], [0.4, 0.5, 0.4]]

    assert compare_models(table_of(scores, ("c", "b", "a"), folds=3)).best_group[0] == "b"
    assert compare_models(table_of(same, ("c", "b", "a"), folds=3)).best_group[0] == "b"


@pytest.mark.parametrize("table", [drawn(), tied(), drawn(0, (0.03, 0.0))])
def test_the_order_of_models_and_folds_changes_no_verdict(table):
    rng = np.random.default_rng(0)
    models, folds = rng.permutation(len(table.models)), rng.permutation(25)
    names = tuple(table.models[m] for m in models)
    one, other = (
        compare_models(t) for t in (table, table_of(table.scores[np.ix_(models, folds)], names))
    )

    assert other.words == one.words
    assert (other.best_group, other.winner, other.method) == (
        one.best_group,
        one.winner,
        one.method,
    )
    assert other.ranks.cliques == one.ranks.cliques
    for a, b in ((one.pairs, other.pairs), (one.corrected, other.corrected)):
        assert unordered(b) == pytest.approx(unordered(a), abs=1e-9)


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (6, 5), (4, 10)])
@pytest.mark.parametrize("seed", range(5))
def test_every_comparison_is_finite_json_with_its_parts_in_agreement(shape, seed):
    rng = np.random.default_rng(seed)
    table = table_of(rng.binomial(9, 0.8, shape) / 9, folds=shape[1])
    told = json.loads(json.dumps(compare_models(table).to_json(), allow_nan=False))

    assert [model["name"] for model in told["models"]] == list(table.models)
    assert len(told["pairs"]) == len(told["corrected_pairs"]) == math.comb(shape[0], 2)
    assert told["winner"] in (None, told["best_group"][0])
    assert told["winner"] is None or len(told["best_group"]) == 1
    assert told["interval"].startswith("95 % ")
    for pair in told["pairs"]:
        assert 0 <= pair["p"] <= 1
        assert pair["low"] is None or pair["low"] <= pair["high"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"alpha": 0}, "alpha: 0 is no chance"),
        ({"alpha": math.nan}, "alpha: nan"),
        ({"smallest_difference": -0.1}, "smallest_difference: -0.1"),
        ({"smallest_difference": math.nan}, "smallest_difference: nan"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ComparisonError, match=said):
        compare_models(drawn(), **settings)


def test_importing_the_comparison_loads_no_statistics():
    script = "import sys, kekule.evaluation.model_comparison; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert not {"scipy.stats", "statsmodels", "scikit_posthocs"} & set(done.stdout.split())


def unordered(pairs):
    """Numbers of pairs by their names, whichever way round and in whatever order."""
    found = {}
    for one, other, mean, low, high, p in pairs:
        sign = 1 if one < other else -1
        ends = sorted(sign * end for end in (low, high)) if low is not None else ()
        found |= {(*sorted((one, other)), k): v for k, v in enumerate((sign * mean, *ends, p))}
    return found
