"""Whether what is given as data means a table of molecules or a set of graphs."""

from pathlib import PurePath

from kekule.data.catalogue import known_name
from kekule.data.file_kinds import KINDS
from kekule.data.molecule_sets import MOLECULE_SETS
from kekule.data.sets import SETS


def is_molecule_source(text: str) -> bool:
    """Tell a table, by its ending or as a set of MoleculeNet, from a graph set.

    Nothing is opened: a recipe means the same before its data are there.
    """
    if known_name(text) in SETS:
        return False
    path = PurePath(text)
    name = path.name.lower()
    ending = PurePath(name.removesuffix(".gz")).suffix
    return ending in KINDS or name in {known.lower() for known in MOLECULE_SETS}
