"""Numbers of a stored calibrator, believed only after they were looked at.

A calibrator is read from a bundle, and a bundle comes from outside. What is no finite number
in its range is an error that names the key, not a probability that is wrong later on.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.calibration.probabilities import CalibrationError

AGAIN = "Make the calibrator again from its rows."
MOST_CLASSES = 100_000


def number(content: Mapping[str, Any], key: str, low: float, high: float) -> float:
    """A finite number between two others, both included."""
    value = _at(content, key)
    if not _is_number(value) or not low <= value <= high:
        raise CalibrationError(
            f"the stored {key} is {str(value)[:40]}, not a number from {low:g} to {high:g}", AGAIN
        )
    return float(value)


def class_count(content: Mapping[str, Any]) -> int:
    """How many classes the calibrator is for."""
    value = number(content, "n_classes", 2, MOST_CLASSES)
    if value != int(value):
        raise CalibrationError(f"the stored n_classes is {value}, no whole number", AGAIN)
    return int(value)


def rising(
    content: Mapping[str, Any], key: str, length: int | None = None, *, strictly: bool = False
) -> NDArray[np.float64]:
    """Numbers from 0 to 1, none smaller than the one before it."""
    values = _at(content, key)
    numbers = isinstance(values, list) and all(_is_number(v) and 0 <= v <= 1 for v in values)
    if not numbers or length not in (None, len(values)):
        many = "" if length is None else f"{length} "
        raise CalibrationError(f"the stored {key} are not {many}numbers from 0 to 1", AGAIN)
    array = np.array(values, dtype=np.float64)
    steps = np.diff(array)
    if (steps < 0).any() or (strictly and (steps == 0).any()):
        raise CalibrationError(f"the stored {key} do not rise", AGAIN)
    return array


def curves(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Stored curves: one for two classes, or one for each of more."""
    found = _at(content, "curves")
    if not isinstance(found, list) or len(found) in (0, 2) or len(found) > MOST_CLASSES:
        raise CalibrationError(
            "the stored curves are not a list of one, or of one for each of three classes or more",
            AGAIN,
        )
    return found


def _at(content: Any, key: str) -> Any:
    if not isinstance(content, Mapping) or key not in content:
        raise CalibrationError(f"there is no {key} in what is stored", AGAIN)
    return content[key]


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
