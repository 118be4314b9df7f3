"""Labelled graphs as a source gives them, before any network's schema.

A set of graphs is a handful of flat arrays with one pointer per graph, so that nothing
above ever loops over graphs in Python. Labels keep the numbers of the source: what 1 or
-1 means is for the set's own readme to say.

Symbols: G graphs, V nodes of all graphs together, E directed edges of all graphs
together. Knows NumPy; must not know schemas, tensors or models.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

BOND_ORDERS = ("single", "double", "triple", "aromatic")


@dataclass(frozen=True)
class MoleculeAlphabet:
    """What the integer labels of a molecular graph set stand for.

    Attributes
    ----------
    elements
        Node label to element symbol, such as ``{0: "C", 1: "N"}``.
    bonds
        Edge label to one of ``single``, ``double``, ``triple``, ``aromatic``.
    """

    elements: dict[int, str]
    bonds: dict[int, str]


@dataclass(frozen=True, eq=False)
class LabelledGraphs:
    """Graphs of one set as flat arrays, in the order of their source.

    Attributes
    ----------
    name
        The set's name, such as ``MUTAG``.
    source
        Where it was read from, for messages.
    node_pointer
        int64 (G + 1,). Nodes of graph g are rows ``node_pointer[g]:node_pointer[g + 1]``.
    edge_pointer
        int64 (G + 1,), the same for edges.
    edge_index
        int64 (2, E), sources above targets, numbered from 0 inside each graph; each
        directed edge once, sorted by graph, then source, then target.
    node_labels, edge_labels
        int64 (V, A) and (E, B), one column a property; the numbers of the source.
    node_columns, edge_columns
        A and B names of those columns: ``label`` (or ``label_0``, ``label_1``, ...), or
        ``degree`` where the set has no node labels and the degree stands in.
    node_attributes, edge_attributes
        float32 (V, C) and (E, D), in the units of the source; C or D may be 0.
    targets
        int64 (G,), class of each graph as given; None where unknown (prediction).
    alphabet
        What the labels stand for if the graphs are molecules, else None.
    sha256
        Hash of the source's bytes, or of the arrays where there were none.
    remarks
        What the reader changed or noticed, one sentence each.
    """

    name: str
    source: str
    node_pointer: NDArray[np.int64]
    edge_pointer: NDArray[np.int64]
    edge_index: NDArray[np.int64]
    node_labels: NDArray[np.int64]
    edge_labels: NDArray[np.int64]
    node_columns: tuple[str, ...]
    edge_columns: tuple[str, ...]
    node_attributes: NDArray[np.float32]
    edge_attributes: NDArray[np.float32]
    targets: NDArray[np.int64] | None
    alphabet: MoleculeAlphabet | None
    sha256: str
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return G, the number of graphs."""
        return len(self.node_pointer) - 1

    @property
    def n_nodes(self) -> NDArray[np.int64]:
        """Nodes of each graph, (G,)."""
        return np.diff(self.node_pointer)

    @property
    def n_edges(self) -> NDArray[np.int64]:
        """Directed edges of each graph, (G,)."""
        return np.diff(self.edge_pointer)

    def take(self, rows: NDArray[np.integer]) -> "LabelledGraphs":
        """Graphs `rows`, in that order; their hash is still that of the whole set."""
        nodes, node_pointer = spans(self.node_pointer, rows)
        edges, edge_pointer = spans(self.edge_pointer, rows)
        return replace(
            self,
            node_pointer=node_pointer,
            edge_pointer=edge_pointer,
            edge_index=self.edge_index[:, edges],
            node_labels=self.node_labels[nodes],
            edge_labels=self.edge_labels[edges],
            node_attributes=self.node_attributes[nodes],
            edge_attributes=self.edge_attributes[edges],
            targets=None if self.targets is None else self.targets[rows],
        )

    def graph(self, row: int) -> "LabelledGraphs":
        """One graph as a set of one."""
        return self.take(np.array([row]))


def spans(
    pointer: NDArray[np.int64], rows: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions owned by `rows`, one span after another, and the pointer into them.

    The one gather behind every batch: no loop over graphs, whatever their number.
    """
    rows = rows.astype(np.int64, copy=False)  # the next row of a narrow type is another
    starts, sizes = pointer[rows], pointer[rows + 1] - pointer[rows]
    new_pointer = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(sizes, out=new_pointer[1:])
    shift = np.repeat(starts - new_pointer[:-1], sizes)
    return shift + np.arange(new_pointer[-1]), new_pointer
