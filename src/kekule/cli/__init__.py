"""The door: every command parses, calls one public function, prints, and exits.

Exit codes: 0 done; 1 the answer is no; 2 the input is wrong, one line on standard error
says where, what, why and the cure. A bug keeps its traceback.
"""

import os
import sys

import typer

from kekule._errors import KekuleError
from kekule.cli.datasets import data_app
from kekule.cli.options import Verbose
from kekule.cli.predicting import predict
from kekule.cli.recipes import recipe_app
from kekule.cli.training import report, train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog="Try [bold]kekule train[/bold], then [bold]kekule predict models/mutag-gin CCO[/bold]",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from kekule import __version__

        typer.echo(f"kekule {__version__}")
        raise typer.Exit


@app.callback()
def kekule(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    verbose: Verbose = False,
) -> None:
    """Graph classification of molecules: train, validate, predict, report."""


app.command()(train)
app.command()(predict)
app.command()(report)
app.add_typer(data_app, name="data")
app.add_typer(recipe_app, name="recipe")


def main() -> None:
    """Print an error the user can put right in one line; let a bug keep its traceback."""
    try:
        app()
    except KekuleError as error:
        line = " ".join(str(error).split())
        typer.secho(f"kekule: {line}", fg="red", err=True)
        raise SystemExit(2) from None
    except BrokenPipeError:  # the reader of our output, such as `head`, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
