"""Validation rows that share no scaffold, cluster or group with the rows trained on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.splits.dealing import deal
from kekule.data.splits.labels import group_counts, label_columns, numbered

_TRAIN, _VALIDATION = 0, 1


def grouped_validation_rows(
    codes: NDArray[np.int64],
    rows: Sequence[int] | NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    *,
    fraction: float,
    seed: int,
) -> NDArray[np.int64]:
    """Choose some of the given rows to watch training with, whole groups at a time.

    Of each class the first group drawn stays in training and the next that is not too
    large is chosen; the other groups are dealt as `kekule.data.splits.dealing` says. If no
    group is small enough, the smallest without which every class is still trained on is
    chosen, unless it holds more than half of the rows. If there is none (one group may
    hold everything), rows are chosen singly and that group does stand on both sides: it
    is the training rows' own, so the test rows remain unseen.

    Parameters
    ----------
    codes
        int64 (N,) or (N, T), classes of every row of the set; -1 where one is missing.
    rows
        The rows that may be chosen: those trained on.
    groups
        (N,), of every row of the set. None where every row stands for itself: the way to
        choose rows for several tasks at once.
    fraction
        Share to choose, between 0 and 1, both excluded.
    seed
        Which of the many ways.

    Returns
    -------
    NDArray[np.int64]
        Chosen rows, rising: at least one, and never all.

    Raises
    ------
    KekuleError
        If ``fraction`` is out of range or there are too few rows to share.
    """
    if not 0.0 < fraction < 1.0:
        raise KekuleError(f"splits: fraction {fraction} is not between 0 and 1. Use 0.1, say.")
    rows = np.sort(np.asarray(rows, dtype=np.int64))
    labels = (codes[:, None] if codes.ndim == 1 else codes)[rows]
    singly = np.arange(len(rows), dtype=np.int64)
    whole = singly if groups is None else numbered(groups[rows].tolist())
    for unit in (whole, singly):
        chosen = _chosen(labels, unit, fraction, np.random.default_rng(seed))
        if chosen.any():
            return rows[chosen]
    raise KekuleError(
        f"splits: {len(rows)} rows cannot give a validation part without losing a class. "
        "Add rows, or use fewer folds."
    )


def _chosen(
    codes: NDArray[np.int64],
    groups: NDArray[np.int64],
    fraction: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Mark the rows of the validation groups; none where no group can be spared."""
    columns, is_class = label_columns(codes)
    counts = group_counts(columns, groups)
    if len(counts) < 2:
        return np.zeros(len(groups), dtype=np.bool_)
    classes = counts[:, 1:][:, is_class]
    order = rng.permutation(len(counts))
    placed = _one_of_each(counts[:, 0], classes, order, fraction * len(groups))
    parts = deal(counts, np.array([1 - fraction, fraction]), rng=rng, placed=placed)
    if not (parts == _VALIDATION).any():
        spare = _spare(counts[:, 0], classes, order)
        parts[spare] = _VALIDATION
    return np.asarray(parts[groups] == _VALIDATION)


def _one_of_each(
    sizes: NDArray[np.float64],
    classes: NDArray[np.float64],
    order: NDArray[np.int64],
    room: float,
) -> dict[int, int]:
    """Place a group of each class on either side, as far as there are two and room."""
    placed: dict[int, int] = {}
    for label in np.argsort(classes.sum(axis=0), kind="stable"):
        holders = [int(group) for group in order if classes[group, label] > 0]
        for part, most in ((_TRAIN, np.inf), (_VALIDATION, room)):
            if any(placed.get(group) == part for group in holders):
                continue
            free = (group for group in holders if group not in placed and sizes[group] <= most)
            group = next(free, None)
            if group is not None:
                placed[group] = part
                room -= sizes[group] if part == _VALIDATION else 0
    return placed


def _spare(
    sizes: NDArray[np.float64], classes: NDArray[np.float64], order: NDArray[np.int64]
) -> list[int]:
    """Find the smallest group that training can do without, or none."""
    left = classes.sum(axis=0) - classes
    able = (left > 0).all(axis=1) & (2 * sizes <= sizes.sum())
    return sorted((int(g) for g in order if able[g]), key=lambda group: sizes[group])[:1]
