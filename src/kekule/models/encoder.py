"""From codes and attributes to the first vector of a node or an edge.

Each code column has an embedding table and the vectors are summed; attributes are scaled
by the training rows' mean and deviation and mapped linearly into the same space.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from kekule.features import Column

ROUNDING = 1e-6  # of the mean: a few times what float32 can tell apart


class CodeEncoder(nn.Module):
    """Sum of embedded codes and of linearly mapped attributes.

    Parameters
    ----------
    columns
        Code columns of the schema, A of them.
    n_attributes
        Width C of the attribute matrix.
    width
        Width F of the result.
    part
        Whether it encodes nodes or edges: whose attributes it is scaled by.

    Notes
    -----
    Where there is neither a column nor an attribute every node gets the same learned
    vector, so that the degree alone can still be told apart by a network.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        columns: tuple[Column, ...],
        n_attributes: int,
        width: int,
        *,
        part: Literal["node", "edge"] = "node",
    ):
        super().__init__()
        self.part = part
        self.tables = nn.ModuleList(nn.Embedding(c.cardinality, width) for c in columns)
        self.linear = nn.Linear(n_attributes, width) if n_attributes else None
        empty = not columns and not n_attributes
        self.constant = nn.Parameter(torch.randn(width)) if empty else None
        self.register_buffer("mean", torch.zeros(n_attributes))
        self.register_buffer("scale", torch.ones(n_attributes))

    def set_scale(self, attributes: Tensor) -> None:
        """Take mean and deviation from `attributes` (V, C): those of the training rows only."""
        if attributes.numel():
            mean = attributes.double().mean(0)
            deviation = attributes.double().std(0, unbiased=False)
            # What a column of equal numbers deviates by is rounding, not a scale.
            varies = deviation > ROUNDING * mean.abs()
            self.mean.copy_(mean)
            self.scale.copy_(torch.where(varies, deviation, torch.ones_like(deviation)))

    def forward(self, codes: Tensor, attributes: Tensor) -> Tensor:
        """Map int64 (V, A) codes and float32 (V, C) attributes to float32 (V, F)."""
        parts = [table(codes[:, k]) for k, table in enumerate(self.tables)]
        if self.linear is not None:
            parts.append(self.linear((attributes - self.mean) / self.scale))
        if self.constant is not None:
            parts.append(self.constant.expand(len(codes), -1))
        total: Tensor = parts[0]
        for part in parts[1:]:
            total = total + part
        return total
