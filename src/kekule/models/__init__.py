"""From batches of graphs to class probabilities: networks, baselines, the training loop.

The only part that imports torch and torch_geometric. To add a network, write it in a file
of its own and name it in `NETWORKS`; a baseline likewise in `BASELINES`. The contract tests
find both there.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

import torch

from kekule._errors import RecipeError
from kekule.features import GraphSchema
from kekule.models.attentivefp import AttentiveFP
from kekule.models.baseline import Answer as Answer
from kekule.models.baseline import Baseline as Baseline
from kekule.models.batch import GraphBatch as GraphBatch
from kekule.models.batch import make_batch as make_batch
from kekule.models.dmpnn import DMPNN
from kekule.models.gatv2 import GATv2
from kekule.models.gcn import GCN
from kekule.models.gin import GIN
from kekule.models.gine import GINE
from kekule.models.gps import GPS
from kekule.models.hardware import device_named as device_named
from kekule.models.inference import embeddings as embeddings
from kekule.models.inference import probabilities as probabilities
from kekule.models.network import LayerSummary as LayerSummary
from kekule.models.network import Network as Network
from kekule.models.network import NetworkSettings as NetworkSettings
from kekule.models.network import layers_of as layers_of
from kekule.models.network import set_weights as set_weights
from kekule.models.network import weights_of as weights_of
from kekule.models.pna import PNA
from kekule.models.sage import SAGE
from kekule.models.together import fit_together as fit_together
from kekule.models.train_settings import EpochReport as EpochReport
from kekule.models.train_settings import FitResult as FitResult
from kekule.models.train_settings import TrainSettings as TrainSettings
from kekule.models.training import fit as fit

NETWORKS: dict[str, type[Network]] = {
    "gcn": GCN,
    "gin": GIN,
    "gine": GINE,
    "sage": SAGE,
    "gatv2": GATv2,
    "pna": PNA,
    "dmpnn": DMPNN,
    "attentivefp": AttentiveFP,
    "gps": GPS,
}


class _Fetched(Mapping[str, type[Baseline]]):
    """Baselines by name, each imported when it is asked for: they need scikit-learn."""

    def __init__(self, places: dict[str, tuple[str, str, tuple[str, ...]]]):
        self._places = places

    def __getitem__(self, name: str) -> type[Baseline]:
        module, kind, _ = self._places[name]
        found: type[Baseline] = getattr(import_module(f"{__name__}.{module}"), kind)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def needs(self, name: str) -> tuple[str, ...]:
        """Fingerprints that a baseline is given; without importing it."""
        return self._places[name][2]


BASELINES = _Fetched(
    {
        "majority": ("majority", "Majority", ()),
        "structure-free": ("structure_free", "StructureFree", ()),
        "WL-SVM": ("wl_svm", "WLSVM", ()),
        "WL-LightGBM": ("wl_lightgbm", "WLLightGBM", ()),
        "ECFP-logistic": ("fingerprint_models", "ECFPLogistic", ("ecfp",)),
        "extra-trees": ("fingerprint_models", "ExtraTrees", ("ecfp", "rdkit-descriptors")),
        "LightGBM": ("fingerprint_models", "LightGBM", ("ecfp", "rdkit-descriptors")),
    }
)
OF_GRAPHS = tuple(name for name in BASELINES if not BASELINES.needs(name))
# Counts of patterns are what fingerprints are, and of many molecules far slower.
OF_MOLECULES = tuple(name for name in BASELINES if name != "WL-LightGBM")


def build_network(
    schema: GraphSchema,
    n_classes: int,
    settings: NetworkSettings,
    *,
    seed: int,
    n_tasks: int = 1,
) -> Network:
    """Network named by `settings.name`, with weights drawn from `seed`.

    Of several tasks each has `n_classes` classes.
    """
    made_by = _network_named(settings)
    torch.manual_seed(seed)
    network = made_by(schema, n_tasks * n_classes, settings)
    network.n_tasks, network.n_classes = n_tasks, n_classes
    return network


def shapes_of(
    schema: GraphSchema, n_classes: int, settings: NetworkSettings, *, n_tasks: int = 1
) -> dict[str, tuple[int, ...]]:
    """Shape of every array such a network has, found without making room for one of them.

    Compare it with the arrays at hand before `build_network`, where settings and schema come
    from outside: they may claim more memory than there is.
    """
    made_by = _network_named(settings)
    with torch.device("meta"):
        state = made_by(schema, n_tasks * n_classes, settings).state_dict()
    return {name: tuple(value.shape) for name, value in state.items()}


def _network_named(settings: NetworkSettings) -> Callable[..., Network]:
    name = getattr(settings, "name", None)
    if name not in NETWORKS:
        raise RecipeError(
            "model.name", f"{name!r} is no network", f"Choose one of {', '.join(NETWORKS)}."
        )
    return NETWORKS[name]
