"""Counts of Weisfeiler–Lehman patterns under a vocabulary that is kept.

Within one set a pattern may be called by its rank; a model that is asked in a year, of graphs
it has never seen, has to know patterns by what does not change: their hashes. A pattern that
is not in the vocabulary has no column, but it still counts towards a graph's length, or a
graph full of unknown patterns would be scaled up as if it had none.

Symbols: G graphs, P patterns of one depth, C pairs of a graph and a pattern that it has. Knows
NumPy; must not know labels.

References
----------
Shervashidze et al. 2011, Weisfeiler-Lehman Graph Kernels, JMLR 12:2539-2561.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.features.packed import PackedGraphs
from kekule.features.wl import wl_hashes


class PatternCounts(NamedTuple):
    """How often each graph has each pattern of one depth, known or not; by graph, then hash."""

    graph: NDArray[np.int64]  # (C,)
    pattern: NDArray[np.uint64]  # (C,)
    times: NDArray[np.int64]  # (C,)


class KnownCounts(NamedTuple):
    """The same of the patterns that a vocabulary has; and the lengths over all."""

    graph: NDArray[np.int64]  # (C,)
    column: NDArray[np.int64]  # (C,), place of the pattern among those of its depth
    times: NDArray[np.int64]  # (C,)
    squares: NDArray[np.int64]  # (G,), sum of the squared counts, unknown patterns included


@dataclass(frozen=True, eq=False)
class WLVocabulary:
    """Patterns that have a column, at every depth from 0.

    Attributes
    ----------
    patterns
        uint64 (P,) a depth: hashes, strictly rising.
    """

    patterns: tuple[NDArray[np.uint64], ...]

    def __post_init__(self) -> None:
        """Refuse what a binary search would read wrongly."""
        for depth, hashes in enumerate(self.patterns):
            if hashes.dtype != np.uint64 or hashes.ndim != 1:
                raise ValueError(f"patterns of depth {depth} are {hashes.dtype} {hashes.shape}")
            if (hashes[:-1] >= hashes[1:]).any():
                raise ValueError(f"{len(hashes)} patterns of depth {depth} do not rise strictly")

    @classmethod
    def of(cls, graphs: PackedGraphs, depth: int) -> "WLVocabulary":
        """All patterns that occur in `graphs`, up to `depth`: those of training rows."""
        return cls(tuple(np.unique(hashes) for hashes in wl_hashes(graphs, depth)))

    @property
    def sizes(self) -> list[int]:
        """P of each depth."""
        return [len(hashes) for hashes in self.patterns]

    def counts(self, graphs: PackedGraphs) -> list[KnownCounts]:
        """Counts in graphs of the same schema, depth by depth.

        A graph's counts do not depend on which graphs stand beside it.
        """
        found = pattern_counts(graphs, len(self.patterns) - 1)
        return [
            _known(counts, known, len(graphs))
            for counts, known in zip(found, self.patterns, strict=True)
        ]


def pattern_counts(graphs: PackedGraphs, depth: int) -> list[PatternCounts]:
    """Counts of all patterns of depth 0, 1, ..., `depth`, one item a depth."""
    owner = graphs.graph_of_node
    return [_counted(owner, hashes) for hashes in wl_hashes(graphs, depth)]


def _counted(owner: NDArray[np.int64], hashes: NDArray[np.uint64]) -> PatternCounts:
    order = np.lexsort((hashes, owner))
    owner, hashes = owner[order], hashes[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (owner[1:] != owner[:-1]) | (hashes[1:] != hashes[:-1])
    first = np.flatnonzero(new)
    return PatternCounts(owner[first], hashes[first], np.diff(first, append=len(order)))


def _known(counts: PatternCounts, known: NDArray[np.uint64], n_graphs: int) -> KnownCounts:
    squares = np.zeros(n_graphs, dtype=np.int64)
    np.add.at(squares, counts.graph, counts.times**2)
    if not len(known):
        none = np.zeros(0, dtype=np.int64)
        return KnownCounts(none, none, none, squares)
    column = np.minimum(np.searchsorted(known, counts.pattern), len(known) - 1)
    there = known[column] == counts.pattern
    return KnownCounts(counts.graph[there], column[there], counts.times[there], squares)
