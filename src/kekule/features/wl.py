"""Weisfeiler–Lehman subtree features: how often each rooted subtree pattern occurs.

The strongest simple opponent of a graph network on small labelled sets, and the basis of
a hash that isomorphic graphs share. Written on flat arrays, all graphs at once: GraKeL's
kernel gives the same numbers (a test holds them together) but needs Python objects per
graph and is not built for every Python we support.

References
----------
Shervashidze et al. 2011, Weisfeiler-Lehman Graph Kernels, JMLR 12:2539-2561.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kekule.data.isomorphism import mix, sum_by
from kekule.features.packed import PackedGraphs

if TYPE_CHECKING:
    from scipy import sparse


def wl_hashes(graphs: PackedGraphs, depth: int) -> list[NDArray[np.uint64]]:
    """Hash of every node's pattern after 0, 1, ..., `depth` rounds of refinement.

    A round replaces a node's colour by a hash of (its colour, the multiset of its
    neighbours' colours); a multiset's is the sum of its members'. With 64 bits two
    different ones collide with a chance of about V² / 2⁶⁴ a round. Edge labels are not
    read, as in the paper.

    Returns
    -------
    list of uint64 (V,)
        ``depth + 1`` arrays. A pattern has the same hash in every set of the same schema, on
        every machine: what was learnt of it can be kept under its hash.
    """
    source, target = graphs.global_edge_index
    state = np.zeros(len(graphs.nodes), dtype=np.uint64)
    for column in graphs.nodes.T:
        state = mix(state + column)
    hashes = [state]
    for _ in range(depth):
        inbox = sum_by(target, mix(state)[source], len(state))
        state = mix(mix(~state) + inbox)
        hashes.append(state)
    return hashes


def wl_labels(graphs: PackedGraphs, depth: int) -> list[NDArray[np.int64]]:
    """Colour of every node after 0, 1, ..., `depth` rounds: its hash, counted from 0.

    Returns
    -------
    list of int64 (V,)
        ``depth + 1`` arrays of consecutive integers from 0, shared by all graphs, in the
        order of the hashes: which of two colours is first does not depend on which other
        graphs there are.
    """
    return [_names(hashes) for hashes in wl_hashes(graphs, depth)]


def wl_features(graphs: PackedGraphs, depth: int) -> list["sparse.csr_matrix"]:
    """Counts of each subtree pattern per graph, one sparse matrix a round.

    The kernel of depth h is the sum over rounds 0..h of ``counts @ counts.T``; joined side
    by side the matrices are its explicit feature map, linear in the number of graphs where
    the kernel matrix is quadratic.

    Returns
    -------
    list of csr_matrix float64 (G, n_patterns)
        ``depth + 1`` matrices.
    """
    from scipy import sparse  # a third of the start of every process that lays out molecules

    owner = graphs.graph_of_node
    return [
        sparse.coo_matrix(
            (np.ones(len(owner)), (owner, colour)),
            shape=(len(graphs), int(colour.max(initial=-1)) + 1),
        ).tocsr()
        for colour in wl_labels(graphs, depth)
    ]


def _names(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Rank of each hash among those that occur."""
    ranks: NDArray[np.int64] = np.unique(hashes, return_inverse=True)[1]
    return ranks
