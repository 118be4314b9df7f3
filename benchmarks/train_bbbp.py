"""BBBP from table to saved model, ten epochs of a D-MPNN: `kekule train` and `chemprop train`.

Whole commands in processes of their own, with nothing of ours cached: starting, reading,
featurising, training, scoring the test rows and writing the model. Both get one table: the
molecules of BBBP as kekule standardises them, each once, with a column that says which rows
train, choose the epoch and are tested (two parts of ten of a scaffold split; another one each
round). That spares the peer the rows that RDKit cannot read, at the first of which it stops,
and both the duplicates.

Both train a D-MPNN of chemprop's default size in batches of 64, with the step size rising to
0.001 over two epochs and then falling (ours along a cosine, theirs exponentially). Ours has a
sixth more parameters: a row for every element, also those that no molecule here has. ROC AUC is
worked out here from the probabilities each wrote for the test rows. Ours runs no baselines and
trains no further model on all rows, as the peer does not; it audits the table, draws its page
and replays its bundle, as it always does, and once more without the audit.

    python benchmarks/train_bbbp.py  # some two minutes; writes train_bbbp.json and a picture
"""

import argparse
import csv
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commands import run_command
from contest import (
    DATA,
    OURS,
    PEERS,
    conclude,
    machine,
    need,
    spread,
    undisturbed,
    versions,
    versions_of,
)

BBBP = DATA / "moleculenet" / "BBBP.csv"
PARTS, TEST, VALIDATION = 10, 0, 1
SETTINGS = (
    *("smiles=smiles", "target=p_np", "model=dmpnn", "train.epochs=10", "train.patience=10"),
    *("train.batch_size=64", "train.learning_rate=0.001", "train.warmup=2"),
    "train.smoothing=1",
    *("protocol.split=given", "protocol.column=split", "protocol.seeds=1"),
    *("protocol.baselines=[]", "protocol.refit=false"),
)
WITHOUT_AUDIT = ("--no-audit",)
PEER_SETTINGS = (
    *("--smiles-columns", "smiles", "--target-columns", "p_np"),
    *("--task-type", "classification", "--epochs", "10", "--splits-column", "split"),
)
PACKAGES = ("kekule", "chemprop", "rdkit", "numpy", "torch", "lightning")
OUR_NAME, PEER_NAME = "kekule train", "chemprop train"
UNAUDITED = f"{OUR_NAME}, no audit"
TIMES, MEMORY, SIZE = 3.0, 1.0, (0.85, 1.2)
SEEDS = 3


def tables(folder: Path, rounds: int) -> list[Path]:
    """A table for each round, by another scaffold split."""
    from kekule.evaluation import read_recipe
    from kekule.workflow.prepare import prepare

    recipe = read_recipe(
        None,
        [
            *(f"data={BBBP}", "smiles=smiles", "target=p_np", "protocol.split=scaffold"),
            *(f"protocol.folds={PARTS}", f"protocol.seeds={rounds}"),
        ],
    )
    prepared = prepare(recipe, cache=folder / "cache")
    paths, names = [], {TEST: "test", VALIDATION: "val"}
    for seed in recipe.seeds:
        parts = prepared.inputs.splits[seed].fold.tolist()
        paths.append(folder / f"bbbp{seed}.csv")
        with paths[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["smiles", "p_np", "split"])
            for row, target, part in zip(
                prepared.usable.tolist(), prepared.inputs.targets.tolist(), parts, strict=True
            ):
                smiles = prepared.origin.rows.smiles[row]
                writer.writerow([smiles, prepared.classes[target], names.get(part, "train")])
    return paths


def kekule(table: Path, seed: int, place: Path, options: Sequence[str] = ()) -> dict[str, Any]:
    """Train ours; what it took, and the probabilities of the test rows."""
    run = place / "run"
    command = [OURS.parent / "kekule", "train", f"data={table}", *SETTINGS, f"seed={seed}"]
    found: dict[str, Any] = run_command(
        [*command, "--out", run, "--quiet", *options],
        log=place / "log",
        environment={"XDG_CACHE_HOME": str(place / "cache")},
    )
    need(run / "bundle" / "weights.safetensors", "The run saved no model.")
    rows = [row for row in rows_of(run / "predictions.csv") if row["split"] == "test"]
    found["probabilities"] = {row["smiles"]: float(row["probability"]) for row in rows}
    return found


