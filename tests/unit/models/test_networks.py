import numpy as np
import pytest
import torch

from kekule import KekuleError
from kekule.features import Column, GraphSchema
from kekule.models import (
    NETWORKS,
    Network,
    NetworkSettings,
    build_network,
    embeddings,
    layers_of,
    make_batch,
    probabilities,
    set_weights,
    weights_of,
)
from kekule.models.encoder import CodeEncoder

RING_OF_SIX = ([6] * 6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])
TWO_RINGS_OF_THREE = ([6] * 6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])


def test_a_name_that_is_no_network_is_refused_with_those_that_are(packed_mutag):
    for settings in (NetworkSettings(), NETWORKS["gcn"].Settings.model_construct(name="gnc")):
        with pytest.raises(KekuleError, match=r"is no network\. Choose one of gcn, gin"):
            build_network(packed_mutag.schema, 2, settings, seed=0)


def test_weights_of_another_width_are_refused(packed_mutag):
    narrow, wide = (
        build_network(packed_mutag.schema, 2, NETWORKS["gcn"].Settings(hidden=h), seed=0)
        for h in (8, 16)
    )

    with pytest.raises(RuntimeError, match="size mismatch"):
        set_weights(narrow, weights_of(wide))
    incomplete = dict(list(weights_of(narrow).items())[1:])
    with pytest.raises(RuntimeError, match="Missing key"):
        set_weights(narrow, incomplete)


def test_a_batch_is_numbered_through_its_graphs(packed_mutag):
    batch = make_batch(packed_mutag, np.array([3, 0]))
    n = np.diff(packed_mutag.node_pointer)

    assert batch.n_graphs == 2
    assert torch.bincount(batch.graph).tolist() == [n[3], n[0]]
    source, target = batch.round(0).edge_index()
    assert len(source) == np.diff(packed_mutag.edge_pointer)[[3, 0]].sum()
    assert (batch.graph[source] == batch.graph[target]).all()
    assert batch.nodes.dtype == source.dtype == torch.int64
    assert batch.node_attributes.dtype == torch.float32


def test_a_batch_does_not_share_memory_with_the_set(packed_mutag):
    before = packed_mutag.nodes.copy()
    batch = make_batch(packed_mutag)
    batch.nodes.add_(1)

    np.testing.assert_array_equal(packed_mutag.nodes, before)


def test_a_batch_moves_whole_to_a_device(packed_mutag):
    moved = make_batch(packed_mutag, np.array([0])).to("meta")

    assert moved.n_graphs == 1
    assert {part.device.type for part in moved if isinstance(part, torch.Tensor)} == {"meta"}


def test_many_graphs_are_asked_in_parts_and_answered_in_order(monkeypatch, packed_mutag):
    network = build_network(packed_mutag.schema, 2, NETWORKS["gin"].Settings(hidden=8), seed=0)
    whole = probabilities(network, packed_mutag), embeddings(network, packed_mutag)
    monkeypatch.setattr("kekule.models.inference.BATCH_SIZE", 50)

    np.testing.assert_allclose(probabilities(network, packed_mutag), whole[0], atol=1e-6)
    np.testing.assert_allclose(embeddings(network, packed_mutag), whole[1], rtol=1e-4, atol=1e-4)


