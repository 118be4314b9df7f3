"""Learning curves of every training of a run.

Thin lines are single trainings, the thick one their median; a dot marks the epoch each
training kept. Lines that part early or dots scattered over many epochs say that the
choice of epoch is noise.

Symbols: epochs are counted from 1 on the axis, from 0 in the view.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from kekule.visualization.canvas import WIDE, new_figure, only_grid, say, styled
from kekule.visualization.palette import CLASS_COLOURS, FAINT, INK, MODEL
from kekule.visualization.run_view import FINAL_FOLD, FoldCurve, RunView


@styled
def learning_figure(view: RunView) -> Figure:
    """Training loss left, validation loss right, on one scale; step sizes beside them."""
    figure = new_figure(WIDE, 3.5)
    left, right, rates = figure.subplots(1, 3, width_ratios=[3, 3, 2])
    right.sharey(left)
    right.tick_params(labelleft=False)
    _draw_rates(rates, view.curves)
    folds = [c for c in view.curves if c.fold != FINAL_FOLD]
    final = [c for c in view.curves if c.fold == FINAL_FOLD]
    _draw_losses(left, [c.train_loss for c in folds], "Training rows")
    _draw_losses(right, [c.validation_loss for c in folds], "Validation rows")
    for curve in final:
        _draw_final(left, curve.train_loss)
        _draw_final(right, curve.validation_loss)
    _mark_best(right, folds)
    if right.lines:
        right.legend(loc="upper right", handlelength=1.8)
    left.set_ylabel("Loss (nats per graph)")
    return figure


def median_curve(losses: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Median loss while at least half of the trainings still ran; float64 (epochs,)."""
    longest = max((len(loss) for loss in losses), default=0)
    table = np.full((len(losses), longest), np.nan)
    for line, loss in zip(table, losses, strict=True):
        line[: len(loss)] = loss
    running = np.isfinite(table).sum(axis=0) * 2 >= max(len(losses), 1)
    kept = table[:, running]
    return np.nanmedian(kept, axis=0) if kept.size else np.empty(0)


def _draw_losses(axes: Axes, losses: list[NDArray[np.float64]], title: str) -> None:
    drawn = [loss for loss in losses if len(loss)]
    axes.set_title(title)
    if not drawn:
        say(axes, "No losses were recorded.")
        return
    for i, loss in enumerate(drawn):
        label = "_" if i else "one training"
        axes.plot(
            np.arange(1, len(loss) + 1),
            loss,
            color=FAINT,
            alpha=0.45,
            linewidth=0.7,
            gid="fold",
            label=label,
        )
    middle = median_curve(drawn)
    axes.plot(
        np.arange(1, len(middle) + 1),
        middle,
        color=MODEL,
        linewidth=2.2,
        gid="median",
        label="median",
    )
    axes.set_xlabel("Epoch")
    only_grid(axes, "y")
    axes.margins(x=0.01)


def _draw_rates(axes: Axes, curves: tuple[FoldCurve, ...]) -> None:
    """Draw the step size of every training; they differ only where one stopped early."""
    axes.set_title("Learning rate")
    drawn = [curve.learning_rate for curve in curves if np.isfinite(curve.learning_rate).any()]
    if not drawn:
        say(axes, "No learning rates were recorded.")
        return
    for rate in drawn:
        axes.plot(
            np.arange(1, len(rate) + 1), rate, color=MODEL, linewidth=1.2, alpha=0.5, gid="rate"
        )
    axes.set_xlabel("Epoch")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    only_grid(axes, "y")
    axes.margins(x=0.01)


def _draw_final(axes: Axes, loss: NDArray[np.float64]) -> None:
    if len(loss):
        epochs = np.arange(1, len(loss) + 1)
        axes.plot(
            epochs,
            loss,
            color=INK,
            linewidth=1.0,
            linestyle=(0, (4, 1.5)),
            gid="final",
            label="final model",
        )


def _mark_best(axes: Axes, folds: list[FoldCurve]) -> None:
    """Dot the epoch each training kept; one chosen outside its curve is left unmarked."""
    kept = [c for c in folds if 0 <= c.best_epoch < len(c.validation_loss)]
    if kept:
        axes.scatter(
            [c.best_epoch + 1 for c in kept],
            [c.validation_loss[c.best_epoch] for c in kept],
            s=20, color=CLASS_COLOURS[1], edgecolor="white", linewidth=0.6, zorder=4, gid="best",
            label="epoch kept",
        )  # fmt: skip
