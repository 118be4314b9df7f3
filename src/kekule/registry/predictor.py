"""Asking a bundle: rows in, the same rows out in the same order, each with a status.

Columns: ``row``, the input's own columns, ``status``, ``reason``, ``smiles_used`` (where
the input was SMILES), ``prediction``, and ``probability`` of the positive class, or
``probability_<class>`` where there are more than two, and ``prediction_set``; of several tasks
each of these with ``<task>.`` before it. Then ``in_domain``, ``similarity`` and ``nearest_row``.
A column of the input named like one of these keeps its cells under ``input_<name>``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule._errors import KekuleError, MoleculeError, SchemaError
from kekule.data import (
    INVALID,
    OK,
    WARNING,
    LabelledGraphs,
    RowStatus,
    StandardisationPolicy,
    kept_apart,
)
from kekule.data.chunked import Progress
from kekule.data.molecules import SmilesGraphs, graphs_from_smiles
from kekule.data.structures import Structures
from kekule.features import PackedGraphs, described, misfits, pack, standard_graphs, unseen
from kekule.models.members.member import Material
from kekule.registry.answers import Columns, answer_columns
from kekule.registry.bundle import OpenBundle, open_bundle
from kekule.registry.fingerprints import tables_of
from kekule.registry.parts import counts_of
from kekule.registry.uncertainty_columns import uncertainty_columns

NONE = np.zeros((0, 0), dtype=np.int64)  # counts of no row: the columns are there all the same
RESERVED = (
    *("row", "status", "reason", "smiles_used", "prediction", "probability"),
    *("prediction_set", "in_domain", "similarity", "nearest_row"),
)


class Predictor:
    """A verified bundle that answers for molecules or graphs.

    Attributes
    ----------
    classes
        As spelt in the training data; empty where there are several tasks.
    tasks
        Of several tasks the names, each with its own classes; else empty.
    manifest
        Content of ``bundle.json``.

    Examples
    --------
    >>> model = kekule.load("models/mutag-gin")  # doctest: +SKIP
    >>> model.predict(["O=[N+]([O-])c1ccc2ccccc2c1", "CCO"])  # doctest: +SKIP
    """

    def __init__(self, bundle: OpenBundle):
        self._bundle = bundle
        self.classes = bundle.classes
        self.tasks = bundle.tasks
        self.manifest: dict[str, Any] = bundle.manifest

    def predict(
        self,
        inputs: Sequence[str] | LabelledGraphs | Structures,
        *,
        strict: bool = False,
        processes: int = 1,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Class and probability of every input row.

        Parameters
        ----------
        inputs
            SMILES; or a graph set; or rows of `kekule.data.structures.read_structures`,
            whose own columns are then kept.
        strict
            Raise at the first invalid row instead of keeping it.
        processes
            Of these SMILES are read and laid out, where the model was trained on a table.
        progress
            Called with what is done, how far, and of how many.

        Returns
        -------
        DataFrame
            One row per input row, in order; see the module for its columns.

        Raises
        ------
        MoleculeError, SchemaError
            With `strict`, at the first invalid row, naming it.
        SchemaError
            If the graphs have other columns than the model was trained on, or labels that
            stand for other elements or bonds.
        KekuleError
            If SMILES are given to a model whose graphs are not molecules.
        """
        rows = _as_structures(inputs)
        graphs, statuses, used = self._laid_out(rows, processes, progress)
        if strict:
            _refuse_invalid(rows, statuses)
        usable = np.flatnonzero([s.status != INVALID for s in statuses])
        n_classes, n_tasks = counts_of(self.classes, self.tasks)
        shape = (len(rows), n_tasks, n_classes) if self.tasks else (len(rows), n_classes)
        values, tables = np.full(shape, np.nan), {}
        uncertainty = self._bundle.uncertainty
        counts: Any = None if uncertainty is None or uncertainty.domain is None else NONE
        if len(usable):
            packed, model = graphs(usable), self._bundle.model
            needs = model.needs if uncertainty is None else (*model.needs, *uncertainty.needs)
            smiles = [used[row] for row in usable.tolist()] if needs and used else []
            tables = tables_of(smiles, needs, processes=processes, progress=progress)
            values[usable] = model.probabilities(Material(packed, tables))
            counts = None if uncertainty is None else uncertainty.counts(packed, tables)
        answers = self._answers(values, counts, usable)
        return _table(rows, statuses, used, answers)

    def _answers(
        self, values: NDArray[np.float64], counts: Any, usable: NDArray[np.int64]
    ) -> Columns:
        """Columns of the model's own probabilities: calibrated, with what is known of each."""
        uncertainty = self._bundle.uncertainty
        if uncertainty is None:
            labels = np.where(np.isnan(values).any(-1), -1, np.nan_to_num(values).argmax(-1))
            return answer_columns(labels, values, classes=self.classes, tasks=self.tasks)
        calibrated, labels = uncertainty.calibrated(values), uncertainty.labels(values)
        columns = answer_columns(labels, calibrated, classes=self.classes, tasks=self.tasks)
        return columns | uncertainty_columns(
            uncertainty, values, counts, counted=usable, classes=self.classes, tasks=self.tasks
        )

    def _laid_out(
        self, rows: Structures, processes: int, progress: Progress | None
    ) -> tuple[Callable[[NDArray[np.int64]], PackedGraphs], list[RowStatus], list[str] | None]:
        """How to have the arrays of some rows, the status of every row, and SMILES if any."""
        if self._bundle.policy is not None:
            return self._standardised(rows, self._bundle.policy, processes, progress)
        schema, used = self._bundle.schema, None
        if rows.graphs is not None:
            statuses = [self._same_language(rows.graphs)] * len(rows)
            graphs = rows.graphs
        else:
            graphs, statuses, used = self._read(rows)
        statuses = _set_misfits_aside(statuses, misfits(graphs, schema))
        return lambda usable: pack(graphs.take(usable), schema), statuses, used

    def _standardised(
        self,
        rows: Structures,
        policy: StandardisationPolicy,
        processes: int,
        progress: Progress | None,
    ) -> tuple[Callable[[NDArray[np.int64]], PackedGraphs], list[RowStatus], list[str] | None]:
        if rows.smiles is None:
            raise KekuleError(
                f"{rows.source}: a set of graphs is given, but the model "
                f"{self.manifest['name']!r} was trained on a table of molecules. Write the set "
                "as SMILES with `kekule data convert`, and predict those."
            )
        read = standard_graphs(
            rows.smiles, policy, reasons=rows.reasons, processes=processes, progress=progress
        )
        schema = self._bundle.schema
        graphs, found = described(read, schema, processes=processes, progress=progress)
        statuses = [
            _with_remark(status, remark)
            for status, remark in zip(
                found.statuses, unseen(graphs, self._bundle.seen), strict=True
            )
        ]
        return graphs.take, statuses, found.smiles

    def _same_language(self, graphs: LabelledGraphs) -> RowStatus:
        """Refuse graphs whose labels mean something else; doubt those that do not say."""
        wanted, given = self._bundle.schema.alphabet, graphs.alphabet
        if wanted is None or wanted == given:
            return RowStatus(OK, "")
        if given is None:
            reason = "what its labels stand for is not stated; taken for those of the model"
            return RowStatus(WARNING, reason)
        raise SchemaError(
            f"{graphs.source}: its labels stand for other elements or bonds than those of the "
            f"model {self.manifest['name']!r} (label 0 is {given.elements.get(0)}, not "
            f"{wanted.elements.get(0)}, for one). Write them as SMILES with `kekule data "
            "convert`, and predict those."
        )

    def _read(self, rows: Structures) -> SmilesGraphs:
        alphabet = self._bundle.schema.alphabet
        if alphabet is None:
            raise KekuleError(
                f"{rows.source}: SMILES are given, but the model {self.manifest['name']!r} was "
                "trained on graphs that are not known to be molecules. Give a TU folder of "
                "graphs of the same kind."
            )
        graphs, statuses, used = graphs_from_smiles(
            rows.smiles or [], alphabet, source=rows.source
        )
        for row, reason in enumerate(rows.reasons or ()):
            if reason:
                statuses[row] = RowStatus(INVALID, reason)
        return SmilesGraphs(graphs, statuses, used)


