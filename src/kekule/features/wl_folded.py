"""Subtree patterns of graphs, counted in columns that mean the same in every call.

`kekule.features.wl_features` names patterns by their rank among those that occur, so rows of two
calls cannot be compared. Here the hash of a pattern itself says its column, as in a folded
fingerprint: a new graph is laid beside training graphs of last year, and no list of patterns is
kept. The price is that two patterns may share a column.

Symbols: G graphs, V nodes, W columns. Must not know labels or files.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from kekule.features.packed import PackedGraphs
from kekule.features.wl import wl_hashes

if TYPE_CHECKING:
    from scipy import sparse

DEPTH: Final = 3  # rounds of refinement: what lies up to so many bonds from a node
WIDTH: Final = 2048


def wl_folded(graphs: PackedGraphs, depth: int = DEPTH, width: int = WIDTH) -> "sparse.csr_matrix":
    """Count the subtree patterns of each graph up to a depth, hashed into columns.

    A graph has the same row whichever other graphs stand beside it and however its nodes are
    numbered. Edge labels and attributes are not read. Graphs of other schemas are no use beside
    each other: their codes stand for other things.

    Not for learning from where the patterns themselves are to be told apart: some thousand of
    them, as a set of molecules has, share 2,048 columns.

    Parameters
    ----------
    graphs
        G graphs of any schema.
    depth
        Rounds of refinement, from 0, which counts the nodes' own codes.
    width
        W.

    Returns
    -------
    csr_matrix int32 (G, W)
        Rows sum to ``depth + 1`` times the graph's nodes.

    References
    ----------
    Shervashidze et al. 2011, Weisfeiler-Lehman Graph Kernels, JMLR 12:2539-2561. Folding:
    Rogers & Hahn 2010, https://doi.org/10.1021/ci100050t.
    """
    from scipy import sparse

    owner, shape = graphs.graph_of_node, (len(graphs), width)
    columns = [(state % np.uint64(width)).astype(np.int64) for state in wl_hashes(graphs, depth)]
    rows = np.tile(owner, len(columns))
    ones = np.ones(len(rows), dtype=np.int32)
    return sparse.coo_matrix((ones, (rows, np.concatenate(columns))), shape=shape).tocsr()
