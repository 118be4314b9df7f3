"""The drawing of a row, whatever it is: a molecule, a graph, or a reason for neither.

Chooses which rows stand for a class and which were got most wrong, and draws them for
the page (vectors) and for figure files (one picture a panel).

Symbols: a position counts rows of the view, not of the source.
"""

import io
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray
from rdkit import Chem

from kekule.visualization.canvas import WIDE, new_figure, say, styled
from kekule.visualization.graph_drawing import MOST_NODES, draw_graph, graph_layout
from kekule.visualization.molecules import draw_molecule, molecule_png
from kekule.visualization.palette import INK, MUTED, node_colour, number, plain
from kekule.visualization.run_view import RunView, predicted_class, truth_probability, wrong_rows

Graph: TypeAlias = tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]  # edges, codes, names

CARD = (240, 170)  # pixels of one drawing on the page
COLUMNS = 4
MOST_MISTAKES = 12


def example_rows(view: RunView) -> list[tuple[int, list[int]]]:
    """Return each class with positions that show its range of sizes, smallest first.

    Quantiles of size, not a random draw: the pictures are the same every time and do not
    hide that a class holds large graphs. Fewer a class when there are many classes.
    """
    n_classes = len(view.classes)
    each = 4 if n_classes <= 3 else 2 if n_classes <= 8 else 1
    chosen = []
    for index in range(n_classes):
        here = np.flatnonzero(view.truth == index)
        here = here[np.argsort(view.n_nodes[here], kind="stable")]
        places = ((np.arange(each) + 0.5) / each * len(here)).astype(int)
        chosen.append((index, list(dict.fromkeys(int(here[p]) for p in places if len(here)))))
    return chosen


def draw_row(view: RunView, position: int) -> str:
    """Return an ``<svg>`` of the row, or an empty string where `no_drawing` says why."""
    return draw_either(*_parts(view, position))


def no_drawing(view: RunView, position: int) -> str:
    """Why a row is not drawn; empty if it can be."""
    return no_picture(*_parts(view, position))


def draw_either(mol: Chem.Mol | None, graph: Graph | None, n_nodes: int) -> str:
    """Return an ``<svg>`` of a molecule, else of a graph; empty where `no_picture` says why."""
    if no_picture(mol, graph, n_nodes):
        return ""
    if mol is not None:
        return draw_molecule(mol, size=CARD)
    return "" if graph is None else draw_graph(*graph, size=CARD)


def no_picture(mol: Chem.Mol | None, graph: Graph | None, n_nodes: int) -> str:
    """Why neither can be drawn; empty if one can."""
    if n_nodes > MOST_NODES:
        return f"{n_nodes} nodes, too many to draw"
    return "not a valid molecule" if mol is None and graph is None else ""


def _parts(view: RunView, position: int) -> tuple[Chem.Mol | None, Graph | None, int]:
    """Molecule, or the graph where there is none and it is not too large to be drawn."""
    mol, n_nodes = view.molecules[position], int(view.n_nodes[position])
    wanted = mol is None and view.graphs is not None and n_nodes <= MOST_NODES
    return mol, view.graphs(position) if wanted and view.graphs is not None else None, n_nodes


@styled
def examples_figure(view: RunView) -> Figure:
    """Rows of every class, from small to large."""
    chosen = [
        (p, f"{plain(view.classes[k], 16)} · row {view.rows[p]}")
        for k, ps in example_rows(view)
        for p in ps
    ]
    return _sheet(view, chosen, "No rows.")


@styled
def mistakes_figure(view: RunView) -> Figure:
    """Rows whose own class was given the least probability."""
    predicted, chance = predicted_class(view), truth_probability(view)
    chosen = [
        (
            int(p),
            f"row {view.rows[p]} · {plain(view.classes[view.truth[p]], 12)}"
            f" taken for {plain(view.classes[predicted[p]], 12)}\n"
            f"probability of the truth {number(chance[p], 2)}",
        )
        for p in wrong_rows(view)[:MOST_MISTAKES]
    ]
    return _sheet(view, chosen, "No row was predicted wrongly.")


def _sheet(view: RunView, chosen: list[tuple[int, str]], nothing: str) -> Figure:
    figure, panels = sheet_panels(len(chosen), nothing)
    for axes, (position, title) in zip(panels, chosen, strict=False):
        axes.set_title(title, fontsize=8, weight="normal", color=INK)
        draw_panel(axes, *_parts(view, position))
    return figure


def sheet_panels(n_drawings: int, nothing: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with a bare panel for each drawing; `nothing` stands where there is none."""
    lines = max(1, -(-n_drawings // COLUMNS))
    figure = new_figure(WIDE, 2.0 * lines if n_drawings else 1.0)
    panels = figure.subplots(lines, COLUMNS, squeeze=False).ravel().tolist()
    for axes in panels:
        axes.set_axis_off()
    if not n_drawings:
        figure.text(0.02, 0.5, nothing, color=MUTED)
    return figure, panels


def draw_panel(axes: Axes, mol: Chem.Mol | None, graph: Graph | None, n_nodes: int) -> None:
    """Draw a molecule into a panel, else a graph, else why there is neither."""
    if reason := no_picture(mol, graph, n_nodes):
        say(axes, reason)
    elif mol is not None:
        picture = imread(io.BytesIO(molecule_png(mol, size=(CARD[0] * 2, CARD[1] * 2))))
        image = OffsetImage(picture, zoom=0.32)
        axes.add_artist(AnnotationBbox(image, (0.5, 0.5), frameon=False, xycoords="axes fraction"))
    elif graph is not None:
        edge_index, codes, _ = graph
        places = graph_layout(edge_index, len(codes))
        ends = places[edge_index[:, edge_index[0] < edge_index[1]]]  # (2, E / 2, 2)
        axes.plot(*np.moveaxis(ends, 2, 0), color=MUTED, linewidth=0.8)
        axes.scatter(
            places[:, 0],
            places[:, 1],
            c=[node_colour(int(c)) for c in codes],
            s=16,
            zorder=2,
            linewidth=0,
        )
        axes.set_aspect("equal", adjustable="datalim")
