"""From batches of graphs to class probabilities: networks, baselines, the training loop.

The only part that imports torch and torch_geometric. To add a network, write it in a file
of its own and name it in `NETWORKS`; a baseline likewise in `BASELINES`. The contract tests
find both there.
"""

import torch

from kekule._errors import RecipeError
from kekule.features import GraphSchema
from kekule.models.baseline import Answer as Answer
from kekule.models.baseline import Baseline as Baseline
from kekule.models.batch import GraphBatch as GraphBatch
from kekule.models.batch import make_batch as make_batch
from kekule.models.gcn import GCN
from kekule.models.gin import GIN
from kekule.models.inference import embeddings as embeddings
from kekule.models.inference import probabilities as probabilities
from kekule.models.majority import Majority
from kekule.models.network import LayerSummary as LayerSummary
from kekule.models.network import Network as Network
from kekule.models.network import NetworkSettings as NetworkSettings
from kekule.models.network import layers_of as layers_of
from kekule.models.network import set_weights as set_weights
from kekule.models.network import weights_of as weights_of
from kekule.models.structure_free import StructureFree
from kekule.models.training import EpochReport as EpochReport
from kekule.models.training import FitResult as FitResult
from kekule.models.training import TrainSettings as TrainSettings
from kekule.models.training import fit as fit
from kekule.models.wl_svm import WLSVM

NETWORKS: dict[str, type[Network]] = {"gcn": GCN, "gin": GIN}

BASELINES: dict[str, type[Baseline]] = {
    "majority": Majority,
    "structure-free": StructureFree,
    "WL-SVM": WLSVM,
}


def build_network(
    schema: GraphSchema, n_classes: int, settings: NetworkSettings, *, seed: int
) -> Network:
    """Network named by `settings.name`, with weights drawn from `seed`."""
    network = _network_named(settings)
    torch.manual_seed(seed)
    return network(schema, n_classes, settings)


def shapes_of(
    schema: GraphSchema, n_classes: int, settings: NetworkSettings
) -> dict[str, tuple[int, ...]]:
    """Shape of every array such a network has, found without making room for one of them.

    Compare it with the arrays at hand before `build_network`, where settings and schema come
    from outside: they may claim more memory than there is.
    """
    network = _network_named(settings)
    with torch.device("meta"):
        state = network(schema, n_classes, settings).state_dict()
    return {name: tuple(value.shape) for name, value in state.items()}


def _network_named(settings: NetworkSettings) -> type[Network]:
    name = getattr(settings, "name", None)
    if name not in NETWORKS:
        raise RecipeError(
            "model.name", f"{name!r} is no network", f"Choose one of {', '.join(NETWORKS)}."
        )
    return NETWORKS[name]
