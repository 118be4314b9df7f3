"""Fingerprints that a bundle's model reads: made of SMILES, and the same as in training.

A fingerprint's columns hang on RDKit: a new version has more descriptors. A bundle keeps a hash
of the columns of each, and refuses to be opened where they are others. Symbols: n rows, W columns.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.data.chunked import Progress

Tables = dict[str, NDArray[np.generic]]


def tables_of(
    smiles: Sequence[str],
    needs: Sequence[str],
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> Tables:
    """Fingerprints by name, (n, W) each, of standardised SMILES; none where none is needed."""
    if not needs:
        return {}
    from kekule.features.fingerprints.table import fingerprint_named, fingerprints  # slow to load

    kinds = [fingerprint_named(name) for name in dict.fromkeys(needs)]
    found = fingerprints(smiles, kinds, processes=processes, progress=progress)
    return dict(found.values)


def fingerprints_told(needs: Sequence[str]) -> dict[str, str]:
    """Hash of settings and columns of each fingerprint, as a manifest keeps it."""
    if not needs:
        return {}
    from kekule.features.fingerprints.table import fingerprint_named

    told = {}
    for name in needs:
        kind = fingerprint_named(name)
        words = json.dumps([kind.name, kind.settings.model_dump_json(), list(kind.columns)])
        told[name] = hashlib.sha256(words.encode()).hexdigest()
    return told


def check_fingerprints(told: Any, needs: Sequence[str]) -> None:
    """Raise ValueError where a fingerprint is not the one that the model was trained on."""
    if not isinstance(told, dict):
        raise ValueError("fingerprints are no names with hashes")
    for name, found in fingerprints_told(needs).items():
        if told.get(name) != found:
            raise ValueError(
                f"the columns of the fingerprint {name} are others than in training; open it with "
                "the version of RDKit that it was made with"
            )
