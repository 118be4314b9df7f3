"""Trees of any origin as a few arrays, and the walk down them in NumPy.

scikit-learn keeps a forest in objects that only pickle can store, and LightGBM reads its own
text trusting every number of it. These arrays hold either, can be looked at before they are
believed, and need neither library to be asked.

scikit-learn compares a float32 value with a float64 threshold, and LightGBM the same value as a
float64. A float32 is at most t just where it is at most the largest float32 below t: thresholds
are kept rounded down to float32, and every comparison comes out as there.

Symbols: n rows, W columns, V nodes of all trees, T trees, L leaves, D numbers a leaf, k classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kekule.models.members.contents import Contents
from kekule.models.members.links import from_margins, n_margins

Link = Literal["mean", "sum"]

PAIRS = 2**15  # rows times trees walked at once: what they touch stays near the processor
DEEPEST = 2000  # levels; a forest on a hundred thousand rows has about two hundred
MOST_TREES = 200_000
LARGEST_VALUE = 1e6  # of a leaf that is added up; LightGBM's are below ten


@dataclass(frozen=True, eq=False)
class Trees:
    """Binary decision trees on float32 columns.

    Attributes
    ----------
    feature
        int32 (V,), the column that a node asks; -1 at a leaf.
    threshold
        float32 (V,), finite: a value up to it goes left; 0 at a leaf.
    left, right
        int32 (V,), numbers of the children among all nodes, larger than their parent's; 0 at a
        leaf.
    nan_left
        uint8 (V,), 1 where a missing value goes left.
    starts
        int32 (T,), rising from 0: the root of each tree, whose other nodes follow it.
    values
        (L, D), the leaves' in the order of their nodes: float32 shares of k = D classes, or
        float64 margins, D = 1 of two classes and else D = k.
    link
        ``mean``: shares are averaged over the trees. ``sum``: margins are added up, and are the
        log-odds of the second of two classes or the log-probabilities of k > 2.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    nan_left: NDArray[np.uint8]
    starts: NDArray[np.int32]
    values: NDArray[np.floating[Any]]
    link: Link

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities of float32 rows (n, W), NaN where a value is missing; (n, k)."""
        rows, n_trees = len(features), len(self.starts)
        totals = np.zeros((rows, self.values.shape[1]))
        step = max(1, PAIRS // n_trees)
        for start in range(0, rows, step):
            piece = np.ascontiguousarray(features[start : start + step], dtype=np.float32)
            totals[start : start + step] = self._added_up(piece)
        if self.link == "sum":
            return from_margins(totals)
        shares: NDArray[np.float64] = totals / totals.sum(axis=1, keepdims=True)
        return shares

    def _added_up(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sum over the trees of the values of the leaves where each row ends, (n, D)."""
        leaves, row = self._leaves(features)
        # Tree by tree in the same order for every row, so that it matters to no bit of a row's
        # sum which rows are beside it.
        sums = [
            np.bincount(row, weights=column[leaves], minlength=len(features))
            for column in self._leaf_columns
        ]
        return np.stack(sums, axis=1)

    def _leaves(self, features: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Leaf of each pair of a tree and a row, (T · n,), tree by tree; and the pair's row."""
        n, width = features.shape
        flat, missing = features.reshape(-1), bool(np.isnan(features).any())
        row = np.tile(np.arange(n), len(self.starts))
        at = np.repeat(self.starts.astype(np.intp), n)
        place, ended, walking = row * width, at.copy(), np.arange(len(at))
        while len(walking):
            column = self._feature[at]
            inner = column >= 0
            if not inner.all():
                ended[walking[~inner]] = at[~inner]
                walking, at, place, column = (a[inner] for a in (walking, at, place, column))
            value = flat[place + column]
            left = value <= self.threshold[at]
            if missing:
                left |= np.isnan(value) & (self.nan_left[at] > 0)
            at = self._children[2 * at + left]
        return self._leaf_number[ended], row

    @cached_property
    def _feature(self) -> NDArray[np.intp]:
        return self.feature.astype(np.intp)  # as indices are wanted: converted once

    @cached_property
    def _children(self) -> NDArray[np.intp]:
        """Child to the right of node v at 2v, to the left at 2v + 1."""
        return np.stack([self.right, self.left], axis=1).reshape(-1).astype(np.intp)

    @cached_property
    def _leaf_number(self) -> NDArray[np.intp]:
        return np.cumsum(self.feature < 0) - 1

    @cached_property
    def _leaf_columns(self) -> list[NDArray[np.float64]]:
        return [np.ascontiguousarray(c, dtype=np.float64) for c in self.values.T]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it but the link, by name."""
        names = ("feature", "threshold", "left", "right", "nan_left", "starts", "values")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(
        cls, given: Contents, *, n_columns: int, n_classes: int, link: Link
    ) -> "Trees":
        """Trees of what `arrays` gave, looked at.

        Parameters
        ----------
        given
            Arrays of any origin, and nothing else.
        n_columns, n_classes
            W, and k.
        link
            See above.

        Raises
        ------
        ValueError
            If they are no such trees: a walk down them could go astray, in circles or beyond
            the columns, or what they say is no probability.
        """
        feature = given.array("feature", np.int32, (None,))
        v = (len(feature),)
        trees = cls(
            feature=feature,
            threshold=given.array("threshold", np.float32, v),
            left=given.array("left", np.int32, v),
            right=given.array("right", np.int32, v),
            nan_left=given.array("nan_left", np.uint8, v),
            starts=given.array("starts", np.int32, (None,)),
            values=_values(given, int((feature < 0).sum()), n_classes, link),
            link=link,
        )
        given.end()
        for fault in _faults(trees, n_columns):
            raise ValueError(f"{given.what}: {fault}")
        return trees


def _values(given: Contents, n_leaves: int, n_classes: int, link: Link) -> Any:
    if link == "mean":
        shares = given.array("values", np.float32, (n_leaves, n_classes))
        if (shares < 0).any() or (abs(shares.sum(axis=1) - 1) > 1e-4).any():
            raise ValueError(f"{given.what}: values of leaves are no shares of classes")
        return shares
    margins = given.array("values", np.float64, (n_leaves, n_margins(n_classes)))
    if (abs(margins) > LARGEST_VALUE).any():
        raise ValueError(f"{given.what}: a leaf's value is {abs(margins).max():g}")
    return margins


def _faults(trees: Trees, n_columns: int) -> Iterator[str]:
    """Why a walk down these trees is not safe; a check may presume that those before it held."""
    starts, leaf = trees.starts, trees.feature < 0
    n_nodes, n_trees = len(leaf), len(starts)
    if not 0 < n_trees <= MOST_TREES or starts[0] != 0 or (starts[1:] <= starts[:-1]).any():
        yield f"{n_trees} trees do not start one behind the other from node 0"
    if starts[-1] >= n_nodes:
        yield f"a tree starts at node {starts[-1]} of {n_nodes}"
    if trees.feature.min() < -1 or trees.feature.max() >= n_columns:
        yield f"columns {trees.feature.min()} to {trees.feature.max()} are not among {n_columns}"
    if trees.nan_left.max() > 1 or (trees.left[leaf] | trees.right[leaf]).any():
        yield "a leaf has children, or a direction is neither left nor right"
    parent = np.flatnonzero(~leaf)
    end = np.append(starts[1:], n_nodes)[np.searchsorted(starts, parent, side="right") - 1]
    for child in (trees.left[parent], trees.right[parent]):
        if ((child <= parent) | (child >= end)).any():
            yield "a child does not stand behind its parent in the same tree"
    times = np.bincount(np.concatenate([trees.left[parent], trees.right[parent], starts]))
    if len(times) != n_nodes or (times != 1).any():
        yield "a node has no parent, or two"
    if _depth(trees) > DEEPEST:
        yield f"a tree is deeper than {DEEPEST} levels"


def _depth(trees: Trees) -> int:
    """Levels below the roots, counted no further than one beyond `DEEPEST`."""
    level, depth = trees.starts[trees.feature[trees.starts] >= 0], 0
    while len(level) and depth <= DEEPEST:
        children = np.concatenate([trees.left[level], trees.right[level]])
        level, depth = children[trees.feature[children] >= 0], depth + 1
    return depth
