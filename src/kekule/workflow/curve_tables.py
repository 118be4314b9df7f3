"""How the trainings of a run went: its curves, and the sizes of weights and gradients."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kekule._errors import OutputError
from kekule.evaluation import FINAL, NETWORK, FoldInputs, FoldResult, FoldTask
from kekule.models import build_network, layers_of
from kekule.models.ensemble_settings import AUTO
from kekule.visualization.run_view import ParameterHistory
from kekule.workflow.metric_streams import Epoch, read_epochs
from kekule.workflow.run_folder import CURVES, PARAMETERS

RESULT_CURVES = ("train_loss", "validation_loss", "learning_rate")  # of a fold's result
NUMBERS = {"value_rms": "", "gradient_rms": ""}  # columns, and what stands there for none
PARAMETER_COLUMNS = ("epoch", "parameter", *NUMBERS)


def write_curves(files: Path, inputs: FoldInputs, results: Mapping[FoldTask, FoldResult]) -> None:
    """Write the stream once more, in order and whole, and the sizes of the final model's arrays.

    Where no model was trained on all rows, the final model is the first fold's.
    """
    recipe = inputs.recipe
    epochs = completed(results, getattr(recipe.model, "name", ""), read_epochs(files / CURVES))
    half = files / f".{CURVES}.half"
    curves_table(epochs, results).to_csv(half, index=False)
    half.replace(files / CURVES)
    final = results.get(FoldTask(NETWORK, recipe.seed, FINAL))
    final = final or results.get(FoldTask(NETWORK, recipe.seed, 0))
    names: list[str] = []
    if recipe.model.name != AUTO:
        network = build_network(
            inputs.graphs.schema, inputs.n_classes, recipe.model, seed=recipe.seed
        )
        names = [layer.name for layer in layers_of(network)]
    parameters_table(final, names).to_csv(files / PARAMETERS, index=False)


def completed(
    results: Mapping[FoldTask, FoldResult], network: str, heard: Iterable[Epoch]
) -> list[Epoch]:
    """Every epoch of every network, fold by fold, as the results have them.

    Losses and step sizes are those of the results; what no result holds is taken from the
    stream, and is NaN where the stream lost an epoch.
    """
    told = {(*epoch.training, epoch.epoch): epoch for epoch in heard}
    found = []
    for task, result in results.items():
        if task.model != NETWORK:
            continue
        fold = 0 if task.fold == FINAL else task.fold + 1
        curves = {name: getattr(result, name) for name in RESULT_CURVES}
        for k in range(len(result.train_loss)):
            key = (task.seed, fold, k + 1)
            epoch = told.get(key) or Epoch(network, *key, *[math.nan] * 6)
            kept: dict[str, Any] = {
                name: float(curve[k]) for name, curve in curves.items() if k < len(curve)
            }
            found.append(epoch._replace(model=network, **kept))
    return found


def curves_table(epochs: Sequence[Epoch], results: Mapping[FoldTask, FoldResult]) -> pd.DataFrame:
    """Epochs as a table; ``chosen`` marks the one whose weights were kept."""
    chosen = {
        (task.seed, 0 if task.fold == FINAL else task.fold + 1, result.best_epoch + 1)
        for task, result in results.items()
        if task.model == NETWORK
    }
    table = pd.DataFrame(epochs, columns=Epoch._fields)
    table["chosen"] = [(*epoch.training, epoch.epoch) in chosen for epoch in epochs]
    return table


def parameters_table(result: FoldResult | None, names: Sequence[str]) -> pd.DataFrame:
    """Root mean square of each array of a network and of its gradient, epoch by epoch.

    Empty where none was kept.
    """
    values = np.zeros((0, 0)) if result is None else result.parameter_rms
    if values.shape[1:] != (len(names),) or result is None:
        return pd.DataFrame(columns=list(PARAMETER_COLUMNS))
    n_epochs = len(values)
    gradient = result.gradient_rms
    if gradient.shape != values.shape:
        gradient = np.full(values.shape, np.nan, dtype=np.float32)
    columns = (
        np.repeat(np.arange(1, n_epochs + 1), len(names)),
        np.tile(np.asarray(names, dtype=object), n_epochs),
        values.ravel(),
        gradient.ravel(),
    )
    return pd.DataFrame(dict(zip(PARAMETER_COLUMNS, columns, strict=True)))


def read_history(path: Path) -> ParameterHistory | None:
    """What `parameters_table` was written as; None where the file is missing or empty.

    Raises
    ------
    OutputError
        If it is no such table.
    """
    if not path.exists():
        return None
    try:
        table = pd.read_csv(
            path, dtype={"parameter": str}, keep_default_na=False, na_values=NUMBERS
        )
        names = tuple(dict.fromkeys(table["parameter"]))
        shape = (-1, max(len(names), 1))
        epochs = table["epoch"].to_numpy(dtype=np.int64).reshape(shape)
        values, gradients = (
            table[name].to_numpy(dtype=np.float64).reshape(shape) for name in NUMBERS
        )
        if (epochs != epochs[:, :1]).any() or (np.diff(epochs[:, 0]) != 1).any():
            raise ValueError("its epochs do not follow on each other")
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"it is no complete run: {path.name}: {error}"
        raise OutputError(path.parent, why, "Train it again.") from None
    return ParameterHistory(names, values, gradients) if names else None
