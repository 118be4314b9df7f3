"""Which molecules are alike: Tanimoto similarity of ECFP4 bits, many pairs at a time.

The bits are hashed into 2048 and packed into 32 words; stereo does not count. Molecules
with p and q bits are at most min(p, q) / max(p, q) similar, so those sorted by their
number of bits are compared with the ones of a near number alone. The words are kept one
after the other, not the molecules: a word that a molecule lacks costs nothing.

Symbols: N molecules, W words. Knows RDKit; must not know labels or folds.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from kekule.data.chunked import Progress, map_chunks, shared_out
from kekule.data.smiles import quiet, read_molecule

N_BITS = 2048
_ALONE = 2048  # molecules that are done before a second process has started
_EPS = 1e-9  # a threshold is reached by what equals it, however either was rounded


class SortedBits(NamedTuple):
    """Packed bits of N molecules, in rising order of their number."""

    words: NDArray[np.uint64]  # (W, N)
    counts: NDArray[np.int64]  # (N,), bits of each molecule
    order: NDArray[np.int64]  # (N,), which molecule of the caller's each one is


def ecfp4_bits(
    smiles: Sequence[str], *, processes: int = 1, progress: Progress | None = None
) -> NDArray[np.uint64]:
    """ECFP4 of every molecule, packed; uint64 (N, W).

    References
    ----------
    Rogers & Hahn 2010, https://doi.org/10.1021/ci100050t.
    """
    processes = processes if len(smiles) > _ALONE else 1
    parts, done = [np.zeros((0, N_BITS // 64), dtype=np.uint64)], 0
    for part in map_chunks(_bits, shared_out(smiles, processes), processes=processes):
        parts.append(part)
        done += len(part)
        if progress:
            progress("fingerprints", done, len(smiles))
    return np.concatenate(parts)


def sorted_bits(bits: NDArray[np.uint64]) -> SortedBits:
    """Lay packed bits (N, W) out for comparison."""
    counts = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    order = np.argsort(counts, kind="stable")
    return SortedBits(np.ascontiguousarray(bits[order].T), counts[order], order)


def similar_pairs(
    bits: NDArray[np.uint64],
    least: float,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Pairs of molecules that are at least so similar, each pair once, some at a time.

    Parameters
    ----------
    bits
        uint64 (N, W); every molecule has a bit.
    least
        Similarity above 0 from which on two molecules are a pair.
    """
    laid = sorted_bits(bits)
    processes = processes if len(bits) > _ALONE else 1
    parts = shared_out(range(len(bits)), processes)
    done = 0
    work = partial(_pairs, laid=laid, least=least)
    for (first, second), part in zip(
        map_chunks(work, parts, processes=processes), parts, strict=True
    ):
        done += len(part)
        if progress:
            progress("similar pairs", done, len(bits))
        yield first, second


def nearest(
    bits: NDArray[np.uint64],
    to: NDArray[np.uint64],
    least: float,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Which of `to` each molecule is most similar to, the first of equals.

    Each must have one that is at least `least` similar; no other is looked for.
    """
    laid = sorted_bits(to)
    processes = processes if len(bits) > _ALONE else 1
    found, done = [np.zeros(0, dtype=np.int64)], 0
    work = partial(_nearest, laid=laid, least=least)
    parts = [bits[part[0] : part[-1] + 1] for part in shared_out(range(len(bits)), processes)]
    for part in map_chunks(work, parts, processes=processes):
        found.append(part)
        done += len(part)
        if progress:
            progress("nearest leaders", done, len(bits))
    return np.concatenate(found)


def _bits(smiles: Sequence[str]) -> NDArray[np.uint64]:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=N_BITS)
    mols = [read_molecule(text) for text in smiles]
    with quiet():
        texts = [DataStructs.BitVectToBinaryText(generator.GetFingerprint(mol)) for mol in mols]
    return np.frombuffer(b"".join(texts), dtype="<u8").reshape(len(texts), -1).astype(np.uint64)


def _pairs(
    rows: Sequence[int], *, laid: SortedBits, least: float
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    first, second = [], []
    # Similar enough: common / (p + q - common) >= least, solved for the common bits.
    share = laid.counts * (least / (1.0 + least))
    for row in rows:
        end = int(np.searchsorted(laid.counts, laid.counts[row] / least + _EPS, side="right"))
        later = slice(row + 1, end)
        alike = _common(laid.words[:, row], laid, later) >= share[later] + share[row] - _EPS
        second.append(row + 1 + np.flatnonzero(alike))
        first.append(np.full(len(second[-1]), row))
    of = laid.order.astype(np.int32)
    return of[np.concatenate(first)], of[np.concatenate(second)]


def _nearest(bits: NDArray[np.uint64], *, laid: SortedBits, least: float) -> NDArray[np.int64]:
    found = np.empty(len(bits), dtype=np.int64)
    for row, words in enumerate(bits):
        count = int(np.bitwise_count(words).sum())
        start = int(np.searchsorted(laid.counts, count * least - _EPS))
        end = int(np.searchsorted(laid.counts, count / least + _EPS, side="right"))
        near = slice(start, end)
        common = _common(words, laid, near)
        similarity = common / (laid.counts[near] + count - common)
        found[row] = laid.order[near][similarity == similarity.max()].min()
    return found


def _common(words: NDArray[np.uint64], laid: SortedBits, part: slice) -> NDArray[np.uint16]:
    """Count the bits one molecule has in common with each of some."""
    common = np.zeros(part.stop - part.start, dtype=np.uint16)
    for place in np.flatnonzero(words):
        common += np.bitwise_count(laid.words[place, part] & words[place])
    return common
