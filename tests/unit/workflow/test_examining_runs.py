"""`kekule.examine`: further trainings whose numbers are those of the run's own recipe."""

import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest

from kekule import KekuleError, examine, train
from kekule._errors import DataFileError, OutputError
from kekule.evaluation import METRICS, FoldError, LostFoldError, read_recipe
from kekule.evaluation.error_by_similarity import N_BINS
from kekule.visualization.examination_view import examination_of, scrambled_verdict
from kekule.workflow import convert, examining
from kekule.workflow.examining_plan import (
    Part,
    examined_recipe,
    parts_named,
    plan_examination,
    seconds_of,
)
from kekule.workflow.examining_splits import NO_MOLECULES
from kekule.workflow.examining_words import sentences
from kekule.workflow.reporting import report
from kekule.workflow.run_folder import RunFolder

BASE = ("model=gcn", "model.hidden=8", "train.epochs=2", "protocol.baselines=[majority]")
TINY = ("data=MUTAG", *BASE, "protocol.folds=3", "protocol.seeds=2")
ALL = ("ladder", "curve", "scrambled")


@pytest.fixture(autouse=True, scope="module")
def pages():
    """Spare runs and examinations their pages; undone where a test is about them."""
    with pytest.MonkeyPatch.context() as patch:
        for place in ("training", "examining"):
            patch.setattr(
                f"kekule.workflow.{place}.report",
                lambda files: (files / "report.html").write_text("<html></html>"),
            )
        yield patch


def trained(out, *overrides):
    return train(None, overrides, out=out, processes=1, audit=False).path


@pytest.fixture(scope="module")
def finished(tmp_path_factory, pages):
    """Two seeds on MUTAG, and an examination of everything; not to be written into."""
    path = trained(tmp_path_factory.mktemp("runs") / "mutag", *TINY)
    return path, quick(path).told


@pytest.fixture
def path(finished, tmp_path):
    """That run, not examined yet."""
    copy = tmp_path / "runs" / "run"
    shutil.copytree(finished[0], copy)
    (copy / "examination.json").unlink()
    return copy


