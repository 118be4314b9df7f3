r"""Attentive FP: attention over neighbours and then over atoms, with memories in between.

.. math::
   u_{ji} &= \mathrm{LeakyReLU}(W_x x_j + e_{ji}), \quad
   \alpha_{ji} = \mathrm{softmax}_j \,\mathrm{LeakyReLU}(a^\top u_{ji} + b^\top x_i) \\
   x_i' &= \mathrm{ReLU}\Big(\mathrm{GRU}\Big(\mathrm{ELU}\Big(c + \sum_j \alpha_{ji} W x_j\Big),
          x_i\Big)\Big)

in the first round; in later ones ``GATConv`` stands for the sum, which reads no edge label.
The molecule starts as :math:`\mathrm{ReLU}(\sum_i x_i)`, (B, H), and attends to its atoms a few
times, again through ``GATConv`` and a GRU. Made for molecules of a few hundred to a few
thousand rows, and the weights on atoms can be read. It has no batch normalisation, so it
learns slower than ``gin`` per epoch and per second; not for deep stacks.

The layers and the frame are those of PyG's ``AttentiveFP`` (a test holds the numbers
together); only its first round is ours, because PyG's takes no rows that stand for many atoms.
Under bfloat16 PyG's layers compute in float32, as in ``gatv2``.

References
----------
Xiong et al. 2020, https://doi.org/10.1021/acs.jmedchem.9b00959.
"""

from math import sqrt
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import elu, leaky_relu

from kekule.features import GraphSchema, PackedGraphs
from kekule.models.aggregation import (
    exact,
    gather_sum,
    select_rows,
    span_softmax,
    span_sum,
)
from kekule.models.batch import GraphBatch, Layout, PlainLayout, Round
from kekule.models.encoder import start_small
from kekule.models.environment_batch import EnvironmentLayout
from kekule.models.network import Network, NetworkSettings, edge_encoder, node_encoder

SLOPE = 0.01  # of LeakyReLU below zero


class AttentiveFPSettings(NetworkSettings):
    """Settings of `AttentiveFP`."""

    name: Literal["attentivefp"] = "attentivefp"
    hidden: Annotated[int, Field(ge=1, le=4096, description="Width of every layer.")] = 64
    layers: Annotated[int, Field(ge=1, le=64, description="Rounds over the bonds.")] = 3
    timesteps: Annotated[
        int, Field(ge=1, le=64, description="Rounds of a molecule over its atoms.")
    ] = 2
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="Of what every round hears, and before the head.")
    ] = 0.2
    head_hidden: Annotated[
        int, Field(ge=0, le=4096, description="Width of a hidden layer in the head; 0: none.")
    ] = 0


