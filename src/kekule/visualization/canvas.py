"""Where figures are made and turned into SVG and PNG, leaving no trace in matplotlib.

Every setting lives inside a context, on top of matplotlib's defaults: a user's own
matplotlibrc changes nothing here, and nothing here changes a user's plots. Names are
drawn as given: a dollar sign in a class name is no formula.

Symbols: W width and H height in inches. Knows matplotlib; must not know the view's fields.
"""

import functools
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from kekule.visualization.palette import FAINT, INK, MODEL, MUTED, PAPER, RULE, ink_on
from kekule.visualization.run_view import RunView

WIDE = 9.0  # inches; 864 CSS pixels, the text column of the page
HALF = 4.3  # two stand side by side
SANS = ["Inter", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"]

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": FAINT,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "figure.facecolor": PAPER,
    "font.family": "sans-serif",
    "font.sans-serif": SANS,
    "font.size": 9,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.color": FAINT,
    "ytick.labelcolor": MUTED,
    "ytick.labelsize": 8.5,
}

SHADES = LinearSegmentedColormap.from_list("shares", [PAPER, "#BFD6E0", MODEL])

FigureMaker = Callable[[RunView], Figure]


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style; a glyph missing from the local font is no reason to warn."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.style.use(["default", STYLE])
        yield


def styled(make: FigureMaker) -> FigureMaker:
    """Make a figure function draw in the house style wherever it is called from."""

    @functools.wraps(make)
    def in_style(view: RunView) -> Figure:
        with house_style():
            return make(view)

    return in_style


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure without pyplot, so none is kept alive."""
    layout = ConstrainedLayoutEngine(wspace=0.05, w_pad=0.02, h_pad=0.03)
    return Figure(figsize=(width, height), layout=layout)


def only_grid(axes: Axes, which: Literal["x", "y"]) -> None:
    """Keep the grid across one axis (``x`` or ``y``): the one values are read along."""
    axes.grid(visible=False)
    axes.grid(visible=True, axis=which)
    axes.tick_params(length=0)


def no_frame(axes: Axes) -> None:
    """Take grid, spines and ticks away: a table of cells is its own frame."""
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def ink_on_shade(share: float) -> str:
    """Text colour that reads on the shade of `share`, from 0 to 1."""
    return ink_on(to_hex(SHADES(share)))


def say(axes: Axes, words: str) -> None:
    """Put a sentence where there is nothing to draw."""
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, words, ha="center", va="center", color=MUTED, wrap=True, transform=axes.transAxes
    )


def svg_text(figure: Figure, name: str) -> str:
    """Return the figure as an ``<svg>`` element that can stand inline in a page.

    Text stays text: it can be searched and read aloud. Of the ids only those in use stay,
    and carry `name`, so that two figures on a page do not share one. The same figure gives
    the same text at any hour.
    """
    stream = io.StringIO()
    with house_style(), matplotlib.rc_context({"svg.hashsalt": name}):
        _lay_out(figure)
        figure.savefig(
            stream,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text)) | {"figure_1"}
    text = re.sub(r' id="([^"]*)"', lambda m: m.group() if m[1] in used else "", text)
    text = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    return text.replace(
        '<style type="text/css">*{', f'<style type="text/css">#{name}-figure_1 *{{'
    )


def _lay_out(figure: Figure) -> None:
    """Place the parts of a figure now: saving would do it twice, and draw twice for it."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.execute(figure)
        figure.set_layout_engine(None)


def png_bytes(figure: Figure, dpi: int = 150) -> bytes:
    """Return the figure as a PNG file."""
    stream = io.BytesIO()
    with house_style():
        figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()
