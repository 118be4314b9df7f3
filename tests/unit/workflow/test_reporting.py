"""The page of a run can be drawn again as long as run and data are what they were."""

import json
import shutil
from functools import partial

import pytest

from kekule._errors import BundleError, DataFileError, OutputError
from kekule.data.chunked import Beside, LostWorkerError, called, imported
from kekule.visualization.catalogue import figures_of
from kekule.workflow import report
from kekule.workflow.reporting import report_beside, view_of

NEEDED = ("scores.json", "audit.json", "predictions.csv", "curves.csv")


@pytest.fixture
def run(finished_run, tmp_path):
    """A copy of a run and of its data, to be damaged."""
    path = shutil.copytree(finished_run.path, tmp_path / "run")
    shutil.copytree(finished_run.path.parent / "TINY", tmp_path / "TINY")
    recipe = (path / "recipe.yaml").read_text(encoding="utf-8")
    old, new = str(finished_run.path.parent / "TINY"), str(tmp_path / "TINY")
    assert old in recipe
    (path / "recipe.yaml").write_text(recipe.replace(old, new), encoding="utf-8")
    return path


def test_the_page_and_its_figures_are_drawn_again(run, tmp_path, monkeypatch):
    (run / "report.html").unlink()
    monkeypatch.chdir(run)
    assert report(".", figures=tmp_path / "figures").resolve() == run / "report.html"

    page = (run / "report.html").read_text(encoding="utf-8")
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    assert drawn == {
        f"{name}.{kind}" for name in figures_of(view_of(run)) for kind in ("svg", "png")
    }
    assert json.loads((run / "scores.json").read_text())["verdict"].split("%")[0] in page


@pytest.mark.parametrize("dies", [False, True])
def test_a_page_drawn_in_two_processes_is_that_of_one_also_if_the_other_dies(run, dies):
    report(run)
    page = (run / "report.html").read_bytes()
    (run / "report.html").unlink()
    process = Beside(partial(imported, "json"))
    if dies:
        with pytest.raises(LostWorkerError):
            process.do(partial(called, "os", "_exit", 1))()
    try:
        report_beside(run, process)
    finally:
        process.end()
    assert (run / "report.html").read_bytes() == page


@pytest.mark.parametrize("name", NEEDED)
def test_an_incomplete_run_is_one_line_that_names_the_file(run, name):
    (run / name).unlink()
    with pytest.raises(OutputError, match=rf"no complete run: .*{name}") as caught:
        report(run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"x": ', "\x00", "a,b\n1,2\n", '"a\n'])
def test_a_damaged_file_of_a_run_is_an_error_of_the_run(run, name, text):
    (run / name).write_text(text)
    with pytest.raises(OutputError, match="no complete run"):
        report(run)


def test_a_folder_that_is_no_run_says_what_to_give(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(OutputError, match=r"Give a folder of `kekule train`"):
            report(path)


def test_changed_data_are_not_shown_as_those_of_the_run(run, tmp_path):
    labels = tmp_path / "TINY" / "TINY_node_labels.txt"
    labels.write_text(labels.read_text().replace("0", "1", 1))
    with pytest.raises(DataFileError, match="not those the run was trained on"):
        report(run)


def test_data_that_are_gone_are_named(run, tmp_path):
    shutil.rmtree(tmp_path / "TINY")
    with pytest.raises(DataFileError, match=str(tmp_path / "TINY")):
        report(run)


def test_a_changed_bundle_has_no_page(run):
    with (run / "bundle" / "weights.safetensors").open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        report(run)


def test_a_place_for_figures_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        report(run, figures=tmp_path / "file" / "figures")
