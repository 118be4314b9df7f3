"""What training makes small: the cross-entropy of every label there is.

Symbols: B graphs of a batch, T tasks, K classes of a task. A label of -1 is missing and
counts for nothing.

References
----------
Focal loss: Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 4.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

MISSING = -1


def class_weights(targets: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Weight of each class of each task, (T, K), so that classes count the same in sum.

    n / (K · n_k) of the n labels given, (R, T), with K the classes that have one; 0 for a class
    that has none. Weights of rows are not asked.
    """
    counts = np.stack([(targets == k).sum(axis=0) for k in range(n_classes)], axis=1)
    given = counts.sum(axis=1, keepdims=True)
    present = np.maximum((counts > 0).sum(axis=1, keepdims=True), 1)
    return np.where(counts > 0, given / (present * np.maximum(counts, 1)), 0.0)


def with_mean_one(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of rows so that they count against each other, and the loss keeps its unit."""
    mean = float(weights.mean()) if len(weights) else 0.0
    return weights / mean if mean > 0 else weights


def label_losses(
    logits: Tensor,
    targets: Tensor,
    *,
    weights: Tensor | None = None,
    gamma: float | None = None,
) -> Tensor:
    """Loss of every label in nats, (B, T); 0 where the label is missing.

    Parameters
    ----------
    logits
        Unnormalised log-probabilities, (B, T, K).
    targets
        int64 (B, T).
    weights
        Of the classes, (T, K).
    gamma
        Of the focal loss; None for plain cross-entropy.
    """
    if weights is None and gamma is None:
        flat = logits.reshape(-1, logits.shape[-1])
        losses = cross_entropy(flat, targets.reshape(-1), reduction="none", ignore_index=MISSING)
        return losses.view(targets.shape)
    there = targets != MISSING
    safe = targets.clamp(min=0)[..., None]
    log_probability = logits.log_softmax(-1).gather(-1, safe)[..., 0]
    losses = -log_probability
    if gamma is not None:
        # Not nought: there a power below one has no slope that is a number.
        losses = losses * (-torch.expm1(log_probability)).clamp(min=1e-6) ** gamma
    if weights is not None:
        losses = losses * weights.expand(logits.shape).gather(-1, safe)[..., 0]
    return torch.where(there, losses, torch.zeros_like(losses))
