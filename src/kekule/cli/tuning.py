"""The command that tunes a recipe."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kekule.cli.options import Quiet, Settings, Verbose, stoppable

if TYPE_CHECKING:
    import pandas as pd


def tune(
    settings: Settings = None,
    trials: Annotated[
        int, typer.Option(min=1, help="How many in total, those of earlier calls among them.")
    ] = 50,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the study.", show_default="models/<set>-<network>-tuning"),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="What to vary, in YAML.", show_default="what suits the network"),
    ] = None,
    metric: Annotated[str, typer.Option(help="Score to tune by.")] = "brier",
    inner: Annotated[
        int, typer.Option(help="Folds of the training rows, where these are tuned on.")
    ] = 5,
    minutes: Annotated[
        float | None, typer.Option(help="Begin no trial after so many.", show_default=False)
    ] = None,
    nested: Annotated[
        bool,
        typer.Option("--nested", help="Also tune inside each fold: an estimate that is honest."),
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Trials at once, one thread each.", show_default="cores"),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Try many settings of a network, and write the best recipe out.

    The same command again goes on until there are as many trials, and in a second terminal it
    shares the work. The best score is the best of many on the rows that chose it: `--nested`
    gives an estimate on rows that did not.

    [bold]Examples[/bold]

    kekule tune recipes/mutag-gin.yaml --trials 30

    kekule tune data=assay.csv target=active model=dmpnn --space space.yaml --minutes 60

    kekule tune data=MUTAG protocol.folds=5 --nested --out models/tuned
    """
    from kekule import workflow
    from kekule.cli.display import print_table
    from kekule.cli.training import split_settings

    recipe, overrides = split_settings(settings or [])
    with stoppable("Trials that ended are kept; the same command goes on with them."):
        found = workflow.tune(
            recipe,
            overrides,
            trials=trials,
            out=out,
            space=space,
            metric=metric,
            inner=inner,
            minutes=minutes,
            nested=nested,
            processes=processes,
            progress=False if quiet else None,
        )
    print_table(_table(found.told))
    for line in found.words:
        typer.echo(line)
    typer.echo(f"Best recipe: {found.path / 'best.yaml'}")
    typer.echo(f"Page: {found.page}")


def _table(told: dict[str, Any]) -> "pd.DataFrame":
    """Every setting of the best trial, beside the recipe's own."""
    import pandas as pd

    best, own = told["best"]["parameters"], (told["own"] or {"parameters": {}})["parameters"]
    return pd.DataFrame(
        {
            "setting": [*best],
            "best": [str(value) for value in best.values()],
            "recipe": [str(own.get(key, "")) for key in best],
        }
    )
