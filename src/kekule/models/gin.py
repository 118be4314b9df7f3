r"""Graph isomorphism network with edge labels in its messages.

.. math:: x_i' = \mathrm{MLP}\Big((1 + \epsilon)\, x_i
          + \sum_{j \to i} \mathrm{ReLU}(x_j + e_{ji})\Big)

The sum keeps multisets of neighbours apart as the Weisfeiler–Lehman test does, and the
readout joins the node sums of every layer, normalised over the batch, so that small and
large patterns both reach the head. On sets without edge labels the message is :math:`x_j`
and the network is GIN itself. Not for graphs whose classes hang on long-range order:
information travels one bond a layer.

References
----------
Xu et al. 2019, https://arxiv.org/abs/1810.00826; edge term: Hu et al. 2020,
https://arxiv.org/abs/1905.12265.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kekule.models.aggregation import gather_sum, span_sum
from kekule.models.batch import Round
from kekule.models.normalisation import BatchNorm
from kekule.models.readout import ReadoutName
from kekule.models.stack import JumpName, Stack, StackSettings


class GINSettings(StackSettings):
    """Settings of `GIN`."""

    name: Literal["gin"] = "gin"
    readout: Annotated[ReadoutName, Field(description="From atoms to the molecule.")] = "sum"
    jump: Annotated[
        JumpName,
        Field(description="Rounds that are read out: the last, the sum of all, or all joined."),
    ] = "concat"


class GIN(Stack):
    """GIN rounds with batch normalisation, sums of all rounds joined and normalised, linear."""

    Settings = GINSettings
    # Sums grow with the molecule; unscaled they make logits that are sure and wrong.
    normalises_readout = True

    def make_round(self, width: int) -> nn.Module:
        """One round of the network."""
        return IsomorphismRound(width)


class IsomorphismRound(nn.Module):
    """Sum of what arrives, its own weighted by a learnt factor, through a perceptron."""

    def __init__(self, width: int, *, inner: int = 0):
        super().__init__()
        self.eps = nn.Parameter(torch.zeros(1))
        self.nn = Perceptron(width, inner=inner)

    def forward(
        self, x: Tensor, step: Round, edges: Tensor | None, counts: Tensor | None
    ) -> Tensor:
        """Map (n_{k-1}, F) to (n_k, F)."""
        received = labelled_sum(x, step, edges)
        mapped: Tensor = self.nn(received + (1 + self.eps) * step.before(x), counts)
        return mapped


class Perceptron(nn.Sequential):
    """Linear, batch normalisation, ReLU, linear; of width `inner` between, or all the same."""

    def __init__(self, width: int, *, inner: int = 0):
        inner = inner or width
        super().__init__(
            nn.Linear(width, inner), BatchNorm(inner), nn.ReLU(), nn.Linear(inner, width)
        )

    def forward(self, x: Tensor, counts: Tensor | None = None) -> Tensor:
        """Map (n, F); `counts` say what each row counts in the statistics."""
        first, norm, _, last = self
        mapped: Tensor = last(norm(first(x), counts).relu())
        return mapped


def labelled_sum(x: Tensor, step: Round, edges: Tensor | None) -> Tensor:
    """Sum of ``ReLU(x_j + e_ji)`` over what arrives; of ``x_j`` where edges are all alike."""
    if edges is None:
        return gather_sum(x, step.messages)
    sent = (x.index_select(0, step.messages.source) + step.labels(edges)).relu()
    return span_sum(sent, step.messages)
