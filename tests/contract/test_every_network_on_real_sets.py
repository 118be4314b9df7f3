"""Every network learns from molecules, from tasks with gaps, and from large graphs."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from kekule.data import find_set
from kekule.features import molecule_graphs, pack, schema_of
from kekule.models import NETWORKS, TrainSettings, build_network, fit

N_ROWS, N_TRAINING = 2000, 1600


@pytest.fixture(scope="module")
def sets(data_root, tu_root):
    """Graphs and targets (R, T) of a set, the rows of a first part in random order."""

    def of_table(name, columns):
        table = pd.read_csv(data_root / "moleculenet" / name).sample(N_ROWS, random_state=0)
        graphs = molecule_graphs(table["smiles"]).graphs
        read = np.flatnonzero(np.diff(graphs.node_pointer))  # RDKit refuses a few
        targets = table.filter(regex=columns).fillna(-1).to_numpy(dtype=np.int64)
        return graphs.take(read), targets[read]

    proteins = find_set(tu_root / "PROTEINS")
    order = np.random.default_rng(0).permutation(len(proteins))
    classes = np.unique(proteins.targets, return_inverse=True)[1].astype(np.int64)
    return {
        "BBBP": of_table("BBBP.csv", "^p_np$"),
        "Tox21": of_table("tox21.csv", "^(NR|SR)-"),
        "PROTEINS": (pack(proteins, schema_of(proteins)).take(order), classes[order][:, None]),
    }


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("BBBP", 0.8), ("Tox21", 0.62), ("PROTEINS", 0.65)])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_few_epochs_rank_held_out_rows_better_than_chance(sets, network, name, least):
    graphs, targets = sets[name]
    n_tasks = targets.shape[1]
    settings = NETWORKS[network].Settings(hidden=64)
    n_training = min(N_TRAINING, len(graphs) * 4 // 5)
    best = []

    def score(given, truth):
        given = given.reshape(len(given), n_tasks, 2)
        truth = truth.reshape(len(truth), n_tasks)
        there = truth >= 0
        areas = [
            roc_auc_score(truth[there[:, t], t], given[there[:, t], t, 1]) for t in range(n_tasks)
        ]
        best.append(float(np.mean(areas)))
        return best[-1]

    fit(
        build_network(graphs.schema, 2, settings, seed=0, n_tasks=n_tasks),
        graphs,
        targets,
        train_rows=np.arange(n_training),
        validation_rows=np.arange(n_training, len(graphs)),
        settings=TrainSettings(epochs=6),
        score=score,
        seed=0,
    )

    assert max(best) > least
