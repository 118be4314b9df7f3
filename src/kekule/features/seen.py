"""Which codes a model has met: an embedding that was never trained answers at random.

The schema of molecules has a code for every element; the molecules of an assay have a dozen.
What else a new molecule holds is said beside its answer.

Symbols: N graphs.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kekule.data.alphabet import SYMBOLS
from kekule.features.molecule_schema import LARGE_RING, ORDERS
from kekule.features.packed import PackedGraphs
from kekule.features.schema import Column

HYBRIDISATIONS = ("", "s", "sp", "sp2", "sp3", "sp2d", "sp3d", "sp3d2")
Seen = dict[str, dict[str, list[int]]]  # "nodes" or "edges" to column to values


def seen_codes(graphs: PackedGraphs) -> Seen:
    """Values of each column that occur in `graphs`, rising."""
    return {
        part: {
            column.name: [column.values[code] for code in np.unique(codes[:, k]).tolist()]
            for k, column in enumerate(columns)
        }
        for part, columns, codes, _ in _parts(graphs)
    }


def unseen(graphs: PackedGraphs, seen: Mapping[str, Mapping[str, Sequence[int]]]) -> list[str]:
    """What each of N graphs holds that no training graph did; empty where that is nothing."""
    told: list[list[str]] = [[] for _ in range(len(graphs))]
    for part, columns, codes, pointer in _parts(graphs):
        for k, column in enumerate(columns):
            known = np.isin(
                column.values, list(seen.get(part, {}).get(column.name, column.values))
            )
            strange = np.flatnonzero(~known[codes[:, k]])
            rows = np.searchsorted(pointer, strange, side="right") - 1
            for row, code in sorted(
                set(zip(rows.tolist(), codes[strange, k].tolist(), strict=True))
            ):
                told[row].append(_name(part, column, code))
    return [f"no training molecule has {', '.join(each[:3])}" if each else "" for each in told]


def _parts(
    graphs: PackedGraphs,
) -> list[tuple[str, tuple[Column, ...], NDArray[np.unsignedinteger], NDArray[np.int64]]]:
    return [
        ("nodes", graphs.schema.nodes, graphs.nodes, graphs.node_pointer),
        ("edges", graphs.schema.edges, graphs.edges, graphs.edge_pointer),
    ]


def _name(part: str, column: Column, code: int) -> str:
    value = column.values[code]
    if column.name == "element":
        return f"the element {SYMBOLS[value - 1]}"
    if part == "edges":
        name = next((n for n, k in ORDERS.items() if k == value), "")
        return f"a {name} bond" if column.name == "order" else f"a bond of {column.name} {value}"
    if column.name == "hybridisation":
        return f"a {HYBRIDISATIONS[value]} atom" if value else "an atom of no usual hybridisation"
    words = {
        "degree": f"an atom with {value} neighbours",
        "charge": f"an atom of charge {value:+d}",
        "hydrogens": f"an atom with {value} hydrogens",
        "ring": f"a ring of {value} atoms" if value < LARGE_RING else "a ring of more than 8",
        "radical": "an atom with unpaired electrons",
    }
    return words.get(column.name, f"an atom of {column.name} {value}")
