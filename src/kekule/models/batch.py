"""Batches: the arrays of several graphs as tensors, cut from packed graphs without a loop.

A batch is written down as rounds of message passing. In the plain layout every round is the
graph itself; in the layout of environments a row is computed once for all atoms that no local
network can tell apart (`kekule.features.environments`).

Symbols: B graphs in the batch, V nodes, E directed edges, A/B columns of codes, C/D of
attributes, P of descriptors; n_k rows after k rounds, e_k messages of round k.
"""

from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kekule.data.graphs import spans
from kekule.features import PackedGraphs
from kekule.models.aggregation import Messages, select_rows

Rows = NDArray[np.integer]


class Round(NamedTuple):
    """One round of message passing: from the n_{k-1} rows before it to its n_k rows."""

    messages: Messages
    own: Tensor | None  # int64 (n_k,) the row each was a round before; None: the same row
    edge: Tensor | None  # int64 (e_k,) row of the batch's `edges`; None: the same order

    @property
    def n_rows(self) -> int:
        """n_k."""
        return self.messages.n_rows

    def before(self, x: Tensor) -> Tensor:
        """Rows of the round before, (n_{k-1}, F), in the order of this one's, (n_k, F)."""
        return x if self.own is None else select_rows(x, self.own)

    def labels(self, edges: Tensor) -> Tensor:
        """Rows of `edges` (kinds, F), message by message, (e_k, F)."""
        return edges if self.edge is None else edges.index_select(0, self.edge)

    def edge_index(self) -> Tensor:
        """Sources above targets, int64 (2, e_k), as PyG's layers take them."""
        return torch.stack([self.messages.source, self.messages.target])


class GraphBatch(NamedTuple):
    """Graphs joined into one disconnected graph."""

    nodes: Tensor  # int64 (n_0, A) codes
    node_attributes: Tensor  # float32 (n_0, C)
    edges: Tensor  # int64 (kinds, B) codes
    edge_attributes: Tensor  # float32 (kinds, D)
    rounds: tuple[Round, ...]  # one for every round; or one for all, in the plain layout
    node: tuple[Tensor | None, ...]  # int64 (V,): each node's row after k rounds; None: its own
    graph: Tensor  # int64 (V,) number in the batch of the graph that owns each node
    pointer: Tensor  # int64 (B + 1,) nodes of graph b: pointer[b] to pointer[b + 1]
    descriptors: Tensor  # float32 (B, P)
    n_graphs: int
    weight: Tensor | None = None  # float32 (B,) what each graph counts in statistics; None: 1

    def round(self, k: int) -> Round:
        """Round k, from 0."""
        return self.rounds[min(k, len(self.rounds) - 1)]

    def rows_of_nodes(self, k: int) -> Tensor | None:
        """Row of each node after k rounds, int64 (V,); None where it is the node's number."""
        return self.node[min(k, len(self.node) - 1)]

    def readout(self, k: int) -> Messages:
        """Rows after k rounds, each sent to the graph of every node that has it."""
        rows = self.rows_of_nodes(k)
        if rows is None:
            rows = torch.arange(self.n_nodes, device=self.graph.device)
        return Messages(rows, self.graph, self.pointer)

    def by_node(self, x: Tensor, k: int) -> Tensor:
        """Rows after k rounds, (n_k, F), node by node, (V, F)."""
        rows = self.rows_of_nodes(k)
        return x if rows is None else x.index_select(0, rows)

    def counts(self, n_rows: int, k: int) -> Tensor | None:
        """What each row after k rounds counts in statistics, float32 (n_k,); None: 1 each."""
        rows = self.rows_of_nodes(k)
        if rows is None:
            return None if self.weight is None else self.weight.index_select(0, self.graph)
        if self.weight is None:
            return torch.bincount(rows, minlength=n_rows).float()
        weight = self.weight.index_select(0, self.graph)
        return weight.new_zeros(n_rows).index_add(0, rows, weight)

    @property
    def n_nodes(self) -> int:
        """V."""
        return len(self.graph)

    def to(self, device: torch.device | str) -> "GraphBatch":
        """Return the same batch on `device`."""
        return cast(GraphBatch, _moved(self, device))


