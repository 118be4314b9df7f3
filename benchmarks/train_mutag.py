"""Ten folds of MUTAG, a graph convolutional network of 64 × 3: ours and PyG's tutorial loop.

Both train 170 epochs in batches of 64 with Adam at 0.01, on the same folds, and are asked about
the same test rows; accuracy stands beside time. The peer does what PyG's tutorial on graph
classification does: a shuffling `DataLoader`, three `GCNConv` with ReLU after the first two,
the mean over atoms, dropout, a linear layer, and after every epoch the accuracy on the
training and on the test loader. It has both cores as two threads; we have them as two
processes with a fold each. Timed too: the peer without those accuracies, so that a reader sees
what is its loop and what its evaluation, and both as whole commands from a cold start.

What ours does differently: the labels go through an embedding before the first convolution,
ReLU stands after the third as well, a tenth of the training rows is kept to choose the epoch
(the peer trains on all of them and is asked after its last), and the step size falls along a
cosine.

    python benchmarks/train_mutag.py  # some five minutes; writes train_mutag.json and a picture
"""

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from commands import run_command
from contest import (
    OURS,
    PEERS,
    ROOT,
    Contestant,
    conclude,
    machine,
    need,
    processor_seconds,
    serve,
    spread,
    undisturbed,
)

MUTAG = ROOT / "src" / "kekule" / "data" / "mutag"
EPOCHS, BATCH, HIDDEN, FOLDS, RATE, DROPOUT = 170, 64, 64, 10, 0.01, 0.5
CORES = 2
SETTINGS = (
    *("data=MUTAG", "model=gcn", f"model.hidden={HIDDEN}", "model.layers=3"),
    *(f"model.dropout={DROPOUT}", f"train.epochs={EPOCHS}", f"train.patience={EPOCHS}"),
    *(f"train.batch_size={BATCH}", f"train.learning_rate={RATE}", "train.weight_decay=0"),
    *("train.averaging=0", f"protocol.folds={FOLDS}", "protocol.seeds=1"),
    "protocol.baselines=[]",
)
PACKAGES = ("kekule", "numpy", "torch", "torch_geometric")
OUR_NAME, PEER_NAME = "kekule", "PyG tutorial loop"
BARE = f"{PEER_NAME}, without its accuracies"
WHOLE = {OUR_NAME: "kekule, whole command", PEER_NAME: "PyG, whole script"}
STARTING = "kekule, its processes started"
AT_LEAST = 6.0
SEEDS = 3  # what is published is of as many at least


def kekule() -> Callable[..., dict[str, Any]]:
    import numpy as np

    from kekule.evaluation import FINAL, read_recipe, split_rows, tasks_of
    from kekule.evaluation.parallel import run_folds
    from kekule.models import build_network, layers_of
    from kekule.workflow.prepare import prepare

    def turn(seed: int) -> dict[str, Any]:
        worked = processor_seconds()
        inputs = prepare(read_recipe(None, [*SETTINGS, f"seed={seed}"])).inputs
        tasks = [task for task in tasks_of(inputs.recipe, inputs.n_folds) if task.fold != FINAL]
        begun: list[float] = []  # when each fold began, as far as the words of it tell
        ended, right = {}, {}

        def on_progress(word: Any) -> None:
            if word.epoch.epoch == 0:
                begun.append(time.perf_counter() - word.epoch.seconds)

        def on_result(task: Any, result: Any) -> None:
            ended[task.fold] = time.perf_counter()
            begun.append(ended[task.fold] - result.seconds)
            truth = inputs.targets[result.rows]
            right[task.fold] = float(np.mean(result.labels == truth))

        called = time.perf_counter()
        run_folds(inputs, tasks, processes=CORES, on_progress=on_progress, on_result=on_result)
        network = build_network(
            inputs.graphs.schema, inputs.n_classes, inputs.recipe.model, seed=seed
        )
        return {
            "seconds": max(ended.values()) - max(min(begun), called),
            "with_start": time.perf_counter() - called,
            "processor_seconds": processor_seconds() - worked,
            "accuracy": [right[task.fold] for task in tasks],
            "folds": [split_rows(inputs, task)[2].tolist() for task in tasks],
            "parameters": sum(layer.n_parameters for layer in layers_of(network)),
        }

    return turn


