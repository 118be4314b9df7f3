import csv

import numpy as np
import pytest
from rdkit import Chem

from kekule.features.fingerprints import FINGERPRINTS, fingerprints

EVERY = 12  # of the rows of BBBP


@pytest.fixture(scope="session")
def molecules(data_root):
    """Two real tables of some of BBBP's molecules by name, and their classes."""
    with (data_root / "moleculenet" / "BBBP.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::EVERY]
    read = [(row["smiles"], int(row["p_np"])) for row in rows]
    usable = [(s, y) for s, y in read if Chem.MolFromSmiles(s) is not None]
    found = fingerprints(
        [smiles for smiles, _ in usable],
        [FINGERPRINTS[name] for name in ("ecfp", "rdkit-descriptors")],
    )
    return dict(found.values), np.array([y for _, y in usable], dtype=np.int64)


@pytest.fixture(scope="session")
def real_columns(molecules):
    """Both tables side by side, float32, some values of two descriptors taken out."""
    tables, classes = molecules
    columns = np.hstack([np.asarray(t, dtype=np.float32) for t in tables.values()])
    columns[::7, -3] = np.nan
    columns[1::3, -20] = np.nan
    return columns, classes
