"""Graph sets in the TU Dortmund format, read without changing what they say.

The format (Morris et al. 2020, https://arxiv.org/abs/2007.08663) is a folder of text
files: a list of edges, the graph of each node, and optional labels and attributes.
Labels keep their numbers, isolated nodes and empty graphs keep their place. What has to
be changed (an edge listed twice, nodes not in the order of their graphs) is said in
``remarks``; what cannot be right is an error that names the file and the line.

Symbols: G graphs, V nodes, E directed edges. Knows NumPy; must not know molecules.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data.alphabet import read_alphabet
from kekule.data.edges import count_neighbours, edge_order, pointer
from kekule.data.graphs import LabelledGraphs, MoleculeAlphabet
from kekule.data.number_text import CURE
from kekule.data.tu_files import TuFiles, read_files

_SPARE_GRAPHS = 1000  # empty graphs believed in where no file counts the graphs


def read_tu(
    folder: Path, name: str | None = None, *, require_targets: bool = False
) -> LabelledGraphs:
    """Read a set in the TU Dortmund format.

    Parameters
    ----------
    folder
        Holds ``NAME_A.txt`` and its neighbours, or a subfolder ``raw`` that does.
    name
        NAME; taken from ``*_A.txt`` where not given.
    require_targets
        True where classes are needed: a missing ``NAME_graph_labels.txt`` is then an
        error, not a set without targets.

    Returns
    -------
    LabelledGraphs
        Graph g is the g-th of the set (1-based there). A set without node labels gets
        the number of distinct neighbours as its only label, in a column ``degree``.

    Raises
    ------
    DataFileError
        If a file is missing or damaged, naming it and the line.
    """
    files = read_files(Path(folder), name)
    if require_targets and "graph_labels" not in files.integers:
        path = files.path("graph_labels")
        cure = "Add it: one whole number a line, the class of each graph."
        raise DataFileError(path, "there is no such file, so no classes to learn", cure)
    return _assemble(files, _lay_out(files))


class _Layout(NamedTuple):
    """Where the rows of the files go.

    ``graph_of_node`` (V,) and ``ends`` (2, E) are in their final order, nodes numbered
    through all graphs; ``node_rows`` (V,) and ``edge_rows`` (E,) are the lines of the
    files, from 0, that stand there.
    """

    n_graphs: int
    graph_of_node: NDArray[np.int64]
    node_rows: NDArray[np.int64]
    ends: NDArray[np.int64]
    edge_rows: NDArray[np.int64]
    remarks: list[str]


def _lay_out(files: TuFiles) -> _Layout:
    """Put nodes in the order of their graphs, and edges in the order of their nodes."""
    remarks: list[str] = []
    graph_of_node, n_graphs = _graph_of_node(files)
    node_rows = np.argsort(graph_of_node, kind="stable")
    if (np.diff(graph_of_node) < 0).any():
        remarks.append("Nodes were not listed graph by graph and have been put in that order.")
    place = np.empty_like(node_rows)
    place[node_rows] = np.arange(len(node_rows))
    ends = place[_edges(files, graph_of_node)]
    rows = _distinct_edges(files, ends, remarks)
    return _Layout(n_graphs, graph_of_node[node_rows], node_rows, ends[:, rows], rows, remarks)


def _graph_of_node(files: TuFiles) -> tuple[NDArray[np.int64], int]:
    """Find the graph of each node, from 0, and the number of graphs."""
    graph_of_node = files.integers["graph_indicator"][:, 0] - 1
    path, labels = files.path("graph_indicator"), files.integers.get("graph_labels")
    if labels is None:
        n_graphs = int(graph_of_node.max()) + 1
        limit = len(graph_of_node) + _SPARE_GRAPHS
        reason = f"there are only {len(graph_of_node)} nodes"
    else:
        n_graphs = limit = len(labels)
        reason = f"{files.path('graph_labels').name} has {limit} lines"
    bad = np.flatnonzero((graph_of_node < 0) | (graph_of_node >= limit))
    if len(bad):
        number = graph_of_node[bad[0]] + 1
        why = f"graph {number} is out of range: graphs are numbered from 1 and {reason}"
        raise DataFileError(path, why, CURE, line=int(bad[0]) + 1)
    return graph_of_node, n_graphs


def _edges(files: TuFiles, graph_of_node: NDArray[np.int64]) -> NDArray[np.int64]:
    """Check the ends of the edges as listed: (2, lines), nodes from 0."""
    path = files.path("A")
    ends = files.integers["A"].reshape(-1, 2).T - 1
    n_nodes = len(graph_of_node)
    bad = np.flatnonzero(((ends < 0) | (ends >= n_nodes)).any(axis=0))
    if len(bad):
        edge = ends[:, bad[0]] + 1
        why = f"edge {edge[0]}, {edge[1]} leaves the range of nodes, 1 to {n_nodes}"
        raise DataFileError(path, why, CURE, line=int(bad[0]) + 1)
    graphs = graph_of_node[ends]
    bad = np.flatnonzero(graphs[0] != graphs[1])
    if len(bad):
        (u, v), (g, h) = ends[:, bad[0]] + 1, graphs[:, bad[0]] + 1
        why = f"edge {u}, {v} joins a node of graph {g} to a node of graph {h}"
        raise DataFileError(path, why, CURE, line=int(bad[0]) + 1)
    return ends


def _distinct_edges(
    files: TuFiles, ends: NDArray[np.int64], remarks: list[str]
) -> NDArray[np.int64]:
    """Lines of the edges to keep, in the order of the contract."""
    order, repeated = edge_order(ends, len(files.integers["graph_indicator"]))
    if not repeated.any():
        return order
    first = order[np.maximum.accumulate(np.where(repeated, 0, np.arange(len(order))))]
    for role, table in (
        ("edge_labels", files.integers.get("edge_labels")),
        ("edge_attributes", files.reals.get("edge_attributes")),
    ):
        if table is None:
            continue
        differ = (table[order] != table[first]).any(axis=1)
        if differ.any():
            at = int(np.flatnonzero(differ)[np.argmin(order[differ])])
            why = f"the edge is listed before, in line {first[at] + 1}, with another value"
            cure = "Keep one of the two lines, here and in the list of edges."
            raise DataFileError(files.path(role), why, cure, line=int(order[at]) + 1)
    remarks.append(
        f"{files.path('A').name} lists {repeated.sum()} edges again that it lists before; "
        "each is kept once."
    )
    return order[~repeated]


def _assemble(files: TuFiles, layout: _Layout) -> LabelledGraphs:
    """Bring the columns into the order of the nodes and edges."""
    n_graphs, graph_of_node, node_rows, ends, edge_rows, remarks = layout
    node_pointer = pointer(np.bincount(graph_of_node, minlength=n_graphs))
    graph_of_edge = graph_of_node[ends[0]]
    node_labels, node_columns = _labels(files, "node_labels", node_rows)
    edge_labels, edge_columns = _labels(files, "edge_labels", edge_rows)
    alphabet = _alphabet(files, node_labels, edge_labels)
    if not node_columns:
        node_labels, node_columns = count_neighbours(ends, len(node_rows))[:, None], ("degree",)
        remarks.append("The set has no node labels; the number of neighbours stands in.")
    remarks += _more_remarks(files, node_pointer)
    targets = files.integers.get("graph_labels")
    return LabelledGraphs(
        name=files.name,
        source=str(files.folder),
        node_pointer=node_pointer,
        edge_pointer=pointer(np.bincount(graph_of_edge, minlength=n_graphs)),
        edge_index=ends - node_pointer[graph_of_edge],
        node_labels=node_labels,
        edge_labels=edge_labels,
        node_columns=node_columns,
        edge_columns=edge_columns,
        node_attributes=_attributes(files, "node_attributes", node_rows),
        edge_attributes=_attributes(files, "edge_attributes", edge_rows),
        targets=None if targets is None else targets[:, 0],
        alphabet=alphabet,
        sha256=files.sha256,
        remarks=tuple(remarks),
    )


def _labels(
    files: TuFiles, role: str, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    table = files.integers.get(role)
    if table is None:
        return np.empty((len(order), 0), dtype=np.int64), ()
    table = table if len(table) else table.reshape(0, 1)  # no edges, yet a file for labels
    n_columns = table.shape[1]
    columns = [f"label_{k}" for k in range(n_columns)] if n_columns > 1 else ["label"]
    return table[order], tuple(columns)


def _attributes(files: TuFiles, role: str, order: NDArray[np.int64]) -> NDArray[np.float32]:
    table = files.reals.get(role)
    if table is None or not table.size:
        return np.empty((len(order), 0), dtype=np.float32)
    return table[order]


def _alphabet(
    files: TuFiles, node_labels: NDArray[np.int64], edge_labels: NDArray[np.int64]
) -> MoleculeAlphabet | None:
    if node_labels.shape[1] != 1 or edge_labels.shape[1] != 1:
        return None
    present = (np.unique(table).tolist() for table in (node_labels, edge_labels))
    return read_alphabet(files.readme(), *present)


def _more_remarks(files: TuFiles, node_pointer: NDArray[np.int64]) -> list[str]:
    remarks = []
    empty = int((np.diff(node_pointer) == 0).sum())
    if empty:
        remarks.append(f"Graphs without nodes: {empty}; they keep their place.")
    path = files.path("graph_attributes")
    if path.exists():
        remarks.append(f"{path.name} holds numbers to regress on and was not read.")
    return remarks
