"""The command that tries learning rates."""

from pathlib import Path
from typing import Annotated

import typer

from kekule.cli.options import Verbose


def rates(
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECIPE|KEY=VALUE", help="As for `kekule train`.", show_default=False
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture, .svg or .png.")] = None,
    csv: Annotated[Path | None, typer.Option(help="The same as a table.")] = None,
    lowest: Annotated[float, typer.Option(help="First learning rate.")] = 1e-6,
    highest: Annotated[float, typer.Option(help="Last learning rate.")] = 1.0,
    steps: Annotated[int, typer.Option(help="Batches from the first to the last.")] = 200,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    verbose: Verbose = False,
) -> None:
    """Try learning rates on the training rows of the first fold, and suggest one.

    The network trains for a few hundred steps while the rate rises, until the loss explodes.
    Suggested is half of the rate at which the smoothed loss is lowest. Test rows are not read.

    [bold]Examples[/bold]

    kekule rates -o rates.svg

    kekule rates data=assay.csv target=active model=dmpnn --csv rates.csv
    """
    from kekule import workflow
    from kekule.cli.training import split_settings

    recipe, overrides = split_settings(settings or [])
    checked = workflow.read_recipe(recipe, overrides)
    found = workflow.learning_rate_range(
        checked,
        out=out,
        csv=csv,
        lowest=lowest,
        highest=highest,
        steps=steps,
        progress=False if quiet else None,
    )
    if found.lowest is not None and found.falling:
        typer.echo("suggested: none; the loss was still falling at the last rate: raise --highest")
    elif found.suggested is None:
        typer.echo("suggested: none; the loss fell nowhere by more than its noise")
    else:
        typer.echo(f"suggested: {found.suggested:.1e} (half of {found.lowest:.1e}, lowest loss)")
    if found.diverged is not None:
        typer.echo(f"diverged:  {found.diverged:.1e}")
    typer.echo(f"recipe:    {checked.train.learning_rate:.1e}")
    for path in (out, csv):
        if path is not None:
            typer.echo(path)
