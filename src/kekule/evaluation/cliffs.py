"""Activity cliffs: rows that are all but the same and have different classes.

A model that answers by likeness must fail on one of two such rows, so they show what it has
learnt beside likeness; or they show labels that are wrong. Found without a list of all pairs:
a row lies on a cliff if the nearest row of another class is near enough.

Near enough is a min-max similarity of `CLIFF` or more of counts of circular substructures
(ECFP4). That is the first of the three similarities of van Tilborg et al. 2022, who take pairs
above 0.9 in any of three and a tenfold difference of potency; classes have no tenfold, and
counts differ where bits agree, hence the lower limit. With other counts, such as subtree
patterns of graphs, the limit means something else. Stereoisomers are the same here, since ECFP4
does not see stereo: where it decides the class, they are found as cliffs.

Symbols: R rows, W columns of counts. Below: `kekule.features.similarity`. Must not know models,
molecules or pictures.

References
----------
Maggiora 2006, On Outliers and Activity Cliffs, J. Chem. Inf. Model. 46:1535,
https://doi.org/10.1021/ci060117s. Van Tilborg, Alenicheva & Grisoni 2022, Exposing the
Limitations of Molecular Machine Learning with Activity Cliffs, J. Chem. Inf. Model.
62:5938-5951, https://doi.org/10.1021/acs.jcim.2c01073.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.domain_worth import DomainWorth, Gap
from kekule.evaluation.shares import Share, share
from kekule.features.similarity import nearest

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

CLIFF: Final = 0.8  # similarity from which two rows of different classes are a cliff
LIMITS: Final = (0.0, 0.6, 0.7, 0.8, 0.9)  # lower ends of the steps errors are counted in
ROUNDING: Final = 1e-6  # of a similarity in float32

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


class CliffError(KekuleError, ValueError):
    """Rows among which no cliff can be looked for."""

    def __init__(self, what: str, why: str, cure: str):
        super().__init__(f"cliffs: {what}: {why}. {cure}")
        self.what, self.why, self.cure = what, why, cure


class Opposites(NamedTuple):
    """The nearest row of another class.

    Attributes
    ----------
    similarity
        float64 (R,), 0 to 1; NaN where no row of another class is there, or none was asked for.
    rows
        int64 (R,); -1 likewise.
    """

    similarity: Floats
    rows: Rows


class CliffStep(NamedTuple):
    """Rows whose nearest row of another class is about as near: from `low`, below `high`."""

    low: float
    high: float
    errors: Share


class CliffErrors(NamedTuple):
    """Wrong answers on rows that lie on a cliff, and on all others.

    Attributes
    ----------
    on, off
        Wrong answers among the rows there.
    gap
        Error rate on cliffs less that of the others, with a 95 % interval (Newcombe 1998).
    steps
        The same by similarity, from far to near; those without rows are left out. The last
        holds 1 itself.
    """

    on: Share
    off: Share
    gap: Gap
    steps: tuple[CliffStep, ...]


class CliffPair(NamedTuple):
    """Two rows of different classes, `first` the smaller number."""

    first: int
    second: int
    similarity: float


def opposites(counts: "Counts", truth: Rows, *, asked: Rows | None = None) -> Opposites:
    """Find for each row the nearest one of another class.

    Parameters
    ----------
    counts
        (R, W) whole numbers from 0, dense or sparse.
    truth
        int64 (R,), class numbers; -1 where a row has no class: it is nobody's opposite.
    asked
        int64, rows to find one for, each once; all where not given. Time grows with their
        number times R.

    Raises
    ------
    CliffError
        If there is not one class a row.
    kekule.features.similarity.SimilarityError
        If the rows are no counts.
    """
    from scipy import sparse

    matrix = sparse.csr_matrix(counts)
    if truth.shape != (matrix.shape[0],):
        why = f"shape {truth.shape} for {matrix.shape[0]} rows"
        raise CliffError("truth", why, "Give one class number a row.")
    asked = np.arange(len(truth)) if asked is None else asked
    found = Opposites(np.full(len(truth), np.nan), np.full(len(truth), -1))
    for of in np.unique(truth[asked]):
        ours = asked[truth[asked] == of]
        theirs = np.flatnonzero((truth != of) & (truth >= 0))
        if of < 0 or not len(theirs):
            continue
        near = nearest(matrix[ours], matrix[theirs])
        found.similarity[ours] = near.similarity[:, 0]
        found.rows[ours] = theirs[near.rows[:, 0]]
    return found


def on_cliff(similarity: Floats, limit: float = CLIFF) -> NDArray[np.bool_]:
    """Whether each row lies on a cliff; NaN does not."""
    return np.asarray(similarity >= limit - ROUNDING, dtype=np.bool_)


def cliff_errors(
    similarity: Floats, wrong: NDArray[np.bool_], *, limit: float = CLIFF
) -> CliffErrors:
    """Count wrong answers on cliffs and elsewhere.

    Of two rows on one cliff a model that cannot tell them apart gets one right, so near 50 %
    is what blindness looks like. Rows count as independent; those of one cliff are not, and
    the interval is a little too narrow.

    Parameters
    ----------
    similarity, wrong
        (R,) each: of `opposites`, and whether the row was given another class than its own.
        Rows of NaN similarity are left out.
    limit
        From which similarity a pair is a cliff.
    """
    known = ~np.isnan(similarity)
    similarity, wrong = similarity[known], wrong[known]
    there = on_cliff(similarity, limit)
    on, off = _errors(wrong[there]), _errors(wrong[~there])
    step = np.searchsorted(np.array(LIMITS), similarity + ROUNDING, side="right") - 1
    steps = tuple(
        CliffStep(low, high, _errors(wrong[step == k]))
        for k, (low, high) in enumerate(pairwise((*LIMITS, 1.0)))
        if k in step
    )
    gap = DomainWorth(inside=off, outside=on, bins=()).gap  # the same difference of two shares
    return CliffErrors(on, off, gap, steps)


def worst_pairs(
    found: Opposites, chance: Floats, at_most: int, *, limit: float = CLIFF
) -> list[CliffPair]:
    """Cliffs on which the two rows got the least probability for their own classes together.

    A model that sees no difference gives the two 1 together, whatever it gives; less says
    that it took each for the other.

    Parameters
    ----------
    found
        Of `opposites`.
    chance
        float64 (R,), probability given to each row's own class; NaN where it has no answer. It
        then counts as a half, and a pair in which neither has one is left out.
    at_most
        Pairs wanted.
    limit
        As of `cliff_errors`.
    """
    ours = np.flatnonzero(on_cliff(found.similarity, limit))
    pairs = np.sort(np.stack([ours, found.rows[ours]], axis=1), axis=1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    alike = found.similarity[ours[first]]
    answered = ~np.isnan(chance[pairs]).all(axis=1)
    pairs, alike = pairs[answered], alike[answered]
    together = np.nan_to_num(chance[pairs], nan=0.5).sum(axis=1)
    order = np.lexsort([pairs[:, 0], -alike, together])[:at_most]
    return [
        CliffPair(int(a), int(b), float(s))
        for (a, b), s in zip(pairs[order].tolist(), alike[order].tolist(), strict=True)
    ]


def _errors(wrong: NDArray[np.bool_]) -> Share:
    return share(int(wrong.sum()), len(wrong))
