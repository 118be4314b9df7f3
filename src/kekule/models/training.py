"""The training loop: one network, its training rows, and validation rows that choose the epoch.

Test rows are not an argument: what is never handed over cannot leak. The score that
chooses the epoch is a callable, so that no metric has a name here.

A few dozen validation rows make a score that jumps from epoch to epoch, and the best of
150 jumps is mostly luck. Two things calm it: the network that is validated and kept is a
moving average of the trained one's weights, and the score is a mean over the last epochs.

Symbols: R rows, K classes.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from kekule._errors import TrainingError
from kekule.features import PackedGraphs
from kekule.models.batch import GraphBatch, make_batch
from kekule.models.inference import BATCH_SIZE
from kekule.models.network import Network

SelectionScore = Callable[[NDArray[np.float64], NDArray[np.int64]], float]


class TrainSettings(BaseModel):
    """Settings of the loop."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: Annotated[
        int, Field(ge=1, le=100_000, description="Most passes over the training rows.")
    ] = 150
    patience: Annotated[
        int,
        Field(
            ge=1,
            le=100_000,
            description="Stop after this many epochs without a better validation score.",
        ),
    ] = 50
    batch_size: Annotated[int, Field(ge=2, le=100_000, description="Graphs in a batch.")] = 64
    learning_rate: Annotated[float, Field(gt=0, description="Peak step size of AdamW.")] = 2e-3
    weight_decay: Annotated[float, Field(ge=0, description="Decoupled weight decay.")] = 1e-4
    averaging: Annotated[
        float,
        Field(ge=0, lt=1, description="Decay per step of the weights' moving average; 0: none."),
    ] = 0.9
    smoothing: Annotated[
        int,
        Field(ge=1, le=1000, description="Epochs over which the validation score is averaged."),
    ] = 10
    validation: Annotated[
        float, Field(gt=0, lt=1, description="Part of the training rows that chooses the epoch.")
    ] = 0.1


class EpochReport(NamedTuple):
    """What a progress display may want to know after an epoch."""

    epoch: int  # 0-based
    train_loss: float  # mean cross-entropy, nats
    validation_loss: float  # mean cross-entropy, nats
    stopped: bool  # True in the last report of a fit


@dataclass(frozen=True)
class FitResult:
    """Curves of one training, and the epoch whose weights the network now holds."""

    train_loss: NDArray[np.float64]  # (epochs run,), nats
    validation_loss: NDArray[np.float64]  # (epochs run,), nats
    best_epoch: int  # 0-based


