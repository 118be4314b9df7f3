"""What uncertainty is worth is told from rows that nothing was fitted on; what ships, too."""

import csv
import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from kekule.data import Split
from kekule.evaluation import (
    FINAL,
    NETWORK,
    FoldInputs,
    FoldResult,
    FoldTask,
    Recipe,
    tasks_of,
    uncertainty_domain,
)
from kekule.evaluation.conformal import fit_conformal
from kekule.evaluation.coverage import coverage
from kekule.evaluation.domain import fit_domain, measure_worth
from kekule.evaluation.folds import split_rows
from kekule.evaluation.metrics import METRICS
from kekule.evaluation.shares import share
from kekule.evaluation.uncertainty_domain import (
    OFF,
    WIDTHS,
    counts_for_domain,
    domain_of_run,
)
from kekule.evaluation.uncertainty_estimate import estimate_uncertainty, told_of_shipped
from kekule.evaluation.uncertainty_fitting import uncertainty_of_fold, uncertainty_of_shipped
from kekule.evaluation.uncertainty_settings import UncertaintySettings
from kekule.features import composition
from kekule.features.fingerprints import FINGERPRINTS, fingerprints
from kekule.features.wl_folded import wl_folded


@pytest.fixture(scope="module")
def bbbp(data_root):
    """A run on real molecules, its network stood in for by a regression on ECFP."""
    with (data_root / "moleculenet/BBBP.csv").open(encoding="utf-8", newline="") as file:
        table = [(row["smiles"], int(row["p_np"])) for row in csv.DictReader(file)]
    smiles, truth = zip(*table, strict=True)
    found = fingerprints(smiles, ["ecfp"])
    usable = np.array([row.status != "invalid" for row in found.statuses])
    counts, targets = found.values["ecfp"][usable], np.array(truth)[usable]
    inputs = inputs_of(targets, folds=5, seeds=2, tables={"ecfp": counts})
    return run_of(inputs, np.log1p(counts.astype(np.float32))), inputs


@pytest.fixture(scope="module")
def on_mutag(packed_mutag, mutag_targets):
    """A run of ten folds whose validation rows are a dozen and a half."""
    inputs = inputs_of(mutag_targets, graphs=packed_mutag, folds=10, seeds=1)
    return run_of(inputs, composition(packed_mutag)), inputs


def test_sets_hold_the_true_class_of_real_molecules_as_often_as_promised(bbbp):
    told = estimate_uncertainty(*bbbp)

    assert told["conformal"]["confidence"] == [0.8, 0.9]
    for at in told["conformal"]["sets"]:
        for one in (at["overall"], *at["classes"].values()):
            assert one["covered"]["high"] > at["confidence"]
            assert one["covered"]["value"] < at["confidence"] + 0.05
        counts = [one["n"] for one in at["classes"].values()]
        assert sum(counts) == at["overall"]["n"] == 2 * len(bbbp[1].targets)


def test_an_estimate_takes_less_than_a_second_and_is_finite_json(bbbp):
    started = time.process_time()
    told = estimate_uncertainty(*bbbp)

    assert time.process_time() - started < 2  # 0.5 s on a server of 2026
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_coverage_and_scores_are_those_of_each_fold_fitted_on_its_inner_rows(bbbp):
    results, inputs = bbbp
    told = estimate_uncertainty(results, asking(inputs, calibration="platt", confidence=0.95))
    ours = {task: result for task, result in results.items() if task.fold != FINAL}

    sets, truth, after = [], [], []
    for task, result in ours.items():
        conformal = fit_conformal(result.inner_probabilities, inputs.targets[result.inner_rows])
        sets.append(conformal.sets(result.probabilities, 0.95))
        truth.append(inputs.targets[result.rows])
        fitted = uncertainty_of_fold(result, asking(inputs, calibration="platt"), task)
        after.append(fitted.calibrated(result.probabilities))
    wanted = coverage(np.concatenate(sets), np.concatenate(truth))
    after, truth = np.concatenate(after), np.concatenate(truth)
    found = told["conformal"]["sets"][-1]
    assert found["overall"]["covered"]["hits"] == wanted.overall.covered.hits
    assert found["classes"]["0"]["mean_size"] == wanted.classes[0].mean_size
    assert told["calibration"]["folds"] == {"platt": 10}
    for name in ("log_loss", "brier", "ece"):
        score = METRICS[name].compute(truth, after.argmax(1), after)
        assert told["calibration"]["after"][name] == pytest.approx(score, abs=1e-12)
    bins = np.array(told["calibration"]["reliability"]["after"])
    assert bins[:, 2].sum() == len(truth)
    assert (bins[:, 3] <= bins[:, 1]).all()
    assert (bins[:, 1] <= bins[:, 4]).all()


