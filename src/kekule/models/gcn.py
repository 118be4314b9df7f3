r"""Graph convolutional network: the plain network of the project's plan.

.. math:: x' = \mathrm{ReLU}(\hat D^{-1/2} \hat A \hat D^{-1/2} x W), \quad \hat A = A + I

Use it as the reference a better network must beat. It averages over neighbours and cannot
read edge labels, so single and aromatic bonds look alike to it; prefer ``gin`` on molecules.

References
----------
Kipf & Welling 2017, https://arxiv.org/abs/1609.02907.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kekule.models.aggregation import gather_sum
from kekule.models.batch import Round
from kekule.models.normalisation import NormName
from kekule.models.stack import Stack, StackSettings


class GCNSettings(StackSettings):
    """Settings of `GCN`."""

    name: Literal["gcn"] = "gcn"
    layers: Annotated[int, Field(ge=1, le=64, description="Number of GCNConv layers.")] = 3
    norm: Annotated[NormName, Field(description="After every round.")] = "none"


class GCN(Stack):
    """Graph convolutions with ReLU, mean over atoms, dropout, one linear layer."""

    Settings = GCNSettings
    reads_edges = False
    loops = True

    def make_round(self, width: int) -> nn.Module:
        """One graph convolution."""
        return GraphConvolution(width)


class GraphConvolution(nn.Module):
    """``GCNConv`` on messages that carry the normalised adjacency as their weights."""

    def __init__(self, width: int):
        super().__init__()
        self.lin = nn.Linear(width, width, bias=False)
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.xavier_uniform_(self.lin.weight)

    def forward(
        self, x: Tensor, step: Round, edges: Tensor | None, counts: Tensor | None
    ) -> Tensor:
        """Map (n_{k-1}, F) to (n_k, F)."""
        del edges, counts
        if step.messages.weight is None:
            raise ValueError("the batch was not cut from the layout of a graph convolution")
        # Transformed where rows are fewest: before they spread.
        return gather_sum(self.lin(x), step.messages) + self.bias
