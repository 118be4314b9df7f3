"""Circular environments: parts of molecules that no local network can tell apart.

After k rounds of message passing the vector of an atom depends on its k-neighbourhood alone.
Molecules share neighbourhoods: the 3,371 atoms of MUTAG have 134 different ones of radius
1 and 1,236 of radius 3. Here each is found once, by colour refinement, so that a network can
compute it once however often it occurs; outputs and gradients are the same sums in another
order.

Not for a network that looks at the whole graph in every round (a virtual node, attention over
all atoms), nor where nodes have continuous attributes: then all environments differ and the
search is in vain.

Symbols: V nodes, E directed edges, n_k environments of radius k. Knows NumPy; must not know
PyTorch or class labels.

References
----------
Colour refinement: Shervashidze et al. 2011, JMLR 12:2539-2561. Training on its classes:
Bollen et al. 2023, https://arxiv.org/abs/2304.11693.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.graphs import spans
from kekule.data.isomorphism import mix
from kekule.features.packed import PackedGraphs

Index = NDArray[np.int64]
Number = NDArray[np.integer]  # of items and environments; int32, or as small as holds them

GRAPHS_A_CUT = 2048  # looked at together: some 8 MB of arrays


class Level(NamedTuple):
    """Environments of one radius, and how each is made of those one smaller.

    Attributes
    ----------
    of
        Numbers (items,): environment of every atom, or of every directed bond.
    first
        Numbers (n_k,): an item that has it.
    own
        Numbers (n_k,): what the same item was one radius below; empty at radius 0.
    pointer
        int64 (n_k + 1,): environment c receives ``source[pointer[c]:pointer[c + 1]]``.
    source
        Numbers (m,): environments one radius below that send to it.
    edge
        Numbers (m,): number of the bond's codes among the distinct ones, `bond_kinds`.
    """

    of: Number
    first: Number
    own: Number
    pointer: Index
    source: Number
    edge: Number

    def __len__(self) -> int:
        """Return n_k."""
        return len(self.first)


@dataclass(frozen=True, eq=False)
class Environments:
    """Environments of every atom of a set, radius by radius.

    Attributes
    ----------
    levels
        Radius 0 (codes and number of neighbours) to R.
    bond_kinds
        Numbers (kinds,): an edge of every distinct row of edge codes and attributes.
    """

    levels: tuple[Level, ...]
    bond_kinds: Number

    @property
    def n_rows(self) -> int:
        """Environments of all radii together: rows a network computes for the whole set."""
        return sum(len(level.first) for level in self.levels)


@dataclass(frozen=True, eq=False)
class BondEnvironments:
    """Environments of every directed bond, and those of the atoms they end in.

    Attributes
    ----------
    atoms
        Numbers (kinds,): an atom of every distinct row of atom codes and attributes.
    atom_of_bond
        Numbers (n_0,): number among `atoms` of the atom a radius-0 environment starts from.
    kind_of_bond
        Numbers (n_0,): number among `bond_kinds` of its bond.
    bond_kinds
        Numbers (kinds,): an edge of every distinct row of edge codes and attributes.
    levels
        Directed bonds, radius 0 to R; a bond receives the bonds that end where it starts,
        without its own reverse.
    last
        Atoms: ``own`` numbers `atoms`, ``source`` environments of the last of `levels`.
    """

    atoms: Number
    atom_of_bond: Number
    kind_of_bond: Number
    bond_kinds: Number
    levels: tuple[Level, ...]
    last: Level


def environments(graphs: PackedGraphs, radius: int) -> Environments:
    """Environments of the atoms of `graphs` up to `radius`.

    Two different ones are taken for one with a chance of about V² / 2⁶⁴.
    """
    kinds, kind = _kinds(graphs)
    parts = _kept(lambda: _to_atoms(graphs, kind), graphs)
    start = _Numbering(len(graphs.nodes))
    for part in parts():
        state = _hashed(graphs.nodes[part.rows], graphs.node_attributes[part.rows])
        start.add(mix(state + np.diff(part.pointer).astype(np.uint64)))
    levels = [_start(start)]
    for _ in range(radius):
        before = levels[-1].of
        levels.append(_grown(parts, before, before))
    return Environments(tuple(levels), kinds)


def bond_environments(
    graphs: PackedGraphs, radius: int, *, share: bool = True
) -> BondEnvironments:
    """Environments of the directed bonds of `graphs` up to `radius`, and of their atoms.

    A bond whose reverse is missing receives all that ends where it starts. Without `share`
    every bond and every atom is an environment of its own.
    """
    kinds, kind = _kinds(graphs)
    numbered = _Numbering(len(graphs.nodes))
    for cut in _cuts(graphs):
        numbered.add(_hashed(graphs.nodes[cut.nodes], graphs.node_attributes[cut.nodes]))
    atoms, atom = numbered.result()
    start = _Numbering(len(kind), share=share)
    from_atom = np.empty(len(kind), dtype=atom.dtype)
    for cut in _cuts(graphs):
        from_atom[cut.edges] = atom[cut.start + cut.nodes.start]
        labels = kind[cut.edges].astype(np.uint64)
        start.add(mix(mix(from_atom[cut.edges].astype(np.uint64)) + labels))
    levels = [_start(start)]
    parts = _kept(lambda: _to_bonds(graphs), graphs)
    for _ in range(radius):
        own, before = levels[0].of, levels[-1].of
        levels.append(_grown(parts, own, before, share=share))
    last = _grown(lambda: _to_ends(graphs), atom, levels[-1].of, share=share)
    first = levels[0].first
    return BondEnvironments(atoms, from_atom[first], kind[first], kinds, tuple(levels), last)


def _kinds(graphs: PackedGraphs) -> tuple[Number, Number]:
    """An edge of every distinct row of edge codes and attributes, and each edge's number."""
    numbered = _Numbering(len(graphs.edges))
    for cut in _cuts(graphs):
        numbered.add(_hashed(graphs.edges[cut.edges], graphs.edge_attributes[cut.edges]))
    return numbered.result()


