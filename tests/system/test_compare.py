"""`kekule compare` as a command: what it prints, where it ends, what it writes."""

import copy
import inspect
import json
import re

import pytest
import typer.main

import kekule as package
from kekule.cli import app


@pytest.fixture
def pair(run, tmp_path):
    """The small run and a copy of its scores in which the network does better on every fold."""
    scores = json.loads((run / "scores.json").read_text())
    better = copy.deepcopy(scores)
    for k, value in enumerate(better["metrics"]["accuracy"]["folds"]):
        better["metrics"]["accuracy"]["folds"][k] = min(value + 0.2 + 0.001 * k, 1.0)
    for name, content in (("worse", scores), ("better", better)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scores.json").write_text(json.dumps(content))
    return tmp_path / "worse", tmp_path / "better"


def test_a_real_run_alone_is_set_against_its_baselines(door, run):
    said = door("compare", run)
    scores = json.loads((run / "scores.json").read_text())

    assert (said.code, said.err) == (0, "")
    for name in ("tiny", *(f"tiny/{baseline}" for baseline in scores["baselines"])):
        assert re.search(rf"│ {re.escape(name)} +│ \d\.\d{{3}} +│", said.out), name
    assert f"{scores['metrics']['accuracy']['mean']:.3f}" in said.out
    assert "has the best mean accuracy" in said.out


def test_table_words_and_files_say_the_same(door, pair, tmp_path):
    html, js = tmp_path / "out" / "c.html", tmp_path / "out" / "c.json"
    options = ("--no-baselines", "--smallest", "0.05", "--json", js, "--html", html)
    said = door("compare", *pair, *options)
    told = json.loads(js.read_text())

    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[-2:] == [str(js), str(html)]
    assert told["verdict"] in lines
    assert told["winner"] == "better"
    for model in told["models"]:
        assert f"{model['mean']:.3f}" in said.out
    assert f"{told['leads'][0]['low']:+.3f} to {told['leads'][0]['high']:+.3f}" in said.out
    assert told["smallest_difference"] == 0.05
    assert "better wins" in html.read_text()
    assert door("compare", *pair[::-1], *options).out == said.out


def test_the_level_the_metric_and_the_models_can_be_chosen(door, pair):
    said = door("compare", *pair, "--metric", "f1", "--at", "0.1", "--without", "majority")

    assert said.code == 0, said.err
    assert "mean f1" in said.out
    assert "90 % interval" in said.out
    assert "majority" not in said.out
    assert "structure-free" in said.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere: it is no complete run"),
        (["worse", "worse/"], "worse: the run is given twice. Give it once."),
        (["worse", "--metric", "acuracy"], "there is no 'acuracy'. Did you mean accuracy?"),
        (["worse", "--without", "nobody"], "there is no model 'nobody'"),
        (["worse", "--at", "1.5"], "alpha: 1.5 is no chance between 0 and 1"),
        (["worse", "--smallest", "-1"], "smallest_difference: -1.0"),
        (["worse", "--json", "worse/scores.json"], "scores.json: it is part of a run"),
        ([], "RUN"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_code_two(
    door, pair, monkeypatch, arguments, said
):
    monkeypatch.chdir(pair[0].parent)
    answer = door("compare", *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("kekule: ")
    assert said in answer.err


def test_runs_on_other_rows_are_refused_by_name(door, pair):
    scores = json.loads((pair[1] / "scores.json").read_text())
    (pair[1] / "scores.json").write_text(json.dumps(scores | {"data_hash": "cd" * 32}))
    answer = door("compare", *pair)

    assert answer.code == 2
    assert "worse: its data" in answer.err
    assert "is not that of better" in answer.err


def test_options_are_those_of_the_function():
    command = typer.main.get_command(app).commands["compare"]
    options = {parameter.name for parameter in command.params} - {"verbose", "help"}
    assert options == set(inspect.signature(package.compare).parameters)
