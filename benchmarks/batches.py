"""An epoch of shuffled batches of 64 graphs of NCI1: batches a second, ours and PyG's.

Ours are cut from packed graphs; PyG's come from its `DataLoader` over a list of `Data`, which
is the quicker of the two things it can be given. Both draw a new order each epoch, and both
give nodes, edges and the class of each graph as tensors. The time is the processor's, on one
core.

    python benchmarks/batches.py  # half a minute; writes batches.json
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from contest import DATA, OURS, PEERS, Contestant, conclude, machine, need, serve, spread, timed

NCI1 = DATA / "tu" / "NCI1"
BATCH = 64
PACKAGES = ("kekule", "numpy", "torch", "torch_geometric")
OUR_NAME, PEER_NAME = "kekule PlainLayout", "PyG DataLoader"
EPOCHS = {OUR_NAME: 40, PEER_NAME: 4}  # a turn, so that both work about as long
AT_LEAST = 15.0


def kekule() -> Callable[[], int]:
    import numpy as np
    import torch

    from kekule.data import read_tu
    from kekule.features import pack, schema_of
    from kekule.models.batch import PlainLayout

    graphs = read_tu(NCI1)
    packed, targets = pack(graphs, schema_of(graphs)), graphs.targets
    layout = PlainLayout(packed)  # once a training, as the peer's list of graphs
    rng = np.random.default_rng(0)

    def epoch() -> int:
        order, n_nodes = rng.permutation(len(packed)), 0
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch, _ = layout.batch(rows), torch.from_numpy(targets[rows])
            n_nodes += len(batch.nodes)
        return n_nodes

    return epoch


def pyg() -> Callable[[], int]:
    import torch
    from torch_geometric.datasets import TUDataset
    from torch_geometric.loader import DataLoader

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as root:
        raw = Path(root) / "NCI1" / "raw"
        raw.parent.mkdir()
        raw.symlink_to(NCI1.resolve())
        with redirect_stderr(io.StringIO()):  # it tells of its progress there
            graphs = list(TUDataset(root, "NCI1"))
    loader = DataLoader(graphs, batch_size=BATCH, shuffle=True)
    return lambda: sum(batch.num_nodes for batch in loader)


def contend(name: str) -> None:
    import torch

    torch.set_num_threads(1)
    epoch = {OUR_NAME: kekule, PEER_NAME: pyg}[name]()
    n_nodes = epoch()

    def turn() -> dict[str, float]:
        def work() -> None:
            if any(epoch() != n_nodes for _ in range(EPOCHS[name])):
                raise SystemExit("an epoch lost a graph")

        return timed(work) | {"epochs": EPOCHS[name], "nodes": n_nodes}

    serve(turn, PACKAGES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--as", dest="name", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.name:
        contend(given.name)
        return
    need(NCI1, "Set KEKULE_TEST_DATA to the folder of the real data sets.")
    need(PEERS, "Make the peers' environment first: make bench-peers.")
    record: dict[str, Any] = machine() | {"rounds": given.rounds, "batch": BATCH}
    ours, peer = Contestant(OUR_NAME, __file__, OURS), Contestant(PEER_NAME, __file__, PEERS)
    record["versions"] = {c.name: c.versions for c in (ours, peer)}
    found = [(ours.turn(), peer.turn()) for _ in range(given.rounds)]
    if len({answer["nodes"] for pair in found for answer in pair}) != 1:
        raise SystemExit("the two epochs are not over the same graphs")
    seconds = [
        [answer["processor_seconds"] / answer["epochs"] for answer in pair] for pair in found
    ]
    for contestant in (ours, peer):
        contestant.stop()
    record["milliseconds_an_epoch"] = {
        OUR_NAME: spread([1000 * a for a, _ in seconds]),
        PEER_NAME: spread([1000 * b for _, b in seconds]),
    }
    for name, values in record["milliseconds_an_epoch"].items():
        print(f"{name}: {values['median']} ms an epoch")
    ratio = spread([b / a for a, b in seconds])
    record["ratios"] = {f"{OUR_NAME} / {PEER_NAME}": {**ratio, "at_least": AT_LEAST}}
    conclude(__file__, record, write=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
