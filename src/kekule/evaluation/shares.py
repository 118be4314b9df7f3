"""Shares of rows with their intervals: how often, and how sure one can be of it.

Rows count as independent draws; those of one series of molecules are not, and their interval
is too narrow. Must not know models.

References
----------
Wilson 1927, Journal of the American Statistical Association 22:209-212.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Z95: Final = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution


class Share(NamedTuple):
    """How many of n rows have a property, with the 95 % Wilson interval of the share.

    Attributes
    ----------
    hits, n
        Counts of rows.
    value, low, high
        0 to 1; None where n is 0.
    """

    hits: int
    n: int
    value: float | None
    low: float | None
    high: float | None


def share(hits: int, n: int) -> Share:
    """Count as a share with its interval, which at 0 and at n is not a point."""
    if n == 0:
        return Share(hits, n, None, None, None)
    low, high = wilson_interval(np.array([float(hits)]), np.array([n]))
    return Share(hits, n, hits / n, float(low[0]), float(high[0]))


def wilson_interval(
    hits: NDArray[np.float64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of a share, wide where it is of few rows, and never empty at 0 or 1."""
    part, z2 = hits / counts, Z95**2 / counts
    centre = (part + z2 / 2) / (1 + z2)
    reach = np.sqrt(z2 * part * (1 - part) + z2**2 / 4) / (1 + z2)
    return np.clip(centre - reach, 0, part), np.clip(centre + reach, part, 1)
