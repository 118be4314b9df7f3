r"""GINE as the Open Graph Benchmark trains it on molecules.

.. math:: x_i' = \mathrm{BN}\Big(\mathrm{MLP}\Big((1 + \epsilon)\, x_i
          + \sum_{j \to i} \mathrm{ReLU}(x_j + e^k_{ji})\Big)\Big)

with a ReLU after every round but the last, x of shape (V, H), an embedding :math:`e^k` of the
edge labels for each round k, (E, H), a perceptron of inner width 2 H, and the mean of the last
round's atoms, (B, H). Width and depth are the benchmark's; it also drops half of every row
after each round, which is ``round_dropout=0.5`` here. With ``virtual_node=true`` it is the
benchmark's second network. Made for tens of thousands of molecules: on a few hundred ``gin``,
narrower and with all rounds read out, is quicker and no worse.

References
----------
Hu et al. 2020, https://arxiv.org/abs/2005.00687; edge term: Hu et al. 2020,
https://arxiv.org/abs/1905.12265.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from kekule.models.gin import IsomorphismRound
from kekule.models.stack import Stack, StackSettings


class GINESettings(StackSettings):
    """Settings of `GINE`."""

    name: Literal["gine"] = "gine"
    hidden: Annotated[int, Field(ge=1, le=4096, description="Width of every layer.")] = 300
    layers: Annotated[int, Field(ge=1, le=64, description="Rounds of message passing.")] = 5


class GINE(Stack):
    """GIN rounds that each embed the edge labels anew, mean over atoms, one linear layer."""

    Settings = GINESettings
    own_edges = True
    activates_last = False

    def make_round(self, width: int) -> nn.Module:
        """One round of the network."""
        return IsomorphismRound(width, inner=2 * width)
