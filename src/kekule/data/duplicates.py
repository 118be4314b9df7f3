"""What is done about a molecule that stands in the table more than once.

A duplicate on both sides of a split makes a score too good, and a duplicate with two labels
teaches that one of them is wrong. Each is settled by a policy the recipe names, and every
row that is set aside says which row it repeats and whether they agree.

Two rows agree if no task has a label of one and another label of the other: a missing
label agrees with any. Rows that agree are merged in the first of them, which takes the
labels it lacks from the others in their order, so that no measurement is lost.

Symbols: N rows, T tasks. Must not know RDKit: what the same molecule is, the caller says.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kekule.data.molecule_table import MISSING, Targets

DuplicatePolicy = Literal["keep", "drop-conflicts", "majority", "first"]
Labels = NDArray[np.int64]


class DuplicateGroup(NamedTuple):
    """Rows of one molecule.

    ``conflicts`` names the tasks with more than one known label; ``kept`` is the row that
    stands for the molecule, None where all are set aside or all are kept.
    """

    key: str
    rows: tuple[int, ...]
    conflicts: tuple[str, ...]
    kept: int | None


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
        Labels with what the kept rows took over; None where none were given.
    groups
        Molecules of more than one row, in the order of their first rows.
    """

    policy: DuplicatePolicy
    kept: NDArray[np.bool_]
    reasons: list[str]
    targets: Targets | None
    groups: tuple[DuplicateGroup, ...]

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
        """Rows set aside for one they agree with."""
        return sum(len(group.rows) - 1 for group in self._set_aside if not group.conflicts)

    @property
    def n_set_aside(self) -> int:
        """Rows set aside because of a conflict."""
        conflicts = [group for group in self._set_aside if group.conflicts]
        return sum(len(group.rows) - (group.kept is not None) for group in conflicts)

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
        if not self.n_conflicts:
            return f"{merged}."
        aside = _counted(self.n_set_aside, "row")
        conflicts = _counted(self.n_conflicts, "conflict")
        if self.policy == "drop-conflicts":
            return f"{merged}, {aside} in {conflicts} set aside."
        judge = "majority" if self.policy == "majority" else "first row"
        return f"{merged}, {conflicts} left to the {judge}, {aside} set aside."

    @property
    def _set_aside(self) -> tuple[DuplicateGroup, ...]:
        return () if self.policy == "keep" else self.groups


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
        ``drop-conflicts`` sets all its rows aside. ``majority`` keeps the first row that
        goes with the most frequent label of each task, and sets all aside where a task has
        no such label. ``first`` believes the first row.
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
    groups = []
    for key, rows in _repeated(keys, usable).items():
        labels = codes[rows]
        in_conflict = _in_conflict(labels)
        names = tuple(np.array(tasks, dtype=object)[in_conflict].tolist())
        kept = None
        if policy != "keep":
            merged = _merged(labels, in_conflict, policy)
            why = _Reasons(rows, labels, tasks, policy)
            if merged is None:
                told = why.of_a_dispute()
            else:
                kept = rows[_stand_in(labels, merged)]
                codes[kept] = merged
                told = why.of_repetitions(kept, merged)
            for row, reason in zip(rows, told, strict=True):
                reasons[row] = reason
        groups.append(DuplicateGroup(key, tuple(rows), names, kept))
    return DuplicateResolution(
        policy=policy,
        kept=usable & np.array([not reason for reason in reasons], dtype=bool),
        reasons=reasons,
        targets=None if targets is None else replace(targets, codes=codes),
        groups=tuple(groups),
    )


def _repeated(keys: Sequence[str], usable: NDArray[np.bool_]) -> dict[str, list[int]]:
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(usable).tolist():
        if keys[row]:
            rows_of.setdefault(keys[row], []).append(row)
    return {key: rows for key, rows in rows_of.items() if len(rows) > 1}


def _in_conflict(labels: Labels) -> NDArray[np.bool_]:
    """Tasks (T,) for which the rows know more than one label."""
    return np.array([len(set(column.tolist()) - {MISSING}) > 1 for column in labels.T], dtype=bool)


def _merged(
    labels: Labels, in_conflict: NDArray[np.bool_], policy: DuplicatePolicy
) -> Labels | None:
    """Labels (T,) of the molecule, or None where the policy believes none of its rows."""
    if in_conflict.any() and policy == "drop-conflicts":
        return None
    believed = []
    for column in labels.T:
        known = [code for code in column.tolist() if code != MISSING]
        ranked = Counter(known).most_common(2)  # of equals the first seen
        if policy == "majority" and len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
            return None
        choice = ranked[0][0] if policy == "majority" and known else [*known, MISSING][0]
        believed.append(choice)
    return np.array(believed, dtype=np.int64)


def _stand_in(labels: Labels, merged: Labels) -> int:
    """The first of the rows that contradict what is believed of the molecule the least."""
    contradictions = ((labels != MISSING) & (labels != merged)).sum(axis=1)
    return int(contradictions.argmin())


class _Reasons(NamedTuple):
    """Why rows of one molecule are set aside."""

    rows: list[int]
    labels: Labels
    tasks: tuple[str, ...]
    policy: DuplicatePolicy

    def of_a_dispute(self) -> list[str]:
        """For every row, where none is kept."""
        return [self._dispute(k) for k in range(len(self.rows))]

    def of_repetitions(self, kept: int, merged: Labels) -> list[str]:
        """For every row, empty for the one that is kept."""
        own = self.labels[self.rows.index(kept)]
        return [
            "" if row == kept else self._repetition(own, other, merged, kept)
            for row, other in zip(self.rows, self.labels, strict=True)
        ]

    def _repetition(self, own: Labels, other: Labels, merged: Labels, kept: int) -> str:
        differing = self._tasks((other != MISSING) & (other != merged))
        if differing:
            why = "the majority's" if self.policy == "majority" else "the first"
            return f"same molecule as row {kept}, with another label of {differing}; kept is {why}"
        given = self._tasks((own == MISSING) & (other != MISSING))
        if given:
            return f"duplicate of row {kept}, which takes over its label of {given}"
        return f"duplicate of row {kept}" + (", with the same label" if self.tasks else "")

    def _dispute(self, k: int) -> str:
        ending = ", and no label is in the majority" if self.policy == "majority" else ""
        both = (self.labels != MISSING) & (self.labels[k] != MISSING)
        differing = both & (self.labels != self.labels[k])
        if differing.any():
            other = int(differing.any(axis=1).argmax())
            tasks = self._tasks(differing[other])
            return (
                f"same molecule as row {self.rows[other]}, with another label of {tasks}{ending}"
            )
        others = [row for row in self.rows if row != self.rows[k]]
        tasks = self._tasks(_in_conflict(self.labels))
        return f"same molecule as rows {_joined(others)}, whose labels of {tasks} differ{ending}"

    def _tasks(self, mask: NDArray[np.bool_]) -> str:
        return _joined([self.tasks[t] for t in np.flatnonzero(mask).tolist()])


def _joined(items: Sequence[object], longest: int = 3) -> str:
    """Name a few items, and say how many there are beyond them."""
    named = [str(item) for item in items[:longest]]
    if len(items) > longest:
        named.append(f"{len(items) - longest} more")
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