def test_no_class_of_a_test_row_reaches_what_its_fold_was_fitted_with(bbbp):
    results, inputs = bbbp
    inputs = asking(inputs, threshold="recall>=0.9")
    task = FoldTask(NETWORK, 0, 3)
    blind = inputs.targets.copy()
    blind[results[task].rows] = 1 - blind[results[task].rows]
    moved = inputs.targets.copy()
    moved[results[task].inner_rows] = 1 - moved[results[task].inner_rows]

    def fitted(targets):
        return uncertainty_of_fold(results[task], replace(inputs, targets=targets), task).to_json()

    assert fitted(blind) == fitted(inputs.targets)
    assert fitted(moved) != fitted(inputs.targets)


def test_the_same_answers_from_a_second_seed_make_no_interval_narrower(on_mutag):
    results, inputs = on_mutag
    again = {task._replace(seed=1): r for task, r in results.items() if task.fold != FINAL}
    twice = estimate_uncertainty(results | again, asking(inputs, calibration="none"))
    once = estimate_uncertainty(results, asking(inputs, calibration="none"))

    one, two = (told["conformal"]["sets"][1]["overall"] for told in (once, twice))
    assert two["n"] == 2 * one["n"]
    for part in ("covered", "singletons", "empty", "singletons_right"):
        assert {**two[part], "hits": 0, "n": 0} == pytest.approx({**one[part], "hits": 0, "n": 0})
    assert one["covered"] == share(one["covered"]["hits"], one["n"])._asdict()


def test_baselines_and_the_final_model_are_not_read(on_mutag):
    results, inputs = on_mutag
    wanted = estimate_uncertainty(results, inputs)
    odd = {FoldTask("majority", 0, 0): results[FoldTask(NETWORK, 0, 1)]}
    without = {task: result for task, result in results.items() if task.fold != FINAL}

    assert estimate_uncertainty(results | odd, inputs) == wanted
    assert estimate_uncertainty(without, inputs) == wanted


def test_seventeen_validation_rows_say_which_class_is_never_excluded(on_mutag):
    results, inputs = on_mutag
    told = estimate_uncertainty(results, asking(inputs, threshold="mcc", confidence=0.95))

    assert all(10 <= len(r.inner_rows) <= 20 for t, r in results.items())
    assert sum(told["calibration"]["folds"].values()) == 10
    assert set(told["calibration"]["folds"]) <= {"none", "temperature", "platt"}
    assert told["conformal"]["calibration_rows"]["0"] < 9
    at_95 = told["conformal"]["sets"][-1]["classes"]
    assert [at_95[k]["folds_never_excluded"] for k in "01"] == [10, 10]
    assert at_95["0"]["covered"]["value"] == 1
    assert len(told["threshold"]["chosen"]) == 10
    assert told["domain"]["similarity"] == "wl"


def test_scores_at_the_threshold_stand_beside_those_of_the_most_probable_class(bbbp):
    results, inputs = bbbp
    told = estimate_uncertainty(results, asking(inputs, threshold="npv>=0.9"))["threshold"]

    assert told["aim"] == "npv>=0.9"
    assert set(told["scores"]) == set(told["most_probable"])
    labels, truth = [], []
    for task, result in results.items():
        if task.fold != FINAL:
            fitted = uncertainty_of_fold(result, asking(inputs, threshold="npv>=0.9"), task)
            labels.append(fitted.labels(result.probabilities))
            truth.append(inputs.targets[result.rows])
    labels, truth = np.concatenate(labels), np.concatenate(truth)
    assert told["scores"]["npv"] == pytest.approx((truth[labels == 0] == 0).mean())
    assert told["scores"]["recall"] == pytest.approx((labels[truth == 1] == 1).mean())
    assert told["scores"]["npv"] > told["most_probable"]["npv"]


