"""The example in a bundle: a few graphs or SMILES with the probabilities they must give."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import BundleError
from kekule.data import LabelledGraphs

_ARRAYS = {
    "node_pointer": np.int64,
    "edge_pointer": np.int64,
    "edge_index": np.int64,
    "node_labels": np.int64,
    "edge_labels": np.int64,
    "node_attributes": np.float32,
    "edge_attributes": np.float32,
}


def example_to_json(
    graphs: LabelledGraphs | tuple[str, ...], expected: NDArray[np.float64]
) -> dict[str, Any]:
    """JSON form of graphs, or SMILES, and of their probabilities (G, K)."""
    if not isinstance(graphs, LabelledGraphs):
        return {"smiles": list(graphs), "probabilities": expected.tolist()}
    arrays = {name: getattr(graphs, name) for name in _ARRAYS}
    return {
        "node_columns": list(graphs.node_columns),
        "edge_columns": list(graphs.edge_columns),
        **{k: {"shape": list(a.shape), "values": a.ravel().tolist()} for k, a in arrays.items()},
        "probabilities": expected.tolist(),
    }


def example_from_json(
    path: Path, given: dict[str, Any]
) -> tuple[LabelledGraphs | tuple[str, ...], NDArray[np.float64]]:
    """Read what `example_to_json` wrote.

    Raises
    ------
    BundleError
        If a part is missing or of another form.
    """
    try:
        if "smiles" in given:
            return _smiles(given["smiles"]), np.asarray(given["probabilities"], dtype=np.float64)
        arrays: dict[str, Any] = {
            name: np.asarray(given[name]["values"], dtype=dtype).reshape(given[name]["shape"])
            for name, dtype in _ARRAYS.items()
        }
        graphs = LabelledGraphs(
            name="example",
            source=str(path),
            **arrays,
            node_columns=tuple(given["node_columns"]),
            edge_columns=tuple(given["edge_columns"]),
            targets=None,
            alphabet=None,
            sha256="",
        )
        _check_arrays(graphs)
        return graphs, np.asarray(given["probabilities"], dtype=np.float64)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise BundleError(
            path, f"a part is missing or of another form ({error!r})", "Train the bundle anew."
        ) from error


def _smiles(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(s, str) for s in given):
        raise ValueError("smiles is no list of texts")
    return tuple(given)


def _check_arrays(graphs: LabelledGraphs) -> None:
    """Raise ValueError where a pointer or an edge would lead out of the arrays."""
    ends = {
        "node_pointer": {len(graphs.node_labels), len(graphs.node_attributes)},
        "edge_pointer": {
            len(graphs.edge_labels),
            len(graphs.edge_attributes),
            graphs.edge_index.shape[1],
        },
    }
    for name, lengths in ends.items():
        pointer = getattr(graphs, name)
        if pointer.shape != graphs.node_pointer.shape or len(pointer) < 2:
            raise ValueError(f"{name} has shape {pointer.shape}")
        if pointer[0] != 0 or (np.diff(pointer) < 0).any() or lengths != {int(pointer[-1])}:
            raise ValueError(f"{name} does not rise from 0 to the end of its arrays")
    room = np.repeat(graphs.n_nodes, graphs.n_edges)
    if (
        graphs.edge_index.shape[0] != 2
        or ((graphs.edge_index < 0) | (graphs.edge_index >= room)).any()
    ):
        raise ValueError("edge_index leaves its graph")
