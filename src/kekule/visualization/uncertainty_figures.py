"""Whether probabilities were put right, and whether sets hold the class they promise to."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kekule.visualization.canvas import HALF, WIDE, new_figure, only_grid, say, styled
from kekule.visualization.palette import FAINT, INK, MODEL, MUTED, plain
from kekule.visualization.run_view import RunView
from kekule.visualization.uncertainty_view import (
    CalibrationView,
    Reliability,
    SetsView,
    TaskUncertaintyView,
)

MOST_TASKS, COLUMNS = 12, 4


def calibrated_tasks(view: RunView) -> list[TaskUncertaintyView]:
    """Return the tasks whose calibration can be drawn, as many as a figure holds."""
    tasks = () if view.uncertainty is None else view.uncertainty.tasks
    return [task for task in tasks if isinstance(task.calibration, CalibrationView)][:MOST_TASKS]


def drawn_sets(view: RunView) -> tuple[SetsView, ...]:
    """Return the sets of the one task; none of several, or where there is a reason instead."""
    tasks = () if view.uncertainty is None else view.uncertainty.tasks
    if len(tasks) != 1 or isinstance(tasks[0].sets, str):
        return ()
    return tasks[0].sets


@styled
def reliability_figure(view: RunView) -> Figure:
    """Probability said against what came true, before and after; one panel a task."""
    tasks = calibrated_tasks(view)
    if len(tasks) < 2:
        figure = new_figure(HALF, 3.9)
        panels = np.array([figure.subplots()])
    else:
        lines = -(-len(tasks) // COLUMNS)
        figure = new_figure(WIDE, 2.35 * lines + 0.5)
        panels = figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in panels[len(tasks) :]:
        axes.set_axis_off()
    if not tasks:
        say(panels[0], "Nothing was calibrated.")
    for axes, task in zip(panels, tasks, strict=False):
        if isinstance(task.calibration, CalibrationView):
            _draw_calibration(axes, task.calibration)
        axes.set_title(plain(task.name, 22), fontsize=8.5)
    if tasks:
        panels[0].legend(loc="upper left", handlelength=1.4)
        said, found = _axes_of(view)
        figure.supxlabel(said, fontsize=9, color=MUTED)
        figure.supylabel(found, fontsize=9, color=MUTED)
    return figure


def _axes_of(view: RunView) -> tuple[str, str]:
    """Of two classes the last one is asked about, of more the predicted one."""
    if view.tasks:
        return "Probability of the positive class", "Share that is positive"
    if view.positive is None:
        return "Probability of the predicted class", "Share that is right"
    name = plain(view.positive, 18)
    return f"Probability of class {name}", f"Share that is class {name}"


def _draw_calibration(axes: Axes, told: CalibrationView) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="ideal")
    _draw_bins(axes, told.before_bins, "as the model gives it", MUTED, -0.003, "before")
    _draw_bins(axes, told.after_bins, "calibrated", MODEL, 0.003, "after")
    said = [*told.before_bins.said, *told.after_bins.said, 0.5]
    axes.set(xlim=(min(said) - 0.03, 1.02), ylim=(-0.02, 1.03))


def _draw_bins(
    axes: Axes, bins: Reliability, label: str, colour: str, aside: float, gid: str
) -> None:
    """One line; moved a hair to its side, so that equal whiskers are both seen."""
    x = np.array(bins.said) + aside
    axes.vlines(x, bins.low, bins.high, color=colour, linewidth=1.1, alpha=0.5)
    mark, dash = ("o", "-") if gid == "after" else ("s", (0, (4, 1.5)))
    axes.plot(
        x, bins.found, color=colour, linewidth=1.5, linestyle=dash, marker=mark, markersize=4,
        label=label, gid=gid,
    )  # fmt: skip


@styled
def coverage_figure(view: RunView) -> Figure:
    """Share of sets that hold the true class beside the confidence, all rows and by class."""
    told = drawn_sets(view)
    height = 1.0 if not told else 1.1 + 0.27 * sum(len(each.lines) for each in told)
    figure = new_figure(HALF, min(max(height, 2.6), 9.0))
    axes = figure.subplots()
    if not told:
        say(axes, "No sets.")
        return figure
    place, names = 0.0, []
    for each in told:
        start = place
        for line in each.lines:
            own = line.covered
            colour = MODEL if line is each.lines[0] else MUTED
            if own.n:
                axes.hlines(place, own.low, own.high, color=colour, linewidth=1.8)
                axes.plot(own.value, place, "o", color=colour, markersize=5.5, gid="covered")
            names.append((place, plain(line.name, 16)))
            place += 1
        axes.vlines(
            each.confidence, start - 0.45, place - 0.55, color=INK, linewidth=1.0,
            linestyle=(0, (2, 2)), gid="promised",
        )  # fmt: skip
        axes.text(
            0.015, start - 0.55, f"at {each.confidence:.0%}", color=INK, weight="bold",
            fontsize=8.5, va="bottom", transform=axes.get_yaxis_transform(),
        )  # fmt: skip
        place += 0.9
    axes.set_yticks([at for at, _ in names], [name for _, name in names])
    axes.set_ylim(place - 1.2, -1.2)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("Sets that hold the true class")
    axes.set_xlim(right=1.01)
    axes.spines["left"].set_visible(False)
    only_grid(axes, "x")
    return figure
