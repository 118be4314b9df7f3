"""Avalon's fingerprint: paths, rings, and pairs of features, as its substructure search has them.

Counts are cut at 65,535; the largest of the molecules of HIV is below 2,000. It is given
the molecule in canonical order: of large macrocycles it depends on the order of atoms.
"""

from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rdkit import Chem, DataStructs
from rdkit.Avalon import pyAvalonTools

from kekule.features.fingerprints.fingerprint import Fingerprint, Settings, cut_to, numbered


class AvalonSettings(Settings):
    """Settings of Avalon's fingerprint."""

    width: Annotated[int, Field(ge=16, le=2**16, description="Columns hashed into.")] = 1024


def avalon(settings: AvalonSettings | None = None) -> Fingerprint:
    """Counts of Avalon's features."""
    settings = settings or AvalonSettings()
    return Fingerprint(
        name="avalon",
        columns=numbered("avalon", settings.width),
        dtype=np.uint16,
        compute=partial(_avalon, settings=settings),
        use="Beside ecfp in an ensemble: it sees rings and long paths, which ecfp does not.",
        avoid="Where time is short (ten times slower than ecfp), or to say which atoms matter.",
        reference="Gedeck et al. 2006, https://doi.org/10.1021/ci050413p",
        settings=settings,
        canonical=True,
    )


def _avalon(mol: Chem.Mol, settings: AvalonSettings) -> NDArray[np.generic]:
    counts = np.zeros(0, dtype=np.uint32)
    found = pyAvalonTools.GetAvalonCountFP(mol, nBits=settings.width)
    DataStructs.ConvertToNumpyArray(found, counts)
    return cut_to(counts, np.uint16)