def chemprop(table: Path, seed: int, place: Path) -> dict[str, Any]:
    """Train the peer; what it took, and the probabilities of the test rows."""
    run, log = place / "run", place / "log"
    command = [PEERS.parent / "chemprop", "train", "--data-path", table, *PEER_SETTINGS]
    seeds = ["--pytorch-seed", str(seed), "--data-seed", str(seed)]
    found: dict[str, Any] = run_command([*command, *seeds, "--output-dir", run], log=log)
    need(run / "model_0" / "best.pt", "The run saved no model.")
    rows = rows_of(run / "model_0" / "test_predictions.csv")
    found["probabilities"] = {row["smiles"]: float(row["p_np"]) for row in rows}
    told = re.search(r"Trainable params: ([\d.]+) K", log.read_text(encoding="utf-8"))
    return found | {"parameters": round(1000 * float(told[1])) if told else 0}


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def area(table: Path, probabilities: dict[str, float]) -> float:
    """ROC AUC of the test rows, all of which have to be there."""
    from sklearn.metrics import roc_auc_score

    tested = [row for row in rows_of(table) if row["split"] == "test"]
    truth = [int(row["p_np"]) for row in tested]
    return float(roc_auc_score(truth, [probabilities[row["smiles"]] for row in tested]))


def play(paths: list[Path]) -> list[dict[str, dict[str, Any]]]:
    """Every round: ours, the peer, ours without its audit."""
    played = []
    for seed, table in enumerate(paths):
        found = {}
        for name, work in (
            (OUR_NAME, kekule),
            (PEER_NAME, chemprop),
            (UNAUDITED, lambda *given: kekule(*given, options=WITHOUT_AUDIT)),
        ):
            with tempfile.TemporaryDirectory() as place:
                answer = work(table, seed, Path(place))
            answer["roc_auc"] = area(table, answer.pop("probabilities"))
            found[name] = answer
            print(
                f"seed {seed}: {name} {answer['seconds']:.1f} s, {answer['megabytes']:.0f} MB, "
                f"ROC AUC {answer['roc_auc']:.3f}",
                flush=True,
            )
        played.append(found)
    return played


def summary(played: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """What is kept of the rounds, and what it is held to."""
    import noise

    def of(name: str, what: str) -> list[float]:
        return [found[name][what] for found in played]

    def over(what: str, theirs: str, ours: str) -> dict[str, float]:
        return spread([b / a for a, b in zip(of(ours, what), of(theirs, what), strict=True)])

    kinds = ("seconds", "processor_seconds", "megabytes", "largest_megabytes", "roc_auc", "others")
    gap = noise.difference(of(OUR_NAME, "roc_auc"), of(PEER_NAME, "roc_auc"), PARTS)
    print(noise.told("ROC AUC", gap))
    sizes = {OUR_NAME: our_parameters(), PEER_NAME: played[0][PEER_NAME]["parameters"]}
    print(", ".join(f"{name}: {size:,} parameters" for name, size in sizes.items()))
    size = spread([sizes[OUR_NAME] / max(sizes[PEER_NAME], 1)])
    time, less = f"{PEER_NAME} / {OUR_NAME}", f"{PEER_NAME} / {UNAUDITED}"
    return {
        **{kind: {name: spread(of(name, kind)) for name in played[0]} for kind in kinds},
        "roc_auc_difference": gap,
        "roc_auc_of_seeds": {n: [round(a, 4) for a in of(n, "roc_auc")] for n in played[0]},
        "parameters": sizes,
        "ratios": {
            f"{time}, seconds": {**over("seconds", *time.split(" / ")), "at_least": TIMES},
            f"{less}, seconds": {**over("seconds", *less.split(" / ")), "at_least": None},
            f"{time}, memory": {**over("megabytes", *time.split(" / ")), "at_least": MEMORY},
            "ROC AUC, ours less theirs / its noise": noise.as_ratio(gap),
            "parameters, ours / theirs": {**size, "at_least": SIZE[0], "below": SIZE[1]},
        },
    }


def our_parameters() -> int:
    """Learned numbers of our network."""
    from kekule.evaluation import read_recipe
    from kekule.features import MOLECULE_SCHEMA
    from kekule.models import build_network, layers_of

    model = read_recipe(None, SETTINGS).model
    network = build_network(MOLECULE_SCHEMA, 2, model, seed=0)
    return sum(layer.n_parameters for layer in layers_of(network))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--rounds", type=int, default=SEEDS, help=f"seeds; fewer than {SEEDS} write nothing"
    )
    given = parser.parse_args()
    need(BBBP, "Set KEKULE_TEST_DATA to the folder of the real data sets.")
    need(PEERS, "Make the peers' environment first: make bench-peers.")
    record: dict[str, Any] = machine() | {
        "rounds": given.rounds,
        "settings": SETTINGS,
        "peer_settings": PEER_SETTINGS,
        "versions": {
            OUR_NAME: versions(PACKAGES),
            PEER_NAME: versions_of(PEERS, PACKAGES),
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        played = play(tables(Path(folder), given.rounds))
    record |= summary(played)
    alone = undisturbed([answer for found in played for answer in found.values()])
    if write := alone and given.rounds >= SEEDS:
        from pictures import draw

        draw("train_bbbp", record)
    conclude(__file__, record, write=write)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
