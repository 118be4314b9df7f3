"""The graph schema: which integer codes a network may see, and what each stands for.

A label of the source (-1, 7, "degree 12") becomes a small code 0, 1, 2, ... in its column,
because an embedding table is indexed by code. The schema is fixed from the training set,
stored in the bundle and hashed: arrays packed under another schema are refused instead of
being read as something they are not.

Below: `kekule.data`. Above: `kekule.models`. Knows NumPy; must not know class labels.
"""

import hashlib
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import SchemaError
from kekule.data.graphs import LabelledGraphs, MoleculeAlphabet

ORDINAL = "degree"  # a count: values beyond the largest seen share its code, asked or not


@dataclass(frozen=True)
class Column:
    """One integer property of nodes or edges.

    Attributes
    ----------
    name
        As in the source: ``label``, ``label_0``, ... or ``degree``.
    values
        Strictly rising labels of the source; code k stands for ``values[k]``.
    clamp
        True for an ordered property whose ends stand for all beyond them, so that a label
        outside ``values`` takes the code of the nearer end instead of having none.
    """

    name: str
    values: tuple[int, ...]
    clamp: bool = False

    def __post_init__(self) -> None:
        """Refuse values a binary search would read wrongly."""
        if not self.values or any(a >= b for a, b in pairwise(self.values)):
            raise SchemaError(
                f"schema: column {self.name!r} has the values {self.values[:12]}, which do not "
                "rise strictly. Take the schema from a bundle this version wrote."
            )

    @property
    def cardinality(self) -> int:
        """Number of codes."""
        return len(self.values)

    def codes(self, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Code of each label, and which labels have one; both of the shape of `labels`."""
        values = np.asarray(self.values, dtype=np.int64)
        if self.clamp:
            labels = np.clip(labels, values[0], values[-1])
        elif self.name == ORDINAL:
            labels = np.minimum(labels, values[-1])
        code = np.minimum(np.searchsorted(values, labels), len(values) - 1)
        return code, values[code] == labels

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; without ``clamp`` where it is not set, as before there was one."""
        form: dict[str, Any] = {"name": self.name, "values": list(self.values)}
        return form | {"clamp": True} if self.clamp else form

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Column":
        """Read what `to_json` wrote; raises what Python does where it has another form."""
        clamp = given.get("clamp", False)
        if not isinstance(clamp, bool):
            raise TypeError(f"clamp is {clamp!r}, not true or false")
        return cls(given["name"], tuple(map(int, given["values"])), clamp)


@dataclass(frozen=True)
class GraphSchema:
    """Columns of nodes and edges, and the widths of the attribute matrices.

    Attributes
    ----------
    nodes, edges
        One `Column` per integer property.
    n_node_attributes, n_edge_attributes
        Columns of the float32 matrices beside the codes.
    alphabet
        What the labels stand for where the graphs are molecules, so that a SMILES can be
        turned into the same arrays.
    featuriser
        Name and version of what makes the codes of a molecule, such as ``molecule-1``; None
        where they come from the labels of a source.
    n_graph_attributes
        Columns of the float32 matrix of whole graphs.
    descriptors
        Name and version of the set of descriptors that fills it, such as ``physchem-1``; None
        where there is none.
    """

    nodes: tuple[Column, ...]
    edges: tuple[Column, ...]
    n_node_attributes: int = 0
    n_edge_attributes: int = 0
    alphabet: MoleculeAlphabet | None = field(default=None)
    featuriser: str | None = None
    n_graph_attributes: int = 0
    descriptors: str | None = None

    @property
    def sha256(self) -> str:
        """Hash of everything above: equal schemas, equal hashes, on every machine."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @property
    def code_dtype(self) -> type[np.unsignedinteger[Any]]:
        """Smallest unsigned type that holds every code: uint8 unless a column is long."""
        longest = max((c.cardinality for c in self.nodes + self.edges), default=1)
        return np.uint8 if longest <= 256 else np.uint16 if longest <= 65536 else np.uint32

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; `from_json` is its inverse.

        What is not set and was not always there is left out: a schema keeps its hash.
        """
        alphabet = self.alphabet
        form = {
            "nodes": [column.to_json() for column in self.nodes],
            "edges": [column.to_json() for column in self.edges],
            "n_node_attributes": self.n_node_attributes,
            "n_edge_attributes": self.n_edge_attributes,
            "alphabet": None
            if alphabet is None
            else {
                "elements": {str(k): v for k, v in alphabet.elements.items()},
                "bonds": {str(k): v for k, v in alphabet.bonds.items()},
            },
        }
        later = {
            "featuriser": self.featuriser,
            "n_graph_attributes": self.n_graph_attributes or None,
            "descriptors": self.descriptors,
        }
        return form | {name: value for name, value in later.items() if value is not None}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "GraphSchema":
        """Read what `to_json` wrote.

        Raises
        ------
        SchemaError
            If a part is missing or of another form.
        """
        try:
            alphabet, names = given["alphabet"], {}
            for part in ("featuriser", "descriptors"):
                names[part] = given.get(part)
                if not isinstance(names[part], str | None):
                    raise TypeError(f"{part} is {names[part]!r}, not a name")
            return cls(
                nodes=tuple(map(Column.from_json, given["nodes"])),
                edges=tuple(map(Column.from_json, given["edges"])),
                n_node_attributes=int(given["n_node_attributes"]),
                n_edge_attributes=int(given["n_edge_attributes"]),
                alphabet=None
                if alphabet is None
                else MoleculeAlphabet(
                    elements={int(k): str(v) for k, v in alphabet["elements"].items()},
                    bonds={int(k): str(v) for k, v in alphabet["bonds"].items()},
                ),
                n_graph_attributes=int(given.get("n_graph_attributes", 0)),
                **names,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SchemaError(
                f"schema: {error!r} while reading it: a part is missing or of another form. "
                "Take the schema from a bundle this version wrote."
            ) from error


def schema_of(graphs: LabelledGraphs) -> GraphSchema:
    """Schema with one code for each label that occurs in `graphs`.

    Take it from the whole labelled set, not from one fold: it holds no class label and
    no statistic, and a rare label must have the same code in every fold. A degree column
    gets every count from 0 to the largest, since degrees are ordered.
    """

    def column(name: str, labels: NDArray[np.int64]) -> Column:
        if name == ORDINAL:
            return Column(name, tuple(range(int(labels.max(initial=0)) + 1)))
        return Column(name, tuple(np.unique(labels).tolist()) or (0,))

    return GraphSchema(
        nodes=tuple(
            column(n, graphs.node_labels[:, k]) for k, n in enumerate(graphs.node_columns)
        ),
        edges=tuple(
            column(n, graphs.edge_labels[:, k]) for k, n in enumerate(graphs.edge_columns)
        ),
        n_node_attributes=graphs.node_attributes.shape[1],
        n_edge_attributes=graphs.edge_attributes.shape[1],
        alphabet=graphs.alphabet,
    )
