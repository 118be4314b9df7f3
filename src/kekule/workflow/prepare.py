"""From a recipe's data to the inputs of its folds, every row accounted for.

Symbols: N rows of the source, R usable rows, T tasks, K classes of each.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data import (
    INVALID,
    NEVER_TESTED,
    OK,
    SPLITS,
    WARNING,
    MoleculeTable,
    RowStatus,
    Split,
    SplitInputs,
    find_molecule_set,
    find_set,
    is_molecule_source,
    kept_apart,
    make_split,
    molecule_set_entry,
    read_molecules,
    resolve_duplicates,
    training_rows,
)
from kekule.data.chunked import Progress
from kekule.data.file_kinds import KINDS
from kekule.data.number_text import read_bytes
from kekule.evaluation import FoldInputs, Recipe
from kekule.evaluation.uncertainty_settings import check_aim
from kekule.features import misfits, pack, schema_of
from kekule.workflow.graph_set import GraphSet
from kekule.workflow.molecule_set import FEW, MoleculeSet, invalid_rows, molecule_set
from kekule.workflow.tasks import check_tasks, classes_left, no_label

NAMED = "Say which with target=COLUMN."


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set ready for its folds.

    Attributes
    ----------
    origin
        The set as its source gives it, N rows.
    usable
        int64 (R,), rows that can be trained on, rising.
    statuses
        N statuses: ``invalid`` where a row cannot be trained on, with the reason.
    classes
        K class names as spelt in the data, in the order of their numbers; none where there
        are several tasks.
    inputs
        What the folds share; row r of it is row ``usable[r]`` of the source.
    tasks
        Of several tasks the names, each with its own class names; else empty.
    duplicates
        What became of rows of one molecule, in one sentence; empty for a graph set.
    """

    origin: GraphSet | MoleculeSet
    usable: NDArray[np.int64]
    statuses: list[RowStatus]
    classes: tuple[str, ...]
    inputs: FoldInputs
    tasks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    duplicates: str = ""

    def split(self) -> Split | None:
        """Split of the first seed, told in rows of the source; None for a graph set's own."""
        return _of_source(self.inputs.splits, self.inputs.recipe.seed, self.usable, len(self))

    def __len__(self) -> int:
        """Return N."""
        return len(self.origin)

    def rejected(self) -> pd.DataFrame:
        """Rows that were set aside: row, the table's own columns, status, reason."""
        rows = [k for k, status in enumerate(self.statuses) if status.status == INVALID]
        own = self.origin.columns.iloc[rows].reset_index(drop=True)
        own.columns = pd.Index(kept_apart(list(own.columns), {"row", "status", "reason"}))
        reasons = [self.statuses[row].reason for row in rows]
        told = pd.DataFrame({"status": INVALID, "reason": reasons}, index=range(len(rows)))
        return pd.concat([pd.DataFrame({"row": rows}), own, told], axis=1)


