"""Graphs of a set as SMILES, where they are molecules."""

from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data import LabelledGraphs, molecule_from_graph


def smiles_of(graphs: LabelledGraphs) -> tuple[list[str], list[str]]:
    """Canonical SMILES of every graph, empty where it is no valid molecule, and why not."""
    smiles, reasons = [], []
    for row in range(len(graphs)):
        try:
            smiles.append(Chem.MolToSmiles(molecule_from_graph(graphs, row)))
            reasons.append("")
        except MoleculeError as error:
            smiles.append("")
            reasons.append(error.why)
    return smiles, reasons