def fit(  # noqa: PLR0913 # all but the first three by keyword
    network: Network,
    graphs: PackedGraphs,
    targets: NDArray[np.int64],
    *,
    train_rows: NDArray[np.int64],
    validation_rows: NDArray[np.int64],
    settings: TrainSettings,
    score: SelectionScore,
    seed: int,
    weights: NDArray[np.float64] | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> FitResult:
    """Train `network` in place and leave it with the averaged weights of its best epoch.

    Parameters
    ----------
    network
        Freshly built; its attribute scaling is set from the training rows here.
    graphs, targets
        The set and its class numbers (R,); only the given rows are read.
    train_rows, validation_rows
        Disjoint row numbers.
    score
        Validation probabilities (n, K) and truth (n,) to a number, higher is better.
    seed
        Of shuffling and dropout.
    weights
        What each row counts in the training loss, (R,); None: all the same. Validation rows
        choose the epoch by their number alone.
    on_epoch
        Called after every epoch.

    Raises
    ------
    TrainingError
        If the loss is no longer a number.
    ValueError
        If there is no row to train on, or none to choose the epoch.
    """
    if not len(train_rows) or not len(validation_rows):
        raise ValueError(
            f"{len(train_rows)} training and {len(validation_rows)} validation rows; "
            "a fit needs both"
        )
    torch.manual_seed(seed)
    shuffle = np.random.default_rng(seed)
    network.set_scale(make_batch(graphs, train_rows))
    held_out = [make_batch(graphs, part) for part in _parts(validation_rows, BATCH_SIZE)]
    held_truth = targets[validation_rows]
    epochs = _Epochs(network, graphs, targets, settings, weights)
    kept: nn.Module = epochs.average.module
    best = _Best(kept, settings.smoothing)
    train_loss: list[float] = []
    validation_loss: list[float] = []
    for epoch in range(settings.epochs):
        train_loss.append(epochs.run(shuffle.permutation(train_rows)))
        probabilities, loss = _validate(kept, held_out, held_truth)
        validation_loss.append(loss)
        for what, value in (("training", train_loss[-1]), ("validation", loss)):
            if not np.isfinite(value):
                raise TrainingError(
                    f"{type(network).__name__}, epoch {epoch + 1}",
                    f"the {what} loss became {value}",
                    f"Lower train.learning_rate (now {settings.learning_rate:g}).",
                )
        best.offer(epoch, score(probabilities, held_truth))
        last = epoch + 1 == settings.epochs or epoch - best.epoch >= settings.patience
        if on_epoch is not None:
            on_epoch(EpochReport(epoch, train_loss[-1], loss, last))
        if last:
            break
    network.load_state_dict(best.state)
    network.eval()
    return FitResult(np.asarray(train_loss), np.asarray(validation_loss), best.epoch)


class _Best:
    """Weights of the epoch with the best smoothed score; the first of equals."""

    def __init__(self, network: nn.Module, smoothing: int):
        self.network, self.epoch, self.score = network, 0, -np.inf
        self.state: dict[str, Tensor] = {}
        self.recent: deque[float] = deque(maxlen=smoothing)

    def offer(self, epoch: int, score: float) -> None:
        """Take the network's weights if the mean score over the last epochs is a new best."""
        if not self.recent:  # as if the first score had always been there
            self.recent.extend([score] * (self.recent.maxlen or 1))
        self.recent.append(score)
        smoothed = float(np.mean(self.recent))
        if smoothed > self.score or not self.state:
            self.epoch, self.score = epoch, smoothed
            self.state = {k: v.detach().clone() for k, v in self.network.state_dict().items()}


class _Epochs:
    """Passes over training rows: batches, steps, and the average that follows them."""

    def __init__(
        self,
        network: Network,
        graphs: PackedGraphs,
        targets: NDArray[np.int64],
        settings: TrainSettings,
        weights: NDArray[np.float64] | None,
    ):
        self.network, self.graphs, self.targets = network, graphs, targets
        self.weights = weights
        self.batch_size = settings.batch_size
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, settings.epochs, eta_min=settings.learning_rate / 100
        )
        # Follows the network as a moving average of its weights and batch statistics.
        self.average = AveragedModel(
            network, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging), use_buffers=True
        )

    def run(self, rows: NDArray[np.int64]) -> float:
        """One pass over `rows` in the order given; mean loss per graph, in nats."""
        self.network.train()
        total = 0.0
        for part in _parts(rows, self.batch_size):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self._loss(self.network(make_batch(self.graphs, part)), part)
            loss.backward()
            self.optimizer.step()
            self.average.update_parameters(self.network)
            total += loss.item() * len(part)
        self.schedule.step()
        return total / len(rows)

    def _loss(self, logits: Tensor, part: NDArray[np.int64]) -> Tensor:
        """Mean cross-entropy of a batch, each row counting as much as its weight."""
        targets = torch.from_numpy(self.targets[part])
        if self.weights is None:
            return nn.functional.cross_entropy(logits, targets)
        losses = nn.functional.cross_entropy(logits, targets, reduction="none")
        weights = torch.from_numpy(self.weights[part]).to(losses.dtype)
        # Not divided by the batch's own sum: a row would then count by its company.
        return (losses * weights).mean()


def _parts(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Equal parts of about `size` rows, none of one row alone where there are more.

    A short last batch, or a part of one, would have batch statistics that mean nothing.
    """
    n_parts = min(round(len(rows) / size), len(rows) // 2)
    return np.array_split(rows, max(1, n_parts))


@torch.no_grad()
def _validate(
    network: nn.Module, batches: Sequence[GraphBatch], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    network.eval()
    log_probability = torch.cat([network(batch) for batch in batches]).double().log_softmax(1)
    loss = nn.functional.nll_loss(log_probability, torch.from_numpy(truth)).item()
    return log_probability.exp().numpy(), loss