def load(path: str | Path) -> Predictor:
    """Open a bundle or a run folder, verified, ready to predict.

    Raises
    ------
    BundleError
        If it is missing, changed or predicts differently from when it was made.
    """
    return Predictor(open_bundle(Path(path)))


def _as_structures(inputs: Sequence[str] | LabelledGraphs | Structures) -> Structures:
    if isinstance(inputs, Structures):
        return inputs
    if isinstance(inputs, LabelledGraphs):
        return Structures(pd.DataFrame(index=range(len(inputs))), None, inputs, inputs.source)
    if isinstance(inputs, str | bytes):
        raise KekuleError(
            f"input: {inputs!r} is one string, and rows are asked for. Give a list: [{inputs!r}]."
        )
    # Half a character, which a shell makes of a byte that is no UTF-8, fits into no column.
    smiles = [str(text).encode("utf-8", "replace").decode() for text in inputs]
    return Structures(pd.DataFrame({"smiles": smiles}, dtype=str), smiles, None, "input")


def _with_remark(status: RowStatus, remark: str) -> RowStatus:
    """Add a reservation to a row's status; an invalid row has a better reason."""
    if not remark or status.status == INVALID:
        return status
    return RowStatus(WARNING, "; ".join(filter(None, [status.reason, remark])))


def _set_misfits_aside(statuses: Sequence[RowStatus], reasons: Sequence[str]) -> list[RowStatus]:
    return [
        RowStatus(INVALID, reason) if reason and status.status != INVALID else status
        for status, reason in zip(statuses, reasons, strict=True)
    ]


def _refuse_invalid(rows: Structures, statuses: Sequence[RowStatus]) -> None:
    for row, status in enumerate(statuses):
        if status.status == INVALID and rows.smiles is not None:
            raise MoleculeError(rows.smiles[row], status.reason, source=rows.source, row=row)
        if status.status == INVALID:
            raise SchemaError(
                f"{rows.source}, row {row}: {status.reason}. "
                "Correct the row, or leave out --strict to keep it as an invalid row."
            )


def _table(
    rows: Structures,
    statuses: Sequence[RowStatus],
    used: Sequence[str] | None,
    answers: Columns,
) -> pd.DataFrame:
    results: dict[str, Any] = {
        "status": [s.status for s in statuses],
        "reason": [s.reason for s in statuses],
    }
    if used is not None:
        results["smiles_used"] = used
    results |= answers
    names_given = [str(name) for name in rows.frame.columns]
    renamed = kept_apart(names_given, {*RESERVED, *results})
    own = {new: rows.frame.iloc[:, k].to_numpy() for k, new in enumerate(renamed)}
    return pd.DataFrame({"row": np.arange(len(rows)), **own, **results})
