"""Each network's round gives the numbers of PyG's layer of the same name."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from kekule.features import Column, GraphSchema, pack, schema_of
from kekule.models import NETWORKS, build_network, embeddings, make_batch
from kekule.models.attentivefp import GateRound, Memory
from kekule.models.gcn import GraphConvolution
from kekule.models.gin import IsomorphismRound
from kekule.models.gps import MoleculeAttention, walk_returns
from kekule.models.pna import PrincipalRound, statistics
from kekule.models.sage import MeanRound

WIDTH = 8
RING_OF_SIX = ([6] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])
TWO_RINGS_OF_THREE = ([6] * 6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
SCHEMA = GraphSchema((Column("label", (6, 7)),), (Column("label", (1, 2)),))


@pytest.fixture(scope="module")
def batch(random_packed):
    rng = np.random.default_rng(0)
    return make_batch(random_packed(SCHEMA, [1, 5, 8, 12, 3], rng, bond_chance=0.4))


@pytest.fixture
def x(batch):
    torch.manual_seed(0)
    return torch.randn(batch.n_nodes, WIDTH)


@pytest.fixture
def labels(batch):
    torch.manual_seed(1)
    return torch.randn(len(batch.edges), WIDTH)


def test_a_graph_convolution(batch, x, random_packed):
    from torch_geometric.nn import GCNConv

    network = build_network(SCHEMA, 2, NETWORKS["gcn"].Settings(hidden=WIDTH), seed=0)
    graphs = random_packed(SCHEMA, [1, 5, 8, 12, 3], np.random.default_rng(0), bond_chance=0.4)
    looped = network.layout(graphs, share=False).batch(np.arange(5))
    ours, theirs = GraphConvolution(WIDTH), GCNConv(WIDTH, WIDTH)
    theirs.lin.weight, theirs.bias = ours.lin.weight, ours.bias

    close(ours(x, looped.round(0), None, None), theirs(x, batch.round(0).edge_index()))


@pytest.mark.parametrize("labelled", [True, False])
def test_an_isomorphism_round(batch, x, labels, labelled):
    from torch_geometric.nn import GINConv, GINEConv

    ours = IsomorphismRound(WIDTH, inner=2 * WIDTH).eval()
    nn.init.constant_(ours.eps, 0.3)
    theirs = (GINEConv if labelled else GINConv)(ours.nn, eps=0.3)
    given = (x, batch.round(0).edge_index(), *([labels] if labelled else []))

    close(ours(x, batch.round(0), labels if labelled else None, None), theirs(*given))


def test_a_mean_round(batch, x):
    from torch_geometric.nn import SAGEConv

    ours, theirs = MeanRound(WIDTH), SAGEConv(WIDTH, WIDTH)
    theirs.lin_l.weight, theirs.lin_l.bias = ours.neighbours.weight, ours.own.bias
    theirs.lin_r.weight = ours.own.weight

    close(ours(x, batch.round(0), None, None), theirs(x, batch.round(0).edge_index()))


def test_a_principal_round(batch, x, labels):
    """Both on their own weights, set alike; PyG's deviation is cut off where it is small."""
    from torch_geometric.nn import PNAConv

    step, ours = batch.round(0), PrincipalRound(WIDTH)
    received = step.messages.pointer.diff()
    scales = ["identity", "amplification", "attenuation"]
    theirs = PNAConv(
        WIDTH, WIDTH, ["mean", "max", "min", "std"], scales, received.bincount(), edge_dim=WIDTH
    )
    nn.init.constant_(ours.mean_log_degree, float(theirs.aggr_module.avg_deg_log))
    with torch.no_grad():
        one, eye = theirs.pre_nns[0][0], torch.eye(WIDTH)
        one.weight.copy_(torch.cat([ours.target.weight, ours.source.weight, eye], dim=1))
        one.bias.copy_(ours.target.bias)
        aggregates = ours.aggregates.weight.chunk(3)
        last = theirs.post_nns[0][0]
        last.weight.copy_(torch.cat([ours.own.weight, *aggregates], dim=1))
        last.bias.copy_(ours.own.bias)
        for identity in (theirs.lin, theirs.edge_encoder):
            nn.init.eye_(identity.weight)
            nn.init.zeros_(identity.bias)
    heard = received > 1  # of one message the deviation is a constant here, nought in PyG
    found, expected = ours(x, step, labels, None), theirs(x, step.edge_index(), labels)

    torch.testing.assert_close(found[heard], expected[heard], rtol=0, atol=1e-3)