def tutorial_network(n_features: int, n_classes: int) -> Any:
    """The network of PyG's tutorial on graph classification."""
    import torch
    from torch_geometric.nn import GCNConv, global_mean_pool

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = (n_features, HIDDEN, HIDDEN)
            self.convolutions = torch.nn.ModuleList(GCNConv(n, HIDDEN) for n in widths)
            self.head = torch.nn.Linear(HIDDEN, n_classes)

        def forward(self, x: Any, edge_index: Any, batch: Any) -> Any:
            first, second, third = self.convolutions
            x = first(x, edge_index).relu()
            x = second(x, edge_index).relu()
            x = global_mean_pool(third(x, edge_index), batch)
            x = torch.nn.functional.dropout(x, p=DROPOUT, training=self.training)
            return self.head(x)

    return Net()


def pyg() -> Callable[..., dict[str, Any]]:
    import torch
    from torch_geometric.datasets import TUDataset
    from torch_geometric.loader import DataLoader

    torch.set_num_threads(CORES)
    with tempfile.TemporaryDirectory() as root, redirect_stderr(io.StringIO()):
        raw = Path(root) / "MUTAG" / "raw"
        raw.parent.mkdir()
        raw.symlink_to(MUTAG)
        graphs = TUDataset(root, "MUTAG")

    def accuracy(network: Any, loader: Any) -> float:
        network.eval()
        right = 0
        for data in loader:
            found = network(data.x, data.edge_index, data.batch).argmax(dim=1)
            right += int((found == data.y).sum())
        return right / len(loader.dataset)

    def fold(test: list[int], seed: int, *, evaluate: bool) -> tuple[float, int]:
        torch.manual_seed(seed)
        held = set(test)
        train = [row for row in range(len(graphs)) if row not in held]
        learnt = DataLoader(graphs[train], batch_size=BATCH, shuffle=True)
        asked = DataLoader(graphs[test], batch_size=BATCH, shuffle=False)
        network = tutorial_network(graphs.num_node_features, graphs.num_classes)
        optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
        loss_of = torch.nn.CrossEntropyLoss()
        for _ in range(EPOCHS):
            network.train()
            for data in learnt:
                loss = loss_of(network(data.x, data.edge_index, data.batch), data.y)
                loss.backward()
                optimiser.step()
                optimiser.zero_grad()
            if evaluate:
                accuracy(network, learnt)
                found = accuracy(network, asked)
        parameters = sum(p.numel() for p in network.parameters())
        return found if evaluate else accuracy(network, asked), parameters

    def turn(seed: int, folds: list[list[int]], *, evaluate: bool = True) -> dict[str, Any]:
        started, worked = time.perf_counter(), processor_seconds()
        found = [
            fold(test, FOLDS * seed + number, evaluate=evaluate)
            for number, test in enumerate(folds)
        ]
        return {
            "seconds": time.perf_counter() - started,
            "processor_seconds": processor_seconds() - worked,
            "accuracy": [right for right, _ in found],
            "parameters": found[0][1],
        }

    return turn


