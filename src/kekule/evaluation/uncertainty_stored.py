"""Parts of a stored `Uncertainty`, believed only after they were looked at.

They come from a bundle, and a bundle comes from outside. Must not know files.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kekule.evaluation.calibration.calibrator import Calibrator, calibrator_from_json
from kekule.evaluation.conformal import Conformal
from kekule.evaluation.thresholds import Threshold, parse_aim

RANGES: Final = {"hinge": (0.0, 1.0), "margin": (-1.0, 1.0)}  # that a score can have
MOST_COUNTED: Final = 1_000_000_000  # rows that a count may tell of


class Calibration(NamedTuple):
    """All that is stored of one task but its sets."""

    calibrator: Calibrator
    why: str
    threshold: Threshold | None
    n_rows: int


def tasks_in(part: Mapping[str, Any]) -> list[Any]:
    """What a part says of each task: a list of one or more."""
    tasks = part["tasks"]
    if not isinstance(tasks, list) or not tasks:
        raise ValueError("tasks are no list of one or more")
    return tasks


def calibration_in(told: Mapping[str, Any]) -> Calibration:
    """Calibrator and threshold of one task."""
    threshold = None if told["threshold"] is None else _threshold(told["threshold"])
    return Calibration(
        calibrator_from_json(told["calibrator"]),
        text_in(told["why"]),
        threshold,
        _count(told["rows"]),
    )


def conformal_in(told: Mapping[str, Any]) -> Conformal:
    """Sets of one task, of scores that probabilities can have."""
    found = Conformal.from_json(told)
    low, high = RANGES[found.score]
    for score in (score for scores in told["calibration"] for score in scores):
        if type(score) not in (int, float) or not low <= score <= high:
            given = f"the {found.score} score {str(score)[:40]!r}"
            raise ValueError(f"{given} is no number from {low:g} to {high:g}")
    return found


def text_in(value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value


def _threshold(told: Mapping[str, Any]) -> Threshold:
    return Threshold(
        _number(told["value"], 0),
        parse_aim(told["aim"]).text,
        _number(told["reached"], -1),
        _count(told["on_rows"]),
        _number(told["beside"], -1),
        text_in(told["reason"]),
    )


def _number(value: Any, low: float) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not low <= value <= 1:
        raise ValueError(f"{str(value)[:40]} is no number from {low:g} to 1")
    return float(value)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST_COUNTED:
        raise ValueError(f"{str(value)[:40]} is no count")
    return value
