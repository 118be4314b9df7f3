"""Commands that train and report."""

from pathlib import Path
from typing import Annotated

import typer

from kekule.cli.options import FoldProcesses, Quiet, Run, Verbose, stoppable


def train(
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECIPE|KEY=VALUE",
            help="A recipe in YAML, if any, and keys that override it.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run folder.", show_default="models/<set>-<network>"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the finished folds of a killed run.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a complete run that is there.")
    ] = False,
    audit: Annotated[
        bool,
        typer.Option(" /--no-audit", help="Do not look the data over; the report says so."),
    ] = True,
    processes: FoldProcesses = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train and validate a network beside its baselines; write the run folder.

    [bold]Examples[/bold]

    kekule train

    kekule train data=assay.csv smiles=SMILES target=active

    kekule train data=PTC_MR model=gcn train.epochs=50

    kekule train recipes/mutag-gin.yaml seed=7 --out models/seed7

    kekule train data=path/to/NCI1 --resume
    """
    from kekule import workflow
    from kekule.cli.display import print_scores

    recipe, overrides = split_settings(settings or [])
    with stoppable("Finished folds are kept; the same command with --resume goes on with them."):
        run = workflow.train(
            recipe,
            overrides,
            out=out,
            resume=resume,
            overwrite=overwrite,
            audit=audit,
            processes=processes,
            progress=False if quiet else None,
        )
    print_scores(run.scores, run.path)


def report(
    run: Run,
    figures: Annotated[
        Path | None, typer.Option(help="Also write every figure there, as .svg and .png.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Draw a run's page again, and its figures as files if asked.

    [bold]Example[/bold]

    kekule report models/mutag-gin --figures reports/figures/mutag-gin
    """
    from kekule import workflow

    typer.echo(workflow.report(run, figures=figures))


def split_settings(settings: list[str]) -> tuple[Path | None, list[str]]:
    """Tell the recipe, the one argument without '=' or that is a file, from overrides."""
    recipes = [text for text in settings if "=" not in text or Path(text).is_file()]
    if len(recipes) > 1:
        from kekule._errors import RecipeError

        raise RecipeError(
            recipes[1],
            f"is neither a key with a value nor the recipe, which is {recipes[0]}",
            "Write overrides as key.sub=value.",
            source="command line",
        )
    overrides = [text for text in settings if text not in recipes]
    return (Path(recipes[0]) if recipes else None), overrides
