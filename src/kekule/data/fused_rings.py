"""Whether RDKit would come to an end with a molecule's rings.

To find out what is aromatic, RDKit tries rings fused to one another in sets of up to six.
Of 30 such rings there are half a million sets, of 64 there are 75 million, and a SMILES of
600 characters keeps it busy for half a minute. Fullerenes C60 and C70 are let through.

Below: RDKit. Must not know policies or rows.
"""

import re
from typing import Final

from rdkit import Chem

from kekule.data.smiles import quiet

MOST_FUSED: Final = 40  # rings in one system; a second or two at worst

# A text of so many rings has as many pairs of ring numbers, outside brackets.
_BRACKETS = re.compile(r"\[[^\]]*\]")
_RING_NUMBER = re.compile(r"%\(\d+\)|%\d\d|\d")


def too_fused(smiles: str) -> str:
    """Why a SMILES is not given to RDKit to sanitise; empty if it may be.

    Costs next to nothing for texts of few rings, and says nothing of texts that cannot
    be read at all.
    """
    if len(smiles) < 4 * MOST_FUSED or _n_ring_numbers(smiles) < 1.5 * MOST_FUSED:
        return ""  # rings outnumber their closures only where they make up a cage
    with quiet():
        mol = Chem.MolFromSmiles(smiles.strip(), sanitize=False)
        n_fused = 0 if mol is None else _largest_system(mol)
    if n_fused <= MOST_FUSED:
        return ""
    return f"it has {n_fused} rings fused into one, and at most {MOST_FUSED} are read"


def _n_ring_numbers(smiles: str) -> int:
    return len(_RING_NUMBER.findall(_BRACKETS.sub("", smiles)))


def _largest_system(mol: Chem.Mol) -> int:
    """Rings in the largest system of those that might be aromatic together."""
    Chem.GetSymmSSSR(mol)
    ring_info = mol.GetRingInfo()
    barred = {atom.GetIdx() for atom in mol.GetAtoms() if _never_aromatic(atom)}
    rings = zip(ring_info.AtomRings(), ring_info.BondRings(), strict=True)
    bonds_of = [bonds for atoms, bonds in rings if barred.isdisjoint(atoms)]
    rings_at: dict[int, list[int]] = {}
    for ring, bonds in enumerate(bonds_of):
        for bond in bonds:
            rings_at.setdefault(bond, []).append(ring)
    left, largest = set(range(len(bonds_of))), 0
    while left:
        system = [left.pop()]
        for ring in system:  # grows while it is read
            for other in {r for bond in bonds_of[ring] for r in rings_at[bond]} & left:
                left.remove(other)
                system.append(other)
        largest = max(largest, len(system))
    return largest


def _never_aromatic(atom: Chem.Atom) -> bool:
    """Whether RDKit never counts on an atom: heavy elements, and carbon with single bonds."""
    number = atom.GetAtomicNum()
    if number != 6:
        return number > 18 and number not in (34, 52)
    single = Chem.BondType.SINGLE
    return not atom.GetFormalCharge() and all(b.GetBondType() == single for b in atom.GetBonds())
