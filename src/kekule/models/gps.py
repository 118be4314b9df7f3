r"""General, powerful, scalable: message passing and attention over the whole molecule.

.. math::
   l &= \mathrm{BN}(x + \mathrm{GINE}(x, e)), \quad g = \mathrm{BN}(x + \mathrm{MHA}(x)) \\
   x' &= \mathrm{BN}\big(y + W_2\,\mathrm{ReLU}(W_1 y)\big), \quad y = l + g

with x of shape (V, H), attention among the atoms of each molecule, and an inner width of 2 H.
Atoms start with the chances that a random walk of 1, 2, ... steps has come back, so that rings
of different sizes look different, which no network of local rounds can bring about from
labels alone. Use it where a class hangs on parts that lie far apart and there are thousands
of rows to learn from. On a few hundred it learns them by heart; it is the slowest network
here, it shares nothing between molecules, and attention grows with the square of the largest
graph of a batch.

PyG's ``GPSConv`` normalises over all rows alike, where some must count for nothing (folds
trained together), so the round is ours; the attention itself is PyTorch's.

References
----------
Rampášek et al. 2022, https://arxiv.org/abs/2205.12454. Walks: Dwivedi et al. 2022,
https://arxiv.org/abs/2110.07875.
"""

from math import sqrt
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from kekule.features import GraphSchema
from kekule.models.aggregation import gather_sum, stacked_now
from kekule.models.batch import GraphBatch
from kekule.models.gin import IsomorphismRound
from kekule.models.normalisation import normalisation
from kekule.models.stack import HeadsSettings, Stack


class GPSSettings(HeadsSettings):
    """Settings of `GPS`."""

    name: Literal["gps"] = "gps"
    walk: Annotated[
        int, Field(ge=0, le=64, description="Steps of the random walks atoms start with; 0: none.")
    ] = 16


class GPS(Stack):
    """GPS rounds, mean over atoms, dropout, one linear layer."""

    Settings = GPSSettings
    shares = False

    def __init__(self, schema: GraphSchema, n_outputs: int, settings: GPSSettings):
        super().__init__(schema, n_outputs, settings)
        self.walk = nn.Linear(settings.walk, settings.hidden) if settings.walk else None

    def make_round(self, width: int) -> nn.Module:
        """One round of the network."""
        return GlobalRound(width, self.settings)

    def start(self, batch: GraphBatch) -> Tensor:
        """Rows before the first round, (V, F)."""
        x = super().start(batch)
        if self.walk is None:
            return x
        returns: Tensor = self.walk(walk_returns(batch, self.settings.walk, dtype=x.dtype))
        return x + returns

    def round(self, x: Tensor, batch: GraphBatch, k: int, edges: Tensor | None) -> Tensor:
        """Rows after round k; the last of its three normalisations is the frame's."""
        counts = self.counts(batch, k)
        changed = self.convolutions[k](x, batch, edges, counts)
        changed = self.norms[k](changed, counts, batch.graph)
        dropped: Tensor = self.round_dropout(changed)
        return dropped + x if self.settings.residual else dropped


class GlobalRound(nn.Module):
    """Messages and attention side by side, and a perceptron on their sum."""

    def __init__(self, width: int, settings: GPSSettings):
        super().__init__()
        self.local = IsomorphismRound(width)
        self.attention = MoleculeAttention(width, settings.heads)
        self.local_norm = normalisation(settings.norm, width)
        self.attention_norm = normalisation(settings.norm, width)
        self.nn = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self, x: Tensor, batch: GraphBatch, edges: Tensor | None, counts: Tensor | None
    ) -> Tensor:
        """Map (V, F) to (V, F)."""
        heard = x + self.local(x, batch.round(0), edges, counts)
        seen = x + self.attention(x, batch)
        y = self.local_norm(heard, counts, batch.graph)
        y = y + self.attention_norm(seen, counts, batch.graph)
        changed: Tensor = y + self.nn(y)
        return changed


class MoleculeAttention(nn.Module):
    """Every atom attends to the atoms of its own molecule and to nothing else."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.inner = nn.Linear(width, 3 * width)  # queries, keys and values
        self.outer = nn.Linear(width, width)

    def forward(self, x: Tensor, batch: GraphBatch) -> Tensor:
        """Map (V, F) to (V, F)."""
        place, largest = places(batch)
        n_graphs, width = batch.n_graphs, x.shape[1]
        inner = self.inner(x)
        padded = inner.new_zeros(n_graphs * largest, 3 * width).index_copy(0, place, inner)
        shape = (n_graphs, largest, 3, self.heads, width // self.heads)
        shaped = padded.view(shape).permute(2, 0, 3, 1, 4)
        sizes = batch.pointer[1:] - batch.pointer[:-1]
        there = torch.arange(largest, device=x.device) < sizes[:, None]
        seen = attended(shaped[0], shaped[1], shaped[2], there[:, None, None, :])
        flat = seen.transpose(1, 2).reshape(n_graphs * largest, width)
        mapped: Tensor = self.outer(flat.index_select(0, place))
        return mapped


def attended(queries: Tensor, keys: Tensor, values: Tensor, there: Tensor) -> Tensor:
    """Mean of the values (B, heads, N, F) weighted by each query, over the keys `there`."""
    if not stacked_now():
        return scaled_dot_product_attention(queries, keys, values, attn_mask=there)
    scores = queries @ keys.transpose(-1, -2) / sqrt(queries.shape[-1])
    return scores.masked_fill(~there, -torch.inf).softmax(-1) @ values


def places(batch: GraphBatch) -> tuple[Tensor, int]:
    """Place of each node where every graph has as many as the largest, int64 (V,); how many."""
    sizes = batch.pointer[1:] - batch.pointer[:-1]
    largest = int(sizes.max()) if batch.n_graphs else 0
    inside = torch.arange(batch.n_nodes, device=batch.graph.device)
    inside = inside - batch.pointer.index_select(0, batch.graph)
    return batch.graph * largest + inside, largest


@torch.no_grad()
def walk_returns(batch: GraphBatch, n_steps: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Chance that a random walk from each node is back after 1 to `n_steps` steps.

    A walk steps to each node that sends to where it is with the same chance, and ends where
    none does. Of `dtype`, (V, n_steps).
    """
    place, largest = places(batch)
    messages = batch.round(0).messages
    received = (messages.pointer[1:] - messages.pointer[:-1]).clamp(min=1).to(dtype)
    inside = (place - batch.graph * largest)[:, None]
    # Row i: chances of standing at each node of its graph for a walk from node i.
    stands = received.new_zeros(batch.n_nodes, largest).scatter(1, inside, 1.0)
    returns = []
    for _ in range(n_steps):
        stands = gather_sum(stands, messages) / received[:, None]
        returns.append(stands.gather(1, inside))
    return torch.cat(returns, dim=1)
