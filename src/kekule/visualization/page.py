"""What every page that needs nothing but itself is made with, and how it gets to its place.

Templates escape whatever they are given and stumble over what is missing; a page is written
whole or not at all. Knows neither figures nor what a page tells of.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from kekule._errors import OutputError
from kekule.visualization.palette import metric_name, number


def page_environment(**filters: Callable[..., Any]) -> jinja2.Environment:
    """Return an environment that escapes every value and stumbles over a missing one.

    Parameters
    ----------
    **filters
        Of one page, beside ``metric`` and ``number``, which write as the figures do.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kekule.visualization"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(metric=metric_name, number=number, **filters)
    return environment


def write_text(path: Path, text: str) -> Path:
    """Write a page to `path`, whole or not at all, and return `path`.

    Half of a character, such as a file name outside Unicode leaves, becomes a question mark.

    Raises
    ------
    OutputError
        If it cannot be written there.
    """
    write_whole(path, text.encode("utf-8", "replace"))
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
        why = f"cannot be written ({error.strerror})"
        raise OutputError(path, why, "Give a folder that can be written to.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
