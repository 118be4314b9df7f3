"""Asking a trained network: probabilities and embeddings of packed graphs."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from kekule.features import PackedGraphs
from kekule.models.batch import GraphBatch, make_batch
from kekule.models.network import Network

BATCH_SIZE = 512


def probabilities(network: Network, graphs: PackedGraphs) -> NDArray[np.float64]:
    """Class probabilities of every graph, float64 (G, K), rows summing to one."""
    network.eval()
    with torch.no_grad():
        parts = [network(b).double().softmax(1).numpy() for b in _batches(graphs)]
    return np.concatenate(parts)


def embeddings(network: Network, graphs: PackedGraphs) -> NDArray[np.float32]:
    """Vector of every graph before the head, float32 (G, H)."""
    network.eval()
    with torch.no_grad():
        parts = [network.embed(b).numpy() for b in _batches(graphs)]
    return np.concatenate(parts)


def _batches(graphs: PackedGraphs) -> Iterator[GraphBatch]:
    for start in range(0, max(len(graphs), 1), BATCH_SIZE):  # no graphs: one batch of none
        yield make_batch(graphs, np.arange(start, min(start + BATCH_SIZE, len(graphs))))
