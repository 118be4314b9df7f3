"""Labels of molecules by cuik-molmaker, NVIDIA's featuriser on RDKit's own C++ libraries.

The same parser reads the molecule, so the labels are those of `labels_by_rdkit`; only no
Python object is made for an atom. It has no reasons to give: what it cannot read has no
atoms here, and is read again by the slower way.

Not every feature it offers can be asked for. Ring counts (``min-ring``, ``ring``, ...)
end the process on a SMILES with a wrong syntax, and bond lengths on others; ring sizes
come from its one-hot columns instead, and sizes beyond them from the bonds.
"""

import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import NamedTuple

import numpy as np
import rdkit
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.fused_rings import MOST_FUSED, too_fused
from kekule.data.smiles import LONGEST, quiet
from kekule.features.molecule_labels import LARGEST_LABEL, MoleculeLabels
from kekule.features.molecule_schema import CHIRALITY, LARGE_RING, ORDERS, STEREO

PACKAGE = "cuik_molmaker"
DISTRIBUTION = "cuik_molmaker_pin"
BATCH = 64  # molecules a call; larger ones fall out of the processor's caches

_ATOM_ONE_HOT = ("ring-size",)  # columns 0 to 5 say whether it is in a ring of 3 to 8 atoms
_ATOM_NUMBERS = (  # columns 6 to 12
    "atomic-number",
    "degree",
    "formal-charge",
    "hybridization",
    "chirality",
    "radical-electron",
    "aromatic",
)
# Columns 0, 1 to 4 (single, double, triple, another), 5, 6, and 7 to 13.
_BOND = ("bond-type-float", "bond-type-onehot", "conjugated", "in-ring", "stereo")
_LONG = 4 * MOST_FUSED  # characters; no shorter text can hold more fused rings than that
_UNREADABLE = (RuntimeError, ValueError, IndexError, OverflowError)  # C++ exceptions, in Python


class EngineError(KekuleError, ImportError):
    """A featuriser that was asked for by name and cannot be used."""


class _Part(NamedTuple):
    """What comes of one call; V atoms and B bonds of a few molecules."""

    atoms: NDArray[np.float32]  # (9, V), nearly labels
    bonds: NDArray[np.float32]  # (4, B), nearly labels
    ends: NDArray[np.int64]  # (2, B), numbered through these molecules
    owner: NDArray[np.int64]  # (V,), molecule of each atom
    n_molecules: int


def plain(smiles: Sequence[str]) -> list[bool]:
    """Which texts may be given to it.

    Of others it would read a part and not say so, or not come to an end.
    """
    lengths = [len(text) for text in smiles]
    sizes_fit = all(lengths) and max(lengths, default=0) <= LONGEST
    all_clean = sizes_fit and _clean("".join(smiles))  # nearly always
    return [
        (all_clean or (0 < n <= LONGEST and _clean(text))) and (n < _LONG or not too_fused(text))
        for n, text in zip(lengths, smiles, strict=True)
    ]


