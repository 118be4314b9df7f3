"""Atom pairs: two atoms, and how many bonds lie between them.

Counts are cut at 65,535; with at most `kekule.data.identity.MAX_ATOMS` atoms, and one
column a distance, none has been met.
"""

from functools import cache, partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from kekule.features.fingerprints.fingerprint import Fingerprint, Settings, cut_to, numbered


class AtomPairSettings(Settings):
    """Settings of atom pairs."""

    width: Annotated[int, Field(ge=16, le=2**16, description="Columns hashed into.")] = 2048
    longest: Annotated[int, Field(ge=1, le=30, description="Bonds between two atoms.")] = 30
    stereo: Annotated[bool, Field(description="Tell R from S.")] = False


def atom_pair(settings: AtomPairSettings | None = None) -> Fingerprint:
    """Counts of atom pairs at each distance."""
    settings = settings or AtomPairSettings()
    return Fingerprint(
        name="atom-pair",
        columns=numbered("atom-pair", settings.width),
        dtype=np.uint16,
        compute=partial(_atom_pair, settings=settings),
        use="Where the distance between groups matters, as for peptides and long molecules.",
        avoid="Where molecules are small: most of it is then what ecfp says too.",
        reference="Carhart et al. 1985, https://doi.org/10.1021/ci00046a002",
        settings=settings,
    )


def _atom_pair(mol: Chem.Mol, settings: AtomPairSettings) -> NDArray[np.generic]:
    return cut_to(_generator(settings).GetCountFingerprintAsNumPy(mol), np.uint16)


@cache
def _generator(settings: AtomPairSettings) -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetAtomPairGenerator(
        fpSize=settings.width,
        maxDistance=settings.longest,
        includeChirality=settings.stereo,
    )
