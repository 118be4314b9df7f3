"""Fingerprints of many molecules, each row in its place.

A molecule is read once for all the fingerprints asked for. Symbols: N rows, W columns.
Below: `kekule.data`. Knows RDKit; must not know labels, files or models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from threadpoolctl import threadpool_limits

from kekule._errors import KekuleError, MoleculeError
from kekule.data.chunked import Progress, map_chunks, shared_out
from kekule.data.identity import MAX_ATOMS
from kekule.data.rows import INVALID, OK, RowStatus
from kekule.data.smiles import one_line, quiet, read_molecule, shorten
from kekule.features.fingerprints.catalogue import FINGERPRINTS
from kekule.features.fingerprints.fingerprint import Fingerprint

CHUNK: Final = 512  # rows on their way at a time, to a worker and back

_FINE = RowStatus(OK, "")
_RDKIT_ERRORS = (RuntimeError, ValueError, OverflowError)


class UnknownFingerprintError(KekuleError, ValueError):
    """A fingerprint that is asked for and that there is not, with the nearest there is."""

    def __init__(self, name: object):
        near = get_close_matches(str(name), FINGERPRINTS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        super().__init__(
            f"fingerprints: there is none of the name {name!r}. {hint}"
            f"There are {', '.join(FINGERPRINTS)}."
        )
        self.name = name


@dataclass(frozen=True, eq=False)
class FingerprintTable:
    """What became of N SMILES; row i of each array belongs to SMILES i.

    Attributes
    ----------
    values
        By name of the fingerprint an array (N, W) of its dtype. A row that is invalid is
        zero in each, or NaN where the dtype is ``float32``.
    columns
        By name of the fingerprint its W column names.
    statuses
        Status and reason of each row.
    """

    values: dict[str, NDArray[np.generic]]
    columns: dict[str, tuple[str, ...]]
    statuses: list[RowStatus]

    def __len__(self) -> int:
        """Return N, the number of rows."""
        return len(self.statuses)


def fingerprints(
    smiles: Sequence[str],
    names: Sequence[str | Fingerprint] = ("ecfp",),
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> FingerprintTable:
    """Compute fingerprints of every SMILES; a row that cannot be read keeps its place.

    The SMILES are taken as they are: to see a salt as its parent, standardise first. The
    same molecule has the same row however its SMILES is written, whatever else is in the
    table, and whichever other fingerprints are asked for.

    Parameters
    ----------
    smiles
        N texts, whatever they hold.
    names
        Of `FINGERPRINTS`; or members of the family with settings of their own.
    processes
        Worker processes. They pay off from some thousand molecules, earlier for
        ``rdkit-descriptors``.
    progress
        Told how many of the N are done.

    Raises
    ------
    UnknownFingerprintError
        If there is no fingerprint of a name.
    LostWorkerError
        If a worker process dies.

    Examples
    --------
    >>> table = fingerprints(["c1ccccc1O", "no molecule"], ["maccs"])
    >>> table.values["maccs"].sum(axis=1).tolist(), table.statuses[1].status
    ([10, 0], 'invalid')
    """
    kinds = {kind.name: kind for kind in map(fingerprint_named, names)}
    values = {name: kind.empty(len(smiles)) for name, kind in kinds.items()}
    statuses: list[RowStatus] = []
    work = partial(_part, kinds=tuple(kinds.values()))
    parts = shared_out(smiles, processes, most=CHUNK)
    for rows, told in map_chunks(work, parts, processes=processes):
        start = len(statuses)
        for name, part in zip(kinds, rows, strict=True):
            values[name][start : start + len(told)] = part
        statuses += told
        if progress is not None:
            progress("fingerprints", len(statuses), len(smiles))
    columns = {name: kind.columns for name, kind in kinds.items()}
    return FingerprintTable(values, columns, statuses)


def fingerprint_named(name: str | Fingerprint) -> Fingerprint:
    """Fingerprint of a name, or the one given.

    Raises
    ------
    UnknownFingerprintError
        If there is none of the name.
    """
    if isinstance(name, Fingerprint):
        return name
    if name not in FINGERPRINTS:
        raise UnknownFingerprintError(name)
    return FINGERPRINTS[name]


def _part(
    smiles: Sequence[str], kinds: tuple[Fingerprint, ...]
) -> tuple[list[NDArray[np.generic]], list[RowStatus]]:
    """Rows of some molecules: an array for each kind, and a status for each row."""
    values = [kind.empty(len(smiles)) for kind in kinds]
    statuses = []
    with threadpool_limits(1):  # threads on matrices this small cost more than they save
        for row, text in enumerate(smiles):
            found, why = _row(text, kinds)
            statuses.append(RowStatus(INVALID, why) if why else _FINE)
            for whole, one in zip(values, found, strict=False):
                whole[row] = one
    return values, statuses


def _row(text: str, kinds: tuple[Fingerprint, ...]) -> tuple[list[NDArray[np.generic]], str]:
    """One molecule's rows and no reason, or none and why not."""
    try:
        mol = read_molecule(text)
    except MoleculeError as error:
        return [], error.why
    except RuntimeError as error:  # a broken invariant within RDKit
        return [], f"RDKit failed to read it: {_told(error)}"
    n_atoms = mol.GetNumAtoms()
    if n_atoms > MAX_ATOMS:
        return [], f"it is too large: {n_atoms} atoms, and at most {MAX_ATOMS} are allowed"
    rows: list[NDArray[np.generic]] = []
    with quiet(), np.errstate(all="ignore"):
        ordered = _in_order(mol) if any(kind.canonical for kind in kinds) else mol
        for kind in kinds:
            own = Chem.Mol(ordered if kind.canonical else mol)  # some leave marks that others read
            try:
                rows.append(kind.compute(own))
            except _RDKIT_ERRORS as error:
                return [], f"RDKit has no {kind.name} of it: {_told(error)}"
    return rows, ""


def _in_order(mol: Chem.Mol) -> Chem.Mol:
    """Read the molecule anew from its canonical SMILES, or keep it where RDKit cannot."""
    try:
        return Chem.MolFromSmiles(Chem.MolToSmiles(mol)) or mol
    except _RDKIT_ERRORS:
        return mol


def _told(error: Exception) -> str:
    """RDKit's words for what went wrong; a violated invariant is several lines with a path."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return shorten(one_line(lines[0]) if lines else type(error).__name__, 200)
