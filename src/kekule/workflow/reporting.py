"""Report: from a finished run folder to its page and pictures."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from kekule.data.chunked import Beside, LostWorkerError, called
from kekule.evaluation import read_recipe
from kekule.features import PackedGraphs
from kekule.models import Network, embeddings, layers_of, weights_of
from kekule.registry import OpenBundle, open_bundle
from kekule.visualization.run_view import FoldCurve, Layer, RunView, Score, TaskView
from kekule.workflow.curve_tables import read_history
from kekule.workflow.nearness_of_run import (
    NodeNames,
    RunRows,
    graph_of_row,
    nearness_of_run,
    top_lists_of_run,
)
from kekule.workflow.prepare import open_data
from kekule.workflow.run_folder import PARAMETERS, PROFILE
from kekule.workflow.run_reading import check_data, read_run, told_besides

DRAWING = "kekule.visualization.report"  # brings matplotlib along: loaded for a page alone
SLOWEST = ("folds", "parameters", "history", "similarity")  # half of the time of a page
LISTS, LIST_OF_A_TASK = (1, 5, 10), (10,)  # percents of the rows ranked first


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
    from kekule.visualization.report import write_report  # draws: matplotlib, for a report alone

    folder = Path(run)
    return write_report(
        view_of(folder),
        folder / "report.html",
        figures=None if figures is None else Path(figures),
    )


def report_beside(run: Path, process: Beside) -> Path:
    """Draw the page of a run, its slowest figures in a process that has been started already."""
    view = view_of(run)
    bare = replace(view, molecules=(), graphs=None, smiles=(), cliffs=None)
    there = process.do(partial(called, DRAWING, "drawn_if_any", bare, SLOWEST))
    from kekule.visualization.report import drawn, drawn_if_any, page_figures, write_page

    svgs = drawn(view, [name for name in page_figures(view) if name not in SLOWEST])
    try:
        svgs |= there()
    except LostWorkerError:  # the training is done: nothing is lost for a figure
        svgs |= drawn_if_any(view, SLOWEST)
    return write_page(view, svgs, run / "report.html")


def view_of(run: Path) -> RunView:
    """Everything the page shows, gathered from the run folder, its bundle and its data."""
    scores, audit, table, curves = read_run(run)
    recipe = read_recipe(run / "recipe.yaml")
    bundle = open_bundle(run)
    origin = open_data(recipe)
    check_data(origin, scores)
    usable = table[table["status"] != "invalid"]
    table = usable[usable["fold"].notna()]
    rows = table["row"].to_numpy(dtype=np.int64)
    classes, tasks = tuple(scores["classes"]), _tasks(scores, table, recipe.seeds)
    similarity, cliffs = nearness_of_run(origin, _run_rows(usable, () if tasks else classes))
    truth = np.full(len(rows), -1) if tasks else _codes(table["target"], classes)
    packed = origin.packed(rows)
    drawn = np.zeros(0, dtype=np.int64) if tasks else rows  # of several tasks no row is shown
    molecules = tuple(origin.molecules(drawn)) or (None,) * len(rows)
    nodes = origin.node_names(rows)
    return RunView(
        **_of_scores(scores),
        classes=classes,
        rows=rows,
        truth=truth,
        fold=table["fold"].to_numpy(dtype=np.int64),
        probabilities=np.zeros((len(rows), 0)) if tasks else _probabilities(table, classes),
        curves=_curves(curves),
        n_nodes=np.diff(packed.node_pointer),
        n_edges=np.diff(packed.edge_pointer) // 2,
        label_counts={} if tasks else _label_counts(nodes, packed, len(classes), truth),
        molecules=molecules,
        graphs=partial(graph_of_row, nodes, packed),
        smiles=tuple("" if mol is None else Chem.MolToSmiles(mol) for mol in molecules),
        **_of_network(bundle.network, origin.packed(drawn) if tasks else packed),
        recipe=recipe.to_yaml(),
        environment=_environment(bundle),
        hashes={
            "data sha256": scores["data_hash"],
            "recipe sha256": scores["recipe_hash"],
            "schema sha256": bundle.schema.sha256,
            "bundle sha256": bundle.manifest["sha256"],
        },
        audit=[_readable(finding) for finding in audit["findings"]],
        tasks=tasks,
        history=read_history(run / PARAMETERS),
        profiles=tuple(sorted(path.name for path in (run / PROFILE).glob("*.md"))),
        top_lists=top_lists_of_run(table, recipe.seeds, "probability", LISTS),
        similarity=similarity,
        cliffs=cliffs,
        **told_besides(run, scores),
    )


def _of_scores(scores: dict[str, Any]) -> dict[str, Any]:
    """What ``scores.json`` says of the run as a whole, in the fields of `RunView`."""
    classes = scores["classes"]
    return {
        "name": scores["name"],
        "dataset": scores["dataset"],
        "model": scores["model"]["name"],
        "verdict": scores["verdict"],
        "created": scores["created"],
        "positive": classes[-1] if len(classes) == 2 else None,
        "n_rejected": scores["n_rejected"],
        "scores": _scores(scores["metrics"]),
        "baselines": {name: _scores(metrics) for name, metrics in scores["baselines"].items()},
        "seed_spread": {
            name: tuple(np.nan if v is None else v for v in values)
            for name, values in scores["seed_means"].items()
        },
        "duplicates": str(scores.get("duplicates") or ""),
        "protocol": str(scores["protocol"]["description"]),
        "refit": bool(scores["protocol"].get("refit", True)),
    }


def _of_network(network: Network | None, packed: PackedGraphs) -> dict[str, Any]:
    """Layers of a network in their order, the numbers each has learnt, and what it makes of rows.

    All empty where the model has no network.
    """
    if network is None:
        return {"layers": (), "weights": {}, "embedding": np.zeros((0, 0), dtype=np.float32)}
    layers, weights = layers_of(network), weights_of(network)
    return {
        "layers": tuple(
            Layer(n.name, n.kind, " × ".join(map(str, n.shape)), n.n_parameters) for n in layers
        ),
        "weights": {n.name: weights[n.name].ravel().astype(np.float32) for n in layers},
        "embedding": embeddings(network, packed),
    }


def _run_rows(usable: pd.DataFrame, classes: tuple[str, ...]) -> RunRows:
    """Usable rows with their answers, where one task gives a row one answer."""
    n = len(usable)
    return RunRows(
        numbers=usable["row"].to_numpy(dtype=np.int64),
        fold=usable["fold"].fillna(0).to_numpy(dtype=np.int64),
        truth=_codes(usable["target"], classes) if classes else np.full(n, -1),
        probabilities=_probabilities(usable, classes) if classes else np.zeros((n, 0)),
        classes=classes,
    )


def _codes(names: "pd.Series[str]", classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Numbers of classes given by their names; -1 where there is none."""
    number = {name: code for code, name in enumerate(classes)}
    return names.map(lambda name: number[name] if name else -1).to_numpy(dtype=np.int64)


def _tasks(
    scores: dict[str, Any], table: pd.DataFrame, seeds: Sequence[int]
) -> tuple[TaskView, ...]:
    """Each of several tasks with its own rows and scores; none where there is one task."""
    rivals = scores.get("baselines_per_task", {})
    return tuple(
        TaskView(
            name=task,
            classes=tuple(counts),
            truth=_codes(table[f"{task}.target"], tuple(counts)),
            probability=table[f"{task}.probability"].to_numpy(dtype=np.float64),
            scores=_scores(scores["per_task"][task]),
            baselines={model: _scores(of_tasks[task]) for model, of_tasks in rivals.items()},
            top=next(
                iter(top_lists_of_run(table, seeds, f"{task}.probability", LIST_OF_A_TASK)), None
            ),
        )
        for task, counts in scores.get("tasks", {}).items()
    )


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
            learning_rate=(
                part["learning_rate"].to_numpy(dtype=np.float64)
                if "learning_rate" in part
                else np.zeros(0)
            ),
        )
        for _, part in table.groupby(["seed", "fold"], sort=True)
    )


def _label_counts(
    nodes: NodeNames, packed: PackedGraphs, n_classes: int, truth: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    codes, names = nodes
    owner = np.repeat(truth, np.diff(packed.node_pointer))
    counts = np.zeros((len(names), n_classes), dtype=np.int64)
    np.add.at(counts, (codes, owner), 1)
    return dict(zip(names, counts, strict=True))


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
