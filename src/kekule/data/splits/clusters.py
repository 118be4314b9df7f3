"""Clusters of like molecules, found without looking at a label.

Two ways, both from what each molecule has near it at a cut-off of ECFP4 Tanimoto
distance. A cluster holds what is near its centre; two molecules of different clusters may
still be as near to each other, where neither is a centre.

Symbols: N molecules. Knows RDKit; must not know labels or folds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import DataStructs
from rdkit.SimDivFilters import rdSimDivPickers

from kekule._errors import KekuleError
from kekule.data.chunked import Progress
from kekule.data.splits.labels import numbered
from kekule.data.splits.similarity import ecfp4_bits, nearest, similar_pairs

LARGEST_BUTINA = 100_000  # molecules; the time grows with the square, minutes at this size
MOST_PAIRS = 20_000_000  # of neighbours: some 500 MB while they are sorted


def butina_clusters(
    smiles: Sequence[str],
    *,
    cutoff: float,
    processes: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Cluster of each molecule: centres are the ones with the most neighbours.

    The molecule with the most others within the cut-off takes all of them that are still
    free, then the one with the next most, and so on; of equals the later row goes first,
    as in RDKit's own, whose clusters these are.

    Parameters
    ----------
    smiles
        N readable SMILES, at most `LARGEST_BUTINA`.
    cutoff
        Distance, 1 - similarity, up to which two molecules are neighbours.
    processes, progress
        See `kekule.data.chunked`.

    Raises
    ------
    KekuleError
        If there are too many molecules, or too many pairs of neighbours.

    References
    ----------
    Butina 1999, https://doi.org/10.1021/ci9803381.
    """
    if len(smiles) > LARGEST_BUTINA:
        raise KekuleError(
            f"splits: butina compares every pair of {len(smiles)} molecules, and at most "
            f"{LARGEST_BUTINA} are taken. Use tanimoto-cluster, which has no such limit."
        )
    bits = ecfp4_bits(smiles, processes=processes, progress=progress)
    # Molecules of equal bits have equal neighbours: they are compared once.
    distinct, of_row = np.unique(bits, axis=0, return_inverse=True)
    of_row = of_row.reshape(-1)
    parts, n_pairs = [], 0
    for part in similar_pairs(distinct, 1.0 - cutoff, processes=processes, progress=progress):
        parts.append(part)
        n_pairs += len(part[0])
        if n_pairs > MOST_PAIRS:
            raise KekuleError(
                f"splits: butina found more than {MOST_PAIRS} pairs within a distance of "
                f"{cutoff}: these molecules are too alike. Use tanimoto-cluster."
            )
    near = _neighbours(parts, len(distinct))
    return numbered(_centres(near, of_row)[of_row].tolist())


def leader_clusters(
    smiles: Sequence[str],
    *,
    cutoff: float,
    processes: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Cluster of each molecule: that of the nearest leader, the first of equals.

    Row by row, a molecule farther than the cut-off from every leader so far becomes one,
    so leaders are farther from each other than that. Then each of the others goes to the
    one it is most similar to. The time grows with the number of molecules times leaders;
    the memory with the molecules alone.

    Parameters
    ----------
    smiles
        N readable SMILES.
    cutoff
        Distance, 1 - similarity.
    processes, progress
        See `kekule.data.chunked`.
    """
    bits = ecfp4_bits(smiles, processes=processes, progress=progress)
    vectors = [DataStructs.CreateFromBinaryText(row.astype("<u8").tobytes()) for row in bits]
    if not vectors:
        return np.zeros(0, dtype=np.int64)
    picked = rdSimDivPickers.LeaderPicker().LazyBitVectorPick(vectors, len(vectors), cutoff)
    leaders = bits[np.array(picked, dtype=np.int64)]
    mine = nearest(bits, leaders, 1.0 - cutoff, processes=processes, progress=progress)
    return numbered(mine.tolist())


def _neighbours(
    parts: list[tuple[NDArray[np.int32], NDArray[np.int32]]], n: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lay pairs out by molecule: those of i are ``index[pointer[i] : pointer[i + 1]]``."""
    from scipy.sparse import coo_array

    first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
    half = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), (n, n)).tocsr()
    both = (half + half.T).tocsr()
    return both.indptr, both.indices


def _centres(
    near: tuple[NDArray[np.int32], NDArray[np.int32]], of_row: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Centre of each distinct molecule; `of_row` says which of them each row is."""
    pointer, index = near
    n = len(pointer) - 1
    copies = np.bincount(of_row, minlength=n)
    last = np.zeros(n, dtype=np.int64)
    np.maximum.at(last, of_row, np.arange(len(of_row)))
    owner = np.repeat(np.arange(n), np.diff(pointer))
    n_near = copies + np.bincount(owner, weights=copies[index], minlength=n).astype(np.int64)
    centre = np.full(n, -1, dtype=np.int64)
    for own in np.lexsort([-last, -n_near]).tolist():
        if centre[own] < 0:
            taken = index[pointer[own] : pointer[own + 1]]
            centre[taken[centre[taken] < 0]] = own
            centre[own] = own
    return centre