def whole_commands(folds: list[list[int]], place: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Both from a cold start: ours with audit, report and a saved model, the peer's bare."""
    given = place / "folds.json"
    given.write_text(json.dumps(folds), encoding="utf-8")
    ours = [OURS.parent / "kekule", "train", *SETTINGS, "--out", place / "run", "--quiet"]
    cache = {"XDG_CACHE_HOME": str(place / "cache")}
    yield WHOLE[OUR_NAME], run_command(ours, log=place / "ours", environment=cache)
    peer = [PEERS, __file__, "--cold", given]
    yield WHOLE[PEER_NAME], run_command(peer, log=place / "peer")


def play(rounds: int, contestants: Sequence[Contestant]) -> list[dict[str, Any]]:
    """Rounds of one seed each; what no bound hangs on is timed in the first alone."""
    ours, peer = contestants
    played = []
    for seed in range(rounds):
        found = {OUR_NAME: say(seed, OUR_NAME, ours.turn(seed=seed))}
        folds = found[OUR_NAME].pop("folds")
        found[PEER_NAME] = say(seed, PEER_NAME, peer.turn(seed=seed, folds=folds))
        if not seed:
            bare = peer.turn(seed=seed, folds=folds, evaluate=False)
            found[BARE] = say(seed, BARE, bare)
            with tempfile.TemporaryDirectory() as place:
                for name, answer in whole_commands(folds, Path(place)):
                    found[name] = say(seed, name, answer)
        played.append(found)
    return played


def say(seed: int, name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Print the line of a turn."""
    right = answer.get("accuracy")
    told = f", accuracy {sum(right) / len(right):.3f}" if right else ""
    print(f"seed {seed}: {name} {answer['seconds']:.1f} s{told}", flush=True)
    return answer


def summary(played: list[dict[str, Any]]) -> dict[str, Any]:
    """What is kept of the rounds."""
    import noise

    seconds = {
        name: spread([found[name]["seconds"] for found in played if name in found])
        for name in (OUR_NAME, PEER_NAME, BARE)
    }
    seconds[STARTING] = spread([found[OUR_NAME]["with_start"] for found in played])
    seconds |= {name: spread([played[0][name]["seconds"]]) for name in WHOLE.values()}
    scores = {
        name: [right for found in played for right in found[name]["accuracy"]]
        for name in (OUR_NAME, PEER_NAME)
    }
    gap = noise.difference(scores[OUR_NAME], scores[PEER_NAME], FOLDS)
    print(noise.told("accuracy", gap))
    first = played[0]
    return {
        "seconds": seconds,
        "accuracy": gap,
        "accuracy_of_seeds": {
            name: [round(sum(f[name]["accuracy"]) / FOLDS, 4) for f in played] for name in scores
        },
        "megabytes": {name: round(first[name]["megabytes"]) for name in WHOLE.values()},
        "parameters": {name: first[name]["parameters"] for name in scores},
        "others": {
            name: spread([found[name]["others"] for found in played if name in found])
            for name in first
        },
        "ratios": ratios(played) | {"accuracy, ours less theirs / its noise": noise.as_ratio(gap)},
    }


def ratios(played: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Their seconds over ours, within each round."""
    pairs = (
        (PEER_NAME, OUR_NAME, AT_LEAST),
        (BARE, OUR_NAME, None),
        (WHOLE[PEER_NAME], WHOLE[OUR_NAME], None),
    )
    return {
        f"{theirs} / {ours}": {
            **spread([f[theirs]["seconds"] / f[ours]["seconds"] for f in played if theirs in f]),
            "at_least": least,
        }
        for theirs, ours, least in pairs
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--rounds", type=int, default=SEEDS, help=f"seeds; fewer than {SEEDS} write nothing"
    )
    parser.add_argument("--as", dest="name", help=argparse.SUPPRESS)
    parser.add_argument("--cold", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cold:
        print(pyg()(seed=0, folds=json.loads(given.cold.read_text(encoding="utf-8"))))
        return
    if given.name:
        serve({OUR_NAME: kekule, PEER_NAME: pyg}[given.name](), PACKAGES)
        return
    need(PEERS, "Make the peers' environment first: make bench-peers.")
    record: dict[str, Any] = machine() | {"rounds": given.rounds, "settings": SETTINGS}
    contestants = [
        Contestant(name, __file__, python, cores=CORES, threads=threads)
        for name, python, threads in ((OUR_NAME, OURS, 1), (PEER_NAME, PEERS, CORES))
    ]
    record["versions"] = {c.name: c.versions for c in contestants}
    played = play(given.rounds, contestants)
    record |= summary(played)
    for contestant in contestants:
        contestant.stop()
    alone = undisturbed([answer for found in played for answer in found.values()])
    if write := alone and given.rounds >= SEEDS:
        from pictures import draw

        draw("train_mutag", record)
    conclude(__file__, record, write=write)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
