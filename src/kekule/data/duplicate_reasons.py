"""Why rows of one molecule are set aside, in words that name the other rows.

Symbols: T tasks.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.molecule_table import MISSING

Labels = NDArray[np.int64]


def in_conflict(labels: Labels) -> NDArray[np.bool_]:
    """Tasks (T,) for which the rows know more than one label."""
    return np.array([len(set(column.tolist()) - {MISSING}) > 1 for column in labels.T], dtype=bool)


class Reasons(NamedTuple):
    """Why rows of one molecule are set aside."""

    rows: list[int]
    labels: Labels
    tasks: tuple[str, ...]
    policy: str

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

    def of_losses(self, dropped: NDArray[np.bool_]) -> str:
        """For the kept row, of the tasks (T,) whose label it lost; empty where there is none."""
        if not dropped.any():
            return ""
        rows = [self.rows[k] for k in np.flatnonzero((self.labels[:, dropped] >= 0).any(axis=1))]
        told = f"as rows {_joined(rows)} differ in it"
        return f"its label of {self._tasks(dropped)} is set aside, {told}"

    def _repetition(self, own: Labels, other: Labels, merged: Labels, kept: int) -> str:
        dropped = (merged == MISSING) & (other != MISSING)
        differing = self._tasks((other != MISSING) & (other != merged) & ~dropped)
        if differing:
            why = "the majority's" if self.policy == "majority" else "the first"
            return f"same molecule as row {kept}, with another label of {differing}; kept is {why}"
        given = self._tasks((own == MISSING) & (other != MISSING) & ~dropped)
        if given:
            return f"duplicate of row {kept}, which takes over its label of {given}"
        if dropped.any():
            tasks = self._tasks(dropped)
            return f"duplicate of row {kept}; of {tasks} their labels differ and are set aside"
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
        tasks = self._tasks(in_conflict(self.labels))
        return f"same molecule as rows {_joined(others)}, whose labels of {tasks} differ{ending}"

    def _tasks(self, mask: NDArray[np.bool_]) -> str:
        return _joined([self.tasks[t] for t in np.flatnonzero(mask).tolist()])


def _joined(items: Sequence[object], longest: int = 3) -> str:
    """Name a few items, and say how many there are beyond them."""
    named = [str(item) for item in items[:longest]]
    if len(items) > longest:
        named.append(f"{len(items) - longest} more")
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
