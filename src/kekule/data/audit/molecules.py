"""What is odd about a table of molecules, told as findings a chemist can act on.

Below: one module for each kind of question. Knows tables, statuses and splits by row; must
not know features, models or scores.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.audit.alerts import alert_findings
from kekule.data.audit.chemistry import chemistry_findings
from kekule.data.audit.duplicates import duplicate_findings
from kekule.data.audit.facts import facts_of
from kekule.data.audit.findings import AMBER, GREEN, Finding, finding, worst
from kekule.data.audit.labels import class_counts, label_findings
from kekule.data.audit.leakage import leakage_findings
from kekule.data.audit.looked_at import LookedAt
from kekule.data.audit.noise import noise_findings
from kekule.data.audit.probes import probe_findings
from kekule.data.audit.reading import reading_findings
from kekule.data.chunked import Progress
from kekule.data.column_choice import TAKEN
from kekule.data.molecule_table import MoleculeTable
from kekule.data.rows import INVALID
from kekule.data.splits.split import Split
from kekule.data.standardisation import StandardisedRows


def audit_molecules(
    table: MoleculeTable,
    rows: StandardisedRows,
    *,
    split: Split | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Look a table of molecules over.

    Parameters
    ----------
    table
        N rows as they were read.
    rows
        What standardisation made of them.
    split
        Which of the N rows are tested when: looked over for molecules on both sides.
    processes
        For what is done molecule by molecule.
    progress
        Told of each stage how far it is.

    Returns
    -------
    dict
        Ready for JSON: ``name``, ``source``, ``sha256``, ``rows``, ``classes`` (count of
        each; of several tasks one such dict a task; None without targets), ``verdict``
        (the worst colour) and ``findings``, each with ``name``, ``verdict``, ``value`` and
        ``advice``, and where there is more to show ``rows`` (row numbers, 50 at most),
        ``table`` (dicts, one a line) and ``figure`` (numbers for a picture).

    Raises
    ------
    KekuleError
        If the standardised rows or the split are not those of the table.
    """
    _check(table, rows, split)
    findings = _findings(table, rows, split, processes=processes, progress=progress)
    return {
        "name": table.name,
        "source": table.source,
        "sha256": table.sha256,
        "rows": len(table),
        "classes": class_counts(table.targets),
        "verdict": worst(findings),
        "findings": findings,
    }


def _findings(
    table: MoleculeTable,
    rows: StandardisedRows,
    split: Split | None,
    *,
    processes: int,
    progress: Progress | None,
) -> list[Finding]:
    usable = _usable(table, rows)
    places = usable.tolist()
    pairs = [(table.structures[row], rows.smiles[row]) for row in places]
    facts = facts_of(pairs, processes=processes, progress=progress)
    seen = LookedAt(table, usable, [smiles for _, smiles in pairs], facts)
    return [
        *reading_findings(table, rows),
        *label_findings(table, usable),
        *duplicate_findings(seen),
        *probe_findings(seen, progress=progress),
        *noise_findings(seen, progress=progress),
        *(leakage_findings(seen, split, progress=progress) if split is not None else ()),
        *chemistry_findings(seen),
        *alert_findings(seen),
        *map(_remark, table.remarks),
    ]


def _remark(text: str) -> Finding:
    """What the reader did: choosing a column is told, anything else wants to be looked at."""
    if text.endswith(f"{TAKEN}."):
        return finding("column of structures", GREEN, text, "")
    advice = "Check that the file was read as it is meant; write it anew as CSV in UTF-8 if not."
    return finding("remark of the reader", AMBER, text, advice)


def _usable(table: MoleculeTable, rows: StandardisedRows) -> NDArray[np.int64]:
    """Rows that hold a molecule, rising."""
    return np.array(
        [
            row
            for row, (smiles, status) in enumerate(zip(rows.smiles, rows.statuses, strict=True))
            if smiles and status.status != INVALID and not table.reasons[row]
        ],
        dtype=np.int64,
    )


def _check(table: MoleculeTable, rows: StandardisedRows, split: Split | None) -> None:
    if len(rows.smiles) != len(table):
        raise KekuleError(
            f"{table.source}: {len(rows.smiles)} standardised rows for a table of {len(table)}. "
            "Standardise the structures of this table."
        )
    if split is not None and len(split.fold) != len(table):
        raise KekuleError(
            f"{table.source}: the split {split.kind!r} is of {len(split.fold)} rows, the table "
            f"has {len(table)}. Tell the split in rows of the table."
        )
