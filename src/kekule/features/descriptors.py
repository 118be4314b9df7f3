"""Descriptors of whole molecules beside their graphs, for a network to join before its head.

Message passing sees as far as it has layers; weight, polarity or charge belong to all of a
molecule. A value depends on the standardised molecule alone, never on a data set: scaling by
mean and deviation is for the network, which knows the training rows.

A value x of RDKit stands as sign(x) · ln(1 + abs(x)), cut to ±20, so that BertzCT, in the
thousands, and a partial charge, below one, can share a layer; near zero it stands as it is.
Where RDKit has no value or no finite one, as of a partial charge beside a metal, the set's
usual value stands in, and the row's status says so.

Symbols: N rows, P descriptors. Knows RDKit and NumPy; must not know labels or PyTorch.
"""

from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from kekule._errors import KekuleError
from kekule.data.chunked import Progress
from kekule.data.rows import INVALID, WARNING, RowStatus
from kekule.data.standardisation import StandardisedRows
from kekule.features.descriptor_sets import DescriptorSet, descriptors_of
from kekule.features.fingerprints.descriptors import unknown_names, values_of
from kekule.features.fingerprints.fingerprint import Fingerprint, Settings
from kekule.features.fingerprints.table import FingerprintTable, fingerprints
from kekule.features.schema import GraphSchema
from kekule.features.structure_graphs import StandardGraphs, spread_graphs

FARTHEST: Final = 20.0  # of a value as it stands; in RDKit's scale, 485 million
NAMED: Final = 3  # descriptors a status names


def described(
    found: StandardGraphs,
    schema: GraphSchema,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> StandardGraphs:
    """Join the descriptors that `schema` names to graphs; nothing where it names none.

    Parameters
    ----------
    found
        N molecules as `standard_graphs` gave them.
    schema
        One of `described_schema`, or a bundle's.
    processes
        Worker processes, where molecules are enough to be worth it.
    progress
        Called with what is done, how far, and of how many.

    Returns
    -------
    StandardGraphs
        Under `schema`. A row of which there are no descriptors is invalid; one of which some
        are undefined has a warning that names them. An invalid row's descriptors are zero.

    Raises
    ------
    SchemaError
        If the set is not known here.
    """
    kind = descriptors_of(schema)
    if kind is None:
        return found
    smiles, statuses = list(found.rows.smiles), list(found.rows.statuses)
    usable = [row for row, status in enumerate(statuses) if status.status != INVALID]
    table = _table([smiles[row] for row in usable], kind, processes, progress)
    values = table.values[kind.name]
    undefined = np.isnan(values)
    for k, row in enumerate(usable):
        if table.statuses[k].status == INVALID:
            smiles[row], statuses[row] = "", table.statuses[k]
        elif undefined[k].any():
            statuses[row] = _doubted(statuses[row], kind, undefined[k])
    kept = np.array([status.status != INVALID for status in table.statuses], dtype=bool)
    rows = np.array(usable, dtype=np.int64)[kept]
    attributes = np.zeros((len(smiles), len(kind.columns)), dtype=np.float32)
    attributes[rows] = np.where(undefined, _usual(kind), values)[kept]
    graphs = found.graphs
    if not kept.all():
        graphs = spread_graphs(graphs.take(rows), rows, len(smiles))
    return StandardGraphs(
        replace(graphs, schema=schema, graph_attributes=attributes),
        StandardisedRows(smiles, statuses, found.rows.steps),
    )


def _table(
    smiles: list[str], kind: DescriptorSet, processes: int, progress: Progress | None
) -> FingerprintTable:
    """Values as they stand, NaN where RDKit has none."""
    missing = unknown_names(kind.columns)
    if missing:
        names = ", ".join(missing[:NAMED])
        raise KekuleError(
            f"descriptors {kind.key}: RDKit {version('rdkit')} has no {names}. "
            "Install the release that kekule's requirements name."
        )
    member = Fingerprint(
        name=kind.name,
        columns=kind.columns,
        dtype=np.float32,
        compute=partial(_standing, names=kind.columns),
        use=kind.use,
        avoid=kind.avoid,
        reference="",
        settings=Settings(),  # and not `canonical`: standardised SMILES have one order of atoms
    )
    return fingerprints(
        smiles,
        [member],
        processes=processes if len(smiles) > kind.few else 1,
        progress=progress and (lambda _, done, total: progress("descriptors", done, total)),
    )


def _standing(mol: Chem.Mol, names: tuple[str, ...]) -> NDArray[np.generic]:
    return _scaled(values_of(mol, names))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float32]:
    scaled = np.copysign(np.log1p(abs(values)), values)
    return np.clip(scaled, -FARTHEST, FARTHEST).astype(np.float32)


def _usual(kind: DescriptorSet) -> NDArray[np.float32]:
    return _scaled(np.array([kind.usual.get(name, 0.0) for name in kind.columns]))


def _doubted(status: RowStatus, kind: DescriptorSet, undefined: NDArray[np.bool_]) -> RowStatus:
    """Add to a status which descriptors have no value."""
    names = [kind.columns[k] for k in np.flatnonzero(undefined).tolist()]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    remark = f"RDKit has no {', '.join(names[:NAMED])}{more} of it; usual values stand in"
    return RowStatus(WARNING, "; ".join(filter(None, [status.reason, remark])))
