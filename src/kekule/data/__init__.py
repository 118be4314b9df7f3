"""Raw files to a checked table: structures, labelled graphs, targets, splits, audit.

The lowest part of kekule but for its errors. Rows keep their place and their text all
the way; what is changed is said, what cannot be read is an error with a file and a line
or a row with a reason. Importing this loads next to nothing: names are fetched when first
used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kekule.data.graphs import BOND_ORDERS as BOND_ORDERS
from kekule.data.graphs import LabelledGraphs as LabelledGraphs
from kekule.data.graphs import MoleculeAlphabet as MoleculeAlphabet
from kekule.data.rows import INVALID as INVALID
from kekule.data.rows import OK as OK
from kekule.data.rows import WARNING as WARNING
from kekule.data.rows import RowStatus as RowStatus
from kekule.data.rows import kept_apart as kept_apart

if TYPE_CHECKING:
    from kekule.data.audit import audit_graphs as audit_graphs
    from kekule.data.audit import audit_molecules as audit_molecules
    from kekule.data.catalogue import find_set as find_set
    from kekule.data.download import get_set as get_set
    from kekule.data.duplicates import DuplicatePolicy as DuplicatePolicy
    from kekule.data.duplicates import resolve_duplicates as resolve_duplicates
    from kekule.data.molecule_files import iter_molecules as iter_molecules
    from kekule.data.molecule_files import read_molecules as read_molecules
    from kekule.data.molecule_sets import MOLECULE_SETS as MOLECULE_SETS
    from kekule.data.molecule_sets import find_molecule_set as find_molecule_set
    from kekule.data.molecule_sets import molecule_set_entry as molecule_set_entry
    from kekule.data.molecule_source import is_molecule_source as is_molecule_source
    from kekule.data.molecule_table import MoleculeTable as MoleculeTable
    from kekule.data.molecule_table import Targets as Targets
    from kekule.data.molecules import SmilesGraphs as SmilesGraphs
    from kekule.data.molecules import graphs_from_molecules as graphs_from_molecules
    from kekule.data.molecules import graphs_from_smiles as graphs_from_smiles
    from kekule.data.rebuild import molecule_from_graph as molecule_from_graph
    from kekule.data.sets import SETS as SETS
    from kekule.data.sets import SetEntry as SetEntry
    from kekule.data.smiles import read_molecule as read_molecule
    from kekule.data.splits import NEVER_TESTED as NEVER_TESTED
    from kekule.data.splits import SPLITS as SPLITS
    from kekule.data.splits import Split as Split
    from kekule.data.splits import SplitInputs as SplitInputs
    from kekule.data.splits import grouped_validation_rows as grouped_validation_rows
    from kekule.data.splits import make_split as make_split
    from kekule.data.splits import stratified_folds as stratified_folds
    from kekule.data.splits import training_rows as training_rows
    from kekule.data.splits import validation_rows as validation_rows
    from kekule.data.standardisation import POLICIES as POLICIES
    from kekule.data.standardisation import StandardisationPolicy as StandardisationPolicy
    from kekule.data.standardisation import policy_of as policy_of
    from kekule.data.structures import Structures as Structures
    from kekule.data.structures import read_structures as read_structures
    from kekule.data.tu import read_tu as read_tu

_LATER = {
    "find_set": "catalogue",
    "SETS": "sets",
    "SetEntry": "sets",
    "stratified_folds": "splits",
    "validation_rows": "splits",
    "read_tu": "tu",
    "audit_graphs": "audit",
    "audit_molecules": "audit",
    "DuplicatePolicy": "duplicates",
    "resolve_duplicates": "duplicates",
    "read_molecules": "molecule_files",
    "iter_molecules": "molecule_files",
    "MOLECULE_SETS": "molecule_sets",
    "find_molecule_set": "molecule_sets",
    "molecule_set_entry": "molecule_sets",
    "is_molecule_source": "molecule_source",
    "MoleculeTable": "molecule_table",
    "Targets": "molecule_table",
    "NEVER_TESTED": "splits",
    "SPLITS": "splits",
    "Split": "splits",
    "SplitInputs": "splits",
    "grouped_validation_rows": "splits",
    "make_split": "splits",
    "training_rows": "splits",
    "POLICIES": "standardisation",
    "StandardisationPolicy": "standardisation",
    "policy_of": "standardisation",
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