class AttentiveFP(Network):
    """Rounds over bonds, rounds over atoms, each remembered by a GRU, one linear layer.

    Parameters
    ----------
    schema
        Codes and attributes of the graphs.
    n_outputs
        T · K.
    settings
        Width, and rounds of either kind.
    """

    Settings = AttentiveFPSettings

    def __init__(self, schema: GraphSchema, n_outputs: int, settings: AttentiveFPSettings):
        super().__init__()
        self.settings = settings
        width, later = settings.hidden, settings.layers - 1
        self.node_encoder = node_encoder(schema, width)
        self.edge_encoder = edge_encoder(schema, width)
        start_small(self.node_encoder)
        start_small(self.edge_encoder)
        self.gate = GateRound(width)
        self.convolutions = nn.ModuleList(_gat(width) for _ in range(later))
        self.memories = nn.ModuleList(Memory(width) for _ in range(later + 1))
        self.molecule = _gat(width)
        self.molecule_memory = Memory(width)
        self.dropout = nn.Dropout(settings.dropout)
        self.build_head(schema, width, n_outputs, hidden=settings.head_hidden)
        self.has_codes = not (schema.n_node_attributes or schema.n_edge_attributes)

    def layout(self, graphs: PackedGraphs, *, batch_size: int = 64, share: bool = True) -> Layout:
        """Environments where codes make many atoms alike."""
        if share and self.has_codes:
            return EnvironmentLayout(graphs, self.settings.layers, batch_size=batch_size)
        return PlainLayout(graphs)

    def encode(self, batch: GraphBatch) -> Tensor:
        """Vector of each graph, (B, H)."""
        x = leaky_relu(self.node_encoder(batch.nodes, batch.node_attributes), SLOPE)
        edges = None
        if self.edge_encoder is not None:
            edges = self.edge_encoder(batch.edges, batch.edge_attributes)
        for k, memory in enumerate(self.memories):
            step = batch.round(k)
            before = step.before(x)
            if k:
                heard = _attended(self.convolutions[k - 1], x, before, step.edge_index())
            else:
                heard = self.gate(x, step, edges)
            x = memory(self.dropout(elu(heard)), before).relu()
        return self.dropout(self._molecules(x, batch))  # type: ignore[no-any-return]

    def _molecules(self, x: Tensor, batch: GraphBatch) -> Tensor:
        """Attend from every graph to its atoms, (n, H) to (B, H)."""
        last = batch.readout(self.settings.layers)
        members = torch.stack([last.source, last.target])
        molecule = gather_sum(x, last).relu()
        for _ in range(self.settings.timesteps):
            heard = _attended(self.molecule, x, molecule, members)
            molecule = self.molecule_memory(self.dropout(elu(heard)), molecule).relu()
        return molecule


class GateRound(nn.Module):
    """Attention whose scores, and not whose sums, read the edge label."""

    def __init__(self, width: int):
        super().__init__()
        self.seen = nn.Linear(width, width, bias=False)  # W_x
        self.sent = nn.Linear(width, width, bias=False)  # W
        self.score_of_sent = nn.Linear(width, 1, bias=False)  # a
        self.score_of_own = nn.Linear(width, 1, bias=False)  # b
        self.bias = nn.Parameter(torch.zeros(width))
        for linear in (self.seen, self.sent, self.score_of_sent, self.score_of_own):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, x: Tensor, step: Round, edges: Tensor | None) -> Tensor:
        """Map (n_0, F) to (n_1, F)."""
        messages = step.messages
        seen = select_rows(self.seen(x), messages.source)
        if edges is not None:
            seen = seen + step.labels(edges)
        own = select_rows(self.score_of_own(step.before(x)), messages.target)
        score = self.score_of_sent(leaky_relu(seen, SLOPE)) + own
        share = span_softmax(leaky_relu(exact(score), SLOPE), messages)
        sent = select_rows(self.sent(x), messages.source)
        return span_sum(sent * share, messages) + self.bias


class Memory(nn.Module):
    """``GRUCell`` of operations that models can be stacked through.

    References
    ----------
    Cho et al. 2014, https://arxiv.org/abs/1406.1078.
    """

    def __init__(self, width: int):
        super().__init__()
        self.heard = nn.Linear(width, 3 * width)
        self.kept = nn.Linear(width, 3 * width)
        bound = 1 / sqrt(width)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, heard: Tensor, state: Tensor) -> Tensor:
        """New state (n, F), of what was heard and the old one."""
        reset, update, new = exact(self.heard(heard)).chunk(3, dim=1)
        kept_reset, kept_update, kept = exact(self.kept(state)).chunk(3, dim=1)
        new = torch.tanh(new + torch.sigmoid(reset + kept_reset) * kept)
        return torch.lerp(new, exact(state), torch.sigmoid(update + kept_update))


def _gat(width: int) -> nn.Module:
    from torch_geometric.nn import GATConv  # a second that other networks need not wait

    layer: nn.Module = GATConv(width, width, add_self_loops=False, negative_slope=SLOPE)
    return layer


def _attended(layer: nn.Module, x: Tensor, own: Tensor, edge_index: Tensor) -> Tensor:
    """What rows `own` hear of rows `x`."""
    with torch.autocast(x.device.type, enabled=False):
        heard: Tensor = layer((exact(x), exact(own)), edge_index)
    return heard
