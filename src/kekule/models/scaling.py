"""Numbers scaled by the mean and deviation of the training rows."""

import torch
from torch import Tensor, nn

ROUNDING = 1e-6  # of the mean: a few times what float32 can tell apart
FAR = 10.0  # deviations; what lies further off is taken to lie there


class Scaling(nn.Module):
    """Subtract the mean and divide by the deviation of the rows it was set by.

    Parameters
    ----------
    width
        Number of columns, C.
    bounded
        Whether values further than `FAR` deviations from the mean are moved there: a
        molecule unlike all of training must not multiply what was learnt beyond measure.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, *, bounded: bool = False):
        super().__init__()
        self.bounded = bounded
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def set_scale(self, values: Tensor) -> None:
        """Take mean and deviation from `values` (n, C): those of the training rows only."""
        if values.numel():
            mean = values.double().mean(0)
            deviation = values.double().std(0, unbiased=False)
            # What a column of equal numbers deviates by is rounding, not a scale.
            varies = deviation > ROUNDING * mean.abs()
            self.mean.copy_(mean)
            self.scale.copy_(torch.where(varies, deviation, torch.ones_like(deviation)))

    def scaled(self, values: Tensor) -> Tensor:
        """Scale float32 (n, C)."""
        scaled = (values - self.mean) / self.scale
        return scaled.clamp(-FAR, FAR) if self.bounded else scaled
