"""The settings that surround the rounds hold for every network of the frame."""

import numpy as np
import pytest
import torch

from kekule.features import Column, GraphSchema
from kekule.models import NETWORKS, build_network, set_weights, weights_of
from kekule.models.stack import Stack

SCHEMA = GraphSchema(
    (Column("label", (1, 6, 7, 8, 17)),), (Column("label", (1, 2, 3, 4)),), n_graph_attributes=2
)
N_CLASSES = 3
OPTIONS = [
    {"readout": "sum"},
    {"readout": "scaled"},
    {"readout": "mean"},
    {"readout": "max"},
    {"readout": "attention"},
    {"jump": "last"},
    {"jump": "sum"},
    {"jump": "concat"},
    {"norm": "batch"},
    {"norm": "layer"},
    {"norm": "graph"},
    {"norm": "none"},
    {"residual": True},
    {"head_hidden": 7},
    {"virtual_node": True},
    {"virtual_node": True, "norm": "layer", "jump": "sum", "residual": True},
    {"readout": "attention", "jump": "concat", "norm": "layer", "head_hidden": 5},
    {"layers": 1, "virtual_node": True},
]


@pytest.fixture(params=[name for name, kind in NETWORKS.items() if issubclass(kind, Stack)])
def name(request):
    return request.param


@pytest.fixture(params=OPTIONS, ids=lambda given: " ".join(f"{k}={v}" for k, v in given.items()))
def network(request, name, small, mixed):
    settings = small(name, dropout=0.0, **request.param)
    network = build_network(SCHEMA, N_CLASSES, settings, seed=0).double()
    network.set_scale(mixed(SCHEMA))
    with torch.no_grad():  # else the virtual node starts as nought
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def test_renumbering_atoms_changes_no_output(network, mixed, renumbered):
    graphs = mixed(SCHEMA)
    other = renumbered(graphs, np.random.default_rng(1))

    close(outputs(network.eval(), other), outputs(network, graphs))
    close(outputs(network.train(), other), outputs(network, graphs))


def test_a_graph_is_answered_alone_as_in_a_batch(network, mixed):
    graphs = mixed(SCHEMA)
    together = outputs(network.eval(), graphs)

    for row in range(len(graphs)):
        close(outputs(network, graphs.take(np.array([row])))[0], together[row])


def test_shared_rows_give_the_outputs_and_gradients_of_rows_by_themselves(network, mixed):
    graphs, rows = mixed(SCHEMA), np.array([7, 3, 0, 11, 3, 5])
    answers = []
    for share in (True, False):
        network.train().zero_grad()
        out = network(doubled(network.layout(graphs, share=share).batch(rows)))
        out.square().sum().backward()
        answers.append((out.detach(), {n: p.grad for n, p in network.named_parameters()}))

    close(answers[0][0], answers[1][0])
    for key, gradient in answers[0][1].items():
        torch.testing.assert_close(gradient, answers[1][1][key], rtol=1e-6, atol=1e-8, msg=key)


def test_graphs_that_count_for_nothing_leave_no_trace(network, mixed):
    graphs, kept = mixed(SCHEMA), np.arange(8)
    state = {key: value.clone() for key, value in network.train().state_dict().items()}
    layout = network.layout(graphs)
    weight = torch.tensor([1.0] * 8 + [0.0] * 4)
    seen = network(doubled(layout.batch(np.arange(12))._replace(weight=weight)))[:8]
    statistics = {key: b.clone() for key, b in network.named_buffers() if b.is_floating_point()}
    network.load_state_dict(state)

    close(seen.detach(), network(doubled(layout.batch(kept))).detach())
    for key, buffer in network.named_buffers():
        if key in statistics:
            torch.testing.assert_close(statistics[key], buffer, msg=key)


def test_gradients_reach_every_parameter(network, mixed):
    graphs = mixed(SCHEMA)
    logits = network.eval()(doubled(network.layout(graphs).batch(np.arange(12))))
    torch.nn.functional.cross_entropy(logits, torch.arange(12) % N_CLASSES).backward()

    unreached = [
        n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-10
    ]
    assert unreached == []


def test_weights_put_into_another_network_give_its_answers(network, mixed):
    graphs = mixed(SCHEMA)
    other = build_network(SCHEMA, N_CLASSES, network.settings, seed=3).double()
    set_weights(other, weights_of(network))

    np.testing.assert_array_equal(outputs(other, graphs), outputs(network.eval(), graphs))


def test_a_dropped_round_is_dropped_in_training_alone(name, small, mixed):
    graphs = mixed(SCHEMA)
    network = build_network(
        SCHEMA, N_CLASSES, small(name, dropout=0.0, round_dropout=0.5), seed=0
    ).double()

    assert not torch.allclose(outputs(network.train(), graphs), outputs(network, graphs))
    close(outputs(network.eval(), graphs), outputs(network, graphs))


def outputs(network, graphs):
    with torch.no_grad():
        return network(doubled(network.layout(graphs).batch(np.arange(len(graphs)))))


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-8)


def doubled(value):
    """A batch whose numbers are float64."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, tuple):
        return getattr(type(value), "_make", tuple)([doubled(part) for part in value])
    return value
