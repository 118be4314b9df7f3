"""What the run was given: how many rows of each class, how large, made of what.

Symbols: C classes, L node labels (elements, in a set of molecules).
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kekule.visualization.canvas import (
    HALF,
    SHADES,
    WIDE,
    ink_on_shade,
    new_figure,
    no_frame,
    only_grid,
    say,
    styled,
)
from kekule.visualization.palette import (
    INK,
    MUTED,
    class_colour,
    class_mark,
    plain,
)
from kekule.visualization.run_view import RunView

MOST_LABELS = 12
FEW_CLASSES = 3  # up to here classes are overlaid; beyond, each has its own line


@styled
def classes_figure(view: RunView) -> Figure:
    """Rows of each class, with their share."""
    counts = np.bincount(view.truth, minlength=len(view.classes))
    figure = new_figure(HALF, max(1.5, 0.7 + 0.34 * len(counts)))
    axes = figure.subplots()
    colours = [class_colour(k) for k in range(len(counts))]
    axes.barh(range(len(counts)), counts, color=colours, height=0.66, gid="classes")
    for k, count in enumerate(counts):
        share = f" {count / max(counts.sum(), 1):.0%}"
        axes.annotate(
            f"{count:,} ·{share}",
            (count, k),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    _name_rows(axes, [plain(name, 16) for name in view.classes])
    axes.margins(x=0.28)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return figure


@styled
def sizes_figure(view: RunView) -> Figure:
    """Nodes and edges of the graphs of each class."""
    few = len(view.classes) <= FEW_CLASSES
    figure = new_figure(WIDE, 2.9 if few else 1.0 + 0.3 * len(view.classes))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, sizes, words in zip(
        panels, (view.n_nodes, view.n_edges), ("Nodes a graph", "Edges a graph"), strict=True
    ):
        if not len(sizes):
            say(axes, "No rows.")
            continue
        (_overlay_sizes if few else _box_sizes)(axes, view, sizes)
        axes.set_xlabel(words)
    if few:
        panels[0].set_ylabel("Share of the class")
        panels[1].legend(loc="upper right", handlelength=1.4)
    return figure


@styled
def labels_figure(view: RunView) -> Figure:
    """Share of the nodes of each class that carry each label."""
    names, shares = label_shares(view)
    few = len(view.classes) <= FEW_CLASSES
    figure = new_figure(HALF if few else WIDE * 0.8, max(1.6, 0.9 + 0.27 * len(names)))
    axes = figure.subplots()
    if not names:
        say(axes, "Nodes carry no label.")
    elif few:
        _dot_shares(axes, view, names, shares)
    else:
        _shade_shares(axes, view, names, shares)
    return figure


def label_shares(view: RunView) -> tuple[list[str], NDArray[np.float64]]:
    """Name the most frequent labels and their share of a class's nodes, (L, C); others as one."""
    if not view.label_counts:
        return [], np.empty((0, len(view.classes)))
    counts = np.array(list(view.label_counts.values()), dtype=np.float64)
    names = np.array(list(view.label_counts), dtype=object)
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    names, counts = names[order], counts[order]
    kept = [plain(str(name), 14) for name in names[:MOST_LABELS]]
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    if len(names) > MOST_LABELS:
        rest = shares[MOST_LABELS:].sum(axis=0)
        kept.append(f"{len(names) - MOST_LABELS} others")
        shares = np.vstack([shares[:MOST_LABELS], rest])
    return kept, shares


def _overlay_sizes(axes: Axes, view: RunView, sizes: NDArray[np.int64]) -> None:
    low, high = int(sizes.min()), int(sizes.max())
    width = max(
        1, -(-(high - low + 1) // 20)
    )  # whole nodes a bin, so no bin is empty by arithmetic
    edges = np.arange(low, high + width + 1, width) - 0.5
    for k, name in enumerate(view.classes):
        here = sizes[view.truth == k]
        middle = f"median {np.median(here):g}" if len(here) else "no rows"
        shares = np.histogram(here, edges)[0] / max(len(here), 1)
        axes.stairs(shares, edges, fill=True, color=class_colour(k), alpha=0.16)
        axes.stairs(
            shares, edges, color=class_colour(k), linewidth=1.6, linestyle=("-", "--", ":")[k % 3],
            label=f"{plain(name, 18)}, {middle}", gid=f"class {k}",
        )  # fmt: skip
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.locator_params(axis="x", integer=True)
    only_grid(axes, "y")


def _box_sizes(axes: Axes, view: RunView, sizes: NDArray[np.int64]) -> None:
    groups = [sizes[view.truth == k] for k in range(len(view.classes))]
    boxes = axes.boxplot(
        groups, orientation="horizontal", positions=range(len(groups)), widths=0.6,
        patch_artist=True, flierprops={"marker": ".", "markersize": 3, "markeredgecolor": MUTED},
        medianprops={"color": INK, "linewidth": 1.6},
    )  # fmt: skip
    for k, box in enumerate(boxes["boxes"]):
        box.set(facecolor=class_colour(k), alpha=0.4, edgecolor=class_colour(k))
    _name_rows(axes, [plain(name, 16) for name in view.classes])


def _dot_shares(axes: Axes, view: RunView, names: list[str], shares: NDArray[np.float64]) -> None:
    rows = np.arange(len(names))
    axes.hlines(rows, shares.min(axis=1), shares.max(axis=1), color=MUTED, linewidth=1)
    for k, name in enumerate(view.classes):
        axes.scatter(
            shares[:, k], rows, color=class_colour(k), marker=class_mark(k), s=34, zorder=3,
            label=plain(name, 18), gid=f"class {k}",
        )  # fmt: skip
    _name_rows(axes, names)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("Share of the nodes of the class")
    axes.legend(loc="lower right", handletextpad=0.2)


def _shade_shares(
    axes: Axes, view: RunView, names: list[str], shares: NDArray[np.float64]
) -> None:
    top = float(shares.max()) or 1.0
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=top, aspect="auto")
    for (i, j), share in np.ndenumerate(shares):
        colour = ink_on_shade(share / top)
        axes.text(j, i, f"{share:.0%}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(
        range(len(view.classes)),
        [plain(name, 12) for name in view.classes],
        rotation=30 if len(view.classes) > 8 else 0,
    )
    axes.set_yticks(range(len(names)), names)
    no_frame(axes)


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.spines["left"].set_visible(False)
    only_grid(axes, "x")
