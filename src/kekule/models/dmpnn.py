r"""Directed message passing: messages live on directed bonds and never turn straight back.

.. math::
   h^0_{vw} &= \mathrm{ReLU}(z_{vw}), \quad z_{vw} = W_i [x_v, e_{vw}] \\
   h^k_{vw} &= \mathrm{ReLU}\Big(z_{vw} + W_h \sum_{u \in N(v) \setminus w} h^{k-1}_{uv}\Big) \\
   h_v &= \mathrm{ReLU}\Big(W_o \big[x_v, \textstyle\sum_{u \in N(v)} h^{d-1}_{uv}\big]\Big)

with d the depth, then a sum over atoms and a perceptron: the network of chemprop, of the same
size by default. Features enter as embedded codes, which is :math:`W_i` on one-hot columns.
Because :math:`W_h` is linear it is applied before the sum, where distinct rows are fewest.
Good where charge and ring systems matter more than counting does; on small sets ``gin``
learns faster.

References
----------
Yang et al. 2019, https://arxiv.org/abs/1904.01561, section 2.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kekule.features import GraphSchema, PackedGraphs
from kekule.models.aggregation import exact, gather_sum
from kekule.models.batch import BondBatch, Layout
from kekule.models.encoder import start_small
from kekule.models.environment_batch import BondLayout, rows_multiple
from kekule.models.network import Network, NetworkSettings, edge_encoder, node_encoder
from kekule.models.readout import ReadoutName, readout


class DMPNNSettings(NetworkSettings):
    """Settings of `DMPNN`; the defaults are chemprop's."""

    name: Literal["dmpnn"] = "dmpnn"
    hidden: Annotated[int, Field(ge=1, le=4096, description="Width of every layer.")] = 300
    layers: Annotated[
        int, Field(ge=1, le=64, description="Depth: bonds one further than rounds of messages.")
    ] = 3
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="Of molecule vectors, before the head.")
    ] = 0.0
    readout: Annotated[ReadoutName, Field(description="From atoms to the molecule.")] = "scaled"
    head_hidden: Annotated[
        int, Field(ge=0, le=4096, description="Width of a hidden layer in the head; 0: none.")
    ] = 300


class DMPNN(Network):
    """Messages on directed bonds, atoms from the bonds that end in them, sum, perceptron.

    Parameters
    ----------
    schema
        Codes and attributes of the graphs.
    n_outputs
        T · K.
    settings
        Widths and depth.
    """

    Settings = DMPNNSettings

    def __init__(self, schema: GraphSchema, n_outputs: int, settings: DMPNNSettings):
        super().__init__()
        self.settings = settings
        width = settings.hidden
        self.node_encoder = node_encoder(schema, width)  # W_i, its columns of the atom
        self.edge_encoder = edge_encoder(schema, width)  # W_i, its columns of the bond
        self.atom_encoder = node_encoder(schema, width)  # W_o, its columns of the atom
        for encoder in (self.node_encoder, self.edge_encoder, self.atom_encoder):
            start_small(encoder)
        self.inner = nn.Linear(width, width, bias=False)  # W_h
        self.outer = nn.Linear(width, width)  # W_o, its columns of the messages
        self.readout = readout(settings.readout, width)
        self.dropout = nn.Dropout(settings.dropout)
        self.build_head(schema, width, n_outputs, hidden=settings.head_hidden)

    def layout(self, graphs: PackedGraphs, *, batch_size: int = 64, share: bool = True) -> Layout:
        """Directed bonds that no more rounds can tell apart."""
        radius = self.settings.layers - 1
        multiple = rows_multiple(self.width)
        return BondLayout(graphs, radius, batch_size=batch_size, share=share, multiple=multiple)

    def encode(self, batch: BondBatch) -> Tensor:
        """Vector of each graph, (B, H)."""
        start = self.node_encoder(batch.nodes, batch.node_attributes)
        z = start.index_select(0, batch.atom)
        if self.edge_encoder is not None:
            edges = self.edge_encoder(batch.edges, batch.edge_attributes)
            z = z + edges.index_select(0, batch.bond)
        z = z.to(_product_type(z))
        h = z.relu()
        for step in batch.rounds:
            heard = gather_sum(self.inner(h), step.messages)
            h = (step.before(z) + heard).relu()
        heard = self.outer(gather_sum(h, batch.last.messages))
        atoms = self.atom_encoder(batch.nodes, batch.node_attributes)
        h = (batch.last.before(atoms) + heard).relu()
        return self.dropout(exact(self.readout(h, batch, 0)))  # type: ignore[no-any-return]


def _product_type(x: Tensor) -> torch.dtype:
    """Type that matrix products give here: rows are kept in it between them."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