class _Numbering:
    """Numbers for the distinct among hashes that come piece by piece, by first place.

    Hashes are forgotten but for the distinct ones. Without `share` all are distinct.
    """

    def __init__(self, n_items: int, *, share: bool = True):
        self.share, self.at, self.n_distinct = share, 0, 0
        self.of: Number = np.empty(n_items, dtype=np.uint8 if share else np.int32)
        self.firsts: list[Number] = [np.zeros(0, dtype=np.int32)]
        self.known = np.zeros(0, dtype=np.uint64)  # rising
        self.number = np.zeros(0, dtype=np.int32)  # of each of them

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Number the next hashes."""
        here = slice(self.at, self.at + len(hashes))
        self.at = here.stop
        if not self.share:
            self.of[here] = np.arange(here.start, here.stop)
            self.firsts.append(self.of[here])
            return
        first, local = _distinct(hashes)
        distinct = hashes[first]
        place = np.searchsorted(self.known, distinct)
        new = np.append(self.known, np.uint64(0))[place] != distinct
        new |= place == len(self.known)
        number = np.empty(len(first), dtype=np.int32)
        number[~new] = self.number[place[~new]]
        number[new] = self.n_distinct + np.arange(np.count_nonzero(new))
        self.n_distinct += int(np.count_nonzero(new))
        self.of = _holding(self.of, self.n_distinct)
        self.firsts.append(first[new] + np.int32(here.start))
        self.of[here] = number[local]
        rising = np.flatnonzero(new)[np.argsort(distinct[new])]
        self.known = np.insert(self.known, place[rising], distinct[rising])
        self.number = np.insert(self.number, place[rising], number[rising])

    def result(self) -> tuple[Number, Number]:
        """First place of every distinct hash, rising, and the number of each item."""
        first = np.concatenate(self.firsts)
        return first, self.of


def _holding(numbers: Number, n: int) -> Number:
    """The same numbers in a type that also holds those below `n`."""
    for kind in (np.uint8, np.uint16, np.int32):
        if np.iinfo(kind).max >= max(n - 1, np.iinfo(numbers.dtype).max):
            return numbers.astype(kind, copy=False)
    raise ValueError(f"a set of {n} environments is larger than numbers go here")


class _Cut(NamedTuple):
    """Neighbouring graphs of a set, numbered from their first node and edge."""

    nodes: slice
    edges: slice
    start: Index  # (e,) source of each edge
    end: Index  # (e,) its target


class _Part(NamedTuple):
    """What some neighbouring items of a set receive, grouped by receiver."""

    rows: slice  # the receivers
    pointer: Index  # (receivers + 1,)
    source: Index  # (m,) senders, numbered through the set
    kind: Number | None  # (m,) kind of the edge each message goes along; None: all the same


_Parts = Callable[[], Iterable[_Part]]


def _cuts(graphs: PackedGraphs) -> Iterator[_Cut]:
    """Cut a set into pieces, so that what is made on the way stays small beside the set."""
    for first in range(0, len(graphs), GRAPHS_A_CUT):
        last = min(first + GRAPHS_A_CUT, len(graphs))
        nodes = slice(int(graphs.node_pointer[first]), int(graphs.node_pointer[last]))
        edges = slice(int(graphs.edge_pointer[first]), int(graphs.edge_pointer[last]))
        shift = np.repeat(
            graphs.node_pointer[first:last] - nodes.start,
            np.diff(graphs.edge_pointer[first : last + 1]),
        )
        yield _Cut(
            nodes,
            edges,
            graphs.edge_index[0, edges] + shift,
            graphs.edge_index[1, edges] + shift,
        )


def _kept(parts: _Parts, graphs: PackedGraphs) -> _Parts:
    """Make the parts of a small set once, and those of a large one whenever asked for."""
    if len(graphs) > GRAPHS_A_CUT:
        return parts
    made = list(parts())
    return lambda: made


def _to_atoms(graphs: PackedGraphs, kind: Number) -> Iterator[_Part]:
    """To every atom, its neighbours."""
    for cut in _cuts(graphs):
        order, pointer = _by_target(cut)
        source = cut.start[order] + cut.nodes.start
        yield _Part(cut.nodes, pointer, source, kind[cut.edges][order])


def _to_ends(graphs: PackedGraphs) -> Iterator[_Part]:
    """To every atom, the directed bonds that end in it."""
    for cut in _cuts(graphs):
        order, pointer = _by_target(cut)
        yield _Part(cut.nodes, pointer, order + cut.edges.start, None)


def _to_bonds(graphs: PackedGraphs) -> Iterator[_Part]:
    """To every directed bond, those that end where it starts, but for its reverse."""
    for cut in _cuts(graphs):
        order, into = _by_target(cut)
        sizes = np.diff(into)[cut.start]
        receiver = np.repeat(np.arange(len(cut.start)), sizes)
        shift = np.repeat(into[cut.start] - np.cumsum(sizes) + sizes, sizes)
        sender = order[shift + np.arange(len(shift))]
        kept = cut.start[sender] != cut.end[receiver]
        pointer = _pointer(np.bincount(receiver[kept], minlength=len(cut.start)))
        yield _Part(cut.edges, pointer, sender[kept] + cut.edges.start, None)


def _by_target(cut: _Cut) -> tuple[Index, Index]:
    """Order of the edges by target, and the pointer of each node into it."""
    n_nodes = cut.nodes.stop - cut.nodes.start
    sizes = np.bincount(cut.end, minlength=n_nodes)
    return np.argsort(cut.end, kind="stable"), _pointer(sizes)


def _start(numbered: _Numbering) -> Level:
    """Level of radius 0."""
    first, of = numbered.result()
    none = np.zeros(0, dtype=np.int32)
    return Level(of, first, none, np.zeros(1, dtype=np.int64), none, none)


def _grown(parts: _Parts, own: Number, before: Number, *, share: bool = True) -> Level:
    """Level of what every item was, `own`, and of what it receives of `before`."""
    numbered = _Numbering(len(own), share=share)
    for part in parts():
        # Mixed once more than its own: what sends and what hears must not change places.
        arrives = mix(before[part.source].astype(np.uint64))
        arrives = mix(arrives if part.kind is None else arrives + part.kind.astype(np.uint64))
        itself = mix(own[part.rows].astype(np.uint64))
        numbered.add(mix(itself + _sums(arrives, part.pointer)))
    first, of = numbered.result()
    none: Number = np.zeros(0, dtype=np.int32)
    sizes = [np.zeros(0, dtype=np.int64)]
    sources, kinds = [none], [none]
    for part in parts():
        here = slice(*np.searchsorted(first, [part.rows.start, part.rows.stop]).tolist())
        rows, pointer = spans(part.pointer, first[here] - part.rows.start)
        sizes.append(np.diff(pointer))
        sources.append(before[part.source[rows]])
        kinds.append(none if part.kind is None else part.kind[rows])
    return Level(
        of,
        first,
        own[first],
        _pointer(np.concatenate(sizes)),
        np.concatenate(sources),
        np.concatenate(kinds),
    )


def _pointer(sizes: NDArray[np.integer]) -> Index:
    pointer = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=pointer[1:])
    return pointer


def _distinct(hashes: NDArray[np.uint64]) -> tuple[Number, Number]:
    """First place of every distinct hash, in the order of those places, and each one's number.

    By first place rather than by hash, so that environments of one molecule lie together.
    """
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    order = np.argsort(first)
    rank[order] = np.arange(len(first), dtype=np.int32)
    return first[order].astype(np.int32), rank[inverse.ravel()]


def _hashed(
    codes: NDArray[np.unsignedinteger], attributes: NDArray[np.float32]
) -> NDArray[np.uint64]:
    """Hash of each row of codes and of the bits of its attributes."""
    state = np.zeros(len(codes), dtype=np.uint64)
    for column in codes.T:
        state = mix(state + column.astype(np.uint64))
    bits = np.ascontiguousarray(attributes + np.float32(0)).view(np.uint32)  # -0 becomes 0
    for column in bits.T:
        state = mix(state + column.astype(np.uint64))
    return state


def _sums(values: NDArray[np.uint64], pointer: Index) -> NDArray[np.uint64]:
    """Sum of each span, modulo 2⁶⁴."""
    total = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values, out=total[1:])
    return total[pointer[1:]] - total[pointer[:-1]]