def test_a_part_that_cannot_be_told_says_why_not():
    inputs = asking(inputs_of(np.array([0, 1] * 4), folds=2, seeds=1), domain=False)
    task = FoldTask(NETWORK, 0, 0)
    answers = FoldResult(np.arange(4), np.zeros(4, dtype=int), np.full((4, 2), 0.5))

    told = estimate_uncertainty({task: answers}, inputs)
    assert "no rows with a label" in told["calibration"]["why_not"]
    assert told["domain"] == {"why_not": OFF}
    unlabelled = replace(inputs, targets=np.full(8, -1))
    assert (
        "was tested" in estimate_uncertainty({task: answers}, unlabelled)["conformal"]["why_not"]
    )
    aim = asking(inputs, threshold="f1", domain=False)
    inner = replace(answers, inner_rows=np.array([4, 6]), inner_probabilities=np.eye(2))
    cut = estimate_uncertainty({task: inner}, aim)["threshold"]
    assert cut["chosen"] == [None]
    assert "one class" in cut["why_not"]


def test_three_classes_have_a_line_each_and_no_threshold():
    rng = np.random.default_rng(0)
    given = rng.dirichlet(np.ones(3), 300)
    truth = (rng.random((300, 1)) > given.cumsum(1)).sum(1).clip(0, 2)
    inputs = replace(inputs_of(truth, folds=3), n_classes=3)
    results = {
        FoldTask(NETWORK, 0, fold): FoldResult(
            np.arange(fold, 300, 3),
            given[fold::3].argmax(1),
            given[fold::3],
            inner_rows=np.arange((fold + 1) % 3, 300, 3),
            inner_probabilities=given[(fold + 1) % 3 :: 3],
        )
        for fold in range(3)
    }
    told = estimate_uncertainty(results, asking(inputs, threshold="accuracy", domain=False))

    assert "most probable" in told["threshold"]["why_not"]
    for at in told["conformal"]["sets"]:
        assert list(at["classes"]) == ["0", "1", "2"]
        assert at["overall"]["covered"]["high"] > at["confidence"]
    json.dumps(told, allow_nan=False)


def test_a_task_among_several_is_told_as_it_would_be_alone():
    results, inputs = run_of_tasks(3)
    told = estimate_uncertainty(results, asking(inputs, threshold="f1", domain=False))

    assert list(told["tasks"]) == ["a", "b", "c"]
    for t, name in enumerate("ab"):
        alone = {task: one_task(result, t) for task, result in results.items()}
        single = replace(inputs, targets=inputs.targets[:, t], tasks=())
        wanted = estimate_uncertainty(alone, asking(single, threshold="f1", domain=False))
        assert told["tasks"][name] == {k: wanted[k] for k in told["tasks"][name]}
    assert "no row with a label" in told["tasks"]["c"]["calibration"]["why_not"]


@pytest.mark.parametrize("grouped", [False, True])
def test_a_network_of_all_rows_is_calibrated_by_the_folds_where_they_are_more(bbbp, grouped):
    results, inputs = bbbp
    if grouped:
        groups = np.arange(len(inputs.targets)) // 3
        fold = np.zeros(len(groups), dtype=np.int64)
        inputs = replace(inputs, splits={0: Split("grouped", "threes", 5, fold, groups)})
    final = FoldTask(NETWORK, 0, FINAL)
    off = asking(inputs, domain=False)
    shipped = uncertainty_of_shipped(results, off)
    folds = [r for t, r in results.items() if t.seed == 0 and t.fold != FINAL]

    wanted = fit_conformal(
        np.concatenate([r.probabilities for r in folds]),
        inputs.targets[np.concatenate([r.rows for r in folds])],
    )
    assert "folds of seed 0" in shipped.fitted_on
    assert same_scores(shipped.tasks[0].conformal, wanted)
    few = {final: results[final], FoldTask(NETWORK, 0, 0): none_tested(folds[0])}
    inner = results[final].inner_probabilities, inputs.targets[results[final].inner_rows]
    for found in (uncertainty_of_shipped(few, off), uncertainty_of_shipped(few, off, final)):
        assert "epoch" in found.fitted_on
        assert same_scores(found.tasks[0].conformal, fit_conformal(*inner))


