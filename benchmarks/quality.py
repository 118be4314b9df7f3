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
RECIPES = Path(__file__).parents[1] / "recipes"
NCI1_FOLDS, PROTEINS_FOLDS = "CHEMICAL_NCI1_splits.json", "CHEMICAL_PROTEINS_full_splits.json"
FOLDS = ("protocol.kind=given", "protocol.seeds=1")
OF_TDC = ("protocol.kind=given", "protocol.column=split", "protocol.seeds=5")


class Entry(NamedTuple):
    """A set, what is trained on it, and the score that is published for it."""

    data: str  # below the folder of data; of TDC the name of the set
    metric: str
    settings: tuple[str, ...]
    recipe: str | None = None  # below recipes/, which says the rest


def split_of(name: str) -> str:
    """Setting that names a published split."""
    return f"protocol.file={DATA / 'splits' / name}"


SETS = {
    "MUTAG": Entry("tu/MUTAG", "accuracy", ("model=gin",)),
    "NCI1": Entry(
        "tu/NCI1",
        "accuracy",
        ("model=gin", *FOLDS, split_of(NCI1_FOLDS)),
    ),
    "PROTEINS": Entry(
        "tu/PROTEINS",
        "accuracy",
        ("model=gin", *FOLDS, split_of(PROTEINS_FOLDS)),
    ),
    "BBB_Martins": Entry("BBB_Martins", "roc_auc", (*DMPNN, *OF_TDC)),
    "hERG": Entry("hERG", "roc_auc", (*DMPNN, *OF_TDC)),
    "Bioavailability_Ma": Entry("Bioavailability_Ma", "roc_auc", (*DMPNN, *OF_TDC)),
    "CYP2D6_Veith": Entry("CYP2D6_Veith", "pr_auc", (*DMPNN, *OF_TDC)),
    "MUTAG auto": Entry("tu/MUTAG", "accuracy", (), "mutag-auto"),
    "NCI1 auto": Entry("tu/NCI1", "accuracy", (split_of(NCI1_FOLDS),), "nci1-auto"),
    "PROTEINS auto": Entry(
        "tu/PROTEINS", "accuracy", (split_of(PROTEINS_FOLDS),), "proteins-auto"
    ),
    "BBB_Martins auto": Entry("BBB_Martins", "roc_auc", (), "tdc-auto"),
    "hERG auto": Entry("hERG", "roc_auc", (), "tdc-auto"),
    "Bioavailability_Ma auto": Entry("Bioavailability_Ma", "roc_auc", (), "tdc-auto"),
    "CYP2D6_Veith auto": Entry("CYP2D6_Veith", "pr_auc", (), "tdc-auto"),
    "molhiv auto": Entry(
        "moleculenet/HIV.csv", "roc_auc", (split_of("molhiv_scaffold.csv"),), "hiv-auto"
    ),
    "BBBP auto": Entry("moleculenet/BBBP.csv", "roc_auc", (), "bbbp-auto"),
    "BACE auto": Entry("moleculenet/BACE.csv", "roc_auc", (), "bace-auto"),
}


def measured(name: str) -> dict[str, Any]:
    """Train what an entry says and keep its score, model by model."""
    import kekule

    entry = SETS[name]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, source(entry, Path(folder)) as data:
        recipe = None if entry.recipe is None else RECIPES / f"{entry.recipe}.yaml"
        run = kekule.train(recipe, [*data, *entry.settings], out=Path(folder) / "run")
        scores = run.scores
    network = scores["model"]["name"]
    ensemble = scores.get("ensemble", {"members": [], "network": None, "plan": None})
    members = {f"auto: {m['name']}": m["scores"] for m in ensemble["members"]}
    found = {network: scores["metrics"], **members, **scores["baselines"]}
    return {
        "metric": entry.metric,
        "protocol": scores["protocol"]["description"],
        "rows": scores["n_rows"] - scores["n_rejected"],
        "seconds": round(time.perf_counter() - started),
        "recipe": entry.recipe,
        "verdict": scores["verdict"],
        "ensemble": {
            "plan": ensemble["plan"],
            "weights": {m["name"]: round(m["weight"], 3) for m in ensemble["members"]},
            "network": None if ensemble["network"] is None else ensemble["network"]["verdict"],
        },
        "certainty": certainty(scores),
        "settings": [text.replace(str(DATA), "DATA") for text in entry.settings],
        "scores": {
            model: {
                key: None if (value := metrics[entry.metric][key]) is None else round(value, 4)
                for key in ("mean", "std", "low", "high")
            }
            for model, metrics in found.items()
        },
    }


def certainty(scores: dict[str, Any]) -> dict[str, Any]:
    """ECE before and after calibration, and what the prediction sets cover class by class."""
    told = scores["uncertainty"]
    if "calibration" not in told:
        return {}
    ece = {k: told["calibration"].get(k, {}).get("ece") for k in ("before", "after")}
    sets = told["conformal"].get("sets", [])
    covered = {
        str(one["confidence"]): {k: c["covered"] for k, c in one["classes"].items()}
        for one in sets
    }
    return {"ece": ece, "covered": covered, "calibrators": told["calibration"].get("folds")}


@contextmanager
def source(entry: Entry, folder: Path) -> Iterator[list[str]]:
    """Settings that name the data; the two files of a set of TDC as one table with its split."""
    if "/" in entry.data:
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
