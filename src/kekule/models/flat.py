"""All weights of a network as one vector, and the optimiser that moves it.

A network of 20 arrays needs 20 times as many small operations a step for its optimiser, its
clipping and its moving average as one of a single array. Here the arrays are views of one
vector: a step is a handful of operations whatever the depth. The same code moves the weights
of M stacked models, row by row.

Symbols: P learned numbers, Q numbers in floating-point buffers, M models.
"""

import math

import torch
from torch import Tensor, nn


class FlatNetwork:
    """A network whose arrays are views of `values`, `gradient` and `buffers`.

    Attributes
    ----------
    network
        The same module; its parameters and gradients share the memory of the vectors.
    values, gradient
        float32 (P,).
    buffers
        float32 (Q,): statistics of normalisations and scales.
    """

    def __init__(self, network: nn.Module):
        self.network = network
        parameters = list(network.parameters())
        self.values = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.gradient = torch.zeros_like(self.values)
        self.sizes = [p.numel() for p in parameters]
        for p, value, grad in zip(
            parameters, self.values.split(self.sizes), self.gradient.split(self.sizes), strict=True
        ):
            p.data = value.view(p.shape)
            p.grad = grad.view(p.shape)
        self.buffers = self._flatten_buffers()

    def _flatten_buffers(self) -> Tensor:
        owned = [
            (module, name, buffer)
            for module in self.network.modules()
            for name, buffer in module.named_buffers(recurse=False)
            if buffer.is_floating_point()
        ]
        if not owned:
            return self.values.new_zeros(0)
        flat = torch.cat([buffer.reshape(-1) for _, _, buffer in owned])
        views = flat.split([buffer.numel() for _, _, buffer in owned])
        for (module, name, buffer), view in zip(owned, views, strict=True):
            setattr(module, name, view.view(buffer.shape))
        return flat

    def parts(self, vector: Tensor) -> list[Tensor]:
        """A vector of P numbers, cut into the parameters' arrays."""
        return list(vector.split(self.sizes))

    def follow(self, other: "FlatNetwork", decay: float) -> None:
        """Move towards `other`: a moving average of its weights and statistics."""
        self.values.lerp_(other.values, 1 - decay)
        self.buffers.lerp_(other.buffers, 1 - decay)


class AdamW:
    """Adam with decoupled weight decay on a vector (P,), or on rows (M, P).

    The same numbers as `torch.optim.AdamW`, whose construction imports a compiler that takes
    longer than ten epochs of MUTAG.

    References
    ----------
    Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101.
    """

    BETAS = (0.9, 0.999)
    EPSILON = 1e-8

    def __init__(self, values: Tensor, *, weight_decay: float):
        self.weight_decay = weight_decay
        self.mean = torch.zeros_like(values)
        self.square = torch.zeros_like(values)
        self.steps = 0

    def step(self, values: Tensor, gradient: Tensor, rate: float) -> None:
        """Move `values` against `gradient` by steps of about `rate`."""
        self.steps += 1
        first, second = self.BETAS
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        correction = math.sqrt(1 - second**self.steps)
        spread = self.square.sqrt().div_(correction).add_(self.EPSILON)
        values.mul_(1 - rate * self.weight_decay)
        values.addcdiv_(self.mean, spread, value=-rate / (1 - first**self.steps))


def clip(gradient: Tensor, longest: float) -> Tensor:
    """Length of a gradient (P,), or of each row (M, P), shortened to `longest` in place.

    With `longest` 0 nothing is shortened. Returns the length before, () or (M,).
    """
    length: Tensor = gradient.norm(dim=-1)
    if longest:
        shorter = (longest / (length + 1e-6)).clamp(max=1.0)
        gradient.mul_(shorter[..., None] if gradient.dim() > 1 else shorter)
    return length


def rate_at(epoch: float, *, peak: float, epochs: int, warmup: float) -> float:
    """Step size: rises for `warmup` epochs, then falls as a cosine to a hundredth of `peak`.

    `epoch` counts passes, with parts of one while it rises; the fall goes by whole ones.
    """
    if epoch < warmup:
        return peak * max(epoch, 1e-3 * warmup) / warmup
    gone = (math.floor(epoch) - warmup) / max(epochs - warmup, 1)
    low = peak / 100
    return low + (peak - low) * (1 + math.cos(math.pi * min(max(gone, 0.0), 1.0))) / 2
