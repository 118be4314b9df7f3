"""What became of one input row: read, read with a reservation, or not readable.

Every result of kekule has one row per input row; this is the pair that says how far to
trust it. Imports nothing, so that every part may use it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

OK: Final = "ok"
WARNING: Final = "warning"
INVALID: Final = "invalid"


class RowStatus(NamedTuple):
    """One of `OK`, `WARNING`, `INVALID`, and a sentence a chemist can act on.

    ``reason`` is empty when ``status`` is ``ok``, and never otherwise.
    """

    status: str
    reason: str


def kept_apart(names: Sequence[str], reserved: set[str]) -> list[str]:
    """Names of an input's columns, each kept apart from every other and from `reserved`."""
    taken = reserved | set(names)
    renamed = []
    for name in names:
        new = name
        while new in (reserved if new == name else taken):
            new = f"input_{new}"
        taken.add(new)
        renamed.append(new)
    return renamed