def _clean(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


@cache
def why_not_cpp() -> str:
    """Why the C++ featuriser cannot be used here; empty if it can."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and only asked once

    try:
        found = version(DISTRIBUTION)
    except PackageNotFoundError:
        return f"{DISTRIBUTION} is not installed"
    if _numbers(found) != _numbers(rdkit.__version__):
        return f"{DISTRIBUTION} {found} is not for RDKit {rdkit.__version__}"
    try:
        _Featuriser.loaded()
    except ImportError as error:
        return f"{DISTRIBUTION} {found} cannot be loaded: {error}"
    return ""


def labels_by_cpp(smiles: Sequence[str]) -> MoleculeLabels:
    """Read SMILES that are `plain`; one that cannot be read has no atoms.

    A dummy atom has the element 0, for the caller to refuse.
    """
    featurise = _Featuriser.loaded()
    parts: list[_Part] = []
    with quiet():
        for start in range(0, len(smiles), BATCH):
            parts += featurise(list(smiles[start : start + BATCH]))
    return _joined(parts, len(smiles))


def _joined(parts: list[_Part], n_molecules: int) -> MoleculeLabels:
    """Put calls one after another; one large array costs far less than many small ones."""
    ends = np.concatenate([_NO_ENDS, *(part.ends for part in parts)], axis=1)
    ends += _starts([part.atoms.shape[1] for part in parts], [p.bonds.shape[1] for p in parts])
    owner = np.concatenate([_NO_ROWS, *(part.owner for part in parts)])
    owner += _starts([p.n_molecules for p in parts], [part.atoms.shape[1] for part in parts])
    bonds = np.concatenate([_NO_BONDS, *(part.bonds for part in parts)], axis=1)
    atoms = np.concatenate([_NO_ATOMS, *(part.atoms for part in parts)], axis=1)
    bond_labels = _bond_labels(bonds)
    return MoleculeLabels(
        n_atoms=np.bincount(owner, minlength=n_molecules),
        n_bonds=np.bincount(owner[ends[0]], minlength=n_molecules),
        atoms=_atom_labels(atoms, ends, in_ring=bond_labels[2] > 0),
        ends=ends,
        bonds=bond_labels,
    )


def _starts(sizes: list[int], repeats: list[int]) -> NDArray[np.int64]:
    """Sum of the sizes before each part, as often as it is to be added."""
    before = np.cumsum([0, *sizes])[:-1]
    return before.repeat(repeats)


class _Featuriser:
    """The compiled call with the numbers of the features that are asked of it."""

    def __init__(self, extension: ModuleType):
        self._call = extension.batch_mol_featurizer
        self._features = (
            extension.atom_onehot_feature_names_to_array(list(_ATOM_ONE_HOT)),
            extension.atom_float_feature_names_to_array(list(_ATOM_NUMBERS)),
            extension.bond_feature_names_to_array(list(_BOND)),
        )
        # Hydrogens stay implicit, carbon is no origin, a bond comes once, no loops.
        self._flags = (False, False, False, False)

    @classmethod
    @cache
    def loaded(cls) -> "_Featuriser":
        """The one of this process; ImportError if there is none."""
        return cls(_extension())

    def __call__(self, smiles: list[str]) -> list[_Part]:
        """Featurise a batch, halving it where one molecule makes all of it fail."""
        try:
            atoms, bonds, ends, _, owner = self._call(smiles, *self._features, *self._flags)
        except _UNREADABLE:
            if len(smiles) == 1:
                return [_Part(_NO_ATOMS, _NO_BONDS, _NO_ENDS, _NO_ROWS, 1)]
            half = len(smiles) // 2
            return [*self(smiles[:half]), *self(smiles[half:])]
        weighted = _ATOM_WEIGHTS @ atoms.T, _BOND_WEIGHTS @ bonds.T
        return [_Part(*weighted, ends, owner, len(smiles))]


def _extension() -> ModuleType:
    """Load the compiled part alone: the package around it imports pandas and SciPy's fits.

    That is a second, and 150 MB, in every worker process.
    """
    if PACKAGE in sys.modules:
        return sys.modules[PACKAGE]
    package = find_spec(PACKAGE)
    spec = package and PathFinder.find_spec(
        f"{PACKAGE}_cpp", list(package.submodule_search_locations or ())
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no compiled part of {PACKAGE} is found")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _atom_labels(
    atoms: NDArray[np.float32], ends: NDArray[np.int64], in_ring: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Labels (9, V): what is still to be done after the product with the weights."""
    written = np.bincount(ends.ravel(), minlength=atoms.shape[1])
    atoms[1] = written
    atoms[3] -= written  # from the degree, which counts the hydrogens
    atoms[4] *= atoms[4] < 8  # another hybridisation is none
    atoms[7] = CHIRALITY["S"] - atoms[7]  # given as 0 for S, 1 for R, 2 for none
    np.rint(atoms, out=atoms)
    labels: NDArray[np.int8] = atoms.clip(-LARGEST_LABEL, LARGEST_LABEL).astype(np.int8)
    cyclic = np.zeros(len(written), dtype=np.int8)
    cyclic[ends[:, in_ring]] = 1
    labels[6] = _looked_up(labels[6], _SMALLEST_RING) * cyclic
    return labels


def _bond_labels(bonds: NDArray[np.float32]) -> NDArray[np.int8]:
    """Labels (4, B), in the same way."""
    labels = bonds.astype(np.int8)
    labels[0] = _looked_up(labels[0], _ORDER)
    return labels


def _looked_up(labels: NDArray[np.int8], table: bytes) -> NDArray[np.int8]:
    return np.frombuffer(labels.tobytes().translate(table), dtype=np.int8)


def _numbers(release: str) -> list[str]:
    """2026.03.6 and 2026.3.6 are one release."""
    return [part.lstrip("0") for part in release.split(".")]


def _weights(rows: list[dict[int, float]], n_features: int) -> NDArray[np.float32]:
    matrix = np.zeros((len(rows), n_features), dtype=np.float32)
    for row, weights in enumerate(rows):
        matrix[row, list(weights)] = list(weights.values())
    return matrix


_NO_ATOMS = np.empty((9, 0), dtype=np.float32)
_NO_BONDS = np.empty((4, 0), dtype=np.float32)
_NO_ENDS = np.empty((2, 0), dtype=np.int64)
_NO_ROWS = np.empty(0, dtype=np.int64)

_ATOM_WEIGHTS = _weights(
    [
        {6: 5},  # the element is given as a fifth of its number
        {},
        {8: 1},  # charge
        {7: 1},  # degree, for the hydrogens
        {9: 1},  # hybridisation
        {12: 1},  # aromatic
        {k: 2**k for k in range(6)},  # a bit for each ring size from 3 to 8
        {10: 1},  # chirality
        {11: 1},  # radical
    ],
    n_features=13,
)
_BOND_WEIGHTS = _weights(
    [
        {0: 2, 4: 16},  # twice the bond order; 16 more if it is neither single, double nor triple
        {5: 1},
        {6: 1},
        {
            8: STEREO["any"],
            9: STEREO["Z"],
            10: STEREO["E"],
            **dict.fromkeys((11, 12, 13), STEREO["other"]),  # cis, trans, the rest
        },
    ],
    n_features=14,
)
_BY_WEIGHT = {2: "single", 4: "double", 6: "triple", 16 + 2: "dative", 16 + 3: "aromatic"}
_ORDER = bytes(ORDERS[_BY_WEIGHT.get(weight, "other")] for weight in range(256))
_SMALLEST_RING = bytes(
    LARGE_RING if bits == 0 else min(LARGE_RING, 2 + (bits & -bits).bit_length())
    for bits in range(256)
)
