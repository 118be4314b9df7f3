"""Pictures of an audit: the shortcut probes beside each other, and a finding's own numbers."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from kekule.visualization.canvas import HALF, WIDE, house_style, new_figure, only_grid, svg_text
from kekule.visualization.palette import FAINT, INK, MODEL, MUTED, plain

TONES = {"red": "#A3231F", "amber": "#B87900", "green": "#1D6B3F"}
MOST_POINTS = 30  # of one picture
PROBE = "shortcut: "


def worst_first(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return findings in the order in which they want attention; of one colour as they came."""
    order = {tone: place for place, tone in enumerate(TONES)}
    return sorted(findings, key=lambda each: order.get(each.get("verdict", ""), len(order)))


def probes_picture(findings: list[dict[str, Any]]) -> str:
    """Draw the AUROC of every shortcut probe with its interval; empty where none was run."""
    points = [
        (finding["name"].removeprefix(PROBE), finding.get("verdict", ""), point)
        for finding in findings
        if finding.get("name", "").startswith(PROBE)
        for point in (finding.get("figure") or {}).get("points", [])
    ]
    if not points:
        return ""
    several = len({point["name"] for _, _, point in points}) > 1
    worst = sorted(points, key=lambda each: -each[2]["value"])[:MOST_POINTS]
    with house_style():
        figure = new_figure(WIDE, 0.9 + 0.32 * len(worst))
        axes = figure.subplots()
        axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1)
        for line, (_, verdict, point) in enumerate(worst):
            colour = TONES.get(verdict, MUTED)
            axes.plot([point["low"], point["high"]], [line, line], color=colour, linewidth=2.2)
            axes.plot(point["value"], line, "o", color=colour, markersize=7)
            axes.annotate(
                f"{point['value']:.2f}", (point["high"], line), (7, 0),
                textcoords="offset points", va="center", color=INK,
            )  # fmt: skip
        names = [f"{probe}, {point['name']}" if several else probe for probe, _, point in worst]
        _lines(axes, [plain(name, 34) for name in names])
        axes.set_xlim(min(0.4, *(point["low"] for *_, point in worst)), 1.06)
        axes.set_xlabel("AUROC of a model that sees no chemistry; 0.5 is chance")
    return svg_text(figure, "probes")


def drawn(numbers: dict[str, Any] | None, name: str) -> str:
    """Draw a finding's own numbers as an ``<svg>``; empty where there is no picture of them."""
    draw = _KINDS.get((numbers or {}).get("kind", ""))
    if numbers is None or draw is None:
        return ""
    with house_style():
        figure = draw(numbers)
    return svg_text(figure, name)


def _histogram(numbers: dict[str, Any]) -> Figure:
    figure = new_figure(HALF, 1.9)
    axes = figure.subplots()
    axes.stairs(numbers["counts"], numbers["edges"], fill=True, color=MODEL, alpha=0.85)
    axes.set_xlabel(plain(str(numbers["unit"]), 60))
    axes.set_ylabel("Rows")
    only_grid(axes, "y")
    return figure


def _bars(numbers: dict[str, Any]) -> Figure:
    points = numbers["points"][:MOST_POINTS]
    figure = new_figure(HALF, 0.8 + 0.26 * len(points))
    axes = figure.subplots()
    axes.barh(range(len(points)), [point["value"] for point in points], color=MODEL, height=0.66)
    _lines(axes, [plain(_named(point), 30) for point in points])
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel(plain(str(numbers["unit"]), 60))
    return figure


def _named(point: dict[str, Any]) -> str:
    return ", ".join(str(point[key]) for key in ("name", "task", "class") if key in point)


def _lines(axes: Any, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.spines["left"].set_visible(False)
    only_grid(axes, "x")


_KINDS: dict[str, Callable[[dict[str, Any]], Figure]] = {"histogram": _histogram, "bars": _bars}
