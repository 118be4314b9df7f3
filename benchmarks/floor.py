"""What the arithmetic of a training must take: operations counted, rates measured.

Counts the rows that the rounds of a network are made of, as every tool computes them (one row
an atom or directed bond) and with rows that look alike computed once, and the multiplications
that follow. Measures how fast this machine multiplies matrices of such shapes on one thread.
The quotient is the floor that `train_mutag.py` and `train_bbbp.py` are held against in
docs/performance.md.

    python benchmarks/floor.py  # a quarter of a minute; writes floor.json
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from contest import DATA, machine, need, spread

BBBP = DATA / "moleculenet" / "BBBP.csv"
BATCH = 64
ROUNDS = 7
TRAINING = 3  # forward once, and twice as much backward: by weights, and by inputs
MUTAG_EPOCHS, MUTAG_FOLDS, BBBP_EPOCHS = 170, 10, 10


def rates() -> dict[str, dict[str, float]]:
    """Operations a second of one thread, in units of 10⁹, by shape and type."""
    import torch

    torch.set_num_threads(1)
    found = {}
    for rows, width in ((1150, 64), (1300, 300)):
        for kind in (torch.float32, torch.bfloat16):
            x, w = torch.randn(rows, width).to(kind), torch.randn(width, width).to(kind)
            times = max(1, 2 * 10**9 // (2 * rows * width * width))
            x @ w
            values = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                for _ in range(times):
                    x @ w
                values.append(2 * rows * width * width * times / (time.perf_counter() - start))
            name = f"{rows} x {width} x {width} {str(kind).removeprefix('torch.')}"
            found[name] = spread([value / 1e9 for value in values])
    return found


def mutag_rows() -> dict[str, Any]:
    """Rows an epoch of three graph convolutions multiplies: the first layer reads codes."""
    import numpy as np

    from kekule.data import find_set
    from kekule.features import pack, schema_of
    from kekule.features.environments import environments

    graphs = find_set("MUTAG")
    packed = pack(graphs, schema_of(graphs))
    sizes = [len(level) for level in environments(packed, 3).levels]
    n_batches = int(np.ceil(0.9 * len(packed) / BATCH))
    return {
        "atoms": len(packed.nodes),
        "environments_by_radius": sizes,
        "rows_an_epoch": 0.9 * 2 * len(packed.nodes),  # the layers of 64 x 64, nine folds of ten
        "rows_an_epoch_shared": n_batches * sum(sizes[:3]),
    }


def bbbp_rows() -> dict[str, Any]:
    """Rows of 300 x 300 a batch of a D-MPNN of depth 3 multiplies, mean of twenty batches."""
    import numpy as np
    import pandas as pd

    from kekule.data import POLICIES
    from kekule.features import standard_graphs
    from kekule.models.environment_batch import BondLayout

    graphs = standard_graphs(
        pd.read_csv(BBBP)["smiles"].tolist(), POLICIES["parent"], processes=1
    ).graphs
    graphs = graphs.take(np.flatnonzero(np.diff(graphs.node_pointer) > 0))
    layout = BondLayout(graphs, 2, batch_size=BATCH)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        rows = rng.permutation(len(graphs))[:BATCH]
        batch, part = layout.batch(rows), graphs.take(rows)
        levels = [len(batch.bond), *(step.n_rows for step in batch.rounds)]
        shared = sum(levels[:-1]) + batch.last.n_rows
        found.append((part.edge_index.shape[1], len(part.nodes), shared))
    bonds, atoms, shared = np.mean(found, axis=0).tolist()
    return {
        "molecules": len(graphs),
        "bonds_a_batch": float(np.mean(bonds)),
        "atoms_a_batch": float(np.mean(atoms)),
        # one-hot input (147 columns) and two rounds for every bond, and the atoms' layer
        "rows_a_batch": float(np.mean(bonds)) * (147 / 300 + 2)
        + float(np.mean(atoms)) * 433 / 300,
        "rows_a_batch_shared": float(np.mean(shared)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.parse_args()
    need(BBBP, "Set KEKULE_TEST_DATA to the folder of the real data sets.")
    measured = rates()
    speed = {name: found["median"] * 1e9 for name, found in measured.items()}
    mutag, bbbp = mutag_rows(), bbbp_rows()
    narrow = next(speed[name] for name in speed if name.startswith("1150") and "float32" in name)
    for kind in ("rows_an_epoch", "rows_an_epoch_shared"):
        epochs = MUTAG_EPOCHS * MUTAG_FOLDS
        operations = TRAINING * mutag[kind] * 2 * 64 * 64 * epochs
        mutag[f"seconds_{kind}"] = round(operations / (2 * narrow), 3)
    n_batches = 0.8 * bbbp["molecules"] / BATCH * BBBP_EPOCHS
    for kind in ("rows_a_batch", "rows_a_batch_shared"):
        for dtype in ("float32", "bfloat16"):
            wide = next(speed[n] for n in speed if n.startswith("1300") and n.endswith(dtype))
            operations = TRAINING * bbbp[kind] * 2 * 300 * 300 * n_batches
            bbbp[f"seconds_{kind}_{dtype}"] = round(operations / (2 * wide), 3)
    record = machine() | {"gigaoperations_a_second": measured, "mutag": mutag, "bbbp": bbbp}
    print(json.dumps({"mutag": mutag, "bbbp": bbbp}, indent=1))
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
