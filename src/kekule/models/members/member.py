"""What a member of an ensemble is: trained on some rows, asked about others, kept as arrays.

A baseline answers once and is gone. A member is shipped: what it has learnt is a handful of
arrays and a few words of JSON, which a bundle stores without pickle and believes only after
`restored` has looked at them. What it reads of a row, its graph or fingerprints, must mean the
same in a year: columns of a fingerprint do, ranks of patterns within one set do not.

Symbols: n rows, T tasks, K classes of each.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kekule.features import PackedGraphs
from kekule.models.baseline import Tables

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Material:
    """What members read of some rows.

    Attributes
    ----------
    graphs
        Of n rows.
    tables
        Fingerprints by name, (n, W) each: those that members need.
    """

    graphs: PackedGraphs
    tables: Tables = field(default_factory=dict)

    def take(self, rows: Rows) -> "Material":
        """Some rows, in the order given."""
        return Material(
            self.graphs.take(rows), {name: table[rows] for name, table in self.tables.items()}
        )

    def __len__(self) -> int:
        """Return n."""
        return len(self.graphs)


class Stored(NamedTuple):
    """A trained member as a bundle keeps it."""

    settings: dict[str, Any]  # JSON; its `kind` says who restores it
    arrays: dict[str, NDArray[Any]]  # numbers alone


class Size(NamedTuple):
    """How much a training has to read, for its time to be told beforehand."""

    rows: int
    columns: int  # of the fingerprints that the member needs, side by side
    nodes: int  # of all graphs
    edges: int  # of all graphs, each direction
    classes: int


class Trained(Protocol):
    """A member after its training."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints that it reads."""
        ...

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """Class probabilities of every row, (n, K); of several tasks (n, T, K)."""
        ...

    def stored(self) -> Stored:
        """All of it, so that `restored` gives a member with the same answers to the last bit."""
        ...


class Member(Protocol):
    """A way to train one.

    Attributes
    ----------
    all_tasks
        Whether one training learns all tasks at once; else each task has one of its own.
    """

    all_tasks: ClassVar[bool]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints that it reads; with any it is of molecules alone."""
        ...

    def train(
        self,
        material: Material,
        targets: NDArray[np.int64],
        *,
        train_rows: Rows,
        held_rows: Rows,
        n_classes: int,
        seed: int,
    ) -> Trained:
        """Learn `train_rows`.

        Parameters
        ----------
        material, targets
            Of all rows; targets int64 (n,), or (n, T) with -1 where there is none of a member
            with `all_tasks`. Those of rows that are in neither set are not read.
        held_rows
            May decide when a training stops, and nothing else. Who has no use for them leaves
            them out: they are not training rows.
        """
        ...

    def seconds(self, size: Size) -> float:
        """How long a training takes on one core of a server of 2026, roughly."""
        ...
