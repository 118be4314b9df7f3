"""The domain of a run: what its rows count, and what nearness was worth in its folds.

What a row is judged by is the class the model itself found most probable, not that of a
threshold, which makes mistakes of one kind on purpose.

Where several tasks are learnt together there is one domain, since it is one molecule that is
near or far. A row then counts as wrong if the model was wrong on more of its known tasks than it
is on average: of tasks that are mostly right, if it was wrong at all.

Symbols: G graphs, m training rows, W columns, T tasks. Must not know models or storage.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.evaluation.domain import Domain, fit_domain, measure_worth
from kekule.evaluation.fold_inputs import NETWORK, FoldInputs, FoldResult, FoldTask, Rows
from kekule.evaluation.folds import shipped, split_rows
from kekule.features.wl_folded import WIDTH, wl_folded

if TYPE_CHECKING:
    from scipy import sparse

    from kekule.features.similarity import Counts

ECFP, WL = "ecfp", "wl"
WIDTHS: Final = {ECFP: 2048, WL: WIDTH}  # columns of each way to count, W
MOST_ROWS: Final = 5_000_000  # m
LARGEST: Final = 255 * 1024 * 1024  # bytes of its arrays: who opens a bundle makes room for them
OFF: Final = "it was not asked for (uncertainty.domain)"


class DomainCounts(NamedTuple):
    """What is compared, and of what kind it is."""

    similarity: str  # a key of WIDTHS
    counts: "Counts"  # (G, W)


class RunDomain(NamedTuple):
    """Domain of the model that is shipped, with its worth; or why there is none."""

    similarity: str  # a key of WIDTHS; empty where there is none
    domain: Domain | None
    why_not: str  # also why there is no worth, where there is a domain without

    def to_json(self) -> dict[str, Any]:
        """What it was worth, finite; ``why_not`` alone where that is not known."""
        if self.domain is None or self.domain.worth is None:
            return {"why_not": self.why_not}
        return {
            "similarity": self.similarity,
            "k": self.domain.k,
            "threshold": self.domain.threshold,
            **self.domain.worth.to_json(),
        }


def counts_for_domain(inputs: FoldInputs) -> DomainCounts:
    """ECFP counts where the run has them, else subtree counts of its graphs."""
    if ECFP in inputs.tables:
        return DomainCounts(ECFP, inputs.tables[ECFP])
    return DomainCounts(WL, wl_folded(inputs.graphs))


def domain_of_run(
    results: Mapping[FoldTask, FoldResult],
    inputs: FoldInputs,
    *,
    source_rows: Rows | None = None,
) -> RunDomain:
    """Draw the domain of the shipped model, and measure its worth on the folds of one seed.

    A fold's training rows are all that it does not test and could learn from, those that chose
    its epoch among them. Time grows with the square of the rows: a second for some thousand.

    Parameters
    ----------
    results, inputs
        Of a finished run.
    source_rows
        int64 (G,), number of each graph in the source, by which `Domain` names the nearest;
        0 to G - 1 where not given.
    """
    if not inputs.recipe.uncertainty.domain:
        return RunDomain("", None, OFF)
    from scipy import sparse

    kind, counts = counts_for_domain(inputs)
    numbers = np.arange(len(inputs.targets)) if source_rows is None else source_rows
    try:
        train = _learnt_from(inputs, shipped(inputs.recipe))
        seen = sparse.csr_matrix(counts[train])
        if why := _too_much(seen):
            return RunDomain("", None, why)
        domain = fit_domain(seen, rows=numbers[train])
    except KekuleError as error:
        return RunDomain("", None, str(error))
    try:
        right, folds = _judged(results, inputs)
        worth = measure_worth(
            counts, right, folds, k=domain.k, measure=domain.measure, drawn=(train, domain)
        )
    except KekuleError as error:
        return RunDomain(kind, domain, str(error))
    return RunDomain(kind, replace(domain, worth=worth), "")


def _too_much(seen: "sparse.csr_matrix") -> str:
    """Why a bundle could not hold these rows; empty where it can."""
    n_rows = seen.shape[0]
    n_bytes = seen.data.nbytes + seen.indices.nbytes + seen.indptr.nbytes + 8 * n_rows
    if n_rows <= MOST_ROWS and n_bytes <= LARGEST:
        return ""
    return (
        f"its {n_rows} rows take {n_bytes} bytes, and a bundle holds at most {MOST_ROWS} rows in "
        f"{LARGEST} bytes"
    )


def _learnt_from(inputs: FoldInputs, task: FoldTask) -> Rows:
    train, held, _ = split_rows(inputs, task)
    return np.union1d(train, held)


def _judged(
    results: Mapping[FoldTask, FoldResult], inputs: FoldInputs
) -> tuple[NDArray[np.bool_], list[tuple[Rows, Rows]]]:
    """Whether each row was answered right, and the folds of the first seed."""
    wrong = np.full((len(inputs.targets), inputs.n_tasks), np.nan)
    truth = inputs.targets.reshape(wrong.shape)
    folds = []
    for task, result in results.items():
        if task.model != NETWORK or task.seed != inputs.recipe.seed or not len(result.rows):
            continue
        rows = result.rows
        known = truth[rows] >= 0
        missed = result.labels.reshape(known.shape) != truth[rows]
        wrong[rows] = np.where(known, missed, np.nan)
        folds.append((_learnt_from(inputs, task), rows[known.any(axis=1)]))
    return ~_counts_as_wrong(wrong), folds


def _counts_as_wrong(wrong: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows wrong on more of their known tasks than is usual; NaN where nothing is known."""
    known = ~np.isnan(wrong)
    found = np.where(known, wrong, 0)
    if wrong.shape[1] == 1:
        return found[:, 0] > 0
    usual = found.sum() / max(int(known.sum()), 1)
    counts = found.sum(axis=1) > usual * known.sum(axis=1)
    return np.asarray(counts, dtype=np.bool_)
