"""The command that predicts."""

from pathlib import Path
from typing import Annotated

import typer

from kekule.cli.options import Verbose


def predict(
    bundle: Annotated[Path, typer.Argument(help="Bundle or run folder of `kekule train`.")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="SMILES; or files (.smi, .csv, .tsv, .parquet, .sdf, also .gz), a TU folder, "
            "or - for standard input.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write; else print.")
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="Column of the SMILES in a table.", show_default="found by its name"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first invalid row, with exit code 2.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Predict class and probability, one row out for every row in.

    [bold]Examples[/bold]

    kekule predict models/mutag-gin "O=[N+]([O-])c1ccc2ccccc2c1" CCO

    kekule predict models/mutag-gin assay.csv --column SMILES -o predictions.csv

    cat library.smi | kekule predict models/mutag-gin - > predictions.csv
    """
    from kekule import workflow
    from kekule.cli.display import print_or_csv

    table = workflow.predict(bundle, inputs, out=out, column=column, strict=strict)
    if out is not None:
        counts = table["status"].value_counts()
        said = ", ".join(f"{count} {status}" for status, count in counts.items())
        typer.echo(f"{out}: {len(table)} rows ({said})", err=True)
    else:
        print_or_csv(table)
