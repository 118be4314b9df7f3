"""A set of a dozen rings and chains, and what one run on it leaves."""

import numpy as np
import pytest

from kekule.evaluation import FINAL, NETWORK, FoldResult, FoldTask
from kekule.workflow import train

QUICK = (
    *("model=gcn", "model.hidden=4", "train.epochs=3"),
    *("protocol.folds=2", "protocol.seeds=2", "protocol.baselines=[majority, structure-free]"),
)


def rings_and_chains(folder, *, classes=(1, -1), per_class=6, empty=(), labelled=True):
    """Write a TU set: the first class are rings, others chains; graphs `empty` have no nodes."""
    edges, indicator, labels, targets = [], [], [], []
    for graph in range(per_class * len(classes)):
        kind = graph % len(classes)
        targets.append(classes[kind])
        if graph in empty:
            continue
        first, size = len(indicator) + 1, 3 + graph // len(classes)
        indicator += [graph + 1] * size
        labels += [kind if graph > 3 else 0, *[0] * (size - 1)]
        bonds = [(first + k, first + k + 1) for k in range(size - 1)]
        bonds += [(first, first + size - 1)] if kind == 0 else []
        edges += [*bonds, *((v, u) for u, v in bonds)]
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "A": [f"{u}, {v}" for u, v in edges],
        "graph_indicator": indicator,
        "graph_labels": targets,
        "node_labels": labels,
    }
    for role, lines in files.items():
        if labelled or role != "graph_labels":
            text = "".join(f"{line}\n" for line in lines)
            (folder / f"TINY_{role}.txt").write_text(text)
    return folder


@pytest.fixture
def tiny_set(tmp_path):
    """Write a set of rings and chains; see `rings_and_chains` for what can be changed."""
    return lambda name="TINY", **changes: rings_and_chains(tmp_path / "sets" / name, **changes)


@pytest.fixture
def page_left_blank(monkeypatch):
    """Spare a run its figures, where a test is not about them."""
    monkeypatch.setattr(
        "kekule.workflow.training.report",
        lambda files: (files / "report.html").write_text("<html></html>"),
    )


@pytest.fixture
def quick_train(tiny_set, page_left_blank):
    """Train on a tiny set in a second or two."""

    def start(*overrides, data=None, **options):
        data = tiny_set() if data is None else data
        return train(None, [f"data={data}", *QUICK, *overrides], processes=1, **options)

    return start


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """One complete run with its page; not to be written into."""
    folder = tmp_path_factory.mktemp("run folder, été")
    data = rings_and_chains(folder / "TINY", empty=(4,))
    return train(None, [f"data={data}", *QUICK], out=folder / "run", processes=1)


@pytest.fixture
def final_task():
    return FoldTask(NETWORK, 0, FINAL)


@pytest.fixture
def fold_result():
    """What a fold might leave, every number drawn from `seed`."""

    def make(seed=0, *, rows=5, weights=()):
        rng = np.random.default_rng(seed)
        return FoldResult(
            rows=rng.permutation(50)[:rows],
            labels=rng.integers(0, 2, rows),
            probabilities=rng.random((rows, 2)),
            train_loss=rng.random(3),
            validation_loss=rng.random(3),
            best_epoch=int(rng.integers(0, 3)),
            seconds=float(rng.random()),
            weights={
                name: rng.random((4, 3)).astype(np.float32) if name != "n" else np.int64(7)
                for name in weights
            },
        )

    return make
