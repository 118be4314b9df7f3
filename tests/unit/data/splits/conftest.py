"""Real tables as the splits see them, and small ones made by hand."""

import functools

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from kekule.data.smiles import quiet
from kekule.data.splits import SplitInputs

TOX21 = """NR-AR NR-AR-LBD NR-AhR NR-Aromatase NR-ER NR-ER-LBD NR-PPAR-gamma
SR-ARE SR-ATAD5 SR-HSE SR-MMP SR-p53"""
TASKS = {
    "BBBP": ["p_np"],
    "BACE": ["Class"],
    "HIV": ["HIV_active"],
    "tox21": TOX21.split(),
}


@pytest.fixture(scope="session")
def real(data_root):
    """Inputs of a real table, every `step`-th row of it; rows RDKit cannot read are left out."""

    @functools.cache
    def read(name, step):
        frame = pd.read_csv(data_root / "moleculenet" / f"{name}.csv").iloc[::step]
        with quiet():
            mols = [Chem.MolFromSmiles(text) for text in frame["smiles"]]
        kept = np.array([mol is not None for mol in mols])
        codes = frame.loc[kept, TASKS[name]].fillna(-1).to_numpy().astype(np.int64)
        smiles = [Chem.MolToSmiles(mol) for mol in mols if mol is not None]
        return codes, frame.index[kept].to_numpy(dtype=np.int64), int(frame.index[-1]) + 1, smiles

    def build(name, step=1, **changes):
        codes, rows, n_source, smiles = read(name, step)
        return SplitInputs(codes, rows, n_source, **{"smiles": smiles} | changes)

    return build


@pytest.fixture(scope="session")
def by_rows():
    """Inputs without molecules: a column, a file, or nothing but classes."""

    def build(n, *, codes=None, rows=None, n_source=None, **given):
        codes = np.arange(n) % 2 if codes is None else np.asarray(codes)
        rows = np.arange(n) if rows is None else np.asarray(rows)
        n_source = int(rows.max()) + 1 if n_source is None else n_source
        return SplitInputs(codes.reshape(n, -1), rows, n_source, **given)

    return build
