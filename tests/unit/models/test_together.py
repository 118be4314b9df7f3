from dataclasses import replace

import numpy as np
import pytest
import torch

from kekule.data import stratified_folds
from kekule.models import (
    NETWORKS,
    TrainSettings,
    build_network,
    fit,
    fit_together,
    probabilities,
    weights_of,
)
from kekule.models.aggregation import stacked_models
from kekule.models.hardware import deterministic
from kekule.models.normalisation import BatchNorm

N_FOLDS = 4
SETTINGS = TrainSettings(epochs=6, patience=6, warmup=1, clip=1.0)


def brier(p, t):
    return -float(np.mean((p[:, 1] - t) ** 2))


def folds_of(targets):
    fold = stratified_folds(targets, N_FOLDS, seed=0)
    held = [np.flatnonzero(fold == (k + 1) % N_FOLDS) for k in range(N_FOLDS)]
    train = [np.flatnonzero((fold != k) & (fold != (k + 1) % N_FOLDS)) for k in range(N_FOLDS)]
    return fold, train, held


def together(name, graphs, targets, *, settings=SETTINGS, seeds=(0,) * N_FOLDS, **options):
    _, train, held = folds_of(options.pop("split_by", targets))
    small = NETWORKS[name].Settings(**{"hidden": 8, "layers": 2, **options})
    networks = [build_network(graphs.schema, 2, small, seed=seed) for seed in seeds]
    results = fit_together(
        networks,
        graphs,
        targets,
        train_rows=train,
        validation_rows=held,
        settings=settings,
        score=brier,
        seed=7,
    )
    return networks, results


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_does_not_hang_on_its_test_rows_by_a_single_bit(
    name, packed_mutag, mutag_targets
):
    fold, _, _ = folds_of(mutag_targets)
    networks, results = together(name, packed_mutag, mutag_targets)
    tested = 2
    nodes, targets = packed_mutag.nodes.copy(), mutag_targets.copy()
    changed_rows = np.isin(packed_mutag.graph_of_node, np.flatnonzero(fold == tested))
    nodes[changed_rows] = (nodes[changed_rows] + 1) % 7
    targets[fold == tested] = 1 - targets[fold == tested]
    changed = replace(packed_mutag, nodes=nodes)
    others, other_results = together(name, changed, targets, split_by=mutag_targets)

    mine, other = weights_of(networks[tested]), weights_of(others[tested])
    assert all(np.array_equal(mine[key], other[key]) for key in mine)
    np.testing.assert_array_equal(results[tested].train_loss, other_results[tested].train_loss)
    # The change is seen where it is learnt from: the check above is not of a dead program.
    learnt = weights_of(networks[0]), weights_of(others[0])
    assert any(not np.array_equal(learnt[0][key], learnt[1][key]) for key in learnt[0])


@pytest.mark.parametrize("name", ["gcn", "gin", "dmpnn"])
def test_models_learn_together_as_well_as_in_turn(name, packed_mutag, mutag_targets):
    settings = TrainSettings(epochs=40, patience=40)
    networks, results = together(name, packed_mutag, mutag_targets, settings=settings)
    _, train, held = folds_of(mutag_targets)
    for network, result, rows, watched in zip(networks, results, train, held, strict=True):
        alone = build_network(packed_mutag.schema, 2, network.settings, seed=0)
        expected = fit(
            alone,
            packed_mutag,
            mutag_targets,
            train_rows=rows,
            validation_rows=watched,
            settings=settings,
            score=brier,
            seed=7,
        )
        assert abs(result.train_loss[-1] - expected.train_loss[-1]) < 0.12
        assert result.train_loss[-1] < result.train_loss[0]
        answers, others = (probabilities(one, packed_mutag.take(rows)) for one in (network, alone))
        assert abs(brier(answers, mutag_targets[rows]) - brier(others, mutag_targets[rows])) < 0.05


def test_models_of_other_seeds_start_and_end_elsewhere(packed_mutag, mutag_targets):
    networks, _ = together("gcn", packed_mutag, mutag_targets, seeds=(0, 1, 2, 3))
    heads = [weights_of(network)["head.weight"] for network in networks]

    assert len({head.tobytes() for head in heads}) == N_FOLDS


def test_a_model_that_stops_early_keeps_its_best_and_the_others_go_on(packed_mutag, mutag_targets):
    settings = TrainSettings(epochs=60, patience=3, smoothing=1, learning_rate=0.02)
    _, results = together("gcn", packed_mutag, mutag_targets, settings=settings)
    lengths = [len(result.train_loss) for result in results]

    assert len(set(lengths)) > 1
    for result in results:
        stopped_early = len(result.train_loss) < settings.epochs
        assert not stopped_early or len(result.train_loss) - 1 - result.best_epoch == 3


def test_the_same_seed_gives_the_same_weights(packed_mutag, mutag_targets):
    first, again = (
        weights_of(together("gin", packed_mutag, mutag_targets)[0][1]) for _ in range(2)
    )

    assert all(np.array_equal(first[key], again[key]) for key in first)


def test_a_network_is_left_ready_to_answer(packed_mutag, mutag_targets):
    networks, _ = together("gin", packed_mutag, mutag_targets)

    for network in networks:
        assert not network.training
        assert all(torch.isfinite(p).all() for p in network.parameters())
        given = probabilities(network, packed_mutag)
        np.testing.assert_allclose(given.sum(1), 1)


@pytest.mark.parametrize(
    "given",
    [{"class_weights": "balanced"}, {"loss": "focal"}, {"loss": "focal", "focal_gamma": 0.5}],
)
def test_every_loss_is_learnt_by_models_together(given, packed_mutag, mutag_targets):
    settings = TrainSettings(epochs=25, patience=25, **given)
    _, results = together("gcn", packed_mutag, mutag_targets, settings=settings)

    for result in results:
        assert np.isfinite(result.train_loss).all()
        assert result.train_loss[-1] < result.train_loss[0]


def test_statistics_of_a_model_without_a_row_in_the_batch_stay():
    norm = BatchNorm(2)
    norm.running_mean.fill_(5.0)
    norm.running_var.fill_(3.0)
    with stacked_models():
        norm(torch.randn(4, 2), torch.zeros(4))

    assert norm.running_mean.tolist() == [5, 5]
    assert norm.running_var.tolist() == [3, 3]


def test_a_gpu_is_asked_for_the_same_sums_every_time_and_released_after():
    with deterministic(torch.device("cuda"), wanted=True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic(torch.device("cpu"), wanted=True):
        assert not torch.are_deterministic_algorithms_enabled()
