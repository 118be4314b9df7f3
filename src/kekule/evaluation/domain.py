"""How near a prediction is to what the model was trained on, and what that is worth.

A model is more often wrong on molecules unlike those it has seen; or so it is said. How much
more depends on the data and on the measure of likeness, and on some sets not at all. So a
domain raises no flag until it holds what the flag was worth on rows whose truth is known:
how often the model was wrong inside and outside, under cross-validation.

Any rows of counts will do: fingerprints of molecules, or subtree patterns of other graphs.

Symbols: n queries, m training rows, W columns, B bins of similarity. Below:
`kekule.features.similarity`. Must not know models, molecules or storage.

References
----------
Sheridan et al. 2004, Similarity to molecules in the training set is a good discriminator for
prediction accuracy in QSAR, https://doi.org/10.1021/ci049782w. OECD 2007, Guidance document
on the validation of (Q)SAR models, principle 3: a defined domain of applicability.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.domain_worth import Bin, DomainWorth, worth_of_counts
from kekule.evaluation.shares import Share, share
from kekule.features.similarity import MEASURES, Measure, nearest

if TYPE_CHECKING:
    from scipy import sparse

    from kekule.features.similarity import Counts

NEIGHBOURS: Final = 3
QUANTILE: Final = 0.05  # of training rows that would themselves be outside
N_BINS: Final = 5

Arrays = Mapping[str, NDArray[Any]]
Folds = Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]]


class DomainError(KekuleError, ValueError):
    """A domain that cannot be drawn, measured, restored or asked."""

    def __init__(self, what: str, why: str, cure: str):
        super().__init__(f"domain: {what}: {why}. {cure}")
        self.what, self.why, self.cure = what, why, cure


class Closeness(NamedTuple):
    """How near queries are to the training rows."""

    similarity: NDArray[np.float64]  # (n,), 0 to 1: mean over the nearest training rows
    nearest_row: NDArray[np.int64]  # (n,), the nearest of them, by its number in the source


class Flag(NamedTuple):
    """Whether queries are inside the domain, with what that rests on."""

    inside: NDArray[np.bool_]  # (n,)
    similarity: NDArray[np.float64]  # (n,)
    nearest_row: NDArray[np.int64]  # (n,)


@dataclass(frozen=True, eq=False)
class Domain:
    """Training rows, and how near to them is near enough.

    Attributes
    ----------
    references
        CSR matrix (m, W) of counts.
    rows
        int64 (m,), their numbers in the source.
    threshold
        Similarity from which a query is inside.
    k
        Nearest training rows whose similarities are averaged.
    measure
        See `kekule.features.similarity.nearest`.
    worth
        What a flag was worth; None until it was measured.
    """

    references: "sparse.csr_matrix"
    rows: NDArray[np.int64]
    threshold: float
    k: int
    measure: Measure
    worth: DomainWorth | None = None

    def closeness(self, queries: "Counts") -> Closeness:
        """Similarity to the training rows, and the nearest; needs no worth, it is a fact.

        Raises
        ------
        SimilarityError
            If the queries are no counts or of another width.
        """
        found = nearest(queries, self.references, k=self.k, measure=self.measure)
        return Closeness(_mean(found.similarity), self.rows[found.rows[:, 0]])

    def flag(self, queries: "Counts") -> Flag:
        """Whether each query is inside.

        Raises
        ------
        DomainError
            If the worth was not measured: a flag that may mean nothing is not raised.
        SimilarityError
            If the queries are no counts or of another width.
        """
        if self.worth is None:
            raise DomainError(
                "flag",
                "it was not measured how often the model is wrong inside and outside",
                "Add the result of measure_worth with with_worth.",
            )
        near = self.closeness(queries)
        return Flag(near.similarity >= self.threshold, *near)

    def with_worth(self, worth: DomainWorth) -> "Domain":
        """Return the same domain, able to flag."""
        return replace(self, worth=worth)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays of numbers, for one ``.npz`` file without pickles."""
        arrays = {
            "indptr": self.references.indptr,
            "indices": self.references.indices,
            "data": self.references.data,
            "shape": np.asarray(self.references.shape, dtype=np.int64),
            "rows": self.rows,
            "threshold": np.float64(self.threshold),
            "k": np.int64(self.k),
            "measure": np.int64(MEASURES.index(self.measure)),
        }
        if self.worth is not None:
            shares = [self.worth.inside, self.worth.outside, *(b.errors for b in self.worth.bins)]
            arrays["worth"] = np.array([(s.hits, s.n) for s in shares], dtype=np.int64)
            arrays["bins"] = np.array([(b.low, b.high) for b in self.worth.bins], dtype=np.float64)
        return {name: np.asarray(array) for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Domain":
        """Restore what `to_arrays` gave.

        Raises
        ------
        DomainError
            If the arrays were not given by `to_arrays`.
        """
        from scipy import sparse

        try:
            parts = (arrays["data"], arrays["indices"], arrays["indptr"])
            references = sparse.csr_matrix(parts, shape=tuple(arrays["shape"].tolist()))
            references.check_format(full_check=True)
            k, measure = int(arrays["k"]), int(arrays["measure"])
            threshold = float(arrays["threshold"])
            if not 1 <= k <= references.shape[0] or measure < 0 or not np.isfinite(threshold):
                raise ValueError(f"k = {k}, measure {measure}, threshold {threshold}")
            return cls(
                references,
                np.asarray(arrays["rows"], dtype=np.int64).reshape(references.shape[0]),
                threshold,
                k,
                MEASURES[measure],
                worth_of_counts(arrays["worth"], arrays["bins"]) if "worth" in arrays else None,
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DomainError("stored state", repr(error), "Fit the domain anew.") from None


def fit_domain(
    training: "Counts",
    *,
    rows: NDArray[np.int64] | None = None,
    k: int = NEIGHBOURS,
    quantile: float = QUANTILE,
    measure: Measure = "min-max",
) -> Domain:
    """Draw a domain around training rows, wide enough for all but a few of themselves.

    The threshold is a similarity of a training row to the others of which at most the share
    `quantile` of them fall short. Where all training rows have a twin, it is high, and
    little is inside: put duplicates together first. It has no worth yet, see `measure_worth`.

    Parameters
    ----------
    training
        (m, W) counts, dense or sparse, m above `k`. Columns must mean the same for later
        queries: those of `kekule.features.wl_features` do so within one call alone.
    rows
        int (m,), numbers of the training rows in the source; 0 to m - 1 where not given.
    k
        Nearest rows whose similarities are averaged; with 1 a single odd row opens the
        domain around itself.
    quantile
        From 0 to below 1.

    Raises
    ------
    DomainError
        If the quantile is none, or there are not as many numbers as rows.
    SimilarityError
        If rows are no counts, or too few for `k`.
    """
    from scipy import sparse

    if not 0 <= quantile < 1:
        raise DomainError("quantile", f"{quantile!r} is not from 0 to below 1", "Give 0.05.")
    found = nearest(training, training, k=k, measure=measure, leave_one_out=True)
    references = sparse.csr_matrix(training, copy=True)
    numbers = np.arange(references.shape[0]) if rows is None else np.array(rows, dtype=np.int64)
    if numbers.shape != (references.shape[0],):
        raise DomainError(
            "rows", f"shape {numbers.shape} for {references.shape[0]} rows", "Give a number each."
        )
    threshold = float(np.quantile(_mean(found.similarity), quantile, method="lower"))
    return Domain(references, numbers, threshold, k, measure)


def measure_worth(
    counts: "Counts",
    right: NDArray[np.bool_],
    folds: Folds,
    *,
    n_bins: int = N_BINS,
    k: int = NEIGHBOURS,
    quantile: float = QUANTILE,
    measure: Measure = "min-max",
    drawn: tuple[NDArray[np.int64], Domain] | None = None,
) -> DomainWorth:
    """Measure how often a model was wrong inside and outside its domain.

    Each fold draws the domain of its own training rows and judges its test rows by that; its
    model was trained on no more. Random folds have few rows outside, and tell little of
    them; folds by scaffold or cluster have more, and are what a domain is for.

    Parameters
    ----------
    counts
        (R, W), of all rows.
    right
        bool (R,): whether the fold that tested the row gave it its class; read of test rows.
    folds
        Training and test rows of each, int64; of one seed, so that no row counts twice.
    n_bins
        Bins of the curve of error by similarity, at least 1.
    k, quantile, measure
        As of `fit_domain`, and the same as of the domain that will hold the worth.
    drawn
        Training rows whose domain has been drawn so already, and that domain: a fold that
        trains on the same rows does not draw it again.

    Raises
    ------
    DomainError
        If no row is tested, one is tested twice, or one is both trained on and tested.
    SimilarityError
        If rows are no counts, or a fold has too few for `k`.
    """
    from scipy import sparse

    matrix, right = sparse.csr_matrix(counts), np.asarray(right)
    if right.dtype != np.bool_ or right.shape != (matrix.shape[0],):
        raise DomainError(
            "right", f"{right.dtype} {right.shape} for {matrix.shape[0]} rows", "Give bool (R,)."
        )
    if n_bins < 1:
        raise DomainError("n_bins", f"{n_bins} bins", "Give at least 1.")
    seen = np.zeros(len(right), dtype=np.int64)
    similarity, inside = np.zeros(len(right)), np.zeros(len(right), dtype=np.bool_)
    for number, (train, test) in enumerate(folds, start=1):
        both = np.intersect1d(train, test)
        if len(both):
            raise DomainError(
                f"fold {number}", f"row {both[0]} is trained on and tested", "Split anew."
            )
        if not len(test):
            continue
        if drawn is not None and np.array_equal(train, drawn[0]):
            domain = drawn[1]
        else:
            domain = fit_domain(matrix[train], k=k, quantile=quantile, measure=measure)
        np.add.at(seen, test, 1)
        similarity[test] = domain.closeness(matrix[test]).similarity
        inside[test] = similarity[test] >= domain.threshold
    if not seen.any() or seen.max() > 1:
        row = (
            f"row {seen.argmax()} is tested {seen.max()} times" if seen.any() else "none is tested"
        )
        raise DomainError("folds", row, "Give the folds of a single seed.")
    wrong, tested = ~right, seen == 1
    return DomainWorth(
        _errors(wrong, tested & inside),
        _errors(wrong, tested & ~inside),
        _curve(similarity[tested], wrong[tested], n_bins),
    )


def _curve(
    similarity: NDArray[np.float64], wrong: NDArray[np.bool_], n_bins: int
) -> tuple[Bin, ...]:
    """Bins of about as many rows; rows of equal similarity are never parted."""
    edges = np.quantile(similarity, np.arange(1, n_bins) / n_bins, method="lower")
    place = np.searchsorted(np.unique(edges), similarity, side="left")
    curve = []
    for b in np.unique(place):
        own = similarity[place == b]
        curve.append(Bin(float(own.min()), float(own.max()), _errors(wrong, place == b)))
    return tuple(curve)


def _errors(wrong: NDArray[np.bool_], there: NDArray[np.bool_]) -> Share:
    return share(int((wrong & there).sum()), int(there.sum()))


def _mean(similarity: NDArray[np.float32]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = similarity.mean(axis=1, dtype=np.float64)
    return mean
