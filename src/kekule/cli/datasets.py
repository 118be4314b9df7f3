"""Commands about data sets."""

from pathlib import Path
from typing import Annotated

import typer

from kekule.cli.options import Verbose

RAW = Path("data/raw")

data_app = typer.Typer(
    no_args_is_help=True,
    help="Data sets: list them, fetch them, lay them out differently.",
    epilog="[bold]Example[/bold]: kekule data get PTC_MR",
)


@data_app.command("list")
def list_(
    raw: Annotated[Path, typer.Option(help="Folder of fetched sets.")] = RAW,
) -> None:
    """List the TU Dortmund and MoleculeNet sets kekule knows by name, and which are here.

    [bold]Examples[/bold]

    kekule data list

    kekule data list --raw /shared/graphs > sets.csv
    """
    from kekule import workflow
    from kekule.cli.display import print_or_csv

    print_or_csv(workflow.list_sets(raw))


@data_app.command()
def get(
    name: Annotated[
        str, typer.Argument(help="Name of a set: of TU Dortmund (PTC_MR) or MoleculeNet (BBBP).")
    ],
    raw: Annotated[Path, typer.Option(help="Folder the set is put into.")] = RAW,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|URL",
            help="Take NAME.zip (MoleculeNet: NAME.csv) from there, for sites without internet.",
        ),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Checksum the fetched file must have.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Fetch a set, or verify the one that is there.

    [bold]Examples[/bold]

    kekule data get PTC_MR

    kekule data get BBBP

    kekule data get NCI1 --mirror /media/usb/graphs
    """
    from kekule import workflow
    from kekule.cli.display import download_bar

    with download_bar(name) as progress:
        path = workflow.get_set(name, raw=raw, mirror=mirror, sha256=sha256, progress=progress)
    typer.echo(path)


@data_app.command()
def convert(
    data: Annotated[str, typer.Argument(help="Name of a set, or a TU folder.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="A .csv: one row a graph, with its SMILES; else a folder of arrays.",
        ),
    ],
    verbose: Verbose = False,
) -> None:
    """Write a set as a table of SMILES, or as packed arrays.

    [bold]Examples[/bold]

    kekule data convert MUTAG -o data/interim/mutag.csv

    kekule data convert MUTAG -o data/processed/mutag
    """
    from kekule import workflow

    typer.echo(workflow.convert(data, out))
