"""Which structural alerts a molecule has, asked of few of nearly six hundred patterns.

A pattern with two sulfurs need not be tried on a molecule with one. From each pattern is
read what any match must have, so many atoms of a kind, bonds of a kind, and rings, and it
is tried only on molecules that have as much. What cannot be read asks for nothing: the
screen may let too many patterns through, never too few, and RDKit's own match decides.

Symbols: N molecules, P patterns, C counts of atoms, bonds and rings.
Knows RDKit; must not know labels.
"""

import functools
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import FilterCatalog

CATALOGUES = ("PAINS", "BRENK")
_ELEMENTS = (6, 7, 8, 9, 15, 16, 17, 35, 53)  # C N O F P S Cl Br I
_AROMATIC = (6, 7, 8, 16)  # of these, aromatic atoms are counted apart from others
_ORDERS = {
    Chem.BondType.SINGLE: 1,
    Chem.BondType.DOUBLE: 2,
    Chem.BondType.TRIPLE: 3,
    Chem.BondType.AROMATIC: 12,
}
_MOST = 128  # above every atomic number
_PICKLE = b"\xef\xbe\xad\xde"  # how RDKit's binary form of a molecule begins
_ONE_OR_MORE = b" 1 4294967295 "  # hits a pattern asks for, as the catalogue writes them
_AROMATIC_TYPE = 1000  # RDKit's type of an aromatic atom is its number and this
_ATOM = re.compile(r"Atom(Type|AtomicNum) (\d+) (!?)= val")

_Kind = tuple[int, bool]  # atomic number, aromatic
_Bond = tuple[int, int, int]  # lower and higher atomic number, order; 0 for any
_ANY = frozenset((number, aromatic) for number in range(_MOST) for aromatic in (False, True))


def _atom_kinds() -> list[frozenset[_Kind]]:
    """The kinds of atom that are counted."""
    every = {z: frozenset({(z, False), (z, True)}) for z in _ELEMENTS}
    halogens = every[9] | every[17] | every[35] | every[53]
    return [
        *every.values(),
        *(frozenset({(z, aromatic)}) for z in _AROMATIC for aromatic in (False, True)),
        halogens,
        frozenset(kind for kind in _ANY if kind[0] not in (0, 1, 6)),  # neither C nor H
        frozenset(kind for kind in _ANY if kind[1]),
        frozenset(kind for kind in _ANY if kind[0] != 1),
    ]


_KINDS = _atom_kinds()


class _Screen(NamedTuple):
    """What the patterns need."""

    bonds: dict[_Bond, int]  # place of each kind of bond that some pattern needs
    needs: NDArray[np.int32]  # (P, C): atoms by kind, bonds by kind, rings


def alerts_of(mols: Sequence[Chem.Mol]) -> list[tuple[int, ...]]:
    """Positions in `alert_names` of the alerts of each molecule, rising."""
    patterns, places = _patterns(), _places()
    candidates = _candidates(mols)
    return [
        tuple(places[k] for k in np.flatnonzero(row).tolist() if patterns[k].HasFilterMatch(mol))
        for mol, row in zip(mols, candidates, strict=True)
    ]


def alert_names() -> list[tuple[str, str]]:
    """Catalogue and name of every structural alert that is looked for."""
    return [(_family(entry), _plain(entry.GetDescription())) for entry in _patterns()]


@functools.cache
def _patterns() -> list[FilterCatalog.FilterCatalogEntry]:
    wanted = FilterCatalog.FilterCatalogParams()
    for name in CATALOGUES:
        wanted.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name))
    catalogue = FilterCatalog.FilterCatalog(wanted)
    return [catalogue.GetEntryWithIdx(k) for k in range(catalogue.GetNumEntries())]


@functools.cache
def _places() -> list[int]:
    """Position of each pattern's name; patterns of one name have the place of the last."""
    names = alert_names()
    place_of = {name: place for place, name in enumerate(names)}
    return [place_of[name] for name in names]


def _family(entry: FilterCatalog.FilterCatalogEntry) -> str:
    scope = entry.GetProp("FilterSet").upper()
    return next((name for name in CATALOGUES if scope.startswith(name)), scope)


def _plain(description: str) -> str:
    """Name of an alert without the count of hits the PAINS carry: ``ene_rhod_A(235)``."""
    return re.sub(r"\(\d+\)$", "", description).replace("_", " ")


def _candidates(mols: Sequence[Chem.Mol]) -> NDArray[np.bool_]:
    """Whether each molecule has what each pattern needs, (N, P)."""
    needs = _screen().needs
    have = np.array([_counts(mol) for mol in mols], dtype=np.int32).reshape(-1, needs.shape[1])
    fits = np.ones((len(mols), len(needs)), dtype=bool)
    for count in range(needs.shape[1]):
        fits &= have[:, count, None] >= needs[:, count]
    return fits


def _counts(mol: Chem.Mol) -> NDArray[np.int64]:
    """Atoms by kind, bonds by kind and rings of a molecule, (C,)."""
    n_atoms, n_bonds = mol.GetNumAtoms(), mol.GetNumBonds()
    numbers, counted = [], []
    for index in range(n_atoms):  # by index: RDKit's own iterator takes three times as long
        atom = mol.GetAtomWithIdx(index)
        numbers.append(number := atom.GetAtomicNum())
        counted += _places_of_atom(number, atom.GetIsAromatic())
    for index in range(n_bonds):
        bond = mol.GetBondWithIdx(index)
        one, other = numbers[bond.GetBeginAtomIdx()], numbers[bond.GetEndAtomIdx()]
        counted += _places_of_bond(one, other, bond.GetBondType())
    have = np.bincount(counted, minlength=_screen().needs.shape[1])
    have[-1] = n_bonds - n_atoms + len(Chem.GetMolFrags(mol))
    return have


