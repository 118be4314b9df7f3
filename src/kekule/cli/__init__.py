"""The door: every command parses, calls one public function, prints, and exits.

Exit codes: 0 done; 1 the answer is no; 2 the input is wrong, one line on standard error
says where, what, why and the cure. A bug keeps its traceback.
"""

import atexit
import errno
import gc
import io
import os
import re
import sys
from typing import NoReturn

import typer

from kekule._errors import KekuleError
from kekule.cli.auditing import audit
from kekule.cli.comparing import compare
from kekule.cli.datasets import data_app
from kekule.cli.examining import examine
from kekule.cli.options import Verbose
from kekule.cli.predicting import predict
from kekule.cli.rating import rates
from kekule.cli.recipes import recipe_app
from kekule.cli.training import report, train
from kekule.cli.tuning import tune

# Typer carries Click inside or uses the one installed; its own exceptions lead to either.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

_COLLECT_AFTER = (100_000, 50, 100)  # new objects; collections of the younger generation
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog="[bold]Examples[/bold]: kekule train, then kekule predict models/mutag-gin CCO",
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
    """Graph classification of molecules: audit, train, validate, predict, report."""


app.command()(train)
app.command()(audit)
app.command()(predict)
app.command()(report)
app.command()(compare)
app.command()(examine)
app.command()(rates)
app.command()(tune)
app.add_typer(data_app, name="data")
app.add_typer(recipe_app, name="recipe")


def main() -> None:
    """Run the command; say in one line what a user can put right, let a bug keep its traceback."""
    _print_utf8()
    _collect_seldom()
    try:
        code = app(prog_name="kekule", standalone_mode=False)
        sys.stdout.flush()
    except KekuleError as error:
        _stop(str(error))
    except _UsageError as error:
        _stop(_usage(error))
    except OSError as error:
        if error.errno not in _FULL and not isinstance(error, BrokenPipeError):
            raise
        _drop_output()
        if isinstance(error, BrokenPipeError):  # the reader, such as `head`, had enough
            raise SystemExit(0) from None
        where = error.filename or "output"
        _stop(f"{where}: {error.strerror}. Make room, or write elsewhere.")
    except SystemExit as stop:  # Typer's answer to a reader that had enough
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        _drop_output()
        raise SystemExit(0) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _collect_seldom() -> None:
    """Look for garbage after many new objects, and not once more on leaving.

    Modules that are loaded are no garbage: looking through those of PyTorch over and over
    takes a quarter of the time to load them, and once more half a second at the end.
    """
    gc.set_threshold(*_COLLECT_AFTER)
    atexit.register(gc.freeze)


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that leaving does not fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _stop(line: str) -> NoReturn:
    """Say in one line what is wrong, and leave."""
    line = re.sub(r"\s*[\r\n]\s*", " ", line.strip())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    if shown:  # else the help that was asked for has been printed
        colour = False if os.environ.get("NO_COLOR") else None
        typer.secho(f"kekule: {shown}", fg="red", err=True, color=colour)
    raise SystemExit(2)


def _usage(error: Exception) -> str:
    """What Typer says of the arguments, and where to read about them."""
    context = getattr(error, "ctx", None)
    said = str(getattr(error, "format_message", error.__str__)())
    if not said:
        return ""
    command = "kekule" if context is None else context.command_path
    said += "" if said.endswith((".", "?")) else "."
    return f"{said} `{command} --help` says what can be given."


def _print_utf8() -> None:
    """Print UTF-8 into files and pipes whatever the locale; show on terminals what they can."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
