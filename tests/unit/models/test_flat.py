import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from kekule.models.flat import AdamW, FlatNetwork, clip, rate_at
from kekule.models.normalisation import BatchNorm


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), BatchNorm(8), nn.ReLU(), nn.Linear(8, 3))


def loss_of(network, seed):
    x = torch.randn(16, 5, generator=torch.Generator().manual_seed(seed))
    return network(x).square().mean()


def test_the_vector_and_the_arrays_of_a_network_are_one_memory(network):
    flat = FlatNetwork(network)
    flat.values.zero_()
    assert all(not p.any() for p in network.parameters())

    network[0].weight.data.fill_(2.0)
    assert flat.values[:40].eq(2).all()

    flat.buffers.fill_(7.0)
    assert network[1].running_mean.eq(7).all()
    assert network.state_dict()["1.running_var"].eq(7).all()


def test_gradients_arrive_in_the_vector_and_add_up(network):
    flat = FlatNetwork(network)
    loss_of(network, 1).backward()
    once = flat.gradient.clone()
    loss_of(network, 1).backward()

    assert once.any()
    torch.testing.assert_close(flat.gradient, 2 * once)
    torch.testing.assert_close(flat.gradient[:40].view(8, 5), network[0].weight.grad)


def test_steps_are_those_of_torch_adamw(network):
    other = copy.deepcopy(network)
    reference = torch.optim.AdamW(other.parameters(), lr=0.01, weight_decay=0.1)
    flat = FlatNetwork(network)
    ours = AdamW(flat.values, weight_decay=0.1)
    for step in range(30):
        reference.zero_grad()
        loss_of(other, step).backward()
        reference.step()
        flat.gradient.zero_()
        loss_of(network, step).backward()
        ours.step(flat.values, flat.gradient, 0.01)

    for mine, theirs in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_rows_of_stacked_models_move_as_each_would_alone():
    rng = torch.Generator().manual_seed(3)
    start, gradient = torch.randn(3, 7, generator=rng), torch.randn(3, 7, generator=rng)
    together, alone = start.clone(), [row.clone() for row in start]
    optimiser = AdamW(together, weight_decay=0.1)
    single = [AdamW(row, weight_decay=0.1) for row in alone]
    for _ in range(4):
        optimiser.step(together, gradient, 0.02)
        for one, row, slope in zip(single, alone, gradient, strict=True):
            one.step(row, slope, 0.02)

    torch.testing.assert_close(together, torch.stack(alone))


def test_an_average_follows_weights_and_statistics(network):
    flat, average = FlatNetwork(network), FlatNetwork(copy.deepcopy(network))
    before = average.values.clone()
    flat.values.add_(1.0)
    flat.buffers.add_(2.0)
    statistics = average.buffers.clone()
    average.follow(flat, 0.9)

    torch.testing.assert_close(average.values, before + 0.1)
    torch.testing.assert_close(average.buffers, statistics + 0.2)
    average.follow(flat, 0.0)
    torch.testing.assert_close(average.values, flat.values)


def test_a_long_gradient_is_shortened_and_a_short_one_left():
    gradient = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    length = clip(gradient, 1.0)

    torch.testing.assert_close(length, torch.tensor([5.0, 0.5]))
    torch.testing.assert_close(gradient, torch.tensor([[0.6, 0.8], [0.3, 0.4]]))
    alone = torch.tensor([3.0, 4.0])
    assert float(clip(alone, 0.0)) == 5.0
    assert alone.tolist() == [3.0, 4.0]


def test_without_a_warm_up_the_rate_is_the_cosine_of_whole_epochs():
    for epoch in range(10):
        expected = 0.01 + 0.99 * (1 + math.cos(math.pi * epoch / 10)) / 2
        assert rate_at(epoch + 0.5, peak=1.0, epochs=10, warmup=0.0) == pytest.approx(expected)


def test_the_rate_rises_to_its_peak_and_never_again():
    rates = [rate_at(k / 4, peak=1.0, epochs=12, warmup=2.0) for k in range(48)]

    assert 0 < rates[0] < 0.01
    assert np.argmax(rates) == 8
    assert max(rates) == pytest.approx(1.0)
    assert (np.diff(rates[:9]) > 0).all()
    assert (np.diff(rates[8:]) <= 0).all()
    assert rates[-1] > 0
