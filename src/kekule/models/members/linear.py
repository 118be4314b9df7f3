"""Logistic regression on the logarithms of all fingerprints.

A member unlike the trees: it adds up what every pattern says, a little each, and is wrong about
other molecules than they are. Not for conclusions about single patterns: with more columns than
rows many of them share one weight's work.

Columns are standardised by the training rows without being centred: the mean enters through the
constant alone, so that counts stay sparse, ten times as fast as a dense table of them.

Symbols: n rows, W columns, k classes seen, D = 1 margin of two classes and else D = k, K classes.

References
----------
Objective as scikit-learn's LogisticRegression: Fan et al. 2008, LIBLINEAR, JMLR 9:1871-1874.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.models.baseline import spread_columns
from kekule.models.fingerprint_models import filled
from kekule.models.members.columns import (
    WIDE,
    Columns,
    columns_in,
    pieces_of,
    signed_logarithms,
)
from kekule.models.members.contents import Contents, storable
from kekule.models.members.links import from_margins, n_margins, sigmoid, softmax
from kekule.models.members.member import Material, Rows, Size, Stored, Trained
from kekule.models.members.one_task import OneTaskMember

if TYPE_CHECKING:
    from scipy import sparse

KIND = "logistic"
STRENGTH = 0.001  # C, inverse of the penalty: some thousand columns say the same things
MOST_STEPS, STEEPEST = 1000, 1e-6  # of L-BFGS, and of the gradient where it may stop
FLATTEST = 1e-5  # deviation of a column, of its largest value: below it is rounding
LARGEST_WEIGHT = 1e9


class Logistic(OneTaskMember):
    """Penalised logistic regression, of two classes or more."""

    needs = WIDE

    def _trained(
        self, material: Material, rows: Rows, truth: NDArray[np.int64], n_classes: int, seed: int
    ) -> Trained:
        del seed  # nothing is drawn
        columns = Columns.of(material.tables, self.needs)
        logarithms, usual = _logarithms(columns, material, rows)
        classes, codes = np.unique(truth, return_inverse=True)
        weights, intercept = _fitted(_scaled(logarithms), codes, len(classes))
        return LogisticOfColumns(columns, usual, weights, intercept, classes, n_classes)

    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
        several = 1.7 * n_margins(size.classes) if size.classes > 2 else 1.0
        return 2e-8 * several * size.rows * size.columns


@dataclass(frozen=True, eq=False)
class LogisticOfColumns:
    """Trained weights.

    Attributes
    ----------
    columns
        What is read.
    usual
        float32 (W,), what stands for a missing value of each column.
    weights, intercept
        float64 (W, D) and (D,), of the signed logarithms as they are.
    classes
        int64 (k,), those seen in training.
    n_classes
        K.
    """

    columns: Columns
    usual: NDArray[np.float32]
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    classes: NDArray[np.int64]
    n_classes: int

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints."""
        return self.columns.names

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """See `kekule.models.members.member.Trained.probabilities`."""
        found = np.zeros((len(material), len(self.classes)))
        for rows, features in self.columns.pieces(material):
            logarithms = signed_logarithms(filled(features, self.usual))
            found[rows] = from_margins(logarithms @ self.weights + self.intercept)
        return spread_columns(found, self.classes, self.n_classes)

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        told = {"kind": KIND, **self.columns.told(), "classes": self.classes.tolist()}
        names = ("usual", "weights", "intercept")
        return storable(told, {name: getattr(self, name) for name in names})


def restored_logistic(given: Contents, n_classes: int) -> LogisticOfColumns:
    """Read what `LogisticOfColumns.stored` gave."""
    columns, classes = columns_in(given), given.classes(n_classes)
    width = n_margins(len(classes))
    usual = given.array("usual", np.float32, (columns.width,))
    weights = given.array("weights", np.float64, (columns.width, width))
    intercept = given.array("intercept", np.float64, (width,))
    given.end()
    if max(abs(weights).max(), abs(intercept).max()) > LARGEST_WEIGHT:
        raise ValueError(f"{given.what}: a weight is larger than {LARGEST_WEIGHT:g}")
    return LogisticOfColumns(columns, usual, weights, intercept, classes, n_classes)


