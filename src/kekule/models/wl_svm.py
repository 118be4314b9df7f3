"""Weisfeiler–Lehman subtree kernel with a support vector machine.

On a few hundred labelled molecules it is hard to beat. The kernel is linear in known
features, so the machine is solved on those features (normalised to unit length, squared
hinge loss) instead of on a kernel matrix: the same decision rule at a cost that grows with
the number of graphs, not its square. Depth and C are chosen inside the training rows.

References
----------
Shervashidze et al. 2011, JMLR 12:2539-2561; Platt 1999 for the probabilities.
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from kekule.features import PackedGraphs, wl_features
from kekule.models.baseline import (
    Answer,
    Tables,
    answer_of_one_class,
    inner_splits,
    spread_columns,
)

DEEPEST = 5
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)  # C
MOST_ROUNDS = 1000  # of the solver; ten times as many cost a minute a fold and moved no answer

Split = tuple[NDArray[np.int64], NDArray[np.int64]]


class WLSVM:
    """Support vector machine on WL subtree counts of depth 0 to 5.

    Attributes
    ----------
    features
        One csr matrix float64 (G, n_patterns) a depth, rows of unit length.
    """

    needs = ()

    def __init__(self, graphs: PackedGraphs, tables: Tables | None = None):
        del tables
        rounds = wl_features(graphs, DEEPEST)
        self.features = [
            normalize(sparse.hstack(rounds[: depth + 1]).tocsr()) for depth in range(DEEPEST + 1)
        ]

    def answer(
        self,
        targets: NDArray[np.int64],
        *,
        train_rows: NDArray[np.int64],
        test_rows: NDArray[np.int64],
        n_classes: int,
        seed: int,
    ) -> Answer:
        """See `kekule.models.baseline.Baseline.answer`.

        Labels are the machine's own; probabilities come from a logistic map of its margins
        on held-out training rows, so the two may disagree next to the boundary.
        """
        truth = targets[train_rows]
        if (alike := answer_of_one_class(truth, len(test_rows), n_classes)) is not None:
            return alike
        seen = self._seen(train_rows)
        depth, machine, platt = fitted([f[train_rows] for f in seen], truth, seed=seed)
        asked = seen[depth][test_rows]
        probabilities = platt.predict_proba(_margins(machine, asked, np.unique(truth)))
        return Answer(
            machine.predict(asked), spread_columns(probabilities, platt.classes_, n_classes)
        )

    def _seen(self, train_rows: NDArray[np.int64]) -> list[sparse.csr_matrix]:
        """Features without the patterns of other rows alone.

        They have no weight, but their number and place would reach the solver's rounding,
        and with it the answers: graphs that are not trained on must not.
        """
        return [f[:, np.flatnonzero(f[train_rows].getnnz(axis=0))] for f in self.features]


class Fitted(NamedTuple):
    """A machine with what chose it and what reads it."""

    depth: int
    machine: LinearSVC
    platt: LogisticRegression  # from `_margins` to probabilities


def fitted(
    candidates: Sequence[sparse.csr_matrix], truth: NDArray[np.int64], *, seed: int
) -> Fitted:
    """Choose depth and C inside training rows and train a machine on all of them.

    Parameters
    ----------
    candidates
        Features of the training rows, one csr matrix (n, n_patterns) a depth.
    truth
        (n,), two classes or more.
    """
    splits = [s for s in inner_splits(truth, seed=seed) if len(np.unique(truth[s[0]])) > 1]
    depth, strength = _choose(candidates, truth, splits, seed)
    platt = _platt(candidates[depth], truth, splits, strength, seed)
    return Fitted(depth, _trained(candidates[depth], truth, strength, seed), platt)


def _choose(
    candidates: Sequence[sparse.csr_matrix],
    truth: NDArray[np.int64],
    splits: Sequence[Split],
    seed: int,
) -> tuple[int, float]:
    """Depth and C that are most often right on inner held-out rows."""
    best, chosen = -1, (0, STRENGTHS[0])
    for depth, inside in enumerate(candidates):
        for strength in STRENGTHS:
            right = 0
            for fit, held in splits:
                machine = _trained(inside[fit], truth[fit], strength, seed)
                right += int((machine.predict(inside[held]) == truth[held]).sum())
            if right > best:  # the first of equals: shallower, then smoother
                best, chosen = right, (depth, strength)
    return chosen


def _trained(
    features: sparse.csr_matrix, truth: NDArray[np.int64], strength: float, seed: int
) -> LinearSVC:
    with warnings.catch_warnings():
        # A point of the grid that is cut off before it converges stands for what it scores.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LinearSVC(C=strength, random_state=seed, max_iter=MOST_ROUNDS).fit(features, truth)


def _platt(
    features: sparse.csr_matrix,
    truth: NDArray[np.int64],
    splits: Sequence[Split],
    strength: float,
    seed: int,
) -> LogisticRegression:
    """Logistic map from margins to probabilities, fitted on held-out margins."""
    present = np.unique(truth)
    margins, labels = [], []
    for fit, held in splits:
        machine = _trained(features[fit], truth[fit], strength, seed)
        margins.append(_margins(machine, features[held], present))
        labels.append(truth[held])
    if len(np.unique(np.concatenate([*labels, truth[:0]]))) < 2:
        # A class with one row cannot be held out and learned: the machine's own margins remain.
        machine = _trained(features, truth, strength, seed)
        margins, labels = [_margins(machine, features, present)], [truth]
    return LogisticRegression(max_iter=2000).fit(np.concatenate(margins), np.concatenate(labels))


def _margins(
    machine: LinearSVC, features: sparse.csr_matrix, present: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Signed distances (n, 1) of two classes, else (n, number of `present` classes)."""
    margins = machine.decision_function(features)
    if len(present) == 2:
        return np.asarray(margins, dtype=np.float64).reshape(-1, 1)
    full = np.full((len(margins), len(present)), -1.0)
    columns = np.searchsorted(present, machine.classes_)
    if margins.ndim == 1:
        margins = np.stack([-margins, margins], axis=1)
    full[:, columns] = margins
    return full
