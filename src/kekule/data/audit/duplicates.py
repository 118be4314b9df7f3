"""The same molecule in several rows: as drawn, as a parent, or but for its stereo.

Three degrees, each told apart from the finer one: a pair of salt forms is a parent
duplicate and no exact one, a pair of enantiomers neither. A conflict is a group whose rows
have two labels of one task.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.findings import AMBER, GREEN, MOST_ROWS, RED, Finding, counted, finding
from kekule.data.audit.groups import by_share, codes_of, conflicting_tasks, groups_of, misfits
from kekule.data.audit.looked_at import LookedAt
from kekule.data.smiles import shorten


class _Degree(NamedTuple):
    name: str
    worst: str  # colour its conflicts may have at most
    same: str  # why the group is a problem
    conflict: str  # and why it is one if its labels differ


_EXACT = _Degree(
    "exact duplicates",
    RED,
    "Under random folds a molecule is tested by a model that has seen it. Merge the rows, or keep "
    "them on one side of the split.",
    "One structure with two labels: a typing mistake, two assays, or two measurements near the "
    "threshold. No model can get both right, so they bound every score. Look them up, or let the "
    "duplicates policy drop them.",
)
_PARENT = _Degree(
    "parent duplicates",
    RED,
    "Salts, charge states or tautomers of one parent, drawn differently. A model of the "
    "standardised structure sees them as one molecule: treat them as duplicates.",
    "Forms of one parent carry different labels, and a model of the standardised structure cannot "
    "tell them apart. A salt rarely changes what a molecule does in solution, so mostly one of "
    "the labels is wrong.",
)
_FLAT = _Degree(
    "stereo-ignoring duplicates",
    AMBER,
    "Stereoisomers of one skeleton, or one drawn with stereo and once without. They are near "
    "doubles: keep them on one side of the split.",
    "Stereoisomers with different labels are interesting if the stereo was measured, and noise if "
    "one was merely drawn without. A model that drops stereo cannot tell them apart.",
)


def duplicate_findings(seen: LookedAt) -> list[Finding]:
    """Findings on duplicates and on their conflicts, from the strictest degree on."""
    exact, parent = codes_of(seen.facts.canonical), codes_of(seen.smiles)
    every = np.arange(len(seen))
    return [
        *_of_degree(_EXACT, exact, every, seen),
        *_of_degree(_PARENT, parent, exact, seen),
        *_of_degree(_FLAT, seen.flat, parent, seen),
    ]


def _of_degree(
    degree: _Degree, codes: NDArray[np.int64], finer: NDArray[np.int64], seen: LookedAt
) -> list[Finding]:
    """Two findings: groups that are one by `codes` and several by `finer`, and conflicts."""
    groups = [group for group in groups_of(codes) if len(set(finer[group].tolist())) > 1]
    extra = sum(len(set(finer[group].tolist())) - 1 for group in groups)
    value = f"{counted(extra, 'structure')} beyond the first of {counted(len(groups), 'group')}"
    found = finding(
        degree.name,
        AMBER if groups else GREEN,
        value if groups else "none",
        degree.same if groups else "",
        rows=_rows(groups, seen),
        table=[_line(group, seen) for group in groups[:MOST_ROWS]],
    )
    return [found] if seen.labels is None else [found, _conflicts(degree, groups, seen)]


def _conflicts(degree: _Degree, groups: list[list[int]], seen: LookedAt) -> Finding:
    labels = seen.labels
    if labels is None:
        return finding(f"conflicting {degree.name}", GREEN, "no labels", "")
    found = [group for group in groups if conflicting_tasks(group, labels)]
    wrong = sum(misfits(group, labels) for group in found)
    n_rows = sum(map(len, found))
    value = f"{counted(len(found), 'group')}, {wrong:,} of {n_rows:,} rows unavoidably wrong"
    colour = by_share(wrong, len(seen))
    return finding(
        f"conflicting {degree.name}",
        AMBER if colour == RED != degree.worst else colour,
        value if found else "none",
        degree.conflict if found else "",
        rows=_rows(found, seen),
        table=[_line(group, seen) for group in found[:MOST_ROWS]],
    )


def _rows(groups: list[list[int]], seen: LookedAt) -> list[int]:
    return [int(seen.usable[position]) for group in groups for position in group]


def _line(group: list[int], seen: LookedAt) -> dict[str, object]:
    """A group with its labels; of several tasks, of those in conflict."""
    tasks = conflicting_tasks(group, seen.labels)
    several = seen.targets is not None and len(seen.targets.tasks) > 1
    return {
        "smiles": shorten(seen.smiles[group[0]], 200),
        "rows": seen.usable[group].tolist(),
        "labels": "agree"
        if several and not tasks
        else [seen.label_text(position, tasks) for position in group],
    }
