"""A node bonded to all nodes of its graph, which carries news across it in one round.

Use it where a class hangs on parts that lie far apart. It makes every atom's vector depend on
the whole molecule, so nothing can be shared between molecules any more, and training takes
longer.

References
----------
Gilmer et al. 2017, https://arxiv.org/abs/1704.01212, section 5.2; residual form of Hu et al.
2020, https://arxiv.org/abs/2005.00687.
"""

import torch
from torch import Tensor, nn

from kekule.models.aggregation import gather_sum
from kekule.models.batch import GraphBatch
from kekule.models.normalisation import BatchNorm


class VirtualNode(nn.Module):
    """State of the virtual node of each graph, (B, F), and its change between rounds."""

    def __init__(self, width: int, rounds: int):
        super().__init__()
        self.first = nn.Parameter(torch.zeros(width))
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(rounds - 1))
        self.norms = nn.ModuleList(BatchNorm(width) for _ in range(rounds - 1))
        self.outer = nn.ModuleList(nn.Linear(width, width) for _ in range(rounds - 1))

    def start(self, n_graphs: int) -> Tensor:
        """State before the first round."""
        return self.first.expand(n_graphs, -1)

    def forward(self, k: int, state: Tensor, x: Tensor, batch: GraphBatch) -> Tensor:
        """State after round k, of the state before and the node rows (V, F)."""
        heard = state + gather_sum(x, batch.readout(k))
        inner: Tensor = self.norms[k](self.inner[k](heard), batch.weight).relu()
        changed: Tensor = self.outer[k](inner)
        return state + changed
