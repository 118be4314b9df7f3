"""Formulas as pictures inside the page, set by matplotlib.

The pages need neither LaTeX to be built nor a script from elsewhere to be read.
"""

import io
import re
from typing import Any

from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

SIZES = {"inline": 12, "block": 15}  # points, which are pixels at 72 to the inch
_SIZES = re.compile(r"\\([bB]igg?[lr]?|textstyle)(?![A-Za-z])")  # mathtext has none


def formula_svg(latex: str, size: float) -> str:
    """Return ``<svg>`` of a formula in the colour of the text around it."""
    file = io.StringIO()
    text = f"${_SIZES.sub('', ' '.join(latex.split()))}$"
    font = FontProperties(size=size)
    math_to_image(text, file, prop=font, format="svg", dpi=72, color="#123456")
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace("#123456", "currentColor")
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)


def _visit(kind: str) -> Any:
    def visit(translator: HTML5Translator, node: nodes.Element) -> None:
        text = node.astext()
        for line in re.split(r"\\\\", text):  # mathtext sets one line at a time
            latex = line.replace("&", "")
            translator.body.append(
                f'<span class="formula {kind}" role="img" aria-label="{translator.attval(latex)}">'
                f"{formula_svg(latex, SIZES[kind])}</span>"
            )
        raise nodes.SkipNode

    return visit


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the renderer to ``html_math_renderer``."""
    app.add_html_math_renderer(
        "mathtext_svg",
        inline_renderers=(_visit("inline"), None),
        block_renderers=(_visit("block"), None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
