"""Labels of molecules by RDKit's Python interface: works with every RDKit, and gives reasons."""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data.fused_rings import too_fused
from kekule.data.rows import INVALID, OK, RowStatus
from kekule.data.smiles import LONGEST, one_line, read_molecule
from kekule.features.molecule_labels import LARGEST_LABEL, MoleculeLabels
from kekule.features.molecule_schema import CHIRALITY, LARGE_RING, ORDERS, STEREO

FINE = RowStatus(OK, "")

_ORDER = {
    Chem.BondType.SINGLE: ORDERS["single"],
    Chem.BondType.DOUBLE: ORDERS["double"],
    Chem.BondType.TRIPLE: ORDERS["triple"],
    Chem.BondType.AROMATIC: ORDERS["aromatic"],
    Chem.BondType.DATIVE: ORDERS["dative"],
}
_STEREO = {
    Chem.BondStereo.STEREONONE: STEREO["none"],
    Chem.BondStereo.STEREOANY: STEREO["any"],
    Chem.BondStereo.STEREOZ: STEREO["Z"],
    Chem.BondStereo.STEREOE: STEREO["E"],
}  # cis and trans are relative to atoms RDKit picks, and no label of the molecule
_HYBRIDISATIONS = 8  # those beyond are "another", which is 0
_CIP = "_CIPCode"


def labels_by_rdkit(smiles: Sequence[str]) -> tuple[MoleculeLabels, list[RowStatus]]:
    """Read every SMILES; one that cannot be read has no atoms, and a reason."""
    n_atoms, n_bonds, statuses = [], [], []
    atoms: list[tuple[int, ...]] = []
    ends: list[tuple[int, int]] = []
    bonds: list[tuple[int, ...]] = []
    for text in smiles:
        mol, why = _read(text)
        statuses.append(RowStatus(INVALID, why) if why else FINE)
        if mol is None:
            n_atoms.append(0)
            n_bonds.append(0)
            continue
        start = len(atoms)
        atoms += _atoms(mol)
        for bond in mol.GetBonds():
            ends.append((start + bond.GetBeginAtomIdx(), start + bond.GetEndAtomIdx()))
            bonds.append(_bond(bond))
        n_atoms.append(mol.GetNumAtoms())
        n_bonds.append(mol.GetNumBonds())
    labels = MoleculeLabels(
        n_atoms=np.array(n_atoms, dtype=np.int64),
        n_bonds=np.array(n_bonds, dtype=np.int64),
        atoms=np.array(atoms, dtype=np.int8).reshape(len(atoms), 9).T,
        ends=np.array(ends, dtype=np.int64).reshape(len(ends), 2).T,
        bonds=np.array(bonds, dtype=np.int8).reshape(len(bonds), 4).T,
    )
    return labels, statuses


def _read(text: str) -> tuple[Chem.Mol | None, str]:
    """Molecule of a SMILES and no reason, or none and why not."""
    if len(text) <= LONGEST and (why := too_fused(text)):
        return None, why
    try:
        mol = read_molecule(text)
    except MoleculeError as error:
        return None, error.why
    except RuntimeError as error:  # a broken invariant within RDKit
        return None, one_line(str(error)) or "RDKit gives no reason"
    for atom in mol.GetAtoms():
        if not atom.GetAtomicNum():
            return None, f"atom {atom.GetIdx()} is a dummy atom (*), which is no element"
    return mol, ""


def _atoms(mol: Chem.Mol) -> list[tuple[int, ...]]:
    ring = mol.GetRingInfo().MinAtomRingSize
    return [
        (
            atom.GetAtomicNum(),
            _held(atom.GetDegree()),
            _held(atom.GetFormalCharge()),
            _held(atom.GetTotalNumHs()),
            int(atom.GetHybridization()) % _HYBRIDISATIONS,
            int(atom.GetIsAromatic()),
            min(ring(atom.GetIdx()), LARGE_RING),
            CHIRALITY.get(atom.GetProp(_CIP), 0) if atom.HasProp(_CIP) else 0,
            _held(atom.GetNumRadicalElectrons()),
        )
        for atom in mol.GetAtoms()
    ]


def _bond(bond: Chem.Bond) -> tuple[int, ...]:
    return (
        _ORDER.get(bond.GetBondType(), ORDERS["other"]),
        int(bond.GetIsConjugated()),
        int(bond.IsInRing()),
        _STEREO.get(bond.GetStereo(), STEREO["other"]),
    )


def _held(count: int) -> int:
    return max(-LARGEST_LABEL, min(count, LARGEST_LABEL))
