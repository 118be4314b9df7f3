"""What is known of the classification sets of MoleculeNet, and where a fetched one is.

A set is a table whose file, SMILES column and labels are PyTorch Geometric's choice (its
`MoleculeNet`); a test holds the entries here to its table. Numbers of rows are those it
states. Sets to regress on are known by name alone, so that asking for one is answered.

References
----------
Wu et al. 2018, MoleculeNet, https://arxiv.org/abs/1703.00564.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kekule._errors import DataFileError
from kekule.data.sets import RAW


@dataclass(frozen=True)
class MoleculeSetEntry:
    """What is known of a set before it is read.

    Attributes
    ----------
    name
        As MoleculeNet spells it.
    file
        Name of its table, unpacked.
    n_rows, n_tasks
        Counts; every task has two classes.
    tasks
        Columns of the labels, where they are few enough to name.
    first_task
        Where they are not: the column at which `n_tasks` columns of labels begin.
    packed
        Whether it is fetched as ``file.gz``.
    structure_columns
        What the SMILES column is called, in one copy of the set or another.
    """

    name: str
    file: str
    n_rows: int
    n_tasks: int
    tasks: tuple[str, ...] = ()
    first_task: int = 0
    packed: bool = False
    structure_columns: tuple[str, ...] = ("smiles",)

    def columns(self, header: Sequence[str]) -> "MoleculeColumns | None":
        """Find the columns of the set in the first line of a table; None if one is not there."""
        found = next((name for name in self.structure_columns if name in header), None)
        begin = self.first_task
        tasks = self.tasks or tuple(header[begin : begin + self.n_tasks])
        whole = len(tasks) == self.n_tasks and {*tasks} <= {*header} - {found}
        return MoleculeColumns(found, tasks) if found is not None and whole else None

    def lacks(self, header: Sequence[str]) -> str:
        """Say which column of the set the first line of a table has not; empty if it has all."""
        if not {*self.structure_columns} & {*header}:
            return f"no column {' or '.join(map(repr, self.structure_columns))}"
        absent = next((name for name in self.tasks if name not in header), None)
        if absent is not None:
            return f"no column {absent!r}"
        return "" if self.columns(header) else f"fewer than {self.n_tasks} columns of labels"


class MoleculeColumns(NamedTuple):
    """Which columns of a table hold what."""

    smiles_column: str
    targets: tuple[str, ...]


class MoleculeSource(NamedTuple):
    """A fetched set: its table, and which columns of it hold what."""

    path: Path
    smiles_column: str
    targets: tuple[str, ...]


_TOX21 = """NR-AR NR-AR-LBD NR-AhR NR-Aromatase NR-ER NR-ER-LBD NR-PPAR-gamma
SR-ARE SR-ATAD5 SR-HSE SR-MMP SR-p53"""
_MUV = "466 548 600 644 652 689 692 712 713 733 737 810 832 846 852 858 859"
_SIDER = """Hepatobiliary disorders
Metabolism and nutrition disorders
Product issues
Eye disorders
Investigations
Musculoskeletal and connective tissue disorders
Gastrointestinal disorders
Social circumstances
Immune system disorders
Reproductive system and breast disorders
Neoplasms benign, malignant and unspecified (incl cysts and polyps)
General disorders and administration site conditions
Endocrine disorders
Surgical and medical procedures
Vascular disorders
Blood and lymphatic system disorders
Skin and subcutaneous tissue disorders
Congenital, familial and genetic disorders
Infections and infestations
Respiratory, thoracic and mediastinal disorders
Psychiatric disorders
Renal and urinary disorders
Pregnancy, puerperium and perinatal conditions
Ear and labyrinth disorders
Cardiac disorders
Nervous system disorders
Injury, poisoning and procedural complications"""

_ENTRIES = (
    MoleculeSetEntry("BACE", "bace.csv", 1513, 1, ("Class",), structure_columns=("smiles", "mol")),
    MoleculeSetEntry("BBBP", "BBBP.csv", 2050, 1, ("p_np",)),
    MoleculeSetEntry("ClinTox", "clintox.csv", 1484, 2, ("FDA_APPROVED", "CT_TOX"), packed=True),
    MoleculeSetEntry("HIV", "HIV.csv", 41127, 1, ("HIV_active",)),
    MoleculeSetEntry(
        "MUV", "muv.csv", 93087, 17, tuple(f"MUV-{n}" for n in _MUV.split()), packed=True
    ),
    MoleculeSetEntry("PCBA", "pcba.csv", 437929, 128, packed=True),
    MoleculeSetEntry("SIDER", "sider.csv", 1427, 27, tuple(_SIDER.split("\n")), packed=True),
    MoleculeSetEntry("Tox21", "tox21.csv", 7831, 12, tuple(_TOX21.split()), packed=True),
    MoleculeSetEntry("ToxCast", "toxcast_data.csv", 8597, 617, first_task=1, packed=True),
)
MOLECULE_SETS: dict[str, MoleculeSetEntry] = {entry.name: entry for entry in _ENTRIES}

REGRESSION_SETS = {"esol": "ESOL", "freesolv": "FreeSolv", "lipo": "Lipo", "lipophilicity": "Lipo"}
_BY_LOWER_NAME = {name.lower(): entry for name, entry in MOLECULE_SETS.items()}


def molecule_set_entry(name: str) -> MoleculeSetEntry | None:
    """Find the entry of a set by its name in any case."""
    return _BY_LOWER_NAME.get(name.lower())


def find_molecule_set(name_or_path: str | Path, *, raw: Path = RAW) -> MoleculeSource | None:
    """Find a fetched set and the columns of its table.

    Parameters
    ----------
    name_or_path
        A name such as ``BBBP`` in any case, or the folder `kekule.data.get_set` gave back.
    raw
        Where `kekule.data.get_set` puts the sets it fetches.

    Returns
    -------
    MoleculeSource
        None if this is no name of a set, or the set is not here.

    Raises
    ------
    DataFileError
        If the table that is here lacks a column of the set.
    """
    folder = Path(name_or_path).expanduser()
    entry = molecule_set_entry(folder.name)
    if entry is None:
        return None
    places = [folder]
    if folder.name == str(name_or_path):  # a bare name
        places += [raw / entry.name, raw / entry.name.lower()]
    tables = (place / "raw" / entry.file for place in places)
    path = next((table for table in tables if table.is_file()), None)
    return None if path is None else _source(path, entry)


def _source(path: Path, entry: MoleculeSetEntry) -> MoleculeSource:
    cure = f"Remove {path.parents[1]} and fetch the set again with `kekule data get {entry.name}`."
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, ValueError, csv.Error) as error:
        raise DataFileError(path, f"its first line cannot be read ({error})", cure) from error
    columns = entry.columns(header)
    if columns is None:
        why = f"this is no table of {entry.name}: it has {entry.lacks(header)}"
        raise DataFileError(path, why, cure, line=1)
    return MoleculeSource(path, *columns)
