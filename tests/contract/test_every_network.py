import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import torch
from pydantic import ValidationError

import kekule.models
from kekule.features import PackedGraphs
from kekule.models import (
    NETWORKS,
    Network,
    TrainSettings,
    build_network,
    embeddings,
    fit,
    layers_of,
    probabilities,
    set_weights,
    shapes_of,
    weights_of,
)
from kekule.models.encoder import CodeEncoder
from kekule.models.stack import Stack

N_CLASSES = 3
ATTENTIVE = {"gatv2", "attentivefp"}  # to nothing else than atoms and bonds


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def network(name, schema, practised):
    return practised(name, schema)


def test_every_network_file_is_named_and_every_name_has_a_file():
    found = set()
    for module in pkgutil.iter_modules(kekule.models.__path__):
        here = importlib.import_module(f"kekule.models.{module.name}")
        found |= {
            member
            for _, member in inspect.getmembers(here, inspect.isclass)
            if member.__module__ == here.__name__
            and issubclass(member, Network)
            and member not in (Network, Stack)
        }

    assert found == set(NETWORKS.values())


def test_a_network_is_named_in_its_settings_as_in_the_list(name):
    assert NETWORKS[name].Settings().name == name
    assert NETWORKS[name].__module__ == f"kekule.models.{name.replace('-', '_')}"


def test_renumbering_atoms_changes_no_output(network, graphs, renumbered):
    other = renumbered(graphs, np.random.default_rng(1))

    assert not np.array_equal(other.edge_index, graphs.edge_index)
    close(outputs(network, other), outputs(network, graphs))
    close(embeddings(network, other), embeddings(network, graphs))


def test_a_graph_is_answered_alone_as_in_a_batch(network, graphs):
    together = outputs(network, graphs)

    for row in range(len(graphs)):
        close(outputs(network, graphs.take(np.array([row])))[0], together[row])


def test_the_order_of_graphs_only_permutes_the_outputs(network, graphs):
    order = np.random.default_rng(2).permutation(len(graphs))

    close(outputs(network, graphs.take(order)), outputs(network, graphs)[order])


def test_a_graph_does_not_depend_on_its_company(network, schema, graphs, random_packed):
    strangers = random_packed(schema, [40, 1, 30], np.random.default_rng(3))
    mixed = joined(strangers, graphs)

    close(outputs(network, mixed)[3:], outputs(network, graphs))


@pytest.mark.parametrize("chance", [0.0, 0.15], ids=["edgeless", "in pieces"])
def test_lone_atoms_and_loose_pieces_get_an_answer(network, schema, random_packed, chance):
    odd = random_packed(schema, [1, 1, 6, 9], np.random.default_rng(4), bond_chance=chance)
    answers = probabilities(network, odd)

    assert np.isfinite(answers).all()
    np.testing.assert_allclose(answers.sum(1), 1)


def test_two_lone_atoms_are_enough_for_a_training_step(name, schema, small, random_packed):
    network = build_network(schema, N_CLASSES, small(name), seed=0).train()
    pair = whole(network, random_packed(schema, [1, 1], np.random.default_rng(5)))
    torch.nn.functional.cross_entropy(network(pair), torch.tensor([0, 1])).backward()

    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_no_graphs_get_no_answers_of_the_right_width(network, graphs):
    none = graphs.take(np.zeros(0, dtype=np.int64))

    assert probabilities(network, none).shape == (0, N_CLASSES)
    assert embeddings(network, none).shape == (0, embeddings(network, graphs).shape[1])


def test_gradients_reach_every_parameter(name, network, graphs):
    """In float64, where a gradient that is nought but for rounding is seen to be."""
    if name in ATTENTIVE and not (graphs.schema.nodes or graphs.schema.n_node_attributes):
        pytest.skip("where all atoms are alike there is nothing to choose between")
    network.double()
    batch, answers = doubled(whole(network, graphs)), torch.arange(len(graphs)) % N_CLASSES
    unreached = dict(network.named_parameters())
    for draw in range(6):  # a score may be out of reach of one draw of weights
        network.zero_grad()
        torch.nn.functional.cross_entropy(network(batch), answers).backward()
        unreached = {
            n: p for n, p in unreached.items() if p.grad is None or p.grad.abs().max() < 1e-10
        }
        torch.manual_seed(draw)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter))

    assert not unreached


