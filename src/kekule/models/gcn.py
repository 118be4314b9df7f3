r"""Graph convolutional network: the plain network of the project's plan.

.. math:: x' = \mathrm{ReLU}(\hat D^{-1/2} \hat A \hat D^{-1/2} x W), \quad \hat A = A + I

Use it as the reference a better network must beat. It averages over neighbours and cannot
read edge labels, so single and aromatic bonds look alike to it; prefer ``gin`` on molecules.

References
----------
Kipf & Welling 2017, https://arxiv.org/abs/1609.02907.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, global_mean_pool
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from kekule.features import GraphSchema
from kekule.models.batch import GraphBatch
from kekule.models.network import Network, NetworkSettings, node_encoder


class GCNSettings(NetworkSettings):
    """Settings of `GCN`."""

    name: Literal["gcn"] = "gcn"
    hidden: Annotated[int, Field(ge=1, le=4096, description="Width of every layer.")] = 64
    layers: Annotated[int, Field(ge=1, le=64, description="Number of GCNConv layers.")] = 3
    dropout: Annotated[float, Field(ge=0, lt=1, description="Before the head.")] = 0.5


class GCN(Network):
    """GCNConv layers with ReLU, mean over atoms, dropout, one linear layer.

    Parameters
    ----------
    schema
        Codes and attributes of the graphs; edge columns are not read.
    n_classes
        Number of classes, K.
    settings
        Widths and depth.
    """

    Settings = GCNSettings

    def __init__(self, schema: GraphSchema, n_classes: int, settings: GCNSettings):
        super().__init__()
        self.node_encoder = node_encoder(schema, settings.hidden)
        # One normalisation serves every layer of a batch: it depends on the edges alone.
        self.convolutions = nn.ModuleList(
            GCNConv(settings.hidden, settings.hidden, normalize=False)
            for _ in range(settings.layers)
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.hidden, n_classes)

    def embed(self, batch: GraphBatch) -> Tensor:
        """Mean of the last layer over each graph's nodes, (B, hidden)."""
        x = self.node_encoder(batch.nodes, batch.node_attributes)
        edge_index, weight = gcn_norm(batch.edge_index, None, len(x), dtype=x.dtype)
        for convolution in self.convolutions:
            x = convolution(x, edge_index, weight).relu()
        return self.dropout(global_mean_pool(x, batch.graph, batch.n_graphs))  # type: ignore[no-any-return]
