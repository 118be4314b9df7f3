"""The whole way from the text of a structure to arrays, the same in training and prediction."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kekule.data.chunked import Progress
from kekule.data.rows import INVALID, RowStatus
from kekule.data.standardisation import (
    StandardisationPolicy,
    StandardisedRows,
    standardise_smiles,
)
from kekule.features.molecules import molecule_graphs
from kekule.features.packed import PackedGraphs


class StandardGraphs(NamedTuple):
    """What became of N structures: row i of each part belongs to structure i."""

    graphs: PackedGraphs  # a graph without nodes where the row is invalid
    rows: StandardisedRows


def standard_graphs(
    structures: Sequence[str],
    policy: StandardisationPolicy,
    *,
    reasons: Sequence[str] | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> StandardGraphs:
    """Standardise structures and lay them out under `MOLECULE_SCHEMA`.

    Parameters
    ----------
    structures
        SMILES as given, N of them.
    policy
        The one in the recipe or the bundle.
    reasons
        Why a record could not be read in the first place, empty where it could; such a row is
        invalid for that reason and not read again.
    processes
        Worker processes, one thread each.
    progress
        Called with what is done, how far, and of how many.
    """
    rows = standardise_smiles(structures, policy, processes=processes, progress=progress)
    smiles, statuses = list(rows.smiles), list(rows.statuses)
    for row, reason in enumerate(reasons or ()):
        if reason:
            smiles[row], statuses[row] = "", RowStatus(INVALID, reason)
    usable = [row for row, status in enumerate(statuses) if status.status != INVALID]
    found = molecule_graphs(
        [smiles[row] for row in usable], processes=processes, progress=progress
    )
    for row, status in zip(usable, found.statuses, strict=True):
        if status.status == INVALID:
            smiles[row], statuses[row] = "", status
    return StandardGraphs(
        spread_graphs(found.graphs, np.asarray(usable, dtype=np.int64), len(structures)),
        StandardisedRows(smiles, statuses, rows.steps),
    )


def spread_graphs(
    graphs: PackedGraphs, rows: np.ndarray[tuple[int], np.dtype[np.int64]], n_rows: int
) -> PackedGraphs:
    """Give graphs the places `rows` among `n_rows`, and every other row a graph without nodes."""

    def widened(
        pointer: np.ndarray[tuple[int], np.dtype[np.int64]],
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        sizes = np.zeros(n_rows, dtype=np.int64)
        sizes[rows] = np.diff(pointer)
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])

    attributes = np.zeros((n_rows, graphs.graph_attributes.shape[1]), dtype=np.float32)
    attributes[rows] = graphs.graph_attributes
    return PackedGraphs(
        schema=graphs.schema,
        node_pointer=widened(graphs.node_pointer),
        edge_pointer=widened(graphs.edge_pointer),
        edge_index=graphs.edge_index,
        nodes=graphs.nodes,
        edges=graphs.edges,
        node_attributes=graphs.node_attributes,
        edge_attributes=graphs.edge_attributes,
        graph_attributes=attributes,
    )
