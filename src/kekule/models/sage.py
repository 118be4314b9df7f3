r"""GraphSAGE: the mean of the neighbours and the atom itself, each with its own matrix.

.. math:: x_i' = W_1 x_i + b + W_2 \, \frac{1}{|N(i)|} \sum_{j \in N(i)} x_j

with x of shape (V, H). The mean forgets how many neighbours there are and cannot read edge
labels, so it is robust on large, noisy graphs with telling attributes, and weak on small
molecules, whose classes hang on counts and bond types: prefer ``gin`` there. Rows are not
scaled to length one: the normalisation of the rounds takes that part.

PyG's ``SAGEConv`` gives the same numbers in the same time (a test holds them together). This
one needs no second for PyG to load, and adds gradients in float32 under bfloat16.

References
----------
Hamilton et al. 2017, https://arxiv.org/abs/1706.02216, algorithm 1 with the mean.
"""

from typing import Literal

from torch import Tensor, nn

from kekule.models.aggregation import gather_sum
from kekule.models.batch import Round
from kekule.models.stack import Stack, StackSettings


class SAGESettings(StackSettings):
    """Settings of `SAGE`."""

    name: Literal["sage"] = "sage"


class SAGE(Stack):
    """SAGE rounds with batch normalisation and ReLU, mean over atoms, one linear layer."""

    Settings = SAGESettings
    reads_edges = False

    def make_round(self, width: int) -> nn.Module:
        """One round of the network."""
        return MeanRound(width)


class MeanRound(nn.Module):
    """``SAGEConv`` on rows that may stand for many atoms."""

    def __init__(self, width: int):
        super().__init__()
        self.own = nn.Linear(width, width)
        self.neighbours = nn.Linear(width, width, bias=False)

    def forward(
        self, x: Tensor, step: Round, edges: Tensor | None, counts: Tensor | None
    ) -> Tensor:
        """Map (n_{k-1}, F) to (n_k, F)."""
        del edges, counts
        pointer = step.messages.pointer
        received = (pointer[1:] - pointer[:-1]).clamp(min=1)[:, None]
        # Transformed where rows are fewest: before they spread.
        mean = gather_sum(self.neighbours(x), step.messages) / received
        summed: Tensor = self.own(step.before(x)) + mean
        return summed
