"""Data sets: which there are, fetching them, and laying them out for other programs."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from kekule._errors import MoleculeError, OutputError
from kekule.data import INVALID, OK, SETS, find_set, molecule_from_graph
from kekule.features import pack, save_packed, schema_of
from kekule.workflow.predicting import write_csv


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
                "here": str(raw / name)
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
        A name ending in ``.csv``: one row a graph with its class and, for molecules, its
        SMILES. Anything else: a folder of packed arrays, one ``.npy`` each.

    Raises
    ------
    DataFileError
        If there is no such set.
    OutputError
        If `out` cannot be written or is there already.
    """
    out = Path(out)
    graphs = find_set(data)
    if out.suffix == ".csv":
        write_csv(_molecule_table(data), out)
        return out
    if out.exists():
        raise OutputError(out, "it is there already", "Remove it, or give another -o.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as half:
            save_packed(pack(graphs, schema_of(graphs)), Path(half) / "packed")
            if graphs.targets is not None:
                np.save(Path(half) / "packed" / "targets.npy", graphs.targets)
            shutil.move(str(Path(half) / "packed"), out)
    except OSError as error:
        raise OutputError(
            out, f"cannot be written: {error.strerror}", "Give another -o."
        ) from None
    return out


def _molecule_table(data: str) -> pd.DataFrame:
    from rdkit import Chem

    graphs = find_set(data)
    rows = []
    for row in range(len(graphs)):
        status, reason, smiles = OK, "", ""
        try:
            smiles = Chem.MolToSmiles(molecule_from_graph(graphs, row))
        except MoleculeError as error:
            status, reason = INVALID, error.why
        target = "" if graphs.targets is None else str(graphs.targets[row])
        rows.append((row, target, status, reason, smiles))
    return pd.DataFrame(rows, columns=["row", "target", "status", "reason", "smiles"])
