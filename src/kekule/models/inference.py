"""Asking a trained network: probabilities and embeddings of packed graphs."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kekule.features import PackedGraphs
from kekule.models.batch import Batch
from kekule.models.network import Network

BATCH_SIZE = 512


def probabilities(network: Network, graphs: PackedGraphs) -> NDArray[np.float64]:
    """Class probabilities of every graph, summing to one over the classes.

    Returns
    -------
    NDArray
        float64 (G, K), or (G, T, K) where the network has T > 1 tasks.
    """
    network.eval()
    with torch.no_grad():
        parts = [
            by_task(network(b).double(), network.n_tasks).softmax(-1)
            for b in _batches(network, graphs)
        ]
    found = torch.cat(parts).numpy()
    return found[:, 0] if network.n_tasks == 1 else found


def by_task(logits: Tensor, n_tasks: int) -> Tensor:
    """Outputs (B, T · K) as (B, T, K)."""
    return logits.view(len(logits), n_tasks, logits.shape[1] // n_tasks)


def embeddings(network: Network, graphs: PackedGraphs) -> NDArray[np.float32]:
    """Vector of every graph before the head, float32 (G, H)."""
    network.eval()
    with torch.no_grad():
        parts = [network.embed(b).numpy() for b in _batches(network, graphs)]
    return np.concatenate(parts)


def _batches(network: Network, graphs: PackedGraphs) -> Iterator[Batch]:
    """Batches of a chunk laid out at once, so that what its molecules share is shared."""
    for start in range(0, max(len(graphs), 1), BATCH_SIZE):  # no graphs: one batch of none
        rows = np.arange(start, min(start + BATCH_SIZE, len(graphs)))
        part = graphs.take(rows)
        yield network.layout(part, batch_size=BATCH_SIZE).batch(np.arange(len(part)))