@functools.cache
def _places_of_atom(number: int, aromatic: bool) -> list[int]:
    return [k for k, kind in enumerate(_KINDS) if (number, aromatic) in kind]


@functools.cache
def _places_of_bond(one: int, other: int, order: Chem.BondType) -> list[int]:
    bonds = _screen().bonds
    kinds = _general((min(one, other), max(one, other), _ORDERS.get(order, 0)))
    return [len(_KINDS) + bonds[kind] for kind in kinds if kind in bonds]


def _general(bond: _Bond) -> set[_Bond]:
    """Ways in which a bond is counted: as it is, of any order, and between any atoms."""
    low, high, order = bond
    return {bond, (low, high, 0), (0, 0, order)} - {(0, 0, 0)}


@functools.cache
def _screen() -> _Screen:
    """What every pattern needs; nothing where its query cannot be read."""
    read = [_query_of(entry) for entry in _patterns()]
    needed = [{} if query is None else _needed_bonds(query) for query in read]
    bonds = {bond: place for place, bond in enumerate(sorted({b for n in needed for b in n}))}
    needs = np.zeros((len(read), len(_KINDS) + len(bonds) + 1), dtype=np.int32)
    for row, query, of_query in zip(needs, read, needed, strict=True):
        if query is None:
            continue
        allowed = [_allowed(atom) for atom in query.GetAtoms()]
        row[: len(_KINDS)] = [sum(a <= kind for a in allowed) for kind in _KINDS]
        for bond, count in of_query.items():
            row[len(_KINDS) + bonds[bond]] = count
        pieces = len(Chem.GetMolFrags(query))
        row[-1] = query.GetNumBonds() - query.GetNumAtoms() + pieces
    return _Screen(bonds, needs)


def _query_of(entry: FilterCatalog.FilterCatalogEntry) -> Chem.Mol | None:
    """The pattern of an entry, from the form it is stored in; None if it is not just one.

    RDKit hands a pattern out only with a match of it. Stored are a head that says what kind
    of rule it is, its name and its pattern, both after their lengths, and how many hits it
    asks for. A rule of several patterns, or one that asks for the lack of any, is not read.
    """
    head, stored = _head(), bytes(entry.Serialize())
    named = re.compile(rb" (\d+) ").match(stored, len(head))
    if not stored.startswith(head) or named is None:
        return None
    sized = re.compile(rb" (\d+) ").match(stored, named.end() + int(named[1]))
    if sized is None:
        return None
    end = sized.end() + int(sized[1])
    pattern, rest = stored[sized.end() : end], stored[end:]
    if not (pattern.startswith(_PICKLE) and rest.startswith(_ONE_OR_MORE)) or _PICKLE in rest:
        return None
    query: Chem.Mol = Chem.Mol(pattern)  # type: ignore[call-overload]  # says text, takes bytes
    return query


@functools.cache
def _head() -> bytes:
    """How this RDKit begins to store a rule that is one pattern: all before its name."""
    plain = FilterCatalog.FilterCatalogEntry("x", FilterCatalog.SmartsMatcher("x", "C", 1))
    return bytes(plain.Serialize()).partition(b" 1 x ")[0]


def _needed_bonds(query: Chem.Mol) -> dict[_Bond, int]:
    """How many bonds of each kind every match has."""
    element = [_element(_allowed(atom)) for atom in query.GetAtoms()]
    needed: dict[_Bond, int] = {}
    for bond in query.GetBonds():
        low, high = sorted((element[bond.GetBeginAtomIdx()], element[bond.GetEndAtomIdx()]))
        said = bond.DescribeQuery().strip() if bond.HasQuery() else ""
        exact = re.fullmatch(r"BondOrder (\d+) = val", said)
        order = int(exact[1]) if exact and int(exact[1]) in _ORDERS.values() else 0
        for kind in _general((low, high, order) if low else (0, 0, order)):
            needed[kind] = needed.get(kind, 0) + 1
    return needed


def _element(allowed: frozenset[_Kind]) -> int:
    """Atomic number of what is allowed, 0 if it may be one of several."""
    numbers = {number for number, _ in allowed}
    return numbers.pop() if len(numbers) == 1 else 0


def _allowed(atom: Chem.Atom) -> frozenset[_Kind]:
    """The kinds of atom that a query atom may be matched by, or more."""
    return _allowed_by(tuple(atom.DescribeQuery().splitlines()) if atom.HasQuery() else ())


@functools.cache
def _allowed_by(lines: tuple[str, ...]) -> frozenset[_Kind]:
    """The same of a part of a query, written one condition a line, those it joins below it."""
    said, below = lines[0].strip() if lines else "", _parts(lines[1:])
    if said == "AtomAnd":
        return _ANY.intersection(*map(_allowed_by, below))
    if said == "AtomOr" and below:
        return frozenset().union(*map(_allowed_by, below))
    if (found := _ATOM.fullmatch(said)) is None:
        return _ANY
    aromatic, number = divmod(int(found[2]), _AROMATIC_TYPE)
    either = found[1] == "AtomicNum"
    named = frozenset((number, is_so) for is_so in (False, True) if either or is_so == aromatic)
    return _ANY - named if found[3] else named


def _parts(lines: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Lines at the depth of the first, each with those below it."""
    depth = [len(line) - len(line.lstrip()) for line in lines]
    starts = [k for k in range(len(lines)) if depth[k] == depth[0]]
    return [lines[a:b] for a, b in itertools.pairwise([*starts, len(lines)])]
