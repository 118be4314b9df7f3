"""A set of labelled graphs as a run needs it.

Symbols: N graphs of the set.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data import LabelledGraphs, Split, audit_graphs, molecule_from_graph
from kekule.data.chunked import Progress
from kekule.features import PackedGraphs, pack, schema_of
from kekule.workflow.smiles import smiles_of


@dataclass(frozen=True, eq=False)
class GraphSet:
    """Graphs of a set, one a row, with the same face as a `MoleculeSet`."""

    graphs: LabelledGraphs

    name = property(lambda self: self.graphs.name)
    source = property(lambda self: self.graphs.source)
    sha256 = property(lambda self: self.graphs.sha256)

    def __len__(self) -> int:
        """Return N."""
        return len(self.graphs)

    @property
    def columns(self) -> pd.DataFrame:
        """Columns of the source: a graph set has none."""
        return pd.DataFrame(index=range(len(self)))

    @property
    def is_molecular(self) -> bool:
        """Whether there are SMILES to show: where labels are known to be elements and bonds."""
        return self.graphs.alphabet is not None

    def targets(self) -> list[str]:
        """Class of each graph as given."""
        return [] if self.graphs.targets is None else self.graphs.targets.astype(str).tolist()

    def smiles(self) -> tuple[list[str], list[str]]:
        """SMILES of each graph, empty where it is no valid molecule, and why it is none."""
        return smiles_of(self.graphs)

    def audit(
        self, *, split: Split | None, processes: int, progress: Progress | None
    ) -> dict[str, Any]:
        """Look the set over; see `kekule.data.audit`."""
        del processes, progress
        return audit_graphs(self.graphs, split=split)

    def examples(self, rows: NDArray[np.int64]) -> LabelledGraphs:
        """Some graphs, for a bundle to replay."""
        return self.graphs.take(rows)

    def packed(self, rows: NDArray[np.int64]) -> PackedGraphs:
        """Some graphs under the schema of the whole set."""
        return pack(self.graphs.take(rows), schema_of(self.graphs))

    def molecules(self, rows: NDArray[np.int64]) -> list[Chem.Mol | None]:
        """Molecules of some graphs, None where one is no valid molecule."""
        if not self.is_molecular:
            return [None] * len(rows)
        molecules: list[Chem.Mol | None] = []
        for row in rows.tolist():
            try:
                molecules.append(molecule_from_graph(self.graphs, row))
            except MoleculeError:
                molecules.append(None)
        return molecules

    def node_names(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Code of each node's first label and the codes' names: elements where known."""
        graphs = self.graphs.take(rows)
        if not graphs.node_columns:
            return np.zeros(len(graphs.node_labels), dtype=np.int64), ("node",)
        values, codes = np.unique(graphs.node_labels[:, 0], return_inverse=True)
        if graphs.alphabet is not None:
            return codes, tuple(graphs.alphabet.elements[int(v)] for v in values)
        column = graphs.node_columns[0]
        return codes, tuple(f"{column} {v}" for v in values.tolist())
