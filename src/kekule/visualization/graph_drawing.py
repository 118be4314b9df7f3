"""Drawings of graphs that are not molecules.

Nodes are placed so that distances on paper follow distances in the graph (stress
majorisation, the idea of Kamada and Kawai): rings look like rings and chains like
chains. Meant for a few dozen pictures of up to 150 nodes; larger ones are said, not drawn.

Symbols: V nodes, E directed edges.

References
----------
Gansner, Koren, North 2004, Graph drawing by stress majorization.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from kekule.visualization.palette import node_colour
from kekule.visualization.run_view import RunView

MOST_NODES = 150
SWEEPS = 60


def graph_layout(edge_index: NDArray[Any], n_nodes: int) -> NDArray[np.float64]:
    """Places of nodes in the unit square, float64 (V, 2); the same graph, the same places."""
    if n_nodes < 2:
        return np.full((n_nodes, 2), 0.5)
    wanted = _graph_distances(edge_index, n_nodes)
    weight = 1.0 / np.maximum(wanted, 1) ** 2
    np.fill_diagonal(weight, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    solve = np.linalg.pinv(laplacian)
    places = _first_places(wanted)
    for _ in range(SWEEPS):
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(apart, 1.0)
        pull = -weight * wanted / np.maximum(apart, 1e-9)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        places = solve @ (pull @ places)
    return _into_unit_square(places)


def draw_graph(
    edge_index: NDArray[Any], codes: NDArray[Any], names: tuple[str, ...], *, size: tuple[int, int]
) -> str:
    """Return an ``<svg>`` element of the graph, nodes coloured by their label.

    The legend is left to the page: labels are the same in all drawings of a set.
    """
    width, height = size
    span = min(width, height) - 24
    places = (
        graph_layout(edge_index, len(codes)) * span + np.array([width - span, height - span]) / 2
    )
    radius = float(np.clip(span / (3.4 * np.sqrt(max(len(codes), 1))), 2.0, 6.0))
    one_way = edge_index[:, edge_index[0] < edge_index[1]]
    path = "".join(
        f"M{places[u, 0]:.1f} {places[u, 1]:.1f}L{places[v, 0]:.1f} {places[v, 1]:.1f}"
        for u, v in one_way.T
    )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{node_colour(int(c))}">'
        f"<title>{escape(_name(names, int(c)))}</title></circle>"
        for (x, y), c in zip(places, codes, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Graph drawing" '
        f'width="{width}px" height="{height}px" viewBox="0 0 {width} {height}">'
        f'<path d="{path}" stroke="#56616C" stroke-width="1.2" fill="none"/>'
        f'<g stroke="#FFFFFF" stroke-width="1">{dots}</g></svg>'
    )


def _name(names: tuple[str, ...], code: int) -> str:
    return names[code] if 0 <= code < len(names) else str(code)


def _graph_distances(edge_index: NDArray[Any], n_nodes: int) -> NDArray[np.float64]:
    """Shortest paths; parts that do not meet are kept a little apart."""
    ones = np.ones(edge_index.shape[1])
    graph = coo_array((ones, (edge_index[0], edge_index[1])), shape=(n_nodes, n_nodes)).tocsr()
    steps: NDArray[np.float64] = shortest_path(graph, directed=False, unweighted=True)
    near = steps[np.isfinite(steps)]
    steps[~np.isfinite(steps)] = min(float(near.max()) + 1.0, 6.0)
    return steps


def _first_places(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Classical scaling of the distances, nudged so that no two nodes coincide."""
    n = len(wanted)
    centre = np.eye(n) - 1.0 / n
    values, vectors = np.linalg.eigh(-0.5 * centre @ wanted**2 @ centre)
    nudge = np.random.default_rng(0).normal(0, 0.05, (n, 2))
    axes: NDArray[np.float64] = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    return axes + nudge


def _into_unit_square(places: NDArray[np.float64]) -> NDArray[np.float64]:
    span = np.ptp(places, axis=0).max() or 1.0
    middle = (places.max(axis=0) + places.min(axis=0)) / 2
    scaled: NDArray[np.float64] = (places - middle) / span + 0.5
    return scaled


def graph_legend(view: RunView, positions: Iterable[int]) -> list[tuple[str, str]]:
    """Label and colour of the nodes of graphs drawn at `positions`; empty if all are molecules."""
    drawn = [i for i in positions if view.molecules[i] is None and view.n_nodes[i] <= MOST_NODES]
    if view.graphs is None or not drawn:
        return []
    used: set[int] = set()
    for i in drawn:
        _, codes, names = view.graphs(i)
        used.update(int(code) for code in codes)
    return [(_name(names, code), node_colour(code)) for code in sorted(used)]