def test_statistics_of_messages_are_those_of_numpy(batch):
    messages = batch.round(0).messages
    sent = torch.from_numpy(np.random.default_rng(0).normal(size=(len(messages.source), 3)))
    found = statistics(sent, messages).numpy()
    for row, part in enumerate(np.split(sent.numpy(), messages.pointer.numpy()[1:-1])):
        if len(part):
            expected = [part.mean(0), part.max(0), part.min(0), np.sqrt(part.var(0) + 1e-5)]
            np.testing.assert_allclose(found[row], np.concatenate(expected))
        else:
            assert not found[row, :-3].any()


def test_the_degree_an_atom_is_measured_by_is_that_of_the_training_rows(packed_mutag):
    network = build_network(packed_mutag.schema, 2, NETWORKS["pna"].Settings(hidden=8), seed=0)
    rows = np.arange(50)
    network.set_scale(packed_mutag.take(rows))
    own = packed_mutag.take(rows)
    degree = np.bincount(own.global_edge_index[1], minlength=len(own.nodes))

    for layer in network.convolutions:
        expected = np.log(np.maximum(degree, 1) + 1).mean()
        np.testing.assert_allclose(layer.mean_log_degree, expected, rtol=1e-6)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_round_of_attention(batch, x, labels, labelled):
    """PyG's own layer, which adds the edge label as it is given."""
    from torch_geometric.nn import GATv2Conv

    network = build_network(
        SCHEMA if labelled else GraphSchema(SCHEMA.nodes, ()),
        2,
        NETWORKS["gatv2"].Settings(hidden=WIDTH, heads=2),
        seed=0,
    )
    ours = network.convolutions[0]
    theirs = GATv2Conv(
        WIDTH,
        WIDTH // 2,
        heads=2,
        add_self_loops=False,
        residual=True,
        edge_dim=WIDTH if labelled else None,
    )
    theirs.load_state_dict(ours.conv.state_dict(), strict=False)
    if labelled:
        nn.init.eye_(theirs.lin_edge.weight)
    given = (x, batch.round(0).edge_index(), *([labels] if labelled else []))

    close(ours(x, batch.round(0), labels if labelled else None, None), theirs(*given))


def test_a_gated_round(batch, x, labels):
    from torch_geometric.nn.models.attentive_fp import GATEConv

    ours, theirs = GateRound(WIDTH), GATEConv(WIDTH, WIDTH, WIDTH)
    with torch.no_grad():
        theirs.lin1.weight.copy_(torch.cat([ours.seen.weight, torch.eye(WIDTH)], dim=1))
        theirs.lin2.weight.copy_(ours.sent.weight)
        theirs.att_l.copy_(ours.score_of_sent.weight)
        theirs.att_r.copy_(ours.score_of_own.weight)
        nn.init.normal_(ours.bias)
        theirs.bias.copy_(ours.bias)

    close(ours(x, batch.round(0), labels), theirs(x.clone(), batch.round(0).edge_index(), labels))


def test_a_memory_is_a_gated_recurrent_unit(x):
    ours, theirs = Memory(WIDTH), nn.GRUCell(WIDTH, WIDTH)
    theirs.weight_ih, theirs.bias_ih = ours.heard.weight, ours.heard.bias
    theirs.weight_hh, theirs.bias_hh = ours.kept.weight, ours.kept.bias
    state = torch.randn_like(x)

    close(ours(x, state), theirs(x, state))


def test_attention_in_a_molecule_is_that_of_pytorch_on_each_alone(batch, x):
    ours, theirs = MoleculeAttention(WIDTH, 2), nn.MultiheadAttention(WIDTH, 2, batch_first=True)
    theirs.in_proj_weight, theirs.in_proj_bias = ours.inner.weight, ours.inner.bias
    theirs.out_proj.weight, theirs.out_proj.bias = ours.outer.weight, ours.outer.bias
    found = ours(x, batch)

    for graph in range(batch.n_graphs):
        own = x[batch.graph == graph][None]
        close(found[batch.graph == graph], theirs(own, own, own)[0][0])


