"""What an epoch costs, in seconds and in memory, by molecules, by width and by depth.

Ours alone: the question is how cost grows. Molecules of MOSES, drawn anew each round, 1,000 to
100,000 of them; the class is whether there is a halogen. Each training has a process of its
own that has done its imports, one thread and one core. An epoch is the passes over nine tenths
of the rows and the validation on the tenth; its seconds are the processor's, the median of the
epochs after the first, and what the first took longer is told as setting up. Memory is the
most that was ever resident in the process, libraries included.

Held to: seconds grow no faster than molecules (the exponent of the straight line through their
logarithms), and memory by at most a few times the packed arrays.

    python benchmarks/train_scaling.py  # some four minutes; writes train_scaling.json, a picture
"""

import argparse
import csv
import gzip
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest import DATA, Contestant, conclude, machine, need, serve, spread

MOSES = DATA / "throughput" / "moses_test.csv.gz"
NETWORKS = ("gcn", "gin", "dmpnn")
MOLECULES = (1_000, 3_000, 10_000, 30_000, 100_000)
WIDTHS = (32, 64, 128, 256, 512)
DEPTHS = (2, 4, 6, 8)
WIDTH, DEPTH, BATCH = 64, 3, 64  # where they are not what is asked about
FEW = 3_000  # molecules, where width and depth are asked about
HALOGENS = (9, 17, 35, 53)
ARRAYS = ("node_pointer", "edge_pointer", "edge_index", "nodes", "edges")
EXPONENT, SLOPE = 1.05, 4.0
MINUTES = 4.0
PACKAGES = ("kekule", "numpy", "torch")

Found = dict[str, Any]


