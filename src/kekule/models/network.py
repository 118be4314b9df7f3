"""What every graph network is to the rest of the package: a module with an embedding.

Symbols: B graphs in a batch, H width of a graph's embedding, K classes.
"""

from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from kekule.features import GraphSchema, PackedGraphs
from kekule.models.batch import Batch, Layout, PlainLayout
from kekule.models.encoder import CodeEncoder
from kekule.models.scaling import Scaling


class NetworkSettings(BaseModel):
    """Settings of one network; each network's file extends it beside the network."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = ""  # first of the keys, and each network's own


class Network(nn.Module):
    """Base of the graph networks: a vector a graph, molecule descriptors, a head.

    A subclass names its `Settings`, builds its layers from a schema, calls `build_head`, and
    implements `encode`; `layout` says which batches it reads.
    """

    Settings: ClassVar[type[NetworkSettings]] = NetworkSettings

    settings: Any
    head: nn.Module
    descriptor_scaling: Scaling | None  # set by `build_head`
    n_tasks: int = 1  # T, and
    n_classes: int = 2  # K of each; set by `build_network`

    def __init__(self) -> None:
        super().__init__()
        self.descriptor_scaling = None

    @property
    def width(self) -> int:
        """Columns of the vectors of nodes or bonds, whose products take the time."""
        return int(getattr(self.settings, "hidden", 0))

    def encode(self, batch: Any) -> Tensor:
        """Vector of each graph made of its nodes and edges, float32 (B, H)."""
        raise NotImplementedError

    def layout(self, graphs: PackedGraphs, *, batch_size: int = 64, share: bool = True) -> Layout:
        """Lay graphs out as the batches this network reads are cut.

        With `share` a row may stand for all nodes the network cannot tell apart, in batches
        of about `batch_size` graphs; without, nothing of a graph depends on another one.
        """
        del batch_size, share
        return PlainLayout(graphs)

    def build_head(
        self, schema: GraphSchema, width: int, n_outputs: int, *, hidden: int = 0
    ) -> None:
        """Make `head`, from a vector of `width` and the schema's descriptors to the outputs."""
        n_descriptors = schema.n_graph_attributes
        self.descriptor_scaling = Scaling(n_descriptors, bounded=True) if n_descriptors else None
        width += n_descriptors
        self.head = (
            nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, n_outputs))
            if hidden
            else nn.Linear(width, n_outputs)
        )

    def embed(self, batch: Batch) -> Tensor:
        """Vector of each graph before the head, float32 (B, H + P)."""
        encoded = self.encode(batch)
        if self.descriptor_scaling is None:
            return encoded
        return torch.cat([encoded, self.descriptor_scaling.scaled(batch.descriptors)], dim=1)

    def forward(self, batch: Batch) -> Tensor:
        """Unnormalised log-probabilities, float32 (B, T · K), task by task."""
        logits: Tensor = self.head(self.embed(batch))
        return logits

    def set_scale(self, graphs: PackedGraphs) -> None:
        """Scale attributes and descriptors by `graphs`: those of the training rows."""
        for encoder in self.modules():
            if isinstance(encoder, CodeEncoder):
                of_edges = encoder.part == "edge"
                attributes = graphs.edge_attributes if of_edges else graphs.node_attributes
                encoder.set_scale(torch.from_numpy(np.array(attributes, dtype=np.float32)))
        if self.descriptor_scaling is not None:
            values = np.array(graphs.graph_attributes, dtype=np.float32)
            self.descriptor_scaling.set_scale(torch.from_numpy(values))


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
