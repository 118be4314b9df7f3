"""What ``examination.json`` holds: the same model asked harder questions.

Read from JSON by `examination_of`; a part that is missing is not shown, one that is there and
cannot be read is an error.

Symbols: B bins of similarity. Must not know how the numbers were made.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kekule.visualization.portion import NAN, Interval, real


@dataclass(frozen=True)
class Rung:
    """One split of the ladder.

    Attributes
    ----------
    split
        Its name.
    edges, counts
        B + 1 limits of the similarity to the nearest training row, and B counts of test rows.
    primary
        The run's model.
    baselines
        Each baseline by name.
    """

    split: str
    edges: tuple[float, ...]
    counts: tuple[float, ...]
    primary: Interval
    baselines: dict[str, Interval]


@dataclass(frozen=True)
class Stage:
    """One size of the training rows; `train_primary` is the score on those very rows, or NaN."""

    share: float
    rows: int
    primary: Interval
    train_primary: float


@dataclass(frozen=True)
class Scrambled:
    """The score with labels dealt anew, and what chance gets (NaN where that is not known)."""

    primary: Interval
    chance: float


@dataclass(frozen=True)
class ExaminationView:
    """Questions that were asked; an empty part was not.

    Attributes
    ----------
    metric
        What every number is of; empty where the file does not say, and then the run's own.
    """

    metric: str
    ladder: tuple[Rung, ...]
    learning: tuple[Stage, ...]
    scrambled: Scrambled | None


def scrambled_verdict(told: ExaminationView, *, lower_is_better: bool) -> str:
    """Say whether something was learnt where nothing can be; empty where that is not known."""
    found = told.scrambled
    if found is None or any(map(math.isnan, (found.chance, found.primary.low))):
        return ""
    over, under = found.primary.low > found.chance, found.primary.high < found.chance
    if not over and not under:
        return "It holds the line."
    if over is lower_is_better:
        return (
            "It lies on the worse side, which is no leak: a test part that happens to hold few of "
            "a class leaves many of it to train on."
        )
    return (
        "It lies there: something was learnt where nothing can be. Look for a leak in the split."
    )


def examination_of(told: Mapping[str, Any], metric: str) -> ExaminationView:
    """Read an examination; `metric` is the run's, where the file names none.

    Raises
    ------
    LookupError, TypeError, ValueError
        If a part is not what it should be.
    """
    scrambled = told.get("scrambled")
    return ExaminationView(
        metric=str(told.get("metric") or metric),
        ladder=tuple(_rung(each) for each in told.get("ladder") or ()),
        learning=tuple(
            sorted(
                (_stage(each) for each in told.get("learning_curve") or ()), key=lambda s: s.rows
            )
        ),
        scrambled=None
        if scrambled is None
        else Scrambled(Interval.of(scrambled["primary"], "mean"), real(scrambled.get("chance"))),
    )


def _rung(told: Mapping[str, Any]) -> Rung:
    histogram = told.get("similarity_histogram") or {"edges": (), "counts": ()}
    edges = tuple(real(edge) for edge in histogram["edges"])
    counts = tuple(real(count) for count in histogram["counts"])
    if (edges or counts) and len(edges) != len(counts) + 1:
        raise ValueError(f"{len(counts)} counts between {len(edges)} edges")
    return Rung(
        str(told["split"]),
        edges,
        counts,
        Interval.of(told["primary"], "mean"),
        {
            str(name): Interval.of(_mean_of(score), "mean")
            for name, score in (told.get("baselines") or {}).items()
        },
    )


def _mean_of(score: Any) -> Mapping[str, Any]:
    """Return a score with its interval; a bare number has none."""
    if isinstance(score, Mapping):
        return score
    return {"mean": score, "low": None, "high": None}


def _stage(told: Mapping[str, Any]) -> Stage:
    train = told.get("train_primary")
    if isinstance(train, Mapping):
        train = train["mean"]
    rows = told["rows"]
    if type(rows) is not int:
        raise TypeError(f"{str(rows)[:40]!r} is no count of rows")
    return Stage(
        real(told["share"]),
        rows,
        Interval.of(told["primary"], "mean"),
        NAN if train is None else real(train),
    )