def epochs_of(molecules: int) -> int:
    """Epochs of a training: the first, and enough after it for a median that means something."""
    return max(2, min(8, 20_000 // molecules))


def apart(work: Callable[[], Found]) -> Found:
    """Do it in a copy of this process, so that its memory is its own."""
    inlet, outlet = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(inlet)
            with os.fdopen(outlet, "w") as answer:
                json.dump(work(), answer)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(outlet)
    with os.fdopen(inlet) as answer:
        told = answer.read()
    if os.waitpid(child, 0)[1]:
        raise SystemExit("a training ended before its time; see above")
    return dict(json.loads(told))


def training() -> Callable[..., Found]:
    """Answer turns: one network on one folder of packed graphs."""
    import numpy as np
    import torch

    from kekule.features.packed import load_packed
    from kekule.models import NETWORKS as KNOWN
    from kekule.models import TrainSettings, build_network, fit

    torch.set_num_threads(1)

    def one(folder: str, network: str, width: int, depth: int) -> Found:
        graphs = load_packed(Path(folder))
        targets = has_halogen(graphs)
        order = np.random.default_rng(0).permutation(len(graphs))
        n_held, epochs = len(graphs) // 10, epochs_of(len(graphs))
        settings = KNOWN[network].Settings(hidden=width, layers=depth)
        marks = [time.process_time()]
        fit(
            build_network(graphs.schema, 2, settings, seed=0),
            graphs,
            targets,
            train_rows=order[n_held:],
            validation_rows=order[:n_held],
            settings=TrainSettings(epochs=epochs, patience=epochs, batch_size=BATCH),
            score=lambda answered, truth: float(np.mean(answered.argmax(1) == truth)),
            seed=0,
            on_epoch=lambda _: marks.append(time.process_time()),
        )
        first, *others = np.diff(marks).tolist()
        seconds = statistics.median(others)
        return {
            "seconds": seconds,
            "setting_up": max(first - seconds, 0.0),
            "megabytes": highest(),
            "packed": sum(getattr(graphs, name).nbytes for name in ARRAYS) / 1e6,
        }

    return lambda **given: apart(lambda: one(**given))


def has_halogen(graphs: Any) -> Any:
    """Class of each graph: 1 where an atom of it is a halogen; int64 (G,)."""
    import numpy as np

    codes = [k for k, value in enumerate(graphs.schema.nodes[0].values) if value in HALOGENS]
    targets = np.zeros(len(graphs), dtype=np.int64)
    targets[graphs.graph_of_node[np.isin(graphs.nodes[:, 0], codes)]] = 1
    return targets


def highest() -> float:
    """MB that were resident in this process at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def packed_molecules(place: Path, seed: int) -> dict[int, Path]:
    """Write the first 1,000, 3,000, … of the molecules in an order of their own."""
    import numpy as np

    from kekule.features.molecules import molecule_graphs
    from kekule.features.packed import save_packed

    with gzip.open(MOSES, "rt", encoding="utf-8") as file:
        smiles = [row["SMILES"] for row in csv.DictReader(file)]
    order = np.random.default_rng(seed).permutation(len(smiles))[: max(MOLECULES)]
    graphs = molecule_graphs([smiles[k] for k in order.tolist()], processes=2).graphs
    folders = {n: place / f"{seed}-{n}" for n in MOLECULES}
    for n, folder in folders.items():
        save_packed(graphs.take(np.arange(n)), folder)
    return folders


def plan() -> list[tuple[str, str, dict[str, int]]]:
    """Every training: what it is asked about, the network, and the sizes."""
    usual = {"molecules": FEW, "width": WIDTH, "depth": DEPTH}
    asked = (("molecules", MOLECULES), ("width", WIDTHS), ("depth", DEPTHS))
    return [
        (about, network, {**usual, about: value})
        for about, values in asked
        for network in NETWORKS
        for value in values
    ]


def play(rounds: int, minutes: float) -> tuple[list[Found], dict[str, str]]:
    """Every training of every round; no round is begun that would end after `minutes`."""
    started, found = time.monotonic(), []
    for number in range(rounds):
        gone = (time.monotonic() - started) / 60
        if number and gone * (number + 1) / number > minutes:
            print(f"{number} of {rounds} rounds: another would take more than {minutes:g} minutes")
            break
        with tempfile.TemporaryDirectory() as place:
            folders = packed_molecules(Path(place), number)
            contestant = Contestant("kekule", __file__)
            for about, network, sizes in plan():
                given = {name: value for name, value in sizes.items() if name != "molecules"}
                answer = contestant.turn(
                    folder=str(folders[sizes["molecules"]]), network=network, **given
                )
                found.append(
                    {"round": number, "about": about, "network": network} | sizes | answer
                )
                told = ", ".join(f"{name} {value:,}" for name, value in sizes.items())
                print(
                    f"round {number + 1}: {network}, {told}: "
                    f"{answer['seconds']:.3f} s an epoch, {answer['megabytes']:.0f} MB",
                    flush=True,
                )
            contestant.stop()
    return found, contestant.versions


def table(found: list[Found]) -> dict[str, Any]:
    """Seconds and megabytes by network, what was asked about, and its value."""
    shown: dict[str, Any] = {}
    for about, network, sizes in plan():
        same = [f for f in found if (f["about"], f["network"]) == (about, network)]
        same = [f for f in same if f[about] == sizes[about]]
        shown.setdefault(about, {}).setdefault(network, {})[str(sizes[about])] = {
            what: spread([f[what] for f in same])
            for what in ("seconds", "setting_up", "megabytes", "packed")
        }
    return shown


def growth(found: list[Found], network: str) -> dict[str, list[float]]:
    """Of each round: the exponent of seconds, what a molecule costs more, and memory's line."""
    import numpy as np

    numbers: dict[str, list[float]] = {"exponent": [], "dearer": [], "slope": [], "constant": []}
    asked = [f for f in found if (f["about"], f["network"]) == ("molecules", network)]
    for number in sorted({f["round"] for f in asked}):
        of_round = [f for f in asked if f["round"] == number]
        n, seconds, packed, megabytes = (
            np.array([f[name] for f in of_round])
            for name in ("molecules", "seconds", "packed", "megabytes")
        )
        slope, constant = np.polyfit(packed, megabytes, 1)
        numbers["exponent"].append(float(np.polyfit(np.log(n), np.log(seconds), 1)[0]))
        numbers["dearer"].append(float(seconds[-1] / n[-1] / (seconds[0] / n[0])))
        numbers["slope"].append(float(slope))
        numbers["constant"].append(float(constant))
    return numbers


def ratios(found: list[Found]) -> dict[str, dict[str, Any]]:
    """What is held to something, network by network."""
    held = {}
    ends = f"{max(MOLECULES):,} / {min(MOLECULES):,}"
    for network in NETWORKS:
        numbers = {name: spread(values) for name, values in growth(found, network).items()}
        held[f"{network}: exponent of seconds"] = {**numbers["exponent"], "below": EXPONENT}
        held[f"{network}: seconds a molecule, {ends}"] = {**numbers["dearer"], "at_least": None}
        held[f"{network}: MB a packed MB"] = {**numbers["slope"], "below": SLOPE}
        held[f"{network}: MB whatever the size"] = {**numbers["constant"], "at_least": None}
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=2, help="at most")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="begin no round after")
    parser.add_argument("--as", dest="name", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.name:
        serve(training(), PACKAGES)
        return
    need(MOSES, "Set KEKULE_TEST_DATA to the folder of the real data sets.")
    record: Found = machine() | {"width": WIDTH, "depth": DEPTH, "batch": BATCH, "few": FEW}
    found, versions = play(given.rounds, given.minutes)
    record |= {
        "rounds": len({f["round"] for f in found}),
        "versions": {"kekule": versions},
        **table(found),
        "ratios": ratios(found),
    }
    from pictures import draw

    draw("train_scaling", record)
    conclude(__file__, record, write=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
