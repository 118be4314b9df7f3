"""Kinds of graphs a user may bring; every member of a family must take them all."""

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from kekule.data import find_set
from kekule.features import Column, GraphSchema, schema_of

ELEMENTS = Column("label", (1, 6, 7, 8, 17))
BONDS = Column("label", (1, 2, 3, 4))
KINDS = {
    "MUTAG": schema_of(find_set("MUTAG")),
    "no bond labels": GraphSchema((ELEMENTS,), ()),
    "two columns each": GraphSchema(
        (Column("label_0", (1, 6)), Column("label_1", (0, 1, 2))),
        (Column("label_0", (1, 2)), Column("label_1", (-1, 4))),
    ),
    "attributes alone": GraphSchema((), (), n_node_attributes=3),
    "everything": GraphSchema((ELEMENTS,), (BONDS,), n_node_attributes=2, n_edge_attributes=2),
    "bond lengths alone": GraphSchema((ELEMENTS,), (), n_edge_attributes=1),
    "degrees": GraphSchema((Column("degree", tuple(range(8))),), ()),
    "bare": GraphSchema((), ()),
}


@pytest.fixture(params=KINDS)
def schema(request):
    return KINDS[request.param]


@pytest.fixture
def graphs(schema, random_packed):
    """Twelve graphs: a lone atom, some without a bond, some in pieces, some all bonded."""
    rng = np.random.default_rng(7)
    sizes = [1, 2, 3, 5, 6, 6, 8, 9, 11, 4, 7, 10]
    return random_packed(schema, sizes, rng, bond_chance=0.3)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """As a fold's process computes; on a busy machine a second thread mostly waits."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
