"""What results look like on a terminal."""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

WIDEST = 100_000  # characters
SHOWN = ("accuracy", "balanced_accuracy", "roc_auc", "mcc")
SHOWN_OF_TASKS = ("roc_auc", "pr_auc", "balanced_accuracy", "mcc")
MOST_TASKS = 20  # of more the report has the table


def print_scores(scores: dict[str, Any], path: Path) -> None:
    """Print a run's scores beside its baselines', the verdict, and where the report is."""
    protocol = scores["protocol"]
    seeds = _count(protocol["seeds"], "seed")
    split = protocol.get("split", "stratified")
    title = (
        f"{scores['dataset']}, {scores['n_rows'] - scores['n_rejected']} of "
        f"{scores['n_rows']} rows, {split} {protocol['folds']}-fold × {seeds}"
    )
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    table.add_column("mean\n95 % interval", overflow="fold")
    shown = SHOWN_OF_TASKS if scores.get("tasks") else SHOWN
    for name in shown:
        table.add_column(name.replace("_", "\n"), justify="right", overflow="fold")
    table.add_row(*_row(scores["model"]["name"], scores["metrics"], shown), style="bold")
    for name, metrics in scores["baselines"].items():
        table.add_row(*_row(name, metrics, shown))
    means = [value for value in scores["seed_means"][scores["primary"]] if value is not None]
    spread = ", ".join(f"{value:.3f}" for value in means)
    _print(table)
    if scores.get("tasks"):
        _print_tasks(scores)
    _print(Text(f"Mean {scores['primary']} of each seed: {spread}"))
    for line in filter(None, (scores.get("duplicates"), scores["verdict"])):
        _print(Text(line))
    _print(Text(f"Took {scores['seconds']:.0f} s."))
    _print(Text(f"Report: {_shortest(path / 'report.html')}", no_wrap=True, overflow="ignore"))


def _print_tasks(scores: dict[str, Any]) -> None:
    """Print the scores of each of several tasks, or of how many there are some."""
    tasks, scored = scores["tasks"], scores["n_tasks_scored"]["roc_auc"]
    _print(Text(f"Means over the tasks; {scored} of {len(tasks)} have a roc_auc."))
    if len(tasks) > MOST_TASKS:
        return
    table = Table()
    table.add_column("task", overflow="fold")
    for name in ("labels", "positives", "roc_auc", "pr_auc"):
        table.add_column(name, justify="right", overflow="fold")
    for task, counts in tasks.items():
        of_task = scores["per_task"][task]
        n_labels = [f"{n:,}" for n in (sum(counts.values()), [*counts.values()][-1])]
        table.add_row(Text(task), *n_labels, *_row("", of_task, ("roc_auc", "pr_auc"))[1:])
    _print(table)


def print_audit(audit: dict[str, Any]) -> None:
    """Print the findings of an audit, the worst first, each with what to do."""
    order = {"red": 0, "amber": 1, "green": 2}
    shown = Table(title=Text(_audit_title(audit)), title_justify="left", title_style="bold")
    for name in ("", "finding", "found", "what to do"):
        shown.add_column(name, overflow="fold")
    for finding in sorted(audit["findings"], key=lambda each: order[each["verdict"]]):
        colour = {"red": "bold red", "amber": "yellow", "green": "green"}[finding["verdict"]]
        shown.add_row(
            Text(finding["verdict"], style=colour),
            Text(str(finding["name"])),
            Text(_found(finding["value"])),
            Text(str(finding["advice"])),
        )
    _print(shown)
    _print(Text(f"Verdict: {audit['verdict']}"))


def _audit_title(audit: dict[str, Any]) -> str:
    return f"{audit['name']}, {_count(audit['rows'], 'row')}"


def _found(value: Any) -> str:
    """Write a finding's value as a person would: no brackets, no quotes."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_found(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_found, value)) or "none"
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else str(value)


def print_table(table: pd.DataFrame) -> None:
    """Print a table on the terminal; nothing in a cell is read as markup."""
    shown = Table()
    for name in table.columns:
        shown.add_column(Text(str(name)), overflow="fold")
    for row in table.itertuples(index=False):
        shown.add_row(*(Text(_cell(value)) for value in row))
    _print(shown)


def print_or_csv(table: pd.DataFrame) -> None:
    """Print a table for a person on a terminal, as CSV for anything else."""
    if sys.stdout.isatty():
        print_table(table)
    else:
        table.to_csv(sys.stdout, index=False, lineterminator="\n")


@contextmanager
def download_bar(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Progress bar of a download on standard error; gives the function that moves it."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        line = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(line, completed=done, total=total)


def _print(what: Table | Text) -> None:
    """Print at the terminal's width; a file or a pipe has no width to fold lines at."""
    console = Console(highlight=False)
    if not console.is_terminal:
        wide = console.options.update(max_width=WIDEST)
        console.width = max(1, Measurement.get(console, wide, what).maximum)
    console.print(what, soft_wrap=isinstance(what, Text) and what.overflow == "ignore")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _row(name: str, metrics: dict[str, Any], shown: Sequence[str]) -> list[str]:
    return [name, *(_score(metrics[metric]) for metric in shown)]


def _score(score: dict[str, Any]) -> str:
    if score["mean"] is None:
        return "undefined"
    if score["low"] is None:  # defined on one fold only
        return f"{score['mean']:.3f}\nno interval"
    return f"{score['mean']:.3f}\n{score['low']:.3f}–{score['high']:.3f}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4f}"
    return str(value)


def _shortest(path: Path) -> str:
    """Path relative to here where it lies below, else as it is."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
