"""Data sets: which there are, fetching them, and laying them out for other programs."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from kekule._errors import OutputError
from kekule.data import INVALID, OK, SETS, LabelledGraphs, find_set
from kekule.features import pack, save_packed, schema_of
from kekule.workflow.csv_file import CURE, write_csv
from kekule.workflow.disk import name_as_text, unwritable
from kekule.workflow.smiles import smiles_of


def list_sets(raw: str | Path = "data/raw") -> pd.DataFrame:
    """Sets the catalogue knows, and which are here.

    Returns
    -------
    DataFrame
        ``name``, ``kind``, ``graphs``, ``classes``, ``here`` (where it would be read from;
        empty if it must be fetched first).
    """
    raw = Path(raw)
    fetched = {path.name for path in raw.iterdir() if path.is_dir()} if raw.is_dir() else set()
    return pd.DataFrame(
        [
            {
                "name": name,
                "kind": entry.kind,
                "graphs": entry.n_graphs,
                "classes": entry.n_classes,
                "here": name_as_text(raw / name)
                if name in fetched
                else "embedded"
                if name == "MUTAG"
                else "",
            }
            for name, entry in SETS.items()
        ]
    )


def convert(data: str, out: str | Path) -> Path:
    """Write a set in another form, whole or not at all.

    Parameters
    ----------
    data
        Name of a set or TU folder.
    out
        A name ending in ``.csv``: one row a graph with its class and, where the graphs are
        molecules, its SMILES. Anything else: a folder of packed arrays, one ``.npy`` each.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    DataFileError
        If there is no such set.
    OutputError
        If `out` cannot be written or is there already.
    """
    out = Path(out)
    if out.exists():
        raise OutputError(out, "it is there already", "Remove it, or give another -o.")
    graphs = find_set(data)
    if out.suffix.lower() == ".csv":
        write_csv(_molecule_table(graphs), out)
        return out
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as half:
            packed = Path(half) / "packed"
            save_packed(pack(graphs, schema_of(graphs)), packed)
            if graphs.targets is not None:
                np.save(packed / "targets.npy", graphs.targets)
            packed.rename(out)
    except OSError as error:
        raise unwritable(out, error, CURE) from None
    return out


def _molecule_table(graphs: LabelledGraphs) -> pd.DataFrame:
    n_rows = len(graphs)
    table = pd.DataFrame({"row": np.arange(n_rows)})
    table["target"] = [""] * n_rows if graphs.targets is None else graphs.targets.astype(str)
    if graphs.alphabet is None:
        return table.assign(status=OK, reason="")
    smiles, reasons = smiles_of(graphs)
    table["status"] = [INVALID if reason else OK for reason in reasons]
    return table.assign(reason=reasons, smiles=smiles)
