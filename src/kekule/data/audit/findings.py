"""The form every finding has, and the words findings share."""

from collections.abc import Iterable, Sequence
from typing import Any

GREEN, AMBER, RED = "green", "amber", "red"
MOST_ROWS = 50  # row numbers, or lines of a table, that one finding lists
Finding = dict[str, Any]


def finding(
    name: str,
    verdict: str,
    value: object,
    advice: str,
    *,
    rows: Iterable[int] | None = None,
    table: Sequence[dict[str, Any]] | None = None,
    figure: dict[str, Any] | None = None,
) -> Finding:
    """Put one finding into the form all of them have.

    Parameters
    ----------
    name, verdict, value, advice
        What was looked at, its colour, what was found, and what to do about it and why.
        `value` is a number or a text that can be read as it stands, with the full count.
    rows
        Numbers of the rows concerned; the first `MOST_ROWS` are kept.
    table
        What to show of them, one dict a line; as many are kept.
    figure
        Numbers for a picture, with its ``kind``.
    """
    found: Finding = {"name": name, "verdict": verdict, "value": value, "advice": advice}
    if rows is not None and (listed := sorted({int(row) for row in rows})):
        found["rows"] = listed[:MOST_ROWS]
    if table:
        found["table"] = list(table[:MOST_ROWS])
    if figure:
        found["figure"] = figure
    return found


def worst(findings: Iterable[Finding]) -> str:
    """The colour of the worst finding."""
    colours = {each["verdict"] for each in findings}
    return next((colour for colour in (RED, AMBER) if colour in colours), GREEN)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: ``1 row``, ``2 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Write a share so that a few of many do not read as none: ``0.3 %``."""
    if not whole:
        return "0 %"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 or not part else f"{percent:.2g} %"
