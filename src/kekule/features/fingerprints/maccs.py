"""MACCS keys: 166 questions a chemist can read, each answered by yes or no."""

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdMolDescriptors

from kekule.features.fingerprints.fingerprint import Fingerprint, Settings


def maccs() -> Fingerprint:
    """The public MACCS keys by their usual numbers, 1 to 166; RDKit's empty bit 0 is left out."""
    return Fingerprint(
        name="maccs",
        columns=tuple(f"maccs-{k}" for k in range(1, 167)),
        dtype=np.uint8,
        compute=_maccs,
        use="Where each column must have a meaning, or rows are few.",
        avoid="Where the best score is wanted: it knows no substructure that is not on its list.",
        reference="Durant et al. 2002, https://doi.org/10.1021/ci010132r",
        settings=Settings(),
    )


def _maccs(mol: Chem.Mol) -> NDArray[np.generic]:
    bits = np.zeros(0, dtype=np.uint8)
    DataStructs.ConvertToNumpyArray(rdMolDescriptors.GetMACCSKeysFingerprint(mol), bits)
    return bits[1:]
