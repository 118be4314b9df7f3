"""The command that asks a finished run harder questions."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kekule.cli.options import FoldProcesses, Quiet, Run, Verbose, stoppable

if TYPE_CHECKING:
    import pandas as pd


def examine(
    run: Run,
    parts: Annotated[
        str, typer.Option(help="Which, with commas between: ladder, curve, scrambled.")
    ] = "ladder,curve,scrambled",
    seeds: Annotated[int, typer.Option(min=1, help="Repeats of every training.")] = 1,
    processes: FoldProcesses = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a run's recipe under other splits, on fewer rows and on scrambled labels.

    Ladder: does the score hold for molecules less like those that were trained on? Curve: would
    more rows help? Scrambled: does anything seem to be learnt where nothing can be? What is
    found goes into the run folder and onto its page. The same command again goes on where it
    was stopped.

    [bold]Examples[/bold]

    kekule examine models/mutag-gin

    kekule examine models/assay-auto --parts curve,scrambled

    kekule examine models/assay-dmpnn --parts ladder --seeds 3
    """
    from kekule import workflow
    from kekule.cli.display import print_table

    with stoppable("Finished parts and folds are kept; the same command goes on with them."):
        found = workflow.examine(
            run,
            parts=parts,
            seeds=seeds,
            processes=processes,
            progress=False if quiet else None,
        )
    print_table(_table(found.told))
    for line in found.words:
        typer.echo(line)
    typer.echo(f"Report: {found.report}")


def _table(told: dict[str, Any]) -> "pd.DataFrame":
    """Every training of all folds: its rows, its score, and the best baseline beside it."""
    import pandas as pd

    metric = told["metric"].replace("_", " ")
    columns = ["part", "what", "rows", metric, "95 % interval", "best baseline"]
    return pd.DataFrame([*_lines(told)], columns=columns)


def _lines(told: dict[str, Any]) -> Iterator[list[str]]:
    for rung in told.get("ladder") or ():
        yield ["ladder", rung["split"], _count(rung["rows"]), *_score(rung), _best(rung)]
    for stage in told.get("learning_curve") or ():
        what = f"{100 * stage['share']:.4g} % of the training rows"
        yield ["curve", what, _count(stage["rows"]), *_score(stage), ""]
    if found := told.get("scrambled"):
        chance = "" if found["chance"] is None else f"chance {found['chance']:.3f}"
        yield ["scrambled", "labels dealt anew", "", *_score(found), chance]


def _count(rows: int) -> str:
    return f"{rows:,}"


def _score(entry: Mapping[str, Any]) -> list[str]:
    score = entry["primary"]
    if score["mean"] is None:
        return ["undefined", ""]
    interval = "" if score["low"] is None else f"{score['low']:.3f} to {score['high']:.3f}"
    return [f"{score['mean']:.3f}", interval]


def _best(rung: Mapping[str, Any]) -> str:
    """Baseline with the highest mean: primary scores are higher where they are better."""
    means = {name: s["mean"] for name, s in rung["baselines"].items() if s["mean"] is not None}
    if not means:
        return ""
    name = max(means, key=lambda each: means[each])
    return f"{name} {means[name]:.3f}"
