"""The ladder of splits: the rows of a run shared out from easy to hard, all else the same.

Random folds ask about rows like those that were trained on, scaffolds about other ring systems,
clusters about other molecules. Where the run was split in some other way, such as by time, that
is the last rung.

Must not know how models are trained or where results are kept.

Symbols: N rows of the source, R usable rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data import Split, SplitInputs, make_split
from kekule.data.chunked import Progress
from kekule.evaluation import FoldInputs, Recipe
from kekule.workflow.molecule_set import FEW
from kekule.workflow.prepare import Prepared

CLUSTERS: Final = ("butina", "tanimoto-cluster")
MOST_FOR_BUTINA: Final = 20_000  # molecules: it compares every pair, which takes a minute here
NO_MOLECULES: Final = (
    "the graphs are not known to be molecules, so they have no scaffolds and no substructures "
    "to cluster by"
)


@dataclass(frozen=True, eq=False)
class Rungs:
    """Splits of a ladder.

    Attributes
    ----------
    inputs
        By the name of the split, easy ones first.
    left_out
        Why others are not there.
    """

    inputs: dict[str, FoldInputs]
    left_out: dict[str, str]


def rungs_of(prepared: Prepared, *, processes: int, progress: Progress | None) -> Rungs:
    """Share a run's rows out by each split of the ladder, in as many folds as the run's own.

    Parameters
    ----------
    prepared
        The run's data with its own split, which is a rung as it is.
    processes, progress
        For scaffolds and clusters.
    """
    own = prepared.inputs.recipe.protocol.split
    usable = len(prepared.usable)
    clusters = own if own in CLUSTERS else CLUSTERS[usable > MOST_FOR_BUTINA]
    names = list(dict.fromkeys(["random", "scaffold", clusters, own]))
    smiles = _smiles(prepared)
    found: dict[str, FoldInputs] = {}
    left_out: dict[str, str] = {}
    for name in names:
        if name == own:
            found[name] = prepared.inputs
        elif name != "random" and smiles is None:
            left_out[name] = NO_MOLECULES
        else:
            try:
                found[name] = _shared_out(name, prepared, smiles, processes, progress)
            except KekuleError as error:
                left_out[name] = str(error)
    return Rungs(found, left_out)


def with_protocol(recipe: Recipe, **settings: Any) -> Recipe:
    """The recipe with some settings of its protocol in place of its own, which are not checked."""
    return recipe.model_copy(update={"protocol": recipe.protocol.model_copy(update=settings)})


def _smiles(prepared: Prepared) -> list[str] | None:
    """SMILES of the usable rows, empty where a graph is no valid molecule; None: no molecules."""
    if not prepared.origin.is_molecular:
        return None
    every = prepared.origin.smiles()[0]
    return [every[row] for row in prepared.usable.tolist()]


def _shared_out(
    name: str,
    prepared: Prepared,
    smiles: list[str] | None,
    processes: int,
    progress: Progress | None,
) -> FoldInputs:
    """Inputs under another split; as many folds, or as many test rows, as the run's own."""
    inputs = prepared.inputs
    test = _share_tested(inputs)
    dealing: dict[str, Any] = {
        "n_folds": max(inputs.n_folds, 2),
        "test": test,
        "holdout": inputs.n_folds == 1,
        "processes": processes if len(prepared.usable) > FEW else 1,
        "progress": progress,
    }
    to_split = _split_inputs(name, prepared, smiles, dealing)
    splits = {
        seed: make_split(name, to_split, seed=seed, **dealing) for seed in inputs.recipe.seeds
    }
    return replace(inputs, recipe=_recipe(inputs, name, test), splits=splits)


def _split_inputs(
    name: str, prepared: Prepared, smiles: list[str] | None, dealing: Mapping[str, Any]
) -> SplitInputs:
    """What a split looks at; a graph that is no valid molecule is a group of its own."""
    codes = prepared.inputs.targets.reshape(len(prepared.usable), -1)
    whole = SplitInputs(codes, rows=prepared.usable, n_source=len(prepared), smiles=smiles)
    if name == "random" or smiles is None or all(smiles):
        return whole
    valid = np.flatnonzero([bool(text) for text in smiles])
    part = SplitInputs(
        codes[valid],
        rows=prepared.usable[valid],
        n_source=len(prepared),
        smiles=[smiles[place] for place in valid.tolist()],
    )
    groups = make_split(name, part, **dealing).groups
    return replace(whole, found={name: _with_singles(groups, valid, len(smiles))})


def _with_singles(
    groups: NDArray[np.int64] | None, known: NDArray[np.int64], n_rows: int
) -> NDArray[np.int64]:
    """Groups of all rows from those of some; each of the others stands for itself."""
    every = np.full(n_rows, -1)
    every[known] = np.arange(len(known)) if groups is None else groups
    single = np.flatnonzero(every < 0)
    every[single] = every.max() + 1 + np.arange(len(single))
    return every


def _share_tested(inputs: FoldInputs) -> float:
    """Share of the rows in the first test set."""
    split: Split = inputs.splits[inputs.recipe.seed]
    return float((split.fold == 0).mean())


def _recipe(inputs: FoldInputs, name: str, test: float) -> Recipe:
    """The recipe with the split in place of its own, told as the kind that it now is."""
    single = inputs.n_folds == 1
    kind = inputs.recipe.protocol.kind
    if kind != "nested":
        kind = "holdout" if single else ("kfold" if kind == "given" else kind)
    return with_protocol(
        inputs.recipe,
        kind=kind,
        split=name,
        folds=None if single else inputs.n_folds,
        test=test if single else None,
        column=None,
        file=None,
    )
