"""Models of all folds and seeds trained in one program, on shared batches.

The weights of M models are rows of one matrix, and a step computes all of them at once
(`torch.func.vmap`). On a GPU, which small graphs leave idle, M models take little longer than
one. Every batch is shared: it holds rows that some models learn from and others are tested
on, and a model's own test rows count for nothing in its loss and in its statistics, so its
weights do not depend on their labels and features by a single bit (a test changes them and
looks). Graphs of another size in their place change the order of sums, and with it the last
digits of what a model learns.

Two things differ from training in turn: batches are drawn from all rows, so that a model sees
a varying number of its own in each, and one order of rows serves all seeds. Not for a single
model, nor where one model fills the device.

Symbols: M models, R rows, B graphs of a batch, T tasks, K classes, P learned numbers.
"""

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call, vmap

from kekule.features import PackedGraphs
from kekule.models.aggregation import stacked_models
from kekule.models.batch import Batch
from kekule.models.flat import AdamW, clip, rate_at
from kekule.models.hardware import deterministic, device_named, precision_named, products_in
from kekule.models.inference import BATCH_SIZE, by_task
from kekule.models.loss import MISSING, class_weights, label_losses, with_mean_one
from kekule.models.network import Network
from kekule.models.selection import Selection
from kekule.models.train_settings import EpochReport, FitResult, SelectionScore, TrainSettings
from kekule.models.training import check_losses, parts, squeezed

Rows = NDArray[np.int64]


def fit_together(  # noqa: PLR0913 # all but the first three by keyword
    networks: Sequence[Network],
    graphs: PackedGraphs,
    targets: NDArray[np.int64],
    *,
    train_rows: Sequence[Rows],
    validation_rows: Sequence[Rows],
    settings: TrainSettings,
    score: SelectionScore,
    seed: int,
    weights: NDArray[np.float64] | None = None,
    on_epoch: Callable[[int, EpochReport], None] | None = None,
) -> list[FitResult]:
    """Train `networks`, which differ in their weights alone, each on its own rows.

    Parameters
    ----------
    networks
        M of them, freshly built with the same settings; left with the averaged weights of
        their best epochs.
    graphs, targets, settings, score, weights
        As in `fit`.
    train_rows, validation_rows
        Of each network.
    seed
        Of the order of rows and of dropout, for all of them.
    on_epoch
        Called with the network's number after every epoch that counts for it.

    Returns
    -------
    list
        A result for each network.
    """
    torch.manual_seed(seed)
    used = np.unique(np.concatenate([*train_rows, *validation_rows]))
    program = _Program(
        networks,
        graphs.take(used),
        targets.reshape(len(targets), -1)[used],
        [np.searchsorted(used, rows) for rows in train_rows],
        [np.searchsorted(used, rows) for rows in validation_rows],
        settings,
        None if weights is None else weights[used],
    )
    with deterministic(program.device, wanted=settings.deterministic):
        program.run(score, np.random.default_rng(seed), on_epoch)
    return program.results()


class _Stack:
    """Weights and statistics of M networks as rows of two matrices."""

    def __init__(self, networks: Sequence[Network], device: torch.device):
        first = networks[0]
        self.names = [name for name, _ in first.named_parameters()]
        self.shapes = [p.shape for p in first.parameters()]
        self.sizes = [p.numel() for p in first.parameters()]
        flat = [torch.cat([p.detach().reshape(-1) for p in n.parameters()]) for n in networks]
        self.values = torch.stack(flat).to(device)
        kept = {name: b for name, b in first.named_buffers() if b.is_floating_point()}
        self.buffer_shapes = {name: b.shape for name, b in kept.items()}
        self.buffer_sizes = [b.numel() for b in kept.values()]
        every = [dict(network.named_buffers()) for network in networks]
        rows = [torch.cat([b[n].reshape(-1) for n in kept] or [flat[0][:0]]) for b in every]
        self.buffers = torch.stack(rows).to(device)
        self.counters = {
            name: torch.stack([b[name] for b in every]).to(device)
            for name, buffer in first.named_buffers()
            if not buffer.is_floating_point()
        }

    def parameters_of(self, values: Tensor) -> dict[str, Tensor]:
        """Every array with a leading axis of models."""
        cut = values.split(self.sizes, dim=1)
        shaped = zip(self.names, cut, self.shapes, strict=True)
        return {name: part.view(len(values), *shape) for name, part, shape in shaped}

    def buffers_of(self, buffers: Tensor) -> dict[str, Tensor]:
        """Every buffer with a leading axis of models; they are written in place."""
        cut = buffers.split(self.buffer_sizes, dim=1)
        shaped = zip(self.buffer_shapes.items(), cut, strict=True)
        named = {name: part.view(len(buffers), *shape) for (name, shape), part in shaped}
        return named | self.counters

    def put(self, model: int, network: Network, values: Tensor, buffers: Tensor) -> None:
        """Write row `model` of the matrices given into `network`."""
        state = self.parameters_of(values) | self.buffers_of(buffers)
        network.load_state_dict({name: state[name][model].cpu() for name in network.state_dict()})
        network.eval()