def test_the_head_of_the_embedding_is_the_output(network, graphs):
    with torch.no_grad():
        by_hand = network.head(torch.from_numpy(embeddings(network, graphs))).numpy()

    close(by_hand, outputs(network, graphs))


def test_weights_put_into_another_network_give_its_answers(network, schema, graphs):
    other = build_network(schema, N_CLASSES, network.settings, seed=1)
    assert not np.allclose(outputs(other, graphs), outputs(network, graphs))

    set_weights(other, weights_of(network))

    np.testing.assert_array_equal(outputs(other, graphs), outputs(network, graphs))


def test_the_shapes_of_a_network_are_told_without_making_it(schema, network):
    told = shapes_of(schema, N_CLASSES, network.settings)

    assert told == {key: value.shape for key, value in weights_of(network).items()}


def test_weights_copied_out_do_not_move_with_the_network(network):
    copied = weights_of(network)
    before = {key: value.copy() for key, value in copied.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)

    assert all(np.array_equal(copied[key], before[key]) for key in before)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(name, schema, small):
    settings = small(name)
    first, again, other = (
        weights_of(build_network(schema, N_CLASSES, settings, seed=seed)) for seed in (5, 5, 6)
    )

    assert first.keys() == again.keys()
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


def test_bonds_count_where_there_is_a_bond_encoder_and_only_there(network, graphs, random_packed):
    other = random_packed(graphs.schema, [4], np.random.default_rng(6), bond_chance=1.0)
    changed = PackedGraphs(
        **vars(other)
        | {
            "edges": (other.edges + 1) % np.array([c.cardinality for c in other.schema.edges]),
            "edge_attributes": other.edge_attributes + 1,
        }
    )
    encoders = [
        part
        for path, part in network.named_modules()
        if isinstance(part, CodeEncoder) and "edge" in path
    ]

    network.double()  # a bond may count for little
    with torch.no_grad():
        one, two = (network(doubled(whole(network, given))) for given in (changed, other))
    assert np.allclose(one, two, rtol=0, atol=1e-12) == (not encoders)
    if not (graphs.schema.edges or graphs.schema.n_edge_attributes):
        assert not encoders


def test_atoms_count_where_the_schema_tells_them_apart(network, graphs):
    told_apart = bool(graphs.schema.nodes or graphs.schema.n_node_attributes)
    cardinality = np.array([c.cardinality for c in graphs.schema.nodes], dtype=int)
    changed = PackedGraphs(
        **vars(graphs)
        | {
            "nodes": (graphs.nodes + 1) % cardinality,
            "node_attributes": graphs.node_attributes + 1,
        }
    )

    same = np.allclose(outputs(network, changed), outputs(network, graphs), atol=1e-3)
    assert same == (not told_apart)


def test_the_unit_of_an_attribute_does_not_matter(network, schema, graphs):
    in_other_units = PackedGraphs(
        **vars(graphs)
        | {
            "node_attributes": graphs.node_attributes * 1000 - 50,
            "edge_attributes": graphs.edge_attributes / 64 + 3,
            "graph_attributes": graphs.graph_attributes * 0.01 - 7,
        }
    )
    other = build_network(schema, N_CLASSES, network.settings, seed=1)
    set_weights(other, weights_of(network))
    other.set_scale(in_other_units)

    close(outputs(other, in_other_units), outputs(network, graphs), within=1e-3)


def test_an_attribute_that_never_varied_in_training_is_not_blown_up(name, schema, small, graphs):
    constant = PackedGraphs(
        **vars(graphs) | {"node_attributes": np.full_like(graphs.node_attributes, 0.1)}
    )
    nudged = PackedGraphs(
        **vars(graphs) | {"node_attributes": np.full_like(graphs.node_attributes, 0.11)}
    )
    network = build_network(schema, N_CLASSES, small(name), seed=0).eval()
    network.set_scale(constant)

    close(outputs(network, nudged), outputs(network, constant), within=1.0)


