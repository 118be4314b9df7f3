"""How a SMILES is written, apart from what it says.

A molecule can be spelt in many ways, and a source keeps to one. Where the positives of a
table come from one source and the negatives from another, the spelling gives the label
away to any reader of text, and tells that the two were never comparable.

Each habit is a share between what was written and what could have been, so that neither
size nor chemistry enters: lower-case letters for each aromatic atom, not lower-case
letters. Where a molecule has no occasion to show a habit, it is NaN.

Symbols: N molecules. Knows RDKit; must not know labels.
"""

import re

import numpy as np
from rdkit import Chem

HABITS = (
    "aromatic atoms in lower case",
    "brackets without need",
    "hydrogens written as atoms",
    "length against RDKit's spelling",
    "ring digits used again",
    "spelt as RDKit does",
    "longest part first",
    "nitro groups without charges",
)
_BRACKET = re.compile(r"\[[^\]]*\]")
_IDLE = re.compile(r"\[(?!nH|pH)(?:Cl|Br|[BCNOPSFI]|[bcnops])(?:H\d?)?\]")
_BARE = re.compile(r"Cl|Br|[BCNOPSFIbcnops]")
_BARE_AROMATIC = re.compile(r"(?<!\[)[bcnops]")
_BRACKET_AROMATIC = re.compile(r"\[\d*(?:se|as|te|[bcnops])(?![a-z])")
_RING = re.compile(r"%\(\d+\)|%\d\d|\d")
_PLAIN_NITRO = re.compile(r"N\(=O\)\(?=O|O=N\(=O\)")
_CHARGED_NITRO = re.compile(
    r"\[N\+\]\(=O\)\(?\[O-\]|\[N\+\]\(\[O-\]\)\(?=O|O=\[N\+\]\(\[O-\]\)|\[O-\]\[N\+\]\(=O\)"
)
_FEW_ATOMS = 6  # so small a molecule has few spellings, and shares one by chance


def habits(text: str, mol: Chem.Mol, canonical: str) -> list[float]:
    """One number for each of `HABITS`, NaN where there was no occasion.

    Parameters
    ----------
    text
        The SMILES as given, without blanks or extensions.
    mol
        What RDKit read from it.
    canonical
        How RDKit spells that.
    """
    bare = _BRACKET.sub("", text)
    idle = len(_IDLE.findall(text))
    small = mol.GetNumHeavyAtoms() < _FEW_ATOMS
    lower = len(_BARE_AROMATIC.findall(bare)) + len(_BRACKET_AROMATIC.findall(text))
    aromatic = len(mol.GetAromaticAtoms())
    rdkits = _same_form(mol, canonical, kekule=aromatic > 0 and not lower)
    return [
        min(lower / aromatic, 1.0) if aromatic else np.nan,
        idle / max(idle + len(_BARE.findall(bare)), 1),
        float("[H]" in text),
        len(text) / len(rdkits),
        _ring_habit(bare),
        np.nan if small else float(text == rdkits),
        _longest_first(text),
        _nitro_habit(text),
    ]


def _same_form(mol: Chem.Mol, canonical: str, *, kekule: bool) -> str:
    """RDKit's spelling in the given one's form.

    A Kekulé spelling is longer and never RDKit's own; only rings can be written so, and that
    a molecule has some is no habit.
    """
    if not kekule:
        return canonical
    try:
        return str(Chem.MolToSmiles(mol, kekuleSmiles=True))
    except (ValueError, RuntimeError):  # RDKit cannot always undo what it calls aromatic
        return canonical


def _ring_habit(bare: str) -> float:
    """1 if the digit of a closed ring is taken again, 0 if never; NaN if never called for."""
    open_now: set[str] = set()
    used: set[str] = set()
    most = closed = 0
    for label in _RING.findall(bare):
        if label in open_now:
            open_now.remove(label)
            closed += 1
            continue
        open_now.add(label)
        used.add(label)
        most = max(most, len(open_now))
    return (closed - len(used)) / (closed - most) if closed > most else np.nan


def _longest_first(text: str) -> float:
    first, *others = text.split(".")
    return float(len(first) >= max(map(len, others))) if others else np.nan


def _nitro_habit(text: str) -> float:
    if _PLAIN_NITRO.search(text):
        return 1.0
    return 0.0 if _CHARGED_NITRO.search(text) else np.nan
