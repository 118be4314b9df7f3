"""The report: one page that needs nothing but itself.

Knows the view and the figures; must not know training or storage.
"""

import os
import tempfile
from pathlib import Path

import jinja2

from kekule._errors import OutputError
from kekule.visualization.run_view import RunView


def write_report(view: RunView, path: Path, *, figures: Path | None = None) -> Path:
    """Write the page to `path`, whole or not at all, and return `path`."""
    page = _environment().get_template("report.html.j2").render(view=view)
    write_whole(path, page.encode())
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` by renaming a finished neighbour, so no half file is seen.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error.strerror})", "Give another folder.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("kekule.visualization"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
