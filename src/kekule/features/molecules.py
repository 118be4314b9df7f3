"""From SMILES to packed graphs, at the speed of RDKit's parser, without losing a row.

Two engines give the same arrays, which tests hold them to on whole data sets: ``cpp``
(cuik-molmaker, which touches no atom in Python) and ``rdkit`` (RDKit's Python interface,
which works with every release of RDKit and says why a molecule cannot be read). Where
the first cannot read a row, the second is asked for that row alone.

Symbols: N rows. Knows RDKit and NumPy; must not know labels, files or PyTorch.
"""

import logging
from collections.abc import Callable, Iterable, Sequence, Sized
from functools import cache
from itertools import chain, islice
from typing import Literal, NamedTuple

import numpy as np

from kekule.data.chunked import Progress, chunks_of, map_chunks
from kekule.data.rows import INVALID, RowStatus
from kekule.features.molecule_labels import packed_labels
from kekule.features.molecule_schema import MOLECULE_SCHEMA
from kekule.features.molecules_cpp import EngineError, labels_by_cpp, plain, why_not_cpp
from kekule.features.molecules_rdkit import FINE, labels_by_rdkit
from kekule.features.packed import PackedGraphs
from kekule.features.packed_builder import PackedBuilder

Engine = Literal["auto", "cpp", "rdkit"]
CHUNK = 1024  # rows on their way at a time, to a worker and back

_LOG = logging.getLogger(__name__)


class MoleculeGraphs(NamedTuple):
    """What became of N SMILES: entry i of each part belongs to row i."""

    graphs: PackedGraphs  # under MOLECULE_SCHEMA; a graph without nodes where invalid
    statuses: list[RowStatus]


class _Chunk(NamedTuple):
    """One chunk's graphs, and why the invalid ones of its rows are so."""

    graphs: PackedGraphs
    reasons: dict[int, str]


def molecule_graphs(
    smiles: Iterable[str],
    *,
    engine: Engine = "auto",
    processes: int = 1,
    progress: Progress | None = None,
) -> MoleculeGraphs:
    """Lay every SMILES out as a graph under `MOLECULE_SCHEMA`.

    The SMILES are taken as they are: to read a salt as its parent, standardise first.

    Parameters
    ----------
    smiles
        N texts, read as a stream; memory grows with the packed graphs alone.
    engine
        ``auto`` takes ``cpp`` where it is installed for this release of RDKit, else
        ``rdkit``, which is several times slower; the arrays are the same.
    processes
        Worker processes. They pay off from about ten thousand molecules.
    progress
        Told how many rows are done.

    Raises
    ------
    EngineError
        If ``cpp`` is asked for and cannot be used here.
    LostWorkerError
        If a worker process dies.

    Examples
    --------
    >>> found = molecule_graphs(["CCO", "C1CC"])
    >>> found.graphs.node_pointer.tolist()
    [0, 3, 3]
    >>> found.statuses[1].status
    'invalid'
    """
    work = _WORK[_chosen(engine)]
    total = len(smiles) if isinstance(smiles, Sized) else None
    chunks = chunks_of(smiles, CHUNK)
    first = list(islice(chunks, 2))
    builder = PackedBuilder(MOLECULE_SCHEMA)
    statuses: list[RowStatus] = []
    few = len(first) < 2  # no process is started for what one can do at once
    for done in map_chunks(work, chain(first, chunks), processes=1 if few else processes):
        builder.add(done.graphs)
        n_before = len(statuses)
        statuses += [FINE] * len(done.graphs)
        for row, reason in done.reasons.items():
            statuses[n_before + row] = RowStatus(INVALID, reason)
        if progress:
            progress("featurising", len(statuses), total)
    return MoleculeGraphs(builder.build(), statuses)


def _chosen(engine: Engine) -> Literal["cpp", "rdkit"]:
    """Settle what ``auto`` is here."""
    if engine == "rdkit":
        return "rdkit"
    if engine == "auto":
        return _best()
    if engine != "cpp":
        raise EngineError(f"engine {engine!r} is not known. Give 'auto', 'cpp' or 'rdkit'.")
    why = why_not_cpp()
    if why:
        raise EngineError(
            f"engine 'cpp' cannot be used: {why}. Give engine='rdkit', or install "
            "cuik_molmaker_pin in the release of the rdkit that is installed."
        )
    return "cpp"


@cache
def _best() -> Literal["cpp", "rdkit"]:
    why = why_not_cpp()
    if why:
        _LOG.warning("molecules are read by the slower way: %s", why)
        return "rdkit"
    return "cpp"


def _by_rdkit(smiles: Sequence[str]) -> _Chunk:
    labels, statuses = labels_by_rdkit(smiles)
    bad = {row: status.reason for row, status in enumerate(statuses) if status.status == INVALID}
    return _Chunk(packed_labels(labels), bad)


def _by_cpp(smiles: Sequence[str]) -> _Chunk:
    """Read what is plain at once, and what is left over by RDKit; then in order again."""
    readable = np.array(plain(smiles), dtype=bool)
    rows = np.flatnonzero(readable)
    given = smiles if len(rows) == len(smiles) else [smiles[row] for row in rows.tolist()]
    labels = labels_by_cpp(given)
    left = labels.n_atoms == 0
    dummies = np.flatnonzero(labels.atoms[0] == 0)
    left[np.searchsorted(labels.n_atoms.cumsum(), dummies, side="right")] = True
    graphs = packed_labels(labels)
    readable[rows[left]] = False
    odd = np.flatnonzero(~readable)
    if not len(odd):
        return _Chunk(graphs, {})
    others = _by_rdkit([smiles[row] for row in odd.tolist()])
    both = PackedBuilder(MOLECULE_SCHEMA)
    both.add(graphs)
    both.add(others.graphs)
    place = np.empty(len(smiles), dtype=np.int64)
    place[rows] = np.arange(len(rows))
    place[odd] = len(rows) + np.arange(len(odd))
    reasons = {int(odd[k]): reason for k, reason in others.reasons.items()}
    return _Chunk(both.build().take(place), reasons)


_WORK: dict[str, Callable[[Sequence[str]], _Chunk]] = {"cpp": _by_cpp, "rdkit": _by_rdkit}
