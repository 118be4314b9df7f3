"""Tables that stand in for fingerprints of graphs that are no molecules: rows of counts."""

import numpy as np


def tables_of(graphs):
    """Counts of labels with their degrees, and a few numbers with gaps; by graph alone."""
    source = graphs.global_edge_index[0]
    degree = np.minimum(np.bincount(source, minlength=len(graphs.nodes)), 7)
    label = graphs.nodes[:, 0].astype(np.int64) if graphs.nodes.shape[1] else 0 * degree
    counts = np.zeros((len(graphs), 128), dtype=np.uint8)
    np.add.at(counts, (graphs.graph_of_node, 8 * (label % 16) + degree), 1)
    nodes, edges = np.diff(graphs.node_pointer), np.diff(graphs.edge_pointer)
    numbers = np.stack([nodes, edges, edges / np.maximum(nodes, 1)], axis=1).astype(np.float32)
    numbers[nodes % 5 == 0, 2] = np.nan
    return {"ecfp": counts, "rdkit-descriptors": numbers}