def test_every_parameter_is_listed_with_its_layer(network):
    layers = layers_of(network)

    assert sum(layer.n_parameters for layer in layers) == sum(
        p.numel() for p in network.parameters()
    )
    for layer in layers:
        assert np.prod(layer.shape) == layer.n_parameters
        assert layer.kind != "Network"


def test_twenty_molecules_can_be_learned_by_heart(name, packed_mutag):
    """Their labels are drawn at random: nothing but memory can tell them."""
    settings = NETWORKS[name].Settings(hidden=32, layers=3, dropout=0.0)
    network = build_network(packed_mutag.schema, 2, settings, seed=0)
    rows = far_apart(embeddings(network, packed_mutag), 20)
    targets = np.zeros(len(packed_mutag), dtype=np.int64)
    targets[rows] = np.random.default_rng(3).permutation(20) % 2
    fit(
        network,
        packed_mutag,
        targets,
        train_rows=rows,
        validation_rows=rows,
        settings=TrainSettings(
            epochs=400, patience=60, learning_rate=1e-2, weight_decay=0, batch_size=20, smoothing=1
        ),
        score=lambda given, truth: round(float(given[np.arange(len(truth)), truth].mean()), 2),
        seed=0,
    )
    answered = probabilities(network, packed_mutag.take(rows))

    np.testing.assert_array_equal(answered.argmax(1), targets[rows])


def test_settings_refuse_what_is_out_of_range(name):
    fields = NETWORKS[name].Settings.model_fields
    numbers = [key for key, field in fields.items() if field.annotation in (int, float)]

    assert numbers
    for key in numbers:
        for wrong in (-1, "wide", None, float("nan"), float("inf")):
            with pytest.raises(ValidationError, match=key):
                NETWORKS[name].Settings(**{key: wrong})


def test_settings_refuse_what_they_do_not_know(name):
    with pytest.raises(ValidationError, match="wdith"):
        NETWORKS[name].Settings(wdith=3)


def test_settings_cannot_be_changed_after_the_fact(name):
    settings = NETWORKS[name].Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.name = "other"


def far_apart(points, n):
    """Rows of points, each as far as can be from those before it: no two are alike."""
    points = (points - points.mean(0)) / (points.std(0) + 1e-9)
    rows = [0]
    while len(rows) < n:
        distances = np.linalg.norm(points[:, None] - points[rows], axis=2)
        rows.append(int(distances.min(1).argmax()))
    return np.array(rows)


def whole(network, graphs):
    """All graphs as one batch, as the network reads them."""
    return network.layout(graphs).batch(np.arange(len(graphs)))


def doubled(value):
    """A batch whose numbers are float64."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, tuple):
        return getattr(type(value), "_make", tuple)([doubled(part) for part in value])
    return value


def outputs(network, graphs):
    network.eval()
    with torch.no_grad():
        return network(whole(network, graphs)).numpy()


def close(one, other, within=1e-5):
    scale = max(1.0, float(np.abs(other).max()))
    np.testing.assert_allclose(one, other, atol=within * scale, rtol=0)


def joined(first, second):
    """Graphs of two packed sets, one after the other."""
    flat = ("nodes", "edges", "node_attributes", "edge_attributes", "graph_attributes")
    return PackedGraphs(
        schema=first.schema,
        node_pointer=np.concatenate(
            [first.node_pointer, first.node_pointer[-1] + second.node_pointer[1:]]
        ),
        edge_pointer=np.concatenate(
            [first.edge_pointer, first.edge_pointer[-1] + second.edge_pointer[1:]]
        ),
        edge_index=np.concatenate([first.edge_index, second.edge_index], axis=1),
        **{key: np.concatenate([getattr(first, key), getattr(second, key)]) for key in flat},
    )