class _Scaled(NamedTuple):
    """Columns that vary, divided by their deviation; subtract `mean` to standardise them."""

    features: "sparse.csr_matrix"  # (n, V)
    mean: NDArray[np.float64]  # (V,), in deviations
    deviation: NDArray[np.float64]  # (V,)
    varying: NDArray[np.int64]  # (V,), their places among the W
    width: int  # W


def _logarithms(
    columns: Columns, material: Material, rows: Rows
) -> tuple["sparse.csr_matrix", NDArray[np.float32]]:
    """Sparse rows (n, W), and the medians of the columns."""
    from scipy import sparse

    usual, parts = columns.usual(material.tables, rows), []
    for piece in pieces_of(len(rows)):
        features = filled(columns.table(material.tables, rows[piece]), usual)
        parts.append(sparse.csr_matrix(features))
        parts[-1].data = signed_logarithms(parts[-1].data)
    return sparse.vstack(parts, format="csr"), usual


def _scaled(logarithms: "sparse.csr_matrix") -> _Scaled:
    from scipy import sparse

    n, width = logarithms.shape
    columns = logarithms.tocsc()
    mean = np.asarray(columns.sum(axis=0, dtype=np.float64)).reshape(-1) / n
    # Of deviations from the mean, not of squares: those of a large number hide the rest.
    column = np.repeat(np.arange(width), np.diff(columns.indptr))
    squares = (columns.data.astype(np.float64) - mean[column]) ** 2
    absent = n - np.diff(columns.indptr)
    variance = (np.bincount(column, squares, minlength=width) + absent * mean**2) / n
    deviation = np.sqrt(variance)
    varying = np.flatnonzero(deviation > FLATTEST * np.abs(mean))
    kept = deviation[varying]
    scaled = columns[:, varying] @ sparse.diags_array(1 / kept)
    return _Scaled(scaled.tocsr(), mean[varying] / kept, kept, varying, width)


def _fitted(
    given: _Scaled, codes: NDArray[np.int64], n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (W, D) and intercept (D,) of the columns as they were before scaling."""
    from scipy.optimize import minimize

    shape = (len(given.varying) + 1, n_margins(n_classes))
    found = minimize(
        _objective(given, codes, shape),
        np.zeros(shape).reshape(-1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MOST_STEPS, "gtol": STEEPEST, "ftol": 1e-15},
    ).x.reshape(shape)
    own = found[:-1] / given.deviation[:, None]
    weights = np.zeros((given.width, shape[1]))
    weights[given.varying] = own
    return weights, found[-1] - given.mean @ found[:-1]


def _objective(given: _Scaled, codes: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    """C times the cross-entropy of all rows, and half the squared weights; with its gradient."""
    features, turned, mean = given.features, given.features.T.tocsr(), given.mean
    rows = np.arange(len(codes))
    signs = 2.0 * codes[:, None] - 1.0

    def of_margins(margins: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        if shape[1] == 1:
            loss = float(np.logaddexp(0.0, -signs * margins).sum())
            return loss, -signs * sigmoid(-signs * margins)
        shares = softmax(margins)
        top = margins.max(axis=1)
        logs = np.log(np.exp(margins - top[:, None]).sum(axis=1)) + top
        loss = float((logs - margins[rows, codes]).sum())
        shares[rows, codes] -= 1.0
        return loss, shares

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, intercept = flat.reshape(shape)[:-1], flat.reshape(shape)[-1]
        margins = features @ weights + (intercept - mean @ weights)
        loss, slope = of_margins(margins)
        total = slope.sum(axis=0)
        gradient = turned @ slope - np.outer(mean, total)
        full = np.concatenate([STRENGTH * gradient + weights, STRENGTH * total[None]])
        return STRENGTH * loss + 0.5 * float((weights**2).sum()), full.reshape(-1)

    return objective
