"""Circular fingerprints: how often each neighbourhood of an atom occurs.

Counts are cut at 255. The largest of the 54,000 molecules of BACE, BBBP, ClinTox, HIV and
Tox21 is 156; a count of 255 is a chain of a polymer.
"""

from functools import cache, partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from kekule.features.fingerprints.fingerprint import Fingerprint, Settings, cut_to, numbered


class MorganSettings(Settings):
    """Settings of a circular fingerprint."""

    radius: Annotated[int, Field(ge=0, le=6, description="Bonds from the central atom.")] = 2
    width: Annotated[int, Field(ge=16, le=2**16, description="Columns hashed into.")] = 2048
    features: Annotated[
        bool,
        Field(description="Name an atom by its role (donor, acceptor, ...), not its element."),
    ] = False
    stereo: Annotated[bool, Field(description="Tell R from S.")] = False


def ecfp(settings: MorganSettings | None = None) -> Fingerprint:
    """Extended-connectivity fingerprint with counts; ECFP4 where nothing else is said."""
    settings = settings or MorganSettings()
    return Fingerprint(
        name="ecfp",
        columns=numbered("ecfp", settings.width),
        dtype=np.uint8,
        compute=partial(_morgan, settings=settings),
        use="The first baseline to try, and the usual measure of similarity.",
        avoid="Where only size or shape matters, or where test molecules share no substructure "
        "with those trained on.",
        reference="Rogers & Hahn 2010, https://doi.org/10.1021/ci100050t",
        settings=settings,
    )


def fcfp(settings: MorganSettings | None = None) -> Fingerprint:
    """Functional-class fingerprint with counts; FCFP4 where nothing else is said."""
    settings = settings or MorganSettings(features=True)
    return Fingerprint(
        name="fcfp",
        columns=numbered("fcfp", settings.width),
        dtype=np.uint8,
        compute=partial(_morgan, settings=settings),
        use="Where an atom may stand for another of its role, as between scaffolds that bind "
        "alike.",
        avoid="Where the element itself matters, as in reactivity or toxicity of metals.",
        reference="Rogers & Hahn 2010, https://doi.org/10.1021/ci100050t",
        settings=settings,
    )


def _morgan(mol: Chem.Mol, settings: MorganSettings) -> NDArray[np.generic]:
    return cut_to(_generator(settings).GetCountFingerprintAsNumPy(mol), np.uint8)


@cache
def _generator(settings: MorganSettings) -> rdFingerprintGenerator.FingerprintGenerator64:
    roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen() if settings.features else None
    return rdFingerprintGenerator.GetMorganGenerator(
        radius=settings.radius,
        fpSize=settings.width,
        includeChirality=settings.stereo,
        atomInvariantsGenerator=roles,
    )
