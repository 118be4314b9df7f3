"""Each kind of protocol tests the rows it says, and a nested one chooses without them."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from kekule import KekuleError
from kekule._errors import RecipeError
from kekule.data import NEVER_TESTED, Split, SplitInputs, make_split
from kekule.data.splits.dealing import group_holdout
from kekule.data.splits.random_rows import random_holdout
from kekule.evaluation import (
    FINAL,
    METRICS,
    NETWORK,
    FoldError,
    FoldInputs,
    FoldTask,
    cross_validate,
    folds,
    out_of_fold,
    parallel,
    read_recipe,
    run_fold,
    scores_json,
    shipped,
    split_rows,
    tasks_of,
)
from kekule.evaluation.nested import (
    best_of,
    grid_of,
    inner_parts,
    n_trainings,
    recipe_at,
    run_nested,
)
from kekule.features import PackedGraphs
from kekule.models import build_network, set_weights
from kekule.workflow import train
from kekule.workflow.fold_store import FoldFolder
from kekule.workflow.prepare import prepare
from kekule.workflow.progress import FoldProgress

QUICK = (
    *("model=gcn", "model.hidden=8", "train.epochs=3", "train.batch_size=16"),
    *("protocol.baselines=[majority]", "protocol.seeds=1"),
)
GRID = "protocol.grid={model.hidden: [4, 8], train.learning_rate: [0.01, 0.001]}"
NESTED = ("protocol.kind=nested", GRID, "protocol.folds=3", "protocol.final_runs=2")
GROUPS = np.arange(60) // 4  # fifteen series of four molecules
TASK = FoldTask(NETWORK, 0, 1)


@pytest.fixture(scope="module")
def made(packed_mutag, mutag_targets):
    """Sixty molecules under a recipe."""

    def make(*overrides, split=None, n_rows=60, **changes):
        recipe = read_recipe(overrides=[*QUICK, *overrides])
        given = {
            "graphs": packed_mutag.take(np.arange(n_rows)),
            "targets": mutag_targets[:n_rows],
            "n_classes": 2,
            "recipe": recipe,
            "splits": {} if split is None else dict.fromkeys(recipe.seeds, split),
        }
        return FoldInputs(**given | changes)

    return make


@pytest.fixture(scope="module")
def nested(made):
    inputs = made(*NESTED)
    return inputs, cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)


# One test set


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_holdout_of_rows_has_its_share_of_every_class(seed, share):
    codes = np.random.default_rng(seed).choice(3, 200, p=[0.6, 0.3, 0.1])[:, None]
    tested = random_holdout(codes, share, seed=seed)

    for label in range(3):
        of_class = codes[:, 0] == label
        assert abs(tested[of_class].sum() - share * of_class.sum()) <= 0.5
    assert not np.array_equal(tested, random_holdout(codes, share, seed=seed + 1))
    np.testing.assert_array_equal(tested, random_holdout(codes, share, seed=seed))


@pytest.mark.parametrize("seed", range(20))
def test_a_holdout_of_groups_parts_none_and_misses_its_share_by_less_than_the_largest(seed):
    rng = np.random.default_rng(seed)
    groups = np.unique(rng.geometric(0.05, 300), return_inverse=True)[1]
    codes = rng.integers(-1, 2, (300, 2))
    tested = group_holdout(codes, groups, 0.2, seed=seed)

    assert 0 < tested.sum() < 300
    assert set(groups[tested]).isdisjoint(groups[~tested])
    assert abs(tested.sum() - 60) < np.bincount(groups).max()


def test_a_single_group_cannot_be_held_out():
    with pytest.raises(KekuleError, match=r"4 rows in 1 group\(s\) have no part to hold out"):
        group_holdout(np.zeros((4, 1), int), np.zeros(4, int), 0.2, seed=0)


def test_a_holdout_by_group_keeps_groups_whole_on_all_three_sides(made):
    column = [str(group) for group in GROUPS]
    codes = made().targets[:, None]
    inputs = SplitInputs(codes, rows=np.arange(60), n_source=60, column=column)
    splits = [make_split("group", inputs, seed=k, test=0.2, holdout=True) for k in (0, 1)]

    assert splits[0].n_folds == 1
    assert splits[0].description.startswith("one test set of 12 rows (20.0%); 15 groups")
    assert not np.array_equal(splits[0].fold, splits[1].fold)
    parts = split_rows(made("protocol.kind=holdout", split=splits[0]), FoldTask(NETWORK, 0, 0))
    assert sum(map(len, parts)) == 60
    assert sum(len(set(GROUPS[rows].tolist())) for rows in parts) == 15


def test_a_holdout_of_a_graph_set_is_the_same_with_and_without_a_split_made_before():
    recipe = read_recipe(overrides=["protocol.kind=holdout", "protocol.test=0.3"])
    inputs = prepare(recipe).inputs
    bare = replace(inputs, splits={})

    tested = []
    for seed in recipe.seeds:
        parts = split_rows(inputs, FoldTask(NETWORK, seed, 0))
        for given, rows in zip(parts, split_rows(bare, FoldTask(NETWORK, seed, 0)), strict=True):
            np.testing.assert_array_equal(given, rows)
        tested.append(set(parts[2].tolist()))
        assert sum(map(len, parts)) == 188
    assert [len(rows) for rows in tested] == [57, 57, 57]  # 19 of 63 and 38 of 125
    assert tested[0] != tested[1] != tested[2]
    assert inputs.n_folds == bare.n_folds == 1


def test_the_interval_of_test_sets_that_differ_is_that_of_nadeau_and_bengio(made):
    """Variance times 1/J + tested/trained, which are 3 to 7 here."""
    inputs = made("protocol.kind=holdout", "protocol.test=0.3", "protocol.seeds=4")
    results = cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)
    scores = scores_json(results, inputs)
    values = np.array(scores["metrics"]["brier"]["folds"])
    reach = np.sqrt((1 / 4 + 3 / 7) * values.var(ddof=1)) * student.ppf(0.975, 3)
    ours = scores["metrics"]["brier"]

    assert len(values) == len(scores["baselines"]["majority"]["brier"]["folds"]) == 4
    assert (ours["low"], ours["high"]) == pytest.approx(
        (max(values.mean() - reach, 0), min(values.mean() + reach, 2))
    )
    assert scores["protocol"]["kind"] == "holdout"
    assert scores["protocol"]["folds"] == 1
    assert "one test set" not in scores["verdict"]


def test_one_test_set_alone_has_an_interval_over_its_rows_of_one_metric(made):
    inputs = made("protocol.kind=holdout")
    results = cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)
    scores = scores_json(results, inputs)

    assert scores["metrics"]["brier"]["low"] is None
    assert "over the rows of the single test set" in scores["protocol"]["interval"]
    assert "on one test set" in scores["verdict"]


def test_repeated_is_five_times_five_folds_each_row_tested_once_a_seed(made):
    recipe = read_recipe(overrides=["protocol.kind=repeated", "protocol.baselines=[]"])
    tasks = [task for task in tasks_of(recipe) if task.fold != FINAL]
    inputs = replace(made(), recipe=recipe)

    assert Counter(task.seed for task in tasks) == dict.fromkeys(range(5), 5)
    tested = Counter(row for task in tasks for row in split_rows(inputs, task)[2].tolist())
    assert set(tested.values()) == {5}
    assert len(tested) == 60


# Splits of others


def test_the_ten_published_folds_of_nci1_are_tested_and_validated_as_published(data_root):
    path = data_root / "splits" / "CHEMICAL_NCI1_splits.json"
    given = ["protocol.kind=given", f"protocol.file={path}"]
    recipe = read_recipe(overrides=[f"data={data_root / 'tu' / 'NCI1'}", *given])
    inputs = prepare(recipe).inputs
    published = json.loads(path.read_text())

    assert inputs.n_folds == len(published) == 10
    for fold, entry in enumerate(published):
        inner = entry["model_selection"][0]
        lists = (inner["train"], inner["validation"], entry["test"])
        found = split_rows(inputs, FoldTask(NETWORK, 0, fold))
        for rows, told in zip(found, lists, strict=True):
            assert rows.tolist() == sorted(told)


def test_the_scaffold_split_of_ogb_is_taken_from_its_file(data_root):
    path = data_root / "splits" / "molhiv_scaffold.csv"
    told = pd.read_csv(path)
    codes = pd.read_csv(data_root / "moleculenet" / "HIV.csv")["HIV_active"].to_numpy()[:, None]
    rows = np.arange(len(codes))
    split = make_split("given", SplitInputs(codes, rows=rows, n_source=len(rows), file=path))

    part = told.set_index("index")["split"].str.lower()
    tested = part.index[part == "test"]
    np.testing.assert_array_equal(np.flatnonzero(split.fold == 0), np.sort(tested))
    held = part.index[part.isin(["valid", "validation"])]
    np.testing.assert_array_equal(split.validation[0], np.sort(held))
    assert split.n_folds == 1


def test_the_parts_of_tdc_are_a_column(data_root, tmp_path):
    parts = {}
    for name in ("train", "test"):
        path = next((data_root / "tdc").glob(f"[hH][eE][rR][gG]_{name}.csv"))
        parts[name] = pd.read_csv(path, dtype=str)[["Drug", "Y"]].iloc[:60].assign(set=name)
    table = pd.concat(parts.values(), ignore_index=True)
    table.to_csv(tmp_path / "herg.csv", index=False)
    recipe = read_recipe(
        overrides=[
            *(f"data={tmp_path / 'herg.csv'}", "smiles=Drug", "target=Y"),
            *("protocol.kind=given", "protocol.column=set", "protocol.baselines=[]"),
        ]
    )
    prepared = prepare(recipe, cache=tmp_path / "cache")
    fold = np.full(len(table), NEVER_TESTED)
    fold[prepared.usable] = prepared.inputs.splits[0].fold

    usable = np.isin(np.arange(len(table)), prepared.usable)
    tested = (table["set"] == "test").to_numpy()
    assert usable.sum() > 100
    np.testing.assert_array_equal(fold == 0, tested & usable)


# Choice inside, estimate outside


def test_nothing_of_a_test_row_reaches_the_choice_or_the_weights(made):
    """The leak test: other classes and atoms in the test rows, the same choice and bits."""
    fold = np.arange(60) % 3
    split = Split("given", "as given", 3, fold)
    alone = [*NESTED, "protocol.final_runs=1", "protocol.refit=false", "protocol.inner=2"]
    honest = made(*alone, split=split)
    graphs, test = honest.graphs, np.flatnonzero(fold == 0)
    nodes, targets = graphs.nodes.copy(), honest.targets.copy()
    in_test = np.isin(graphs.graph_of_node, test)
    nodes[in_test] = (nodes[in_test] + 1) % 7
    targets[test] = 1 - targets[test]
    changed = replace(
        honest, graphs=PackedGraphs(**vars(graphs) | {"nodes": nodes}), targets=targets
    )
    task = shipped(honest.recipe)
    ours, theirs = (run_nested(inputs, task) for inputs in (honest, changed))

    assert task.fold == 0
    np.testing.assert_array_equal(ours.rows, test)
    np.testing.assert_array_equal(ours.inner_scores, theirs.inner_scores)
    assert ours.chosen == theirs.chosen
    assert ours.weights.keys() == theirs.weights.keys() != set()
    for name, values in ours.weights.items():
        np.testing.assert_array_equal(values, theirs.weights[name], err_msg=name)
    assert not np.allclose(ours.probabilities, theirs.probabilities)  # they were changed


def test_the_choice_is_shown_no_target_of_a_test_row(monkeypatch, made):
    shown = []
    original = folds.fit

    def fit(network, graphs, targets, **kwargs):
        shown.append(targets)
        return original(network, graphs, targets, **kwargs)

    monkeypatch.setattr(folds, "fit", fit)
    inputs = made(*NESTED)
    run_nested(inputs, TASK)

    assert len(shown) == n_trainings(inputs.recipe, TASK) == 6
    for targets in shown:
        np.testing.assert_array_equal(targets[split_rows(inputs, TASK)[2]], -1)


@pytest.mark.parametrize("inner", [1, 2, 4])
@pytest.mark.parametrize("fold", [FINAL, 0, 2])
@pytest.mark.parametrize("grouped", [False, True])
def test_inner_parts_share_out_the_training_rows_and_whole_groups(made, inner, fold, grouped):
    split = Split("group", "series", 3, GROUPS % 3, GROUPS) if grouped else None
    inputs = made(*NESTED, f"protocol.inner={inner}", split=split)
    task = FoldTask(NETWORK, 0, fold)
    train_, held, test = split_rows(inputs, task)
    rows = np.union1d(train_, held)
    parts = inner_parts(inputs, task)

    assert len(parts) == inner
    for learnt, chosen_by in parts:
        np.testing.assert_array_equal(np.sort(np.concatenate([learnt, chosen_by])), rows)
        assert not np.isin(chosen_by, test).any()
        assert len(chosen_by) > 0
        if grouped:
            assert set(GROUPS[learnt]).isdisjoint(GROUPS[chosen_by])
    if inner > 1:
        together = np.concatenate([chosen_by for _, chosen_by in parts])
        np.testing.assert_array_equal(np.sort(together), rows)


def test_validation_rows_given_with_a_split_choose_the_combination(made):
    held = (np.arange(10), np.arange(5))
    split = Split("given", "as given", 2, np.arange(60) // 20 - 1, validation=held)
    inputs = made(*NESTED, split=split)

    ((learnt, chosen_by),) = inner_parts(inputs, FoldTask(NETWORK, 0, 0))
    np.testing.assert_array_equal(chosen_by, held[0])
    np.testing.assert_array_equal(learnt, np.r_[10:20, 40:60])


def test_inner_folds_that_cannot_be_dealt_are_said_before_anything_is_trained(monkeypatch, made):
    monkeypatch.setattr(parallel, "run_nested", lambda *_, **__: pytest.fail("trained"))
    inputs = made(*NESTED, "protocol.inner=40")
    with pytest.raises(KekuleError, match=r"^protocol\.inner 40: .*too few rows .* for 40 folds"):
        cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)


def test_the_highest_mean_over_the_inner_parts_is_chosen_and_of_equals_the_first():
    assert best_of(np.array([[-0.3, -0.1], [-0.1, -0.2], [-0.15, -0.15]])) == 1
    assert best_of(np.array([[-0.5], [-0.1], [-0.1], [-0.2]])) == 1
    assert best_of(np.array([[-0.1, -0.2], [-0.3 + 0.2, -0.2]])) == 0  # but for rounding equal


def test_the_choice_in_every_fold_is_the_best_of_what_was_measured(nested):
    inputs, results = nested
    grid = grid_of(inputs.recipe)

    assert grid == [
        {"model.hidden": hidden, "train.learning_rate": rate}
        for hidden in (4, 8)
        for rate in (0.01, 0.001)
    ]
    for task, result in results.items():
        if task.model == NETWORK:
            assert result.inner_scores.shape == (4, 1)
            assert len(np.unique(result.inner_scores)) > 1
            assert result.inner_scores[result.chosen] == result.inner_scores.max()


@pytest.mark.parametrize("fold", [FINAL, 0])
def test_a_grid_of_one_combination_and_one_run_is_plain_cross_validation(made, fold):
    one = "protocol.grid={model.hidden: [4], train.learning_rate: [0.01]}"
    inputs = made(*NESTED, one, "protocol.final_runs=1")
    plain = made("model.hidden=4", "train.learning_rate=0.01", "protocol.folds=3")
    task = FoldTask(NETWORK, 0, fold)
    ours, theirs = run_nested(inputs, task), run_fold(plain, task)

    for name in ("rows", "labels", "probabilities", "train_loss", "validation_loss"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert (ours.best_epoch, ours.chosen) == (theirs.best_epoch, 0)
    for name, values in theirs.weights.items():
        np.testing.assert_array_equal(ours.weights[name], values)


def test_the_answer_of_a_fold_is_the_mean_of_runs_that_differ(nested):
    _, results = nested
    for task, result in results.items():
        if task.model == NETWORK and task.fold != FINAL:
            first, second = result.run_probabilities
            assert not np.allclose(first, second)
            np.testing.assert_allclose(result.probabilities, (first + second) / 2)
            np.testing.assert_array_equal(result.labels, result.probabilities.argmax(-1))


def test_the_model_of_all_rows_is_one_of_the_chosen_combination(nested):
    inputs, results = nested
    final = results[FoldTask(NETWORK, 0, FINAL)]
    ours = recipe_at(inputs.recipe, grid_of(inputs.recipe)[final.chosen])
    set_weights(build_network(inputs.graphs.schema, 2, ours.model, seed=0), final.weights)

    assert final.run_probabilities.shape == (1, 0, 2)
    assert len(final.rows) == 0


def test_scores_tell_the_choice_of_every_fold_and_which_mean_is_which(nested):
    inputs, results = nested
    scores = json.loads(json.dumps(scores_json(results, inputs), allow_nan=False))
    told, accuracy = scores["nested"], METRICS["accuracy"].compute

    assert [(one["seed"], one["fold"]) for one in told["chosen"]] == [
        (0, None),
        *((0, fold) for fold in (1, 2, 3)),
    ]
    assert told["shipped"] == told["chosen"][0]["combination"]
    for fold in range(3):
        result = results[FoldTask(NETWORK, 0, fold)]
        truth = inputs.targets[result.rows]
        runs = [accuracy(truth, p.argmax(-1), p) for p in result.run_probabilities]
        assert told["run_scores"]["accuracy"][fold] == pytest.approx(runs)
        assert told["mean_of_scores"]["accuracy"]["folds"][fold] == pytest.approx(np.mean(runs))
        ours = accuracy(truth, result.labels, result.probabilities)
        assert scores["metrics"]["accuracy"]["folds"][fold] == pytest.approx(ours)
        assert told["chosen"][fold + 1]["combination"] == grid_of(inputs.recipe)[result.chosen]
    assert told["meaning"].keys() >= {"metrics", "mean_of_scores", "inner_scores"}
    said = scores["protocol"]["description"]
    assert said.endswith("rows chose one of 4 combinations, trained anew 2 time(s)")


def test_baselines_answer_on_the_outer_folds_as_ever(made, nested):
    _, results = nested
    plain = made("protocol.folds=3")
    for fold in range(3):
        task = FoldTask("majority", 0, fold)
        ours, theirs = results[task], run_fold(plain, task)
        np.testing.assert_array_equal(ours.rows, theirs.rows)
        np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)
    fold, *_ = out_of_fold(results, NETWORK, 0, 60)
    assert (fold >= 0).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_several_tasks_and_three_classes_can_be_nested(made, n_classes):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, n_classes, 60)
    if n_classes == 2:
        targets = np.stack([targets, np.where(rng.random(60) < 0.3, -1, 1 - targets)], axis=1)
    inputs = made(
        *(*NESTED, "protocol.folds=2", "protocol.inner=2", "protocol.grid={model.hidden: [4, 8]}"),
        targets=targets,
        n_classes=n_classes,
        tasks=("a", "b") if n_classes == 2 else (),
    )
    results = cross_validate(inputs, Store(), processes=1, on_progress=lambda word: None)
    scores = json.loads(json.dumps(scores_json(results, inputs), allow_nan=False))

    assert len(scores["nested"]["run_scores"]["brier"]) == 2
    assert scores["nested"]["mean_of_scores"]["brier"]["mean"] > 0


# Stopped, broken, watched


def test_a_nested_fold_is_kept_whole_and_not_run_again(monkeypatch, tmp_path, nested):
    inputs, results = nested
    store, ran = FoldFolder(tmp_path), []
    kept = [FoldTask(NETWORK, 0, FINAL), FoldTask(NETWORK, 0, 1)]
    for task in kept:
        store.put(task, results[task])
    original = parallel.run_nested
    monkeypatch.setattr(
        parallel,
        "run_nested",
        lambda inputs, task, **k: ran.append(task) or original(inputs, task, **k),
    )
    again = cross_validate(inputs, store, processes=1, on_progress=lambda word: None)

    assert ran == [FoldTask(NETWORK, 0, 0), FoldTask(NETWORK, 0, 2)]
    for task, result in results.items():
        assert again[task].chosen == result.chosen
        for name in ("probabilities", "inner_scores", "run_probabilities", "train_loss"):
            np.testing.assert_array_equal(getattr(again[task], name), getattr(result, name))
    assert scores_json(again, inputs) == scores_json(results, inputs)


def test_an_error_in_an_inner_training_stops_the_run_and_names_the_fold(monkeypatch, made):
    fits = []
    original = folds.fit

    def fit(*args, **kwargs):
        fits.append(args)
        if len(fits) == 6 + 5 + 2:  # the second training of the second outer fold
            raise ZeroDivisionError("no rows")
        return original(*args, **kwargs)

    monkeypatch.setattr(folds, "fit", fit)
    store = Store()
    with pytest.raises(FoldError, match=r"^network, seed 0, fold 2 failed: ZeroDivisionError: "):
        cross_validate(made(*NESTED), store, processes=1, on_progress=lambda word: None)
    assert list(store) == [FoldTask(NETWORK, 0, FINAL), FoldTask(NETWORK, 0, 0)]


def test_the_bar_counts_every_training_of_a_nested_run(made):
    inputs = made(*NESTED, "protocol.inner=2")
    tasks = tasks_of(inputs.recipe)
    words, seen = Counter(), []

    def trainings(task):
        return n_trainings(inputs.recipe, task)

    with FoldProgress("gcn", tasks, 3, show=False, trainings=trainings) as bar:
        line = bar.bar.tasks[0]

        def hear(word):
            words[word.task] += 1
            bar.on_progress(word)
            seen.append(line.completed)

        cross_validate(inputs, Store(), processes=1, on_progress=hear, on_result=bar.on_result)
        assert line.completed == line.total == 3 * (9 + 3 * 10) + 3 * bar.BASELINE_COST
    assert seen == sorted(seen)
    assert words == {task: 3 * trainings(task) for task in tasks if task.model == NETWORK}


def test_a_nested_run_ships_what_it_chose_and_its_curves_are_those_of_that(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "kekule.workflow.training.report", lambda files: (files / "report.html").write_text("")
    )
    given = ["data=MUTAG", *QUICK, *NESTED, "train.epochs=2", "protocol.final_runs=1"]
    given += ["protocol.grid={model.hidden: [4, 6], train.epochs: [2, 4]}"]
    run = train(None, given, out=tmp_path / "run", processes=1, audit=False)
    bundle = json.loads((run.path / "bundle" / "bundle.json").read_text())
    chosen = run.scores["nested"]["shipped"]
    curves = pd.read_csv(run.path / "curves.csv")

    assert bundle["model"]["hidden"] == chosen["model.hidden"]
    assert run.scores["model"] == bundle["model"]
    assert len(run.model().predict(["Cc1ccc([N+](=O)[O-])cc1"])) == 1
    for one in run.scores["nested"]["chosen"]:
        epochs = curves[curves["fold"] == (one["fold"] or 0)]
        assert epochs["epoch"].tolist() == [*range(1, one["combination"]["train.epochs"] + 1)]
        assert epochs["gradient_norm"].notna().all()
    assert len(pd.read_csv(run.path / "parameters.csv")) > 0
    assert "chose {'model.hidden': " in (run.path / "log.txt").read_text()


class Store(dict):
    """Finished folds in memory."""

    def put(self, task, result):
        self[task] = result


def test_a_recipe_resolved_before_there_were_kinds_is_read(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("protocol: {kind: kfold, split: random, test: 0.2, folds: 10, seeds: 3}")

    assert read_recipe(path).protocol.test is None
    with pytest.raises(RecipeError, match="kfold does not use it"):
        read_recipe(path, ["protocol.test=0.3"])
