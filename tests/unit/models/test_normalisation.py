import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from kekule.models.normalisation import NORMS, BatchNorm, GraphNorm, normalisation

X = torch.from_numpy(np.random.default_rng(0).normal(3, 2, (6, 4)))
COUNTS = torch.tensor([1.0, 3.0, 2.0, 1.0, 0.0, 5.0], dtype=torch.float64)


@pytest.fixture
def fresh():
    def build(kind=BatchNorm):
        torch.manual_seed(0)
        norm = kind(4).double().train()
        with torch.no_grad():
            for parameter in norm.parameters():
                parameter.copy_(torch.rand_like(parameter) + 0.5)
        return norm

    return build


def test_a_row_that_counts_for_three_is_three_rows(fresh):
    weighted, repeated = fresh(), fresh()
    repeats = COUNTS.long()
    y = weighted(X, COUNTS)
    expected = repeated(X.repeat_interleave(repeats, 0))

    torch.testing.assert_close(y.repeat_interleave(repeats, 0), expected)
    for (key, one), other in zip(
        weighted.named_buffers(), dict(repeated.named_buffers()).values(), strict=True
    ):
        torch.testing.assert_close(one, other, msg=key)


def test_the_gradient_of_a_row_that_counts_for_three_is_the_sum_of_three(fresh):
    weighted, repeated = fresh(), fresh()
    one, other = X.clone().requires_grad_(), X.clone().requires_grad_()
    pull = torch.from_numpy(np.random.default_rng(1).normal(size=X.shape))
    (weighted(one, COUNTS) * pull * COUNTS[:, None]).sum().backward()
    repeats = COUNTS.long()
    rows = repeated(other.repeat_interleave(repeats, 0))
    (rows * pull.repeat_interleave(repeats, 0)).sum().backward()

    torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(weighted.weight.grad, repeated.weight.grad)
    torch.testing.assert_close(weighted.bias.grad, repeated.bias.grad)


def test_the_gradient_of_weighted_rows_is_a_slope(fresh):
    norm = fresh()
    norm.momentum = 0.0

    def normalised(x, weight, bias):
        with torch.no_grad():
            norm.weight.copy_(weight), norm.bias.copy_(bias)
        return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x, COUNTS))

    inputs = [X, norm.weight, norm.bias]
    assert gradcheck(normalised, [t.detach().clone().requires_grad_() for t in inputs])


@pytest.mark.parametrize("training", [True, False])
def test_rows_that_count_for_one_are_normalised_as_pytorch_does(fresh, training):
    ours, torchs, counted = fresh(), fresh(torch.nn.BatchNorm1d), fresh()
    for _ in range(3):
        outputs = [ours(X), torchs(X), counted(X, torch.ones(6, dtype=torch.float64))]
    if not training:
        outputs = [norm.eval()(X) for norm in (ours, torchs, counted)]

    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(outputs[2], outputs[1])
    for norm in (ours, counted):
        for key, buffer in torchs.named_buffers():
            torch.testing.assert_close(norm.get_buffer(key), buffer, msg=key)


def test_a_row_that_counts_for_nothing_may_hold_anything(fresh):
    wild = X.clone()
    wild[4] = 1e30
    tame, wilder = fresh(), fresh()

    torch.testing.assert_close(tame(X, COUNTS)[:4], wilder(wild, COUNTS)[:4])
    torch.testing.assert_close(tame.running_var, wilder.running_var)


def test_a_single_row_is_normalised_to_the_bias(fresh):
    norm = fresh()

    torch.testing.assert_close(norm(X[:1]), norm.bias.detach()[None])
    assert torch.isfinite(norm.running_var).all()


def test_statistics_are_float32_where_products_are_bfloat16():
    norm = BatchNorm(4).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = norm(X.bfloat16(), COUNTS.float())

    assert y.dtype == norm.running_mean.dtype == torch.float32


def test_a_graph_is_normalised_by_itself(fresh):
    norm = fresh(GraphNorm)
    graph = torch.tensor([0, 0, 0, 1, 1, 2])
    together = norm(X, None, graph)

    for number in range(3):
        own = X[graph == number]
        alone = norm(own, None, torch.zeros(len(own), dtype=torch.int64))
        torch.testing.assert_close(together[graph == number], alone)


def test_a_graph_that_keeps_no_share_of_its_mean_has_mean_nought():
    y = GraphNorm(4).double()(X, None, torch.tensor([0, 0, 0, 0, 1, 1]))

    torch.testing.assert_close(y[:4].mean(0), torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(
        y[:4].std(0, unbiased=False), torch.ones(4).double(), rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("name", NORMS)
def test_every_normalisation_keeps_the_shape_and_takes_counts_and_graphs(name):
    norm = normalisation(name, 4).double().train()
    y = norm(X, COUNTS, torch.tensor([0, 0, 1, 1, 1, 2]))

    assert y.shape == X.shape
    assert torch.equal(y, X) == (name == "none")
