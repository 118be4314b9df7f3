"""What a run ships and a bundle opens: one network, or an ensemble, asked the same way.

Everything here comes from a bundle or goes into one, so it is looked at before room is made for
it. Symbols: n rows, T tasks, K classes of each.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule._errors import RecipeError
from kekule.features import GraphSchema
from kekule.models import NETWORKS, build_network, shapes_of
from kekule.models.ensemble import Ensemble, restored_ensemble
from kekule.models.ensemble_settings import AUTO
from kekule.models.inference import probabilities
from kekule.models.members.member import Material, Stored
from kekule.models.network import Network, NetworkSettings, set_weights

Arrays = dict[str, NDArray[Any]]


class OneNetwork:
    """A network as a `Trained`: it reads graphs and no fingerprint."""

    needs: tuple[str, ...] = ()

    def __init__(self, network: Network):
        self.network = network

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """Class probabilities of every row, (n, K); of several tasks (n, T, K)."""
        return probabilities(self.network, material.graphs)


Shipped = OneNetwork | Ensemble


def shipped_from(
    settings: dict[str, Any],
    arrays: Arrays,
    *,
    schema: GraphSchema,
    n_classes: int,
    n_tasks: int = 1,
) -> Shipped:
    """Model of its settings, with their ``name``, and its arrays by name.

    Raises
    ------
    RecipeError
        If the settings name no model that is known here.
    ValueError, KeyError, TypeError
        If settings and arrays do not fit each other, the schema or the counts; pydantic's
        ValidationError is a ValueError.
    """
    name = settings.get("name")
    if name == AUTO:
        stored = Stored({k: v for k, v in settings.items() if k != "name"}, arrays)
        return restored_ensemble(stored, schema=schema, n_classes=n_classes, n_tasks=n_tasks)
    if name not in NETWORKS:
        raise RecipeError("model.name", f"{name!r} is unknown here", "Install a newer kekule.")
    kind: NetworkSettings = NETWORKS[name].Settings.model_validate(settings)
    check_arrays(arrays, shapes_of(schema, n_classes, kind, n_tasks=n_tasks))
    network = build_network(schema, n_classes, kind, seed=0, n_tasks=n_tasks)
    set_weights(network, arrays)
    return OneNetwork(network)


def check_arrays(arrays: Arrays, wanted: dict[str, tuple[int, ...]]) -> None:
    """Hold names, shapes and numbers against a network's, before room is made for it."""
    found = {name: array.shape for name, array in arrays.items()}
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise ValueError(
                f"weights.safetensors: array {name!r} is {found.get(name)}, not {wanted.get(name)}"
            )
        if not np.isfinite(arrays[name]).all():
            raise ValueError(
                f"weights.safetensors: array {name!r} holds values that are no numbers"
            )
