"""Normalisations, with rows that count for more than one, or for none.

A row may stand for many atoms (it is computed once for all that look alike), and in a program
that trains the models of all folds on shared batches it must count for nothing where it
belongs to a fold's test rows. Both are weights of the statistics.

Symbols: n rows, F width.

References
----------
Batch: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167. Layer: Ba et al. 2016,
https://arxiv.org/abs/1607.06450. Graph: Cai et al. 2021, https://arxiv.org/abs/2009.03294.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd import Function

from kekule.models.aggregation import stacked_now

NormName = Literal["batch", "layer", "graph", "none"]


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation over rows that count differently.

    With counts of one it is `torch.nn.BatchNorm1d`. Rows that count for nothing are
    normalised like the others and leave no trace in the statistics.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(
        self, x: Tensor, counts: Tensor | None = None, graph: Tensor | None = None
    ) -> Tensor:
        """Normalise x (n, F); `counts` float32 (n,), None for one each."""
        del graph
        if not self.training:
            return super().forward(x)
        if counts is None:
            if len(x) > 1:
                return super().forward(x)
            counts = x.new_ones(len(x))
        x = x.to(self.weight.dtype)  # float32, under autocast too
        counts = counts.to(x.dtype)
        total = counts.sum()
        normalise = _normalised if stacked_now() else _Normalised.apply
        y, mean, variance = normalise(
            x, counts / total.clamp(min=1e-12), self.weight, self.bias, self.eps
        )
        with torch.no_grad():
            unbiased = variance * (total / (total - 1).clamp(min=1.0))
            self._follow(mean.detach(), unbiased.detach(), total)
        normed: Tensor = y
        return normed

    def _follow(self, mean: Tensor, variance: Tensor, total: Tensor) -> None:
        """Move the running statistics; those of a model without a row in the batch stay."""
        self.num_batches_tracked.add_(1)
        pairs = ((self.running_mean, mean), (self.running_var, variance))
        if stacked_now():
            step = self.momentum * (total > 0).to(mean.dtype)
            for running, found in pairs:  # not `lerp_`, which vmap would take model by model
                running.mul_(1 - step).add_(found * step)
            return
        for running, found in pairs:
            running.mul_(1 - self.momentum).add_(found, alpha=self.momentum)


def _normalised(
    x: Tensor, share: Tensor, weight: Tensor, bias: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Rows normalised, their mean and variance; what a row counts for in these is `share`."""
    mean = torch.mv(x.t(), share)  # unlike `@` it stays float32 under autocast
    centred = x - mean
    # A row that counts for nothing may hold anything finite: nought times it is nought.
    variance = torch.mv(centred.square().t(), share)
    return centred * (weight * (variance + epsilon).rsqrt()) + bias, mean, variance


class _Normalised(Function):
    """`_normalised` with its gradient written out: a quarter of the operations."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, share: Tensor, weight: Tensor, bias: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean = torch.mv(x.t(), share)
        centred = x - mean
        variance = torch.mv(centred.square().t(), share)
        inverse = (variance + epsilon).rsqrt()
        ctx.save_for_backward(centred, share, weight, inverse)
        ctx.mark_non_differentiable(mean, variance)
        return torch.addcmul(bias, centred, weight * inverse), mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *unused: Tensor) -> tuple[Tensor | None, ...]:
        centred, share, weight, inverse = ctx.saved_tensors
        summed = grad.sum(0)
        along = (grad * centred).sum(0) * inverse  # of the normalised rows
        pulled = torch.addcmul(summed, centred, inverse * along)
        of_x = torch.addcmul(grad, share[:, None], pulled, value=-1).mul_(weight * inverse)
        return of_x, None, along, summed, None


class LayerNorm(nn.LayerNorm):
    """Layer normalisation; every row by itself."""

    def forward(
        self, x: Tensor, counts: Tensor | None = None, graph: Tensor | None = None
    ) -> Tensor:
        """Normalise x (n, F)."""
        del counts, graph
        return super().forward(x)


class NoNorm(nn.Module):
    """Leave rows as they are."""

    def forward(
        self, x: Tensor, counts: Tensor | None = None, graph: Tensor | None = None
    ) -> Tensor:
        """Return x (n, F)."""
        del counts, graph
        return x


class GraphNorm(nn.Module):
    """Mean and deviation over the nodes of each graph, with a learnt share of the mean.

    Every node then depends on its whole graph, so nothing can be shared between molecules.
    """

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.share = nn.Parameter(torch.ones(width))

    def forward(
        self, x: Tensor, counts: Tensor | None = None, graph: Tensor | None = None
    ) -> Tensor:
        """Normalise x (V, F); `graph` int64 (V,), rising."""
        del counts
        if graph is None:
            raise ValueError("the nodes of each graph are normalised, and no graphs are given")
        n_graphs = int(graph[-1]) + 1 if len(graph) else 0
        sizes = torch.bincount(graph, minlength=n_graphs).clamp(min=1)[:, None]
        x = x.to(self.weight.dtype)
        empty = x.new_zeros(n_graphs, x.shape[1])
        mean = (empty.index_add(0, graph, x) / sizes).index_select(0, graph)
        centred = x - self.share * mean
        variance = (empty.index_add(0, graph, centred.square()) / sizes).index_select(0, graph)
        return self.weight * centred * (variance + 1e-5).rsqrt() + self.bias


NORMS: dict[NormName, type[nn.Module]] = {
    "batch": BatchNorm,
    "layer": LayerNorm,
    "graph": GraphNorm,
    "none": NoNorm,
}


def normalisation(name: NormName, width: int) -> nn.Module:
    """Normalisation of that name for rows of `width`."""
    return NoNorm() if name == "none" else NORMS[name](width)