class _Program:
    """All models, and the steps that move them."""

    def __init__(
        self,
        networks: Sequence[Network],
        graphs: PackedGraphs,
        targets: NDArray[np.int64],
        train: Sequence[Rows],
        held: Sequence[Rows],
        settings: TrainSettings,
        weights: NDArray[np.float64] | None,
    ):
        self.networks, self.settings, self.targets = networks, settings, targets
        self.held, self.train = held, train
        self.device = device_named(settings.device)
        for network, rows in zip(networks, train, strict=True):
            network.set_scale(graphs.take(rows))
        self.base = copy.deepcopy(networks[0]).to(self.device)
        self.dtype = precision_named(settings.precision, self.device, width=self.base.width)
        self.stack = _Stack(networks, self.device)
        self.average = (self.stack.values.clone(), self.stack.buffers.clone())
        self.best = (self.stack.values.clone(), self.stack.buffers.clone())
        self.layout = self.base.layout(graphs, share=False)
        self.every = np.arange(len(graphs))
        # What each row counts for each model: 0 for its test and validation rows.
        counted = np.zeros((len(networks), len(graphs)), dtype=np.float32)
        for model, rows in enumerate(train):
            counted[model, rows] = 1
        self.counted = torch.from_numpy(counted).to(self.device)
        self.labels = torch.from_numpy(targets).to(self.device)
        self.weights = None
        if weights is not None:
            relative = np.zeros_like(counted)  # of each model, (M, R)
            for model, rows in enumerate(train):
                relative[model, rows] = with_mean_one(weights[rows])
            self.weights = torch.from_numpy(relative).to(self.device)
        self.class_weights = None
        if settings.class_weights == "balanced":
            found = [class_weights(targets[rows], self.base.n_classes) for rows in train]
            self.class_weights = torch.from_numpy(np.stack(found)).float().to(self.device)
        self.optimiser = AdamW(self.stack.values, weight_decay=settings.weight_decay)
        self.selections = [Selection(settings.smoothing) for _ in networks]
        mean_rows = float(np.mean([len(rows) for rows in train]))
        self.size = max(2, round(settings.batch_size * len(graphs) / mean_rows))
        self.whole = [self._batch(part) for part in parts(self.every, BATCH_SIZE)]

    def run(
        self,
        score: SelectionScore,
        shuffle: np.random.Generator,
        on_epoch: Callable[[int, EpochReport], None] | None,
    ) -> None:
        """Train until every model is through, or has not got better for long."""
        going = np.ones(len(self.networks), dtype=np.bool_)
        for epoch in range(self.settings.epochs):
            started = time.perf_counter()
            losses, lengths, rate = self._pass(epoch, shuffle.permutation(self.every))
            answers = self._answers()
            for model in np.flatnonzero(going).tolist():
                report = self._judge(model, epoch, answers[model], score, losses[model], rate)
                going[model] = not report.stopped
                seconds = time.perf_counter() - started
                if on_epoch is not None:
                    length = float(lengths[model])
                    on_epoch(model, report._replace(gradient_norm=length, seconds=seconds))
            if not going.any():
                break

    def results(self) -> list[FitResult]:
        """Put the best weights into the networks and tell how it went."""
        for model, network in enumerate(self.networks):
            self.stack.put(model, network, *self.best)
        return [selection.result() for selection in self.selections]

    def _pass(
        self, epoch: int, order: Rows
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """One pass over all rows; mean loss a graph of each model, and its last gradient."""
        exact = torch.float32 if self.device.type == "mps" else torch.float64
        total = torch.zeros(len(self.networks), dtype=exact, device=self.device)
        length, rate = torch.zeros(len(self.networks)), 0.0
        batches = parts(order, self.size)
        for k, part in enumerate(batches):
            settings = self.settings
            rate = rate_at(
                epoch + k / len(batches),
                peak=settings.learning_rate,
                epochs=settings.epochs,
                warmup=settings.warmup,
            )
            rows = torch.from_numpy(part).to(self.device)
            counted = self.counted.index_select(1, rows)
            values = self.stack.values.requires_grad_()
            losses = self._losses(values, self._batch(part), rows, counted)
            (gradient,) = torch.autograd.grad(losses.sum(), values)
            self.stack.values = values.detach()
            length = clip(gradient, settings.clip)
            self._step(gradient, counted.sum(1) > 0, rate)
            total += losses.detach() * counted.sum(1)
        per_graph = (total / self.counted.sum(1)).cpu().numpy()
        self.gradient = gradient
        return per_graph, length.cpu().numpy(), rate

    def _step(self, gradient: Tensor, counts: Tensor, rate: float) -> None:
        """Move the models that had a row in the batch, and the averages after them."""
        before = self.stack.values.clone()
        self.optimiser.step(self.stack.values, gradient, rate)
        self.stack.values = torch.where(counts[:, None], self.stack.values, before)
        kept = 1.0 if self.optimiser.steps == 1 else 1 - self.settings.averaging
        self.average[0].lerp_(self.stack.values, kept)
        self.average[1].lerp_(self.stack.buffers, kept)

    def _losses(self, values: Tensor, batch: Batch, rows: Tensor, counted: Tensor) -> Tensor:
        """Mean loss a label of each model's own rows in the batch, (M,)."""
        with products_in(self.dtype, self.device):
            logits = self._logits(values, self.stack.buffers, batch, counted, training=True)
        labels = self.labels.index_select(0, rows)
        gamma = self.settings.focal_gamma if self.settings.loss == "focal" else None
        shaped = logits.float().view(len(logits), len(rows), *self._classes)
        each = label_losses(
            shaped,
            labels.expand(len(logits), *labels.shape),
            weights=None if self.class_weights is None else self.class_weights[:, None],
            gamma=gamma,
        )
        there = (labels != MISSING).float()[None] * counted[..., None]
        if self.weights is not None:
            each = each * self.weights.index_select(1, rows)[..., None]
        # A row that counts for nothing may have any loss, so it is left out, not multiplied.
        own = torch.where(there > 0, each, torch.zeros_like(each))
        return own.sum((1, 2)) / there.sum((1, 2)).clamp(min=1)

    @property
    def _classes(self) -> tuple[int, int]:
        return self.base.n_tasks, self.base.n_classes

    def _logits(
        self, values: Tensor, buffers: Tensor, batch: Batch, counted: Tensor, *, training: bool
    ) -> Tensor:
        """Outputs of every model on a batch, (M, B, T · K)."""
        self.base.train(training)

        def one(parameters: Any, statistics: Any, weight: Tensor) -> Tensor:
            given = batch._replace(weight=weight) if training else batch
            outputs: Tensor = functional_call(self.base, (parameters, statistics), (given,))
            return outputs

        with stacked_models():
            found: Tensor = vmap(one, randomness="different")(
                self.stack.parameters_of(values), self.stack.buffers_of(buffers), counted
            )
        return found

    @torch.no_grad()
    def _answers(self) -> Tensor:
        """Outputs of the averaged models on all rows, float64 (M, R, T · K)."""
        nothing = self.counted[:, :1]
        with products_in(self.dtype, self.device):
            found = [
                self._logits(*self.average, batch, nothing, training=False).float()
                for batch in self.whole
            ]
        return torch.cat(found, dim=1).cpu().double()

    def _judge(
        self,
        model: int,
        epoch: int,
        answers: Tensor,
        score: SelectionScore,
        train_loss: float,
        rate: float,
    ) -> EpochReport:
        """Score a model on its validation rows and keep its weights if they are its best."""
        settings, selection = self.settings, self.selections[model]
        rows = self.held[model]
        logits = by_task(answers[torch.from_numpy(rows)], self.base.n_tasks)
        truth = self.targets[rows]
        n_labels = max(int((truth != MISSING).sum()), 1)
        loss = float(label_losses(logits, torch.from_numpy(truth)).sum()) / n_labels
        check_losses(self.networks[model], epoch, settings, train_loss, loss)
        value = score(squeezed(logits.softmax(-1).numpy()), squeezed(truth))
        selection.offer(value, float(train_loss), loss, rate)
        selection.remember(self._rms(self.stack.values[model]), self._rms(self.gradient[model]))
        if selection.improved:
            for best, average in zip(self.best, self.average, strict=True):
                best[model] = average[model]
        last = epoch + 1 == settings.epochs or epoch - selection.epoch >= settings.patience
        return EpochReport(
            epoch,
            float(train_loss),
            loss,
            last,
            score=selection.smoothed,
            learning_rate=rate,
            best_epoch=selection.epoch,
        )

    def _rms(self, vector: Tensor) -> list[float]:
        """Root mean square of each parameter's part of a vector."""
        lengths = torch.stack([part.norm() for part in vector.split(self.stack.sizes)])
        sizes = torch.tensor(self.stack.sizes, device=vector.device)
        found: list[float] = (lengths / sizes.sqrt()).tolist()
        return found

    def _batch(self, rows: Rows) -> Batch:
        batch = self.layout.batch(rows)
        return batch if self.device.type == "cpu" else batch.to(self.device)
