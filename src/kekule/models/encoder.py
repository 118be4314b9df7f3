"""From codes and attributes to the first vector of a node or an edge.

Each code column has an embedding table and the vectors are summed; attributes are scaled
by the training rows' mean and deviation and mapped linearly into the same space.
"""

from itertools import accumulate
from math import sqrt
from typing import Literal, cast

import torch
from torch import Tensor, nn

from kekule.features import Column
from kekule.models.aggregation import Messages, gather_sum
from kekule.models.scaling import Scaling


def start_small(encoder: "CodeEncoder | None") -> None:
    """Draw tables as a linear layer on their one-hot columns would."""
    if encoder is None or not len(encoder.tables):
        return
    weights = [table.get_parameter("weight") for table in encoder.tables]
    bound = 1 / sqrt(sum(len(weight) for weight in weights))
    for weight in weights:
        nn.init.uniform_(weight, -bound, bound)


class CodeEncoder(Scaling):
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

    def __init__(
        self,
        columns: tuple[Column, ...],
        n_attributes: int,
        width: int,
        *,
        part: Literal["node", "edge"] = "node",
    ):
        super().__init__(n_attributes)
        self.part = part
        sizes = [column.cardinality for column in columns]
        self.tables = nn.ModuleList(_table(size, width) for size in sizes)
        # No buffer: where models are stacked it would be, too, and messages are shared.
        self.starts = list(accumulate(sizes, initial=0))[:-1]
        self.linear = nn.Linear(n_attributes, width) if n_attributes else None
        empty = not columns and not n_attributes
        self.constant = nn.Parameter(torch.randn(width)) if empty else None

    def forward(self, codes: Tensor, attributes: Tensor) -> Tensor:
        """Map int64 (V, A) codes and float32 (V, C) attributes to float32 (V, F)."""
        parts = []
        if len(self.tables):
            parts.append(self._embedded(codes))
        if self.linear is not None:
            parts.append(self.linear(self.scaled(attributes)))
        if self.constant is not None:
            parts.append(self.constant.expand(len(codes), -1))
        total: Tensor = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _embedded(self, codes: Tensor) -> Tensor:
        """One pass over all columns instead of one each: the tables are joined for it."""
        n_rows, n_columns = codes.shape
        # Not `get_parameter`: where models are stacked their weights are no parameters.
        weights = [cast(Tensor, table.weight) for table in self.tables]
        if n_columns == 1:
            return nn.functional.embedding(codes[:, 0], weights[0])
        table = torch.cat(weights)
        row = torch.arange(n_rows + 1, device=codes.device)
        target = row[:-1].repeat_interleave(n_columns)
        source = (codes + codes.new_tensor(self.starts)).reshape(-1)
        return gather_sum(table, Messages(source, target, row * n_columns))


def _table(size: int, width: int) -> nn.Embedding:
    """Table of normal numbers; of none on the meta device, which imports a compiler for them."""
    values = torch.empty(size, width)
    if not values.is_meta:
        nn.init.normal_(values)
    table: nn.Embedding = nn.Embedding.from_pretrained(values, freeze=False)
    return table
