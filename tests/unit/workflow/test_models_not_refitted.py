"""A run that ships a fold's model instead of one trained anew, and a run without an audit."""

import json
from contextlib import suppress
from functools import partial

import numpy as np
import pandas as pd
import pytest

from kekule.data.chunked import Beside, LostWorkerError, called
from kekule.evaluation import FINAL, FoldTask, read_recipe, shipped, tasks_of
from kekule.workflow import audit_of_run, convert, report, train
from kekule.workflow.fold_store import FoldFolder
from kekule.workflow.molecule_set import MoleculeSet
from kekule.workflow.run_folder import FILES, SOMETIMES, RunFolder

QUICK = (
    *("model=gcn", "model.hidden=4", "train.epochs=3", "train.precision=float32"),
    *("protocol.split=scaffold-ordered", "protocol.seeds=1"),
    *("protocol.baselines=[]", "protocol.refit=false"),
)


@pytest.fixture(scope="module", autouse=True)
def _cache_of_its_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEKULE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Nitro compounds of MUTAG as SMILES."""
    path = tmp_path_factory.mktemp("tables") / "assay.csv"
    convert("MUTAG", path)
    frame = pd.read_csv(path, dtype=str).dropna(subset=["smiles"])
    frame[["smiles", "target"]].iloc[:100].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def start(table):
    def train_it(out, *overrides, **options):
        return train(
            None, [f"data={table}", "target=target", *QUICK, *overrides], out=out, **options
        )

    return train_it


@pytest.fixture(scope="module")
def run(start, tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "assay", audit=False)


def test_a_recipe_that_refits_nothing_has_no_task_of_all_rows():
    recipe = read_recipe(overrides=["protocol.refit=false", "protocol.seeds=2", "seed=3"])
    assert FINAL not in {task.fold for task in tasks_of(recipe)}
    assert shipped(recipe) == tasks_of(recipe)[0] == FoldTask("network", 3, 0)
    assert shipped(read_recipe()) == tasks_of(read_recipe())[0] == FoldTask("network", 0, FINAL)


def test_the_bundle_gives_the_test_rows_the_probabilities_they_were_scored_with(run):
    table = pd.read_csv(run.path / "predictions.csv", dtype={"prediction": str})
    tested = table[table["fold"] == 1]
    answered = run.model().predict(tested["smiles"].tolist())

    assert 0 < len(tested) < len(table)
    np.testing.assert_array_equal(answered["probability"], tested["probability"])
    assert answered["prediction"].tolist() == tested["prediction"].tolist()


def test_scores_log_and_page_say_which_model_is_shipped(run, table):
    said = "that of seed 0, fold 1; none was trained on all rows"
    assert run.scores["protocol"]["refit"] is False
    assert run.scores["protocol"]["shipped"] == said
    assert f"shipped model: {said}" in (run.path / "log.txt").read_text(encoding="utf-8")
    page = run.report.read_text(encoding="utf-8")
    assert "none was trained on all rows" in page
    assert "final model" not in page


def test_every_file_of_a_run_is_there_and_the_page_can_be_drawn_again(run):
    names = {path.name for path in run.path.iterdir()}
    assert names - set(SOMETIMES) == set(FILES)
    curves = pd.read_csv(run.path / "curves.csv")
    assert set(curves["fold"]) == {1}
    assert report(run.path) == run.report


def test_an_audit_left_out_is_told_in_its_file_the_log_and_on_the_page(run):
    audit = json.loads((run.path / "audit.json").read_text(encoding="utf-8"))
    assert (audit["verdict"], audit["findings"], audit["rows"]) == ("skipped", [], 100)
    assert "audit: skipped" in (run.path / "log.txt").read_text(encoding="utf-8")
    assert "No audit was run on these data" in run.report.read_text(encoding="utf-8")


def test_an_audit_beside_the_training_finds_what_one_before_it_finds(start, tmp_path, monkeypatch):
    monkeypatch.setattr("kekule.workflow.training.report", write_page)
    before = start(tmp_path / "before", processes=1)
    done, do = [], Beside.do
    monkeypatch.setattr(audit_of_run, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(Beside, "do", lambda self, work: done.append(work) or do(self, work))
    meanwhile = start(tmp_path / "meanwhile", processes=2)

    assert [work.func.__name__ for work in done] == [
        *("audit_molecules", "called"),  # which counts substructures for the page
        *("imported", "called"),
    ]
    audits = [json.loads((run.path / "audit.json").read_text()) for run in (before, meanwhile)]
    assert audits[0] == audits[1]
    assert len(audits[0]["findings"]) > 10
    for run in (before, meanwhile):
        reds = [f["name"] for f in audits[0]["findings"] if f["verdict"] == "red"]
        log = (run.path / "log.txt").read_text(encoding="utf-8")
        assert all(f"audit: {name}" in log for name in reds)


def test_an_audit_whose_process_died_is_done_all_the_same(start, tmp_path, monkeypatch):
    def dead(self, work):
        with suppress(LostWorkerError):
            do(self, partial(called, "os", "_exit", 1))()
        return do(self, work)

    do = Beside.do
    monkeypatch.setattr(audit_of_run, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(Beside, "do", dead)
    run = start(tmp_path / "run", processes=2)

    assert len(json.loads((run.path / "audit.json").read_text())["findings"]) > 10
    assert run.report.exists()
    assert "the audit is done here" in (run.path / "log.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("spare", [0, -3])
def test_a_training_that_needs_every_core_waits_for_the_audit(spare, tmp_path, monkeypatch):
    class Origin(MoleculeSet):
        __len__ = lambda self: 5000  # noqa: E731
        audit = lambda self, **_: {"findings": []}  # noqa: E731

    class Of:
        origin = Origin(None, None, None, None)
        split = staticmethod(lambda: None)

    class Process:
        do = staticmethod(lambda work: pytest.fail("a core was taken from the training"))

    folder = RunFolder(tmp_path / "run")
    folder.partial.mkdir()
    wanted = {"wanted": True, "processes": 2, "show": False, "process": Process}
    with audit_of_run.audit_of_run(Of, folder, spare=spare, **wanted) as found:
        assert found() == {"findings": []}
    assert json.loads((folder.partial / "audit.json").read_text()) == {"findings": []}


def test_a_run_stopped_before_its_end_ships_the_same_model_and_its_audit_is_not_forgotten(
    run, start, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("kekule.workflow.training.save_bundle", interrupt)
        with pytest.raises(KeyboardInterrupt):
            start(tmp_path / "run", audit=False)
    assert len(FoldFolder(tmp_path / ".run.partial" / "folds")) == 1
    resumed = start(tmp_path / "run", resume=True)
    weights = [each.path / "bundle" / "weights.safetensors" for each in (run, resumed)]

    assert weights[0].read_bytes() == weights[1].read_bytes()
    audit = json.loads((resumed.path / "audit.json").read_text(encoding="utf-8"))
    assert audit["verdict"] != "skipped"
    assert len(audit["findings"]) > 10


def write_page(files):
    (files / "report.html").write_text("<html></html>")


def interrupt(*_, **__):
    raise KeyboardInterrupt
