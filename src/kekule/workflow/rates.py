"""The learning-rate range of a recipe: which rates its network can be trained with."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kekule._errors import KekuleError, OutputError
from kekule.data.chunked import available_cores
from kekule.evaluation import NETWORK, FoldInputs, FoldTask, Recipe, split_rows
from kekule.evaluation.parallel import one_thread
from kekule.models import build_network
from kekule.models.rate_range import USUAL, RateRange, Span, try_rates
from kekule.visualization.canvas import png_bytes, svg_text
from kekule.visualization.page import write_whole
from kekule.visualization.rates import rates_figure
from kekule.workflow.csv_file import check_writable, write_csv
from kekule.workflow.prepare import prepare
from kekule.workflow.progress import StageProgress
from kekule.workflow.training import recipe_of

KINDS = (".svg", ".png")


def learning_rate_range(
    recipe: str | Path | Recipe | None = None,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    csv: str | Path | None = None,
    lowest: float = USUAL.lowest,
    highest: float = USUAL.highest,
    steps: int = USUAL.steps,
    progress: bool | None = None,
) -> RateRange:
    """Train a recipe's network for a few hundred steps with a rising learning rate.

    The training rows of the first fold are learnt from; its validation and test rows are not
    read. Do it when a set or a network is new to you, before a search that costs a night.
    It does not tell which rate ends best, only which are of the right order.

    Parameters
    ----------
    recipe, overrides
        As for `kekule.train`.
    out
        Picture of loss against learning rate, ``.svg`` or ``.png``.
    csv
        The same as a table: learning_rate, loss, smoothed_loss.
    lowest, highest
        First and last rate.
    steps
        Batches; the rate rises by the same factor from each to the next.
    progress
        Show a progress bar while data are prepared; None shows it on a terminal.

    Returns
    -------
    RateRange
        Rates, losses, and the rate suggested: half of that at which the smoothed loss is
        lowest; None where it fell nowhere.

    Raises
    ------
    RecipeError, DataFileError
        If the recipe or its data cannot be used.
    OutputError
        If `out` or `csv` cannot be written.

    References
    ----------
    Smith 2017, https://arxiv.org/abs/1506.01186, section 3.3.
    """
    span = _checked(lowest, highest, steps)
    picture = None if out is None else _place(Path(out), KINDS)
    table = None if csv is None else _place(Path(csv), ())
    recipe = recipe_of(recipe, overrides)
    with StageProgress(show=progress) as stages:
        inputs = prepare(recipe, processes=available_cores(), progress=stages).inputs
    found = range_of(inputs, span)
    if table is not None:
        write_csv(_table(found), table)
    if picture is not None:
        _draw(found, recipe, picture)
    return found


def range_of(inputs: FoldInputs, span: Span = USUAL) -> RateRange:
    """Sweep over the training rows of the first fold of the first seed."""
    recipe = inputs.recipe
    train, _, _ = split_rows(inputs, FoldTask(NETWORK, recipe.seed, 0))
    network = build_network(
        inputs.graphs.schema,
        inputs.n_classes,
        recipe.model,
        seed=recipe.seed,
        n_tasks=inputs.n_tasks,
    )
    with one_thread():
        return try_rates(
            network,
            inputs.graphs,
            inputs.targets,
            rows=train,
            settings=recipe.train,
            seed=recipe.seed,
            weights=inputs.weights,
            span=span,
        )


def _checked(lowest: float, highest: float, steps: int) -> Span:
    if not 0 < lowest < highest:
        raise KekuleError(
            f"rates from {lowest:g} to {highest:g}: they should rise, and be above 0. "
            "Correct --lowest and --highest."
        )
    if not 20 <= steps <= 100_000:
        raise KekuleError(f"steps: {steps} given: give from 20 to 100000.")
    return Span(lowest, highest, steps)


def _place(path: Path, kinds: tuple[str, ...]) -> Path:
    if kinds and path.suffix.lower() not in kinds:
        raise OutputError(
            path, f"{path.suffix!r} is no kind of picture", f"Give {' or '.join(kinds)}."
        )
    check_writable(path)
    return path


def _table(found: RateRange) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "learning_rate": found.rates,
            "loss": found.losses,
            "smoothed_loss": found.smoothed,
        }
    )


def _draw(found: RateRange, recipe: Recipe, path: Path) -> None:
    figure = rates_figure(
        found.rates,
        found.losses,
        smoothed=found.smoothed,
        suggested=found.suggested,
        own=recipe.train.learning_rate,
        title=f"{getattr(recipe.model, 'name', 'network')} on {_name(recipe)}",
    )
    if path.suffix.lower() == ".png":
        write_whole(path, png_bytes(figure))
    else:
        header = '<?xml version="1.0" encoding="utf-8"?>\n'
        write_whole(path, (header + svg_text(figure, "rates") + "\n").encode())


def _name(recipe: Recipe) -> str:
    source = recipe.data.source
    first = source if isinstance(source, str) else source[0]
    return Path(first).name or first
