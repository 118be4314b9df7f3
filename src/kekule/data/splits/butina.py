"""Folds of whole Butina clusters: what is alike is trained on or tested, not both."""

from kekule.data.splits.grouped import grouped_split
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.split import Split

# ECFP4 Tanimoto distance. The similarity of a tested molecule of BBBP to the nearest one that
# was trained on has the median 0.58 in random folds, 0.45 in scaffold folds, 0.48 in clusters
# cut off at 0.4 and 0.37 in clusters cut off at 0.6.
CUTOFF = 0.6


def butina_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Test on molecules unlike those trained on, in k folds even in rows and classes.

    Use it where a scaffold split is too easy: analogues whose ring systems differ by an
    atom stand together here. Not for sets of close analogues (BACE), where a few clusters
    hold most rows, and not to promise a distance: two molecules of different clusters may
    be nearer than `CUTOFF` where neither is a centre.

    A fold misses N / k rows by less than the largest cluster.

    Raises
    ------
    KekuleError
        If there are too many molecules to compare every pair; see
        `kekule.data.splits.clusters`.
    """
    if "butina" not in inputs.found:
        from kekule.data.splits.clusters import butina_clusters

        inputs.found["butina"] = butina_clusters(
            inputs.molecules("butina"),
            cutoff=CUTOFF,
            processes=dealing.processes,
            progress=dealing.progress,
        )
    groups = inputs.found["butina"]
    return grouped_split("butina", inputs, groups, dealing, unit="clusters")
