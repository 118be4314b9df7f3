"""From SMILES to arrays: molecules a second on one core, ours and the peers in turn.

Each contestant gets the text of every molecule of HIV.csv and ends with the arrays of all of
them in memory, as a data set has them. The peers are spared the rows that RDKit cannot read,
which would stop them; ours gets those too. What is compared is the time of the processor, which
other work on the machine hardly moves; only for the second process is it the clock's. Also: the
memory that the molecules of MOSES take.

    python benchmarks/featurise.py            # some five minutes; writes featurise.json
    python benchmarks/featurise.py --every 8  # an eighth of the molecules; writes nothing
"""

import argparse
import csv
import gzip
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from contest import DATA, OURS, PEERS, Contestant, conclude, machine, need, serve, spread, timed

HIV = DATA / "moleculenet" / "HIV.csv"
MOSES = DATA / "throughput" / "moses_test.csv.gz"
BATCH = 64
PACKAGES = (
    *("kekule", "rdkit", "cuik_molmaker_pin", "numpy"),
    *("torch", "torch_geometric", "chemprop"),
)
#: Ratio of our speed to a peer's, and what it has to be.
BOUNDS = {
    "PyG from_smiles": 6.0,
    "chemprop SimpleMoleculeMolGraphFeaturizer": 3.5,
    "cuik_molmaker, raw": 0.8,
    "RDKit MolFromSmiles alone": None,
}
MEGABYTES = 120


def kekule(engine: str, processes: int = 1) -> Callable[[list[str]], Any]:
    from kekule.features.molecules import molecule_graphs

    molecule_graphs(["CCO", "not a molecule"], engine=engine)
    return lambda smiles: molecule_graphs(smiles, engine=engine, processes=processes)


def pyg() -> Callable[[list[str]], Any]:
    from torch_geometric.utils import from_smiles

    return lambda smiles: [from_smiles(text) for text in smiles]


def chemprop() -> Callable[[list[str]], Any]:
    from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
    from chemprop.utils import make_mol

    featurise = SimpleMoleculeMolGraphFeaturizer()
    return lambda smiles: [featurise(make_mol(text)) for text in smiles]


def raw() -> Callable[[list[str]], Any]:
    import cuik_molmaker as cuik

    atoms = ("atomic-number", "total-degree", "formal-charge", "chirality", "num-hydrogens")
    features = (
        cuik.atom_onehot_feature_names_to_array([*atoms, "hybridization"]),
        cuik.atom_float_feature_names_to_array(["aromatic", "mass"]),
        cuik.bond_feature_names_to_array(
            ["is-null", "bond-type-onehot", "conjugated", "in-ring", "stereo"]
        ),
    )

    def featurise(smiles: list[str]) -> Any:
        starts = range(0, len(smiles), BATCH)
        return [
            cuik.batch_mol_featurizer(smiles[k : k + BATCH], *features, False, False, False, False)
            for k in starts
        ]

    return featurise


def parser_alone() -> Callable[[list[str]], Any]:
    from rdkit import Chem

    def parse(smiles: list[str]) -> None:
        for text in smiles:
            Chem.MolFromSmiles(text)

    return parse


CONTESTANTS: dict[str, tuple[Callable[[], Callable[[list[str]], Any]], Path]] = {
    "kekule": (lambda: kekule("auto"), OURS),
    "kekule, rdkit": (lambda: kekule("rdkit"), OURS),
    "PyG from_smiles": (pyg, PEERS),
    "chemprop SimpleMoleculeMolGraphFeaturizer": (chemprop, PEERS),
    "cuik_molmaker, raw": (raw, PEERS),
    "RDKit MolFromSmiles alone": (parser_alone, PEERS),
}
COLD = "kekule, two processes, started cold"
WORKERS = ("kekule, one process", "kekule, two processes")


