"""Kinds of graphs a user may bring; every member of a family must take them all."""

import copy

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from kekule.data import find_set
from kekule.features import Column, GraphSchema, schema_of
from kekule.models import NETWORKS, build_network

ELEMENTS = Column("label", (1, 6, 7, 8, 17))
BONDS = Column("label", (1, 2, 3, 4))
N_CLASSES = 3
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
    "descriptors": GraphSchema((ELEMENTS,), (BONDS,), n_graph_attributes=3),
}


@pytest.fixture(params=KINDS)
def schema(request):
    return KINDS[request.param]


@pytest.fixture(scope="session")
def mixed(random_packed):
    """Twelve graphs: a lone atom, some without a bond, some in pieces, some all bonded."""

    def build(schema):
        rng = np.random.default_rng(7)
        sizes = [1, 2, 3, 5, 6, 6, 8, 9, 11, 4, 7, 10]
        return random_packed(schema, sizes, rng, bond_chance=0.3)

    return build


@pytest.fixture
def graphs(schema, mixed):
    return mixed(schema)


@pytest.fixture(scope="session")
def small():
    """Give settings of a network that is quick to compute."""

    def settings(name, **changes):
        return NETWORKS[name].Settings(**{"hidden": 8, "layers": 2, **changes})

    return settings


@pytest.fixture(scope="session")
def practised(mixed, small):
    """A small network whose batch statistics are those of the graphs, as after a training."""
    made = {}

    def build(name, schema):
        if (name, schema.sha256) not in made:
            network = build_network(schema, N_CLASSES, small(name), seed=0)
            graphs = mixed(schema)
            network.set_scale(graphs)
            batch = network.layout(graphs).batch(np.arange(len(graphs)))
            network.train()
            with torch.no_grad():
                for _ in range(20):
                    network(batch)
            made[name, schema.sha256] = network.eval()
        return copy.deepcopy(made[name, schema.sha256])

    return build


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """As a fold's process computes; on a busy machine a second thread mostly waits."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
