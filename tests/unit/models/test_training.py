import copy
import dataclasses

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from kekule import KekuleError
from kekule._errors import TrainingError
from kekule.features import Column, GraphSchema, PackedGraphs
from kekule.models import (
    NETWORKS,
    TrainSettings,
    build_network,
    fit,
    fit_together,
    probabilities,
    weights_of,
)
from kekule.models.training import parts

SCHEMA = GraphSchema(
    (Column("label", (6, 7, 8)),), (Column("label", (1, 2)),), n_node_attributes=2
)
TRAIN, HELD, OTHER = np.arange(24), np.arange(24, 32), np.arange(32, 40)
QUICK = {"epochs": 4, "batch_size": 8}


@pytest.fixture(scope="module")
def graphs(random_packed):
    sizes = np.random.default_rng(0).integers(1, 9, 40)
    return random_packed(SCHEMA, sizes, np.random.default_rng(1))


@pytest.fixture(scope="module")
def targets():
    return np.random.default_rng(2).integers(0, 2, 40)


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def test_targets_of_other_rows_are_never_read(name, graphs, targets):
    for poison in (-1, 10**12):
        poisoned = targets.copy()
        poisoned[OTHER] = poison

        assert_same_bits(trained(name, graphs, poisoned), trained(name, graphs, targets))


def test_graphs_of_other_rows_are_never_read(name, graphs, targets):
    nodes, attributes = graphs.nodes.copy(), graphs.node_attributes.copy()
    own = slice(graphs.node_pointer[OTHER[0]], None)
    nodes[own] = (nodes[own] + 1) % 3
    attributes[own] = 1e6
    other = dataclasses.replace(graphs, nodes=nodes, node_attributes=attributes)

    assert_same_bits(trained(name, other, targets), trained(name, graphs, targets))


def test_attributes_are_scaled_by_training_rows_alone(name, graphs, targets):
    attributes = graphs.node_attributes.copy()
    attributes[slice(graphs.node_pointer[HELD[0]], None)] += 100
    other = dataclasses.replace(graphs, node_attributes=attributes)
    network = fresh(name)
    network.set_scale(other.take(TRAIN))
    own = graphs.node_attributes[: graphs.node_pointer[HELD[0]]]

    np.testing.assert_allclose(network.node_encoder.mean, own.mean(0), rtol=1e-5)
    np.testing.assert_allclose(network.node_encoder.scale, own.std(0), rtol=1e-5)
    scales = [trained(name, g, targets)["node_encoder.mean"] for g in (other, graphs)]
    np.testing.assert_array_equal(*scales)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(name, graphs, targets):
    first = trained(name, graphs, targets, seed=1)

    assert_same_bits(trained(name, graphs, targets, seed=1), first)
    other = trained(name, graphs, targets, seed=2)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


def test_the_seed_of_training_is_not_what_was_drawn_before(name, graphs, targets):
    first = trained(name, graphs, targets)
    torch.rand(17)
    np.random.default_rng().random(3)

    assert_same_bits(trained(name, graphs, targets), first)


def test_training_rows_in_another_order_are_other_rows_to_the_shuffle_only(graphs, targets):
    """The set of rows decides the scaling; their order only which batches are drawn."""
    one = trained("gcn", graphs, targets)
    other = trained("gcn", graphs, targets, train_rows=TRAIN[::-1].copy())

    np.testing.assert_allclose(one["node_encoder.mean"], other["node_encoder.mean"], rtol=1e-6)


@pytest.mark.parametrize("best", [0, 7, 11])
def test_the_weights_left_are_those_of_the_best_epoch(name, graphs, targets, best):
    """What the network answers in the end is what was validated in that epoch."""
    seen = []

    def score(given, truth):
        np.testing.assert_array_equal(truth, targets[HELD])
        seen.append(given)
        return float(len(seen) == best + 1)

    network = fresh(name)
    result = fit(
        network,
        graphs,
        targets,
        train_rows=TRAIN,
        validation_rows=HELD,
        settings=TrainSettings(epochs=12, batch_size=8, smoothing=1, learning_rate=0.01),
        score=score,
        seed=0,
    )
    answered = probabilities(network, graphs.take(HELD))

    assert result.best_epoch == best
    errors = [float(np.abs(answered - given).max()) for given in seen]
    assert errors[best] < 1e-6
    assert min(error for epoch, error in enumerate(errors) if epoch != best) > 1e-4


def test_the_first_of_equally_good_epochs_is_kept(graphs, targets):
    result = run("gcn", graphs, targets, score=lambda *_: 0.5, **QUICK)

    assert result.best_epoch == 0


