"""From the rows of atoms to one vector a graph.

Symbols: V nodes, B graphs, F width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from kekule.models.aggregation import exact, gather_sum
from kekule.models.batch import Batch

ReadoutName = Literal["sum", "mean", "max", "attention", "scaled"]


class SumReadout(nn.Module):
    """Sum over a graph's nodes: keeps multisets apart, and grows with the molecule."""

    def forward(self, x: Tensor, batch: Batch, k: int) -> Tensor:
        """Map rows after k rounds, (n_k, F), to (B, F)."""
        return gather_sum(x, batch.readout(k))


class ScaledReadout(SumReadout):
    """A hundredth of the sum: of the size of a mean, and still counting (chemprop's norm)."""

    def forward(self, x: Tensor, batch: Batch, k: int) -> Tensor:
        """Map rows after k rounds, (n_k, F), to (B, F)."""
        return super().forward(x, batch, k) / 100


class MeanReadout(SumReadout):
    """Mean over a graph's nodes: the same for a molecule and two of it side by side."""

    def forward(self, x: Tensor, batch: Batch, k: int) -> Tensor:
        """Map rows after k rounds, (n_k, F), to (B, F)."""
        sizes = (batch.pointer[1:] - batch.pointer[:-1]).clamp(min=1)
        return super().forward(x, batch, k) / sizes.to(x.dtype)[:, None]


class MaxReadout(nn.Module):
    """Largest value over a graph's nodes: whether something is there, not how often."""

    def forward(self, x: Tensor, batch: Batch, k: int) -> Tensor:
        """Map rows after k rounds, (n_k, F), to (B, F)."""
        nodes = batch.by_node(x, k)
        index = batch.graph[:, None].expand(-1, nodes.shape[1])
        empty = nodes.new_zeros(batch.n_graphs, nodes.shape[1])
        return empty.scatter_reduce(0, index, nodes, "amax", include_self=False)


class AttentionReadout(nn.Module):
    """Mean over a graph's nodes weighted by a learnt score.

    References
    ----------
    Li et al. 2016, https://arxiv.org/abs/1511.05493, equation 7.
    """

    def __init__(self, width: int):
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)  # which would add the same to all
        self.value = nn.Linear(width, width)

    def forward(self, x: Tensor, batch: Batch, k: int) -> Tensor:
        """Map rows after k rounds, (n_k, F), to (B, F)."""
        score = batch.by_node(exact(self.score(x)), k)[:, 0]
        empty = score.new_full((batch.n_graphs,), -torch.inf)
        largest = empty.scatter_reduce(0, batch.graph, score.detach(), "amax")
        share = (score - largest.index_select(0, batch.graph)).exp()
        total = share.new_zeros(batch.n_graphs).index_add(0, batch.graph, share)
        share = share / total.index_select(0, batch.graph)
        value = batch.by_node(self.value(x), k) * share[:, None]
        return value.new_zeros(batch.n_graphs, value.shape[1]).index_add(0, batch.graph, value)


READOUTS: dict[ReadoutName, type[nn.Module]] = {
    "sum": SumReadout,
    "scaled": ScaledReadout,
    "mean": MeanReadout,
    "max": MaxReadout,
}


def readout(name: ReadoutName, width: int) -> nn.Module:
    """Readout of that name for rows of `width`."""
    if name == "attention":
        return AttentionReadout(width)
    return READOUTS[name]()
