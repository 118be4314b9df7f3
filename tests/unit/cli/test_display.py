"""What is shown loses nothing: no digit to a narrow place, no score to a missing interval."""

import copy
import io
import json
import sys

import pandas as pd
import pytest

from kekule.cli.display import (
    SHOWN,
    SHOWN_OF_TASKS,
    download_bar,
    print_or_csv,
    print_scores,
    print_table,
)

FOUR = {"mean": 0.8123, "std": 0.01, "low": 0.7001, "high": 0.9002, "folds": [0.8, 0.82]}
SCORES = {
    "dataset": "MUTAG",
    "n_rows": 188,
    "n_rejected": 3,
    "protocol": {"folds": 2, "seeds": 1},
    "model": {"name": "gin"},
    "metrics": dict.fromkeys(SHOWN, FOUR),
    "baselines": {"[bold]majority[/bold]": dict.fromkeys(SHOWN, FOUR)},
    "primary": "accuracy",
    "seed_means": {"accuracy": [0.8123, None]},
    "verdict": "gin gives 81.2% [of] unseen rows their class. " * 5,
    "seconds": 12.3,
}


def shown(tmp_path, capsys, **metrics):
    scores = copy.deepcopy(SCORES)
    scores["metrics"] |= metrics
    print_scores(scores, tmp_path)
    return capsys.readouterr().out


def test_scores_verdict_and_page_are_all_there_unfolded_in_a_pipe(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    out = shown(tmp_path, capsys)
    assert "MUTAG, 185 of 188 rows, stratified 2-fold × 1 seed" in out
    assert out.count("0.700–0.900") == 8
    assert SCORES["verdict"].strip() in out
    assert "Mean accuracy of each seed: 0.812\n" in out
    assert out.endswith(f"Report: {tmp_path / 'report.html'}\n")


def test_a_metric_defined_on_one_fold_or_none_is_said_to_be_so(tmp_path, capsys):
    alone = FOUR | {"std": None, "low": None, "high": None}
    nowhere = dict.fromkeys(FOUR)
    out = shown(tmp_path, capsys, mcc=alone, roc_auc=nowhere)
    assert out.count("no interval") == 1
    assert out.count("undefined") == 1


def test_the_page_is_named_from_where_one_stands(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    assert f"Report: {tmp_path.name}/report.html" in shown(tmp_path, capsys).replace("\\", "/")


def test_cells_that_look_like_markup_are_shown_as_they_are(capsys):
    print_table(pd.DataFrame({"[red]a[/red]": ["[link=x]y[/link]", float("nan"), 0.123456]}))
    out = capsys.readouterr().out
    assert "[red]a[/red]" in out
    assert "[link=x]y[/link]" in out
    assert "0.1235" in out
    assert "nan" not in out


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_gets_a_table_and_anything_else_csv(monkeypatch, terminal):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stdout", stream)
    print_or_csv(pd.DataFrame({"a": [1], "b": ["x,y"]}))
    assert ("┃" in stream.getvalue()) == terminal
    assert (stream.getvalue() == 'a,b\n1,"x,y"\n') != terminal


def test_a_download_moves_a_bar_that_no_pipe_sees(capsys):
    with download_bar("PTC_MR") as move:
        move(10, None)
        move(100, 100)
    assert capsys.readouterr() == ("", "")


def test_the_scores_here_have_the_form_a_run_writes():
    assert json.loads(json.dumps(SCORES)) == SCORES


def of_tasks(n):
    names = [f"NR-{k} [red]" for k in range(n)]
    return {
        "tasks": {name: {"0": 1234, "1": 56} for name in names},
        "per_task": {name: dict.fromkeys(SHOWN_OF_TASKS, FOUR) for name in names},
        "n_tasks_scored": dict.fromkeys(SHOWN_OF_TASKS, n - 1),
        "metrics": dict.fromkeys(SHOWN_OF_TASKS, FOUR),
        "baselines": {"majority": dict.fromkeys(SHOWN_OF_TASKS, FOUR)},
        "primary": "roc_auc",
        "seed_means": {"roc_auc": [0.8123]},
    }


def test_each_of_several_tasks_is_printed_with_its_labels_and_positives(tmp_path, capsys):
    print_scores(SCORES | of_tasks(3), tmp_path)
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "NR-2 [red]" in line]

    assert [cell.strip() for cell in line.strip("│").split("│")] == [
        *("NR-2 [red]", "1,290", "56", "0.812", "0.812")
    ]
    assert "Means over the tasks; 2 of 3 have a roc_auc." in lines
    assert not any("accuracy" in line and "balanced" not in line for line in lines[:3])


def test_hundreds_of_tasks_are_left_to_the_report(tmp_path, capsys):
    print_scores(SCORES | of_tasks(600), tmp_path)
    out = capsys.readouterr().out

    assert "599 of 600" in out
    assert "NR-7" not in out
