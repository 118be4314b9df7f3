"""Where a rising function crosses zero, by halving: no slope, no start, no failure to converge."""

from collections.abc import Callable

HALVINGS = 60  # of an interval of length 100: down to rounding


def rising_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Zero of a function that rises, or the end of the interval nearest to it."""
    if function(low) >= 0:
        return low
    if function(high) <= 0:
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return (low + high) / 2
