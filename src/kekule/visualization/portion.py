"""A share of rows with its interval, as figures and page show it.

Knows nothing but numbers and how they are written.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAN = float("nan")


@dataclass(frozen=True)
class Portion:
    """`hits` of `n` rows; `value`, `low` and `high` are NaN where n is 0."""

    hits: int
    n: int
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Portion":
        """Read what ``kekule.evaluation.shares.Share._asdict()`` gave, None for no value."""
        return cls(
            int(told["hits"]),
            int(told["n"]),
            *(real(told[key]) for key in ("value", "low", "high")),
        )

    @property
    def reach(self) -> tuple[float, float]:
        """How far the interval goes below and above the value."""
        return self.value - self.low, self.high - self.value


@dataclass(frozen=True)
class Interval:
    """A number with its interval; NaN where there is none."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, told: Mapping[str, Any], value: str = "value") -> "Interval":
        """Read a mapping with `value`, ``low`` and ``high``, None for no number."""
        return cls(real(told[value]), real(told["low"]), real(told["high"]))


def real(value: Any) -> float:
    """Return a number of JSON as one; NaN for none, and an error for anything but a number."""
    if value is None:
        return NAN
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return float(value)


def percent(value: float, digits: int = 1) -> str:
    """Write a share as a reader says it."""
    return (
        "undefined" if math.isnan(value) else f"{value:.{digits}%}".replace("-", "\N{MINUS SIGN}")
    )
