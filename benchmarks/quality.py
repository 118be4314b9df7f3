"""Scores of the models as they come, on published sets under published splits.

Nothing is tuned to a set: a network with its default settings, and every baseline beside it.
The epoch of the network and all that a baseline chooses is chosen inside the training rows.
Where a set has one test part (TDC), the spread is that of five seeds and says nothing of other
test parts; over folds it is the corrected interval of `kekule.evaluation`.

    python benchmarks/quality.py               # all sets; an hour on two cores
    python benchmarks/quality.py MUTAG hERG    # some, kept beside the others in quality.json
"""

import csv
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from contest import DATA, machine, need, versions

RECORD = Path(__file__).with_suffix(".json")
PACKAGES = ("kekule", "torch", "rdkit", "lightgbm", "scikit-learn", "numpy")
DMPNN = ("model=dmpnn", "features.descriptors=rdkit", "train.epochs=50", "train.patience=15")
FOLDS = ("protocol.kind=given", "protocol.seeds=1")
OF_TDC = ("protocol.kind=given", "protocol.column=split", "protocol.seeds=5")


class Entry(NamedTuple):
    """A set, what is trained on it, and the score that is published for it."""

    data: str  # below the folder of data; of TDC the name of the set
    metric: str
    settings: tuple[str, ...]


SETS = {
    "MUTAG": Entry("tu/MUTAG", "accuracy", ("model=gin",)),
    "NCI1": Entry(
        "tu/NCI1",
        "accuracy",
        ("model=gin", *FOLDS, f"protocol.file={DATA / 'splits/CHEMICAL_NCI1_splits.json'}"),
    ),
    "PROTEINS": Entry(
        "tu/PROTEINS",
        "accuracy",
        (
            *("model=gin", *FOLDS),
            f"protocol.file={DATA / 'splits/CHEMICAL_PROTEINS_full_splits.json'}",
        ),
    ),
    "BBB_Martins": Entry("BBB_Martins", "roc_auc", (*DMPNN, *OF_TDC)),
    "hERG": Entry("hERG", "roc_auc", (*DMPNN, *OF_TDC)),
    "Bioavailability_Ma": Entry("Bioavailability_Ma", "roc_auc", (*DMPNN, *OF_TDC)),
    "CYP2D6_Veith": Entry("CYP2D6_Veith", "pr_auc", (*DMPNN, *OF_TDC)),
}


def measured(name: str) -> dict[str, Any]:
    """Train what an entry says and keep its score, model by model."""
    import kekule

    entry = SETS[name]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, source(entry, Path(folder)) as data:
        run = kekule.train(overrides=[*data, *entry.settings], out=Path(folder) / "run")
        scores = run.scores
    network = scores["model"]["name"]
    found = {network: scores["metrics"], **scores["baselines"]}
    return {
        "metric": entry.metric,
        "protocol": scores["protocol"]["description"],
        "rows": scores["n_rows"] - scores["n_rejected"],
        "seconds": round(time.perf_counter() - started),
        "settings": [text.replace(str(DATA), "DATA") for text in entry.settings],
        "scores": {
            model: {
                key: None if (value := metrics[entry.metric][key]) is None else round(value, 4)
                for key in ("mean", "std", "low", "high")
            }
            for model, metrics in found.items()
        },
    }


@contextmanager
def source(entry: Entry, folder: Path) -> Iterator[list[str]]:
    """Settings that name the data; the two files of a set of TDC as one table with its split."""
    if entry.data.startswith("tu/"):
        need(DATA / entry.data, "Set KEKULE_TEST_DATA to where the data are.")
        yield [f"data={DATA / entry.data}"]
        return
    table = folder / f"{entry.data}.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles", "active", "split"])
        for part in ("train", "test"):
            path = DATA / "tdc" / f"{entry.data}_{part}.csv"
            need(path, "Set KEKULE_TEST_DATA to where the data are.")
            with path.open(encoding="utf-8", newline="") as rows:
                writer.writerows([r["Drug"], r["Y"], part] for r in csv.DictReader(rows))
    # Every test row is scored, as the leaderboard does, so duplicates stay.
    yield [f"data={table}", "smiles=smiles", "target=active", "data.duplicates=keep"]


def shown(name: str, found: dict[str, Any]) -> list[str]:
    """Lines of the table in docs/benchmarks.md."""
    return [f"| {name} | `{model}` | {told(s)} |" for model, s in found["scores"].items()]


def told(score: dict[str, Any]) -> str:
    """A mean with its interval, or with the deviation between seeds where there is none."""
    if score["mean"] is None:
        return "undefined"
    if score["low"] is None:
        return f"{score['mean']:.3f} ± {score['std'] or 0:.3f}"
    return f"{score['mean']:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def main() -> None:
    """Measure the sets named, or all, and keep the record."""
    names = sys.argv[1:] or list(SETS)
    if unknown := [name for name in names if name not in SETS]:
        raise SystemExit(f"There is no {unknown[0]}; there are {', '.join(SETS)}.")
    for name in names:
        found = measured(name) | machine() | {"versions": versions(PACKAGES)}
        print("\n".join(shown(name, found)), f"{found['seconds']} s", sep="\n", flush=True)
        kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
        kept = {key: value for key, value in (kept | {name: found}).items() if key in SETS}
        RECORD.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
