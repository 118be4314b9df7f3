"""Data sets: which there are, fetching them, and laying them out for other programs."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kekule._errors import OutputError
from kekule.data import INVALID, OK, SETS, LabelledGraphs, find_set
from kekule.data.molecule_sets import MOLECULE_SETS
from kekule.features import pack, save_packed, schema_of
from kekule.workflow.csv_file import CURE, write_csv
from kekule.workflow.disk import name_as_text, unwritable
from kekule.workflow.smiles import smiles_of


def list_sets(raw: str | Path = "data/raw") -> pd.DataFrame:
    """Sets the catalogues know, and which are here.

    Returns
    -------
    DataFrame
        ``name``, ``collection`` (``TU`` or ``MoleculeNet``), ``kind``, ``graphs`` (or
        molecules), ``tasks``, ``classes`` of a task, ``here`` (where it would be read from;
        empty if it must be fetched first).
    """
    raw = Path(raw)
    fetched = {path.name for path in raw.iterdir() if path.is_dir()} if raw.is_dir() else set()

    def here(*names: str) -> str:
        return next((name_as_text(raw / name) for name in names if name in fetched), "")

    rows: list[tuple[Any, ...]] = [
        (name, "TU", entry.kind, entry.n_graphs, 1, entry.n_classes, here(name))
        for name, entry in SETS.items()
    ]
    for name, known in MOLECULE_SETS.items():
        place = here(name, name.lower())  # PyTorch Geometric's own folder is in small letters
        rows.append((name, "MoleculeNet", "molecules", known.n_rows, known.n_tasks, 2, place))
    columns = ["name", "collection", "kind", "graphs", "tasks", "classes", "here"]
    table = pd.DataFrame(rows, columns=columns)
    embedded = (table["name"] == "MUTAG") & (table["here"] == "")
    table.loc[embedded, "here"] = "embedded"
    return table


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
