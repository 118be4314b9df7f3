"""Where to cut a probability into yes and no, by what the user wants of the answer.

One half is the right cut only where a false alarm and a miss cost the same and probabilities
mean what they say. Choose the cut on rows the model was not trained on, its out-of-fold
predictions for one, and never on those it is judged by: what it reaches on the rows it was
chosen on is a little too good.

A row is called positive if its probability is at least the threshold. Cuts lie half-way
between two neighbouring scores, so that a new row that falls close to an old one is called
alike; two more, half-way from the outermost scores to 0 and to 1, call all rows alike.

Symbols: n rows, c cuts. Knows NumPy; must not know models or where probabilities came from.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError

DIGITS = 12  # of a score; what lies beyond is rounding

Values = NDArray[np.float64]  # (c,), NaN where a score is undefined at a cut


class ThresholdError(KekuleError, ValueError):
    """An aim that does not exist, or rows no threshold can be chosen on."""

    def __init__(self, why: str, cure: str):
        super().__init__(f"threshold: {why}. {cure}")
        self.why, self.cure = why, cure


class Counts(NamedTuple):
    """Rows of each kind at each cut, float64 (c,)."""

    true_positive: Values
    false_positive: Values
    true_negative: Values
    false_negative: Values


def _accuracy(at: Counts) -> Values:
    return _share(at.true_positive + at.true_negative, at.false_positive + at.false_negative)


def _recall(at: Counts) -> Values:
    return _share(at.true_positive, at.false_negative)


def _precision(at: Counts) -> Values:
    return _share(at.true_positive, at.false_positive)


def _specificity(at: Counts) -> Values:
    return _share(at.true_negative, at.false_positive)


def _npv(at: Counts) -> Values:
    return _share(at.true_negative, at.false_negative)


def _balanced_accuracy(at: Counts) -> Values:
    return (_recall(at) + _specificity(at)) / 2


def _f1(at: Counts) -> Values:
    return _share(2 * at.true_positive, at.false_positive + at.false_negative)


def _mcc(at: Counts) -> Values:
    tp, fp, tn, fn = at
    spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return _ratio(tp * tn - fp * fn, spread)


def _share(part: Values, rest: Values) -> Values:
    return _ratio(part, part + rest)


def _ratio(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


class Bounded(NamedTuple):
    """A score that must reach a bound, and the one that is then made as large as can be."""

    bound: Callable[[Counts], Values]
    largest: Callable[[Counts], Values]
    meaning: str


LARGEST: dict[str, Callable[[Counts], Values]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "mcc": _mcc,
}
AT_LEAST: dict[str, Bounded] = {
    "precision": Bounded(_precision, _recall, "largest recall"),
    "recall": Bounded(_recall, _precision, "largest precision"),
    "npv": Bounded(_npv, _specificity, "largest specificity"),
}
_BOUND = re.compile(rf"({'|'.join(AT_LEAST)})>=(0\.\d+|1(?:\.0+)?)\Z", flags=re.ASCII)


class Aim(NamedTuple):
    """What is wanted: the largest value of a score, or one that reaches a bound.

    Attributes
    ----------
    name
        In `LARGEST` where there is no bound, in `AT_LEAST` where there is.
    at_least
        The bound, above 0 and up to 1; None where there is none.
    text
        As it was written.
    """

    name: str
    at_least: float | None
    text: str


@dataclass(frozen=True)
class Threshold:
    """A cut and what it reaches on the rows it was chosen on.

    Attributes
    ----------
    value
        A row is called positive from here on; None if the aim cannot be reached.
    aim
        As it was written.
    reached
        Value of the score the aim names; None if there is none.
    on_rows
        n.
    beside
        Under a bound, the score that was made as large as can be: recall for a precision,
        precision for a recall, specificity for a negative predictive value. Else None.
    reason
        Why there is no value; empty where there is one.
    """

    value: float | None
    aim: str
    reached: float | None
    on_rows: int
    beside: float | None = None
    reason: str = ""


def parse_aim(text: str) -> Aim:
    """Read an aim: a score by name, or ``precision>=0.8`` and the like.

    Raises
    ------
    ThresholdError
        If it is written in any other way; lists the aims.
    """
    if isinstance(text, str) and text in LARGEST:
        return Aim(text, None, text)
    match = _BOUND.match(text) if isinstance(text, str) else None
    bound = float(match[2]) if match else 0.0
    if match is None or bound == 0:
        bounds = ", ".join(f"{name}>=0.8 ({b.meaning})" for name, b in AT_LEAST.items())
        raise ThresholdError(
            f"{text!r} is no aim",
            f"Use {', '.join(LARGEST)}, or a bound above 0 and up to 1, without spaces: {bounds}.",
        )
    return Aim(match[1], bound, text)


def choose_threshold(
    probability_of_positive: NDArray[np.float64], truth: NDArray[np.int64], aim: str
) -> Threshold:
    """Cut that serves the aim best on the rows given, whatever their order.

    Of cuts that serve it alike, one that is better beside it is taken, then the one nearest
    one half, then the lower.

    Parameters
    ----------
    probability_of_positive
        float64 (n,); or (n, K), whose last column of two is taken. Of more than two classes
        the most probable one is the answer and there is nothing to cut: ``accuracy`` alone is
        an aim, and has no value.
    truth
        int64 (n,), class numbers from 0.
    aim
        See `parse_aim`.

    Returns
    -------
    Threshold
        Without a value where no cut reaches the bound, and where all rows have one class or
        one score, which tell of no cut.

    Raises
    ------
    ThresholdError
        If the aim does not exist or is not for so many classes, or the rows are not numbers
        from 0 to 1 and classes.
    """
    wanted = parse_aim(aim)
    given = np.asarray(probability_of_positive, dtype=np.float64)
    classes = _checked(given, truth)
    n = len(classes)
    if given.ndim == 2 and given.shape[1] > 2:
        return _most_probable(given, classes, wanted)
    scores, positive = given if given.ndim == 1 else given[:, 1], classes == 1
    if len(np.unique(positive)) < 2:
        return Threshold(None, aim, None, n, reason=f"all {n} rows are of one class")
    if len(np.unique(scores)) < 2:
        return Threshold(None, aim, None, n, reason=f"all {n} rows have one score")
    cuts, at = _cuts(scores, positive)
    if wanted.at_least is None:
        reached = LARGEST[wanted.name](at)
        best = _first(cuts, reached)
        return Threshold(float(cuts[best]), aim, float(reached[best]), n)
    return _under_bound(cuts, at, wanted, wanted.at_least, n)


def _under_bound(cuts: Values, at: Counts, aim: Aim, bound: float, n: int) -> Threshold:
    scores = AT_LEAST[aim.name]
    reached, beside = scores.bound(at), scores.largest(at)
    allowed = (reached >= bound) & ~np.isnan(beside)
    if not allowed.any():
        most = float(np.nanmax(reached))
        why = f"on {n} rows no cut has {aim.name} {bound:g}; the most is {most:.3f}"
        return Threshold(None, aim.text, None, n, reason=why)
    best = _first(cuts, np.where(allowed, beside, np.nan), reached)
    return Threshold(
        float(cuts[best]), aim.text, float(reached[best]), n, beside=float(beside[best])
    )


def _first(cuts: Values, *by: Values) -> int:
    """Cut largest by the first values, ties by the next, then nearest one half, then lowest."""
    falling = [np.where(np.isnan(values), np.inf, -values).round(DIGITS) for values in by]
    return int(np.lexsort([cuts, np.abs(cuts - 0.5), *reversed(falling)])[0])


def _cuts(scores: Values, positive: NDArray[np.bool_]) -> tuple[Values, Counts]:
    """Cuts, rising, and what they make of the rows."""
    values, place = np.unique(scores, return_inverse=True)
    ups = np.bincount(place, weights=positive)
    downs = np.bincount(place) - ups
    below, above = np.append(0.0, values), np.append(values, 1.0)
    middle = (below + above) / 2
    cuts = np.where(middle > below, middle, above)  # no number lies between two neighbours
    missed, spared = (np.append(0.0, np.cumsum(counts)) for counts in (ups, downs))
    at = Counts(ups.sum() - missed, downs.sum() - spared, spared, missed)
    if values[-1] == 1:  # a row that is sure is called positive by any cut up to 1
        return cuts[:-1], Counts(*(counts[:-1] for counts in at))
    return cuts, at


def _most_probable(given: Values, classes: NDArray[np.int64], aim: Aim) -> Threshold:
    n, n_classes = given.shape
    if aim.name != "accuracy":
        raise ThresholdError(
            f"{aim.text!r} is an aim for two classes, and there are {n_classes}",
            "Use accuracy, which takes the most probable class.",
        )
    hits = float((given.argmax(1) == classes).mean())
    reason = f"of {n_classes} classes the most probable is taken"
    return Threshold(None, aim.text, hits, n, reason=reason)


def _checked(given: Values, truth: Any) -> NDArray[np.int64]:
    """Class numbers of the rows, or an error that says what is wrong with either."""
    classes = np.asarray(truth)
    n_classes = given.shape[1] if given.ndim == 2 else 2
    if given.ndim not in (1, 2) or n_classes < 2 or not len(given):
        raise ThresholdError(
            f"probabilities have shape {given.shape}",
            "Give (n,) of the positive class or (n, K), of one row or more.",
        )
    if classes.shape != given.shape[:1] or not np.issubdtype(classes.dtype, np.integer):
        raise ThresholdError(
            f"there are {len(given)} rows and classes of shape {classes.shape}, {classes.dtype}",
            "Give one whole class number for each row.",
        )
    bad = (classes < 0) | (classes >= n_classes)
    bad |= ~((given >= 0) & (given <= 1)).reshape(len(given), -1).all(1)
    if bad.any():
        row = int(bad.argmax())
        raise ThresholdError(
            f"row {row} has class {classes[row]} and probability {given[row]!s}",
            f"Classes go from 0 to {n_classes - 1} and probabilities from 0 to 1; leave out rows "
            "without a label or a prediction.",
        )
    return classes.astype(np.int64)
