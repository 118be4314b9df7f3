"""Folds of whole clusters around leaders, for tables of any length."""

from kekule.data.splits.grouped import grouped_split
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.split import Split

CUTOFF = 0.6  # ECFP4 Tanimoto distance, as in `kekule.data.splits.butina`


def tanimoto_cluster_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Test on molecules unlike those trained on, like `butina_split` but for long tables.

    Use it where there are too many molecules for Butina's every pair. Clusters are
    smaller: a leader is the first row of its kind, not the one with the most neighbours,
    so rows in another order make other clusters. A fold misses N / k rows by less than the
    largest cluster.
    """
    kind = "tanimoto-cluster"
    if kind not in inputs.found:
        from kekule.data.splits.clusters import leader_clusters

        inputs.found[kind] = leader_clusters(
            inputs.molecules(kind),
            cutoff=CUTOFF,
            processes=dealing.processes,
            progress=dealing.progress,
        )
    return grouped_split(kind, inputs, inputs.found[kind], dealing, unit="clusters")
