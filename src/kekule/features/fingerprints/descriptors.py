"""RDKit's two-dimensional descriptors: size, polarity, partial charges, groups, topology.

The values are RDKit's own, of the molecule in canonical order, with three differences.
What RDKit cannot compute, or gives as no finite number (a partial charge beside a metal),
is NaN, and the row is still in order. Values beyond float32's range are cut to it. ``Ipc``,
which grows from 1 to 10¹⁹ between small and large molecules, stands as its logarithm
``LogIpc`` = ln(1 + Ipc); it and ``AvgIpc`` are NaN above 64 atoms, where RDKit's recurrence
loses every digit (exact integers beside it: right to 1e-12 up to 69 atoms, off by 1 % from
70 and by half from 90).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Descriptors, Graphs
from rdkit.Chem.EState import EState
from rdkit.ML.InfoTheory import rdInfoTheory

from kekule.features.fingerprints.fingerprint import Fingerprint, Settings

MOST_ATOMS_OF_IPC: Final = 64

_LARGEST = float(np.finfo(np.float32).max)
_FAILURES = (ValueError, RuntimeError, ArithmeticError, LookupError, TypeError, AttributeError)


def rdkit_descriptors() -> Fingerprint:
    """All of RDKit's descriptors by its own names; 217 in RDKit 2026.03."""
    return Fingerprint(
        name="rdkit-descriptors",
        columns=tuple({"Ipc": "LogIpc"}.get(name, name) for name in _FUNCTIONS),
        dtype=np.float32,
        compute=partial(_descriptors, names=tuple(_FUNCTIONS)),
        use="With trees, as the second baseline: it sees size, charge and polarity, which "
        "decide solubility and permeability.",
        avoid="Unscaled with a linear or distance model, where NaN is not allowed, or for more "
        "than some hundred thousand molecules: a hundred times slower than ecfp.",
        reference="Landrum et al., RDKit, https://doi.org/10.5281/zenodo.591637",
        settings=Settings(),
        canonical=True,
    )


def values_of(mol: Chem.Mol, names: Sequence[str]) -> NDArray[np.float64]:
    """Descriptors of one molecule by RDKit's names, NaN where it has none; (W,).

    ``FormalCharge``, which is none of RDKit's descriptors, is known too.
    """
    shared: dict[str, float] = {}
    for members, group in _GROUPS.items():
        if not members.isdisjoint(names):
            shared.update(group(mol))
    values = [shared[name] if name in shared else _value(_KNOWN[name], mol) for name in names]
    row = np.array(values, dtype=np.float64)
    row[~np.isfinite(row)] = np.nan
    return row


def unknown_names(names: Sequence[str]) -> list[str]:
    """Which of these descriptors the RDKit at hand does not have."""
    return [name for name in names if name not in _KNOWN]


def _descriptors(mol: Chem.Mol, names: Sequence[str]) -> NDArray[np.generic]:
    return np.clip(values_of(mol, names), -_LARGEST, _LARGEST).astype(np.float32)


def _value(function: Callable[[Chem.Mol], float], mol: Chem.Mol) -> float:
    try:
        return float(function(mol))
    except _FAILURES:
        return np.nan


def _electrotopological(mol: Chem.Mol) -> dict[str, float]:
    """Four descriptors of one list, which RDKit would make four times."""
    indices = EState.EStateIndices(mol)  # type: ignore[no-untyped-call]
    sizes = abs(indices)
    return {
        "MaxEStateIndex": indices.max(),
        "MinEStateIndex": indices.min(),
        "MaxAbsEStateIndex": sizes.max(),
        "MinAbsEStateIndex": sizes.min(),
    }


def _informational(mol: Chem.Mol) -> dict[str, float]:
    """Two descriptors of one polynomial, which RDKit would make twice."""
    if mol.GetNumAtoms() > MOST_ATOMS_OF_IPC:
        return {"Ipc": np.nan, "AvgIpc": np.nan}
    bonded = Chem.GetAdjacencyMatrix(mol).astype(np.float64)
    coefficients = abs(Graphs.CharacteristicPolynomial(mol, bonded))  # type: ignore[no-untyped-call]
    average = float(rdInfoTheory.InfoEntropy(coefficients))
    return {"Ipc": float(np.log1p(coefficients.sum() * average)), "AvgIpc": average}


_FUNCTIONS: dict[str, Callable[[Chem.Mol], float]] = dict(Descriptors._descList)
_KNOWN = _FUNCTIONS | {"FormalCharge": Chem.GetFormalCharge}
_GROUPS: dict[frozenset[str], Callable[[Chem.Mol], dict[str, float]]] = {
    frozenset(
        {"MaxEStateIndex", "MinEStateIndex", "MaxAbsEStateIndex", "MinAbsEStateIndex"}
    ): _electrotopological,
    frozenset({"Ipc", "AvgIpc"}): _informational,
}
