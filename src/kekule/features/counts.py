"""Structure-free features: what a graph is made of, with every edge forgotten.

References
----------
Errica et al. 2020, A Fair Comparison of Graph Neural Networks for Graph Classification,
https://arxiv.org/abs/1912.09893: on several sets such features are not beaten by networks.
"""

import numpy as np
from numpy.typing import NDArray

from kekule.features.packed import PackedGraphs
from kekule.features.schema import ORDINAL

FORMULA = ("element", "charge", "hydrogens")  # of a molecule's atoms; the rest is structure


def composition(graphs: PackedGraphs) -> NDArray[np.float64]:
    """Sum over a graph's nodes of their one-hot codes and of their attributes.

    Returns
    -------
    float64 (G, n)
        For each code column but a degree its counts per graph, then the summed attributes, in the
        source's units. For molecules of a graph set the counts are the molecular formula's heavy
        atoms; for molecules of a table, those, their charges and their hydrogens.
    """
    owner, n_graphs = graphs.graph_of_node, len(graphs)
    parts = [np.zeros((n_graphs, 0))]
    for k, column in enumerate(graphs.schema.nodes):
        if column.name == ORDINAL:
            continue  # a degree is structure: it counts the edges that are to be forgotten
        if graphs.schema.featuriser is not None and column.name not in FORMULA:
            continue
        flat = owner * column.cardinality + graphs.nodes[:, k]
        counts = np.bincount(flat, minlength=n_graphs * column.cardinality)
        parts.append(counts.reshape(n_graphs, column.cardinality).astype(np.float64))
    sums = np.zeros((n_graphs, graphs.node_attributes.shape[1]))
    np.add.at(sums, owner, graphs.node_attributes)
    return np.concatenate([*parts, sums], axis=1)
