"""Sums over the messages of each receiver, gathered and added in one pass.

PyG gathers a row for every message and adds the rows in a second pass; on a CPU the rows are
written to memory and read again for nothing. Messages that lie grouped by receiver can be
summed where they are read: `torch.embedding_bag` does, four to eight times as fast as
gathering and `index_add`.

Symbols: n rows that receive, m that send, e messages, F width; M models stacked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function


class Messages(NamedTuple):
    """Who sends to whom; messages lie grouped by their receiver."""

    source: Tensor  # int64 (e,) sending row
    target: Tensor  # int64 (e,) receiving row, rising
    pointer: Tensor  # int64 (n + 1,) messages to row r: pointer[r] to pointer[r + 1]
    weight: Tensor | None = None  # float32 (e,) factor of each message; None: 1
    back: "Messages | None" = None  # the same grouped by sender, for gradients; None: not made

    @property
    def n_rows(self) -> int:
        """N."""
        return len(self.pointer) - 1


class _Stacked:
    """Whether tensors are those of stacked models (`torch.func.vmap`)."""

    now = False


@contextmanager
def stacked_models() -> Iterator[None]:
    """Sum with operations that `torch.func.vmap` knows, inside."""
    before, _Stacked.now = _Stacked.now, True
    try:
        yield
    finally:
        _Stacked.now = before


def stacked_now() -> bool:
    """Whether tensors are those of stacked models."""
    return _Stacked.now


def gather_sum(x: Tensor, messages: Messages) -> Tensor:
    """Sum the rows of `x` (m, F) that send to each receiver, times their weights, (n, F).

    Of the type of `x`; gradients are summed in float32.
    """
    if x.device.type != "cpu":
        return _two_passes(x, messages)
    if _Stacked.now:
        stacked: Tensor = _StackedSum.apply(x, messages)
        return stacked
    summed: Tensor = _GatherSum.apply(x, messages)
    return summed


def span_sum(rows: Tensor, messages: Messages) -> Tensor:
    """Sum messages (e, F), one row each, over their receivers, (n, F)."""
    if rows.device.type != "cpu" or _Stacked.now:
        empty = rows.new_zeros(messages.n_rows, rows.shape[-1])
        return empty.index_add(0, messages.target, rows)
    summed: Tensor = _SpanSum.apply(rows, messages)
    return summed


def span_softmax(scores: Tensor, messages: Messages) -> Tensor:
    """Share of each message in what its receiver hears, of scores float32 (e, H), (e, H)."""
    target = messages.target
    empty = scores.new_full((messages.n_rows, scores.shape[1]), -torch.inf)
    index = target[:, None].expand(-1, scores.shape[1])
    largest = empty.scatter_reduce(0, index, scores.detach(), "amax")
    share = (scores - largest.index_select(0, target)).exp()
    return share / span_sum(share, messages).index_select(0, target)


def select_rows(x: Tensor, rows: Tensor) -> Tensor:
    """Rows of `x` (n, F), (m, F), with gradients summed in float32.

    A row may be taken hundreds of times: in bfloat16 its gradient would stop growing.
    """
    if x.dtype == torch.float32 or _Stacked.now:
        return x.index_select(0, rows)
    selected: Tensor = _Selected.apply(x, rows)
    return selected


def exact(x: Tensor) -> Tensor:
    """Numbers of `x` in a type to add many of: its own, and at least float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _two_passes(x: Tensor, messages: Messages) -> Tensor:
    sent = x.index_select(0, messages.source)
    if messages.weight is not None:
        sent = sent * messages.weight[:, None].to(sent.dtype)
    return x.new_zeros(messages.n_rows, x.shape[-1]).index_add(0, messages.target, sent)


def _one_pass(x: Tensor, messages: Messages) -> Tensor:
    if not len(messages.source):
        return x.new_zeros(messages.n_rows, x.shape[-1])
    weight = None if messages.weight is None else messages.weight.to(x.dtype)
    return torch.embedding_bag(
        x.contiguous(),
        messages.source,
        messages.pointer,
        per_sample_weights=weight,
        include_last_offset=True,
    )[0]


def _sent_back(grad: Tensor, messages: Messages, n_rows: int) -> Tensor:
    """Add the rows of `grad` (n, F) that each sender had a part in, (n_rows, F)."""
    if messages.back is not None:
        return _one_pass(grad, messages.back)
    sent = exact(grad.index_select(0, messages.target))
    if messages.weight is not None:
        sent = sent * messages.weight[:, None].to(sent.dtype)
    total = sent.new_zeros(n_rows, grad.shape[-1])
    return total.index_add_(0, messages.source, sent).to(grad.dtype)


class _GatherSum(Function):
    """The sum and its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, messages: Messages) -> Tensor:
        """Gather and add; keep the index, and not the rows."""
        ctx.messages, ctx.n_rows = messages, len(x)
        return _one_pass(x, messages)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Give every sender the gradients of its receivers."""
        return _sent_back(grad, ctx.messages, ctx.n_rows), None


class _SpanSum(Function):
    """Sums of neighbouring rows, and their gradient: every row is given its receiver's."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, messages: Messages) -> Tensor:
        """Add."""
        ctx.target = messages.target
        each = torch.arange(len(rows))
        return _one_pass(rows, messages._replace(source=each, weight=None))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Give every row the gradient of its receiver."""
        return grad.index_select(0, ctx.target), None


class _Selected(Function):
    """Rows, and their gradients added up in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        """Select."""
        ctx.rows, ctx.shape = rows, x.shape
        return x.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Add."""
        rows = exact(grad)
        total = rows.new_zeros(ctx.shape).index_add_(0, ctx.rows, rows)
        return total.to(grad.dtype), None


class _StackedSum(Function):
    """The same for models stacked along a first axis; slower to call for a single one."""

    @staticmethod
    def forward(x: Tensor, messages: Messages) -> Tensor:
        """Gather and add."""
        return _one_pass(x, messages)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the index, and not the rows."""
        del output
        x, messages = inputs
        ctx.messages, ctx.n_rows = messages, len(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Give every sender the gradients of its receivers."""
        return _sent_back(grad, ctx.messages, ctx.n_rows), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], x: Tensor, messages: Messages) -> Any:
        """Lay the models out behind one another, as graphs of a batch lie."""
        n_models = info.batch_size
        x = x.movedim(in_dims[0], 0)
        n_rows, width = x.shape[1:]
        copies = _repeated(messages, n_models, n_rows)
        summed = _StackedSum.apply(x.reshape(n_models * n_rows, width), copies)
        return summed.view(n_models, messages.n_rows, width), 0


def _repeated(messages: Messages, n_models: int, n_rows: int) -> Messages:
    """Messages of `n_models` copies of the same rows, one copy after the other."""
    model = torch.arange(n_models, device=messages.source.device)[:, None]
    n_messages, weight = len(messages.source), messages.weight
    starts = (messages.pointer[:-1] + model * n_messages).reshape(-1)
    return Messages(
        (messages.source + model * n_rows).reshape(-1),
        (messages.target + model * messages.n_rows).reshape(-1),
        torch.cat([starts, starts.new_tensor([n_models * n_messages])]),
        None if weight is None else weight.repeat(n_models),
    )