def test_asking_leaves_no_trace_in_the_network(packed_mutag):
    network = build_network(packed_mutag.schema, 2, NETWORKS["gin"].Settings(hidden=8), seed=0)
    before = weights_of(network)
    network.train()
    probabilities(network, packed_mutag)
    embeddings(network, packed_mutag)

    after = weights_of(network)
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_a_gcn_of_one_layer_is_its_formula(by_hand):
    """x' = ReLU(D^-1/2 (A + I) D^-1/2 x W + b), the mean over nodes, the head."""
    from kekule.features import pack, schema_of

    graphs = by_hand(([6, 7, 6, 8], [(0, 1), (1, 2), (1, 3)]))
    packed = pack(graphs, schema_of(graphs))
    network = build_network(
        packed.schema, 3, NETWORKS["gcn"].Settings(hidden=5, layers=1), seed=0
    ).eval()
    weights = {key: value.astype(float) for key, value in weights_of(network).items()}
    x = weights["node_encoder.tables.0.weight"][packed.nodes[:, 0]]
    a = np.eye(4)
    a[tuple(packed.edge_index)] = 1
    d = np.diag(a.sum(1) ** -0.5)
    layer = weights["convolutions.0.lin.weight"].T
    hidden = np.maximum(d @ a @ d @ x @ layer + weights["convolutions.0.bias"], 0).mean(0)
    logits = weights["head.weight"] @ hidden + weights["head.bias"]

    by_formula = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(probabilities(network, packed)[0], by_formula, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_weisfeiler_and_lehman_cannot_tell_apart_no_local_network_can(name, by_hand):
    """Not a wish but a limit: a user who needs ring sizes must give them as labels."""
    if not getattr(NETWORKS[name], "shares", True):
        pytest.skip("it also reads where in the whole molecule an atom is")
    from kekule.features import pack, schema_of

    graphs = by_hand(RING_OF_SIX, TWO_RINGS_OF_THREE)
    packed = pack(graphs, schema_of(graphs))
    network = build_network(packed.schema, 2, NETWORKS[name].Settings(), seed=0)
    ring, rings = embeddings(network, packed)

    np.testing.assert_allclose(ring, rings, rtol=1e-4, atol=1e-4)


def test_codes_are_embedded_and_summed_over_the_columns():
    encoder = CodeEncoder((Column("label_0", (1, 2)), Column("label_1", (0, 5, 9))), 0, 4)
    codes = torch.tensor([[1, 2], [0, 0]])
    first, second = (table.weight for table in encoder.tables)

    expected = torch.stack([first[1] + second[2], first[0] + second[0]])
    assert torch.equal(encoder(codes, torch.zeros(2, 0)), expected)


def test_attributes_are_scaled_to_mean_zero_and_deviation_one():
    encoder = CodeEncoder((), 2, 4)
    attributes = torch.tensor([[1e6, 0.1], [1e6 + 4, 0.1], [1e6 + 8, 0.1]])
    encoder.set_scale(attributes)
    scaled = (attributes - encoder.mean) / encoder.scale

    torch.testing.assert_close(scaled.mean(0), torch.zeros(2))
    torch.testing.assert_close(scaled.std(0, unbiased=False), torch.tensor([1.0, 0.0]))
    assert encoder.scale[1] == 1


def test_scaling_by_no_rows_leaves_the_scale_alone():
    encoder = CodeEncoder((), 2, 4)
    encoder.set_scale(torch.zeros(0, 2))

    assert encoder.mean.tolist() == [0, 0]
    assert encoder.scale.tolist() == [1, 1]


def test_an_encoder_that_lies_deep_in_a_network_is_scaled_too(random_packed):
    class Deep(Network):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Sequential()
            self.inner.add_module("edge", CodeEncoder((), 1, 2, part="edge"))
            self.inner.add_module("atoms", CodeEncoder((), 1, 2))

    schema = GraphSchema((), (), n_node_attributes=1, n_edge_attributes=1)
    graphs = random_packed(schema, [4, 5], np.random.default_rng(0))
    network = Deep()
    network.set_scale(graphs)

    edges, nodes = graphs.edge_attributes.mean(0), graphs.node_attributes.mean(0)
    np.testing.assert_allclose(network.inner.edge.mean, edges, rtol=1e-6)
    np.testing.assert_allclose(network.inner.atoms.mean, nodes, rtol=1e-6)


def test_a_network_without_an_embedding_says_so(packed_mutag):
    with pytest.raises(NotImplementedError):
        Network().embed(make_batch(packed_mutag))


def test_layers_are_listed_in_their_order_with_kind_and_shape(packed_mutag):
    network = build_network(packed_mutag.schema, 2, NETWORKS["gcn"].Settings(hidden=8), seed=0)
    layers = layers_of(network)

    assert (layers[0].kind, layers[0].shape) == ("Embedding", (7, 8))
    assert layers[-1].name == "head.bias"
    assert layers[-1].kind == "Linear"
