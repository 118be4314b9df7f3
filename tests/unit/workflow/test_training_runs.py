"""A run is complete or not there, repeats no finished fold, and costs nobody a file."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kekule import KekuleError
from kekule._errors import OutputError
from kekule.evaluation import METRICS, Recipe, read_recipe, tasks_of
from kekule.workflow import Run, train
from kekule.workflow import training as training_module
from kekule.workflow.fold_store import FoldFolder
from kekule.workflow.run_folder import FILES, PARAMETERS

TIMES = ("created", "seconds", "fold_seconds", "name")
WHOLE = sorted([*FILES, PARAMETERS])


def scores_of(path):
    """What a run scored, without when and how fast; a number JSON does not know is an error."""
    scores = json.loads((path / "scores.json").read_text(), parse_constant=pytest.fail)
    return {key: value for key, value in scores.items() if key not in TIMES}


@pytest.fixture
def never_trained(monkeypatch):
    monkeypatch.setattr(
        training_module, "cross_validate", lambda *_, **__: pytest.fail("a fold was run")
    )


def test_a_run_holds_the_files_of_its_kind_and_nothing_is_left_beside_it(finished_run):
    assert sorted(path.name for path in finished_run.path.iterdir()) == WHOLE
    assert [p.name for p in finished_run.path.parent.iterdir() if p.name.startswith(".")] == []
    assert finished_run.report.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_row_that_cannot_be_trained_on_keeps_its_place(finished_run):
    table = pd.read_csv(finished_run.path / "predictions.csv", keep_default_na=False)
    rejected = pd.read_csv(finished_run.path / "rejected.csv")
    results = ["fold", "prediction", "probability"]

    assert table["row"].tolist() == list(range(12))
    assert table["target"].tolist() == [1, -1] * 6
    assert np.flatnonzero(table["status"] == "invalid").tolist() == [4]
    assert table.loc[4, [*results, *(f"seed1.{name}" for name in results)]].tolist() == [""] * 6
    assert (table.drop(index=4) != "").drop(columns="reason").all(axis=None)
    assert rejected.to_dict("records") == [
        {"row": 4, "status": "invalid", "reason": "the graph has no nodes"}
    ]
    assert finished_run.scores["n_rows"] == 12
    assert finished_run.scores["n_rejected"] == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_the_predictions_fold_by_fold(finished_run, seed):
    table = pd.read_csv(finished_run.path / "predictions.csv").query("status == 'ok'")
    prefix = "seed1." if seed else ""
    right = table[f"{prefix}prediction"] == table["target"]
    by_fold = right.groupby(table[f"{prefix}fold"]).mean().tolist()

    folds = finished_run.scores["metrics"]["accuracy"]["folds"]
    assert folds[2 * seed : 2 * seed + 2] == pytest.approx(by_fold)
    assert finished_run.scores["seed_means"]["accuracy"][seed] == pytest.approx(np.mean(by_fold))


def test_every_score_stands_beside_those_of_the_baselines_with_an_interval(finished_run):
    scores = finished_run.scores
    assert list(scores["baselines"]) == ["majority", "structure-free"]
    for metrics in (scores["metrics"], *scores["baselines"].values()):
        assert list(metrics) == list(METRICS)
        for each in metrics.values():
            assert len(each["folds"]) == 4
            if each["low"] is not None:
                assert each["low"] <= each["mean"] <= each["high"]
    assert scores["verdict"].startswith("gcn gives ")


def test_the_log_names_every_task_once_and_keeps_a_verdict_with_percents(finished_run):
    log = (finished_run.path / "log.txt").read_text(encoding="utf-8")
    recipe = read_recipe(finished_run.path / "recipe.yaml")
    for task in tasks_of(recipe):
        assert log.count(f"{task}: ") == 1
    assert finished_run.scores["verdict"] in log


def test_the_model_of_a_run_answers_as_the_bundle_promises(finished_run):
    manifest = finished_run.model().manifest
    assert manifest["name"] == "run"
    assert manifest["recipe_sha256"] == finished_run.scores["recipe_hash"]
    assert manifest["data_sha256"] == finished_run.scores["data_hash"]
    example = json.loads((finished_run.path / "bundle" / "example.json").read_text())
    assert len(example["probabilities"]) == 4  # two of each class


def test_more_than_two_classes_have_a_probability_each(quick_train, tiny_set, tmp_path):
    run = quick_train(data=tiny_set(classes=(2, 0, -5)), out=tmp_path / "run")
    table = pd.read_csv(run.path / "predictions.csv")
    columns = ["probability_-5", "probability_0", "probability_2"]

    np.testing.assert_allclose(table[columns].sum(axis=1), 1.0)
    best = table[columns].to_numpy().argmax(axis=1)
    assert table["prediction"].tolist() == np.array([-5, 0, 2])[best].tolist()
    assert run.scores["classes"] == ["-5", "0", "2"]


def test_a_recipe_can_be_given_as_a_file_as_an_object_and_with_overrides(
    tiny_set, page_left_blank, tmp_path, finished_run
):
    path = tmp_path / "recipe.yaml"
    shutil.copy(finished_run.path / "recipe.yaml", path)
    data = tiny_set()
    runs = [
        train(
            recipe,
            [f"data={data}", "seed=5", "protocol.seeds=1"],
            out=tmp_path / str(number),
            processes=1,
        )
        for number, recipe in enumerate([path, str(path), read_recipe(path)])
    ]
    assert [run.scores["protocol"]["seeds_used"] for run in runs] == [[5]] * 3
    assert len({run.scores["recipe_hash"] for run in runs}) == 1
    assert runs[0].scores["protocol"]["folds"] == 2


def test_an_override_of_a_recipe_changes_what_it_names_and_nothing_else():
    base = Recipe.model_validate({"train": {"learning_rate": 1e-05}, "model": {"hidden": 7}})
    changed = training_module.recipe_of(base, ["train.epochs=9", "data=PTC_MR"])
    wanted = base.model_dump()
    wanted["data"] = wanted["data"] | {"source": "PTC_MR"}
    wanted["train"] = wanted["train"] | {"epochs": 9}
    assert changed.model_dump() == wanted
    assert training_module.recipe_of(base, ()) is base


@pytest.mark.parametrize("processes", [0, -3])
def test_no_processes_are_refused(quick_train, tmp_path, processes):
    with pytest.raises(KekuleError, match=rf"processes: {processes} folds at once"):
        train(overrides=["data=MUTAG"], out=tmp_path / "run", processes=processes)


def test_a_complete_run_is_given_back_without_training(finished_run, tiny_set, never_trained):
    before = {path: path.stat().st_mtime_ns for path in finished_run.path.rglob("*")}
    again = train(finished_run.path / "recipe.yaml", out=finished_run.path, resume=True)
    assert again == Run(finished_run.path, finished_run.scores)
    assert {path: path.stat().st_mtime_ns for path in finished_run.path.rglob("*")} == before


def test_a_complete_run_is_kept_unless_told_otherwise(finished_run, never_trained):
    with pytest.raises(OutputError, match=r"it is there already.*--overwrite.*--resume"):
        train(finished_run.path / "recipe.yaml", out=finished_run.path)


def test_a_complete_run_of_another_recipe_is_not_given_back(finished_run, never_trained):
    recipe = finished_run.path / "recipe.yaml"
    with pytest.raises(OutputError, match="complete run there has another recipe"):
        train(recipe, ["train.epochs=4"], out=finished_run.path, resume=True)


@pytest.mark.parametrize("option", ["resume", "overwrite", ""])
@pytest.mark.parametrize("files", [["thesis.docx"], ["scores.json"]], ids=str)
def test_a_folder_of_somebody_is_left_as_it_is(
    quick_train, tmp_path, never_trained, files, option
):
    out = tmp_path / "mine"
    out.mkdir()
    for name in files:
        (out / name).write_text("{}")
    with pytest.raises(OutputError, match=r"no (complete )?run of kekule"):
        quick_train(out=out, **{option: True} if option else {})
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(files, "{}")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("missing", FILES)
def test_a_run_that_lost_a_file_is_not_called_complete(
    finished_run, tmp_path, never_trained, missing
):
    out = shutil.copytree(finished_run.path, tmp_path / "run")
    shutil.rmtree(out / missing) if missing == "bundle" else (out / missing).unlink()
    with pytest.raises(OutputError, match=rf"no complete run of kekule \({missing} is missing\)"):
        train(finished_run.path / "recipe.yaml", out=out, resume=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_a_run_with_damaged_scores_is_not_called_complete(finished_run, tmp_path, text):
    out = shutil.copytree(finished_run.path, tmp_path / "run")
    (out / "scores.json").write_text(text)
    with pytest.raises(OutputError, match=r"no complete run of kekule \(scores\.json"):
        train(finished_run.path / "recipe.yaml", out=out, resume=True)


def test_a_run_with_somebodys_notes_in_it_is_not_overwritten(
    finished_run, tmp_path, never_trained
):
    out = shutil.copytree(finished_run.path, tmp_path / "run")
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"'notes\.txt'"):
        train(finished_run.path / "recipe.yaml", out=out, overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"


def test_overwriting_replaces_a_run_by_the_new_one(quick_train, tmp_path):
    old = quick_train(out=tmp_path / "run")
    new = quick_train("seed=3", out=tmp_path / "run", overwrite=True)
    assert new.path == old.path
    assert scores_of(new.path)["protocol"]["seeds_used"] == [3, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "sets"]


@pytest.mark.parametrize("place", ["run", "run/", "new/./run", "a/../run", "läuft gut, é\n"])
def test_a_run_goes_where_it_is_told_to(quick_train, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    run = quick_train(out=place)
    assert run.path == Path(os.path.realpath(tmp_path / place))
    assert sorted(path.name for path in run.path.iterdir()) == WHOLE
    assert [p.name for p in run.path.parent.iterdir() if p.name.startswith(".")] == []


def test_an_empty_folder_is_taken_also_the_one_stood_in(quick_train, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert quick_train(out=".").path == here
    assert (here / "scores.json").exists()


def test_a_link_to_the_place_stays_a_link(quick_train, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk" / "run 7")
    run = quick_train(out=tmp_path / "run")
    assert (tmp_path / "run").is_symlink()
    assert run.path == tmp_path / "disk" / "run 7"
    assert quick_train(out=tmp_path / "run", resume=True).scores == run.scores


def test_links_in_a_circle_are_one_line(quick_train, tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputError, match="cannot be written"):
        quick_train(out=tmp_path / "a")


def test_the_root_of_a_disk_is_no_place_for_a_run(quick_train):
    with pytest.raises(OutputError, match="where a disk begins"):
        quick_train(out="/")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_no_trouble(quick_train, tmp_path):
    run = quick_train(out=f"{tmp_path}/run\udcff")
    assert run.scores["name"] == "run�"
    assert run.model().manifest["name"] == "run�"


def test_without_a_place_a_run_is_named_after_set_and_network(quick_train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert quick_train().path == Path.cwd() / "models" / "tiny-gcn"


class TestAStoppedRun:
    """Stopped after its third fold, by Ctrl-C or by a disk without room."""

    @pytest.fixture(params=["interrupt", "full disk"])
    def stopped(self, request, monkeypatch, quick_train, tmp_path):
        put, kept = FoldFolder.put, []
        end = {
            "interrupt": KeyboardInterrupt(),
            "full disk": OutputError("folds", "cannot be written: No space left", "Make room."),
        }[request.param]

        def put_three(store, task, result):
            if len(kept) == 3:
                raise end
            kept.append(task)
            put(store, task, result)

        with monkeypatch.context() as patch:
            patch.setattr(FoldFolder, "put", put_three)
            with pytest.raises(type(end)):
                quick_train(out=tmp_path / "run")
        return kept

    def test_leaves_nothing_at_its_place_and_says_why_in_its_log(self, stopped, tmp_path):
        assert not (tmp_path / "run").exists()
        log = (tmp_path / ".run.partial" / "run" / "log.txt").read_text()
        assert "stopped by " in log
        assert not (tmp_path / ".run.lock").exists()

    def test_goes_on_with_the_folds_it_has_and_ends_as_if_never_stopped(
        self, stopped, tmp_path, quick_train
    ):
        run = quick_train(out=tmp_path / "run", resume=True)
        whole = quick_train(out=tmp_path / "whole")
        log = (run.path / "log.txt").read_text()

        assert scores_of(run.path) == scores_of(whole.path)
        assert "resumed: 3 finished folds are kept" in log
        assert [log.count(f"{task}: ") for task in stopped] == [1, 1, 1]
        for name in ("predictions.csv", "parameters.csv", "bundle/weights.safetensors"):
            assert (run.path / name).read_bytes() == (whole.path / name).read_bytes()
        curves = [pd.read_csv(path / "curves.csv") for path in (run.path, whole.path)]
        pd.testing.assert_frame_equal(*(table.drop(columns="seconds") for table in curves))

    def test_is_not_gone_on_with_under_another_recipe(self, stopped, tmp_path, quick_train):
        with pytest.raises(OutputError, match="unfinished run there has another recipe"):
            quick_train("seed=9", out=tmp_path / "run", resume=True)
        assert len(FoldFolder(tmp_path / ".run.partial" / "folds")) == 3

    def test_repeats_a_fold_whose_file_was_damaged(self, stopped, tmp_path, quick_train):
        store = FoldFolder(tmp_path / ".run.partial" / "folds")
        store.path(stopped[1]).write_bytes(b"PK\x03\x04")
        run = quick_train(out=tmp_path / "run", resume=True)
        log = (run.path / "log.txt").read_text()
        assert [log.count(f"{task}: ") for task in stopped] == [1, 2, 1]

    def test_starts_anew_without_the_word(self, stopped, tmp_path, quick_train, caplog):
        run = quick_train(out=tmp_path / "run")
        assert "3 folds is discarded" in caplog.text
        assert "resumed" not in (run.path / "log.txt").read_text()


@pytest.mark.parametrize("at", ["predictions_table", "save_bundle", "report"])
def test_a_disk_that_fills_at_the_end_costs_no_fold(quick_train, tmp_path, monkeypatch, at):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "some file")

    with monkeypatch.context() as patch:
        patch.setattr(training_module, at, full)
        with pytest.raises(OutputError, match=r"run: cannot be written: No space.*--resume"):
            quick_train(out=tmp_path / "run")
    assert not (tmp_path / "run").exists()

    run = quick_train(out=tmp_path / "run", resume=True)
    log = (run.path / "log.txt").read_text()
    assert "resumed: 13 finished folds are kept, 0 to run" in log
    assert sorted(path.name for path in run.path.iterdir()) == WHOLE


def test_somebody_who_takes_the_place_meanwhile_keeps_it(quick_train, tmp_path, monkeypatch):
    def slow_page(files):
        (files / "report.html").write_text("")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "mine").write_text("mine")

    with monkeypatch.context() as patch:
        patch.setattr(training_module, "report", slow_page)
        with pytest.raises(OutputError, match="was put there while the run was made"):
            quick_train(out=tmp_path / "run")
    assert (tmp_path / "run" / "mine").read_text() == "mine"

    (tmp_path / "run").rename(tmp_path / "theirs")
    assert quick_train(out=tmp_path / "run", resume=True).path == tmp_path / "run"
