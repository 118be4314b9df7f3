"""Molecules that stand for what is odd in real tables, and columns of real tables."""

import csv

import pytest

ARRAYS = (
    "node_pointer",
    "edge_pointer",
    "edge_index",
    "nodes",
    "edges",
    "node_attributes",
    "edge_attributes",
    "graph_attributes",
)


@pytest.fixture(scope="session")
def smiles_of(data_root):
    """Structure column of a real table."""

    def column(name):
        with (data_root / name).open(encoding="utf-8", newline="") as file:
            return [row["smiles"] for row in csv.DictReader(file)]

    return column


@pytest.fixture(scope="session")
def arrays_of():
    """All arrays of packed graphs, by name, to be compared."""
    return lambda graphs: {name: getattr(graphs, name) for name in ARRAYS}
