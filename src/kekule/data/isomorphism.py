"""Which graphs of a set are the same graph under other node numbers.

A hash that isomorphic graphs share finds the candidates for all graphs at once; only
those few are then compared node by node. The hash reads edge labels and direction, and
attributes where they are asked for, so that two graphs differ here whenever a network
that reads the same could tell them apart by one label.

Symbols: G graphs, V nodes and E directed edges of all graphs together. Knows NumPy and
networkx; must not know targets.

References
----------
Colour refinement: Shervashidze et al. 2011, Weisfeiler-Lehman Graph Kernels, JMLR
12:2539-2561.
"""

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.graphs import LabelledGraphs

MOST_NODES = 5000  # of a graph that is compared node by node
MOST_STEPS = 200_000  # pairs of nodes or edges tried before two graphs are left undecided
MOST_ROUNDS = 64  # of refinement; what they leave alike is for the comparison to tell apart


class _UndecidedError(Exception):
    """Comparing two graphs took more than `MOST_STEPS`."""


@dataclass(frozen=True)
class SameGraphs:
    """Graphs of a set that are one another's double.

    Attributes
    ----------
    groups
        Rows of each group of two or more isomorphic graphs, rising; groups by their first.
    unproved
        Pairs of rows that share the hash but were too large or too symmetric to compare;
        they count as the same.
    told_apart
        Pairs that share the hash and are not isomorphic: refinement is blind to them.
    """

    groups: list[list[int]]
    unproved: list[tuple[int, int]]
    told_apart: list[tuple[int, int]]


class Colours(NamedTuple):
    """Hashes that isomorphic graphs share, node by node and edge by edge."""

    nodes: NDArray[np.uint64]  # (V,), refined
    edges: NDArray[np.uint64]  # (E,), of labels and attributes alone


def same_graphs(graphs: LabelledGraphs, *, attributes: bool = False) -> SameGraphs:
    """Find the isomorphic graphs of a set; one without nodes is the double of none.

    Parameters
    ----------
    graphs
        The set.
    attributes
        Whether node and edge attributes must be equal too, to the last bit. Labels alone
        are what most readers of a TU set go by.
    """
    colours = refined_colours(graphs, attributes=attributes)
    found = SameGraphs([], [], [])
    for rows in _equal(graph_hashes(graphs, colours)):
        if graphs.n_nodes[rows[0]]:
            _share_out(rows, graphs, colours, found)
    found.groups.sort()
    return found


def graph_hashes(graphs: LabelledGraphs, colours: Colours) -> NDArray[np.uint64]:
    """Hash of each graph, uint64 (G,): the multiset of its nodes' colours, and its size."""
    owner = np.repeat(np.arange(len(graphs)), graphs.n_nodes)
    sums = sum_by(owner, mix(colours.nodes), len(graphs))
    return mix(mix(sums + _unsigned(graphs.n_nodes)) + _unsigned(graphs.n_edges))


def refined_colours(graphs: LabelledGraphs, *, attributes: bool = False) -> Colours:
    """Colour every node, and refine until no round tells more nodes apart.

    A round replaces a node's colour by a hash of its own, of what arrives along its edges
    (colour of the source and label of the edge, as a multiset) and of where its own edges
    lead. With 64 bits two different ones collide with a chance of about V² / 2⁶⁴ a round.
    """
    state = _coloured(graphs.node_labels, graphs.node_attributes, attributes)
    bonds = _coloured(graphs.edge_labels, graphs.edge_attributes, attributes)
    source, target = graphs.edge_index + np.repeat(graphs.node_pointer[:-1], graphs.n_edges)
    forth, back = bonds + np.uint64(1), bonds + np.uint64(2)
    rounds = min(int(graphs.n_nodes.max(initial=0)), MOST_ROUNDS)
    told_apart = len(np.unique(state))
    for _ in range(rounds):
        arrives = sum_by(target, mix(mix(state)[source] + forth), len(state))
        leads = sum_by(source, mix(mix(state)[target] + back), len(state))
        state = mix(mix(mix(~state) + arrives) + leads)
        before, told_apart = told_apart, len(np.unique(state))
        if told_apart <= before:
            break
    return Colours(state, bonds)


