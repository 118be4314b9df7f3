"""The command that looks data over."""

from pathlib import Path
from typing import Annotated

import typer

from kekule.cli.options import Verbose


def audit(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Table, TU folder, or name of a set.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Keys of a recipe, such as target=active.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the findings there.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page there.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes at work.", show_default="cores")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    verbose: Verbose = False,
) -> None:
    """Say what is odd about data before anything is learnt from them.

    Unreadable rows, duplicates and their conflicting labels, mixtures, undefined stereo, rare
    classes, likely wrong labels, and shortcuts: small models that see no chemistry, and should
    fail. With a split, also what stands on both of its sides.

    [bold]Examples[/bold]

    kekule audit assay.csv target=active --html audit.html

    kekule audit MUTAG --json audit.json

    kekule audit assay.csv target=active protocol.split=given protocol.column=set
    """
    from kekule import workflow
    from kekule.cli.display import print_audit

    found = workflow.audit(
        data,
        settings or [],
        json=json,
        html=html,
        processes=processes,
        progress=False if quiet else None,
    )
    print_audit(found)
    for path in (json, html):
        if path is not None:
            typer.echo(path)
