"""The command that compares runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kekule.cli.options import Verbose

if TYPE_CHECKING:
    import pandas as pd


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders of `kekule train`; one will do."),
    ],
    metric: Annotated[
        str | None,
        typer.Option(help="Score to compare by.", show_default="that of the runs' verdicts"),
    ] = None,
    smallest_difference: Annotated[
        float, typer.Option("--smallest", help="Least lead that matters, in units of the score.")
    ] = 0.0,
    baselines: Annotated[
        bool, typer.Option(" /--no-baselines", help="Compare the networks alone.")
    ] = True,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Model to leave out; can be given again.", show_default=False),
    ] = None,
    alpha: Annotated[
        float, typer.Option("--at", help="Chance of any false alarm; intervals follow it.")
    ] = 0.05,
    json: Annotated[Path | None, typer.Option(help="Also write the comparison there.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page there.")] = None,
    verbose: Verbose = False,
) -> None:
    """Say which of several models is best on the same folds, if any is by more than noise.

    The networks of the runs and their baselines are set against each other, fold by fold. Runs
    must be of the same rows in the same folds. A winner is named only where its lead over
    every other is more than noise and more than the least that matters.

    [bold]Examples[/bold]

    kekule compare models/mutag-gin models/mutag-gcn

    kekule compare models/mutag-gin --without majority

    kekule compare models/a models/b --metric roc_auc --smallest 0.01 --html compare.html
    """
    from kekule import workflow
    from kekule.cli.display import print_table

    found = workflow.compare(
        runs,
        metric=metric,
        baselines=baselines,
        without=without or (),
        smallest_difference=smallest_difference,
        alpha=alpha,
        json=json,
        html=html,
    )
    print_table(_table(found.to_json()))
    _say(found.words)
    for path in (json, html):
        if path is not None:
            typer.echo(path)


def _table(told: dict[str, Any]) -> "pd.DataFrame":
    """Every model, best mean first, with what the best is ahead of it."""
    import pandas as pd

    models = {model["name"]: model for model in told["models"]}
    leads = [None, *told["leads"]]
    names = [told["best_group"][0], *(lead["other"] for lead in told["leads"])]
    return pd.DataFrame(
        {
            "model": names,
            f"mean {told['metric']}": [f"{models[name]['mean']:.3f}" for name in names],
            "mean rank": [f"{models[name]['mean_rank']:.2f}" for name in names],
            "behind the best": [f"{lead['mean']:.3f}" if lead else "" for lead in leads],
            f"{100 * (1 - told['alpha']):.4g} % interval": [_interval(lead) for lead in leads],
            "p": [_chance(lead["p"]) if lead else "" for lead in leads],
        }
    )


def _interval(lead: dict[str, Any] | None) -> str:
    if lead is None:
        return ""
    low, high = lead["low"], lead["high"]
    return "none" if low is None else f"{low:+.3f} to {high:+.3f}"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _say(words: str) -> None:
    """Print a sentence: folded between words on a terminal, in one line anywhere else."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(words), soft_wrap=not console.is_terminal)
