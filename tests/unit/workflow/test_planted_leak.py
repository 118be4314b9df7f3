"""A test row that was copied into the training rows is found by the audit of every training."""

import json

import pandas as pd
import pytest
from rdkit import Chem

from kekule import train
from kekule.workflow.datasets import convert

QUICK = (
    *("target=target", "model=gcn", "model.hidden=4", "model.layers=1", "train.epochs=2"),
    *("protocol.kind=given", "protocol.column=split", "protocol.seeds=1"),
    *("protocol.baselines=[majority]", "protocol.refit=false", "data.duplicates=keep"),
)


@pytest.fixture(scope="module")
def nitro(tmp_path_factory):
    """Compounds of MUTAG, each once, with a split."""
    path = tmp_path_factory.mktemp("leak") / "nitro.csv"
    convert("MUTAG", path)
    frame = pd.read_csv(path, dtype=str).dropna(subset=["smiles"])[["smiles", "target"]]
    one = frame["smiles"].map(lambda text: Chem.CanonSmiles(text, useChiral=0))
    frame = frame[~one.duplicated()].head(60).reset_index(drop=True)
    return frame.assign(split=["test" if row % 5 == 0 else "train" for row in range(len(frame))])


def findings(frame, folder):
    folder.mkdir()
    frame.to_csv(folder / "assay.csv", index=False)
    run = train(None, [f"data={folder / 'assay.csv'}", *QUICK], out=folder / "run", processes=1)
    audit = json.loads((run.path / "audit.json").read_text())
    told = {finding["name"]: finding for finding in audit["findings"]}
    return told["same parent on both sides of the split"], run


def test_a_split_without_a_leak_is_not_blamed(nitro, tmp_path):
    found, _ = findings(nitro, tmp_path / "clean")
    assert found["verdict"] == "green"


def test_a_test_row_spelt_otherwise_in_training_is_found_and_said(nitro, tmp_path, caplog):
    leaked = nitro[nitro["split"] == "test"].head(1).assign(split="train")
    mol = Chem.MolFromSmiles(leaked["smiles"].iloc[0])
    otherwise = Chem.MolToSmiles(mol, rootedAtAtom=mol.GetNumAtoms() - 1, canonical=False)
    leaked = leaked.assign(smiles=otherwise)
    found, run = findings(pd.concat([nitro, leaked], ignore_index=True), tmp_path / "leak")

    assert found["verdict"] != "green"
    assert "same parent on both sides of the split" in (run.path / "report.html").read_text()
    assert "same parent on both sides of the split" in (run.path / "log.txt").read_text()
