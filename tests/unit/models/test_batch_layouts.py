import numpy as np
import pytest
import torch

from kekule.features import Column, GraphSchema
from kekule.models import NETWORKS, build_network, make_batch
from kekule.models.batch import BondBatch, GraphBatch, PlainLayout
from kekule.models.environment_batch import BondLayout, EnvironmentLayout

SCHEMA = GraphSchema(
    (Column("label", (1, 6, 7)),),
    (Column("label", (1, 2)),),
    n_node_attributes=1,
    n_graph_attributes=2,
)
CODES = GraphSchema((Column("label", (1, 6, 7)),), (Column("label", (1, 2)),))
ROWS = np.array([5, 2, 9, 2])


@pytest.fixture(scope="module")
def graphs(random_packed):
    rng = np.random.default_rng(0)
    return random_packed(SCHEMA, rng.integers(1, 9, 12), rng, bond_chance=0.3)


@pytest.fixture(scope="module")
def alike(random_packed):
    rng = np.random.default_rng(1)
    return random_packed(CODES, rng.integers(1, 9, 30), rng, bond_chance=0.25)


def test_a_plain_batch_is_its_graphs_one_after_the_other(graphs):
    batch, own = PlainLayout(graphs).batch(ROWS), graphs.take(ROWS)
    step = batch.round(2)

    assert batch.n_graphs == 4
    np.testing.assert_array_equal(batch.nodes, own.nodes)
    np.testing.assert_array_equal(batch.node_attributes, own.node_attributes)
    np.testing.assert_array_equal(batch.descriptors, own.graph_attributes)
    np.testing.assert_array_equal(batch.graph, own.graph_of_node)
    np.testing.assert_array_equal(batch.pointer, own.node_pointer)
    by_hand = zip(*own.global_edge_index.tolist(), own.edges.ravel().tolist(), strict=True)
    found = zip(*step.edge_index().tolist(), batch.edges.ravel().tolist(), strict=True)
    assert sorted(found) == sorted(by_hand)


def test_messages_lie_grouped_by_receiver(graphs):
    for batch in (PlainLayout(graphs).batch(ROWS), PlainLayout(graphs, loops=True).batch(ROWS)):
        messages = batch.round(0).messages
        sizes = np.diff(messages.pointer)

        np.testing.assert_array_equal(messages.target, np.repeat(np.arange(len(sizes)), sizes))
        assert len(sizes) == batch.n_nodes


def test_with_loops_messages_carry_the_normalised_adjacency(graphs):
    batch, own = PlainLayout(graphs, loops=True).batch(ROWS), graphs.take(ROWS)
    messages = batch.round(0).messages
    found = np.zeros((batch.n_nodes, batch.n_nodes))
    found[messages.target, messages.source] = messages.weight
    adjacency = np.eye(batch.n_nodes)
    adjacency[tuple(own.global_edge_index[::-1])] = 1
    scale = np.diag(adjacency.sum(1) ** -0.5)

    np.testing.assert_allclose(found, scale @ adjacency @ scale, rtol=1e-6)


@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("whole", [np.inf, 0.0], ids=["whole", "picked"])
def test_rows_of_environments_are_the_nodes_that_have_them(alike, monkeypatch, whole, loops):
    """Every node hears, through its row, what it hears in the plain layout."""
    monkeypatch.setattr("kekule.models.environment_batch.WHOLE", whole)
    shared = EnvironmentLayout(alike, 2, loops=loops).batch(ROWS)
    plain = PlainLayout(alike, loops=loops).batch(ROWS)

    np.testing.assert_array_equal(shared.by_node(shared.nodes, 0), plain.nodes)
    for k in range(2):
        of, before = shared.rows_of_nodes(k + 1), shared.rows_of_nodes(k)
        np.testing.assert_array_equal(shared.round(k).own[of], before)
        for node in range(plain.n_nodes):
            through_rows = heard(shared, k, int(of[node]))
            by_itself = heard(plain, k, node)
            named = sorted((int(before[sender]), *rest) for sender, *rest in by_itself)
            assert sorted(through_rows) == named


def test_a_row_counts_as_often_as_nodes_have_it_and_each_as_its_graph_weighs(alike):
    batch = EnvironmentLayout(alike, 2).batch(ROWS)
    weight = torch.tensor([1.0, 0.0, 0.5, 2.0])
    weighted = batch._replace(weight=weight)
    for k in range(3):
        of = batch.rows_of_nodes(k)
        n_rows = len(batch.nodes) if k == 0 else batch.round(k - 1).n_rows
        often = batch.counts(n_rows, k)
        by_hand = torch.zeros(n_rows).index_add(0, of, weight[batch.graph])

        np.testing.assert_array_equal(often, np.bincount(of, minlength=n_rows))
        torch.testing.assert_close(weighted.counts(n_rows, k), by_hand)


