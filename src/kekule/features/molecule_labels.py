"""From what a featuriser says of atoms and bonds to packed graphs; one way for all of them.

Symbols: N molecules, V atoms of all of them, B bonds, E = 2 B directed edges.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.edges import pointer
from kekule.features.molecule_schema import ATOM_COLUMNS, BOND_COLUMNS, MOLECULE_SCHEMA
from kekule.features.packed import PackedGraphs, index_dtype
from kekule.features.schema import Column

LARGEST_LABEL = 120  # of any column, either sign: labels fit an int8


class MoleculeLabels(NamedTuple):
    """Labels of N molecules, as `kekule.features.molecule_schema` lists them."""

    n_atoms: NDArray[np.int64]  # (N,), 0 where there is no molecule
    n_bonds: NDArray[np.int64]  # (N,)
    atoms: NDArray[np.int8]  # (9, V), a row for each column of the schema
    ends: NDArray[np.int64]  # (2, B), each bond once, numbered through all molecules
    bonds: NDArray[np.int8]  # (4, B)


def packed_labels(labels: MoleculeLabels) -> PackedGraphs:
    """Code the labels, and lay every bond down both ways in the order of the contract.

    A label without a code gets the code of another: a caller has to leave such molecules
    out, and only the element of a dummy atom can be one.
    """
    starts, ends = pointer(labels.n_atoms), labels.ends
    n_atoms, n_bonds = labels.atoms.shape[1], labels.bonds.shape[1]
    edge_pointer = pointer(2 * labels.n_bonds)
    shift = starts[:-1].repeat(2 * labels.n_bonds)
    # One number holds an edge's ends and the kind of its bond, and is all there is to sort.
    low, high = _KIND_BITS, _KIND_BITS + n_atoms.bit_length()
    keys = np.empty((2, n_bonds), dtype=np.int64)
    kinds = _kinds(labels.bonds)
    for k in (0, 1):
        keys[k] = (ends[k] << high) | (ends[1 - k] << low) | kinds
    key = keys.ravel()
    key.sort()
    edge_index = np.empty((2, 2 * n_bonds), dtype=index_dtype(labels.n_atoms))
    np.subtract(key >> high, shift, out=edge_index[0], casting="unsafe")
    target = (key >> low) & ((1 << (high - low)) - 1)
    np.subtract(target, shift, out=edge_index[1], casting="unsafe")
    return PackedGraphs(
        schema=MOLECULE_SCHEMA,
        node_pointer=starts,
        edge_pointer=edge_pointer,
        edge_index=edge_index,
        nodes=_coded(labels.atoms),
        edges=_CODES_OF_KIND.take(key & ((1 << low) - 1), axis=0),
        node_attributes=np.empty((n_atoms, 0), dtype=np.float32),
        edge_attributes=np.empty((2 * n_bonds, 0), dtype=np.float32),
    )


def _coded(labels: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Codes (V, 9) of atoms."""
    codes = np.empty(labels.shape[::-1], dtype=np.uint8)
    for k, table in enumerate(_ATOM_TABLES):
        codes[:, k] = _looked_up(labels[k], table)
    return codes


def _kinds(labels: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Number (B,) of each bond among all combinations of codes a bond can have."""
    kinds = np.zeros(labels.shape[1], dtype=np.uint8)
    for row, table, column in zip(labels, _BOND_TABLES, BOND_COLUMNS, strict=True):
        kinds *= column.cardinality
        kinds += _looked_up(row, table)
    return kinds


def _looked_up(labels: NDArray[np.int8], table: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(labels.tobytes().translate(table), dtype=np.uint8)


def _table(column: Column) -> bytes:
    """Code of each label, which is an int8, at the place of its byte."""
    labels = np.arange(256)
    labels[128:] -= 256
    return column.codes(labels)[0].astype(np.uint8).tobytes()


_ATOM_TABLES = [_table(column) for column in ATOM_COLUMNS]
_BOND_TABLES = [_table(column) for column in BOND_COLUMNS]
_CODES_OF_KIND = np.array(
    list(product(*(range(column.cardinality) for column in BOND_COLUMNS))), dtype=np.uint8
)
_KIND_BITS = len(_CODES_OF_KIND).bit_length()  # 120 kinds of bond in 7 bits
