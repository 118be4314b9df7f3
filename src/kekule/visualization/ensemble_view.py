"""What ``scores.json`` says of an ensemble: its members, their weights, and its network.

Must not know how members are trained or weighed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kekule.visualization.portion import Interval, real


@dataclass(frozen=True)
class MemberView:
    """One member.

    Attributes
    ----------
    weight
        Mean over the folds.
    kept
        Share of the folds in which it has any.
    shipped_weight
        In the model that is shipped; NaN where that is not told.
    seconds
        Of its training, mean over the folds.
    scores
        Metric to its score alone.
    """

    name: str
    weight: float
    kept: float
    shipped_weight: float
    seconds: float
    scores: dict[str, Interval]


@dataclass(frozen=True)
class EnsembleView:
    """The members, and whether the network among them adds anything.

    Attributes
    ----------
    metric
        The run's primary one.
    own
        Metric to the score of the ensemble.
    network_verdict
        A sentence; empty where there is no network, or nothing else.
    with_network, without_network
        Scores by the metric of the verdict; None likewise.
    left_out
        Members there was no time for.
    """

    metric: str
    own: dict[str, Interval]
    members: tuple[MemberView, ...]
    network_verdict: str = ""
    with_network: Interval | None = None
    without_network: Interval | None = None
    left_out: tuple[str, ...] = ()


def ensemble_of(
    told: Mapping[str, Any], *, metric: str, own: Mapping[str, Mapping[str, Any]]
) -> EnsembleView:
    """Read the part ``ensemble`` of scores; `own` is the part ``metrics``.

    Raises
    ------
    LookupError, TypeError, ValueError
        If a part is not what it should be.
    """
    network = told.get("network") or {}
    return EnsembleView(
        metric=metric,
        own={name: Interval.of(score, "mean") for name, score in own.items()},
        members=tuple(_member(each) for each in told["members"]),
        network_verdict=str(network.get("verdict") or ""),
        with_network=_score(network.get("with")),
        without_network=_score(network.get("without")),
        left_out=tuple(map(str, (told.get("plan") or {}).get("left_out") or ())),
    )


def _member(told: Mapping[str, Any]) -> MemberView:
    return MemberView(
        name=str(told["name"]),
        weight=real(told["weight"]),
        kept=real(told["kept"]),
        shipped_weight=real(told.get("shipped_weight")),
        seconds=real(told.get("seconds")),
        scores={name: Interval.of(score, "mean") for name, score in told["scores"].items()},
    )


def _score(told: Mapping[str, Any] | None) -> Interval | None:
    return None if not told else Interval.of(told, "mean")
