"""From one record to arrays under a hashed schema, and many records packed into few arrays.

Nothing here sees a class label, a split or a tensor; the same graph therefore gives the
same arrays in a notebook, in training and behind a service. Names that need pandas, SciPy
or RDKit are fetched when first used: a worker process that lays out molecules starts in
half the time without the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kekule.features.counts import composition as composition
from kekule.features.descriptor_sets import DESCRIPTORS as DESCRIPTORS
from kekule.features.descriptor_sets import NO_DESCRIPTORS as NO_DESCRIPTORS
from kekule.features.descriptor_sets import DescriptorSet as DescriptorSet
from kekule.features.descriptor_sets import UnknownDescriptorsError as UnknownDescriptorsError
from kekule.features.descriptor_sets import described_schema as described_schema
from kekule.features.descriptor_sets import descriptors_of as descriptors_of
from kekule.features.descriptor_sets import without_descriptors as without_descriptors
from kekule.features.molecule_schema import MOLECULE_SCHEMA as MOLECULE_SCHEMA
from kekule.features.packed import PackedGraphs as PackedGraphs
from kekule.features.packed import arrays_of as arrays_of
from kekule.features.packed import load_packed as load_packed
from kekule.features.packed import misfits as misfits
from kekule.features.packed import pack as pack
from kekule.features.packed import save_packed as save_packed
from kekule.features.packed_builder import PackedBuilder as PackedBuilder
from kekule.features.schema import Column as Column
from kekule.features.schema import GraphSchema as GraphSchema
from kekule.features.schema import schema_of as schema_of
from kekule.features.seen import Seen as Seen
from kekule.features.seen import seen_codes as seen_codes
from kekule.features.seen import unseen as unseen

if TYPE_CHECKING:
    from kekule.features.cache import CacheEntry as CacheEntry
    from kekule.features.cache import GraphCache as GraphCache
    from kekule.features.cache import cache_folder as cache_folder
    from kekule.features.descriptors import described as described
    from kekule.features.fingerprints import FINGERPRINTS as FINGERPRINTS
    from kekule.features.fingerprints import FingerprintTable as FingerprintTable
    from kekule.features.molecules import MoleculeGraphs as MoleculeGraphs
    from kekule.features.molecules import molecule_graphs as molecule_graphs
    from kekule.features.structure_graphs import StandardGraphs as StandardGraphs
    from kekule.features.structure_graphs import standard_graphs as standard_graphs
    from kekule.features.wl import wl_features as wl_features
    from kekule.features.wl import wl_labels as wl_labels

_LATER = {
    "CacheEntry": "cache",
    "GraphCache": "cache",
    "cache_folder": "cache",
    "described": "descriptors",
    "FINGERPRINTS": "fingerprints",
    "FingerprintTable": "fingerprints",
    "MoleculeGraphs": "molecules",
    "molecule_graphs": "molecules",
    "StandardGraphs": "structure_graphs",
    "standard_graphs": "structure_graphs",
    "wl_features": "wl",
    "wl_labels": "wl",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
