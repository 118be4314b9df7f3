"""Graphs small enough to be read by eye, for every part that needs some.

Each fixture is a function: what a test says with it stands in the test.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from kekule.data import LabelledGraphs, find_set
from kekule.features import PackedGraphs, pack, schema_of


@pytest.fixture(scope="session")
def data_root():
    """Folder of the real sets."""
    shared = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("KEKULE_TEST_DATA", shared))
    if not root.is_dir():
        pytest.skip(f"no real data in {root}; set KEKULE_TEST_DATA to where they are")
    return root


@pytest.fixture(scope="session")
def tu_root(data_root):
    """Folder of the real TU sets."""
    return data_root / "tu"


@pytest.fixture(scope="session")
def mutag():
    return find_set("MUTAG")


@pytest.fixture(scope="session")
def packed_mutag(mutag):
    return pack(mutag, schema_of(mutag))


@pytest.fixture(scope="session")
def mutag_targets(mutag):
    return np.unique(mutag.targets, return_inverse=True)[1].astype(np.int64)


@pytest.fixture(scope="session")
def by_hand():
    """Build a set from (node labels, bonds) pairs; a bond is (u, v) or (u, v, its label)."""

    def build(*graphs, **changes):
        node_pointer, edge_pointer, edges, bonds, labels = [0], [0], [], [], []
        for nodes, graph_bonds in graphs:
            both = {(b[0], b[1]): b[2:] for b in graph_bonds}
            both |= {(b[1], b[0]): b[2:] for b in graph_bonds}
            edges += sorted(both)
            bonds += [both[edge] for edge in sorted(both)]
            labels += nodes
            node_pointer.append(len(labels))
            edge_pointer.append(len(edges))
        node_labels = np.array(labels, dtype=np.int64).reshape(len(labels), -1)
        width = len(bonds[0]) if bonds else 0
        edge_labels = np.array(bonds, dtype=np.int64).reshape(len(edges), width)
        given = {
            "name": "BY_HAND",
            "source": "by hand",
            "node_pointer": np.array(node_pointer),
            "edge_pointer": np.array(edge_pointer),
            "edge_index": np.array(edges, dtype=np.int64).reshape(-1, 2).T,
            "node_labels": node_labels,
            "edge_labels": edge_labels,
            "node_columns": _columns(node_labels.shape[1]),
            "edge_columns": _columns(edge_labels.shape[1]),
            "node_attributes": np.zeros((len(labels), 0), dtype=np.float32),
            "edge_attributes": np.zeros((len(edges), 0), dtype=np.float32),
            "targets": None,
            "alphabet": None,
            "sha256": "",
        }
        return LabelledGraphs(**given | changes)

    return build


@pytest.fixture(scope="session")
def random_packed():
    """Pack graphs of the given numbers of nodes under a schema, all else drawn at random."""

    def build(schema, sizes, rng, *, bond_chance=0.5):
        edges, edge_pointer = [], [0]
        for size in sizes:
            bonded = np.triu(rng.random((size, size)) < bond_chance, 1)
            edges.append(np.argwhere(bonded | bonded.T))
            edge_pointer.append(edge_pointer[-1] + len(edges[-1]))
        n_nodes, n_edges = int(sum(sizes)), edge_pointer[-1]

        def codes(columns, n):
            drawn = [rng.integers(0, column.cardinality, n) for column in columns]
            return np.array(drawn).reshape(len(columns), n).T.astype(schema.code_dtype)

        def attributes(n, width):
            return rng.normal(3.0, 2.0, (n, width)).astype(np.float32)

        return PackedGraphs(
            schema=schema,
            node_pointer=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            edge_pointer=np.array(edge_pointer, dtype=np.int64),
            edge_index=np.concatenate([np.zeros((0, 2)), *edges]).T.astype(np.int32),
            nodes=codes(schema.nodes, n_nodes),
            edges=codes(schema.edges, n_edges),
            node_attributes=attributes(n_nodes, schema.n_node_attributes),
            edge_attributes=attributes(n_edges, schema.n_edge_attributes),
            graph_attributes=attributes(len(sizes), schema.n_graph_attributes),
        )

    return build


@pytest.fixture(scope="session")
def renumbered():
    """Give the nodes of every graph other numbers, and its edges another order."""

    def shuffle(graphs, rng):
        owner, offset = graphs.graph_of_node, graphs.node_pointer[:-1]
        new = np.empty(len(graphs.nodes), dtype=np.int64)  # new number of each old node
        new[np.lexsort([rng.random(len(new)), owner])] = np.arange(len(new))
        old = np.argsort(new)
        edge_owner = np.repeat(np.arange(len(graphs)), np.diff(graphs.edge_pointer))
        order = np.lexsort([rng.random(len(edge_owner)), edge_owner])
        return PackedGraphs(
            schema=graphs.schema,
            node_pointer=graphs.node_pointer,
            edge_pointer=graphs.edge_pointer,
            edge_index=(new[graphs.global_edge_index] - offset[edge_owner])[:, order].astype(
                np.int32
            ),
            nodes=graphs.nodes[old],
            edges=graphs.edges[order],
            node_attributes=graphs.node_attributes[old],
            edge_attributes=graphs.edge_attributes[order],
            graph_attributes=graphs.graph_attributes,
        )

    return shuffle


def _columns(n):
    return ("label",) if n == 1 else tuple(f"label_{k}" for k in range(n))
