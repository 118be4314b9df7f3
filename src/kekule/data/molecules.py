"""Molecules as labelled graphs and back, without losing a row.

Where the labels of a graph set are elements and bond types, a graph is a molecule that
lost its charges and hydrogens. Both ways are here: the molecule of a graph, to draw and
to sanitise; the graph of a molecule, so that a SMILES can be given to a model trained
on such a set. Going there and back gives the same graph (a test holds it to that).

Symbols: G molecules, V atoms and E directed edges of all of them together. Knows RDKit
and NumPy; must not know schemas or models.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data.edges import edge_order, pointer
from kekule.data.graphs import LabelledGraphs, MoleculeAlphabet
from kekule.data.rebuild import (
    BOND_TYPES,
    charges_of,
    doubtful_nitrogens,
    molecule_from_graph,
)
from kekule.data.rows import INVALID, OK, WARNING, RowStatus
from kekule.data.smiles import read_molecule, shorten

__all__ = ["graphs_from_molecules", "graphs_from_smiles", "molecule_from_graph", "read_molecule"]


class SmilesGraphs(NamedTuple):
    """What became of SMILES: entry i of each part belongs to input i."""

    graphs: LabelledGraphs  # a graph without nodes where the input is invalid
    statuses: list[RowStatus]
    used: list[str]  # canonical SMILES of the molecule that was read; empty where invalid


class _Arrays(NamedTuple):
    """One molecule: labels of its atoms, ends and labels of its bonds, once each."""

    atoms: list[int]
    bonds: list[tuple[int, int, int]]


_NOTHING = _Arrays([], [])


def graphs_from_molecules(
    mols: Sequence[Chem.Mol],
    alphabet: MoleculeAlphabet,
    *,
    name: str = "molecules",
    source: str = "input",
) -> LabelledGraphs:
    """Lay sanitised molecules out as graphs with the labels of an alphabet.

    Returns
    -------
    LabelledGraphs
        Graph i is molecule i, its nodes in the order of the atoms, without targets.

    Raises
    ------
    MoleculeError
        If a molecule has an element or bond type that the alphabet has no label for, or
        no atoms.
    """
    codes = _Codes(alphabet)
    parts = []
    for row, mol in enumerate(mols):
        try:
            parts.append(codes.arrays(mol))
        except ValueError as error:
            text = shorten(Chem.MolToSmiles(mol))
            raise MoleculeError(text, str(error), source=source, row=row) from None
    return _join(parts, alphabet, name, source)


def graphs_from_smiles(
    smiles: Sequence[str],
    alphabet: MoleculeAlphabet,
    *,
    name: str = "molecules",
    source: str = "input",
) -> SmilesGraphs:
    """Turn SMILES into the graphs their molecules would be in a set, row by row.

    Parameters
    ----------
    smiles
        Any text; what is not a molecule keeps its place.
    alphabet
        The labels of the set a model was trained on.

    Returns
    -------
    SmilesGraphs
        A status is ``invalid`` with the reason; ``warning`` where the molecule has
        something a graph of this kind cannot say (unusual charges, isotopes, several
        fragments). Stereochemistry is never in such a graph and is not warned of.
    """
    codes = _Codes(alphabet)
    parts: list[_Arrays] = []
    statuses: list[RowStatus] = []
    used: list[str] = []
    for row, text in enumerate(smiles):
        try:
            mol = read_molecule(text, source=source, row=row)
            parts.append(codes.arrays(mol))
        except ValueError as error:  # MoleculeError is one, with its reason apart
            parts.append(_NOTHING)
            statuses.append(RowStatus(INVALID, getattr(error, "why", str(error))))
            used.append("")
        else:
            used.append(Chem.MolToSmiles(mol))
            remark = _unsaid(mol, used[-1])
            statuses.append(RowStatus(WARNING if remark else OK, remark))
    return SmilesGraphs(_join(parts, alphabet, name, source), statuses, used)


class _Codes:
    """An alphabet read backwards: from elements and bond types to labels."""

    def __init__(self, alphabet: MoleculeAlphabet):
        self.elements = {symbol: label for label, symbol in alphabet.elements.items()}
        self.bonds = {BOND_TYPES[bond]: label for label, bond in alphabet.bonds.items()}

    def arrays(self, mol: Chem.Mol) -> _Arrays:
        """Labels of one molecule; ValueError where there is none for a part of it."""
        if mol.GetNumAtoms() == 0:
            raise ValueError("it has no atoms")
        symbols = [atom.GetSymbol() for atom in mol.GetAtoms()]
        strange = next((symbol for symbol in symbols if symbol not in self.elements), None)
        if strange is not None:
            known = ", ".join(self.elements)
            raise ValueError(f"element {strange} is outside the model's elements ({known})")
        bonds = []
        for bond in mol.GetBonds():
            kind = bond.GetBondType()
            if kind not in self.bonds:
                known = ", ".join(map(_spelt, self.bonds))
                raise ValueError(
                    f"a {_spelt(kind)} bond is outside the model's bond types ({known})"
                )
            bonds.append((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), self.bonds[kind]))
        return _Arrays([self.elements[symbol] for symbol in symbols], bonds)


def _join(
    parts: Sequence[_Arrays], alphabet: MoleculeAlphabet, name: str, source: str
) -> LabelledGraphs:
    """Molecules one after the other in flat arrays, in the order of the contract."""
    nodes = pointer(np.array([len(part.atoms) for part in parts], dtype=np.int64))
    n_bonds = np.array([len(part.bonds) for part in parts], dtype=np.int64)
    bonds = np.array([b for p in parts for b in p.bonds], dtype=np.int64).reshape(-1, 3)
    start = np.repeat(nodes[:-1], n_bonds)
    ends = bonds[:, :2].T + start
    ends = np.concatenate([ends, ends[::-1]], axis=1)
    order, _ = edge_order(ends, int(nodes[-1]))
    local = ends[:, order] - np.concatenate([start, start])[order]
    atoms = np.array([a for p in parts for a in p.atoms], dtype=np.int64).reshape(-1, 1)
    labels = np.concatenate([bonds[:, 2:], bonds[:, 2:]])[order]
    edges = pointer(2 * n_bonds)
    return LabelledGraphs(
        name=name,
        source=source,
        node_pointer=nodes,
        edge_pointer=edges,
        edge_index=local,
        node_labels=atoms,
        edge_labels=labels,
        node_columns=("label",),
        edge_columns=("label",),
        node_attributes=np.empty((len(atoms), 0), dtype=np.float32),
        edge_attributes=np.empty((len(labels), 0), dtype=np.float32),
        targets=None,
        alphabet=alphabet,
        sha256=_hash(nodes, edges, local, atoms, labels),
    )


def _hash(*arrays: NDArray[np.int64]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    return digest.hexdigest()


def _unsaid(mol: Chem.Mol, smiles: str) -> str:
    """Say what a graph of elements and bonds leaves out of a molecule; empty if nothing."""
    remarks = []
    if "." in smiles:
        remarks.append(f"{smiles.count('.') + 1} fragments, all read as one graph")
    facts = [(atom.GetFormalCharge(), atom.GetIsotope()) for atom in mol.GetAtoms()]
    if any(charge for charge, _ in facts):
        odd = ", ".join(_odd_charges(mol)[:3])
        remarks += [f"charges are not part of the graph ({odd})"] if odd else []
    if any(isotope for _, isotope in facts):
        remarks.append("isotopes are not part of the graph")
    return "; ".join(remarks)


def _odd_charges(mol: Chem.Mol) -> list[str]:
    """Name the atoms whose charge could not be told from elements and bonds."""
    expected, doubtful = charges_of(mol), set(doubtful_nitrogens(mol))
    odd = []
    for atom in mol.GetAtoms():
        around = {atom.GetIdx(), *(other.GetIdx() for other in atom.GetNeighbors())}
        if atom.GetFormalCharge() != expected.get(atom.GetIdx(), 0) and not around & doubtful:
            odd.append(f"{atom.GetSymbol()} with {atom.GetFormalCharge():+d}")
    return odd


def _spelt(kind: Chem.BondType) -> str:
    return str(kind).lower()
