"""What several commands share: their options, and how they are stopped."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer


def _log_to_terminal(wanted: bool) -> None:
    logger = logging.getLogger("kekule")
    if wanted and not logger.handlers:
        handler = logging.StreamHandler()  # standard error: results have standard output alone
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


@contextmanager
def stoppable(kept: str) -> Iterator[None]:
    """Let Ctrl-C end a command with exit code 130 and one line, which says what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"kekule: stopped. {kept}", err=True)
        raise typer.Exit(130) from None


Run = Annotated[Path, typer.Argument(help="Run folder of `kekule train`.")]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="RECIPE|KEY=VALUE", help="As for `kekule train`.", show_default=False),
]
FoldProcesses = Annotated[
    int | None,
    typer.Option(min=1, help="Folds at once; scores do not depend on it.", show_default="cores"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", callback=_log_to_terminal, help="Log to standard error."),
]
