"""What became of one input row: read, read with a reservation, or not readable.

Every result of kekule has one row per input row; this is the pair that says how far to
trust it. Imports nothing, so that every part may use it.
"""

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
