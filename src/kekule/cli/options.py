"""Options that several commands share."""

import logging
from typing import Annotated

import typer


def _log_to_terminal(wanted: bool) -> None:
    logger = logging.getLogger("kekule")
    if wanted and not logger.handlers:
        handler = logging.StreamHandler()  # standard error: results have standard output alone
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", callback=_log_to_terminal, help="Log to standard error."),
]
