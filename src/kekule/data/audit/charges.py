"""How a molecule is drawn as a salt: its pieces, its counter-ions, its charges.

Whether a compound stands in a table as a salt or as its free base is a choice of who
drew it. Charges no proton made do not count: those that neighbours cancel (nitro, azide,
N-oxide) are ways of writing a bond, and a quaternary ammonium is charged in any bottle.

Knows RDKit; must not know labels.
"""

import re
from collections import Counter
from typing import NamedTuple

from rdkit import Chem

from kekule.data.fragments import mixture

SALT_COLUMNS = (
    "pieces",
    "protonated atoms",
    "deprotonated atoms",
    "net charge",
    "chloride",
    "bromide or iodide",
    "alkali or alkaline earth",
    "other piece",
)
_HALIDES = {"Cl": "chloride", "Br": "bromide or iodide", "I": "bromide or iodide"}
_SALT_METALS = frozenset({"Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba"})
_NO_METAL = frozenset(re.findall("[A-Z][a-z]?|\\*", "HHeBCNOFNeSiPSClArGeAsSeBrKrTeIXeAtRn*"))


class Pieces(NamedTuple):
    """What a structure is made of."""

    numbers: list[float]  # one for each of `SALT_COLUMNS`
    is_mixture: bool  # two organic pieces that are neither usual counter-ions nor solvents
    metals: str  # symbols of metals that are no plain counter-ions, with blanks


def pieces_of(mol: Chem.Mol, text: str) -> Pieces:
    """Look at the pieces and charges of a structure as it was drawn."""
    protonated, deprotonated, net = _charges(mol) if "+" in text or "-" in text else (0, 0, 0)
    symbols = _symbols(mol) if "[" in text else set()
    metals = " ".join(sorted(symbols - _NO_METAL - _SALT_METALS))
    kinds: Counter[str] = Counter()
    is_mixture, n_pieces = False, 1
    if "." in text:
        parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
        n_pieces = len(parts)
        kinds.update(_kind(part) for part in _without_largest(parts))
        is_mixture = bool(mixture(mol))
    numbers = [n_pieces, protonated, deprotonated, net]
    numbers += [kinds[kind] for kind in SALT_COLUMNS[4:]]
    return Pieces(list(map(float, numbers)), is_mixture, metals)


def _symbols(mol: Chem.Mol) -> set[str]:
    """Elements of a molecule, by index: RDKit's own iterator takes twice as long."""
    return {mol.GetAtomWithIdx(index).GetSymbol() for index in range(mol.GetNumAtoms())}


def _charges(mol: Chem.Mol) -> tuple[int, int, int]:
    """Atoms that gained or lost a proton, and the sum of the charges this leaves."""
    charge_of = {
        atom.GetIdx(): charge for atom in mol.GetAtoms() if (charge := atom.GetFormalCharge())
    }
    gained = lost = 0
    for index, charge in charge_of.items():
        atom = mol.GetAtomWithIdx(index)
        around = [charge_of.get(other.GetIdx(), 0) for other in atom.GetNeighbors()]
        if any(charge * other < 0 for other in around):
            continue
        gained += charge > 0 and atom.GetTotalNumHs() > 0
        lost += charge < 0
    return gained, lost, gained - lost


def _without_largest(parts: tuple[Chem.Mol, ...]) -> list[Chem.Mol]:
    return sorted(parts, key=Chem.Mol.GetNumHeavyAtoms)[:-1]


def _kind(part: Chem.Mol) -> str:
    """Kind of a counter-ion, by the one heavy atom it may consist of."""
    heavy = [atom.GetSymbol() for atom in part.GetAtoms() if atom.GetAtomicNum() > 1]
    if len(heavy) == 1 and heavy[0] in _HALIDES:
        return _HALIDES[heavy[0]]
    if len(heavy) == 1 and heavy[0] in _SALT_METALS:
        return "alkali or alkaline earth"
    return "other piece"
