"""How near the rows of a finished run lie to each other, and what that did to its answers.

Made from what the run folder and its data hold: nothing is trained. Molecules of a table are
compared by their circular substructures, graphs of a set by their subtree patterns, which see
no edge labels.

Of many rows an even sample is asked about, each still against all the others, so that a page
waits half a second at the most.

Symbols: R usable rows, n of them tested, C classes, S seeds.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.chunked import available_cores
from kekule.evaluation.cliffs import (
    CLIFF,
    CliffPair,
    cliff_errors,
    opposites,
    worst_pairs,
)
from kekule.evaluation.error_by_similarity import (
    SimilarityBin,
    error_by_similarity,
    row_brier,
    training_similarity,
)
from kekule.evaluation.ranking_stability import top_lists
from kekule.features import PackedGraphs, wl_features
from kekule.visualization.nearness_view import (
    CliffPairView,
    CliffRow,
    CliffsView,
    ErrorBin,
    SimilarityView,
    TopListView,
)
from kekule.visualization.portion import NAN, Interval, Portion
from kekule.workflow.graph_set import GraphSet
from kekule.workflow.molecule_set import MoleculeSet

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

NodeNames = tuple[NDArray[np.int64], tuple[str, ...]]  # code of each node, name of each code
Drawn = tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]  # edges, codes of nodes, names

MOST_COMPARED = 2**25  # pairs of rows: some 0.4 s
WORTH_PROCESSES = 20_000  # rows: fewer are counted before processes have started
MOST_PAIRS = 8  # cliffs drawn
COMPARED = ("ecfp",)  # fingerprint of molecules
FEWEST_RANKED = 50  # rows that every seed ranks
DEPTH = 3  # rounds of refinement
MEASURES = {
    "molecules": "circular substructures (ECFP4 counts, min-max)",
    "graphs": f"subtree patterns (Weisfeiler–Lehman, {DEPTH} rounds, min-max)",
}

log = logging.getLogger(__name__)


class RunRows(NamedTuple):
    """The usable rows of a run as its first seed answered them.

    Attributes
    ----------
    numbers
        int64 (R,), rows of the source.
    fold
        int64 (R,), that tested the row, from 1; 0 where none did.
    truth
        int64 (R,), class numbers; -1 everywhere of several tasks.
    probabilities
        float64 (R, C), NaN where there is none; (R, 0) of several tasks.
    classes
        C names.
    """

    numbers: NDArray[np.int64]
    fold: NDArray[np.int64]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]

    @property
    def tested(self) -> NDArray[np.int64]:
        """Positions of the rows that a fold tested and, with one task, answered."""
        answered = (self.fold > 0) & np.isfinite(self.probabilities).all(axis=1)
        return np.flatnonzero(answered)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Class number of the highest probability (R,); -1 where there is no answer."""
        known = np.isfinite(self.probabilities).all(axis=1)
        return np.where(known, np.nan_to_num(self.probabilities).argmax(axis=1), -1)


def nearness_of_run(
    origin: GraphSet | MoleculeSet, rows: RunRows
) -> tuple[SimilarityView | None, CliffsView | None]:
    """Errors by similarity to the training rows, and on activity cliffs.

    A fold's training rows are all usable rows that it does not test, those that chose its
    epoch among them. Of several tasks only the similarities are told: a row has an answer in
    each, and no single error.
    """
    tested = rows.tested
    if not len(tested) or len(rows.numbers) < 2:
        return None, None
    asked = tested[:: every_how_many(len(tested), len(rows.numbers))]
    try:
        counts = counts_of(origin, rows.numbers)
        similarity = training_similarity(counts, _folds(rows.fold, asked))
        measure = MEASURES["molecules" if isinstance(origin, MoleculeSet) else "graphs"]
        found = SimilarityView(measure, similarity[asked], len(tested))
        if not len(rows.classes):
            return found, None
        wrong = rows.predicted != rows.truth
        errors = error_by_similarity(
            found.similarity,
            wrong[asked],
            row_brier(rows.probabilities[asked], rows.truth[asked]),
        )
        with_errors = replace(found, bins=tuple(map(_bin_view, errors)))
        return with_errors, _cliffs(origin, rows, counts, asked)
    except KekuleError as error:  # of rows that cannot be counted: the page goes without
        log.warning("similarities are not told: %s", error)
        return None, None


