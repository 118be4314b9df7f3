"""Trees that scikit-learn or LightGBM has grown, in our arrays.

Imports neither: what is handed over has all that is read here.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.models.members.trees import Trees

_LARGEST = np.finfo(np.float32).max


class _Tree(NamedTuple):
    """One tree, its nodes numbered from 0."""

    feature: NDArray[np.integer]
    threshold: NDArray[np.float64]
    left: NDArray[np.integer]
    right: NDArray[np.integer]
    nan_left: NDArray[np.integer]
    values: NDArray[np.float64]  # (leaves, D)


def trees_of_forest(forest: Any) -> Trees:
    """Trees of a fitted classifier of `sklearn.ensemble`; its columns have no missing values."""
    return _joined([_of_sklearn(one.tree_) for one in forest.estimators_], "mean", np.float32)


def trees_of_booster(booster: Any) -> Trees:
    """Trees of a LightGBM booster for two classes (``binary``) or more (``multiclass``).

    LightGBM reads a missing value as 0 at a node that met none in training, and sends it where
    the node says at one that did.

    Raises
    ------
    ValueError
        If it was trained to read zeros as missing values, or splits a column of categories.
    """
    # Its text, which it has ready in a sixth of the time of its JSON.
    head, *told = booster.model_to_string().partition("end of trees")[0].split("\nTree=")
    n_margins = int(_named(head)["num_tree_per_iteration"])
    found = [_of_lightgbm(_named(tree), k % n_margins, n_margins) for k, tree in enumerate(told)]
    return _joined(found, "sum", np.float64)


def _named(text: str) -> dict[str, str]:
    """Lines ``name=value``."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _of_sklearn(tree: Any) -> _Tree:
    leaf = tree.children_left < 0
    shares = tree.value[leaf, 0, :]
    return _Tree(
        feature=np.where(leaf, -1, tree.feature),
        threshold=np.where(leaf, 0.0, tree.threshold),
        left=tree.children_left,
        right=tree.children_right,
        nan_left=np.zeros(len(leaf), dtype=np.uint8),
        values=shares / shares.sum(axis=1, keepdims=True),
    )


_CATEGORIES, _LEFT, _ZERO, _NAN = 1, 2, 4, 8  # bits of LightGBM's `decision_type`


def _of_lightgbm(told: dict[str, str], margin: int, n_margins: int) -> _Tree:
    """Splits stand first, in the order they were made, and leaves behind them."""
    n_leaves = int(told["num_leaves"])
    n_splits = n_leaves - 1
    values = np.zeros((n_leaves, n_margins))
    values[:, margin] = np.array(told["leaf_value"].split(), dtype=np.float64)

    def of_splits(name: str, kind: Any = np.int64) -> NDArray[Any]:
        return np.array(told[name].split() if n_splits else [], dtype=kind)

    def nodes(name: str) -> NDArray[np.int64]:
        child = of_splits(name)  # leaf k is ~k
        return np.where(child < 0, n_splits + ~child, child)

    decision, threshold = of_splits("decision_type"), of_splits("threshold", np.float64)
    if (decision & (_CATEGORIES | _ZERO)).any():
        raise ValueError("a split of categories, or one that takes zeros for missing values")
    nan_left = np.where(decision & _NAN, (decision & _LEFT) > 0, threshold >= 0)
    none = np.zeros(n_leaves, dtype=np.int64)
    return _Tree(
        feature=np.concatenate([of_splits("split_feature"), none - 1]),
        threshold=np.concatenate([threshold, none]),
        left=np.concatenate([nodes("left_child"), none]),
        right=np.concatenate([nodes("right_child"), none]),
        nan_left=np.concatenate([nan_left, none]),
        values=values,
    )


def _joined(trees: list[_Tree], link: Any, dtype: Any) -> Trees:
    sizes = np.array([len(tree.feature) for tree in trees])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    feature = np.concatenate([tree.feature for tree in trees]).astype(np.int32)
    behind = np.where(feature < 0, 0, np.repeat(starts, sizes))

    def numbered(children: list[NDArray[np.integer]]) -> NDArray[np.int32]:
        own = np.where(feature < 0, 0, np.concatenate(children))
        return (own + behind).astype(np.int32)

    return Trees(
        feature=feature,
        threshold=rounded_down(np.concatenate([tree.threshold for tree in trees])),
        left=numbered([tree.left for tree in trees]),
        right=numbered([tree.right for tree in trees]),
        nan_left=np.concatenate([tree.nan_left for tree in trees]).astype(np.uint8),
        starts=starts.astype(np.int32),
        values=np.concatenate([tree.values for tree in trees]).astype(dtype),
        link=link,
    )


def rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Largest float32 that is at most each number; the ends of float32 beyond them.

    Examples
    --------
    >>> bool(rounded_down(np.array([0.1]))[0] <= 0.1 < np.float32(0.1))
    True
    """
    within = np.clip(thresholds, -_LARGEST, _LARGEST)
    near = within.astype(np.float32)
    above = near.astype(np.float64) > within
    near[above] = np.nextafter(near[above], np.float32(-np.inf))
    return near
