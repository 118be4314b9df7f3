"""Every kind of split by name, and the one door to them."""

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, NamedTuple

from kekule._errors import KekuleError
from kekule.data.splits.butina import butina_split
from kekule.data.splits.by_group import group_split
from kekule.data.splits.by_time import time_split
from kekule.data.splits.gaps import class_gaps
from kekule.data.splits.given import given_split
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.random_rows import random_split
from kekule.data.splits.scaffold import scaffold_split
from kekule.data.splits.scaffold_ordered import scaffold_ordered_split
from kekule.data.splits.split import Split
from kekule.data.splits.tanimoto_cluster import tanimoto_cluster_split

if TYPE_CHECKING:
    from kekule.data.chunked import Progress


class SplitFamily(NamedTuple):
    """One way to decide which rows are tested.

    Attributes
    ----------
    name
        As a recipe spells it.
    meaning
        One line for a user who has to choose.
    needs
        What it looks at beside the targets.
    form
        k ``folds``, a single test set held out (``holdout``), or whatever is ``given``.
    seeded
        Whether another seed deals otherwise. Without it a repeat is the same again.
    split
        Makes one.
    """

    name: str
    meaning: str
    needs: Literal["nothing", "smiles", "column", "column or file"]
    form: Literal["folds", "holdout", "given"]
    seeded: bool
    split: Callable[[SplitInputs, Dealing], Split]


SPLITS: dict[str, SplitFamily] = {
    family.name: family
    for family in (
        SplitFamily(
            "random",
            "single rows, every class in proportion",
            "nothing",
            "folds",
            True,
            random_split,
        ),
        SplitFamily(
            "scaffold",
            "whole Bemis-Murcko scaffolds, dealt evenly",
            "smiles",
            "folds",
            True,
            scaffold_split,
        ),
        SplitFamily(
            "scaffold-ordered",
            "DeepChem's and OGB's 80 : 10 : 10, the rarest scaffolds tested",
            "smiles",
            "holdout",
            False,
            scaffold_ordered_split,
        ),
        SplitFamily(
            "butina",
            "whole clusters of like molecules, for tables that are not too long",
            "smiles",
            "folds",
            True,
            butina_split,
        ),
        SplitFamily(
            "tanimoto-cluster",
            "whole clusters around leaders, for tables of any length",
            "smiles",
            "folds",
            True,
            tanimoto_cluster_split,
        ),
        SplitFamily(
            "time",
            "the latest rows are tested, by a column",
            "column",
            "holdout",
            False,
            time_split,
        ),
        SplitFamily(
            "group", "whole groups named by a column", "column", "folds", True, group_split
        ),
        SplitFamily(
            "given",
            "as a column or an index file says",
            "column or file",
            "given",
            False,
            given_split,
        ),
    )
}


def make_split(
    kind: str,
    inputs: SplitInputs,
    *,
    n_folds: int = 5,
    seed: int = 0,
    test: float = 0.2,
    holdout: bool = False,
    processes: int = 1,
    progress: "Progress | None" = None,
) -> Split:
    """Decide which rows are tested when, by one of the kinds in `SPLITS`.

    The same inputs and seed give the same split on every machine. The seeds 0, 1, 2, ...
    are repeats, where the family is ``seeded``. What groups are called changes nothing;
    the order of the rows does, as it numbers them.

    Parameters
    ----------
    kind
        A name in `SPLITS`.
    inputs
        The rows, and what the kind needs to see of them.
    n_folds
        Of the kinds that fold.
    seed
        Which of the many ways.
    test
        Share of rows tested by ``time`` and by ``holdout``. ``scaffold-ordered`` has its own.
    holdout
        Of the kinds that fold, one test set of that share in place of the folds.
    processes, progress
        For scaffolds and clusters; see `kekule.data.chunked`.

    Returns
    -------
    Split
        Each of its folds has rows to train on, of two classes in one task at least, and
        rows to test. A class that some fold does not test or does not train on is allowed,
        and told in the description.

    Raises
    ------
    KekuleError
        If there is no such kind, it lacks what it needs, or the rows cannot be so split.
    """
    if kind not in SPLITS:
        near = get_close_matches(kind, SPLITS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise KekuleError(
            f"splits: no kind is named {kind!r}. {hint}There are {', '.join(SPLITS)}."
        )
    if not len(inputs):
        raise KekuleError("splits: there is no row to split. Look into the rejected rows.")
    dealing = Dealing(
        n_folds=n_folds,
        seed=seed,
        test=test,
        holdout=holdout,
        processes=processes,
        progress=progress,
    )
    split = SPLITS[kind].split(inputs, dealing)
    gaps = class_gaps(split, inputs.codes)
    return replace(split, description=f"{split.description}{gaps}") if gaps else split
