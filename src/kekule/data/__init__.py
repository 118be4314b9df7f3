"""Raw files to a checked table: structures, labelled graphs, targets, splits, audit.

The lowest part of kekule but for its errors. Rows keep their place and their text all
the way; what is changed is said, what cannot be read is an error with a file and a line
or a row with a reason. Importing this loads no RDKit: the names that need it are fetched
when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kekule.data.audit import audit_graphs as audit_graphs
from kekule.data.catalogue import find_set as find_set
from kekule.data.graphs import BOND_ORDERS as BOND_ORDERS
from kekule.data.graphs import LabelledGraphs as LabelledGraphs
from kekule.data.graphs import MoleculeAlphabet as MoleculeAlphabet
from kekule.data.rows import INVALID as INVALID
from kekule.data.rows import OK as OK
from kekule.data.rows import WARNING as WARNING
from kekule.data.rows import RowStatus as RowStatus
from kekule.data.sets import SETS as SETS
from kekule.data.sets import SetEntry as SetEntry
from kekule.data.splits import stratified_folds as stratified_folds
from kekule.data.splits import validation_rows as validation_rows
from kekule.data.tu import read_tu as read_tu

if TYPE_CHECKING:
    from kekule.data.download import get_set as get_set
    from kekule.data.molecules import SmilesGraphs as SmilesGraphs
    from kekule.data.molecules import graphs_from_molecules as graphs_from_molecules
    from kekule.data.molecules import graphs_from_smiles as graphs_from_smiles
    from kekule.data.rebuild import molecule_from_graph as molecule_from_graph
    from kekule.data.smiles import read_molecule as read_molecule
    from kekule.data.structures import Structures as Structures
    from kekule.data.structures import read_structures as read_structures

_LATER = {
    "get_set": "download",
    "SmilesGraphs": "molecules",
    "graphs_from_molecules": "molecules",
    "graphs_from_smiles": "molecules",
    "molecule_from_graph": "rebuild",
    "read_molecule": "smiles",
    "Structures": "structures",
    "read_structures": "structures",
}


def __getattr__(name: str) -> Any:
    """Import what needs RDKit, pandas or the network the first time it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