def sum_by(
    owner: NDArray[np.integer], values: NDArray[np.uint64], n_owners: int
) -> NDArray[np.uint64]:
    """Sum of the values of each owner, modulo 2⁶⁴: a multiset's hash from its members'."""
    total = np.zeros(n_owners, dtype=np.uint64)
    np.add.at(total, owner, values)
    return total


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter integers over 64 bits (the finaliser of Steele et al. 2014, SplitMix64)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def _coloured(
    labels: NDArray[np.int64], numbers: NDArray[np.float32], attributes: bool
) -> NDArray[np.uint64]:
    """First colours: a hash of the labels, and of the attributes' bits where they count."""
    state = np.zeros(len(labels), dtype=np.uint64)
    for column in labels.T:
        state = mix(state + _unsigned(column))
    if attributes:
        bits = np.ascontiguousarray(numbers + np.float32(0)).view(np.uint32)  # -0 becomes 0
        for column in bits.T:
            state = mix(state + column.astype(np.uint64))
    return state


def _unsigned(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(values, dtype=np.int64).view(np.uint64)


def _equal(hashes: NDArray[np.uint64]) -> list[list[int]]:
    """Rows of every hash that occurs twice or more."""
    order = np.argsort(hashes, kind="stable")
    starts = np.flatnonzero(np.diff(hashes[order])) + 1
    return [rows.tolist() for rows in np.split(order, starts) if len(rows) > 1]


def _share_out(
    rows: list[int], graphs: LabelledGraphs, colours: Colours, found: SameGraphs
) -> None:
    """Compare the graphs of one hash with the first of each group so far."""
    groups: list[list[int]] = []
    firsts: list[Any] = []
    for row in rows:
        drawn = _drawn(graphs, colours, row)
        for members, first in zip(groups, firsts, strict=True):
            same = _isomorphic(first, drawn)
            if same is None:
                found.unproved.append((members[0], row))
            if same is not False:
                members.append(row)
                break
            found.told_apart.append((members[0], row))
        else:
            groups.append([row])
            firsts.append(drawn)
    found.groups.extend(members for members in groups if len(members) > 1)


def _drawn(graphs: LabelledGraphs, colours: Colours, row: int) -> Any:
    """One graph for networkx; None where it is too large to be compared."""
    import networkx as nx

    first, last = graphs.node_pointer[row : row + 2].tolist()
    if last - first > MOST_NODES:
        return None
    start, stop = graphs.edge_pointer[row : row + 2].tolist()
    drawn = nx.DiGraph()
    for node, colour in enumerate(colours.nodes[first:last].tolist()):
        drawn.add_node(node, colour=colour)
    ends = graphs.edge_index[:, start:stop].T.tolist()
    for (u, v), colour in zip(ends, colours.edges[start:stop].tolist(), strict=True):
        drawn.add_edge(u, v, colour=colour)
    return drawn


def _isomorphic(one: Any, other: Any) -> bool | None:
    """Compare two graphs of one hash; None where it cannot be decided in time.

    A node may only be laid on one of its own refined colour, which holds its labels (and
    attributes, where asked for) and leaves to search only what refinement cannot settle.
    """
    import networkx as nx

    if one is None or other is None:
        return None
    steps = itertools.count()

    def same_colour(part: dict[str, int], other_part: dict[str, int]) -> bool:
        if next(steps) > MOST_STEPS:
            raise _UndecidedError
        return part["colour"] == other_part["colour"]

    try:
        return bool(nx.is_isomorphic(one, other, node_match=same_colour, edge_match=same_colour))
    except _UndecidedError:
        return None
