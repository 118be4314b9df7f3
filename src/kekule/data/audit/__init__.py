"""What is odd about a data set, before anything is learnt from it.

A finding is a fact with a colour: green, nothing to do; amber, know it when reading the
scores; red, do not train before it is dealt with. Nothing is changed here, and nothing
is hidden: what the reader had to do to the files is among the findings.

Importing this loads no RDKit: what audits molecules is fetched when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kekule.data.audit.findings import AMBER as AMBER
from kekule.data.audit.findings import GREEN as GREEN
from kekule.data.audit.findings import RED as RED
from kekule.data.audit.findings import finding as finding
from kekule.data.audit.graphs import audit_graphs as audit_graphs

if TYPE_CHECKING:
    from kekule.data.audit.molecules import audit_molecules as audit_molecules

_LATER = {"audit_molecules": "molecules"}


def __getattr__(name: str) -> Any:
    """Import what needs RDKit the first time it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
