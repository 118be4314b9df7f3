import importlib.metadata
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "Kekulé"
author = "The Kekulé developers"
copyright = f"2026, {author}"
version = release = importlib.metadata.version("kekule")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "kekule_reference",
    "mathtext_svg",
]
exclude_patterns = ["_build"]

smartquotes = False
default_role = "py:obj"  # a name in single backticks is linked where it is documented
python_use_unqualified_type_names = True
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["ref.python"]  # a name that is re-exported is documented once

html_theme = "furo"
html_title = f"Kekulé {version}"
html_static_path = ["_static"]
html_css_files = ["kekule.css"]
html_math_renderer = "mathtext_svg"
html_show_sourcelink = False
html_copy_source = False
