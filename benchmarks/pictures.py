"""Pictures of what the training benchmarks found, for the documentation.

Drawn from the record alone, so that a picture never says what the JSON beside it does not; the
same record gives the same file.

    python benchmarks/pictures.py  # draws all of them again from their records
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kekule.visualization.canvas import WIDE, house_style, new_figure, only_grid, svg_text
from kekule.visualization.palette import FAINT, INK, MODEL, class_colour, class_mark

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
Record = dict[str, Any]


def bars(axes: Axes, values: dict[str, dict[str, float]], title: str, digits: int = 0) -> None:
    """A bar for each name with both ends of its rounds; ours dark, the others grey."""
    names = list(values)
    for k, name in enumerate(names):
        found = values[name]
        axes.barh(k, found["median"], 0.62, color=MODEL if name.startswith("kekule") else FAINT)
        axes.plot([found["low"], found["high"]], [k, k], color=INK, linewidth=1)
        axes.annotate(
            f"{found['median']:.{digits}f}",
            (found["high"], k),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlim(left=0)
    axes.set_title(title)
    only_grid(axes, "x")


def dots(axes: Axes, values: dict[str, list[float]], title: str) -> None:
    """A dot for each seed."""
    for k, (name, scores) in enumerate(values.items()):
        colour = MODEL if name.startswith("kekule") else FAINT
        axes.plot(scores, [k] * len(scores), "o", color=colour, alpha=0.8)
    axes.set_yticks(range(len(values)), list(values))
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.margins(x=0.2)
    axes.set_title(title)
    only_grid(axes, "x")


def mutag(record: Record) -> Figure:
    """Seconds of ten folds, and the accuracy of each seed."""
    figure = new_figure(WIDE, 3.6)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    bars(left, record["seconds"], "Seconds of ten folds", digits=1)
    dots(right, record["accuracy_of_seeds"], "Accuracy, each seed")
    return figure


def bbbp(record: Record) -> Figure:
    """Seconds, memory and ROC AUC of a whole command."""
    figure = new_figure(WIDE, 2.2)
    first, second, third = figure.subplots(1, 3)
    bars(first, record["seconds"], "Seconds", digits=1)
    bars(second, record["megabytes"], "MB, all processes")
    dots(third, record["roc_auc_of_seeds"], "ROC AUC, each seed")
    for axes in (second, third):
        axes.set_yticklabels([])
    return figure


def scaling(record: Record) -> Figure:
    """Seconds and memory by molecules, width and depth."""
    figure = new_figure(WIDE, 5.0)
    grid = figure.subplots(2, 3)
    asked = {"molecules": "molecules", "width": "width", "depth": "rounds of messages"}
    for column, (about, label) in enumerate(asked.items()):
        for row, what in enumerate(("seconds", "megabytes")):
            axes = grid[row][column]
            lines(axes, record[about], what)
            if about != "depth":
                axes.set_xscale("log")
            if what == "seconds" and about != "depth":
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:g}")
            else:
                axes.set_ylim(bottom=0)
            places = [int(value) for value in next(iter(record[about].values()))]
            axes.set_xticks(places, [short(value) for value in places])
            axes.minorticks_off()
            axes.set_xlabel(label)
    grid[0][0].set_title("Seconds an epoch")
    grid[1][0].set_title("MB at most")
    grid[0][0].legend()
    return figure


def lines(axes: Axes, values: Record, what: str) -> None:
    """A line for each network."""
    for k, (network, found) in enumerate(values.items()):
        axes.plot(
            [int(value) for value in found],
            [one[what]["median"] for one in found.values()],
            color=class_colour(k),
            marker=class_mark(k),
            markersize=4,
            label=network,
        )


def short(value: int) -> str:
    """3000 as 3k."""
    return f"{value // 1000}k" if value >= 1000 else str(value)


PICTURES: dict[str, Callable[[Record], Figure]] = {
    "train_bbbp": bbbp,
    "train_mutag": mutag,
    "train_scaling": scaling,
}


def draw(name: str, record: Record, folder: Path = IMAGES) -> Path:
    """Draw the picture of a benchmark from its record."""
    with house_style():
        figure = PICTURES[name](record)
    path = folder / f"{name.replace('_', '-')}.svg"
    path.write_text(svg_text(figure, name.replace("_", "-")).rstrip() + "\n", encoding="utf-8")
    print(path)
    return path


if __name__ == "__main__":
    for benchmark in PICTURES:
        told = (HERE / f"{benchmark}.json").read_text(encoding="utf-8")
        draw(benchmark, json.loads(told))
