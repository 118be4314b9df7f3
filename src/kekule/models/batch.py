"""A batch: the arrays of several graphs as tensors, cut from packed graphs without a loop.

Symbols: B graphs in the batch, V nodes, E directed edges, A/B columns of codes.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kekule.features import PackedGraphs


class GraphBatch(NamedTuple):
    """Graphs joined into one disconnected graph."""

    nodes: Tensor  # int64 (V, A) codes
    edge_index: Tensor  # int64 (2, E) sources above targets, numbered through the batch
    edges: Tensor  # int64 (E, B) codes
    node_attributes: Tensor  # float32 (V, C)
    edge_attributes: Tensor  # float32 (E, D)
    graph: Tensor  # int64 (V,) number in the batch of the graph that owns each node
    n_graphs: int

    def to(self, device: torch.device | str) -> "GraphBatch":
        """Return the same batch on `device`."""
        return GraphBatch(
            self.nodes.to(device),
            self.edge_index.to(device),
            self.edges.to(device),
            self.node_attributes.to(device),
            self.edge_attributes.to(device),
            self.graph.to(device),
            self.n_graphs,
        )


def make_batch(graphs: PackedGraphs, rows: NDArray[np.integer] | None = None) -> GraphBatch:
    """Join graphs `rows` (all of them if None), in that order."""
    part = graphs if rows is None else graphs.take(rows)
    return GraphBatch(
        nodes=torch.from_numpy(part.nodes.astype(np.int64)),
        edge_index=torch.from_numpy(part.global_edge_index),
        edges=torch.from_numpy(part.edges.astype(np.int64)),
        node_attributes=torch.from_numpy(np.array(part.node_attributes, dtype=np.float32)),
        edge_attributes=torch.from_numpy(np.array(part.edge_attributes, dtype=np.float32)),
        graph=torch.from_numpy(part.graph_of_node),
        n_graphs=len(part),
    )
