"""All that the questions of an audit share about one table."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.facts import Facts
from kekule.data.audit.groups import codes_of
from kekule.data.molecule_table import MISSING, MoleculeTable, Targets


@dataclass(frozen=True, eq=False)
class LookedAt:
    """A table of N rows and what is known of the U rows that hold a molecule."""

    table: MoleculeTable
    usable: NDArray[np.int64]  # (U,), row of each molecule, rising
    smiles: list[str]  # U, standardised
    facts: Facts  # of the U

    def __len__(self) -> int:
        """Return U."""
        return len(self.smiles)

    @property
    def targets(self) -> Targets | None:
        """Of all N rows."""
        return self.table.targets

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """Codes of the U molecules, (U, T)."""
        return None if self.targets is None else self.targets.codes[self.usable]

    @cached_property
    def flat(self) -> NDArray[np.int64]:
        """One number for molecules that are the same but for stereo, (U,)."""
        return codes_of(self.facts.known_by.flat)

    def label_text(self, position: int, tasks: list[int] | None = None) -> str:
        """Labels of one molecule as spelt in the table, of some tasks or all it has one of."""
        if self.targets is None:
            return ""
        codes = self.targets.codes[self.usable[position]].tolist()
        told = [
            (self.targets.tasks[task], self.targets.classes[task][code])
            for task, code in enumerate(codes)
            if code != MISSING and (not tasks or task in tasks)
        ]
        if len(self.targets.tasks) == 1:
            return "".join(label for _, label in told)
        return ", ".join(f"{task}: {label}" for task, label in told)
