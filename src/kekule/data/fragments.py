"""Which part of a salt, solvate or mixture is the molecule that was meant.

The choice itself is RDKit's: the largest fragment with carbon in it. What RDKit does not
say is whether the choice was open to doubt. It is not where an acid, a base or a solvent
that chemists make salts and crystals with goes away; it is where two drugs stand side by
side, and where the part kept is itself such an acid (the pamoate of a small amine).

Below: RDKit. Must not know policies, rows or files.
"""

from collections import Counter
from functools import cache, lru_cache
from typing import Final, NamedTuple

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from kekule.data.smiles import shorten

# Named by what they are as neutral molecules; a charged one is neutralised before it is looked up.
COMPANIONS: Final = {
    "acids of one carbon": ("[C-]#[O+]", "OC=O", "OC(O)=O", "C#N", "SC#N", "N#CO", "O=C=O"),
    "carboxylic acids": (
        *("CC(O)=O", "CCC(O)=O", "CCCC(O)=O", "OC(=O)C(F)(F)F", "OC(=O)C(Cl)(Cl)Cl"),
        *("OC(=O)C(O)=O", "OC(=O)CC(O)=O", "OC(=O)CCC(O)=O", "OC(=O)CCCC(O)=O"),
        *("OC(=O)CCCCC(O)=O", "OC(=O)C=CC(O)=O", "OCC(O)=O", "CC(O)C(O)=O", "CC(=O)C(O)=O"),
        *("OC(=O)CC(O)C(O)=O", "OC(=O)C(O)C(O)C(O)=O", "OC(=O)CC(O)(CC(O)=O)C(O)=O"),
        *("OC(=O)c1ccccc1", "OC(=O)c1ccccc1O", "OC(=O)C=Cc1ccccc1", "OC(=O)C(O)c1ccccc1"),
        *("OCC(O)C(O)C(O)C(O)C(O)=O", "OC(=O)C(O)C(O)C(O)C(O)C(O)=O", "CCCCCCCC=CCCCCCCCC(O)=O"),
        *("CCCCCCCCCCCCCCCC(O)=O", "CCCCCCCCCCCCCCCCCC(O)=O", "CCCCCCCCC=CCCCCCCCC(O)=O"),
        *("OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(O)=O)c1O", "OC(=O)c1cc2ccccc2cc1O"),
        *("NC(CC(O)=O)C(O)=O", "NC(CCC(O)=O)C(O)=O", "NCC(O)=O", "OC(=O)c1cccnc1"),
        "OCC(O)C1OC(=O)C(O)=C1O",
    ),
    "sulfonic and sulfuric acids": (
        *("CS(O)(=O)=O", "CCS(O)(=O)=O", "OCCS(O)(=O)=O", "OS(=O)(=O)CCS(O)(=O)=O"),
        *("OS(=O)(=O)c1ccccc1", "Cc1ccc(cc1)S(O)(=O)=O", "OS(=O)(=O)C(F)(F)F"),
        "O=S(=O)(NS(=O)(=O)C(F)(F)F)C(F)(F)F",
        *("OS(=O)(=O)c1ccc2ccccc2c1", "OS(=O)(=O)c1cccc2c1cccc2S(O)(=O)=O"),
        *("CC1(C)C2CCC1(CS(O)(=O)=O)C(=O)C2", "COS(O)(=O)=O", "CCOS(O)(=O)=O"),
        *("CCCCCCCCCCCCOS(O)(=O)=O", "OS(=O)(=O)NC1CCCCC1"),
    ),
    "phenols": ("Oc1c(cc(cc1[N+]([O-])=O)[N+]([O-])=O)[N+]([O-])=O", "Oc1ccccc1"),
    "bases": (
        *("CN", "CNC", "CN(C)C", "C[N+](C)(C)C", "CCN", "CCNCC", "CCN(CC)CC", "CCCCN"),
        *("CC[N+](CC)(CC)CC", "CCCC[N+](CCCC)(CCCC)CCCC", "C[N+](C)(C)CCO", "NCCO", "OCCNCCO"),
        *("OCCN(CCO)CCO", "CCN(CC)CCO", "OCC(N)(CO)CO", "CNCC(O)C(O)C(O)C(O)CO", "NCCN"),
        *("C1CNCCN1", "C1CCNCC1", "C1COCCN1", "c1ccncc1", "c1c[nH]cn1", "CC(C)(C)N", "NC1CCCCC1"),
        *("C1CCC(CC1)NC1CCCCC1", "NC(N)=N", "NC(N)=O", "NC(N)=S", "NCCCCC(N)C(O)=O"),
        *("NC(CCCNC(N)=N)C(O)=O", "c1ccc(cc1)CNCCNCc1ccccc1", "NCc1ccccc1", "Nc1ccccc1"),
    ),
    "solvents": (
        *("CO", "CCO", "CCCO", "CC(C)O", "CCCCO", "CC(C)(C)O", "OCCO", "CC(O)CO", "OCC(O)CO"),
        *("CC(C)=O", "CCC(C)=O", "CC#N", "CS(C)=O", "C[S+](C)[O-]", "CN(C)C=O", "CN(C)C(C)=O"),
        *("NC=O", "CN1CCCC1=O", "CCOCC", "COC(C)(C)C", "CC(C)OC(C)C", "C1CCOC1", "C1COCCO1"),
        *("COCCOC", "COC(C)=O", "CCOC(C)=O", "ClCCl", "ClC(Cl)Cl", "ClC(Cl)(Cl)Cl", "ClCCCl"),
        *("C", "CI", "CCCCC", "CCCCCC", "CCCCCCC", "C1CCCCC1"),
        *("c1ccccc1", "Cc1ccccc1", "Clc1ccccc1", "Cc1ccc(C)cc1", "Cc1cccc(C)c1", "Cc1ccccc1C"),
    ),
}


