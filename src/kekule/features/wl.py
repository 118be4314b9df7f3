"""Weisfeiler–Lehman subtree features: how often each rooted subtree pattern occurs.

The strongest simple opponent of a graph network on small labelled sets, and the basis of
a hash that isomorphic graphs share. Written on flat arrays, all graphs at once: GraKeL's
kernel gives the same numbers (a test holds them together) but needs Python objects per
graph and is not built for every Python we support.

References
----------
Shervashidze et al. 2011, Weisfeiler-Lehman Graph Kernels, JMLR 12:2539-2561.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kekule.features.packed import PackedGraphs


def wl_labels(graphs: PackedGraphs, depth: int) -> list[NDArray[np.int64]]:
    """Colour of every node after 0, 1, ..., `depth` rounds of refinement.

    A round replaces a node's colour by a name for (its colour, the multiset of its
    neighbours' colours). Multisets are compared by a sum of 64-bit hashes, so two
    different ones collide with a chance of about V² / 2⁶⁴. Edge labels are not read,
    as in the paper.

    Returns
    -------
    list of int64 (V,)
        ``depth + 1`` arrays of consecutive integers from 0, shared by all graphs.
    """
    source, target = graphs.global_edge_index
    colours = [_names(graphs.nodes.astype(np.int64))]
    for _ in range(depth):
        inbox = np.zeros(len(graphs.nodes), dtype=np.uint64)
        np.add.at(inbox, target, _mix(colours[-1])[source])
        pair = np.stack([colours[-1].view(np.uint64), inbox], axis=1)
        colours.append(_names(pair))
    return colours


def wl_features(graphs: PackedGraphs, depth: int) -> list[sparse.csr_matrix]:
    """Counts of each subtree pattern per graph, one sparse matrix a round.

    The kernel of depth h is the sum over rounds 0..h of ``counts @ counts.T``; joined side
    by side the matrices are its explicit feature map, linear in the number of graphs where
    the kernel matrix is quadratic.

    Returns
    -------
    list of csr_matrix float64 (G, n_patterns)
        ``depth + 1`` matrices.
    """
    owner = graphs.graph_of_node
    return [
        sparse.coo_matrix(
            (np.ones(len(owner)), (owner, colour)),
            shape=(len(graphs), int(colour.max(initial=-1)) + 1),
        ).tocsr()
        for colour in wl_labels(graphs, depth)
    ]


def _names(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Consecutive integers that are equal where rows are equal."""
    inverse: NDArray[np.int64] = np.unique(rows, axis=0, return_inverse=True)[1]
    return inverse.reshape(-1)


def _mix(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Scatter integers over 64 bits (the finaliser of Steele et al. 2014, SplitMix64)."""
    z = values.view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed
