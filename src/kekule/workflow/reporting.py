"""Report: from a finished run folder to its page and pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from kekule._errors import DataFileError, MoleculeError, OutputError
from kekule.data import LabelledGraphs, find_set, molecule_from_graph
from kekule.evaluation import Recipe, read_recipe
from kekule.features import pack
from kekule.models import embeddings, layers_of, weights_of
from kekule.registry import OpenBundle, open_bundle
from kekule.visualization.report import write_report
from kekule.visualization.run_view import FoldCurve, Layer, RunView, Score

_NEEDED = {  # keys and columns the page is drawn from
    "scores.json": (
        *("name", "dataset", "model", "verdict", "created", "classes", "n_rejected", "metrics"),
        *("baselines", "data_hash", "recipe_hash", "seed_means"),
    ),
    "audit.json": ("findings",),
    "predictions.csv": ("row", "target", "status", "fold"),
    "curves.csv": ("seed", "fold", "train_loss", "validation_loss", "chosen"),
}


def report(run: str | Path, *, figures: str | Path | None = None) -> Path:
    """Draw the page of a run from what its folder holds, and the figures as files if asked.

    Parameters
    ----------
    run
        Run folder of `kekule.train`.
    figures
        Folder for the same figures as ``.svg`` and ``.png``.

    Returns
    -------
    Path
        ``report.html`` in the run folder.

    Raises
    ------
    OutputError
        If `run` is not a complete run folder.
    DataFileError
        If the data it was trained on are gone or have changed.
    BundleError
        If its bundle was changed.
    """
    folder = Path(run)
    return write_report(
        view_of(folder),
        folder / "report.html",
        figures=None if figures is None else Path(figures),
    )


def view_of(run: Path) -> RunView:
    """Everything the page shows, gathered from the run folder, its bundle and its data."""
    scores, audit, table, curves = _read_run(run)
    recipe = read_recipe(run / "recipe.yaml")
    bundle = open_bundle(run)
    graphs = _same_data(recipe, scores)
    table = table[table["status"] != "invalid"]
    rows = table["row"].to_numpy(dtype=np.int64)
    classes = tuple(scores["classes"])
    usable = graphs.take(rows)
    molecules = tuple(_molecules(graphs, rows))
    return RunView(
        name=scores["name"],
        dataset=scores["dataset"],
        model=scores["model"]["name"],
        verdict=scores["verdict"],
        created=scores["created"],
        classes=classes,
        positive=classes[-1] if len(classes) == 2 else None,
        n_rejected=scores["n_rejected"],
        rows=rows,
        truth=table["target"].map(classes.index).to_numpy(dtype=np.int64),
        fold=table["fold"].to_numpy(dtype=np.int64),
        probabilities=_probabilities(table, classes),
        scores=_scores(scores["metrics"]),
        baselines={name: _scores(metrics) for name, metrics in scores["baselines"].items()},
        curves=_curves(curves),
        n_nodes=usable.n_nodes,
        n_edges=usable.n_edges // 2,
        label_counts=_label_counts(
            usable, len(classes), table["target"].map(classes.index).to_numpy()
        ),
        molecules=molecules,
        graphs=lambda i: _drawing(usable, i),
        smiles=tuple("" if mol is None else Chem.MolToSmiles(mol) for mol in molecules),
        layers=tuple(
            Layer(n.name, n.kind, " × ".join(map(str, n.shape)), n.n_parameters)
            for n in layers_of(bundle.network)
        ),
        weights={
            name: weights_of(bundle.network)[name].ravel().astype(np.float32)
            for name, *_ in layers_of(bundle.network)
        },
        embedding=embeddings(bundle.network, pack(usable, bundle.schema)),
        recipe=recipe.to_yaml(),
        environment=_environment(bundle),
        hashes={
            "data sha256": scores["data_hash"],
            "recipe sha256": scores["recipe_hash"],
            "schema sha256": bundle.schema.sha256,
            "bundle sha256": bundle.manifest["sha256"],
        },
        audit=[_readable(finding) for finding in audit["findings"]],
        seed_spread={
            name: tuple(np.nan if v is None else v for v in values)
            for name, values in scores["seed_means"].items()
        },
    )


def _read_run(run: Path) -> tuple[dict[str, Any], dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Scores, audit, predictions and curves of a run, each with the parts the page needs."""
    try:
        scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
        audit = json.loads((run / "audit.json").read_text(encoding="utf-8"))
        table = pd.read_csv(run / "predictions.csv", dtype={"target": str, "prediction": str})
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
        missing = [key for key in _NEEDED[name] if key not in known]
        if missing:
            raise OutputError(
                run, f"it is no complete run: {name} has no {missing[0]!r}", "Train it again."
            )
    return scores, audit, table, curves


def _same_data(recipe: Recipe, scores: dict[str, Any]) -> LabelledGraphs:
    graphs = find_set(recipe.data.source)
    if graphs.sha256 != scores["data_hash"]:
        raise DataFileError(
            graphs.source,
            "the data are not those the run was trained on (another sha256)",
            "Restore them, or train again.",
        )
    return graphs


def _probabilities(table: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray[Any, Any]:
    if len(classes) == 2:
        positive = table["probability"].to_numpy(dtype=np.float64)
        return np.stack([1 - positive, positive], axis=1)
    return table[[f"probability_{name}" for name in classes]].to_numpy(dtype=np.float64)


def _scores(metrics: dict[str, dict[str, Any]]) -> dict[str, Score]:
    def number(value: float | None) -> float:
        return float("nan") if value is None else float(value)

    return {
        name: Score(
            mean=number(score["mean"]),
            std=number(score["std"]),
            low=number(score["low"]),
            high=number(score["high"]),
            folds=tuple(map(number, score["folds"])),
        )
        for name, score in metrics.items()
    }


def _curves(table: pd.DataFrame) -> tuple[FoldCurve, ...]:
    return tuple(
        FoldCurve(
            seed=int(part["seed"].iloc[0]),
            fold=int(part["fold"].iloc[0]) - 1,
            train_loss=part["train_loss"].to_numpy(dtype=np.float64),
            validation_loss=part["validation_loss"].to_numpy(dtype=np.float64),
            best_epoch=int(part["chosen"].to_numpy(dtype=bool).argmax()),
        )
        for _, part in table.groupby(["seed", "fold"], sort=True)
    )


def _molecules(graphs: LabelledGraphs, rows: np.ndarray[Any, Any]) -> list[Chem.Mol | None]:
    if graphs.alphabet is None:
        return [None] * len(rows)
    molecules: list[Chem.Mol | None] = []
    for row in rows.tolist():
        try:
            molecules.append(molecule_from_graph(graphs, row))
        except MoleculeError:
            molecules.append(None)
    return molecules


def _names(graphs: LabelledGraphs) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """Code of each node's first label and the codes' names: elements where they are known."""
    if not graphs.node_columns:
        return np.zeros(len(graphs.node_labels), dtype=np.int64), ("node",)
    values, codes = np.unique(graphs.node_labels[:, 0], return_inverse=True)
    if graphs.alphabet is not None:
        return codes, tuple(graphs.alphabet.elements[int(v)] for v in values)
    column = graphs.node_columns[0]
    return codes, tuple(f"{column} {v}" for v in values.tolist())


def _label_counts(
    graphs: LabelledGraphs, n_classes: int, truth: np.ndarray[Any, Any]
) -> dict[str, np.ndarray[Any, Any]]:
    codes, names = _names(graphs)
    owner = np.repeat(truth.astype(np.int64), graphs.n_nodes)
    counts = np.zeros((len(names), n_classes), dtype=np.int64)
    np.add.at(counts, (codes, owner), 1)
    return dict(zip(names, counts, strict=True))


def _drawing(
    graphs: LabelledGraphs, position: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], tuple[str, ...]]:
    codes, names = _names(graphs)
    start, end = graphs.node_pointer[position : position + 2]
    return graphs.graph(position).edge_index, codes[start:end], names


def _environment(bundle: OpenBundle) -> dict[str, str]:
    return {name: str(version) for name, version in bundle.manifest["versions"].items()}


def _readable(finding: dict[str, Any]) -> dict[str, Any]:
    """Write a finding's value as a person would: no brackets, no quotes."""
    value = finding.get("value")
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {count}" for name, count in value.items())
    elif isinstance(value, list):
        value = ", ".join(map(str, value)) or "none"
    return finding | {"value": value}
