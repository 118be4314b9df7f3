from dataclasses import replace

import numpy as np
import pytest

from kekule.features.descriptors import _scaled
from kekule.models import NETWORKS, TrainSettings, build_network, fit, probabilities
from kekule.models.members import MEMBERS, Material, Stored, restored
from kekule.models.members.columns import signed_logarithms
from kekule.models.members.network import (
    MICROSECONDS,
    NetworkMember,
    joined_schema,
    mean_log_probability,
)
from stand_in_tables import tables_of

SETTINGS = NETWORKS["gin"].Settings(hidden=8, layers=2)
LOOP = TrainSettings(epochs=3, device="cpu")
TRAIN, HELD = np.arange(0, 150), np.arange(150, 188)


@pytest.fixture
def material(packed_mutag):
    return Material(packed_mutag, tables_of(packed_mutag))


def learn(material, targets, *, seed=4, **options):
    member = NetworkMember(SETTINGS, LOOP, score=mean_log_probability, **options)
    return member.train(
        material, targets, train_rows=TRAIN, held_rows=HELD, n_classes=2, seed=seed
    )


def test_without_descriptors_it_is_the_network_that_fit_trains(material, mutag_targets):
    network = build_network(material.graphs.schema, 2, SETTINGS, seed=4)
    fit(
        network,
        material.graphs,
        mutag_targets,
        train_rows=TRAIN,
        validation_rows=HELD,
        settings=LOOP,
        score=mean_log_probability,
        seed=4,
    )

    given = learn(material, mutag_targets)
    assert given.needs == ()
    np.testing.assert_array_equal(
        given.probabilities(material), probabilities(network, material.graphs)
    )


def test_descriptors_reach_the_network_under_a_schema_of_their_own(material, mutag_targets):
    trained = learn(material, mutag_targets, descriptors=True)
    schema = trained.network.descriptor_scaling.mean.numpy()
    values = material.tables["rdkit-descriptors"]
    there = np.where(np.isnan(values), np.nanmedian(values[TRAIN], axis=0), values)

    assert trained.needs == ("rdkit-descriptors",)
    np.testing.assert_allclose(schema, signed_logarithms(there)[TRAIN].mean(0), rtol=1e-5)
    changed = values.copy()
    changed[:, 0] *= 3
    other = Material(material.graphs, {"rdkit-descriptors": changed})
    given = trained.probabilities(material)
    assert not np.allclose(trained.probabilities(other), given)


def test_descriptors_stand_behind_those_that_graphs_have_already(material, mutag_targets):
    schema = replace(material.graphs.schema, n_graph_attributes=2)
    own = np.random.default_rng(0).normal(size=(188, 2)).astype(np.float32)
    graphs = replace(material.graphs, schema=schema, graph_attributes=own)
    both = Material(graphs, material.tables)
    trained = learn(both, mutag_targets, descriptors=True)

    assert len(trained.network.descriptor_scaling.mean) == 5
    again = restored(trained.stored(), schema=schema, n_classes=2, n_tasks=1)
    np.testing.assert_array_equal(again.probabilities(both), trained.probabilities(both))
    with pytest.raises(ValueError, match="weights"):
        restored(trained.stored(), schema=material.graphs.schema, n_classes=2, n_tasks=1)


def test_a_joined_schema_has_a_hash_of_its_own(material):
    schema = material.graphs.schema
    hashes = {s.sha256 for s in (schema, joined_schema(schema, 3), joined_schema(schema, 4))}

    assert len(hashes) == 3
    assert joined_schema(schema, 0) is schema


def test_descriptors_are_laid_beside_a_graph_as_the_features_lay_theirs():
    values = np.array([[-1e12, -3.5, 0.0, 1e-9, 7e5, 1e30]])
    np.testing.assert_allclose(signed_logarithms(values.astype("f4")), _scaled(values), rtol=1e-6)


def test_epochs_are_told_and_held_rows_alone_are_scored(material, mutag_targets):
    told, scored = [], []

    def score(given, truth):
        scored.append(truth.copy())
        return 0.0

    member = NetworkMember(SETTINGS, LOOP, score=score, on_epoch=told.append)
    member.train(material, mutag_targets, train_rows=TRAIN, held_rows=HELD, n_classes=2, seed=0)

    assert [report.epoch for report in told] == [0, 1, 2]
    for truth in scored:
        np.testing.assert_array_equal(truth, mutag_targets[HELD])


def test_the_score_that_serves_as_an_example_knows_missing_labels_and_tasks():
    given = np.array([[[0.5, 0.5], [0.1, 0.9]], [[0.2, 0.8], [1.0, 0.0]]])
    truth = np.array([[0, -1], [1, -1]])

    assert mean_log_probability(given, truth) == pytest.approx(np.log([0.5, 0.8]).mean())
    assert mean_log_probability(given[:, 1], np.array([-1, 1])) == pytest.approx(np.log(1e-6))
    assert mean_log_probability(given, np.full((2, 2), -1)) == 0.0


def test_the_time_of_every_network_is_known():
    assert set(MICROSECONDS) == set(NETWORKS)
    assert MEMBERS["network"].needs == ("rdkit-descriptors",)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "resnet"},
        {"name": ["gin"]},
        {"hidden": 10**9},
        {"hidden": "wide"},
        {"layers": 3},
        {"another": 1},
    ],
)
def test_settings_of_another_network_are_refused_before_room_is_made(
    change, material, mutag_targets
):
    settings, arrays = learn(material, mutag_targets).stored()
    told = {**settings, "network": {**settings["network"], **change}}

    with pytest.raises(ValueError, match="member"):
        restored(Stored(told, arrays), schema=material.graphs.schema, n_classes=2, n_tasks=1)
