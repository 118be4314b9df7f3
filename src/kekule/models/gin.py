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
from torch_geometric.nn import GINConv, GINEConv, global_add_pool

from kekule.features import GraphSchema
from kekule.models.batch import GraphBatch
from kekule.models.network import Network, NetworkSettings, edge_encoder, node_encoder


class GINSettings(NetworkSettings):
    """Settings of `GIN`."""

    name: Literal["gin"] = "gin"
    hidden: Annotated[int, Field(ge=1, le=4096, description="Width of every layer.")] = 64
    layers: Annotated[int, Field(ge=1, le=64, description="Number of rounds.")] = 4
    dropout: Annotated[float, Field(ge=0, lt=1, description="Before the head.")] = 0.5


class GIN(Network):
    """GIN rounds with batch normalisation, sums of all layers joined and normalised, linear.

    Parameters
    ----------
    schema
        Codes and attributes of the graphs; edge columns are read where there are any.
    n_classes
        Number of classes, K.
    settings
        Widths and depth.
    """

    Settings = GINSettings

    def __init__(self, schema: GraphSchema, n_classes: int, settings: GINSettings):
        super().__init__()
        width = settings.hidden
        self.node_encoder = node_encoder(schema, width)
        self.edge_encoder = edge_encoder(schema, width)
        kind = GINConv if self.edge_encoder is None else GINEConv
        self.convolutions = nn.ModuleList(
            kind(_perceptron(width), train_eps=True) for _ in range(settings.layers)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(settings.layers))
        # Sums grow with the molecule; unscaled they make logits that are sure and wrong.
        self.readout_norm = nn.BatchNorm1d(width * (settings.layers + 1))
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(width * (settings.layers + 1), n_classes)

    def embed(self, batch: GraphBatch) -> Tensor:
        """Sums over each graph's nodes after every round, (B, hidden · (layers + 1))."""
        x = self.node_encoder(batch.nodes, batch.node_attributes)
        e = None
        if self.edge_encoder is not None:
            e = self.edge_encoder(batch.edges, batch.edge_attributes)
        states = [x]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = (
                convolution(x, batch.edge_index)
                if e is None
                else convolution(x, batch.edge_index, e)
            )
            x = norm(x).relu()
            states.append(x)
        pooled = global_add_pool(torch.cat(states, dim=1), batch.graph, batch.n_graphs)
        return self.dropout(self.readout_norm(pooled))  # type: ignore[no-any-return]


def _perceptron(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
    )