def test_attentive_fp_is_the_network_of_pyg(packed_mutag):
    """Embedded codes are a linear layer on one-hot columns; all else is carried over."""
    from torch_geometric.nn import AttentiveFP

    graphs = packed_mutag.take(np.arange(20))
    settings = NETWORKS["attentivefp"].Settings(hidden=WIDTH, layers=3, timesteps=2)
    ours = build_network(graphs.schema, 3, settings, seed=0).eval()
    n_codes, n_edge_codes = (
        sum(column.cardinality for column in columns)
        for columns in (graphs.schema.nodes, graphs.schema.edges)
    )
    theirs = AttentiveFP(n_codes, WIDTH, 3, n_edge_codes, num_layers=3, num_timesteps=2).eval()
    with torch.no_grad():
        theirs.lin1.weight.copy_(ours.node_encoder.tables[0].weight.T)
        theirs.lin1.bias.zero_()
        gate = theirs.gate_conv
        edges = ours.edge_encoder.tables[0].weight.T
        gate.lin1.weight.copy_(torch.cat([ours.gate.seen.weight, edges], dim=1))
        gate.lin2.weight.copy_(ours.gate.sent.weight)
        gate.att_l.copy_(ours.gate.score_of_sent.weight)
        gate.att_r.copy_(ours.gate.score_of_own.weight)
        theirs.lin2.weight.copy_(ours.head.weight)
        theirs.lin2.bias.copy_(ours.head.bias)
        memories = [theirs.gru, *theirs.atom_grus, theirs.mol_gru]
        for cell, memory in zip(memories, [*ours.memories, ours.molecule_memory], strict=True):
            cell.weight_ih, cell.bias_ih = memory.heard.weight, memory.heard.bias
            cell.weight_hh, cell.bias_hh = memory.kept.weight, memory.kept.bias
        for conv, layer in zip(theirs.atom_convs, ours.convolutions, strict=True):
            conv.load_state_dict(layer.state_dict())
        theirs.mol_conv.load_state_dict(ours.molecule.state_dict())
        batch = make_batch(graphs)
        codes = nn.functional.one_hot(batch.nodes[:, 0], n_codes).float()
        kinds = nn.functional.one_hot(batch.edges[:, 0], n_edge_codes).float()
        expected = theirs(codes, batch.round(0).edge_index(), kinds, batch.graph)

        close(ours(ours.layout(graphs).batch(np.arange(20))), expected)


def test_walks_tell_apart_what_weisfeiler_and_lehman_cannot(by_hand):
    """Three steps bring a walk back on a ring of three, and never on one of six."""
    graphs = by_hand(RING_OF_SIX, TWO_RINGS_OF_THREE)
    packed = pack(graphs, schema_of(graphs))
    returns = walk_returns(make_batch(packed), 3)
    network = build_network(packed.schema, 2, NETWORKS["gps"].Settings(), seed=0)
    ring, rings = embeddings(network, packed)

    expected = [[0.0, 0.5, 0.0]] * 6 + [[0.0, 0.5, 0.25]] * 6
    np.testing.assert_allclose(returns, expected)
    assert np.abs(ring - rings).max() > 1e-2


def test_returns_of_walks_are_powers_of_the_transition_matrix(batch):
    sender, receiver = batch.round(0).edge_index()
    adjacency = np.zeros((batch.n_nodes, batch.n_nodes))
    adjacency[receiver, sender] = 1
    step = adjacency / np.maximum(adjacency.sum(1, keepdims=True), 1)
    expected = [np.diag(np.linalg.matrix_power(step, k)) for k in range(1, 9)]

    np.testing.assert_allclose(walk_returns(batch, 8), np.stack(expected, axis=1), atol=1e-6)


@pytest.mark.parametrize("name", ["gatv2", "gps"])
def test_a_width_that_heads_do_not_divide_is_refused(name):
    with pytest.raises(ValueError, match=r"hidden \(10\) is not a multiple of heads \(4\)"):
        NETWORKS[name].Settings(hidden=10, heads=4)


def test_networks_of_plain_rounds_do_not_wait_for_pyg_to_load():
    script = """
import sys, numpy as np
from kekule.data import find_set
from kekule.features import pack, schema_of
from kekule.models import NETWORKS, build_network, probabilities
graphs = find_set("MUTAG").take(np.arange(4))
packed = pack(graphs, schema_of(graphs))
for name in ("gcn", "gin", "gine", "sage", "pna", "dmpnn", "gps"):
    probabilities(build_network(packed.schema, 2, NETWORKS[name].Settings(), seed=0), packed)
print(*(name for name in sys.modules if name in ("torch_geometric", "torch._dynamo")))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert done.stdout.split() == []


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
