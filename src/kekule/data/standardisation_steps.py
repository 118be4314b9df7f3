"""The steps of a standardisation policy, each from one settled SMILES to the next.

A step never sees how its input was written: it gets the molecule RDKit reads from a
canonical SMILES that reads and writes back to itself. That makes what comes out free of
atom order and spelling, and lets a step that cannot apply be skipped by a look at the text.
The whole sequence is repeated until it changes nothing, because RDKit's own steps make
room for one another: a charge that is taken away can leave a group to be normalised.

Below: `kekule.data.fragments`, RDKit's MolStandardize. Must not know rows, files or labels.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from kekule.data.fragments import largest_fragment

if TYPE_CHECKING:
    from kekule.data.standardisation import StandardisationPolicy

MOST_ROUNDS: Final = 8  # of reading and writing, and of the sequence of steps
# What RDKit throws at odd molecules; Boost's ArgumentError is a TypeError.
RDKIT_ERRORS: Final = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
MOST_SITES: Final = 20  # RDKit takes a second for so many groups, and minutes for a polymer
MOST_TAUTOMERS: Final = 200  # and as many transforms; about one drug in twenty has more


class Changed(NamedTuple):
    """What a step made of a molecule, the words for it, and a reservation or an empty text."""

    mol: Chem.Mol
    words: str
    doubt: str = ""


class Step(NamedTuple):
    """Where in a canonical SMILES a step has something to find, and what it does then."""

    verb: str
    mark: re.Pattern[str]
    change: Callable[[Chem.Mol], Changed]


class Standardised(NamedTuple):
    """A settled molecule, its canonical SMILES, the steps that changed it and reservations."""

    mol: Chem.Mol
    smiles: str
    words: tuple[str, ...]
    doubts: tuple[str, ...]


def standardised(mol: Chem.Mol, policy: "StandardisationPolicy") -> Standardised:
    """Take a molecule through the steps of a policy until none of them changes it.

    Where the sequence runs in a circle, the alphabetically first SMILES of the circle is
    taken, so that the result of a result is itself.

    A step that leaves what RDKit cannot read is not taken, and that is a reservation:
    ferrocene's rings have a charge that no proton can balance.

    Raises
    ------
    ValueError
        If RDKit cannot read how it wrote the molecule as given; its own errors pass through.
    """
    mol, smiles = settled(mol)
    given = smiles
    sequence = list(_steps(policy))
    words: dict[str, None] = {}  # a set that keeps its order
    doubts: dict[str, None] = {}
    seen: list[str] = []
    while smiles not in seen and len(seen) < MOST_ROUNDS:
        seen.append(smiles)
        for step in sequence:
            if not step.mark.search(smiles):
                continue
            after, text, changed = _taken(step, mol, smiles)
            if text != smiles:
                words[changed.words] = None
                mol, smiles = after, text
            if changed.doubt:
                doubts[changed.doubt] = None
    if smiles != seen[-1]:
        mol, smiles = _first_of_circle(seen, smiles)
    return Standardised(mol, smiles, tuple(words) if smiles != given else (), tuple(doubts))


def settled(mol: Chem.Mol) -> tuple[Chem.Mol, str]:
    """Find the canonical SMILES that RDKit reads and writes back as it is.

    Mostly the first one. Where reading and writing run in a circle, the alphabetically
    first is taken.
    """
    seen: list[str] = []
    smiles = Chem.MolToSmiles(mol)
    while smiles not in seen and len(seen) < MOST_ROUNDS:
        seen.append(smiles)
        mol = _read(smiles)
        smiles = Chem.MolToSmiles(mol)
    if smiles != seen[-1]:
        return _first_of_circle(seen, smiles)
    return mol, smiles


def _taken(step: Step, mol: Chem.Mol, smiles: str) -> tuple[Chem.Mol, str, Changed]:
    """Take a step from a settled molecule to a settled one; stay if RDKit stumbles."""
    try:
        changed = step.change(Chem.Mol(mol))
        if Chem.MolToSmiles(changed.mol) == smiles:
            return mol, smiles, changed
        return *settled(changed.mol), changed
    except RDKIT_ERRORS:
        return mol, smiles, Changed(mol, "", f"RDKit failed to {step.verb}; left as it was")


def _steps(policy: "StandardisationPolicy") -> Iterator[Step]:
    """The steps a policy asks for, in the order they are taken."""
    if policy.normalise:
        yield Step("drop atom numbers", NUMBERED, _without_numbers)
        yield Step("normalise functional groups", NORMALISABLE, _normalised)
    if policy.fragment == "largest-organic":
        yield Step("keep one fragment", PARTS, _largest_fragment)
    if policy.neutralise:
        yield Step("neutralise it", CHARGED, _neutralised)
    if policy.isotopes == "drop":
        yield Step("drop isotopes", ISOTOPIC, _without_isotopes)
    if policy.tautomer:
        yield Step("find the canonical tautomer", UNSATURATED, _canonical_tautomer)
    if policy.stereo == "drop":
        yield Step("drop stereo", STEREO, _without_stereo)


# Marks in a canonical SMILES without which a step has nothing to change.
PARTS = re.compile(r"\.")
CHARGED = re.compile(r"[+-]\d*(:\d+)?\]")
NUMBERED = re.compile(r":\d+\]")
ISOTOPIC = re.compile(r"\[\d")
STEREO = re.compile(r"[@/\\]")
UNSATURATED = re.compile(r"[=#:a-z]")
# Each of RDKit's transforms needs a charge, a neutral P, As or Sb, or S=O.
NORMALISABLE = re.compile(r"[+-]\d*\]|S|P|As")


def _without_numbers(mol: Chem.Mol) -> Changed:
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
    return Changed(mol, "removed atom numbers")


def _normalised(mol: Chem.Mol) -> Changed:
    if len(mol.GetSubstructMatches(_sites(), maxMatches=MOST_SITES + 1)) > MOST_SITES:
        return Changed(mol, "", f"more than {MOST_SITES} groups to normalise; left as given")
    return Changed(_normaliser().normalize(mol), "normalised functional groups")


def _largest_fragment(mol: Chem.Mol) -> Changed:
    return Changed(*largest_fragment(mol))


def _neutralised(mol: Chem.Mol) -> Changed:
    return Changed(_uncharger().uncharge(mol), "neutralised")


def _without_isotopes(mol: Chem.Mol) -> Changed:
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
    return Changed(mol, "removed isotopes")


def _canonical_tautomer(mol: Chem.Mol) -> Changed:
    tautomers = _tautomers().Enumerate(mol)
    if tautomers.status != rdMolStandardize.TautomerEnumeratorStatus.Completed:
        # A choice among those found so far would depend on which were found first.
        doubt = f"more than {MOST_TAUTOMERS} tautomers or steps to them; left as given"
        return Changed(mol, "", doubt)
    return Changed(_tautomers().PickCanonical(tautomers), "canonical tautomer")


def _without_stereo(mol: Chem.Mol) -> Changed:
    Chem.RemoveStereochemistry(mol)
    return Changed(mol, "removed stereo")


def _read(smiles: str) -> Chem.Mol:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise ValueError(f"RDKit wrote it as {smiles!r} and cannot read that")
    return mol


def _first_of_circle(seen: list[str], again: str) -> tuple[Chem.Mol, str]:
    circle = seen[seen.index(again) :] if again in seen else [again]
    return _read(min(circle)), min(circle)


@cache
def _normaliser() -> rdMolStandardize.Normalizer:
    return rdMolStandardize.Normalizer()


@cache
def _sites() -> Chem.Mol:
    """Where a transform may begin: S=O, and charges but those of N-oxides, nitro and NX4."""
    return Chem.MolFromSmarts("[$([SX3+0]=O),$([+,+2,+3,+4;!$([NX4]);!$([#7]~[O-])]),$([-;!O])]")


@cache
def _uncharger() -> rdMolStandardize.Uncharger:
    return rdMolStandardize.Uncharger()


@cache
def _tautomers() -> rdMolStandardize.TautomerEnumerator:
    parameters = rdMolStandardize.CleanupParameters()
    for limit in ("maxTautomers", "maxTransforms"):
        setattr(parameters, limit, MOST_TAUTOMERS)  # RDKit's stubs take it for something else
    return rdMolStandardize.TautomerEnumerator(parameters)
