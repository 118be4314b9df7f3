"""The training loop: one network, its training rows, and validation rows that choose the epoch.

Test rows are not an argument: what is never handed over cannot leak. The score that
chooses the epoch is a callable, so that no metric has a name here.

A few dozen validation rows make a score that jumps from epoch to epoch, and the best of
150 jumps is mostly luck. Two things calm it: the network that is validated and kept is a
moving average of the trained one's weights, and the score is a mean over the last epochs.

Symbols: R rows, T tasks, K classes, P learned numbers.
"""

import copy
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kekule._errors import TrainingError
from kekule.features import PackedGraphs, arrays_of
from kekule.models.batch import Batch
from kekule.models.checkpoint import Checkpoint
from kekule.models.flat import AdamW, FlatNetwork, clip, rate_at
from kekule.models.hardware import deterministic, device_named, precision_named, products_in
from kekule.models.inference import BATCH_SIZE, by_task
from kekule.models.loss import MISSING, class_weights, label_losses, with_mean_one
from kekule.models.network import Network
from kekule.models.profiling import OFF, profiled
from kekule.models.selection import Selection
from kekule.models.train_settings import EpochReport, FitResult, SelectionScore, TrainSettings


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
    checkpoint: Path | None = None,
    profile: Path | None = None,
) -> FitResult:
    """Train `network` in place and leave it with the averaged weights of its best epoch.

    Parameters
    ----------
    network
        Freshly built; its attribute scaling is set from the training rows here.
    graphs, targets
        The set and its class numbers, (R,), or (R, T) with -1 where a label is missing; only
        the given rows are read.
    train_rows, validation_rows
        Disjoint row numbers.
    score
        Validation probabilities (n, K) and truth (n,) to a number, higher is better; of
        several tasks (n, T, K) and (n, T).
    seed
        Of shuffling and dropout.
    weights
        What each row counts in the training loss, (R,); None: all the same. Validation rows
        choose the epoch by their number alone.
    on_epoch
        Called after every epoch.
    checkpoint
        File to stand in for a killed training: a fit with the same arguments goes on from it
        and ends in the same weights; removed when the fit ends.
    profile
        Page of where the time went, ``<folder>/<name>.md``; a trace is written beside it.

    Raises
    ------
    TrainingError
        If the loss is no longer a number, or the device asked for is not there.
    ValueError
        If there is no row to train on, or none to choose the epoch.
    """
    if not len(train_rows) or not len(validation_rows):
        raise ValueError(
            f"{len(train_rows)} training and {len(validation_rows)} validation rows; "
            "a fit needs both"
        )
    torch.manual_seed(seed)
    used = np.concatenate([train_rows, validation_rows])
    own = graphs.take(used)  # rows of the fit alone: nothing else can be read by mistake
    training = _Training(
        network,
        own,
        targets.reshape(len(targets), -1)[used],
        n_train=len(train_rows),
        settings=settings,
        weights=None if weights is None else weights[used],
        seed=seed,
    )
    kept = None
    if checkpoint is not None:
        kept = Checkpoint(checkpoint, _key(training, settings, seed), seconds=settings.checkpoint)
        if (found := kept.read()) is not None:
            training.restore(*found)
    folder, name = (None, "") if profile is None else (profile.parent, profile.stem)
    words = str(training.dtype).removeprefix("torch.")
    certain = deterministic(training.device, wanted=settings.deterministic)
    with certain, profiled(folder, name, device=training.device, precision=words) as profiler:
        training.section = profiler.section
        training.run(score, on_epoch, kept)
    if kept is not None:
        kept.remove()
    return training.result()


HELD_BATCHES = 4  # of validation rows that are kept from epoch to epoch


