"""What a split lets through: molecules that are tested and learnt from at once.

Symbols: N rows of the table, U of them with a molecule, k folds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.findings import AMBER, GREEN, RED, Finding, counted, finding, share
from kekule.data.audit.groups import (
    UNKNOWN,
    Crossing,
    by_share,
    codes_of,
    crossings,
    sides,
)
from kekule.data.audit.looked_at import LookedAt
from kekule.data.audit.neighbours import MOST_COMPARED, nearest
from kekule.data.chunked import Progress
from kekule.data.smiles import shorten
from kekule.data.splits.split import Split

_ANALOGUE = 0.85  # similarity from which on a chemist would call two molecules one series
_MANY_ANALOGUES = 0.1
_BINS = 20
_LEAK = (
    "The score counts molecules the model has met in training. Drop duplicates before splitting, "
    "or use a split that keeps them together (scaffold, cluster, group)."
)
_ANALOGUES = (
    "Many tested molecules have a close analogue in training, so the score tells how well a "
    "series is continued, not how well new chemistry is foretold. Compare with a scaffold or "
    "cluster split."
)


class _Key(NamedTuple):
    name: str
    codes: NDArray[np.int64]  # (N,)
    worst: str


def leakage_findings(
    seen: LookedAt, split: Split, *, progress: Progress | None = None
) -> list[Finding]:
    """Findings on molecules on both sides of a split, and on how near the others are."""
    keys = [
        _Key("same InChIKey", _over_table(seen, codes_of(seen.facts.known_by.inchikey)), RED),
        _Key("same parent", _over_table(seen, codes_of(seen.smiles)), RED),
        _Key("same molecule but for stereo", _over_table(seen, seen.flat), AMBER),
    ]
    return [*(_on_both_sides(key, split, seen) for key in keys), _nearness(seen, split, progress)]


def _over_table(seen: LookedAt, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes of U molecules as codes of N rows."""
    every = np.full(len(seen.table), UNKNOWN, dtype=np.int64)
    every[seen.usable] = codes
    return every


def _on_both_sides(key: _Key, split: Split, seen: LookedAt) -> Finding:
    labels = None if seen.targets is None else seen.targets.codes
    found = crossings(key.codes, split, labels)
    n_conflicts = sum(each.conflict for each in found)
    value = (
        f"{counted(len(found), 'tested row')} of "
        f"{counted(len({int(key.codes[each.tested]) for each in found}), 'molecule')}"
    )
    if n_conflicts:
        value += f", {n_conflicts:,} with another label on the other side"
    colour = by_share(len(found), int((split.fold >= 0).sum()))
    return finding(
        f"{key.name} on both sides of the split",
        AMBER if colour == RED != key.worst else colour,
        value if found else "none",
        _LEAK if found else "",
        rows={row for each in found for row in (each.tested, each.learnt)},
        table=_lines(found, seen),
    )


def _lines(found: Sequence[Crossing], seen: LookedAt) -> list[dict[str, object]]:
    place = {int(row): k for k, row in enumerate(seen.usable)}
    return [
        {
            "fold": each.fold + 1,
            "tested row": each.tested,
            "learnt row": each.learnt,
            "label": seen.label_text(place[each.tested]),
            "label learnt": seen.label_text(place[each.learnt]),
            "smiles": shorten(seen.smiles[place[each.tested]], 200),
        }
        for each in found
    ]


def _nearness(seen: LookedAt, split: Split, progress: Progress | None) -> Finding:
    """How similar each tested molecule is to the nearest one it is foretold from."""
    place = _over_table(seen, np.arange(len(seen)))
    best: list[NDArray[np.float64]] = [np.zeros(0)]
    for fold, (tested, learnt) in enumerate(sides(split)):
        rows, among = place[tested], place[learnt]
        rows, among = rows[rows >= 0], among[among >= 0]
        if len(rows) and len(among):
            budget = MOST_COMPARED // split.n_folds
            best.append(
                nearest(seen.facts.fingerprints, rows, among, most_compared=budget).similarity
            )
        if progress is not None:
            progress("comparing the split's sides", fold + 1, split.n_folds)
    similarity = np.concatenate(best)
    near = int((similarity >= _ANALOGUE).sum())
    amber = near > 0 and near >= _MANY_ANALOGUES * len(similarity)
    counts, edges = np.histogram(similarity, bins=_BINS, range=(0.0, 1.0))
    return finding(
        "nearest learnt neighbour of tested rows",
        AMBER if amber else GREEN,
        _told(similarity, near, int((split.fold >= 0).sum())),
        _ANALOGUES if amber else "",
        figure={
            "kind": "histogram",
            "unit": "Tanimoto similarity of ECFP4",
            "edges": edges.round(3).tolist(),
            "counts": counts.tolist(),
        },
    )


def _told(similarity: NDArray[np.float64], near: int, tested: int) -> str:
    if not len(similarity):
        return "no tested molecule"
    value = (
        f"median Tanimoto similarity {np.median(similarity):.2f}; "
        f"{share(near, len(similarity))} have one of {_ANALOGUE} or more"
    )
    sampled = len(similarity) < 0.9 * tested
    return f"{value}; of a sample of {len(similarity):,} tested rows" if sampled else value
