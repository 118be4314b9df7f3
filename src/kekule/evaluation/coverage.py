"""What prediction sets turned out to be worth on rows whose class is known.

Symbols: n rows, K classes. Must not know models, storage or class names.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.evaluation.conformal import ConformalError, class_numbers
from kekule.evaluation.metrics import Labels
from kekule.evaluation.shares import Share, share


class SetSummary(NamedTuple):
    """What sets are like on some rows.

    Attributes
    ----------
    covered
        Sets that hold the true class.
    mean_size
        Classes in a set; None without rows.
    singletons, empty
        Sets of one class, and of none.
    singletons_right
        Of the sets of one class, those whose class is true. No confidence promises this: at
        90 %, if half of all sets are single, up to a fifth of those may be wrong.
    """

    covered: Share
    mean_size: float | None
    singletons: Share
    empty: Share
    singletons_right: Share


@dataclass(frozen=True)
class Coverage:
    """Sets against the truth: on all rows, and on the rows of each class, K of them."""

    overall: SetSummary
    classes: tuple[SetSummary, ...]

    def to_json(self) -> dict[str, Any]:
        """Nested names and numbers; None where there is no value."""
        return {"overall": _told(self.overall), "classes": [_told(c) for c in self.classes]}


def coverage(sets: NDArray[np.bool_], truth: Labels) -> Coverage:
    """Measure sets on rows that did not calibrate them.

    Parameters
    ----------
    sets, truth
        bool (n, K), of `Conformal.sets`, and int (n,).

    Raises
    ------
    ConformalError
        If a class number has no column, or the sets are no bool (n, K).
    """
    sets = np.asarray(sets)
    if sets.ndim != 2 or sets.dtype != np.bool_:
        raise ConformalError("sets", f"{sets.dtype} {sets.shape}", "Give bool (n, K).")
    truth = class_numbers(truth, *sets.shape)
    of_class = [_summary(sets[truth == k], truth[truth == k]) for k in range(sets.shape[1])]
    return Coverage(_summary(sets, truth), tuple(of_class))


def _summary(sets: NDArray[np.bool_], truth: Labels) -> SetSummary:
    n, size = len(truth), sets.sum(1)
    right, single = sets[np.arange(n), truth], size == 1
    return SetSummary(
        share(int(right.sum()), n),
        float(size.mean()) if n else None,
        share(int(single.sum()), n),
        share(int((size == 0).sum()), n),
        share(int((right & single).sum()), int(single.sum())),
    )


def _told(summary: SetSummary) -> dict[str, Any]:
    return {
        name: value._asdict() if isinstance(value, Share) else value
        for name, value in summary._asdict().items()
    }
