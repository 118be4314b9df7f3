"""The range of learning rates a network can be trained with, found by trying them in order.

The step size rises geometrically from step to step while the network trains. Below the range
the loss hardly moves; above it, it explodes; half of the rate at which it is lowest is a peak
that a training with a falling rate holds out with. A few hundred steps tell what a grid of
trainings would.

The rate of the steepest fall, which is often read off such a curve, is some thirty times too
small for networks as small as these: they have learnt most of it when the rate becomes good.

When not to trust it: a few hundred steps know nothing of the last epochs, in which a smaller
rate may end better, and on a few hundred rows two seeds differ by a factor of three. It finds
the order of magnitude, which is what is usually wrong.

References
----------
Smith 2017, https://arxiv.org/abs/1506.01186, section 3.3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kekule.features import PackedGraphs
from kekule.models.flat import AdamW, FlatNetwork, clip
from kekule.models.hardware import device_named
from kekule.models.inference import by_task
from kekule.models.loss import MISSING, class_weights, label_losses, with_mean_one
from kekule.models.network import Network
from kekule.models.train_settings import TrainSettings

FOLLOWS = 0.9  # decay a step of the mean that notices a divergence
EXPLODED = 4.0  # of the lowest mean so far: the loss has diverged
PATIENCE = 10  # steps before that can be said
CLEAR = 2.5  # median deviations of a batch: a fall by less is noise
SMOOTHING = 1 / 40  # of the steps: standard deviation of the window the curve is read through


class Span(NamedTuple):
    """Which rates are tried."""

    lowest: float = 1e-6
    highest: float = 1.0
    steps: int = 200


USUAL = Span()


@dataclass(frozen=True, eq=False)
class RateRange:
    """Loss at each learning rate that was tried.

    Attributes
    ----------
    rates
        float64 (S,), rising.
    losses
        float64 (S,), nats a label, of the batch before its step.
    smoothed
        float64 (S,), the losses through a window that looks both ways.
    diverged
        Rate at which the loss had exploded and the sweep was stopped; None if it never did.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    diverged: float | None

    @property
    def lowest(self) -> float | None:
        """Rate at which the smoothed loss was lowest; None if it fell by no more than noise."""
        if len(self.rates) < 2 * PATIENCE:
            return None
        place = int(np.argmin(self.smoothed))
        noise = float(np.median(np.abs(self.losses - self.smoothed)[: place + 1]))
        fell = float(self.smoothed[: place + 1].max() - self.smoothed[place])
        return float(self.rates[place]) if fell > CLEAR * noise else None

    @property
    def falling(self) -> bool:
        """Whether the loss was still lowest at the last rates tried: the sweep ended early."""
        reach = max(1, round(len(self.rates) * SMOOTHING))
        return self.diverged is None and int(np.argmin(self.smoothed)) >= len(self.rates) - reach

    @property
    def suggested(self) -> float | None:
        """Half of `lowest`, where steps begin to undo as much as they do; None if `falling`."""
        return None if self.lowest is None or self.falling else self.lowest / 2


def sweep(step: Callable[[float], float], span: Span = USUAL) -> RateRange:
    """Call `step` with rates that rise over `span`, until its loss explodes.

    `step` takes one step of that size and returns the loss before it.
    """
    rates = np.geomspace(*span)
    losses: list[float] = []
    mean, best = 0.0, np.inf
    diverged = None
    for number, rate in enumerate(rates.tolist(), start=1):
        loss = step(rate)
        if not np.isfinite(loss):
            diverged = rate
            break
        losses.append(loss)
        mean = FOLLOWS * mean + (1 - FOLLOWS) * loss
        unbiased = mean / (1 - FOLLOWS**number)
        best = min(best, unbiased)
        if number > PATIENCE and unbiased > EXPLODED * best:
            diverged = rate
            break
    values = np.array(losses, dtype=np.float64)
    return RateRange(
        rates[: len(values)], values, smooth(values, span.steps * SMOOTHING), diverged
    )


def smooth(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Mean through a bell of standard deviation `width`; at the ends of what is there."""
    if not len(values):
        return np.zeros(0)
    reach = int(np.ceil(3 * width))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-9)) ** 2)
    total = np.convolve(values, bell)[reach : reach + len(values)]
    weight = np.convolve(np.ones(len(values)), bell)[reach : reach + len(values)]
    return np.asarray(total / weight, dtype=np.float64)


def try_rates(
    network: Network,
    graphs: PackedGraphs,
    targets: NDArray[np.int64],
    *,
    rows: NDArray[np.int64],
    settings: TrainSettings,
    seed: int,
    weights: NDArray[np.float64] | None = None,
    span: Span = USUAL,
) -> RateRange:
    """Train `network` on `rows` with a rising step size; it is of no use after that.

    Parameters
    ----------
    network
        Freshly built.
    graphs, targets, rows
        As in `fit`: targets (R,) or (R, T) with -1 where a label is missing; no other row is
        read.
    settings
        Batch size, loss, weight decay, clipping and device are those of the training; products
        are float32.
    weights
        What each row counts in the loss, (R,).
    """
    own, labels = graphs.take(rows), targets.reshape(len(targets), -1)[rows]
    device = device_named(settings.device)
    torch.manual_seed(seed)
    network.set_scale(own)
    flat = FlatNetwork(network.to(device).train())
    layout = network.layout(own, batch_size=settings.batch_size)
    optimiser = AdamW(flat.values, weight_decay=settings.weight_decay)
    own_weights = None if weights is None else with_mean_one(weights[rows])
    loss_of = _loss(network, labels, settings, own_weights)
    drawn = _batches(len(rows), settings.batch_size, seed)

    def step(rate: float) -> float:
        part = next(drawn)
        flat.gradient.zero_()
        loss = loss_of(network(layout.batch(part).to(device)), part)
        loss.backward()
        clip(flat.gradient, settings.clip)
        optimiser.step(flat.values, flat.gradient, rate)
        return float(loss.detach())

    return sweep(step, span)


def _loss(
    network: Network,
    labels: NDArray[np.int64],
    settings: TrainSettings,
    weights: NDArray[np.float64] | None,
) -> Callable[[Tensor, NDArray[np.int64]], Tensor]:
    """Mean loss a label of a batch, as in training."""
    of_classes = None
    if settings.class_weights == "balanced":
        of_classes = torch.from_numpy(class_weights(labels, network.n_classes)).float()
    gamma = settings.focal_gamma if settings.loss == "focal" else None

    def loss_of(logits: Tensor, part: NDArray[np.int64]) -> Tensor:
        targets = torch.from_numpy(labels[part]).to(logits.device)
        losses = label_losses(
            by_task(logits, network.n_tasks),
            targets,
            weights=None if of_classes is None else of_classes.to(logits.device),
            gamma=gamma,
        )
        if weights is not None:
            losses = losses * torch.from_numpy(weights[part]).to(losses)[:, None]
        return losses.sum() / (targets != MISSING).sum().clamp(min=1)

    return loss_of


def _batches(n_rows: int, size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Batches of equal size from shuffled passes, without end; a pass is not cut short."""
    draw = np.random.default_rng(seed)
    size = min(size, n_rows)
    waiting = np.zeros(0, dtype=np.int64)
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, draw.permutation(n_rows)])
        yield waiting[:size]
        waiting = waiting[size:]
