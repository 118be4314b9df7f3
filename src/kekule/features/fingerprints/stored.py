"""Fingerprints of a set, kept on disk: RDKit's descriptors of 13,000 molecules take a minute.

Each fingerprint is an entry of its own, so that one more costs itself alone. Symbols: N rows,
W columns. Must not know labels or models.
"""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kekule.data.chunked import Progress
from kekule.features.cache import TableCache
from kekule.features.fingerprints.fingerprint import Fingerprint
from kekule.features.fingerprints.table import fingerprint_named, fingerprints


def stored_fingerprints(
    smiles: Sequence[str],
    names: Sequence[str],
    *,
    cache: Path,
    processes: int = 1,
    progress: Progress | None = None,
) -> dict[str, NDArray[np.generic]]:
    """Fingerprints by name, each (N, W), from the cache or made and kept there.

    Parameters
    ----------
    smiles
        N standardised SMILES. A row that RDKit has no fingerprint of is zeros, or NaN where the
        fingerprint is ``float32``: see `fingerprints` for why it is so.
    names
        Of `FINGERPRINTS`.
    cache
        Folder of `TableCache`.
    processes, progress
        As for `fingerprints`.

    Raises
    ------
    UnknownFingerprintError
        If there is no fingerprint of a name.
    """
    texts = hashlib.sha256(json.dumps(list(smiles)).encode()).hexdigest()
    folder = TableCache(cache)

    def stored(kind: Fingerprint) -> NDArray[np.generic]:
        key = {
            "smiles": texts,
            "fingerprint": kind.name,
            "settings": kind.settings.model_dump_json(),
            "columns": hashlib.sha256(json.dumps(kind.columns).encode()).hexdigest(),
            "rdkit": version("rdkit"),
            "kekule": version("kekule"),
        }

        def make() -> NDArray[np.generic]:
            table = fingerprints(smiles, [kind], processes=processes, progress=progress)
            return table.values[kind.name]

        return folder.load_or_make(key, make)

    return {kind.name: stored(kind) for kind in map(fingerprint_named, names)}


def stored_in(smiles: Sequence[str], names: Sequence[str], cache: Path) -> None:
    """Put fingerprints into the cache that are not there yet, for whoever asks next."""
    stored_fingerprints(smiles, names, cache=cache)