def test_in_the_plain_layout_nothing_needs_counting(graphs):
    batch = make_batch(graphs)

    assert batch.counts(batch.n_nodes, 1) is None
    weight = torch.arange(12.0)
    counted = batch._replace(weight=weight).counts(batch.n_nodes, 1)
    np.testing.assert_array_equal(counted, weight[batch.graph])


def test_a_set_of_few_environments_is_laid_out_once_for_all_batches(packed_mutag):
    layout = EnvironmentLayout(packed_mutag, 2, batch_size=64)
    first, second = layout.batch(np.arange(64)), layout.batch(np.arange(100, 164))

    assert first.rounds is second.rounds
    assert first.nodes is second.nodes
    assert first.round(0).messages.back is not None


def test_a_set_of_many_environments_gives_a_batch_those_it_has(packed_mutag):
    batch = EnvironmentLayout(packed_mutag, 3, batch_size=4).batch(np.arange(4))
    nodes = int(np.diff(packed_mutag.node_pointer)[:4].sum())
    rows = [step.n_rows for step in batch.rounds]

    assert all(len(set(batch.rows_of_nodes(k + 1).tolist())) == n for k, n in enumerate(rows))
    assert max(rows) < nodes


def test_batches_do_not_hang_on_the_ones_before(alike, monkeypatch):
    monkeypatch.setattr("kekule.models.environment_batch.WHOLE", 0.0)
    for kind in (EnvironmentLayout, BondLayout):
        layout = kind(alike, 2)
        first = layout.batch(ROWS)
        layout.batch(np.arange(20))

        assert_equal(layout.batch(ROWS), first)


@pytest.mark.parametrize("share", [True, False])
def test_a_bond_hears_all_that_end_where_it_starts_but_its_reverse(alike, share, monkeypatch):
    monkeypatch.setattr("kekule.models.environment_batch.WHOLE", 0.0)
    batch, own = BondLayout(alike, 1, share=share).batch(ROWS), alike.take(ROWS)
    start, end = own.global_edge_index
    # A bond's code and where it starts, told of the rows and of the bonds themselves.
    rows = list(
        zip(batch.nodes[batch.atom, 0].tolist(), batch.edges[batch.bond, 0].tolist(), strict=True)
    )
    bonds = list(zip(own.nodes[start, 0].tolist(), own.edges[:, 0].tolist(), strict=True))
    messages = batch.rounds[0]
    heard_by_rows = {
        (rows[messages.own[row]], told(messages.messages, row, rows))
        for row in range(messages.n_rows)
    }
    heard_by_bonds = {
        (
            bonds[b],
            tuple(
                sorted(
                    bonds[a]
                    for a in range(len(bonds))
                    if end[a] == start[b] and start[a] != end[b]
                )
            ),
        )
        for b in range(len(bonds))
    }

    assert heard_by_rows == heard_by_bonds


@pytest.mark.parametrize(
    "layout", [PlainLayout, lambda g: EnvironmentLayout(g, 2), lambda g: BondLayout(g, 1)]
)
def test_a_batch_of_no_graphs_is_empty(alike, layout):
    batch = layout(alike).batch(np.zeros(0, dtype=np.int64))

    assert batch.n_graphs == len(batch.graph) == 0


@pytest.mark.parametrize("name", ["gin", "dmpnn"])
def test_every_tensor_of_a_batch_moves_to_the_device(alike, name):
    network = build_network(CODES, 2, NETWORKS[name].Settings(), seed=0)
    batch = network.layout(alike).batch(ROWS).to("meta")

    assert isinstance(batch, GraphBatch if name == "gin" else BondBatch)
    assert {tensor.device.type for tensor in tensors(batch)} == {"meta"}


def heard(batch, k, receiver):
    """Sender, edge code and weight of every message to a row."""
    step = batch.round(k)
    messages = step.messages
    span = slice(int(messages.pointer[receiver]), int(messages.pointer[receiver + 1]))
    sources = messages.source[span].tolist()
    if messages.weight is not None:
        return list(zip(sources, messages.weight[span].numpy().round(5).tolist(), strict=True))
    codes = step.labels(batch.edges)[span, 0].tolist()
    return list(zip(sources, codes, strict=True))


def told(messages, row, names):
    span = slice(int(messages.pointer[row]), int(messages.pointer[row + 1]))
    return tuple(sorted(names[sender] for sender in messages.source[span].tolist()))


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for part in value for t in tensors(part)] if isinstance(value, tuple) else []


def assert_equal(one, other):
    for first, second in zip(tensors(one), tensors(other), strict=True):
        assert torch.equal(first, second)
