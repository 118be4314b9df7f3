"""Batches in which every distinct environment stands once.

A set whose environments are few is laid out whole, once, and a batch only says which of its
rows a graph is made of: a step then needs no index to be built. Otherwise the environments
that occur in a batch are picked out of the set's.

Symbols as in `kekule.models.batch`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kekule.data.graphs import spans
from kekule.features import PackedGraphs
from kekule.features.environments import Level, Number, bond_environments, environments
from kekule.models.aggregation import Messages
from kekule.models.batch import BondBatch, GraphBatch, Round, Rows, owners
from kekule.models.hardware import WIDE

Index = NDArray[np.int64]

MANY = 50  # times more environments in the set than in a batch: then sorting is quicker
ROWS_A_PIECE = 2**14  # weighed together, in numbers twice as wide as those that stay
WHOLE = 0.5  # of the rows a batch would have without sharing: what the whole set may have


def rows_multiple(width: int) -> int:
    """What the rows of batches are filled up to a multiple of, for a network of `width`.

    oneDNN keeps a program and a copy of the weights for every shape that it multiplies in
    bfloat16: a D-MPNN whose batches all had other shapes grew by 80 MB an epoch.
    """
    return 64 if width >= WIDE else 1


class _Level(NamedTuple):
    """A level of environments, ready to be cut: its own arrays, and weights of messages."""

    of: Number
    own: Number
    pointer: Index
    source: Number
    edge: Number
    weight: NDArray[np.float32] | None


def _with_loops(levels: Sequence[Level]) -> list[_Level]:
    """Let every environment hear of itself, and weigh messages by the degrees of both ends."""
    degrees = [np.diff(level.pointer) + 1 for level in levels]
    degrees[0] = np.empty(len(levels[0]), dtype=np.int64)
    degrees[0][levels[1].own] = degrees[1]  # radius 0 tells degrees apart already
    scales = [1 / np.sqrt(degree) for degree in degrees]
    looped = [_plain(levels[0])]
    for k, level in enumerate(levels[1:], start=1):
        starts = level.pointer[:-1]
        source = np.insert(level.source, starts, level.own)
        pointer = level.pointer + np.arange(len(level.pointer))
        weight = _weights(scales[k], pointer, scales[k - 1], source)
        edge = np.zeros(0, dtype=np.int32)
        looped.append(_Level(level.of, level.own, pointer, source, edge, weight))
    return looped


def _weights(
    here: NDArray[np.float64], pointer: Index, there: NDArray[np.float64], source: Number
) -> NDArray[np.float32]:
    """Product of the scales of both ends of every message, piece by piece."""
    weight = np.empty(len(source), dtype=np.float32)
    for start in range(0, len(here), ROWS_A_PIECE):
        ends = pointer[start : start + ROWS_A_PIECE + 1]
        span = slice(ends[0], ends[-1])
        scales = np.repeat(here[start : start + ROWS_A_PIECE], np.diff(ends))
        weight[span] = scales * there[source[span]]
    return weight


def _plain(level: Level) -> _Level:
    return _Level(level.of, level.own, level.pointer, level.source, level.edge, None)


class _Picked:
    """Which environments of one level a batch has, and where they stand in it."""

    def __init__(self, level: _Level, n_rows: int, multiple: int):
        self.level, self.multiple = level, multiple
        self.place = np.zeros(n_rows, dtype=np.int32)  # in the last batch; stale elsewhere
        self.taken = np.zeros(0, dtype=np.int64)

    def pick(self, items: Index) -> Number:
        """Rows of `items` in the batch, after taking the environments they have."""
        of = self.level.of[items]
        if len(self.place) < MANY * len(of):
            there = np.zeros(len(self.place), dtype=np.bool_)
            there[of] = True
            self.taken = np.flatnonzero(there)
        else:
            self.taken = np.unique(of).astype(np.int64)
        self.place[self.taken] = np.arange(len(self.taken), dtype=np.int32)
        spare = -len(self.taken) % self.multiple
        if spare and len(self.taken):  # more of the last, which nothing reads
            self.taken = np.append(self.taken, np.repeat(self.taken[-1], spare))
        return self.place[of]

    def round(self, before: "_Picked", *, own: Number | None) -> Round:
        """Messages to the environments taken, from those that `before` took.

        `own` says where the rows stand that environments were before; None: as numbered.
        """
        level = self.level
        along, pointer = spans(level.pointer, self.taken)
        was = level.own[self.taken]
        messages = Messages(
            _long(before.place[level.source[along]]),
            torch.from_numpy(np.repeat(np.arange(len(self.taken)), np.diff(pointer))),
            torch.from_numpy(pointer),
            None if level.weight is None else torch.from_numpy(level.weight[along]),
        )
        edge = _long(level.edge[along]) if len(level.edge) else None
        return Round(messages, _long(was if own is None else own[was]), edge)


def _whole(level: _Level, n_before: int) -> Round:
    """Round of all environments of a level, grouped by sender too."""
    target = np.repeat(np.arange(len(level.pointer) - 1), np.diff(level.pointer))
    order = np.argsort(level.source, kind="stable")
    sent = np.zeros(n_before + 1, dtype=np.int64)
    np.cumsum(np.bincount(level.source, minlength=n_before), out=sent[1:])
    weight = None if level.weight is None else torch.from_numpy(level.weight)
    back = Messages(
        torch.from_numpy(target[order]),
        _long(level.source[order]),
        torch.from_numpy(sent),
        None if weight is None else weight[torch.from_numpy(order)],
    )
    messages = Messages(
        _long(level.source),
        torch.from_numpy(target),
        torch.from_numpy(level.pointer),
        weight,
        back,
    )
    edge = _long(level.edge) if len(level.edge) else None
    return Round(messages, _long(level.own), edge)


def _long(numbers: Number | Index) -> Tensor:
    """Numbers as indices of tensors."""
    return torch.from_numpy(numbers.astype(np.int64, copy=False))


def _batch_fits(n_rows: int, graphs: PackedGraphs, n_items: int, batch_size: int) -> bool:
    """Whether the whole set has few enough rows to be computed for every batch."""
    mean_rows = n_items / max(len(graphs), 1) * min(batch_size, len(graphs))
    return n_rows <= WHOLE * mean_rows


class EnvironmentLayout:
    """Atoms that no local network of `radius` rounds can tell apart, once.

    Parameters
    ----------
    graphs
        The set.
    radius
        Rounds of message passing.
    batch_size
        Graphs in a batch, roughly; decides whether the set is laid out whole.
    loops
        As in `PlainLayout`.
    multiple
        Rows of a batch are filled up to a multiple of this (`rows_multiple`).
    """

    def __init__(
        self,
        graphs: PackedGraphs,
        radius: int,
        *,
        batch_size: int = 64,
        loops: bool = False,
        multiple: int = 1,
    ):
        self.graphs = graphs
        found = environments(graphs, radius)
        first, kinds = found.levels[0].first, found.bond_kinds
        self.nodes = torch.from_numpy(graphs.nodes[first].astype(np.int64))
        self.attributes = torch.from_numpy(graphs.node_attributes[first].astype(np.float32))
        self.edges = torch.from_numpy(graphs.edges[kinds].astype(np.int64))
        self.edge_attributes = torch.from_numpy(graphs.edge_attributes[kinds].astype(np.float32))
        if loops:
            self.levels = _with_loops(found.levels)
        else:
            self.levels = list(map(_plain, found.levels))
        sizes = [len(level) for level in found.levels]
        self.rounds: tuple[Round, ...] | None = None
        if _batch_fits(sum(sizes), graphs, len(graphs.nodes) * (radius + 1), batch_size):
            self.rounds = tuple(map(_whole, self.levels[1:], sizes))
        self._picked = [_Picked(*pair, multiple) for pair in zip(self.levels, sizes, strict=True)]

    def batch(self, rows: Rows) -> GraphBatch:
        """Graphs `rows` in that order."""
        items, pointer = spans(self.graphs.node_pointer, rows)
        nodes, attributes, rounds = self.nodes, self.attributes, self.rounds
        if rounds is not None:
            node = [level.of[items] for level in self.levels]
        else:
            node = [picked.pick(items) for picked in self._picked]
            pairs = zip(self._picked[1:], self._picked[:-1], strict=True)
            rounds = tuple(after.round(before, own=before.place) for after, before in pairs)
            start = torch.from_numpy(self._picked[0].taken)
            nodes, attributes = nodes.index_select(0, start), attributes.index_select(0, start)
        return GraphBatch(
            nodes=nodes,
            node_attributes=attributes,
            edges=self.edges,
            edge_attributes=self.edge_attributes,
            rounds=rounds,
            node=tuple(map(_long, node)),
            descriptors=_descriptors(self.graphs, rows),
            **owners(pointer),
        )


class BondLayout:
    """Directed bonds that no network of `radius` rounds can tell apart, once.

    Without `share` each bond stands by itself; `multiple` as in `EnvironmentLayout`.
    """

    def __init__(
        self,
        graphs: PackedGraphs,
        radius: int,
        *,
        batch_size: int = 64,
        share: bool = True,
        multiple: int = 1,
    ):
        self.graphs = graphs
        found = bond_environments(graphs, radius, share=share)
        atoms, kinds = found.atoms, found.bond_kinds
        self.nodes = torch.from_numpy(graphs.nodes[atoms].astype(np.int64))
        self.attributes = torch.from_numpy(graphs.node_attributes[atoms].astype(np.float32))
        self.edges = torch.from_numpy(graphs.edges[kinds].astype(np.int64))
        self.edge_attributes = torch.from_numpy(graphs.edge_attributes[kinds].astype(np.float32))
        self.atom = _long(found.atom_of_bond)
        self.bond = _long(found.kind_of_bond)
        self.of = found.last.of
        levels, last = list(map(_unlabelled, found.levels)), _unlabelled(found.last)
        sizes = [len(level) for level in found.levels]
        n_items = graphs.edge_index.shape[1] * (radius + 1) + len(graphs.nodes)
        self.rounds: tuple[Round, ...] | None = None
        if _batch_fits(sum(sizes) + len(found.last), graphs, n_items, batch_size):
            self.rounds = tuple(map(_whole, levels[1:], sizes))
            self.last = _whole(last, sizes[-1])
        self._picked = [_Picked(*pair, multiple) for pair in zip(levels, sizes, strict=True)]
        self._atoms = _Picked(last, len(found.last), multiple)

    def batch(self, rows: Rows) -> BondBatch:
        """Graphs `rows` in that order."""
        items, pointer = spans(self.graphs.node_pointer, rows)
        atom, bond = self.atom, self.bond
        if self.rounds is not None:
            rounds, last = self.rounds, self.last
            node = self.of[items]
        else:
            node, bonds = self._atoms.pick(items), spans(self.graphs.edge_pointer, rows)[0]
            for picked in self._picked:
                picked.pick(bonds)
            pairs = zip(self._picked[1:], self._picked[:-1], strict=True)
            place = self._picked[0].place
            rounds = tuple(after.round(before, own=place) for after, before in pairs)
            last = self._atoms.round(self._picked[-1], own=None)
            start = torch.from_numpy(self._picked[0].taken)
            atom, bond = atom.index_select(0, start), bond.index_select(0, start)
        return BondBatch(
            nodes=self.nodes,
            node_attributes=self.attributes,
            edges=self.edges,
            edge_attributes=self.edge_attributes,
            atom=atom,
            bond=bond,
            rounds=rounds,
            last=last,
            node=_long(node),
            descriptors=_descriptors(self.graphs, rows),
            **owners(pointer),
        )


def _unlabelled(level: Level) -> _Level:
    """A level of bonds: what a message goes along is known from who sends it."""
    nothing = np.zeros(0, dtype=np.int32)
    return _Level(level.of, level.own, level.pointer, level.source, nothing, None)


def _descriptors(graphs: PackedGraphs, rows: Rows) -> Tensor:
    return torch.from_numpy(np.asarray(graphs.graph_attributes[rows], dtype=np.float32))