def top_lists_of_run(
    table: pd.DataFrame, seeds: Sequence[int], column: str, percents: tuple[int, ...]
) -> tuple[TopListView, ...]:
    """Compare the seeds' rankings of the rows that all of them tested.

    Parameters
    ----------
    table
        Of ``predictions.csv``.
    seeds
        Of the recipe, the first one's columns having no prefix.
    column
        The probability to rank by.
    percents
        Of the rows, see `kekule.evaluation.ranking_stability.top_lists`.

    Returns
    -------
    tuple of TopListView
        Empty with one seed, where a column is missing, or where all seeds tested less than
        `FEWEST_RANKED` rows.
    """
    names = [column, *(f"seed{seed}.{column}" for seed in seeds[1:])]
    if len(names) < 2 or any(name not in table for name in names):
        return ()
    scores = table[names].to_numpy(dtype=np.float64).T
    scores = scores[:, np.isfinite(scores).all(axis=0)]
    if scores.shape[1] < FEWEST_RANKED:
        return ()
    return tuple(TopListView(*each) for each in top_lists(scores, percents))


def every_how_many(n_asked: int, n_rows: int) -> int:
    """Step of the even sample that compares no more than `MOST_COMPARED` pairs with all rows."""
    return -(-n_asked * n_rows // MOST_COMPARED)


def counts_of(origin: GraphSet | MoleculeSet, rows: NDArray[np.int64]) -> "Counts":
    """What some rows are compared by, (n, W): circular substructures, or a set's subtree patterns.

    Raises
    ------
    KekuleError
        If one of the rows cannot be counted.
    """
    if isinstance(origin, MoleculeSet):
        processes = available_cores() if len(rows) > WORTH_PROCESSES else 1
        tables = origin.fingerprints(
            rows, COMPARED, cache=None, processes=processes, progress=None
        )
        return tables[COMPARED[0]]
    from scipy import sparse

    return sparse.hstack(wl_features(origin.packed(rows), DEPTH)).tocsr()


def graph_of_row(nodes: NodeNames, packed: PackedGraphs, position: int) -> Drawn:
    """One of some packed graphs, to be drawn: edges (2, E), codes (V,), names of the codes."""
    codes, names = nodes
    start, end = packed.node_pointer[position : position + 2]
    edges = packed.edge_index[:, slice(*packed.edge_pointer[position : position + 2])]
    return edges.astype(np.int64), codes[start:end], names


def _folds(
    fold: NDArray[np.int64], asked: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    return [
        (np.flatnonzero(fold != number), asked[fold[asked] == number])
        for number in np.unique(fold[asked]).tolist()
    ]


def _bin_view(found: SimilarityBin) -> ErrorBin:
    low, high = (NAN if end is None else end for end in (found.brier_low, found.brier_high))
    errors = Portion.of(found.errors._asdict())
    return ErrorBin(found.low, found.high, errors, Interval(found.brier, low, high))


def _cliffs(
    origin: GraphSet | MoleculeSet, rows: RunRows, counts: "Counts", asked: NDArray[np.int64]
) -> CliffsView | None:
    """Errors on cliffs and the worst of them; None where there is one class alone."""
    found = opposites(counts, rows.truth, asked=asked)
    if np.isnan(found.similarity).all():
        return None
    wrong = rows.predicted != rows.truth
    errors = cliff_errors(found.similarity[asked], wrong[asked])
    chance = rows.probabilities[np.arange(len(rows.truth)), rows.truth]
    pairs = worst_pairs(found, chance, MOST_PAIRS)
    return CliffsView(
        limit=CLIFF,
        n_looked_at=len(asked),
        on=Portion.of(errors.on._asdict()),
        off=Portion.of(errors.off._asdict()),
        gap=Interval.of(errors.gap._asdict()),
        steps=tuple(
            (step.low, step.high, Portion.of(step.errors._asdict())) for step in errors.steps
        ),
        pairs=_pair_views(origin, rows, pairs),
    )


def _pair_views(
    origin: GraphSet | MoleculeSet, rows: RunRows, pairs: Sequence[CliffPair]
) -> tuple[CliffPairView, ...]:
    places = np.unique([place for pair in pairs for place in pair[:2]]).astype(np.int64)
    numbers = rows.numbers[places]
    packed, nodes = origin.packed(numbers), origin.node_names(numbers)
    molecules, predicted = origin.molecules(numbers), rows.predicted
    views: dict[int, CliffRow] = {}
    for k, place in enumerate(places.tolist()):
        truth, given = int(rows.truth[place]), int(predicted[place])
        views[place] = CliffRow(
            row=int(rows.numbers[place]),
            truth=rows.classes[truth],
            predicted=rows.classes[given] if given >= 0 else "",
            chance=float(rows.probabilities[place, truth]),
            molecule=molecules[k],
            graph=graph_of_row(nodes, packed, k) if molecules[k] is None else None,
            n_nodes=int(np.diff(packed.node_pointer[k : k + 2])[0]),
        )
    return tuple(CliffPairView(views[p.first], views[p.second], p.similarity) for p in pairs)