class _Training:
    """State of one fit between two epochs: all of it can be put on disk and taken back."""

    def __init__(
        self,
        network: Network,
        graphs: PackedGraphs,
        targets: NDArray[np.int64],
        *,
        n_train: int,
        settings: TrainSettings,
        weights: NDArray[np.float64] | None,
        seed: int,
    ):
        self.settings, self.graphs = settings, graphs
        self.device = device_named(settings.device)
        self.dtype = precision_named(settings.precision, self.device, width=network.width)
        self.train = np.arange(n_train)
        network.set_scale(graphs.first(n_train))
        self.network, self.targets = network.to(self.device), targets
        self.flat = FlatNetwork(network)
        # Follows the network as a moving average of its weights and batch statistics.
        self.average = FlatNetwork(copy.deepcopy(network))
        self.average.network.eval()
        network.train()
        self.layout = network.layout(graphs, batch_size=settings.batch_size)
        held = np.arange(n_train, len(graphs))
        self.held_parts = parts(held, BATCH_SIZE)
        few = len(self.held_parts) <= HELD_BATCHES
        self.held = [self._batch(part) for part in self.held_parts] if few else None
        self.held_truth = targets[held]
        self.on_device = torch.from_numpy(targets).to(self.device)
        self.weights = None
        if weights is not None:
            relative = with_mean_one(weights[:n_train])
            self.weights = torch.from_numpy(relative).float().to(self.device)
        self.class_weights = None
        if settings.class_weights == "balanced":
            balanced = class_weights(targets[:n_train], network.n_classes)
            self.class_weights = torch.from_numpy(balanced).float().to(self.device)
        self.optimiser = AdamW(self.flat.values, weight_decay=settings.weight_decay)
        self.selection = Selection(settings.smoothing)
        self.shuffle = np.random.default_rng(seed)
        self.section = OFF.section
        self.n_parts = len(parts(self.train, settings.batch_size))

    def run(
        self,
        score: SelectionScore,
        on_epoch: Callable[[EpochReport], None] | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Train until the last epoch, or until the validation score has not risen for long."""
        settings, selection = self.settings, self.selection
        for epoch in range(selection.epochs_run, settings.epochs):
            started = time.perf_counter()
            train_loss, length = self._pass(epoch)
            with self.section("validation"):
                probabilities, loss = self._validate()
            check_losses(self.network, epoch, settings, train_loss, loss)
            value = score(squeezed(probabilities), squeezed(self.held_truth))
            selection.offer(value, train_loss, loss, self._rate(epoch, self.n_parts - 1))
            selection.remember(self._rms(self.flat.values), self._rms(self.flat.gradient))
            if selection.improved:
                self.best = (self.average.values.clone(), self.average.buffers.clone())
            last = epoch + 1 == settings.epochs or epoch - selection.epoch >= settings.patience
            if on_epoch is not None:
                on_epoch(
                    EpochReport(
                        epoch,
                        train_loss,
                        loss,
                        last,
                        score=selection.smoothed,
                        learning_rate=selection.learning_rate[-1],
                        gradient_norm=length,
                        seconds=time.perf_counter() - started,
                        best_epoch=selection.epoch,
                    )
                )
            if last:
                break
            if checkpoint is not None and checkpoint.due():
                checkpoint.write(*self.state())

    def result(self) -> FitResult:
        """Put the best weights into the network and tell how it went."""
        self.flat.values.copy_(self.best[0])
        self.flat.buffers.copy_(self.best[1])
        self.network.to("cpu").eval()
        return self.selection.result()

    def _pass(self, epoch: int) -> tuple[float, float]:
        """One pass over the training rows; mean loss a graph, and the last gradient's length."""
        exact = torch.float32 if self.device.type == "mps" else torch.float64
        total = torch.zeros((), dtype=exact, device=self.device)
        length = torch.zeros(())
        for k, part in enumerate(
            parts(self.shuffle.permutation(self.train), self.settings.batch_size)
        ):
            with self.section("data"):
                batch = self._batch(part)
            self.flat.gradient.zero_()
            with self.section("forward"), products_in(self.dtype, self.device):
                loss = self._loss(self.network(batch), part)
            with self.section("backward"):
                loss.backward()
            with self.section("optimiser"):
                length = clip(self.flat.gradient, self.settings.clip)
                self.optimiser.step(self.flat.values, self.flat.gradient, self._rate(epoch, k))
                # From the first step's weights on: those drawn have nothing to say.
                first = self.optimiser.steps == 1
                self.average.follow(self.flat, 0.0 if first else self.settings.averaging)
            total += loss.detach() * len(part)
        return float(total) / len(self.train), float(length)

    def _rate(self, epoch: int, step: int) -> float:
        settings = self.settings
        return rate_at(
            epoch + step / self.n_parts,
            peak=settings.learning_rate,
            epochs=settings.epochs,
            warmup=settings.warmup,
        )

    def _batch(self, rows: NDArray[np.int64]) -> Batch:
        batch = self.layout.batch(rows)
        return batch if self.device.type == "cpu" else batch.to(self.device)

    def _loss(self, logits: Tensor, part: NDArray[np.int64]) -> Tensor:
        """Mean loss a label of a batch, each row counting as much as its weight."""
        rows = torch.from_numpy(part).to(self.device)
        targets = self.on_device.index_select(0, rows)
        gamma = self.settings.focal_gamma if self.settings.loss == "focal" else None
        losses = label_losses(
            by_task(logits.float(), self.network.n_tasks),
            targets,
            weights=self.class_weights,
            gamma=gamma,
        )
        if self.weights is not None:
            # Not divided by the batch's own sum: a row would then count by its company.
            losses = losses * self.weights.index_select(0, rows).to(losses.dtype)[:, None]
        return losses.sum() / (targets != MISSING).sum().clamp(min=1)

    @torch.no_grad()
    def _validate(self) -> tuple[NDArray[np.float64], float]:
        """Probabilities (n, T, K) of the average, and mean cross-entropy of the labels."""
        network: Any = self.average.network
        with products_in(self.dtype, self.device):
            # Of many validation rows the batches are cut anew: they are larger than the set.
            batches = self.held or map(self._batch, self.held_parts)
            found = [network(batch).float() for batch in batches]
        logits = by_task(torch.cat(found).cpu().double(), network.n_tasks)
        truth = torch.from_numpy(self.held_truth)
        n_labels = max(int((truth != MISSING).sum()), 1)
        return logits.softmax(-1).numpy(), float(label_losses(logits, truth).sum()) / n_labels

    def _rms(self, vector: Tensor) -> list[float]:
        """Root mean square of each parameter's part of a vector."""
        lengths = torch.stack(torch._foreach_norm(self.flat.parts(vector)))
        sizes = torch.tensor(self.flat.sizes, device=vector.device)
        found: list[float] = (lengths / sizes.sqrt()).tolist()
        return found

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that changes from epoch to epoch: tensors, and what JSON can hold."""
        tensors = {
            **{"values": self.flat.values, "buffers": self.flat.buffers},
            **{"average_values": self.average.values, "average_buffers": self.average.buffers},
            **{"mean": self.optimiser.mean, "square": self.optimiser.square},
            **{"best_values": self.best[0], "best_buffers": self.best[1]},
            **self._counters(),
            "random": torch.get_rng_state(),
        }
        if self.device.type != "cpu":  # dropout is drawn there
            tensors["device_random"] = torch.get_device_module(self.device).get_rng_state()
        state = {
            "selection": self.selection.to_json(),
            "steps": self.optimiser.steps,
            "shuffle": self.shuffle.bit_generator.state,
        }
        return tensors, state

    def _counters(self) -> dict[str, Tensor]:
        """Buffers that are no numbers with a point."""
        named = self.network.named_buffers()
        return {f"counter {k}": b for k, b in named if not b.is_floating_point()}

    def restore(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self.flat.values.copy_(tensors["values"])
        self.flat.buffers.copy_(tensors["buffers"])
        self.average.values.copy_(tensors["average_values"])
        self.average.buffers.copy_(tensors["average_buffers"])
        self.optimiser.mean.copy_(tensors["mean"])
        self.optimiser.square.copy_(tensors["square"])
        self.optimiser.steps = int(state["steps"])
        for name, counter in self._counters().items():
            counter.copy_(tensors[name])
        self.best = (
            tensors["best_values"].to(self.device),
            tensors["best_buffers"].to(self.device),
        )
        self.selection.from_json(state["selection"])
        self.shuffle.bit_generator.state = state["shuffle"]
        torch.set_rng_state(tensors["random"])
        if self.device.type != "cpu":
            torch.get_device_module(self.device).set_rng_state(tensors["device_random"])


def check_losses(network: Network, epoch: int, settings: TrainSettings, *losses: float) -> None:
    """Raise TrainingError where a loss, of training or validation, is no number any more."""
    for what, value in zip(("training", "validation"), losses, strict=True):
        if not np.isfinite(value):
            raise TrainingError(
                f"{type(network).__name__}, epoch {epoch + 1}",
                f"the {what} loss became {value}",
                f"Lower train.learning_rate (now {settings.learning_rate:g}).",
            )


def parts(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Equal parts of about `size` rows, none of one row alone where there are more.

    A short last batch, or a part of one, would have batch statistics that mean nothing.
    """
    n_parts = min(round(len(rows) / size), len(rows) // 2)
    return np.array_split(rows, max(1, n_parts))


def _key(training: _Training, settings: TrainSettings, seed: int) -> str:
    """What a checkpoint is of: settings, device, seed, data, and the shape of the weights."""
    digest = hashlib.sha256()
    digest.update(
        settings.model_dump_json(exclude={"checkpoint", "profile", "tensorboard"}).encode()
    )
    digest.update(f"{seed} {type(training.network).__name__} {training.flat.sizes}".encode())
    digest.update(f"{training.device.type} {training.dtype}".encode())
    digest.update(f"{training.network.settings.model_dump_json()}".encode())
    weights = np.zeros(0) if training.weights is None else training.weights.cpu().numpy()
    for array in (training.train, training.targets, weights, *arrays_of(training.graphs)):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(training.flat.values.cpu().numpy().tobytes())  # as drawn, before any step
    return digest.hexdigest()


def squeezed(values: NDArray[Any]) -> NDArray[Any]:
    """Without the axis of tasks where there is one task."""
    return values[:, 0] if values.shape[1] == 1 else values