def contend(name: str) -> None:
    """Be one of `CONTESTANTS`, or the one that packs MOSES."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        if name == "memory":
            serve(memory_of_moses, PACKAGES)
            return
        if name == "workers":
            serve(one_process_and_two, PACKAGES)
            return
        work = CONTESTANTS[name][0]()
        smiles = hiv()
        if not name.startswith("kekule"):
            smiles = [text for text in smiles if Chem.MolFromSmiles(text)]

        def turn(every: int) -> dict[str, float]:
            part = smiles[::every]
            return timed(lambda: work(part)) | {"molecules": len(part)}

        serve(turn, PACKAGES)


def one_process_and_two(every: int) -> dict[str, float]:
    """Seconds by the clock of the same molecules in one process, and at once after it in two.

    Both by this one process, which starts its workers anew: what is compared is what a user
    gains by asking for a second. Two processes go before as well: after a minute of the others'
    turns their libraries may be out of memory, and what that costs is told by itself.
    """
    smiles = hiv()[::every]
    seconds = {COLD: timed(lambda: kekule("auto", processes=2)(smiles))["seconds"]}
    seconds |= {
        name: timed(lambda n=n: kekule("auto", processes=n)(smiles))["seconds"]
        for n, name in enumerate(WORKERS, start=1)
    }
    return seconds | {"molecules": len(smiles)}


def memory_of_moses() -> dict[str, float]:
    """MB that this process grows by, at most, while it packs a stream of molecules."""
    work = kekule("auto")
    before = megabytes("VmRSS")
    graphs = work(moses()).graphs
    peak = megabytes("VmHWM") - before
    arrays = ("node_pointer", "edge_pointer", "edge_index", "nodes", "edges")
    packed = sum(getattr(graphs, name).nbytes for name in arrays) / 1e6
    return {"molecules": len(graphs), "megabytes": peak, "packed_megabytes": packed}


def megabytes(what: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def hiv() -> list[str]:
    with HIV.open(encoding="utf-8", newline="") as file:
        return [row["smiles"] for row in csv.DictReader(file)]


def moses() -> Iterator[str]:
    with gzip.open(MOSES, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["SMILES"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="take every n-th molecule")
    parser.add_argument("--as", dest="name", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.name:
        contend(given.name)
        return
    need(HIV, "Set KEKULE_TEST_DATA to the folder of the real data sets.")
    need(PEERS, "Make the peers' environment first: make bench-peers.")
    record: dict[str, Any] = machine() | {"rounds": given.rounds, "every": given.every}
    contestants = [
        Contestant(name, __file__, python, cores=1) for name, (_, python) in CONTESTANTS.items()
    ]
    memory, workers = Contestant("memory", __file__), Contestant("workers", __file__, cores=2)
    record["versions"] = {c.name: c.versions for c in contestants if c.name in {"kekule", *BOUNDS}}
    speeds: dict[str, list[float]] = {name: [] for name in (*CONTESTANTS, COLD, *WORKERS)}
    for number in range(given.rounds):
        for contestant in contestants:
            found = contestant.turn(every=given.every)
            speeds[contestant.name].append(found["molecules"] / found["processor_seconds"])
        found = workers.turn(every=given.every)
        for name in (COLD, *WORKERS):
            speeds[name].append(found["molecules"] / found[name])
        for name, values in speeds.items():
            print(f"round {number + 1}: {name} {values[-1]:,.0f} /s")
    for contestant in (*contestants, workers):
        contestant.stop()
    record["molecules_a_second"] = {name: spread(values) for name, values in speeds.items()}
    record["ratios"] = ratios(speeds)
    found = memory.turn()
    memory.stop()
    record["moses"] = found
    record["ratios"]["MB for the molecules of MOSES"] = {
        **spread([found["megabytes"]]),
        "below": MEGABYTES,
    }
    conclude(__file__, record, write=given.every == 1)


def ratios(speeds: dict[str, list[float]]) -> dict[str, dict[str, Any]]:
    """Our speed over each peer's, within each round."""
    found = {}
    for name, least in BOUNDS.items():
        values = [a / b for a, b in zip(speeds["kekule"], speeds[name], strict=True)]
        found[f"kekule / {name}"] = {**spread(values), "at_least": least}
    one, two = (speeds[name] for name in WORKERS)
    for what, several, least in (
        ("two processes / one", two, 1.6),
        ("two processes, started cold / one", speeds[COLD], None),
    ):
        pairs = [b / a for a, b in zip(one, several, strict=True)]
        found[what] = {**spread(pairs), "at_least": least}
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
