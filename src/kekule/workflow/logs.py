"""Logging of one run: everything to its ``log.txt``, and to the terminal when asked."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _FileHandler(logging.FileHandler):
    """One that a full disk does not make speak: the run itself says so, in one line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 # logging's name
        """Leave the line out."""


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Append what the package logs, level INFO and above, to `path` while inside."""
    logger = logging.getLogger("kekule")
    handler = _FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter(FORMAT))
    before = logger.level
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    try:
        yield
    except BaseException as error:
        logger.error("stopped by %s: %s", type(error).__name__, error)
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()