def test_an_ensemble_and_a_shipped_fold_are_calibrated_by_their_own_inner_rows(bbbp):
    results, inputs = bbbp
    off = asking(inputs, domain=False)
    final, first = FoldTask(NETWORK, 0, FINAL), FoldTask(NETWORK, 0, 0)
    ensemble = results | {final: replace(results[final], told="{}")}

    for found, task in (
        (uncertainty_of_shipped(ensemble, off, final), final),
        (uncertainty_of_shipped(results, off, first), first),
    ):
        inner = results[task].inner_probabilities, inputs.targets[results[task].inner_rows]
        assert same_scores(found.tasks[0].conformal, fit_conformal(*inner))


def test_of_a_nested_run_the_answers_of_single_networks_calibrate_the_one_that_is_shipped(bbbp):
    results, inputs = bbbp
    off = asking(inputs, domain=False)
    wanted = uncertainty_of_shipped(results, off)
    nested = {
        task: replace(
            r,
            run_probabilities=np.stack([r.probabilities, r.probabilities[:, ::-1]]),
            probabilities=np.full_like(r.probabilities, 0.5),
        )
        for task, r in results.items()
    }

    assert uncertainty_of_shipped(nested, off).to_json() == wanted.to_json()


def test_the_worth_of_a_domain_is_that_of_the_first_seeds_folds(bbbp):
    results, inputs = bbbp
    counts = inputs.tables["ecfp"]
    folds, right = [], np.zeros(len(counts), dtype=bool)
    for fold in range(5):
        train, held, test = split_rows(inputs, FoldTask(NETWORK, 0, fold))
        folds.append((np.union1d(train, held), test))
        right[test] = results[FoldTask(NETWORK, 0, fold)].labels == inputs.targets[test]

    measured = domain_of_run(results, inputs, source_rows=1000 + np.arange(len(counts)))
    assert measured.domain.worth == measure_worth(counts, right, folds)
    assert measured.domain.threshold == fit_domain(counts).threshold
    assert measured.to_json()["inside"]["n"] + measured.to_json()["outside"]["n"] == len(counts)
    assert measured.domain.flag(counts[[5]]).nearest_row.tolist() == [1005]
    shipped = uncertainty_of_shipped(results, inputs, domain=measured)
    assert shipped.domain is measured.domain
    assert shipped.similarity == "ecfp"


def test_of_several_tasks_a_row_is_wrong_where_it_is_wrong_more_often_than_usual():
    results, inputs = run_of_tasks(2)
    measured = domain_of_run(results, inputs)
    told = measured.to_json()

    missed = np.zeros(len(inputs.targets))
    known = (inputs.targets >= 0).sum(1)
    for task, result in results.items():
        if task.fold != FINAL:
            truth = inputs.targets[result.rows]
            missed[result.rows] = ((result.labels != truth) & (truth >= 0)).sum(1)
    wrong = missed > missed.sum() / known.sum() * known
    assert told["inside"]["hits"] + told["outside"]["hits"] == wrong[known > 0].sum()
    assert told["inside"]["n"] + told["outside"]["n"] == (known > 0).sum()


def test_too_few_rows_have_no_domain_and_say_so(packed_mutag):
    inputs = inputs_of(np.array([0, 1, 0]), graphs=packed_mutag.take(np.arange(3)), folds=3)
    measured = domain_of_run({}, inputs)

    assert measured.domain is None
    assert "k = 3" in measured.to_json()["why_not"]


@pytest.mark.parametrize(("limit", "most"), [("MOST_ROWS", 187), ("LARGEST", 10_000)])
def test_rows_that_no_bundle_could_hold_have_no_domain_and_say_so(
    packed_mutag, mutag_targets, limit, most, monkeypatch
):
    monkeypatch.setattr(uncertainty_domain, limit, most)
    measured = domain_of_run({}, inputs_of(mutag_targets, graphs=packed_mutag, folds=2))

    assert measured.domain is None
    assert re.match(rf"its 188 rows take \d+ bytes, .*{most}", measured.to_json()["why_not"])


def test_a_domain_whose_worth_cannot_be_measured_is_kept_without(packed_mutag, mutag_targets):
    measured = domain_of_run({}, inputs_of(mutag_targets, graphs=packed_mutag, folds=2))

    assert measured.domain.worth is None
    assert measured.to_json() == {"why_not": measured.why_not}
    assert "none is tested" in measured.why_not


