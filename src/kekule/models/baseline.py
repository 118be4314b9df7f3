"""What every baseline is: prepared once on a set of graphs, then asked fold by fold.

A baseline stands beside every score of a network. It gets the same training rows, may
choose its own settings only inside them, and answers for the same test rows.

Symbols: G graphs, n rows asked for, K classes.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kekule.features import PackedGraphs

INNER_FOLDS = 5
ROWS_FOR_INNER_FOLDS = 1000  # above this one held-out tenth is as steady, at a tenth of the cost


Tables = Mapping[str, NDArray[Any]]  # fingerprints by name, a row a graph


class Answer(NamedTuple):
    """Class numbers and probabilities of the rows asked for."""

    labels: NDArray[np.int64]  # (n,)
    probabilities: NDArray[np.float64]  # (n, K)


class Baseline(Protocol):
    """A model without a graph network, on the interface the protocol calls.

    Attributes
    ----------
    needs
        Names of the fingerprints that it is given beside the graphs. With any it is a model of
        molecules alone.
    """

    needs: ClassVar[tuple[str, ...]]

    def __init__(self, graphs: PackedGraphs, tables: Tables | None = None): ...

    def answer(
        self,
        targets: NDArray[np.int64],
        *,
        train_rows: NDArray[np.int64],
        test_rows: NDArray[np.int64],
        n_classes: int,
        seed: int,
    ) -> Answer:
        """Train on `train_rows` and answer for `test_rows`; other targets are not read."""
        ...


def inner_splits(
    targets: NDArray[np.int64], *, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Splits of training rows that choose a setting: (positions to fit, positions to score).

    Stratified five-fold, or one held-out tenth of more than a thousand rows; unstratified
    where a class has a single row.
    """
    # A third of the start of every process that trains a network, which has no use for it.
    from sklearn.model_selection import KFold, StratifiedKFold, StratifiedShuffleSplit

    positions = np.zeros((len(targets), 1))
    rarest = np.unique(targets, return_counts=True)[1].min()
    if rarest < 2:
        splitter = KFold(min(INNER_FOLDS, len(targets)), shuffle=True, random_state=seed)
    elif len(targets) > ROWS_FOR_INNER_FOLDS and rarest >= 20:
        splitter = StratifiedShuffleSplit(1, test_size=0.1, random_state=seed)
    else:
        n_folds = int(min(INNER_FOLDS, rarest))
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return list(splitter.split(positions, targets))


def answer_of_one_class(truth: NDArray[np.int64], n_rows: int, n_classes: int) -> Answer | None:
    """Answer for `n_rows` rows where all training rows are of one class; None where not."""
    if (truth != truth[0]).any():
        return None
    only = np.full(n_rows, truth[0])
    return Answer(only, np.eye(n_classes)[only])


def spread_columns(
    probabilities: NDArray[np.float64], present: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Probabilities of the classes a model saw, laid out over all `n_classes` columns."""
    full = np.zeros((len(probabilities), n_classes))
    full[:, present] = probabilities
    return full
