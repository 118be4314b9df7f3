"""From one record to arrays under a hashed schema, and many records packed into few arrays.

Nothing here sees a class label, a split or a tensor; the same graph therefore gives the
same arrays in a notebook, in training and behind a service.
"""

from kekule.features.counts import composition as composition
from kekule.features.packed import PackedGraphs as PackedGraphs
from kekule.features.packed import load_packed as load_packed
from kekule.features.packed import misfits as misfits
from kekule.features.packed import pack as pack
from kekule.features.packed import save_packed as save_packed
from kekule.features.schema import Column as Column
from kekule.features.schema import GraphSchema as GraphSchema
from kekule.features.schema import schema_of as schema_of
from kekule.features.wl import wl_features as wl_features
from kekule.features.wl import wl_labels as wl_labels
