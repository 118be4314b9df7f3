"""What ``scores.json`` says of a single answer: calibration, threshold, sets, domain.

Read from JSON by `uncertainty_of`. A part that could not be told has a reason in its place.

Symbols: B bins. Must not know how the numbers were made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kekule.visualization.portion import Interval, Portion, real

Scores = dict[str, float]


@dataclass(frozen=True)
class Reliability:
    """Probabilities said and what came of them, float (B,) each; intervals are 95 %."""

    said: tuple[float, ...]
    found: tuple[float, ...]
    counts: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class CalibrationView:
    """Probabilities as the model gives them, and put right.

    Attributes
    ----------
    setting
        What was asked for.
    folds
        Calibrator to the number of folds that chose it.
    before, after
        Metric to score.
    before_bins, after_bins
        Reliability of the same.
    """

    setting: str
    folds: dict[str, int]
    before: Scores
    after: Scores
    before_bins: Reliability
    after_bins: Reliability


@dataclass(frozen=True)
class ThresholdView:
    """A cut chosen for an aim, one a fold (NaN where a fold found none)."""

    aim: str
    chosen: tuple[float, ...]
    scores: Scores
    most_probable: Scores


@dataclass(frozen=True)
class SetLine:
    """Sets at one confidence on some rows: of all, or of one class."""

    name: str
    covered: Portion
    mean_size: float
    singletons: Portion
    singletons_right: Portion
    empty: Portion


@dataclass(frozen=True)
class SetsView:
    """Prediction sets at one confidence: of all rows, then of each class."""

    confidence: float
    lines: tuple[SetLine, ...]


@dataclass(frozen=True)
class DomainView:
    """How often the model was wrong inside and outside its domain.

    Attributes
    ----------
    similarity
        What is compared, in words.
    k, threshold
        Mean similarity to the k nearest training rows from which a row is inside.
    separates
        Whether it is wrong more often outside by more than noise; None where that is not known.
    bins
        Least and greatest similarity, and the errors there, from far to near.
    """

    similarity: str
    k: int
    threshold: float
    inside: Portion
    outside: Portion
    gap: Interval
    separates: bool | None
    bins: tuple[tuple[float, float, Portion], ...]


@dataclass(frozen=True)
class ShippedView:
    """What the model that is shipped was given.

    Attributes
    ----------
    calibrator, why
        Which one, and why it.
    rows
        It was fitted on.
    threshold, reason
        NaN where the most probable class is given; then the reason, empty if none was asked for.
    """

    calibrator: str
    why: str
    rows: int
    threshold: float
    reason: str


@dataclass(frozen=True)
class TaskUncertaintyView:
    """One task; a part is None where it was not asked for, a text where it could not be told.

    Attributes
    ----------
    name
        Of the task; empty where there is one.
    calibration, threshold, sets
        See there.
    calibration_rows
        Class to the rows its sets were calibrated with, mean over the folds.
    shipped
        None where that is not told.
    """

    name: str
    calibration: CalibrationView | str | None
    threshold: ThresholdView | str | None
    sets: tuple[SetsView, ...] | str
    calibration_rows: dict[str, float]
    shipped: ShippedView | None


@dataclass(frozen=True)
class UncertaintyView:
    """All tasks and what they share.

    Attributes
    ----------
    domain
        A text where there is a reason instead, None where nothing is told.
    fitted_on
        Rows the parts of the shipped model were fitted on, in words; empty where not told.
    """

    tasks: tuple[TaskUncertaintyView, ...]
    domain: DomainView | str | None
    fitted_on: str


SIMILARITIES = {
    "ecfp": "circular substructures (ECFP4 counts)",
    "wl": "subtree patterns of the graph (Weisfeiler–Lehman)",
}


def uncertainty_of(
    told: Mapping[str, Any], *, classes: tuple[str, ...], tasks: Mapping[str, tuple[str, ...]]
) -> UncertaintyView:
    """Read the part ``uncertainty`` of scores.

    Parameters
    ----------
    classes, tasks
        Class names in the order of their numbers; of several tasks those of each.

    Raises
    ------
    LookupError, TypeError, ValueError
        If a part is not what it should be.
    """
    parts = told["tasks"] if tasks else {"": told}
    shipped = told.get("shipped") or {}
    of_tasks = (shipped.get("tasks") or {}) if tasks else {"": shipped}
    named = dict(tasks) if tasks else {"": classes}
    return UncertaintyView(
        tuple(_task(name, parts[name], named[name], of_tasks.get(name)) for name in named),
        _domain(told.get("domain")),
        str(shipped.get("fitted_on") or ""),
    )


def _task(
    name: str,
    told: Mapping[str, Any],
    classes: tuple[str, ...],
    shipped: Mapping[str, Any] | None,
) -> TaskUncertaintyView:
    calibration, threshold = told.get("calibration"), told.get("threshold")
    sets = told.get("conformal")
    rows = {} if sets is None else sets.get("calibration_rows", {})
    return TaskUncertaintyView(
        name,
        _why_not(calibration) or (None if calibration is None else _calibration(calibration)),
        _why_not(threshold) or (None if threshold is None else _threshold(threshold)),
        _why_not(sets) or (() if sets is None else tuple(_sets(s, classes) for s in sets["sets"])),
        {classes[int(number)]: real(count) for number, count in rows.items()},
        _shipped(shipped) if shipped else None,
    )


def _shipped(told: Mapping[str, Any]) -> ShippedView:
    return ShippedView(
        str(told["calibrator"]),
        str(told["why"]),
        int(told["rows"]),
        real(told["threshold"]),
        str(told["threshold_reason"]),
    )


def _why_not(told: Mapping[str, Any] | None) -> str:
    return "" if told is None else str(told.get("why_not") or "")


def _calibration(told: Mapping[str, Any]) -> CalibrationView:
    return CalibrationView(
        str(told["setting"]),
        {str(name): int(count) for name, count in told["folds"].items()},
        _scores(told["before"]),
        _scores(told["after"]),
        _reliability(told["reliability"]["before"]),
        _reliability(told["reliability"]["after"]),
    )


def _threshold(told: Mapping[str, Any]) -> ThresholdView:
    return ThresholdView(
        str(told["aim"]),
        tuple(real(value) for value in told["chosen"]),
        _scores(told["scores"]),
        _scores(told["most_probable"]),
    )


def _sets(told: Mapping[str, Any], classes: tuple[str, ...]) -> SetsView:
    lines = {"all rows": told["overall"]}
    lines |= {classes[int(number)]: of_class for number, of_class in told["classes"].items()}
    return SetsView(
        real(told["confidence"]), tuple(_set_line(name, line) for name, line in lines.items())
    )


def _set_line(name: str, told: Mapping[str, Any]) -> SetLine:
    return SetLine(
        name,
        Portion.of(told["covered"]),
        real(told["mean_size"]),
        Portion.of(told["singletons"]),
        Portion.of(told["singletons_right"]),
        Portion.of(told["empty"]),
    )


def _domain(told: Mapping[str, Any] | None) -> DomainView | str | None:
    if told is None or _why_not(told):
        return None if told is None else _why_not(told)
    separates = told["separates"]
    if separates not in (True, False, None):
        raise ValueError(f"{separates!r} is no answer to whether the domain separates")
    kind = str(told["similarity"])
    return DomainView(
        SIMILARITIES.get(kind, kind),
        int(told["k"]),
        real(told["threshold"]),
        Portion.of(told["inside"]),
        Portion.of(told["outside"]),
        Interval.of(told["gap"]),
        separates,
        tuple((real(b["low"]), real(b["high"]), Portion.of(b["errors"])) for b in told["bins"]),
    )


def _scores(told: Mapping[str, Any]) -> Scores:
    return {str(name): real(value) for name, value in told.items()}


def _reliability(told: Any) -> Reliability:
    if wrong := [each for each in told if len(each) != 5]:
        raise ValueError(f"a bin of {len(wrong[0])} numbers")
    return Reliability(*(tuple(real(each[k]) for each in told) for k in range(5)))
