import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from kekule.models.aggregation import (
    Messages,
    exact,
    gather_sum,
    select_rows,
    span_softmax,
    span_sum,
    stacked_models,
)

N_SENDERS, WIDTH = 7, 3


def messages_to(sizes, *, seed=0, weighted=False, back=False):
    """Messages of random senders to receivers that hear so many each."""
    rng = np.random.default_rng(seed)
    target = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes))
    source = torch.from_numpy(rng.integers(0, N_SENDERS, sum(sizes)))
    pointer = torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)]))
    weight = torch.from_numpy(rng.normal(size=sum(sizes))) if weighted else None
    reverse = None
    if back:
        order = source.argsort(stable=True)
        sent = torch.bincount(source, minlength=N_SENDERS).cumsum(0)
        reverse = Messages(
            target[order],
            source[order],
            torch.cat([sent.new_zeros(1), sent]),
            None if weight is None else weight[order],
        )
    return Messages(source, target, pointer, weight, reverse)


def by_index_add(x, messages):
    sent = x[messages.source]
    if messages.weight is not None:
        sent = sent * messages.weight[:, None]
    return x.new_zeros(messages.n_rows, x.shape[1]).index_add(0, messages.target, sent)


SIZES = [[2, 0, 3, 1], [0, 0, 0], [5], [0, 1, 0, 4, 0], [1] * 9]


@pytest.fixture(params=SIZES, ids=str)
def sizes(request):
    return request.param


@pytest.fixture
def x():
    drawn = np.random.default_rng(1).normal(size=(N_SENDERS, WIDTH))
    return torch.from_numpy(drawn).requires_grad_()


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("back", [False, True], ids=["no way back", "grouped by sender"])
def test_a_gathered_sum_and_its_gradient_are_those_of_index_add(sizes, x, weighted, back):
    messages = messages_to(sizes, weighted=weighted, back=back)
    pull = torch.from_numpy(np.random.default_rng(2).normal(size=(len(sizes), WIDTH)))
    ours, plain = gather_sum(x, messages), by_index_add(x, messages)
    gradients = [torch.autograd.grad((y * pull).sum(), x)[0] for y in (ours, plain)]

    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_gradients_of_sums_are_slopes(sizes, x, weighted):
    messages = messages_to(sizes, weighted=weighted)
    rows = torch.from_numpy(np.random.default_rng(3).normal(size=(sum(sizes), 2))).requires_grad_()

    assert gradcheck(lambda x: gather_sum(x, messages), (x,))
    assert gradcheck(lambda x: select_rows(x, messages.source), (x,))
    if sum(sizes):
        assert gradcheck(lambda rows: span_sum(rows, messages), (rows,))
        assert gradcheck(lambda rows: span_softmax(rows, messages), (rows,))


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_sums_of_stacked_models_are_those_of_each(sizes, weighted):
    messages = messages_to(sizes, weighted=weighted)
    drawn = torch.from_numpy(np.random.default_rng(4).normal(size=(3, N_SENDERS, WIDTH)))
    rows = torch.from_numpy(np.random.default_rng(5).normal(size=(3, sum(sizes), 2)))

    def summed(x, rows):
        return gather_sum(x, messages), span_sum(rows, messages)

    stacked = drawn.clone().requires_grad_()
    with stacked_models():
        sums, spans = torch.func.vmap(summed)(stacked, rows)
        (gradient,) = torch.autograd.grad(sums.square().sum(), stacked)
    for k in range(3):
        alone = drawn[k].clone().requires_grad_()
        expected, of_spans = summed(alone, rows[k])
        torch.testing.assert_close(sums[k], expected)
        torch.testing.assert_close(spans[k], of_spans)
        torch.testing.assert_close(
            gradient[k], torch.autograd.grad(expected.square().sum(), alone)[0]
        )


def test_the_sum_over_a_span_is_that_of_its_rows(sizes):
    messages = messages_to(sizes)
    rows = torch.from_numpy(np.random.default_rng(3).normal(size=(sum(sizes), 2)))
    parts = rows.split(sizes) if sizes else []

    expected = torch.stack([part.sum(0) for part in parts])
    torch.testing.assert_close(span_sum(rows, messages), expected)


def test_what_a_receiver_hears_has_shares_that_sum_to_one_and_rank_as_scored(sizes):
    messages = messages_to(sizes)
    scores = torch.from_numpy(np.random.default_rng(3).normal(size=(sum(sizes), 2)))
    share = span_softmax(scores, messages)

    for one, score in zip(share.split(sizes), scores.split(sizes), strict=True):
        torch.testing.assert_close(one, score.softmax(0))


def test_scores_beyond_what_an_exponential_holds_are_shared_out_all_the_same():
    messages = messages_to([2, 2])
    share = span_softmax(torch.tensor([[1e4], [1e4], [-1e4], [-1e4 - 1000]]), messages)

    assert share[:, 0].tolist() == [0.5, 0.5, 1.0, 0.0]


@pytest.mark.parametrize("operation", ["select", "gather"])
def test_a_row_used_a_thousand_times_in_bfloat16_gets_the_whole_of_its_gradient(operation):
    """Numbers of bfloat16 stop growing at 256 when ones are added to them one by one."""
    x = torch.ones(1, 4, dtype=torch.bfloat16, requires_grad=True)
    every = torch.arange(1001)
    messages = Messages(torch.zeros(1000, dtype=torch.int64), every[:-1], every)
    used = gather_sum(x, messages) if operation == "gather" else select_rows(x, messages.source)
    used.sum().backward()

    assert (x.grad == 1000).all()


def test_numbers_are_added_in_float32_at_least():
    types = {torch.bfloat16: torch.float32, torch.float32: torch.float32}
    types[torch.float64] = torch.float64

    for given, expected in types.items():
        assert exact(torch.ones(1, dtype=given)).dtype == expected
