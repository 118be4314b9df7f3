"""The frame most networks share: encode, pass messages round by round, read out.

A network of this frame is one file that says what a round does. What surrounds the rounds
(normalisation, dropout, residuals, jumping knowledge, a virtual node, the readout) is the
same for all, and a setting.

Symbols as in `kekule.models.batch`; H width, L rounds.

References
----------
Jumping knowledge: Xu et al. 2018, https://arxiv.org/abs/1806.03536. Virtual node: Gilmer et
al. 2017, https://arxiv.org/abs/1704.01212, section 5.2.
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from kekule.features import GraphSchema, PackedGraphs
from kekule.models.batch import GraphBatch, Layout, PlainLayout
from kekule.models.environment_batch import EnvironmentLayout, rows_multiple
from kekule.models.network import Network, NetworkSettings, edge_encoder, node_encoder
from kekule.models.normalisation import BatchNorm, NormName, normalisation
from kekule.models.readout import ReadoutName, readout
from kekule.models.virtual_node import VirtualNode

JumpName = Literal["last", "sum", "concat"]


class StackSettings(NetworkSettings):
    """Settings of every `Stack`."""

    hidden: Annotated[int, Field(ge=1, le=4096, description="Width of every layer.")] = 64
    layers: Annotated[int, Field(ge=1, le=64, description="Rounds of message passing.")] = 4
    dropout: Annotated[float, Field(ge=0, lt=1, description="Before the head.")] = 0.5
    round_dropout: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="Of rows after every round; atoms computed once lose the same numbers.",
        ),
    ] = 0.0
    norm: Annotated[NormName, Field(description="After every round.")] = "batch"
    readout: Annotated[ReadoutName, Field(description="From atoms to the molecule.")] = "mean"
    jump: Annotated[
        JumpName,
        Field(description="Rounds that are read out: the last, the sum of all, or all joined."),
    ] = "last"
    residual: Annotated[bool, Field(description="Add what a row was before the round.")] = False
    virtual_node: Annotated[
        bool, Field(description="A node bonded to all others carries news between rounds.")
    ] = False
    head_hidden: Annotated[
        int, Field(ge=0, le=4096, description="Width of a hidden layer in the head; 0: none.")
    ] = 0


class HeadsSettings(StackSettings):
    """Settings of a `Stack` whose rounds attend in several heads."""

    heads: Annotated[
        int, Field(ge=1, le=64, description="Heads of the attention; `hidden` is a multiple.")
    ] = 4

    @model_validator(mode="after")
    def _divides(self) -> "HeadsSettings":
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) is not a multiple of heads ({self.heads})")
        return self


class Stack(Network):
    """Rounds of one kind between an encoder and a readout.

    Parameters
    ----------
    schema
        Codes and attributes of the graphs.
    n_outputs
        T · K.
    settings
        Widths, depth and what surrounds the rounds.
    """

    Settings = StackSettings
    reads_edges = True
    own_edges = False  # whether each round embeds edge labels for itself
    normalises_readout = False
    activates_last = True
    loops = False  # whether a node also sends to itself
    shares = True  # whether rows that look alike may be computed once: a round is local

    def __init__(self, schema: GraphSchema, n_outputs: int, settings: Any):
        super().__init__()
        self.settings = settings
        width, rounds = settings.hidden, settings.layers
        self.node_encoder = node_encoder(schema, width)
        shared = self.reads_edges and not self.own_edges
        self.edge_encoder = edge_encoder(schema, width) if shared else None
        own = [edge_encoder(schema, width) for _ in range(rounds if self.own_edges else 0)]
        self.edge_encoders = nn.ModuleList(encoder for encoder in own if encoder is not None)
        self.convolutions = nn.ModuleList(self.make_round(width) for _ in range(rounds))
        self.norms = nn.ModuleList(normalisation(settings.norm, width) for _ in range(rounds))
        self.virtual = VirtualNode(width, rounds) if settings.virtual_node else None
        joined = width * (rounds + 1) if settings.jump == "concat" else width
        self.readout = readout(settings.readout, width)
        self.readout_norm = BatchNorm(joined) if self.normalises_readout else None
        self.round_dropout = nn.Dropout(settings.round_dropout)
        self.dropout = nn.Dropout(settings.dropout)
        self.build_head(schema, joined, n_outputs, hidden=settings.head_hidden)
        self.has_codes = not (schema.n_node_attributes or schema.n_edge_attributes)
        rounded = nn.ModuleList([self.convolutions, self.norms]).modules()
        self.counts_rows = any(isinstance(part, BatchNorm) for part in rounded)

    def make_round(self, width: int) -> nn.Module:
        """Layer of one round, called as ``layer(x, step, edges, counts)``."""
        raise NotImplementedError

    def layout(self, graphs: PackedGraphs, *, batch_size: int = 64, share: bool = True) -> Layout:
        """Environments where every round is local and codes make many atoms alike."""
        local = self.shares and self.virtual is None and self.settings.norm != "graph"
        if share and local and self.has_codes:
            return EnvironmentLayout(
                graphs,
                self.settings.layers,
                batch_size=batch_size,
                loops=self.loops,
                multiple=rows_multiple(self.width),
            )
        return PlainLayout(graphs, loops=self.loops)

    def encode(self, batch: GraphBatch) -> Tensor:
        """Vector of each graph, (B, H), or (B, H · (L + 1)) where all rounds are joined."""
        x = self.start(batch)
        edges = None
        if self.edge_encoder is not None:
            edges = self.edge_encoder(batch.edges, batch.edge_attributes)
        pooled = [self._read(x, batch, 0)]
        virtual = None if self.virtual is None else self.virtual.start(batch.n_graphs)
        for k in range(len(self.convolutions)):
            if virtual is not None:
                x = x + virtual.index_select(0, batch.graph)
            if len(self.edge_encoders):
                edges = self.edge_encoders[k](batch.edges, batch.edge_attributes)
            before, x = x, self.round(x, batch, k, edges)
            if self.virtual is not None and k + 1 < len(self.convolutions):
                virtual = self.virtual(k, virtual, before, batch)
            pooled.append(self._read(x, batch, k + 1))
        dropped: Tensor = self.dropout(self._joined(pooled, batch))
        return dropped

    def start(self, batch: GraphBatch) -> Tensor:
        """Rows before the first round, (n_0, F)."""
        rows: Tensor = self.node_encoder(batch.nodes, batch.node_attributes)
        return rows

    def round(self, x: Tensor, batch: GraphBatch, k: int, edges: Tensor | None) -> Tensor:
        """Rows after round k, of those before it."""
        step = batch.round(k)
        counts = self.counts(batch, k)
        changed = self.convolutions[k](x, step, edges, counts)
        changed = self.norms[k](changed, counts, batch.graph)
        if self.activates_last or k + 1 < len(self.convolutions):
            changed = changed.relu()
        dropped: Tensor = self.round_dropout(changed)
        return dropped + step.before(x) if self.settings.residual else dropped

    def counts(self, batch: GraphBatch, k: int) -> Tensor | None:
        """What each row of round k counts, where that is asked for; None: 1."""
        asked = self.training and self.counts_rows
        return batch.counts(batch.round(k).n_rows, k + 1) if asked else None

    def _read(self, x: Tensor, batch: GraphBatch, k: int) -> Tensor | None:
        """Read rows after k rounds out, if they are asked for."""
        if self.settings.jump == "last" and k < len(self.convolutions):
            return None
        pooled: Tensor = self.readout(x, batch, k)
        return pooled

    def _joined(self, pooled: list[Tensor | None], batch: GraphBatch) -> Tensor:
        there = [one for one in pooled if one is not None]
        if self.settings.jump == "sum":
            total = torch.stack(there).sum(0)
        else:
            total = torch.cat(there, dim=1)
        if self.readout_norm is None:
            return total
        normed: Tensor = self.readout_norm(total, batch.weight)
        return normed
