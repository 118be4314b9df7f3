"""What is done about a molecule that stands in the table more than once.

A duplicate on both sides of a split makes a score too good, and a duplicate with two labels
teaches that one of them is wrong. Each is settled by a policy the recipe names, and every
row that is set aside says which row it repeats and whether they agree.

Two rows agree if no task has a label of one and another label of the other: a missing
label agrees with any. Rows that agree are merged in the first of them, which takes the
labels it lacks from the others in their order, so that no measurement is lost.

What is in conflict is a label, not a molecule: where a policy believes none of the labels
of one task, that label alone is set aside, and the molecule stays with what it has of the
other tasks. It is set aside whole where nothing is left, as it always is with one task.
Of Tox21's twelve tasks 60 molecules disagree about some: they lose 85 labels that way, and
would lose 608 more with their rows.

Symbols: N rows, T tasks. Must not know RDKit: what the same molecule is, the caller says.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kekule.data.duplicate_reasons import Labels, Reasons, in_conflict
from kekule.data.molecule_table import MISSING, Targets

DuplicatePolicy = Literal["keep", "drop-conflicts", "majority", "first"]


class DuplicateGroup(NamedTuple):
    """Rows of one molecule.

    ``conflicts`` names the tasks with more than one known label; ``kept`` is the row that
    stands for the molecule, None where all are set aside or all are kept. ``dropped`` names
    the tasks whose label the kept row lost.
    """

    key: str
    rows: tuple[int, ...]
    conflicts: tuple[str, ...]
    kept: int | None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class DuplicateResolution:
    """What became of the duplicates of a table of N rows.

    Attributes
    ----------
    policy
        The policy that was followed.
    kept
        bool (N,): usable rows that stay. A row that was not usable is not kept and has no
        reason here; it has its own.
    reasons
        N strings: why a usable row was set aside, else empty.
    targets
        Labels with what the kept rows took over, and without what they lost; None where
        none were given.
    groups
        Molecules of more than one row, in the order of their first rows.
    remarks
        N strings: which labels a kept row lost, and to which rows, else empty.
    """

    policy: DuplicatePolicy
    kept: NDArray[np.bool_]
    reasons: list[str]
    targets: Targets | None
    groups: tuple[DuplicateGroup, ...]
    remarks: list[str]

    @property
    def n_duplicates(self) -> int:
        """Rows beyond the first of their molecule."""
        return sum(len(group.rows) - 1 for group in self.groups)

    @property
    def n_conflicts(self) -> int:
        """Molecules whose rows do not agree."""
        return sum(bool(group.conflicts) for group in self.groups)

    @property
    def n_merged(self) -> int:
        """Rows set aside for one they agree with, but for labels that are set aside too."""
        return sum(len(group.rows) - 1 for group in self._set_aside if self._agrees(group))

    @property
    def n_set_aside(self) -> int:
        """Rows set aside because of a conflict."""
        conflicts = [group for group in self._set_aside if not self._agrees(group)]
        return sum(len(group.rows) - (group.kept is not None) for group in conflicts)

    @property
    def n_dropped(self) -> int:
        """Labels that kept rows lost."""
        return sum(len(group.dropped) for group in self.groups)

    @property
    def summary(self) -> str:
        """One sentence for the report."""
        if not self.groups:
            return "No molecule stands in the table twice."
        molecules = _counted(len(self.groups), "molecule")
        found = f"{_counted(self.n_duplicates, 'duplicate')} of {molecules}"
        if self.policy == "keep":
            return f"{found}, {_counted(self.n_conflicts, 'conflict')}: all rows kept."
        merged = f"{found}: {_counted(self.n_merged, 'row')} merged"
        if self.n_dropped:
            merged += f", {_counted(self.n_dropped, 'label')} in conflict set aside"
        if not self.n_conflicts:
            return f"{merged}."
        aside = _counted(self.n_set_aside, "row")
        conflicts = _counted(self.n_conflicts, "conflict")
        if self.policy == "drop-conflicts":
            told = f", {aside} in {conflicts} set aside"
            if self.n_dropped:
                told = f", and {aside} left with no label" if self.n_set_aside else ""
            return f"{merged}{told}."
        judge = "majority" if self.policy == "majority" else "first row"
        return f"{merged}, {conflicts} left to the {judge}, {aside} set aside."

    @property
    def _set_aside(self) -> tuple[DuplicateGroup, ...]:
        return () if self.policy == "keep" else self.groups

    def _agrees(self, group: DuplicateGroup) -> bool:
        """Whether nothing is in conflict, or nothing once the labels in conflict are gone."""
        return not group.conflicts or (self.policy == "drop-conflicts" and group.kept is not None)


def resolve_duplicates(
    keys: Sequence[str],
    targets: Targets | None,
    policy: DuplicatePolicy = "drop-conflicts",
    *,
    usable: NDArray[np.bool_],
) -> DuplicateResolution:
    """Settle which rows stand for the molecules of a table.

    Parameters
    ----------
    keys
        N texts, equal for the same molecule: standardised SMILES. A row whose key is empty
        is the duplicate of none.
    targets
        N rows of labels, or None where there are none and nothing can be in conflict.
    policy
        What to do with a molecule whose rows do not agree. ``keep`` leaves all rows of the
        table, agreeing ones too: only for a table whose splits keep them together.
        ``drop-conflicts`` sets every label in conflict aside. ``majority`` keeps the first
        row that goes with the most frequent label of each task, and sets a label aside
        where a task has no such one. ``first`` believes the first row that has the label.
        A molecule that has lost a label and has no other is set aside, all its rows.
    usable
        bool (N,); the other rows are left out of it all.

    Raises
    ------
    ValueError
        If there is no such policy.
    """
    if policy not in get_args(DuplicatePolicy):
        raise ValueError(f"no policy {policy!r}; choose one of {get_args(DuplicatePolicy)}")
    reasons = [""] * len(keys)
    codes = np.zeros((len(keys), 0), np.int64) if targets is None else targets.codes.copy()
    tasks = () if targets is None else targets.tasks
    groups, remarks = [], [""] * len(keys)
    for key, rows in _repeated(keys, usable).items():
        labels = codes[rows]
        conflicts = in_conflict(labels)
        names = tuple(np.array(tasks, dtype=object)[conflicts].tolist())
        kept, dropped = None, np.zeros(len(tasks), dtype=bool)
        if policy != "keep":
            merged = _merged(labels, conflicts, policy)
            why = Reasons(rows, labels, tasks, policy)
            if conflicts.any() and (merged == MISSING).all():
                told = why.of_a_dispute()
            else:
                kept, dropped = rows[_stand_in(labels, merged)], conflicts & (merged == MISSING)
                codes[kept] = merged
                told = why.of_repetitions(kept, merged)
                remarks[kept] = why.of_losses(dropped)
            for row, reason in zip(rows, told, strict=True):
                reasons[row] = reason
        lost = tuple(name for name, gone in zip(tasks, dropped.tolist(), strict=True) if gone)
        groups.append(DuplicateGroup(key, tuple(rows), names, kept, lost))
    return DuplicateResolution(
        policy=policy,
        kept=usable & np.array([not reason for reason in reasons], dtype=bool),
        reasons=reasons,
        targets=None if targets is None else replace(targets, codes=codes),
        groups=tuple(groups),
        remarks=remarks,
    )


def _repeated(keys: Sequence[str], usable: NDArray[np.bool_]) -> dict[str, list[int]]:
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(usable).tolist():
        if keys[row]:
            rows_of.setdefault(keys[row], []).append(row)
    return {key: rows for key, rows in rows_of.items() if len(rows) > 1}


def _merged(labels: Labels, conflicts: NDArray[np.bool_], policy: DuplicatePolicy) -> Labels:
    """Labels (T,) of the molecule; `MISSING` also where the policy believes none of them."""
    believed = []
    for column, conflict in zip(labels.T, conflicts.tolist(), strict=True):
        known = [code for code in column.tolist() if code != MISSING]
        ranked = Counter(known).most_common(2)  # of equals the first seen
        even = len(ranked) == 2 and ranked[0][1] == ranked[1][1]
        if (conflict and policy == "drop-conflicts") or (even and policy == "majority"):
            believed.append(MISSING)
        else:
            majority = policy == "majority" and known
            believed.append(ranked[0][0] if majority else [*known, MISSING][0])
    return np.array(believed, dtype=np.int64)


def _stand_in(labels: Labels, merged: Labels) -> int:
    """The first of the rows that contradict what is believed of the molecule the least."""
    differing = (labels != MISSING) & (merged != MISSING) & (labels != merged)
    return int(differing.sum(axis=1).argmin())


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
