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
    make_batch,
    probabilities,
    set_weights,
    shapes_of,
    weights_of,
)
from kekule.models.encoder import CodeEncoder

N_CLASSES = 3


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def network(name, schema, graphs):
    """A network whose batch statistics are those of the graphs, as after a training."""
    network = build_network(schema, N_CLASSES, NETWORKS[name].Settings(), seed=0)
    network.set_scale(make_batch(graphs))
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(make_batch(graphs))
    return network.eval()


def test_every_network_file_is_named_and_every_name_has_a_file():
    found = set()
    for module in pkgutil.iter_modules(kekule.models.__path__):
        here = importlib.import_module(f"kekule.models.{module.name}")
        found |= {
            member
            for _, member in inspect.getmembers(here, inspect.isclass)
            if member.__module__ == here.__name__
            and issubclass(member, Network)
            and member is not Network
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


def test_two_lone_atoms_are_enough_for_a_training_step(name, schema, random_packed):
    network = build_network(schema, N_CLASSES, NETWORKS[name].Settings(), seed=0).train()
    pair = make_batch(random_packed(schema, [1, 1], np.random.default_rng(5)))
    torch.nn.functional.cross_entropy(network(pair), torch.tensor([0, 1])).backward()

    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_no_graphs_get_no_answers_of_the_right_width(network, graphs):
    none = graphs.take(np.zeros(0, dtype=np.int64))

    assert probabilities(network, none).shape == (0, N_CLASSES)
    assert embeddings(network, none).shape == (0, embeddings(network, graphs).shape[1])


def test_gradients_reach_every_parameter(network, graphs):
    logits = network(make_batch(graphs))
    torch.nn.functional.cross_entropy(logits, torch.arange(len(graphs)) % N_CLASSES).backward()

    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_the_head_of_the_embedding_is_the_output(network, graphs):
    with torch.no_grad():
        by_hand = network.head(torch.from_numpy(embeddings(network, graphs))).numpy()

    close(by_hand, outputs(network, graphs))


def test_weights_put_into_another_network_give_its_answers(network, name, schema, graphs):
    other = build_network(schema, N_CLASSES, NETWORKS[name].Settings(), seed=1)
    assert not np.allclose(outputs(other, graphs), outputs(network, graphs))

    set_weights(other, weights_of(network))

    np.testing.assert_array_equal(outputs(other, graphs), outputs(network, graphs))


def test_the_shapes_of_a_network_are_told_without_making_it(name, schema, network):
    told = shapes_of(schema, N_CLASSES, NETWORKS[name].Settings())

    assert told == {key: value.shape for key, value in weights_of(network).items()}


def test_weights_copied_out_do_not_move_with_the_network(network):
    copied = weights_of(network)
    before = {key: value.copy() for key, value in copied.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)

    assert all(np.array_equal(copied[key], before[key]) for key in before)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(name, schema):
    settings = NETWORKS[name].Settings()
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

    same = np.allclose(outputs(network, changed), outputs(network, other), atol=1e-6)
    assert same == (not encoders)
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


def test_the_unit_of_an_attribute_does_not_matter(network, name, schema, graphs):
    in_other_units = PackedGraphs(
        **vars(graphs)
        | {
            "node_attributes": graphs.node_attributes * 1000 - 50,
            "edge_attributes": graphs.edge_attributes / 64 + 3,
        }
    )
    other = build_network(schema, N_CLASSES, NETWORKS[name].Settings(), seed=1)
    set_weights(other, weights_of(network))
    other.set_scale(make_batch(in_other_units))

    close(outputs(other, in_other_units), outputs(network, graphs), within=1e-3)


def test_an_attribute_that_never_varied_in_training_is_not_blown_up(name, schema, graphs):
    constant = PackedGraphs(
        **vars(graphs) | {"node_attributes": np.full_like(graphs.node_attributes, 0.1)}
    )
    nudged = PackedGraphs(
        **vars(graphs) | {"node_attributes": np.full_like(graphs.node_attributes, 0.11)}
    )
    network = build_network(schema, N_CLASSES, NETWORKS[name].Settings(), seed=0).eval()
    network.set_scale(make_batch(constant))

    close(outputs(network, nudged), outputs(network, constant), within=1.0)


def test_every_parameter_is_listed_with_its_layer(network):
    layers = layers_of(network)

    assert sum(layer.n_parameters for layer in layers) == sum(
        p.numel() for p in network.parameters()
    )
    for layer in layers:
        assert np.prod(layer.shape) == layer.n_parameters
        assert layer.kind != "Network"


def test_twenty_molecules_can_be_learned_by_heart(name, packed_mutag, mutag_targets):
    draw = np.random.default_rng(2).permutation
    rows = np.concatenate([draw(np.flatnonzero(mutag_targets == k))[:10] for k in (0, 1)])
    network = build_network(packed_mutag.schema, 2, undropped(name), seed=0)
    fit(
        network,
        packed_mutag,
        mutag_targets,
        train_rows=rows,
        validation_rows=rows,
        settings=TrainSettings(epochs=600, patience=120, learning_rate=3e-2, weight_decay=0),
        score=lambda given, truth: round(float(given[np.arange(len(truth)), truth].mean()), 2),
        seed=0,
    )
    answered = probabilities(network, packed_mutag.take(rows))

    np.testing.assert_array_equal(answered.argmax(1), mutag_targets[rows])


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


def undropped(name):
    """Settings of a network without dropout, where it has any."""
    settings = NETWORKS[name].Settings
    return settings(**{key: 0.0 for key in settings.model_fields if key == "dropout"})


def outputs(network, graphs):
    network.eval()
    with torch.no_grad():
        return network(make_batch(graphs)).numpy()


def close(one, other, within=1e-5):
    scale = max(1.0, float(np.abs(other).max()))
    np.testing.assert_allclose(one, other, atol=within * scale, rtol=0)


def joined(first, second):
    """Graphs of two packed sets, one after the other."""
    flat = ("nodes", "edges", "node_attributes", "edge_attributes")
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
