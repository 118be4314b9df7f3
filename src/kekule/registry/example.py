"""The example in a bundle: a few graphs as JSON with the probabilities they must give."""

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


def example_to_json(graphs: LabelledGraphs, expected: NDArray[np.float64]) -> dict[str, Any]:
    """JSON form of graphs and of their probabilities (G, K)."""
    arrays = {name: getattr(graphs, name) for name in _ARRAYS}
    return {
        "node_columns": list(graphs.node_columns),
        "edge_columns": list(graphs.edge_columns),
        **{k: {"shape": list(a.shape), "values": a.ravel().tolist()} for k, a in arrays.items()},
        "probabilities": expected.tolist(),
    }


def example_from_json(
    path: Path, given: dict[str, Any]
) -> tuple[LabelledGraphs, NDArray[np.float64]]:
    """Read what `example_to_json` wrote.

    Raises
    ------
    BundleError
        If a part is missing or of another form.
    """
    try:
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
        return graphs, np.asarray(given["probabilities"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            path, f"a part is missing or of another form ({error!r})", "Train the bundle anew."
        ) from error
