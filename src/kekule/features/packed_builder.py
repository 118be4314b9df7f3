"""Packed graphs put together part by part, in memory for one copy of them and no more.

Joining parts at the end would need all of them and the whole at once. Here each array
grows where it lies (`realloc`), so that a stream of any length costs its packed size and
one part.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import SchemaError
from kekule.features.packed import PackedGraphs, index_dtype
from kekule.features.schema import GraphSchema

SPARE = 64  # an array that is full grows by a 64th of itself, or by what is added if that is more


class PackedBuilder:
    """Graphs under one schema, in the order in which they are added.

    Examples
    --------
    >>> from kekule.data import find_set
    >>> from kekule.features import pack, schema_of
    >>> graphs = find_set("MUTAG")
    >>> packed = pack(graphs, schema_of(graphs))
    >>> builder = PackedBuilder(packed.schema)
    >>> builder.add(packed)
    >>> builder.add(packed)
    >>> len(builder.build())
    376
    """

    def __init__(self, schema: GraphSchema):
        codes = schema.code_dtype
        self._schema = schema
        self._node_pointer = _Rows((), np.int64)
        self._edge_pointer = _Rows((), np.int64)
        self._pairs = _Rows((2,), np.uint8)  # an edge's ends side by side, to grow at one end
        self._arrays = {
            "nodes": _Rows((len(schema.nodes),), codes),
            "edges": _Rows((len(schema.edges),), codes),
            "node_attributes": _Rows((schema.n_node_attributes,), np.float32),
            "edge_attributes": _Rows((schema.n_edge_attributes,), np.float32),
            "graph_attributes": _Rows((schema.n_graph_attributes,), np.float32),
        }
        for pointer in (self._node_pointer, self._edge_pointer):
            pointer.append(np.zeros(1, dtype=np.int64))

    def add(self, part: PackedGraphs) -> None:
        """Append the graphs of `part`.

        Raises
        ------
        SchemaError
            If they are packed under another schema.
        """
        if part.schema != self._schema:
            raise SchemaError(
                f"graphs of the schema {part.schema.sha256[:12]} were to be joined to graphs of "
                f"{self._schema.sha256[:12]}. Pack them all under one schema."
            )
        self._pairs.widen(index_dtype(np.diff(part.node_pointer)))
        self._node_pointer.append(part.node_pointer[1:] + self._arrays["nodes"].n)
        self._edge_pointer.append(part.edge_pointer[1:] + self._arrays["edges"].n)
        self._pairs.append(part.edge_index.T)
        for name, rows in self._arrays.items():
            rows.append(getattr(part, name))

    def build(self) -> PackedGraphs:
        """All graphs that were added; the builder is used up."""
        pairs = self._pairs.done()
        return PackedGraphs(
            schema=self._schema,
            node_pointer=self._node_pointer.done(),
            edge_pointer=self._edge_pointer.done(),
            edge_index=pairs.T,
            **{name: rows.done() for name, rows in self._arrays.items()},
        )


class _Rows:
    """An array that grows at its end."""

    def __init__(self, width: tuple[int, ...], dtype: type[np.generic]):
        self.n = 0
        self._array: NDArray[Any] = np.empty((0, *width), dtype=dtype)

    def append(self, rows: NDArray[Any]) -> None:
        end = self.n + len(rows)
        if end > len(self._array):
            self._resize(max(end, len(self._array) + len(self._array) // SPARE))
        self._array[self.n : end] = rows
        self.n = end

    def widen(self, dtype: type[np.unsignedinteger]) -> None:
        """Change to a type that holds larger numbers, if it is one."""
        if np.dtype(dtype).itemsize > self._array.dtype.itemsize:
            self._array = self._array.astype(dtype)

    def done(self) -> NDArray[Any]:
        self._resize(self.n)
        array, self._array, self.n = self._array, self._array[:0].copy(), 0
        return array

    def _resize(self, n: int) -> None:
        # No view of the array leaves this object before `done`, so none can be left dangling.
        self._array.resize((n, *self._array.shape[1:]), refcheck=False)
