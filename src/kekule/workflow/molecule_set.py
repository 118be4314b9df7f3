"""A table of molecules as a run needs it: read, standardised, laid out, cached.

Symbols: N rows of the table.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from kekule.data import INVALID, MoleculeTable, RowStatus, Split, StandardisationPolicy
from kekule.data.chunked import Progress
from kekule.data.standardisation import StandardisedRows, changes_table
from kekule.features import (
    MOLECULE_SCHEMA,
    NO_DESCRIPTORS,
    CacheEntry,
    GraphCache,
    PackedGraphs,
    cache_folder,
    described,
    described_schema,
    standard_graphs,
)

STEP_MARK = "\x1f"  # between the steps of a row in the cache
FEW = 4000  # rows that one process has done before others have started
FEW_FINGERPRINTS = 500  # the same, where a row takes longer


@dataclass(frozen=True, eq=False)
class MoleculeSet:
    """Molecules of a table, one a row.

    Attributes
    ----------
    table
        As it was read.
    policy
        By which its molecules were standardised.
    rows
        N standardised SMILES with their statuses.
    graphs
        N graphs under `MOLECULE_SCHEMA`, with descriptors where a set of them was asked for;
        without nodes where a row is invalid.
    """

    table: MoleculeTable
    policy: StandardisationPolicy
    rows: StandardisedRows
    graphs: PackedGraphs

    name = property(lambda self: self.table.name)
    source = property(lambda self: self.table.source)
    sha256 = property(lambda self: self.table.sha256)

    def __len__(self) -> int:
        """Return N."""
        return len(self.table)

    @property
    def columns(self) -> pd.DataFrame:
        """The table's own columns."""
        return self.table.frame

    @property
    def is_molecular(self) -> bool:
        """Whether there are SMILES to show: always."""
        return True

    def targets(self) -> list[str]:
        """Class of each row as spelt; empty where there is none."""
        return [""] * len(self) if self.table.targets is None else self.table.targets.names()

    def smiles(self) -> tuple[list[str], list[str]]:
        """SMILES of each row as used, and doubts about them: none, they were read as SMILES."""
        return self.rows.smiles, [""] * len(self)

    def audit(
        self, *, split: Split | None, processes: int, progress: Progress | None
    ) -> dict[str, Any]:
        """Look the table over; see `kekule.data.audit`."""
        from kekule.data.audit import audit_molecules  # not where the audit is left out

        processes = processes if len(self) > FEW else 1
        return audit_molecules(
            self.table, self.rows, split=split, processes=processes, progress=progress
        )

    def changes(self) -> pd.DataFrame:
        """Every molecule that standardisation changed: row, input, output, steps."""
        return changes_table(self.table.structures, self.rows)

    def examples(self, rows: NDArray[np.int64]) -> tuple[str, ...]:
        """Structures of some rows as given, for a bundle to replay."""
        return tuple(self.table.structures[row] for row in rows.tolist())

    def packed(self, rows: NDArray[np.int64]) -> PackedGraphs:
        """Graphs of some rows."""
        return self.graphs.take(rows)

    def fingerprints(
        self,
        rows: NDArray[np.int64],
        names: tuple[str, ...],
        *,
        cache: Path | None,
        processes: int,
        progress: Progress | None,
    ) -> dict[str, NDArray[np.generic]]:
        """Fingerprints of some rows by name, kept in the cache."""
        if not names:
            return {}
        from kekule.features.fingerprints import stored_fingerprints  # RDKit's are slow to load

        return stored_fingerprints(
            [self.rows.smiles[row] for row in rows.tolist()],
            names,
            cache=cache_folder() if cache is None else cache,
            processes=processes if len(rows) > FEW_FINGERPRINTS else 1,
            progress=progress,
        )

    def molecules(self, rows: NDArray[np.int64]) -> list[Chem.Mol | None]:
        """Molecules of some rows, to be drawn."""
        return [Chem.MolFromSmiles(self.rows.smiles[row]) for row in rows.tolist()]

    def node_names(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Code of the element of each atom of some rows, and the elements of the codes."""
        elements = self.graphs.take(rows).nodes[:, 0]
        values, codes = np.unique(elements, return_inverse=True)
        table, numbers = Chem.GetPeriodicTable(), MOLECULE_SCHEMA.nodes[0].values
        return codes, tuple(table.GetElementSymbol(numbers[code]) for code in values.tolist())


def molecule_set(
    table: MoleculeTable,
    policy: StandardisationPolicy,
    *,
    descriptors: str = NO_DESCRIPTORS,
    cache: Path | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> MoleculeSet:
    """Standardise and lay out a table, or take that from the cache.

    Parameters
    ----------
    table
        What was read.
    policy
        How its molecules are standardised.
    descriptors
        Set of descriptors beside the graphs.
    cache
        Folder of earlier results; the user's own where None.
    processes, progress
        As for `kekule.features.standard_graphs`.
    """
    schema = described_schema(descriptors)

    def make() -> CacheEntry:
        read = standard_graphs(
            table.structures,
            policy,
            reasons=table.reasons,
            processes=processes if len(table) > FEW else 1,
            progress=progress,
        )
        found = described(read, schema, processes=processes, progress=progress)
        return CacheEntry(found.graphs, _frame(found.rows))

    key = {
        "data": table.sha256,
        "structures": _hash_of(table.structures, table.reasons),
        "policy": policy.model_dump_json(),
        "schema": schema.sha256,
        "rdkit": version("rdkit"),
        "kekule": version("kekule"),
    }
    entry = GraphCache(cache_folder() if cache is None else cache).load_or_make(key, make)
    return MoleculeSet(table, policy, _rows(entry.rows), entry.graphs)


def _hash_of(*columns: list[str]) -> str:
    """Hash of texts as they were read: one file may be read in more ways than one."""
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def _frame(rows: StandardisedRows) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "smiles": rows.smiles,
            "status": [status.status for status in rows.statuses],
            "reason": [status.reason for status in rows.statuses],
            "steps": [STEP_MARK.join(steps) for steps in rows.steps],
        },
        dtype=str,
    )


def _rows(frame: pd.DataFrame) -> StandardisedRows:
    return StandardisedRows(
        smiles=frame["smiles"].tolist(),
        statuses=[
            RowStatus(status, reason)
            for status, reason in zip(frame["status"], frame["reason"], strict=True)
        ],
        steps=[tuple(steps.split(STEP_MARK)) if steps else () for steps in frame["steps"]],
    )


def invalid_rows(statuses: list[RowStatus]) -> NDArray[np.bool_]:
    """Where a row cannot be used, (N,)."""
    return np.array([status.status == INVALID for status in statuses], dtype=bool)