class BondBatch(NamedTuple):
    """Graphs as directed bonds that send to the bonds they lead to.

    Rows of round 0 are bonds as they are; rows of the last round are atoms.
    """

    nodes: Tensor  # int64 (atom kinds, A) codes
    node_attributes: Tensor  # float32 (atom kinds, C)
    edges: Tensor  # int64 (bond kinds, B) codes
    edge_attributes: Tensor  # float32 (bond kinds, D)
    atom: Tensor  # int64 (n_0,) row of `nodes` that each bond starts from
    bond: Tensor  # int64 (n_0,) row of `edges` that each bond is
    rounds: tuple[Round, ...]  # `own` are rows of round 0
    last: Round  # bonds to atoms; `own` are rows of `nodes`
    node: Tensor  # int64 (V,) row of each node after the last
    graph: Tensor  # int64 (V,)
    pointer: Tensor  # int64 (B + 1,)
    descriptors: Tensor  # float32 (B, P)
    n_graphs: int
    weight: Tensor | None = None  # float32 (B,)

    def readout(self, k: int) -> Messages:
        """Atom rows, each sent to the graph of every node that has it."""
        del k
        return Messages(self.node, self.graph, self.pointer)

    def by_node(self, x: Tensor, k: int) -> Tensor:
        """Atom rows (n, F), node by node, (V, F)."""
        del k
        return x.index_select(0, self.node)

    def to(self, device: torch.device | str) -> "BondBatch":
        """Return the same batch on `device`."""
        return cast(BondBatch, _moved(self, device))


Batch = GraphBatch | BondBatch


class Layout(Protocol):
    """A set of graphs, laid out once, of which batches are cut."""

    def batch(self, rows: Rows) -> Batch:
        """Graphs `rows` in that order."""
        ...


class PlainLayout:
    """Every node and edge as it is; edges are sorted by target once.

    Parameters
    ----------
    graphs
        The set.
    loops
        Whether every node also sends to itself, and messages weigh one over the root of the
        degrees of both ends, as graph convolutions do. Edge codes are then left out.
    """

    def __init__(self, graphs: PackedGraphs, *, loops: bool = False):
        self.graphs, self.loops = graphs, loops
        source, target = graphs.global_edge_index
        self.pointer, self.order = graphs.edge_pointer, None
        if loops:
            every = np.arange(len(graphs.nodes))
            source, target = np.append(source, every), np.append(target, every)
            self.pointer = graphs.edge_pointer + graphs.node_pointer
        order = np.argsort(target, kind="stable")
        self.degree = np.bincount(target, minlength=len(graphs.nodes))
        first = np.repeat(graphs.node_pointer[:-1], self.pointer[1:] - self.pointer[:-1])
        self.source = source[order] - first  # numbered inside each graph
        self.weight: NDArray[np.float32] | None = None
        if loops:
            scale = 1 / np.sqrt(self.degree)
            self.weight = (scale[source] * scale[target])[order].astype(np.float32)
        else:
            self.order = order

    def batch(self, rows: Rows) -> GraphBatch:
        """Graphs `rows` in that order."""
        graphs = self.graphs
        node_rows, pointer = spans(graphs.node_pointer, rows)
        edge_rows, edge_pointer = spans(self.pointer, rows)
        shift = np.repeat(pointer[:-1], edge_pointer[1:] - edge_pointer[:-1])
        received = self.degree[node_rows]
        messages = Messages(
            torch.from_numpy(self.source[edge_rows] + shift),
            torch.from_numpy(np.repeat(np.arange(len(node_rows)), received)),
            torch.from_numpy(_pointer(received)),
            None if self.weight is None else torch.from_numpy(self.weight[edge_rows]),
        )
        labels = edge_rows[:0] if self.order is None else self.order[edge_rows]
        return GraphBatch(
            nodes=_codes(graphs.nodes, node_rows),
            node_attributes=_numbers(graphs.node_attributes, node_rows),
            edges=_codes(graphs.edges, labels),
            edge_attributes=_numbers(graphs.edge_attributes, labels),
            rounds=(Round(messages, None, None),),
            node=(None,),
            descriptors=_numbers(graphs.graph_attributes, rows),
            **owners(pointer),
        )


def make_batch(graphs: PackedGraphs, rows: Rows | None = None) -> GraphBatch:
    """Join graphs `rows` (all of them if None), in that order, in the plain layout.

    For one batch; of many, make a `PlainLayout` once, which sorts the edges of the set once.
    """
    part = graphs if rows is None else graphs.take(rows)
    return PlainLayout(part).batch(np.arange(len(part)))


def owners(pointer: NDArray[np.int64]) -> dict[str, Any]:
    """Which graph each node belongs to, and how many graphs there are."""
    return {
        "graph": torch.from_numpy(np.repeat(np.arange(len(pointer) - 1), np.diff(pointer))),
        "pointer": torch.from_numpy(pointer),
        "n_graphs": len(pointer) - 1,
    }


def _codes(codes: NDArray[np.unsignedinteger], rows: Rows) -> Tensor:
    return torch.from_numpy(codes[rows].astype(np.int64))


def _numbers(values: NDArray[np.float32], rows: Rows) -> Tensor:
    return torch.from_numpy(np.asarray(values[rows], dtype=np.float32))


def _pointer(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    pointer = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=pointer[1:])
    return pointer


def _moved(value: object, device: torch.device | str) -> object:
    """Every tensor of nested tuples on `device`."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, tuple):
        parts = [_moved(part, device) for part in value]
        make = getattr(type(value), "_make", tuple)  # a named tuple is made from its fields
        return cast(object, make(parts))
    return value
