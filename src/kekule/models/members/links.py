"""From margins to probabilities, without an overflow at either end."""

import numpy as np
from numpy.typing import NDArray


def n_margins(n_classes: int) -> int:
    """Margins that tell so many classes apart: one of two classes, else one each."""
    return 1 if n_classes == 2 else n_classes


def sigmoid(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), of any shape, exact in the tails."""
    found: NDArray[np.float64] = np.exp(-np.logaddexp(0.0, -margins))
    return found


def softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of exp(x), (n, K), summing to one in each row."""
    powers = np.exp(margins - margins.max(axis=1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def from_margins(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of classes, from one margin of two classes or from one margin each.

    Parameters
    ----------
    margins
        (n, 1), log-odds of the second of two classes; or (n, k), k > 1, unnormalised
        log-probabilities.

    Returns
    -------
    NDArray
        (n, 2) or (n, k).
    """
    if margins.shape[1] > 1:
        return softmax(margins)
    second = sigmoid(margins[:, 0])
    return np.stack([1 - second, second], axis=1)