def prepare(
    recipe: Recipe,
    *,
    cache: Path | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> Prepared:
    """Read the recipe's data, set unusable rows aside, number the classes, split the rows.

    Parameters
    ----------
    recipe
        Resolved.
    cache
        Where packed molecules are kept; the user's own place where None.
    processes, progress
        For the molecules of a table.

    Raises
    ------
    DataFileError
        If the data cannot be found or read, or have no class labels.
    KekuleError
        If the rows cannot be shared out over the recipe's folds.
    """
    if recipe.is_table:
        molecules = open_table(recipe, cache=cache, processes=processes, progress=progress)
        prepared = _prepare_table(recipe, molecules, cache, processes, progress)
    else:
        prepared = _prepare_graphs(recipe)
    check_aim(recipe.uncertainty, prepared.inputs.n_classes)
    return prepared


def open_data(
    recipe: Recipe,
    *,
    cache: Path | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> GraphSet | MoleculeSet:
    """Read the recipe's data as a run saw them."""
    if recipe.is_table:
        return open_table(recipe, cache=cache, processes=processes, progress=progress)
    return GraphSet(find_set(str(recipe.data.source)))


def read_table_of(recipe: Recipe) -> MoleculeTable:
    """Read the recipe's table, with the columns it names or those known of the set."""
    data = recipe.data
    if isinstance(data.source, str) and not is_molecule_source(data.source):
        why = "columns are named, so a table is meant, and by its name this is none"
        cure = f"Give a file that ends in {', '.join(KINDS)}; a set of graphs has no columns."
        raise DataFileError(data.source, why, cure)
    source: str | list[str] = list(data.source) if isinstance(data.source, tuple) else data.source
    smiles = data.smiles
    targets = data.target if isinstance(data.target, tuple) else (data.target,)
    targets = tuple(name for name in targets if name is not None)
    if isinstance(source, str) and (entry := molecule_set_entry(Path(source).name)) is not None:
        known = find_molecule_set(source)
        if known is None:
            why = f"no folder here holds this set of {entry.n_rows:,} molecules"
            cure = f"Fetch it with `kekule data get {entry.name}`."
            raise DataFileError(source, why, cure)
        source, smiles = str(known.path), smiles or known.smiles_column
        targets = targets or known.targets
    return read_molecules(
        source, smiles=smiles, targets=targets, id_column=data.id, weight_column=data.weight
    )


def open_table(
    recipe: Recipe, *, cache: Path | None, processes: int, progress: Progress | None
) -> MoleculeSet:
    """Read, standardise and lay out the recipe's table."""
    return molecule_set(
        read_table_of(recipe),
        recipe.standardise,
        descriptors=recipe.features.descriptors,
        cache=cache,
        processes=processes,
        progress=progress,
    )


def _prepare_graphs(recipe: Recipe) -> Prepared:
    graphs = find_set(str(recipe.data.source))
    if graphs.targets is None:
        raise DataFileError(
            graphs.source,
            "the set has no class labels, so there is nothing to train on",
            f"Add {graphs.name}_graph_labels.txt, one class a line.",
        )
    schema = schema_of(graphs)
    statuses = [RowStatus(INVALID if why else OK, why) for why in misfits(graphs, schema)]
    usable = np.flatnonzero(~invalid_rows(statuses))
    values, targets = np.unique(graphs.targets[usable], return_inverse=True)
    codes = _dealt(targets.astype(np.int64)[:, None], recipe)[:, 0]
    to_split = SplitInputs(
        codes[:, None], rows=usable, n_source=len(graphs), file=_split_file(recipe)
    )
    inputs = FoldInputs(
        graphs=pack(graphs.take(usable), schema),
        targets=codes,
        n_classes=len(values),
        recipe=recipe,
        splits=_splits(recipe, to_split),
    )
    return Prepared(GraphSet(graphs), usable, statuses, tuple(map(str, values.tolist())), inputs)


def _prepare_table(
    recipe: Recipe,
    molecules: MoleculeSet,
    cache: Path | None,
    processes: int,
    progress: Progress | None,
) -> Prepared:
    table, targets = molecules.table, molecules.table.targets
    if targets is None:
        shown = ", ".join(map(repr, [*table.frame.columns][:20]))
        why = f"no column of classes is named; there are {shown}"
        raise DataFileError(table.source, why, NAMED)
    statuses = list(molecules.rows.statuses)
    if table.weights is not None:
        for row in np.flatnonzero(np.isnan(table.weights)).tolist():
            if statuses[row].status != INVALID:
                statuses[row] = RowStatus(INVALID, "there is no weight")
    for row in np.flatnonzero((targets.codes < 0).all(axis=1)).tolist():
        if statuses[row].status != INVALID:
            statuses[row] = RowStatus(INVALID, no_label(targets.tasks))
    resolved = resolve_duplicates(
        molecules.rows.smiles, targets, recipe.data.duplicates, usable=~invalid_rows(statuses)
    )
    for row, (reason, remark) in enumerate(zip(resolved.reasons, resolved.remarks, strict=True)):
        if reason:
            statuses[row] = RowStatus(INVALID, reason)
        elif remark:
            told = filter(None, (statuses[row].reason, remark))
            statuses[row] = RowStatus(WARNING, "; ".join(told))
    usable = np.flatnonzero(~invalid_rows(statuses))
    left = replace(targets, codes=(resolved.targets or targets).codes[usable])
    classes, codes = classes_left(left)
    codes = _dealt(codes, recipe)
    _check_usable(molecules, statuses, usable, classes)
    several = len(left.tasks) > 1
    if several:
        check_tasks(molecules.source, left.tasks, classes)
    to_split = _split_inputs(recipe, molecules, usable, codes)
    inputs = FoldInputs(
        graphs=molecules.graphs.take(usable),
        targets=codes if several else codes[:, 0],
        n_classes=len(classes[0]),
        recipe=recipe,
        splits=_splits(recipe, to_split, processes if len(usable) > FEW else 1, progress),
        weights=_weights(molecules, usable),
        tasks=left.tasks if several else (),
        tables=molecules.fingerprints(
            usable, recipe.fingerprints, cache=cache, processes=processes, progress=progress
        ),
    )
    return Prepared(
        molecules,
        usable,
        statuses,
        () if several else classes[0],
        inputs,
        dict(zip(left.tasks, classes, strict=True)) if several else {},
        resolved.summary,
    )


def _dealt(codes: NDArray[np.int64], recipe: Recipe) -> NDArray[np.int64]:
    """Labels (R, T) as they are; or dealt out anew among the rows of a task that have one."""
    if not recipe.protocol.scramble:
        return codes
    draw, dealt = np.random.default_rng(recipe.seed), codes.copy()
    for task in range(codes.shape[1]):
        known = np.flatnonzero(codes[:, task] >= 0)
        dealt[known, task] = draw.permutation(codes[known, task])
    return dealt


def _weights(molecules: MoleculeSet, usable: NDArray[np.int64]) -> NDArray[np.float64] | None:
    if molecules.table.weights is None:
        return None
    weights = molecules.table.weights[usable]
    if not weights.any():
        why = "every row that can be trained on weighs 0"
        raise DataFileError(molecules.source, why, "Give some row a larger weight.")
    return weights


def _check_usable(
    molecules: MoleculeSet,
    statuses: list[RowStatus],
    usable: NDArray[np.int64],
    of_tasks: tuple[tuple[str, ...], ...],
) -> None:
    """Refuse a table of which too little is left, with the commonest reason why."""
    if max(map(len, of_tasks)) > 1:
        return
    classes = of_tasks[0]
    reasons = Counter(status.reason for status in statuses if status.status == INVALID)
    most = "".join(f"; most often: {reason}" for reason, _ in reasons.most_common(1))
    left = f"all of class {classes[0]}" if classes else "none of any class"
    if len(of_tasks) > 1:
        left = f"and none of the {len(of_tasks)} tasks has two classes"
    why = f"of {len(molecules)} rows {len(usable)} can be trained on, {left}{most}"
    raise DataFileError(molecules.source, why, "Give rows of two classes at least.")


def _split_inputs(
    recipe: Recipe, molecules: MoleculeSet, usable: NDArray[np.int64], codes: NDArray[np.int64]
) -> SplitInputs:
    column, frame = recipe.protocol.column, molecules.table.frame
    if column is not None and column not in frame.columns:
        shown = ", ".join(map(repr, [*frame.columns][:20]))
        why = f"there is no column {column!r} to split by; there are {shown}"
        raise DataFileError(molecules.source, why, "Say which with protocol.column=COLUMN.")
    return SplitInputs(
        codes,
        rows=usable,
        n_source=len(molecules),
        smiles=[molecules.rows.smiles[row] for row in usable.tolist()],
        column=None if column is None else frame[column].iloc[usable].tolist(),
        file=_split_file(recipe),
        column_name=column or "",
        whole_column=None if column is None else frame[column].tolist(),
    )


def _split_file(recipe: Recipe) -> Path | None:
    return None if recipe.protocol.file is None else Path(recipe.protocol.file)


def _splits(
    recipe: Recipe,
    inputs: SplitInputs,
    processes: int = 1,
    progress: Progress | None = None,
) -> dict[int, Split]:
    """Split of every seed; fails early, or not at all."""
    protocol = recipe.protocol

    def dealt(seed: int) -> Split:
        return make_split(
            protocol.split,
            inputs,
            n_folds=protocol.folds or 2,  # of a split that folds, it is there
            seed=seed,
            test=protocol.test or 0.5,  # of one that is tested by share, too
            holdout=protocol.kind == "holdout",
            processes=processes,
            progress=progress,
        )

    if SPLITS[protocol.split].seeded or len(recipe.seeds) == 1:
        return {seed: dealt(seed) for seed in recipe.seeds}
    split = dealt(recipe.seed)
    told = f"{split.description}; the same rows for every seed"
    return dict.fromkeys(recipe.seeds, replace(split, description=told))


def split_hash(recipe: Recipe) -> str:
    """What a split file holds, so that a run is not resumed under another; empty without one."""
    file = _split_file(recipe)
    return "" if file is None else hashlib.sha256(read_bytes(file)).hexdigest()


def _of_source(
    splits: Mapping[int, Split], seed: int, usable: NDArray[np.int64], n_rows: int
) -> Split | None:
    """A split in rows of the source; rows that were set aside are on neither side."""
    if seed not in splits:
        return None
    split = splits[seed]
    fold = np.full(n_rows, NEVER_TESTED)
    fold[usable] = split.fold
    trained = tuple(usable[training_rows(split, k)] for k in range(split.n_folds))
    held = split.validation
    watched = None if held is None else tuple(usable[rows] for rows in held)
    return replace(split, fold=fold, groups=None, train=trained, validation=watched)
