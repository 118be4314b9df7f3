"""Members that answer together: the weighted mean of their probabilities.

Symbols: n rows, M members, T tasks, K classes of each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.features import GraphSchema
from kekule.models.members import restored
from kekule.models.members.contents import prefixed
from kekule.models.members.member import Material, Stored, Trained

KIND = "ensemble"
MOST_PARTS, MOST_TRAININGS = 100, 1000


@dataclass(frozen=True, eq=False)
class Part:
    """One member, which may have been trained several times.

    Attributes
    ----------
    name
        Of the member, in `kekule.models.members.MEMBERS`.
    weights
        float64 (T,), what it counts in each task; of one task (1,).
    trained
        Its trainings, whose answers are averaged.
    """

    name: str
    weights: NDArray[np.float64]
    trained: tuple[Trained, ...]

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """Mean of its trainings, (n, K) or (n, T, K)."""
        each = np.stack([one.probabilities(material) for one in self.trained])
        return np.asarray(each.mean(axis=0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members with their weights; itself a `Trained`.

    Attributes
    ----------
    parts
        At least one, and in each task at least one with a weight.
    """

    parts: tuple[Part, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints that some member reads."""
        needed = [name for part in self.parts for one in part.trained for name in one.needs]
        return tuple(dict.fromkeys(needed))

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """Class probabilities of every row, (n, K); of several tasks (n, T, K)."""
        total: Any = 0.0
        for part in self.parts:
            answers = part.probabilities(material)
            weights = part.weights[0] if answers.ndim == 2 else part.weights[:, None]
            total = total + weights * answers
        found: NDArray[np.float64] = total / total.sum(axis=-1, keepdims=True)
        return found

    def stored(self) -> Stored:
        """Arrays of all members, each behind the numbers of its member and training."""
        arrays: dict[str, NDArray[Any]] = {}
        told = []
        for m, part in enumerate(self.parts):
            trainings = []
            for k, one in enumerate(part.trained):
                settings, own = one.stored()
                trainings.append(settings)
                arrays |= prefixed(f"{m}.{k}.", own)
            told.append(
                {"name": part.name, "weights": part.weights.tolist(), "trained": trainings}
            )
        return Stored({"kind": KIND, "members": told}, arrays)


def restored_ensemble(
    stored: Stored, *, schema: GraphSchema, n_classes: int, n_tasks: int = 1
) -> Ensemble:
    """Ensemble of what `Ensemble.stored` gave, looked at before it is believed.

    Raises
    ------
    ValueError, KeyError, TypeError
        If a part is missing, too much, or no such thing.
    """
    members = stored.settings["members"]
    if not isinstance(members, list) or not 0 < len(members) <= MOST_PARTS:
        raise ValueError("members are no list of at least one")
    left: dict[tuple[str, str], dict[str, NDArray[Any]]] = {}
    for place, array in stored.arrays.items():
        of_member, of_training, name = place.split(".", 2)
        left.setdefault((of_member, of_training), {})[name] = array
    parts = []
    for m, told in enumerate(members):
        trained = []
        if not isinstance(told["trained"], list) or len(told["trained"]) > MOST_TRAININGS:
            raise ValueError(f"member {m}: its trainings are no list")
        for k, settings in enumerate(told["trained"]):
            own = left.pop((str(m), str(k)), {})
            trained.append(
                restored(
                    Stored(settings, own), schema=schema, n_classes=n_classes, n_tasks=n_tasks
                )
            )
        if not all(type(weight) is float for weight in told["weights"]):
            raise ValueError(f"member {m}: a weight is no number")
        weights = np.asarray(told["weights"], dtype=np.float64)
        _check(m, weights, trained, n_tasks)
        parts.append(Part(str(told["name"]), weights, tuple(trained)))
    if left:
        raise ValueError(f"arrays of {'.'.join(min(left))!r} belong to no member")
    total = np.sum([part.weights for part in parts], axis=0)
    if not np.allclose(total, 1, atol=1e-6):
        raise ValueError(f"weights of the members sum to {total.tolist()}, not to 1")
    return Ensemble(tuple(parts))


def _check(m: int, weights: NDArray[np.float64], trained: list[Trained], n_tasks: int) -> None:
    if not trained:
        raise ValueError(f"member {m} was never trained")
    if weights.shape != (n_tasks,) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"member {m}: weights {weights.tolist()} are not {n_tasks} numbers from 0"
        )