def test_molecules_are_compared_by_ecfp_and_other_graphs_by_their_subtrees(bbbp, on_mutag):
    assert counts_for_domain(bbbp[1]).similarity == "ecfp"
    assert counts_for_domain(bbbp[1]).counts is bbbp[1].tables["ecfp"]
    subtrees = counts_for_domain(on_mutag[1])
    assert subtrees.similarity == "wl"
    assert (subtrees.counts != wl_folded(on_mutag[1].graphs)).nnz == 0
    assert subtrees.counts.shape[1] == WIDTHS["wl"]
    assert len(FINGERPRINTS["ecfp"].columns) == WIDTHS["ecfp"]


def test_what_was_shipped_is_told_in_numbers_and_a_sentence(bbbp):
    results, inputs = bbbp
    asked = asking(inputs, calibration="platt", threshold="mcc", domain=False)
    shipped = uncertainty_of_shipped(results, asked)
    told = told_of_shipped(shipped)

    assert told["calibrator"] == "platt"
    assert told["threshold"] == shipped.tasks[0].threshold.value
    assert sum(told["calibration_rows"].values()) == told["rows"] == len(inputs.targets)
    json.dumps(told, allow_nan=False)
    of_tasks = uncertainty_of_shipped(*run_of_tasks(2))
    assert list(told_of_shipped(of_tasks, ("a", "b"))["tasks"]) == ["a", "b"]


def inputs_of(targets, *, graphs=None, folds, seeds=1, tables=None, tasks=()):
    protocol = {"folds": folds, "seeds": seeds, "baselines": ()}
    recipe = Recipe.model_validate({"protocol": protocol})
    made = FoldInputs(graphs, targets, 2, recipe, tables=tables or {}, tasks=tasks)
    return asking(made)


def asking(inputs, **settings):
    """Ask for other settings, whether or not recipes have a section for them."""
    update = {"uncertainty": UncertaintySettings(**settings)}
    return replace(inputs, recipe=inputs.recipe.model_copy(update=update))


def run_of(inputs, features):
    """Results of every network of a run, each a regression on the same rows."""
    results = {}
    for task in tasks_of(inputs.recipe, inputs.n_folds):
        train, held, test = split_rows(inputs, task)
        model = LogisticRegression(max_iter=300, C=0.1).fit(features[train], inputs.targets[train])
        inner, answers = (
            model.predict_proba(features[rows]) if len(rows) else np.zeros((0, 2))
            for rows in (held, test)
        )
        results[task] = FoldResult(
            test, answers.argmax(1), answers, inner_rows=held, inner_probabilities=inner
        )
    return results


def run_of_tasks(n_tasks):
    """A run on drawn rows with gaps; the last of three tasks has no label at all."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 3, (240, WIDTHS["ecfp"])).astype(np.uint8)
    sure = rng.random((240, n_tasks))
    targets = (rng.random(sure.shape) < sure).astype(np.int64)
    targets[rng.random(sure.shape) < 0.3] = -1
    if n_tasks > 2:
        targets[:, 2:] = -1
    inputs = inputs_of(targets, folds=3, tables={"ecfp": counts}, tasks=("a", "b", "c")[:n_tasks])
    answers, results = np.stack([1 - sure, sure], axis=2), {}
    for fold in range(3):
        test, held = np.arange(fold, 240, 3), np.arange((fold + 1) % 3, 240, 6)
        results[FoldTask(NETWORK, 0, fold)] = FoldResult(
            test,
            answers[test].argmax(-1),
            answers[test],
            inner_rows=held,
            inner_probabilities=answers[held],
        )
    fold_of = np.arange(240) % 3
    results[FoldTask(NETWORK, 0, FINAL)] = none_tested(results[FoldTask(NETWORK, 0, 0)])
    return results, replace(inputs, splits={0: Split("given", "every third row", 3, fold_of)})


def one_task(result, t):
    return replace(
        result,
        labels=result.labels[:, t],
        probabilities=result.probabilities[:, t],
        inner_probabilities=result.inner_probabilities[:, t],
    )


def none_tested(result):
    nothing = slice(0, 0)
    return replace(
        result,
        rows=result.rows[nothing],
        labels=result.labels[nothing],
        probabilities=result.probabilities[nothing],
    )


def same_scores(one, other):
    return all(map(np.array_equal, one.calibration, other.calibration))
