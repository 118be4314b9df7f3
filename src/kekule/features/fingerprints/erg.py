"""ErG: pairs of pharmacophore points in a reduced graph, and how far they are apart.

Rings and groups are shrunk to points; what stays is where the donors, acceptors, charges,
and hydrophobic and aromatic points are. It is given the molecule in canonical order: which
rings are shrunk depends on the order of atoms in cages and large macrocycles.
"""

from functools import partial
from itertools import combinations_with_replacement
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rdkit import Chem
from rdkit.Chem import rdReducedGraphs

from kekule.features.fingerprints.fingerprint import Fingerprint, Settings

POINTS = ("donor", "acceptor", "positive", "negative", "hydrophobic", "aromatic")


class ErGSettings(Settings):
    """Settings of ErG."""

    longest: Annotated[int, Field(ge=1, le=30, description="Bonds between two points.")] = 15
    fuzz: Annotated[
        float, Field(ge=0.0, le=1.0, description="Added to a distance one shorter and one longer.")
    ] = 0.3


def erg(settings: ErGSettings | None = None) -> Fingerprint:
    """A column for each pair of points and each distance, ``erg-donor-aromatic-7``."""
    settings = settings or ErGSettings()
    pairs = combinations_with_replacement(POINTS, 2)
    distances = range(1, settings.longest + 1)
    return Fingerprint(
        name="erg",
        columns=tuple(f"erg-{a}-{b}-{d}" for a, b in pairs for d in distances),
        dtype=np.float32,
        compute=partial(_erg, settings=settings),
        use="To find other scaffolds with the same pharmacophore; a small, readable baseline.",
        avoid="Where substituents decide: two molecules that differ by a halogen may be equal.",
        reference="Stiefl et al. 2006, https://doi.org/10.1021/ci050457y",
        settings=settings,
        canonical=True,
    )


def _erg(mol: Chem.Mol, settings: ErGSettings) -> NDArray[np.generic]:
    found: NDArray[np.float64] = rdReducedGraphs.GetErGFingerprint(
        mol, fuzzIncrement=settings.fuzz, minPath=1, maxPath=settings.longest
    )
    return found.astype(np.float32)
