"""Directed edges in the one order every set of graphs uses.

Symbols: V nodes of all graphs together, E directed edges. Nodes are numbered through
all graphs, graph by graph, so that sorting by source sorts by graph too. Knows NumPy
only.
"""

import numpy as np
from numpy.typing import NDArray


def edge_order(
    ends: NDArray[np.int64], n_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Order edges by source, then target, and mark the repeats.

    Parameters
    ----------
    ends
        int64 (2, E), sources above targets, 0 to V - 1.
    n_nodes
        V.

    Returns
    -------
    order : NDArray[np.int64]
        (E,). Positions in ``ends``; equal edges keep the order of the source.
    repeated : NDArray[np.bool_]
        (E,). True at k where edge ``order[k]`` equals edge ``order[k - 1]``.
    """
    key = ends[0] * n_nodes + ends[1]
    order = np.argsort(key, kind="stable")
    repeated = np.zeros(len(order), dtype=bool)
    repeated[1:] = key[order][1:] == key[order][:-1]
    return order, repeated


def count_neighbours(ends: NDArray[np.int64], n_nodes: int) -> NDArray[np.int64]:
    """Count the distinct other nodes each node is joined to, in either direction.

    Returns
    -------
    NDArray[np.int64]
        (V,). A self loop does not count; nor does saying an edge twice or both ways.
    """
    source, target = ends[:, ends[0] != ends[1]]
    key = np.unique(np.concatenate([source * n_nodes + target, target * n_nodes + source]))
    return np.bincount(key // max(n_nodes, 1), minlength=n_nodes).astype(np.int64)


def pointer(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn the sizes of consecutive blocks, (G,), into where they start, (G + 1,)."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
