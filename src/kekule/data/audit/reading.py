"""What became of the rows of a table when they were read and standardised."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from kekule.data.audit.findings import (
    AMBER,
    GREEN,
    MOST_ROWS,
    RED,
    Finding,
    counted,
    finding,
    share,
)
from kekule.data.molecule_table import MoleculeTable
from kekule.data.rows import INVALID, WARNING
from kekule.data.smiles import shorten
from kekule.data.standardisation import StandardisedRows

_FEW_ROWS = 100
_MANY_INVALID = 0.2
_UNREADABLE = (
    "They keep their row number and are left out of training. Correct them by name or registry "
    "number; a wrong valence is mostly a lost charge or a metal drawn with covalent bonds."
)
_WRONG_COLUMN = (
    "So many cannot be read that the column may hold something else than SMILES: see the first "
    "reasons, and name the column with smiles=."
)
_EMPTY = "Without a structure there is nothing to learn from; look it up by name or number."
_DOUBTS = "They are used, with a reservation each: read the reasons before trusting these rows."


def reading_findings(table: MoleculeTable, rows: StandardisedRows) -> list[Finding]:
    """Findings on how many rows there are, could be read, and were changed."""
    n = len(table)
    few = n < _FEW_ROWS
    advice = f"With fewer than {_FEW_ROWS} rows any score is rough; look at its interval."
    return [
        finding("rows", AMBER if few else GREEN, n, advice if few else ""),
        *_invalid(table, rows),
        _warnings(table, rows),
        _changes(rows),
    ]


def _invalid(table: MoleculeTable, rows: StandardisedRows) -> list[Finding]:
    reasons = {
        row: table.reasons[row] or rows.statuses[row].reason
        for row in range(len(table))
        if table.reasons[row] or rows.statuses[row].status == INVALID
    }
    empty = [r for r in reasons if not table.structures[r].strip() and not table.reasons[r]]
    unreadable = sorted(set(reasons) - set(empty))
    many = len(unreadable) > _MANY_INVALID * len(table)
    verdict = RED if many else AMBER if unreadable else GREEN
    advice = _WRONG_COLUMN if many else _UNREADABLE if unreadable else ""
    return [
        finding(
            "unparsable rows",
            verdict,
            _of(unreadable, len(table)),
            advice,
            rows=unreadable,
            table=[_line(table, row, reasons[row]) for row in unreadable[:MOST_ROWS]],
        ),
        finding(
            "empty structures",
            AMBER if empty else GREEN,
            _of(empty, len(table)),
            _EMPTY if empty else "",
            rows=empty,
        ),
    ]


def _warnings(table: MoleculeTable, rows: StandardisedRows) -> Finding:
    doubted = [row for row, status in enumerate(rows.statuses) if status.status == WARNING]
    lines = [_line(table, row, rows.statuses[row].reason) for row in doubted[:MOST_ROWS]]
    verdict, advice = (AMBER, _DOUBTS) if doubted else (GREEN, "")
    value = _of(doubted, len(table))
    return finding("rows with warnings", verdict, value, advice, rows=doubted, table=lines)


def _changes(rows: StandardisedRows) -> Finding:
    """Count the rows each kind of step changed; what a step removed is not told apart."""
    kinds: Counter[str] = Counter()
    for steps in rows.steps:
        kinds.update({_kind(step) for step in steps})
    changed = np.flatnonzero([bool(steps) for steps in rows.steps]).tolist()
    value = _of(changed, len(rows.smiles))
    if kinds:
        value += ": " + ", ".join(f"{kind} {n:,}" for kind, n in kinds.most_common())
    table = [{"step": kind, "rows": n} for kind, n in kinds.most_common()]
    return finding("changed by standardisation", GREEN, value, "", rows=changed, table=table)


def _kind(step: str) -> str:
    return step.partition(", removed ")[0]


def _line(table: MoleculeTable, row: int, reason: str) -> dict[str, object]:
    return {"row": row, "structure": shorten(table.structures[row], 200), "reason": reason}


def _of(rows: Sequence[int], n: int) -> str:
    return f"{counted(len(rows), 'row')} of {n:,} ({share(len(rows), n)})" if rows else "none"