def test_one_lucky_epoch_does_not_beat_a_steady_run(graphs, targets):
    noisy = iter([0.1, 0.2, 0.9, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    result = run(
        "gcn", graphs, targets, score=lambda *_: next(noisy), epochs=10, smoothing=4, batch_size=8
    )

    assert result.best_epoch >= 5


def test_patience_stops_so_many_epochs_after_the_best(graphs, targets):
    scores = iter([0.0, 0.1, 0.3, *[0.2] * 97])
    result = run(
        "gcn",
        graphs,
        targets,
        score=lambda *_: next(scores),
        epochs=100,
        patience=5,
        smoothing=1,
        batch_size=24,
    )

    assert result.best_epoch == 2
    assert len(result.train_loss) == len(result.validation_loss) == 2 + 5 + 1


def test_an_epoch_is_reported_once_and_the_last_is_marked(graphs, targets):
    reports = []
    result = run("gcn", graphs, targets, on_epoch=reports.append, **QUICK)

    assert [report.epoch for report in reports] == [0, 1, 2, 3]
    assert [report.stopped for report in reports] == [False, False, False, True]
    assert [report.train_loss for report in reports] == result.train_loss.tolist()
    assert [report.validation_loss for report in reports] == result.validation_loss.tolist()


def test_the_first_losses_are_those_of_guessing(graphs, targets):
    result = run("gcn", graphs, targets, epochs=1, learning_rate=1e-9)

    np.testing.assert_allclose(result.train_loss, np.log(2), atol=0.3)
    np.testing.assert_allclose(result.validation_loss, np.log(2), atol=0.3)


def test_without_averaging_the_network_is_the_one_that_was_trained(name, graphs, targets):
    """One batch an epoch, one epoch: a step of AdamW taken by hand."""
    settings = TrainSettings(epochs=1, batch_size=24, averaging=0)
    network, by_hand = fresh(name, dropout=0.0), fresh(name, dropout=0.0)
    fit(
        network,
        graphs,
        targets,
        train_rows=TRAIN,
        validation_rows=HELD,
        settings=settings,
        score=lambda *_: 0.0,
        seed=0,
    )
    by_hand.set_scale(graphs.take(TRAIN))
    step = torch.optim.AdamW(
        by_hand.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    loss = torch.nn.functional.cross_entropy(
        by_hand.train()(by_hand.layout(graphs).batch(TRAIN)), torch.from_numpy(targets[TRAIN])
    )
    loss.backward()
    step.step()

    # A first step of AdamW has the size of the rate and a sign: where the gradient is rounding
    # alone the sign is too, so weights may differ by two steps but outputs hardly.
    for key, value in weights_of(network).items():
        np.testing.assert_allclose(
            value, weights_of(by_hand)[key], atol=2.1 * settings.learning_rate
        )
    np.testing.assert_allclose(
        probabilities(network, graphs), probabilities(by_hand, graphs), atol=2e-2
    )


def test_averaging_is_the_moving_average_of_the_steps(graphs, targets):
    """Two epochs of one batch each: 0.75 of the first step's weights, 0.25 of the second's."""
    settings = {"epochs": 2, "batch_size": 24, "smoothing": 1}
    weights = {}
    for key, averaging, epochs in (("mean", 0.75, 2), ("second", 0.0, 2), ("first", 0.0, 1)):
        network = fresh("gcn", dropout=0.0)
        calls = iter(range(10))
        result = fit(
            network,
            graphs,
            targets,
            train_rows=TRAIN,
            validation_rows=HELD,
            settings=TrainSettings(**settings | {"averaging": averaging}),
            score=lambda *_, c=calls, e=epochs: float(next(c) == e - 1),
            seed=0,
        )
        assert result.best_epoch == epochs - 1
        weights[key] = weights_of(network)

    for key, mean in weights["mean"].items():
        by_hand = 0.75 * weights["first"][key] + 0.25 * weights["second"][key]
        np.testing.assert_allclose(mean, by_hand, atol=1e-6)


def test_a_rate_that_explodes_is_named_with_epoch_and_cure(graphs, targets):
    with pytest.raises(TrainingError, match=r"^GIN, epoch \d+: the \w+ loss became .*") as caught:
        run("gin", graphs, targets, epochs=50, batch_size=8, learning_rate=1e30)

    assert "Lower train.learning_rate (now 1e+30)." in str(caught.value)
    assert isinstance(caught.value, KekuleError)


def test_a_validation_part_that_gives_no_number_is_not_kept_as_the_best(graphs, targets):
    attributes = graphs.node_attributes.copy()
    attributes[graphs.node_pointer[HELD[0]]] = np.nan
    broken = dataclasses.replace(graphs, node_attributes=attributes)

    with pytest.raises(TrainingError, match="epoch 1: the validation loss became nan"):
        run("gcn", broken, targets, **QUICK)


@pytest.mark.parametrize("empty", ["train_rows", "validation_rows"])
def test_a_fit_without_rows_is_refused(graphs, targets, empty):
    with pytest.raises(ValueError, match="a fit needs both"):
        run("gcn", graphs, targets, **QUICK, **{empty: np.zeros(0, dtype=np.int64)})


@pytest.mark.parametrize("n_train", [2, 3, 5, 7])
def test_a_few_lone_atoms_can_be_trained_on_in_the_smallest_batches(name, random_packed, n_train):
    lone = random_packed(SCHEMA, [1] * 9, np.random.default_rng(0))
    rows = np.arange(9)
    result = run(
        name,
        lone,
        rows % 2,
        train_rows=rows[:n_train],
        validation_rows=rows[n_train:],
        epochs=2,
        batch_size=2,
    )

    assert np.isfinite(result.train_loss).all()


@pytest.mark.parametrize("n_rows", [1, 2, 3, 5, 63, 64, 95, 96, 97, 1000])
@pytest.mark.parametrize("size", [2, 3, 64])
def test_batches_are_equal_parts_and_none_is_a_single_row(n_rows, size):
    cut = parts(np.arange(n_rows), size)
    sizes = [len(part) for part in cut]

    np.testing.assert_array_equal(np.concatenate(cut), np.arange(n_rows))
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= min(2, n_rows)
    assert max(sizes) <= 1.5 * size + 1


def test_validation_in_parts_is_validation_as_a_whole(monkeypatch, graphs, targets):
    whole = run("gin", graphs, targets, **QUICK)
    monkeypatch.setattr("kekule.models.training.BATCH_SIZE", 3)
    parts = run("gin", graphs, targets, **QUICK)

    np.testing.assert_allclose(parts.validation_loss, whole.validation_loss, rtol=1e-5)


def test_the_network_is_left_ready_to_answer(graphs, targets):
    network = fresh("gcn")
    fit(
        network,
        graphs,
        targets,
        train_rows=TRAIN,
        validation_rows=HELD,
        settings=TrainSettings(**QUICK),
        score=brier,
        seed=0,
    )

    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("epochs", 0),
        ("epochs", 1e9),
        ("patience", 0),
        ("batch_size", 1),
        ("learning_rate", 0),
        ("learning_rate", -1e-3),
        ("learning_rate", float("inf")),
        ("weight_decay", -1),
        ("weight_decay", float("nan")),
        ("averaging", 1),
        ("smoothing", 0),
        ("smoothing", 10**9),
        ("validation", 0),
        ("validation", 1),
        ("rate", 1),
    ],
)
def test_settings_of_the_loop_refuse_nonsense(key, wrong):
    with pytest.raises(ValidationError, match=key):
        TrainSettings(**{key: wrong})


def fresh(name, **settings):
    return copy.deepcopy(
        build_network(SCHEMA, 2, NETWORKS[name].Settings(hidden=8, **settings), seed=0)
    )


def brier(given, truth):
    return float(-np.square(given - np.eye(2)[truth]).sum())


def run(
    name,
    graphs: PackedGraphs,
    targets,
    *,
    score=brier,
    on_epoch=None,
    train_rows=TRAIN,
    validation_rows=HELD,
    **settings,
):
    return fit(
        fresh(name),
        graphs,
        targets,
        train_rows=train_rows,
        validation_rows=validation_rows,
        settings=TrainSettings(**settings),
        score=score,
        seed=0,
        on_epoch=on_epoch,
    )


def trained(name, graphs, targets, *, seed=0, train_rows=TRAIN):
    """Weights after a short training."""
    network = fresh(name)
    fit(
        network,
        graphs,
        targets,
        train_rows=train_rows,
        validation_rows=HELD,
        settings=TrainSettings(**QUICK),
        score=brier,
        seed=seed,
    )
    return weights_of(network)


@pytest.mark.parametrize("together", [False, True])
def test_weights_of_rows_count_beside_each_other_alone(together, graphs, targets):
    def losses(weights):
        given = {
            "settings": TrainSettings(**QUICK),
            "score": brier,
            "seed": 0,
            "weights": weights,
        }
        if together:
            rows = {"train_rows": [TRAIN], "validation_rows": [HELD]}
            return fit_together([fresh("gcn")], graphs, targets, **rows, **given)[0].train_loss
        rows = {"train_rows": TRAIN, "validation_rows": HELD}
        return fit(fresh("gcn"), graphs, targets, **rows, **given).train_loss

    drawn = np.random.default_rng(0).uniform(0.5, 2, len(targets))
    plain = losses(None)
    np.testing.assert_allclose(losses(np.full(len(targets), 4.0)), plain, rtol=1e-5)
    np.testing.assert_allclose(losses(4 * drawn), losses(drawn), rtol=1e-4)
    assert not np.allclose(losses(drawn), plain, rtol=1e-3)


def assert_same_bits(one, other):
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)
