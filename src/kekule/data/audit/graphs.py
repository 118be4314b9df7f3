"""What is odd about a graph set: its classes, its structure, its labels, its doubles.

Knows NumPy only; must not know molecules.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.doubles import doubles
from kekule.data.audit.findings import AMBER, GREEN, RED, finding, worst
from kekule.data.edges import edge_order
from kekule.data.graphs import LabelledGraphs
from kekule.data.splits.split import Split

_FEW_ROWS = 100
_RARE_SHARE = 0.1
_WIDE = 1000.0  # ratio of the spreads of two attributes


def audit_graphs(graphs: LabelledGraphs, *, split: Split | None = None) -> dict[str, Any]:
    """Look a graph set over.

    Parameters
    ----------
    graphs
        The set.
    split
        Which of its rows are tested when: looked over for graphs that stand on both sides.

    Returns
    -------
    dict
        Ready for JSON: ``name``, ``source``, ``sha256``, ``rows``, ``classes`` (count of
        each, or None), ``nodes`` and ``edges`` (total, and min, median, max of a graph;
        edges are directed), ``verdict`` (the worst colour) and ``findings``, each with
        ``name``, ``verdict``, ``value`` and ``advice``, and where there is more to show
        ``rows``, ``table`` and ``figure``.
    """
    findings = [
        _rows(graphs),
        _classes(graphs),
        *_structure(graphs),
        *_constant_columns(graphs),
        *_attributes(graphs),
        *doubles(graphs, split),
        *(finding("remark of the reader", AMBER, remark, "") for remark in graphs.remarks),
    ]
    return {
        "name": graphs.name,
        "source": graphs.source,
        "sha256": graphs.sha256,
        "rows": len(graphs),
        "classes": _counts(graphs.targets),
        "nodes": _sizes(graphs.n_nodes),
        "edges": _sizes(graphs.n_edges),
        "verdict": worst(findings),
        "findings": findings,
    }


def _rows(graphs: LabelledGraphs) -> dict[str, Any]:
    rows = len(graphs)
    advice = f"With fewer than {_FEW_ROWS} rows any score is rough; look at its interval."
    few = rows < _FEW_ROWS
    return finding("rows", AMBER if few else GREEN, rows, advice if few else "")


def _classes(graphs: LabelledGraphs) -> dict[str, Any]:
    counts = _counts(graphs.targets)
    if counts is None:
        return finding("classes", AMBER, None, "Without classes the set can only be predicted.")
    if len(counts) < 2 or min(counts.values()) < 2:
        return finding("classes", RED, counts, "Two classes with two rows each are needed.")
    if min(counts.values()) < _RARE_SHARE * len(graphs):
        advice = "A class is rare: judge by balanced accuracy or the PR curve, not accuracy."
        return finding("classes", AMBER, counts, advice)
    return finding("classes", GREEN, counts, "")


def _structure(graphs: LabelledGraphs) -> list[dict[str, Any]]:
    """Count what most graph sets have none of."""
    ends = graphs.edge_index + np.repeat(graphs.node_pointer[:-1], graphs.n_edges)
    n_nodes = int(graphs.node_pointer[-1])
    loops = ends[0] == ends[1]
    touched = np.unique(ends)
    there, back = ends[0] * n_nodes + ends[1], ends[1] * n_nodes + ends[0]
    empty = graphs.n_nodes == 0
    return [
        _count("graphs without nodes", int(empty.sum()), "They keep their row, as rejected."),
        _count(
            "graphs without edges",
            int(((graphs.n_edges == 0) & ~empty).sum()),
            "Nothing passes between their nodes; only node labels and attributes count.",
        ),
        _count(
            "isolated nodes",
            n_nodes - len(touched),
            "Usual for the ions of salts; elsewhere, check that no edges were lost.",
        ),
        _count("self loops", int(loops.sum()), "Kept as given; a bond never is one."),
        _count(
            "one-way edges",
            int((~np.isin(there, back)).sum()),
            "Messages pass one way along them; check that the set is meant to be directed.",
        ),
        _count(
            "edges labelled otherwise on the way back",
            _two_faced(graphs, ends, n_nodes),
            "A bond has one type; check the edge labels.",
        ),
    ]


def _two_faced(graphs: LabelledGraphs, ends: NDArray[np.int64], n_nodes: int) -> int:
    """Count edges that go both ways with different labels, each pair once."""
    forth, back = edge_order(ends, n_nodes)[0], edge_order(ends[::-1], n_nodes)[0]
    if not np.array_equal(ends[:, forth], ends[::-1, back]):
        return 0  # not the same edges there and back; the one-way edges say so
    differ = (graphs.edge_labels[forth] != graphs.edge_labels[back]).any(axis=1)
    return int(differ.sum()) // 2


def _constant_columns(graphs: LabelledGraphs) -> list[dict[str, Any]]:
    findings = []
    for part, table, columns in (
        ("node", graphs.node_labels, graphs.node_columns),
        ("edge", graphs.edge_labels, graphs.edge_columns),
    ):
        constant = [
            name for name, column in zip(columns, table.T, strict=True) if _is_constant(column)
        ]
        verdict, advice = (
            (AMBER, "A column that never changes tells nothing.") if constant else (GREEN, "")
        )
        findings.append(finding(f"constant {part} label columns", verdict, constant, advice))
    return findings


def _attributes(graphs: LabelledGraphs) -> list[dict[str, Any]]:
    """Give the range of each attribute; spreads that differ much call for scaling."""
    findings = []
    for part, table in (("node", graphs.node_attributes), ("edge", graphs.edge_attributes)):
        if not table.size:
            continue
        ranges = [
            [float(low), float(high)] for low, high in zip(table.min(0), table.max(0), strict=True)
        ]
        spreads = [high - low for low, high in ranges if high > low]
        verdict, advice = GREEN, ""
        if spreads and max(spreads) > _WIDE * min(spreads):
            verdict, advice = AMBER, "The spreads differ a thousandfold; scale the attributes."
        if len(spreads) < len(ranges):
            verdict, advice = AMBER, "An attribute never changes; leave it out."
        findings.append(finding(f"{part} attribute ranges", verdict, ranges, advice))
    return findings


def _count(name: str, value: int, advice: str) -> dict[str, Any]:
    return finding(name, AMBER if value else GREEN, value, advice if value else "")


def _counts(targets: NDArray[np.int64] | None) -> dict[str, int] | None:
    if targets is None:
        return None
    classes, counts = np.unique(targets, return_counts=True)
    return dict(zip(map(str, classes.tolist()), counts.tolist(), strict=True))


def _sizes(sizes: NDArray[np.int64]) -> dict[str, float]:
    if not len(sizes):
        return {"total": 0, "min": 0, "median": 0.0, "max": 0}
    return {
        "total": int(sizes.sum()),
        "min": int(sizes.min()),
        "median": float(np.median(sizes)),
        "max": int(sizes.max()),
    }


def _is_constant(column: NDArray[np.int64]) -> bool:
    return bool(len(column)) and bool((column == column[0]).all())
