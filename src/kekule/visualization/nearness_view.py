"""How the rows of a run lie to each other, and what their answers have to do with it.

Filled by whoever has the molecules; nothing is computed here.

Symbols: n rows looked at. Knows NumPy and RDKit's molecule type; must not know where
similarities come from.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from kekule.visualization.portion import Interval, Portion


@dataclass(frozen=True)
class ErrorBin:
    """Rows whose nearest training row is about as near.

    Attributes
    ----------
    low, high
        Limits of their similarity.
    errors
        Rows given another class than theirs.
    brier
        Mean squared error of the probability.
    """

    low: float
    high: float
    errors: Portion
    brier: Interval


@dataclass(frozen=True, eq=False)
class SimilarityView:
    """How near each test row is to what its fold was trained on.

    Attributes
    ----------
    measure
        What is compared, in words.
    similarity
        float64 (n,), 0 to 1, of the nearest training row.
    n_tested
        Test rows there are; more than n where an even sample of them was looked at.
    bins
        From far to near, none empty; none at all of several tasks.
    """

    measure: str
    similarity: NDArray[np.float64]
    n_tested: int
    bins: tuple[ErrorBin, ...] = ()


@dataclass(frozen=True, eq=False)
class CliffRow:
    """One row of a pair.

    Attributes
    ----------
    row
        In the source, 0-based.
    truth, predicted
        Class names; `predicted` is empty where the row was not tested.
    chance
        Probability given to its own class, NaN likewise.
    molecule, graph
        What to draw: a molecule, or ``edge_index``, node codes and names of the codes.
    n_nodes
        Of the graph.
    """

    row: int
    truth: str
    predicted: str
    chance: float
    molecule: Chem.Mol | None
    graph: tuple[NDArray[Any], NDArray[Any], tuple[str, ...]] | None
    n_nodes: int

    @property
    def wrong(self) -> bool:
        """Whether it was tested and given another class than its own."""
        return self.predicted not in ("", self.truth)


@dataclass(frozen=True, eq=False)
class CliffPairView:
    """Two rows that are all but the same and have different classes."""

    first: CliffRow
    second: CliffRow
    similarity: float


@dataclass(frozen=True, eq=False)
class CliffsView:
    """Errors on activity cliffs.

    Attributes
    ----------
    limit
        Similarity from which two rows of different classes are a cliff.
    n_looked_at
        Test rows looked at.
    on, off
        Wrong answers on rows that lie on a cliff, and on the others.
    gap
        Their difference.
    steps
        Limits of a similarity, and the wrong answers there, from far to near.
    pairs
        The pairs that were got most wrong, worst first.
    """

    limit: float
    n_looked_at: int
    on: Portion
    off: Portion
    gap: Interval
    steps: tuple[tuple[float, float, Portion], ...]
    pairs: tuple[CliffPairView, ...]


@dataclass(frozen=True)
class TopListView:
    """What the lists of the first `k` of `n` rows share from seed to seed, beside chance."""

    percent: int
    k: int
    n: int
    jaccard: float
    jaccard_by_chance: float
    in_every: float
    in_every_by_chance: float
