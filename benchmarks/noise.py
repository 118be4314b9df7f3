"""Whether two models are level: the test that every benchmark with a score is held to.

Scores are paired, fold by fold or split by split; the interval of the mean difference is the
corrected resampled t interval (`kekule.evaluation.comparison`), which allows for folds that
share training rows. Ours is held to be no worse if the difference is less than half the
interval's width below zero, which is to say that the interval does not end below zero.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kekule.evaluation import compare


def difference(ours: Sequence[float], theirs: Sequence[float], n_folds: int) -> dict[str, Any]:
    """Means, and the mean difference with its interval; of a single pair no interval."""
    gaps = np.subtract(ours, theirs)
    found = {"ours": float(np.mean(ours)), "theirs": float(np.mean(theirs))}
    found |= {"difference": float(gaps.mean()), "scores": len(gaps)}
    if len(gaps) > 1:
        d = compare(ours, theirs, n_folds)
        error = float(gaps.std(ddof=1) / np.sqrt(len(gaps)))
        found |= {"low": d.low, "high": d.high, "p": d.p, "standard_error": error}
    return {name: round(value, 4) for name, value in found.items()}


def as_ratio(found: dict[str, Any]) -> dict[str, Any]:
    """The difference in halves of its interval's width, and what it has to be."""
    if "low" not in found:
        return {"median": 0.0, "low": 0.0, "high": 0.0}
    half = (found["high"] - found["low"]) / 2
    # Gaps that are all the same have no width: any of them is then more than noise.
    value = found["difference"] / half if half else 2 * float(np.sign(found["difference"]))
    value = round(value, 3)
    return {"median": value, "low": value - 1, "high": value + 1, "at_least": -1.0}


def told(what: str, found: dict[str, Any]) -> str:
    """The difference in words."""
    interval = f" ({found['low']:+.4f} to {found['high']:+.4f})" if "low" in found else ""
    return (
        f"{what}: ours {found['ours']:.4f}, theirs {found['theirs']:.4f}, "
        f"difference {found['difference']:+.4f}{interval}"
    )
