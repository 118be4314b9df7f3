"""What the files of a finished run say, checked for what a page needs of it."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from kekule._errors import DataFileError, OutputError
from kekule.visualization.ensemble_view import ensemble_of
from kekule.visualization.examination_view import examination_of
from kekule.visualization.uncertainty_view import uncertainty_of
from kekule.workflow.graph_set import GraphSet
from kekule.workflow.molecule_set import MoleculeSet
from kekule.workflow.run_folder import EXAMINATION

ASKED = ("target", "probability")  # columns of each of several tasks

_NEEDED = {  # keys and columns the page is drawn from
    "scores.json": (
        *("name", "dataset", "model", "verdict", "created", "classes", "n_rejected", "metrics"),
        *("baselines", "data_hash", "recipe_hash", "seed_means", "protocol"),
    ),
    "audit.json": ("findings",),
    "predictions.csv": ("row", "status", "fold"),
    "curves.csv": ("seed", "fold", "train_loss", "validation_loss", "chosen"),
}


def read_run(run: Path) -> tuple[dict[str, Any], dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Scores, audit, predictions and curves of a run, each with the parts the page needs.

    Raises
    ------
    OutputError
        If one is missing, cannot be read or lacks a part.
    """
    try:
        scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
        audit = json.loads((run / "audit.json").read_text(encoding="utf-8"))
        table = pd.read_csv(
            run / "predictions.csv",
            dtype=dict.fromkeys(_named(run, "target", "prediction", "status"), str),
            keep_default_na=False,
            na_values={"fold": "", **dict.fromkeys(_named(run, "probability"), "")},
        )
        curves = pd.read_csv(run / "curves.csv")
    except (OSError, ValueError) as error:
        raise OutputError(
            run, f"it is no complete run: {error}", "Give a folder of `kekule train`."
        ) from None
    for name, part in (
        ("scores.json", scores),
        ("audit.json", audit),
        ("predictions.csv", table),
        ("curves.csv", curves),
    ):
        known = part if isinstance(part, dict | pd.DataFrame) else ()
        missing = [key for key in (*_NEEDED[name], *_also(name, scores)) if key not in known]
        if missing:
            raise OutputError(
                run, f"it is no complete run: {name} has no {missing[0]!r}", "Train it again."
            )
    return scores, audit, table, curves


def check_data(origin: GraphSet | MoleculeSet, scores: Mapping[str, Any]) -> None:
    """Refuse data that are not those a run was trained on, by what its scores say of them.

    Raises
    ------
    DataFileError
        If they have changed.
    """
    if origin.sha256 != scores["data_hash"]:
        raise DataFileError(
            origin.source,
            "the data are not those the run was trained on (another sha256)",
            "Restore them, or train again.",
        )


def _named(run: Path, *beginnings: str) -> list[str]:
    """Columns that begin so, be it behind the name of a task or seed and a dot."""
    header = pd.read_csv(run / "predictions.csv", nrows=0).columns
    return [name for name in header if name.rpartition(".")[2].startswith(beginnings)]


def _also(name: str, scores: Any) -> list[str]:
    """What a file needs besides: truth and answers of the one task, or of each of several."""
    tasks = scores.get("tasks") if isinstance(scores, dict) else None
    if name == "scores.json":
        return ["per_task"] if tasks else []
    if name != "predictions.csv":
        return []
    return [f"{task}.{part}" for task in tasks for part in ASKED] if tasks else ["target"]


def told_besides(run: Path, scores: dict[str, Any]) -> dict[str, Any]:
    """What not every run tells: of single answers, of members, of harder questions.

    Keys are fields of `RunView`; one that the run does not tell is missing.

    Raises
    ------
    OutputError
        If a part is there and cannot be read.
    """
    tasks = {name: tuple(counts) for name, counts in scores.get("tasks", {}).items()}
    primary = str(scores.get("primary") or "")
    readers: dict[str, Callable[[Any], Any]] = {
        "uncertainty": partial(uncertainty_of, classes=tuple(scores["classes"]), tasks=tasks),
        "ensemble": partial(ensemble_of, metric=primary, own=scores["metrics"]),
    }
    found: dict[str, Any] = {}
    for name, read in readers.items():
        if scores.get(name):
            found[name] = _read(run, f"scores.json, {name}", partial(read, scores[name]))
    if (path := run / EXAMINATION).exists():
        found["examination"] = _read(
            run,
            EXAMINATION,
            lambda: examination_of(json.loads(path.read_text(encoding="utf-8")), primary),
        )
    return found


def _read(run: Path, name: str, read: Callable[[], Any]) -> Any:
    """Read a part, or say which one of which run cannot be read."""
    try:
        return read()
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        why = f"it is no complete run: {name}: {error!r}"
        raise OutputError(run, why, "Make that part again, or train again.") from None