class Kept(NamedTuple):
    """The fragment kept, what went away in words, and a reservation or an empty text."""

    mol: Chem.Mol
    words: str
    doubt: str


def largest_fragment(mol: Chem.Mol) -> Kept:
    """Keep the largest fragment, one with carbon if there is any.

    Only for molecules of several fragments. Sizes are counted with hydrogens; RDKit
    breaks ties by weight and then by the fragment's SMILES.
    """
    parts = Chem.GetMolFrags(mol, asMols=True)
    for number, atoms in enumerate(Chem.GetMolFrags(mol)):
        for atom in atoms:
            mol.GetAtomWithIdx(atom).SetIntProp("part", number)
    chosen = _chooser().choose(mol)
    number = chosen.GetAtomWithIdx(0).GetIntProp("part")
    kept = Chem.MolToSmiles(parts[number])
    gone = [Chem.MolToSmiles(part) for k, part in enumerate(parts) if k != number]
    kind = "largest organic" if is_organic(chosen) else "largest"
    return Kept(chosen, f"kept the {kind} fragment, removed {_listed(gone)}", _doubt(kept, gone))


def mixture(mol: Chem.Mol) -> str:
    """Why several fragments that all stay are open to doubt; empty if they are not."""
    texts = [Chem.MolToSmiles(part) for part in Chem.GetMolFrags(mol, asMols=True)]
    rivals = {_neutral(text).exact for text in texts} - {""}
    drugs = {_neutral(text).exact for text in texts if not is_companion(text)} - {""}
    return f"mixture of {len(rivals)} organic fragments; all were kept" if len(drugs) > 1 else ""


def is_organic(mol: Chem.Mol) -> bool:
    """Whether there is carbon in it."""
    return bool(mol.HasSubstructMatch(_carbon()))


def is_companion(fragment: str) -> bool:
    """Whether a fragment is a common counter-ion or solvent, whatever its charge and stereo."""
    return _neutral(fragment).flat in _companions()


class _Neutral(NamedTuple):
    exact: str  # canonical SMILES without charge; empty where there is no carbon
    flat: str  # the same without stereo


def _doubt(kept: str, gone: list[str]) -> str:
    same = _neutral(kept).exact
    rivals = {
        _neutral(text).exact for text in gone if is_companion(kept) or not is_companion(text)
    }
    rivals -= {"", same}
    if not same or not rivals:
        return ""
    which = "larger" if len(rivals) == 1 else "largest"
    return f"mixture of {len(rivals) + 1} organic fragments; the {which} was kept"


def _listed(fragments: list[str]) -> str:
    counted = Counter(fragments)
    named = [
        shorten(text, 60) + (f" (× {n})" if n > 1 else "") for text, n in sorted(counted.items())
    ]
    return " and ".join(named)


@cache
def _chooser() -> rdMolStandardize.LargestFragmentChooser:
    return rdMolStandardize.LargestFragmentChooser(preferOrganic=True)


@cache
def _uncharger() -> rdMolStandardize.Uncharger:
    return rdMolStandardize.Uncharger()


@cache
def _carbon() -> Chem.Mol:
    return Chem.MolFromSmarts("[#6]")


@cache
def _companions() -> frozenset[str]:
    return frozenset(_neutral(text).flat for texts in COMPANIONS.values() for text in texts)


@lru_cache(maxsize=4096)  # most salts are of a few acids
def _neutral(fragment: str) -> _Neutral:
    mol = Chem.MolFromSmiles(fragment)
    if mol is None or not is_organic(mol):
        return _Neutral("", "")
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
    mol = _uncharger().uncharge(mol)
    exact = Chem.MolToSmiles(mol)
    return _Neutral(exact, Chem.MolToSmiles(mol, isomericSmiles=False))