@pytest.fixture
def run(tmp_path):
    """Train something else."""
    return lambda *overrides: trained(tmp_path / "runs" / "run", *overrides)


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Write MUTAG's molecules as a table; keep what is computed of them away from the user's."""
    monkeypatch.setenv("KEKULE_CACHE", str(tmp_path / "cache"))
    convert("MUTAG", tmp_path / "assay.csv")
    frame = pd.read_csv(tmp_path / "assay.csv", dtype=str).dropna(subset=["smiles"])
    frame["part"] = np.tile(["0", "1"], len(frame))[: len(frame)]
    frame["year"] = np.arange(len(frame)).astype(str)
    frame.iloc[:120].to_csv(tmp_path / "assay.csv", index=False)
    return f"data={tmp_path / 'assay.csv'}", "target=target"


def quick(run, parts=ALL, **options):
    return examine(run, parts=parts, **{"processes": 1} | options)


def written(run):
    return json.loads((run / "examination.json").read_text(encoding="utf-8"))


def stop_after(monkeypatch, n_folds, error=KeyboardInterrupt):
    """Break an examination off when so many folds have been trained; give what was trained."""
    trained, plain = [], examining.cross_validate

    def cross_validate(inputs, store, *, on_result, **options):
        def counted(task, result):
            on_result(task, result)
            trained.append((store.folder.name, task))
            if len(trained) == n_folds:
                raise error

        return plain(inputs, store, on_result=counted, **options)

    monkeypatch.setattr(examining, "cross_validate", cross_validate)
    return trained


def numbers(told):
    """An examination but for what a clock says."""
    parts = {
        name: {key: v for key, v in part.items() if key not in ("created", "fold_seconds")}
        for name, part in told["parts"].items()
    }
    return told | {"parts": parts}


def test_the_runs_own_split_at_all_its_rows_gives_the_scores_of_the_run(path):
    told = quick(path, ("ladder", "curve"), seeds=2).told
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    ladder = {rung["split"]: rung for rung in told["ladder"]}

    assert told["metric"] == scores["primary"] == "accuracy"
    assert ladder["random"]["primary"] == scores["metrics"]["accuracy"]
    for name, score in scores["baselines"].items():
        assert ladder["random"]["baselines"][name] == score["accuracy"]
    assert told["learning_curve"][-1]["primary"] == scores["metrics"]["accuracy"]
    assert told["learning_curve"][-1]["metrics"]["roc_auc"]["mean"] == pytest.approx(
        scores["metrics"]["roc_auc"]["mean"]
    )


def test_an_examination_is_what_the_page_reads(finished):
    path, found = finished
    told = written(path)
    view = examination_of(told, "none")

    assert found == told
    assert [rung.split for rung in view.ladder] == ["random", "scaffold", "butina"]
    assert view.metric == "accuracy"
    for rung in view.ladder:
        assert len(rung.counts) == N_BINS
        assert sum(rung.counts) == 188
        assert rung.baselines.keys() == {"majority"}
    assert [stage.share for stage in view.learning] == [0.125, 0.25, 0.5, 1.0]
    assert all(0 <= stage.train_primary <= 1 for stage in view.learning)
    assert view.learning[-1].rows == 125
    assert scrambled_verdict(view, lower_is_better=False)
    held = told["scrambled"]["primary"]["low"] <= view.scrambled.chance
    assert told["scrambled"]["holds_chance"] is (
        held and view.scrambled.chance <= told["scrambled"]["primary"]["high"]
    )
    assert told["scrambled"]["chance"] == pytest.approx(125 / 188, abs=0.01)
    assert told["scrambled"]["metrics"].keys() == METRICS.keys()
    assert not list(path.parent.glob(".*"))


def test_graphs_that_are_no_molecules_have_random_alone_and_the_reason(run, tiny_set):
    path = run(*TINY[1:], f"data={tiny_set(per_class=20)}", "protocol.seeds=1")
    found = quick(path, "ladder")

    assert [rung["split"] for rung in found.told["ladder"]] == ["random"]
    assert found.told["parts"]["ladder"]["left_out"] == dict.fromkeys(
        ("scaffold", "butina"), NO_MOLECULES
    )
    assert any("scaffold: the graphs are not known to be molecules" in w for w in found.words)


@pytest.mark.parametrize(
    ("given", "splits", "folds"),
    [
        (("kind=holdout", "test=0.3"), ["random", "scaffold", "butina"], 1),
        (("split=tanimoto-cluster", "folds=2"), ["random", "scaffold", "tanimoto-cluster"], 2),
        (
            ("split=time", "column=year", "test=0.25"),
            ["random", "scaffold", "butina", "time"],
            1,
        ),
        (
            ("kind=nested", "grid={model.hidden: [4, 8]}", "folds=2", "split=random"),
            ["random", "scaffold", "butina"],
            2,
        ),
        (("kind=given", "column=part"), ["random", "scaffold", "butina", "given"], 2),
    ],
)
def test_every_kind_of_protocol_has_its_ladder_and_its_curve(table, run, given, splits, folds):
    path = run(*BASE, *table, "protocol.seeds=1", *(f"protocol.{text}" for text in given))
    told = quick(path, ("ladder", "curve")).told
    rungs = {rung["split"]: rung for rung in told["ladder"]}
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    own = rungs[scores["protocol"]["split"]]
    near = {name: rung["similarity_histogram"]["mean"] for name, rung in rungs.items()}

    assert [*rungs] == splits
    assert near["random"] > near[splits[2]], "clusters lie farther from what was trained on"
    assert "clusters" in rungs[splits[2]]["description"]
    for rung in rungs.values():
        assert len(rung["primary"]["folds"]) == folds
        assert sum(rung["similarity_histogram"]["counts"]) == rung["rows"]
        assert rung["rows"] == pytest.approx(own["rows"], abs=10)
    assert own["primary"] == scores["metrics"]["accuracy"]
    assert told["learning_curve"][-1]["primary"] == own["primary"]
    assert ("single test set" in told["interval"]) == (folds == 1)


def test_an_ensemble_is_examined_with_the_members_its_run_had(table, run):
    auto = ("model=auto", "model.members=[logistic]", "model.inner=2", "protocol.folds=2")
    path = run(*table, *auto, "protocol.seeds=1", "protocol.split=random")
    told = quick(path, "curve").told
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    recipe = examined_recipe(read_recipe(path / "recipe.yaml"), scores, 1)

    assert recipe.model.members == ("logistic",)
    assert recipe.model.inner == scores["ensemble"]["plan"]["inner"] == 2
    assert told["learning_curve"][-1]["primary"] == scores["metrics"]["accuracy"]
    heart = told["learning_curve"][-1]["train_primary"]
    assert heart > told["learning_curve"][-1]["primary"]["mean"]


def test_several_tasks_are_examined_by_the_mean_over_them(table, run, tmp_path):
    frame = pd.read_csv(tmp_path / "assay.csv", dtype=str)
    frame["other"] = np.where(frame["smiles"].str.contains("Cl|F|Br"), "1", "0")
    frame.loc[::5, "other"] = ""
    frame.to_csv(tmp_path / "assay.csv", index=False)
    given = (table[0], "target=[target,other]", "protocol.split=random", "protocol.folds=3")
    path = run(*BASE, *given, "protocol.seeds=1")
    told = quick(path, ("curve", "scrambled")).told
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))

    assert told["metric"] == "roc_auc"
    assert told["scrambled"]["chance"] == pytest.approx(0.5)
    assert told["learning_curve"][-1]["primary"] == scores["metrics"]["roc_auc"]


def test_a_part_that_is_there_is_not_done_again_unless_other_seeds_are_asked(path, monkeypatch):
    first = quick(path, "curve").told
    trained = stop_after(monkeypatch, 10**6)

    assert quick(path, "curve").told == first
    assert trained == []
    both = quick(path, ["scrambled", "curve"]).told
    assert {folder for folder, _ in trained} == {"scrambled"}
    assert both["learning_curve"] == first["learning_curve"]

    more = quick(path, "curve", seeds=2).told
    assert [len(stage["primary"]["folds"]) for stage in more["learning_curve"]] == [6] * 4
    assert (
        more["learning_curve"][-1]["primary"]["folds"][:3]
        == (first["learning_curve"][-1]["primary"]["folds"])
    )
    assert more["scrambled"] == both["scrambled"]
    assert more["parts"]["scrambled"]["seeds"] == 1


@pytest.mark.parametrize("n_folds", [10, 32])
def test_a_stopped_examination_goes_on_from_its_parts_and_folds(
    path, finished, monkeypatch, n_folds
):
    twin, whole = finished

    with monkeypatch.context() as patch:
        before = stop_after(patch, n_folds)
        with pytest.raises(KeyboardInterrupt):
            quick(path)
    kept = written(path) if (path / "examination.json").exists() else {"parts": {}}
    assert len(kept["parts"]) == sum(n_folds >= done for done in (18, 27))
    assert {p.name for p in path.iterdir()} <= {p.name for p in twin.iterdir()}

    with monkeypatch.context() as patch:
        after = stop_after(patch, 10**6)
        assert numbers(quick(path).told) == numbers(whole)
    assert len(before) == n_folds
    assert not set(before) & set(after), "a finished fold was trained again"
    assert len(set(before) | set(after)) == 33
    assert not list(path.parent.glob(".*"))


def test_folds_of_another_run_at_the_same_place_are_not_gone_on_with(path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            quick(path, "curve")
    given = [*TINY, "model.hidden=4"]
    train(None, given, out=path, overwrite=True, processes=1, audit=False)
    trained = stop_after(monkeypatch, 10**6)
    told = quick(path, "curve").told

    assert len(trained) == 12
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    assert told["of"]["recipe"] == scores["recipe_hash"]
    assert (
        told["learning_curve"][-1]["primary"]["folds"]
        == (scores["metrics"]["accuracy"]["folds"][:3])
    )


def test_the_examination_of_another_version_is_made_anew(path, monkeypatch):
    quick(path, "scrambled")
    monkeypatch.setattr(examining, "__version__", "999")
    told = quick(path, "curve").told
    assert told["parts"].keys() == {"curve"}
    assert "scrambled" not in told


@pytest.mark.parametrize("content", ["{", "[]", "null"])
def test_an_examination_that_cannot_be_read_is_made_anew(path, content):
    (path / "examination.json").write_text(content)
    assert quick(path, "scrambled").told == written(path)


def test_an_examined_run_can_be_replaced_as_any_run_can(path):
    quick(path, "scrambled")
    RunFolder(path).check_replaceable()


def test_a_run_whose_data_have_changed_is_not_examined(run, table, tmp_path):
    path = run(*BASE, *table, "protocol.split=random", "protocol.folds=2", "protocol.seeds=1")
    frame = pd.read_csv(tmp_path / "assay.csv", dtype=str)
    frame.iloc[:100].to_csv(tmp_path / "assay.csv", index=False)
    with pytest.raises(DataFileError, match="not those the run was trained on"):
        quick(path)
    assert not (path / "examination.json").exists()


def test_a_run_whose_split_file_has_changed_is_not_examined(run, tmp_path):
    parts = {"test": list(range(0, 60)), "train": list(range(60, 188))}
    (tmp_path / "split.json").write_text(json.dumps(parts))
    given = ("protocol.kind=given", f"protocol.file={tmp_path / 'split.json'}")
    path = run(*BASE, "data=MUTAG", *given, "protocol.seeds=1")
    parts = {"test": list(range(0, 50)), "train": list(range(50, 188))}
    (tmp_path / "split.json").write_text(json.dumps(parts))
    with pytest.raises(DataFileError, match="split is not the one"):
        quick(path)


def test_what_is_no_run_or_is_being_written_is_said(path, tmp_path):
    with pytest.raises(OutputError, match="no complete run"):
        quick(tmp_path / "nothing")
    with RunFolder(path).locked(), pytest.raises(OutputError, match=r"another run .* Wait for it"):
        quick(path)


@pytest.mark.parametrize(
    ("parts", "options", "said"),
    [
        ("lader", {}, "no 'lader'. Did you mean ladder?"),
        ("curve,", {}, "no ''. There are ladder, curve, scrambled."),
        ([], {}, "none is given"),
        ("curve", {"seeds": 0}, "seeds: 0 given"),
        ("curve", {"processes": 0}, "processes: 0 given"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_run_is_read(parts, options, said, tmp_path):
    with pytest.raises(KekuleError) as caught:
        quick(tmp_path, parts, **options)
    assert said in str(caught.value)


def test_parts_are_done_in_their_order_and_once():
    assert parts_named("scrambled, ladder,scrambled") == ("ladder", "scrambled")
    assert parts_named(["curve"]) == ("curve",)


def test_what_the_rows_do_not_allow_is_left_out_with_its_reason(path, monkeypatch):
    plain = examining.cross_validate

    def cross_validate(inputs, store, **options):
        if store.folder.name == "scaffold":
            raise KekuleError("fold 2 has nothing to learn from")
        return plain(inputs, store, **options)

    monkeypatch.setattr(examining, "cross_validate", cross_validate)
    found = quick(path, "ladder")
    assert [rung["split"] for rung in found.told["ladder"]] == ["random", "butina"]
    assert "Not asked: ladder, scaffold: fold 2 has nothing to learn from" in found.words


@pytest.mark.parametrize("error", [FoldError("a bug"), LostFoldError("killed")])
def test_a_bug_or_a_kill_stops_the_examination_and_is_no_reason_to_leave_out(
    path, monkeypatch, error
):
    stop_after(monkeypatch, 4, error)
    with pytest.raises(FoldError) as caught:
        quick(path)
    lost = isinstance(error, LostFoldError)
    assert ("give the same command again" in str(caught.value)) == lost
    assert not (path / "examination.json").exists()


def test_a_full_disk_says_that_the_same_command_goes_on(path, monkeypatch):
    stop_after(monkeypatch, 4, OutputError("folds", "cannot be written", "Use --resume."))
    with pytest.raises(OutputError, match="the same command again: it goes on") as caught:
        quick(path)
    assert "--resume" not in str(caught.value)


def test_the_estimate_is_that_of_the_runs_folds_and_counts_shared_trainings_once(path):
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8")) | {"fold_seconds": 70}
    recipe = examined_recipe(read_recipe(path / "recipe.yaml"), scores, 1)
    planned, _ = plan_examination(recipe, scores, ALL, processes=1, progress=False)
    n_models = 2 * 3 + 1  # folds of both seeds, and the model of all rows

    def folds(n):
        return pytest.approx(70 / n_models * n)

    assert seconds_of(planned[:1], scores) == folds(9)
    assert seconds_of(planned[1:2], scores) == folds(3 * (0.125 + 0.25 + 0.5 + 1))
    assert seconds_of(planned, scores) == folds(9 + 3 * 0.875 + 3)
    assert seconds_of([Part("curve", ())], scores) == 0


def test_it_says_beforehand_how_long_it_takes_where_progress_is_shown(path, capfd):
    capfd.readouterr()
    quick(path, "scrambled", progress=True)
    assert "scrambled: 3 trainings of a fold, under a minute" in capfd.readouterr().err
    quick(path, "curve", progress=False)
    assert capfd.readouterr().err == ""


def summary(mean, low=None, high=None):
    return {"mean": mean, "low": low, "high": high, "folds": [mean]}


def told_of(**changes):
    """Make an examination up."""
    gain = {"from_share": 0.5, "mean": 0.03, "low": 0.01, "high": 0.05, "p": 0.01}
    about = {"seeds": 1, "left_out": {}}
    stages = [{"share": s, "rows": n, "primary": summary(m)} for s, n, m in changes.pop("sizes")]
    ranks = {"roc_auc": summary(0.51, 0.45, 0.57)}
    return {
        "metric": "accuracy",
        "parts": {"curve": about | {"gain": gain | changes.pop("gain", {})}, "scrambled": about},
        "learning_curve": stages,
        "scrambled": {
            "primary": summary(0.6, 0.55, 0.65),
            "chance": 0.6,
            "holds_chance": True,
            "metrics": ranks,
        }
        | changes,
    }


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ({}, "more rows should help"),
        ({"mean": -0.03, "low": -0.05, "high": -0.01}, "more rows made it worse"),
        ({"low": -0.01}, "no more than noise"),
        ({"p": 0.5}, "no more than noise"),
        ({"p": None}, "more rows should help"),
        ({"low": None, "high": None, "p": None}, "cannot be told from noise"),
    ],
)
def test_words_about_more_rows_go_no_further_than_the_interval(gain, said):
    sizes = [(0.5, 100, 0.8), (1.0, 200, 0.83)]
    assert said in sentences(told_of(sizes=sizes, gain=gain))[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "no sign of a leak"),
        ({"chance": 0.5, "holds_chance": False}, "Look for a leak"),
        ({"chance": 0.7, "holds_chance": False}, "worse than 0.700"),
        ({"holds_chance": None}, "no interval"),
    ],
)
def test_words_about_scrambled_labels_say_on_which_side_of_chance_they_lie(changes, said):
    found = sentences(told_of(sizes=[], **changes))
    assert said in found[0]
    assert "chance gets 0.5." in found[1]


def test_a_ranking_above_chance_is_told_where_the_primary_score_does_not_move():
    ranks = {"metrics": {"roc_auc": summary(0.6, 0.55, 0.65)}}
    found = sentences(told_of(sizes=[], **ranks))
    assert "no sign of a leak" in found[0]
    assert "Look for a leak" in found[1]


def test_the_page_of_an_examined_run_shows_it(path, finished, monkeypatch):
    monkeypatch.setattr(examining, "report", report)
    shutil.copy(finished[0] / "examination.json", path)
    found = quick(path)
    page = found.report.read_text(encoding="utf-8")

    assert found.told == finished[1]
    for words in ('id="examination"', "The ladder of splits", "Learning curve", "y-scrambling"):
        assert words in page
    assert math.isfinite(found.told["scrambled"]["primary"]["mean"])
