"""What a network answers and learns does not hang on how its batches are laid out."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from kekule.models import NETWORKS, TrainSettings, build_network, fit, probabilities
from kekule.models.aggregation import stacked_models

N_CLASSES = 3


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def exact(name, schema, practised):
    """A network in training and in float64, so that equal sums in another order are equal."""
    network = practised(name, schema).double().train()
    network.dropout.p = 0.0
    return network


@pytest.mark.parametrize("part", ["the whole set", "what a batch needs"])
def test_shared_rows_give_the_outputs_and_gradients_of_rows_by_themselves(
    exact, graphs, part, monkeypatch
):
    laid_out = "kekule.models.environment_batch.WHOLE"
    monkeypatch.setattr(laid_out, np.inf if part == "the whole set" else 0.0)
    rows = np.array([7, 3, 0, 11, 3, 5])
    state = {key: value.clone() for key, value in exact.state_dict().items()}
    shared = step(exact, exact.layout(graphs).batch(rows))
    exact.load_state_dict(state)
    plain = step(exact, exact.layout(graphs, share=False).batch(rows))

    same(shared, plain)


@pytest.mark.parametrize("share", [True, False], ids=["shared", "plain"])
def test_graphs_that_count_for_nothing_leave_no_trace(exact, graphs, share, random_packed):
    """As a fold's test rows in a program that trains all folds on shared batches."""
    kept, silent = np.arange(8), np.arange(8, 12)
    state = {key: value.clone() for key, value in exact.state_dict().items()}
    layout = exact.layout(graphs, share=share)
    weight = torch.ones(12, dtype=torch.float64)
    weight[silent] = 0
    mixed = layout.batch(np.arange(12))._replace(weight=weight)
    seen = step(exact, mixed, n_counted=len(kept))
    exact.load_state_dict(state)
    alone = step(exact, layout.batch(kept))

    same(seen, alone)


def test_stacked_networks_answer_and_learn_as_each_alone(name, schema, graphs, small):
    networks = [build_network(schema, N_CLASSES, small(name), seed=seed) for seed in (1, 2)]
    for network, rows in zip(networks, (np.arange(8), np.arange(4, 12)), strict=True):
        network.set_scale(graphs.take(rows))
        network.double().train().dropout.p = 0.0
    batch = doubled(networks[0].layout(graphs, share=False).batch(np.arange(12)))
    parameters, buffers = stack_module_state(networks)
    buffers = {key: value.clone() for key, value in buffers.items()}

    def one(*state):
        return functional_call(networks[0], state, (batch,))

    with stacked_models():
        together = vmap(one)(parameters, buffers)
    gradients = torch.autograd.grad(together.square().sum(), list(parameters.values()))
    for k, network in enumerate(networks):
        outputs, of_parameters, of_buffers = step(network, batch)

        torch.testing.assert_close(together[k], outputs)
        for (key, gradient), stacked in zip(of_parameters.items(), gradients, strict=True):
            torch.testing.assert_close(stacked[k], gradient, rtol=1e-6, atol=1e-8, msg=key)
        for key, buffer in of_buffers.items():
            torch.testing.assert_close(buffers[key][k], buffer, msg=key)


def test_bfloat16_answers_about_the_same_and_learns(name, schema, graphs, practised):
    network = practised(name, schema).eval()
    batch = network.layout(graphs).batch(np.arange(12))
    with torch.no_grad():
        expected = network(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network(batch).float()
    outputs.square().sum().backward()

    torch.testing.assert_close(
        outputs.detach(), expected, rtol=0, atol=0.03 * max(1.0, expected.abs().max().item())
    )
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_every_task_has_its_own_columns(name, schema, graphs, small):
    network = build_network(schema, 2, small(name), seed=0, n_tasks=5)
    answers = probabilities(network, graphs)

    assert answers.shape == (12, 5, 2)
    np.testing.assert_allclose(answers.sum(-1), 1)
    assert len(np.unique(answers[0, :, 0].round(9))) == 5


def test_several_tasks_with_gaps_are_learnt_at_once(name, packed_mutag, mutag_targets, small):
    rows = np.arange(40)
    targets = np.stack([mutag_targets, 1 - mutag_targets, mutag_targets], axis=1)[rows]
    targets[::3, 0] = targets[1::2, 2] = -1
    network = build_network(packed_mutag.schema, 2, small(name, dropout=0.0), seed=0, n_tasks=3)
    result = fit(
        network,
        packed_mutag.take(rows),
        targets,
        train_rows=rows,
        validation_rows=rows,
        settings=TrainSettings(epochs=25, batch_size=20, learning_rate=1e-2),
        score=lambda given, truth: float(len(given) == len(truth)),
        seed=0,
    )

    assert result.train_loss[-1] < 0.95 * result.train_loss[0]


def step(network, batch, n_counted=None):
    """Outputs of the graphs that count, and gradients and statistics of a step on them."""
    network.zero_grad()
    outputs = network(doubled(batch))[:n_counted]
    outputs.square().sum().backward()
    gradients = {key: p.grad for key, p in network.named_parameters() if p.grad is not None}
    buffers = {key: b.clone() for key, b in network.named_buffers() if b.is_floating_point()}
    return outputs.detach(), {key: grad.clone() for key, grad in gradients.items()}, buffers


def same(one, other):
    torch.testing.assert_close(one[0], other[0], rtol=1e-9, atol=1e-9)
    assert one[1].keys() == other[1].keys()
    for key, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][key], rtol=1e-7, atol=1e-8, msg=key)
    for key, buffer in one[2].items():
        torch.testing.assert_close(buffer, other[2][key], rtol=1e-9, atol=1e-9, msg=key)


def doubled(value):
    """A batch whose numbers are float64."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, tuple):
        return getattr(type(value), "_make", tuple)([doubled(part) for part in value])
    return value
