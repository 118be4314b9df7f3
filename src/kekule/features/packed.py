"""Packed graphs: a whole data set as a handful of flat arrays, and batches cut from it.

PyG keeps one Python object a graph and joins 64 of them, attribute by attribute, for
every batch; on small graphs that costs more than the network. Here a batch is five array
gathers, whatever the number of graphs.

Symbols: G graphs, V nodes of all graphs, E directed edges of all graphs, A/B code
columns, C/D attribute columns. Knows NumPy; must not know PyTorch, class labels or files
of a source.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kekule._errors import SchemaError
from kekule.data.graphs import LabelledGraphs, spans
from kekule.features.schema import Column, GraphSchema

GRAPHS_A_PIECE = 2048  # gathered at once: the index of so many takes some 2 MB


@dataclass(frozen=True, eq=False)
class PackedGraphs:
    """Graphs under one schema as flat arrays.

    Attributes
    ----------
    schema
        What the codes stand for.
    node_pointer, edge_pointer
        int64 (G + 1,): graph g owns nodes ``node_pointer[g]:node_pointer[g + 1]``, and its
        edges likewise.
    edge_index
        (2, E), sources above targets, numbered from 0 inside each graph; int32, or the
        smallest of uint8, uint16 and uint32 that holds the largest number (`index_dtype`).
    nodes, edges
        uint8 (uint16 for long columns) (V, A) and (E, B), the codes.
    node_attributes, edge_attributes
        float32 (V, C) and (E, D), in the source's units.
    graph_attributes
        float32 (G, P), descriptors of whole molecules.
    """

    schema: GraphSchema
    node_pointer: NDArray[np.int64]
    edge_pointer: NDArray[np.int64]
    edge_index: NDArray[np.integer]
    nodes: NDArray[np.unsignedinteger]
    edges: NDArray[np.unsignedinteger]
    node_attributes: NDArray[np.float32]
    edge_attributes: NDArray[np.float32]
    graph_attributes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))

    def __post_init__(self) -> None:
        """Graphs without attributes have a matrix of no columns."""
        if not self.graph_attributes.shape[1] and len(self.graph_attributes) != len(self):
            object.__setattr__(self, "graph_attributes", np.zeros((len(self), 0), np.float32))

    def __len__(self) -> int:
        """Return G, the number of graphs."""
        return len(self.node_pointer) - 1

    def take(self, rows: NDArray[np.integer]) -> "PackedGraphs":
        """Graphs `rows`, in that order, repeats allowed.

        Examples
        --------
        >>> from kekule.data import find_set
        >>> from kekule.features import pack, schema_of
        >>> graphs = find_set("MUTAG")
        >>> len(pack(graphs, schema_of(graphs)).take(np.array([3, 1, 3])))
        3
        """
        rows = np.asarray(rows).astype(np.int64, copy=False)
        if len(rows) <= GRAPHS_A_PIECE:
            return self._gathered(rows)
        whole = self._room_for(rows)
        for start in range(0, len(rows), GRAPHS_A_PIECE):
            piece = slice(start, min(start + GRAPHS_A_PIECE, len(rows)))
            whole._put(piece, self._gathered(rows[piece]))
        return whole

    def _room_for(self, rows: NDArray[np.integer]) -> "PackedGraphs":
        """Arrays of the size of graphs `rows`, with their pointers and nothing else."""
        pointers = {}
        for name in ("node_pointer", "edge_pointer"):
            pointer = getattr(self, name)
            pointers[name] = np.zeros(len(rows) + 1, dtype=np.int64)
            np.cumsum(pointer[rows + 1] - pointer[rows], out=pointers[name][1:])
        n_nodes, n_edges = (int(pointer[-1]) for pointer in pointers.values())
        return PackedGraphs(
            schema=self.schema,
            **pointers,
            edge_index=np.empty((2, n_edges), dtype=self.edge_index.dtype),
            nodes=np.empty((n_nodes, *self.nodes.shape[1:]), dtype=self.nodes.dtype),
            edges=np.empty((n_edges, *self.edges.shape[1:]), dtype=self.edges.dtype),
            node_attributes=np.empty((n_nodes, self.node_attributes.shape[1]), np.float32),
            edge_attributes=np.empty((n_edges, self.edge_attributes.shape[1]), np.float32),
            graph_attributes=np.empty((len(rows), self.graph_attributes.shape[1]), np.float32),
        )

    def _put(self, graphs: slice, part: "PackedGraphs") -> None:
        """Write `part` over the arrays of neighbouring graphs."""
        nodes = slice(*self.node_pointer[[graphs.start, graphs.stop]].tolist())
        edges = slice(*self.edge_pointer[[graphs.start, graphs.stop]].tolist())
        self.nodes[nodes], self.node_attributes[nodes] = part.nodes, part.node_attributes
        self.edges[edges], self.edge_attributes[edges] = part.edges, part.edge_attributes
        self.edge_index[:, edges] = part.edge_index
        self.graph_attributes[graphs] = part.graph_attributes

    def _gathered(self, rows: NDArray[np.integer]) -> "PackedGraphs":
        node_rows, node_pointer = spans(self.node_pointer, rows)
        edge_rows, edge_pointer = spans(self.edge_pointer, rows)
        edge_index = np.empty((2, len(edge_rows)), dtype=self.edge_index.dtype)
        for k in (0, 1):  # ten times as fast as one gather along the second axis
            edge_index[k] = self.edge_index[k][edge_rows]
        return PackedGraphs(
            schema=self.schema,
            node_pointer=node_pointer,
            edge_pointer=edge_pointer,
            edge_index=edge_index,
            nodes=self.nodes[node_rows],
            edges=self.edges[edge_rows],
            node_attributes=self.node_attributes[node_rows],
            edge_attributes=self.edge_attributes[edge_rows],
            graph_attributes=self.graph_attributes[rows],
        )

    def first(self, n_graphs: int) -> "PackedGraphs":
        """The first graphs of the set, without copying an array."""
        n_nodes, n_edges = self.node_pointer[n_graphs], self.edge_pointer[n_graphs]
        return replace(
            self,
            node_pointer=self.node_pointer[: n_graphs + 1],
            edge_pointer=self.edge_pointer[: n_graphs + 1],
            edge_index=self.edge_index[:, :n_edges],
            nodes=self.nodes[:n_nodes],
            edges=self.edges[:n_edges],
            node_attributes=self.node_attributes[:n_nodes],
            edge_attributes=self.edge_attributes[:n_edges],
            graph_attributes=self.graph_attributes[:n_graphs],
        )

    @property
    def graph_of_node(self) -> NDArray[np.int64]:
        """Number of the graph that owns each node, (V,)."""
        sizes = self.node_pointer[1:] - self.node_pointer[:-1]
        return np.arange(len(self)).repeat(sizes)

    @property
    def global_edge_index(self) -> NDArray[np.int64]:
        """`edge_index` numbered through all graphs, int64 (2, E)."""
        sizes = self.edge_pointer[1:] - self.edge_pointer[:-1]
        ends = np.empty(self.edge_index.shape, dtype=np.int64)
        np.add(self.edge_index, self.node_pointer[:-1].repeat(sizes), out=ends)
        return ends


def index_dtype(n_nodes: NDArray[np.int64]) -> type[np.unsignedinteger]:
    """Smallest unsigned type for the node numbers of graphs with so many nodes each."""
    largest = int(n_nodes.max(initial=1)) - 1
    return np.uint8 if largest < 2**8 else np.uint16 if largest < 2**16 else np.uint32


def pack(graphs: LabelledGraphs, schema: GraphSchema) -> PackedGraphs:
    """Turn labels into the codes of `schema`.

    Raises
    ------
    SchemaError
        If the columns differ from the schema's or a label has no code in it; ask
        `misfits` first where single rows may be set aside instead.
    """
    _check_columns(graphs, schema)
    row, reason = next(((k, r) for k, r in enumerate(misfits(graphs, schema)) if r), (0, ""))
    if reason:
        raise SchemaError(
            f"{graphs.source}, graph {row}: {reason}. "
            "Set the row aside, or train on a set that has this label."
        )
    return PackedGraphs(
        schema=schema,
        node_pointer=graphs.node_pointer,
        edge_pointer=graphs.edge_pointer,
        edge_index=graphs.edge_index.astype(np.int32),
        nodes=_encode(graphs.node_labels, schema.nodes, schema.code_dtype),
        edges=_encode(graphs.edge_labels, schema.edges, schema.code_dtype),
        node_attributes=graphs.node_attributes,
        edge_attributes=graphs.edge_attributes,
    )


def misfits(graphs: LabelledGraphs, schema: GraphSchema) -> list[str]:
    """Why each graph cannot be coded under `schema`; an empty string where it can."""
    _check_columns(graphs, schema)
    reasons = [""] * len(graphs)
    for what, labels, columns, pointer in (
        ("edge", graphs.edge_labels, schema.edges, graphs.edge_pointer),
        ("node", graphs.node_labels, schema.nodes, graphs.node_pointer),
    ):
        for k, column in reversed(list(enumerate(columns))):  # the first misfit is written last
            unknown = np.flatnonzero(~column.codes(labels[:, k])[1])
            for position in unknown[::-1]:
                row = int(np.searchsorted(pointer, position, side="right")) - 1
                reasons[row] = (
                    f"{what} {column.name} {labels[position, k]} is not in the model's schema "
                    f"({_some(column.values)})"
                )
    for empty in np.flatnonzero(graphs.n_nodes == 0).tolist():
        reasons[empty] = "the graph has no nodes"
    return reasons


def _encode(
    labels: NDArray[np.int64], columns: tuple[Column, ...], dtype: type[np.unsignedinteger]
) -> NDArray[np.unsignedinteger]:
    codes = np.empty(labels.shape, dtype=dtype)
    for k, column in enumerate(columns):
        codes[:, k] = column.codes(labels[:, k])[0]
    return codes


def _check_columns(graphs: LabelledGraphs, schema: GraphSchema) -> None:
    given = (
        graphs.node_columns,
        graphs.edge_columns,
        graphs.node_attributes.shape[1],
        graphs.edge_attributes.shape[1],
    )
    wanted = (
        tuple(c.name for c in schema.nodes),
        tuple(c.name for c in schema.edges),
        schema.n_node_attributes,
        schema.n_edge_attributes,
    )
    if given != wanted:
        names = ("node columns", "edge columns", "node attributes", "edge attributes")
        what, has, wants = next(x for x in zip(names, given, wanted, strict=True) if x[1] != x[2])
        raise SchemaError(
            f"{graphs.source}: {what} are {has}, but the model was trained on {wants}. "
            "Give graphs of the kind the model was trained on."
        )


def _some(values: tuple[int, ...], most: int = 12) -> str:
    shown = ", ".join(map(str, values[:most]))
    return shown if len(values) <= most else f"{shown}, … {len(values)} in all"


_OF_GRAPHS = (
    "graph_attributes"  # has a file only where there are columns, as before there were any
)
_FILES = (
    "node_pointer",
    "edge_pointer",
    "edge_index",
    "nodes",
    "edges",
    "node_attributes",
    "edge_attributes",
)


def _files_of(schema: GraphSchema) -> tuple[str, ...]:
    return (*_FILES, _OF_GRAPHS) if schema.n_graph_attributes else _FILES


def arrays_of(graphs: PackedGraphs) -> list[NDArray[Any]]:
    """All arrays of a set, in one order."""
    return [getattr(graphs, name) for name in (*_FILES, _OF_GRAPHS)]


def save_packed(graphs: PackedGraphs, folder: Path) -> None:
    """Write one ``.npy`` an array and the schema into a new folder."""
    folder.mkdir(parents=True)
    for name in _files_of(graphs.schema):
        np.save(folder / f"{name}.npy", getattr(graphs, name), allow_pickle=False)
    (folder / "schema.json").write_text(json.dumps(graphs.schema.to_json()), encoding="utf-8")


def load_packed(folder: Path) -> PackedGraphs:
    """Open what `save_packed` wrote, arrays memory-mapped and read-only.

    Raises
    ------
    SchemaError
        If a file is missing or cut short, or the arrays do not fit each other. Codes and
        attributes are not read, so that opening a large set costs nothing.
    """
    try:
        schema = GraphSchema.from_json(json.loads((folder / "schema.json").read_text("utf-8")))
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in _files_of(schema)
        }
        graphs = PackedGraphs(schema=schema, **arrays)
        _check_fit(graphs)
    except (OSError, ValueError, EOFError, AttributeError) as error:
        raise SchemaError(
            f"{folder}: no packed graphs can be read from it: {error}. Pack them again."
        ) from error
    return graphs


def _check_fit(graphs: PackedGraphs) -> None:
    """Raise ValueError unless every array has the type and shape its neighbours ask for."""
    schema, n_nodes, n_edges = graphs.schema, len(graphs.nodes), len(graphs.edges)
    index, narrow = graphs.edge_index.dtype, (np.uint8, np.uint16, np.uint32)
    wanted: dict[str, tuple[DTypeLike, tuple[int, int]]] = {
        "edge_index": (index if index in narrow else np.int32, (2, n_edges)),
        "nodes": (schema.code_dtype, (n_nodes, len(schema.nodes))),
        "edges": (schema.code_dtype, (n_edges, len(schema.edges))),
        "node_attributes": (np.float32, (n_nodes, schema.n_node_attributes)),
        "edge_attributes": (np.float32, (n_edges, schema.n_edge_attributes)),
        "graph_attributes": (np.float32, (len(graphs), schema.n_graph_attributes)),
    }
    for name, (dtype, shape) in wanted.items():
        array = getattr(graphs, name)
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f"{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}"
            )
    for name, end in (("node_pointer", n_nodes), ("edge_pointer", n_edges)):
        pointer = getattr(graphs, name)
        if pointer.dtype != np.int64 or pointer.shape != graphs.node_pointer.shape:
            raise ValueError(f"{name} is {pointer.dtype} {pointer.shape}")
        if pointer[0] != 0 or pointer[-1] != end or (np.diff(pointer) < 0).any():
            raise ValueError(f"{name} does not rise from 0 to {end}")
