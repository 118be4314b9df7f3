"""Errors by how near a row is to the training rows, and the pairs a model cannot tell apart."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kekule.visualization.canvas import WIDE, new_figure, only_grid, say, styled
from kekule.visualization.drawings import draw_panel, sheet_panels
from kekule.visualization.nearness_view import CliffRow, CliffsView, ErrorBin, SimilarityView
from kekule.visualization.palette import FAINT, INK, MODEL, number, plain
from kekule.visualization.portion import Interval
from kekule.visualization.run_view import RunView

BARS = np.arange(0, 1.0001, 0.05)  # limits of the bars of the histogram
LIKENESS = "Similarity to the nearest training row"
Measured = Callable[[ErrorBin], Interval]


@styled
def similarity_figure(view: RunView) -> Figure:
    """How many rows are how near, and the error rate and the Brier score there."""
    found = view.similarity
    figure = new_figure(WIDE, 2.7)
    if found is None or not len(found.similarity):
        say(figure.subplots(), "No row was tested.")
        return figure
    panels = figure.subplots(1, 3 if found.bins else 1, sharex=True, squeeze=False)[0]
    _draw_histogram(panels[0], found)
    if found.bins:
        overall = sum(b.errors.hits for b in found.bins) / sum(b.errors.n for b in found.bins)
        _draw_bins(panels[1], found, _errors, overall, "Error rate")
        mean = sum(b.brier.value * b.errors.n for b in found.bins)
        mean /= sum(b.errors.n for b in found.bins)
        _draw_bins(panels[2], found, lambda each: each.brier, mean, "Brier score")
        panels[1].yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panels[len(panels) // 2].set_xlabel(LIKENESS)
    return figure


def _errors(each: ErrorBin) -> Interval:
    return Interval(each.errors.value, each.errors.low, each.errors.high)


def _draw_histogram(axes: Axes, found: SimilarityView) -> None:
    counts, _ = np.histogram(found.similarity, BARS)
    axes.stairs(counts, BARS, fill=True, color=MODEL, alpha=0.85, gid="rows")
    axes.set(xlim=(0, 1), title="Test rows")
    only_grid(axes, "y")


def _draw_bins(
    axes: Axes, found: SimilarityView, measured: Measured, overall: float, title: str
) -> None:
    """One dot a bin with its interval, as large as it holds rows; the dotted line is all rows."""
    axes.axhline(overall, color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)), gid="overall")
    most = max(each.errors.n for each in found.bins)
    for each in found.bins:
        middle, value = (each.low + each.high) / 2, measured(each)
        axes.vlines(middle, value.low, value.high, color=MODEL, linewidth=1.3, alpha=0.6)
        size = 14 + 46 * each.errors.n / most
        axes.scatter(middle, value.value, s=size, color=MODEL, zorder=3, linewidth=0, gid="bin")
    axes.set_title(title)
    axes.set_ylim(bottom=0)
    only_grid(axes, "y")


@styled
def cliffs_figure(view: RunView) -> Figure:
    """Pairs of nearly the same rows of different classes, two beside each other."""
    found = view.cliffs
    rows = [] if found is None else [row for p in found.pairs for row in (p.first, p.second)]
    figure, panels = sheet_panels(len(rows), "No cliff among the rows.")
    for axes, row in zip(panels, rows, strict=False):
        axes.set_title(_title(row, found), fontsize=8, weight="normal", color=INK)
        draw_panel(axes, row.molecule, row.graph, row.n_nodes)
    return figure


def _title(row: CliffRow, found: CliffsView | None) -> str:
    alike = next(
        (p.similarity for p in (found.pairs if found else ()) if row in (p.first, p.second)), 0.0
    )
    told = f"row {row.row} · {plain(row.truth, 14)} · similarity {number(alike, 2)}"
    if not row.predicted:
        return f"{told}\nnot tested"
    return f"{told}\nprobability of the truth {number(row.chance, 2)}"
