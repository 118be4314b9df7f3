"""What every graph network is to the rest of the package: a module with an embedding.

Symbols: B graphs in a batch, H width of a graph's embedding, K classes.
"""

from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from kekule.features import GraphSchema
from kekule.models.batch import GraphBatch
from kekule.models.encoder import CodeEncoder


class NetworkSettings(BaseModel):
    """Settings of one network; each network's file extends it beside the network."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Network(nn.Module):
    """Base of the graph networks: `embed` gives a vector a graph, a linear head the classes.

    A subclass names its `Settings`, builds its layers from a schema and implements `embed`.
    """

    Settings: ClassVar[type[NetworkSettings]] = NetworkSettings

    head: nn.Module

    def embed(self, batch: GraphBatch) -> Tensor:
        """Vector of each graph before the head, float32 (B, H)."""
        raise NotImplementedError

    def forward(self, batch: GraphBatch) -> Tensor:
        """Unnormalised log-probabilities, float32 (B, K)."""
        logits: Tensor = self.head(self.embed(batch))
        return logits

    def set_scale(self, batch: GraphBatch) -> None:
        """Scale attributes by the training rows given as `batch`."""
        for encoder in self.modules():
            if isinstance(encoder, CodeEncoder):
                of_edges = encoder.part == "edge"
                attributes = batch.edge_attributes if of_edges else batch.node_attributes
                encoder.set_scale(attributes)


def node_encoder(schema: GraphSchema, width: int) -> CodeEncoder:
    """Encoder of the schema's nodes."""
    return CodeEncoder(schema.nodes, schema.n_node_attributes, width)


def edge_encoder(schema: GraphSchema, width: int) -> CodeEncoder | None:
    """Encoder of the schema's edges; None where all edges are alike."""
    if not schema.edges and not schema.n_edge_attributes:
        return None
    return CodeEncoder(schema.edges, schema.n_edge_attributes, width, part="edge")


def weights_of(network: Network) -> dict[str, NDArray[np.generic]]:
    """Copy every parameter and buffer out as a NumPy array, by name."""
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def set_weights(network: Network, weights: dict[str, NDArray[np.generic]]) -> None:
    """Put arrays of `weights_of` back; names and shapes must all match."""
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    network.eval()


class LayerSummary(NamedTuple):
    """One parameter array of a network: the layer that owns it, its shape and size."""

    name: str
    kind: str
    shape: tuple[int, ...]
    n_parameters: int


def layers_of(network: Network) -> list[LayerSummary]:
    """Every learned array of a network in the order of its layers."""
    return [
        LayerSummary(name, type(_owner(network, name)).__name__, tuple(p.shape), p.numel())
        for name, p in network.named_parameters()
    ]


def _owner(network: Network, parameter: str) -> nn.Module:
    """Module that holds a parameter: of ``a.b.weight``, ``a.b``."""
    return network.get_submodule(parameter.rpartition(".")[0])
