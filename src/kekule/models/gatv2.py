r"""Graph attention that ranks neighbours by who asks: GATv2, with edge labels.

.. math::
   x_i' &= W_o x_i + b + \sum_{j \to i} \alpha_{ij} W_s x_j \\
   \alpha_{ij} &= \mathrm{softmax}_j \, a^\top \mathrm{LeakyReLU}(W_t x_i + W_s x_j + e^k_{ji})

in each of several heads of width H / heads, joined; x of shape (V, H), an embedding
:math:`e^k` of the edge labels for each round k, (E, H). The atom itself enters by a matrix of
its own instead of a loop, which would need an edge label. Use it where a few neighbours
matter and the rest are noise. A weighted mean cannot count, and on small molecules attention
has little to choose between: ``gin`` is quicker and mostly as good.

The layer is PyG's ``GATv2Conv``. Under bfloat16 it computes in float32, since it would add
the gradients of a row that is used hundreds of times in bfloat16.

References
----------
Brody et al. 2022, https://arxiv.org/abs/2105.14491, equation 7; with edge labels: PyG.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kekule.models.aggregation import exact
from kekule.models.batch import Round
from kekule.models.stack import HeadsSettings, Stack


class GATv2Settings(HeadsSettings):
    """Settings of `GATv2`."""

    name: Literal["gatv2"] = "gatv2"
    attention_dropout: Annotated[
        float, Field(ge=0, lt=1, description="Of messages, by their weight in the sum.")
    ] = 0.0


class GATv2(Stack):
    """Attention rounds with batch normalisation and ReLU, mean over atoms, one linear layer."""

    Settings = GATv2Settings
    own_edges = True

    def make_round(self, width: int) -> nn.Module:
        """One round of the network."""
        settings = self.settings
        has_edges = bool(len(self.edge_encoders))
        return AttentionRound(width, settings.heads, settings.attention_dropout, has_edges)


class AttentionRound(nn.Module):
    """``GATv2Conv`` on rows that may stand for many atoms."""

    def __init__(self, width: int, heads: int, dropout: float, has_edges: bool):
        super().__init__()
        from torch_geometric.nn import GATv2Conv  # a second that other networks need not wait

        self.conv = GATv2Conv(
            width,
            width // heads,
            heads=heads,
            dropout=dropout,
            add_self_loops=False,
            edge_dim=width if has_edges else None,
            residual=True,
        )
        if has_edges:
            self.conv.lin_edge = nn.Identity()  # edge labels come embedded for this round

    def forward(
        self, x: Tensor, step: Round, edges: Tensor | None, counts: Tensor | None
    ) -> Tensor:
        """Map (n_{k-1}, F) to (n_k, F)."""
        del counts
        labels = None if edges is None else step.labels(edges)
        with torch.autocast(x.device.type, enabled=False):
            given: Tensor = self.conv((exact(x), exact(step.before(x))), step.edge_index(), labels)
        return given
