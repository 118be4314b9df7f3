"""What an applicability domain is worth: how often a model was wrong inside and outside.

Symbols: B bins of similarity. Must not know models, molecules or storage.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.shares import Share, share


class Gap(NamedTuple):
    """Error rate outside less that inside, with its 95 % interval; None without both."""

    value: float | None
    low: float | None
    high: float | None


class Bin(NamedTuple):
    """Rows of like similarity."""

    low: float  # least and greatest similarity among them
    high: float
    errors: Share


@dataclass(frozen=True)
class DomainWorth:
    """How often a model was wrong inside and outside its domain.

    Attributes
    ----------
    inside, outside
        Wrong answers among the rows there; a row is judged by the domain of its own fold.
    bins
        Up to B bins by similarity, from far to near, with about as many rows each.
    """

    inside: Share
    outside: Share
    bins: tuple[Bin, ...]

    @property
    def gap(self) -> Gap:
        """Difference of the error rates, by Newcombe's square-and-add of Wilson intervals.

        Newcombe 1998, Statistics in Medicine 17:873-890, method 10.
        """
        out, within = _interval(self.outside), _interval(self.inside)
        if out is None or within is None:
            return Gap(None, None, None)
        value = out[0] - within[0]
        below = np.hypot(out[0] - out[1], within[2] - within[0])
        above = np.hypot(out[2] - out[0], within[0] - within[1])
        return Gap(value, value - float(below), value + float(above))

    @property
    def separates(self) -> bool | None:
        """Whether the model is wrong more often outside, by more than noise.

        None if no row, or every row, was outside: then nothing is known.
        """
        low = self.gap.low
        return None if low is None else low > 0

    def to_json(self) -> dict[str, Any]:
        """Nested names and numbers; None where there is no value."""
        return {
            "inside": self.inside._asdict(),
            "outside": self.outside._asdict(),
            "gap": self.gap._asdict(),
            "separates": self.separates,
            "bins": [b._asdict() | {"errors": b.errors._asdict()} for b in self.bins],
        }


def _interval(errors: Share) -> tuple[float, float, float] | None:
    """Rate, low and high; None without rows."""
    if errors.value is None or errors.low is None or errors.high is None:
        return None
    return errors.value, errors.low, errors.high


def worth_of_counts(counts: NDArray[np.int64], bins: NDArray[np.float64]) -> DomainWorth:
    """Restore a worth from wrong answers and rows, int64 (2 + B, 2), and limits of the bins."""
    if (counts[:, 0] < 0).any() or (counts[:, 0] > counts[:, 1]).any():
        raise ValueError("more wrong answers than rows")
    inside, outside, *errors = (share(hits, n) for hits, n in counts.tolist())
    limits = bins.reshape(len(errors), 2).tolist()
    curve = (Bin(low, high, e) for (low, high), e in zip(limits, errors, strict=True))
    return DomainWorth(inside, outside, tuple(curve))
