"""Graphs of a set that occur twice, with one class or two, on one side of a split or both.

Symbols: G graphs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.findings import AMBER, GREEN, Finding, counted, finding
from kekule.data.audit.groups import (
    UNKNOWN,
    by_share,
    codes_of,
    conflicting_tasks,
    crossings,
    misfits,
)
from kekule.data.graphs import LabelledGraphs
from kekule.data.isomorphism import SameGraphs, same_graphs
from kekule.data.splits.split import Split

_DOUBLES = (
    "Under random folds a double is tested by a model that has seen its twin. Keep the rows of "
    "a group on one side, or one of each."
)
_CONFLICTS = (
    "No model that reads these labels can get both right: they bound every score from above. "
    "Look them up in the source, or leave the groups out."
)
_LEAKS = "The score counts rows the model has met in training. Keep each group on one side."


def doubles(graphs: LabelledGraphs, split: Split | None) -> list[Finding]:
    """Findings on isomorphic graphs: how many, which differ in class, which a split parts."""
    by_label = same_graphs(graphs)
    has_attributes = bool(graphs.node_attributes.size or graphs.edge_attributes.size)
    by_all = same_graphs(graphs, attributes=True) if has_attributes else None
    labels = _labels(graphs)
    findings = [_duplicates(by_label, by_all, graphs), _conflicts(by_label, by_all, graphs)]
    if split is not None:
        findings.append(_leaks(by_label.groups, split, labels))
    return findings


def _duplicates(
    by_label: SameGraphs, by_all: SameGraphs | None, graphs: LabelledGraphs
) -> Finding:
    n = _beyond_first(by_label.groups)
    value = f"{counted(n, 'graph')} beyond the first of {counted(len(by_label.groups), 'group')}"
    if by_all is not None:
        value += f" by labels; {_beyond_first(by_all.groups):,} with equal attributes too"
    if by_label.unproved:
        value += f"; {counted(len(by_label.unproved), 'pair')} equal by hash only"
    return finding(
        "isomorphic duplicates",
        AMBER if n else GREEN,
        value if n else "none",
        _DOUBLES if n else "",
        rows=(row for group in by_label.groups for row in group),
        table=[_line(group, graphs) for group in by_label.groups],
    )


def _conflicts(by_label: SameGraphs, by_all: SameGraphs | None, graphs: LabelledGraphs) -> Finding:
    found, labels = _conflicting(by_label.groups, graphs), _labels(graphs)
    rows = [row for group in found for row in group]
    wrong = 0 if labels is None else sum(misfits(group, labels) for group in found)
    value = f"{counted(len(found), 'group')}, {wrong:,} of {len(rows):,} graphs unavoidably wrong"
    if found and by_all is not None:
        value += f" by labels; {len(_conflicting(by_all.groups, graphs)):,} with attributes too"
    return finding(
        "isomorphic conflicts",
        by_share(wrong, len(graphs)),
        value if found else "none",
        _CONFLICTS if found else "",
        rows=rows,
        table=[_line(group, graphs) for group in found],
    )


def _leaks(groups: list[list[int]], split: Split, labels: NDArray[np.int64] | None) -> Finding:
    codes = np.full(len(split.fold), UNKNOWN, dtype=np.int64)
    for code, rows in enumerate(groups):
        codes[rows] = code
    found = crossings(codes, split, labels)
    conflicts = sum(each.conflict for each in found)
    value = f"{counted(len(found), 'tested row')} isomorphic to a row learnt from"
    if conflicts:
        value += f"; {conflicts} with another class there"
    return finding(
        "same graph on both sides of the split",
        by_share(len(found), int((split.fold >= 0).sum())),
        value if found else "none",
        _LEAKS if found else "",
        rows=(row for each in found for row in (each.tested, each.learnt)),
        table=[
            {"fold": each.fold + 1, "tested row": each.tested, "learnt row": each.learnt}
            for each in found
        ],
    )


def _labels(graphs: LabelledGraphs) -> NDArray[np.int64] | None:
    if graphs.targets is None:
        return None
    return codes_of(list(map(str, graphs.targets.tolist())))[:, None]


def _conflicting(groups: list[list[int]], graphs: LabelledGraphs) -> list[list[int]]:
    labels = _labels(graphs)
    return [group for group in groups if conflicting_tasks(group, labels)]


def _line(group: Sequence[int], graphs: LabelledGraphs) -> dict[str, object]:
    classes = [] if graphs.targets is None else graphs.targets[list(group)].tolist()
    return {"rows": list(group), "classes": [str(each) for each in classes]}


def _beyond_first(groups: list[list[int]]) -> int:
    return sum(len(group) - 1 for group in groups)
