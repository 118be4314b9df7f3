"""What an examination trains: the run's recipe under other splits, on fewer rows, on other labels.

Everything is laid out before the first training: what cannot be done is known by then, with
its reason, and so is about how long the rest will take.

Must not know where results are kept.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kekule._errors import DataFileError, KekuleError
from kekule.evaluation import FoldInputs, Recipe
from kekule.evaluation.fewer_rows import with_fewer_rows
from kekule.models.ensemble_settings import AUTO
from kekule.workflow.examining_splits import rungs_of, with_protocol
from kekule.workflow.prepare import Prepared, prepare, split_hash
from kekule.workflow.progress import StageProgress
from kekule.workflow.run_reading import check_data

PARTS: Final = ("ladder", "curve", "scrambled")
OWN: Final = "own"  # folder of the folds of the run's own split and rows, which two parts share
LONG_ENOUGH: Final = 100_000.0  # minutes: members are those of the run, whatever time they take
CHANCE: Final = "majority"  # the baseline that learns how frequent classes are, and no more


@dataclass(frozen=True, eq=False)
class Variant:
    """One training of all folds.

    Attributes
    ----------
    name
        For the display, and in `Part.left_out`.
    store
        Name of the folder of its folds.
    inputs
        What they share.
    share
        Of the training rows of each fold.
    """

    name: str
    store: str
    inputs: FoldInputs
    share: float = 1.0

    @property
    def n_folds(self) -> int:
        """Folds of all seeds."""
        return self.inputs.n_folds * len(self.inputs.recipe.seeds)


@dataclass(frozen=True, eq=False)
class Part:
    """One question of the examination.

    Attributes
    ----------
    name
        In `PARTS`.
    variants
        What is trained for it, in order.
    left_out
        What is not, by name, and why.
    """

    name: str
    variants: tuple[Variant, ...]
    left_out: dict[str, str] = field(default_factory=dict)


def parts_named(parts: str | Sequence[str]) -> tuple[str, ...]:
    """Parts by their names, in the order in which they are done.

    Raises
    ------
    KekuleError
        If one is unknown, or none is given.
    """
    given = [name.strip() for name in (parts.split(",") if isinstance(parts, str) else parts)]
    for name in given:
        if name not in PARTS:
            near = difflib.get_close_matches(name, PARTS, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise KekuleError(
                f"parts: an examination has no {name!r}. {hint}There are {', '.join(PARTS)}."
            )
    if not given:
        raise KekuleError(f"parts: none is given. Choose from {', '.join(PARTS)}.")
    return tuple(name for name in PARTS if name in given)


def examined_recipe(recipe: Recipe, scores: Mapping[str, Any], seeds: int) -> Recipe:
    """The run's recipe with so many seeds and no model to ship.

    An ensemble has the members that the run's had: its plan depends on how many folds there are.
    """
    examined = with_protocol(recipe, seeds=seeds, refit=False)
    plan = scores.get("ensemble", {}).get("plan")
    if recipe.model.name != AUTO or plan is None:
        return examined
    fixed = {"members": tuple(plan["members"]), "inner": int(plan["inner"])}
    model = recipe.model.model_copy(update=fixed | {"minutes": LONG_ENOUGH})
    return examined.model_copy(update={"model": model})


def plan_examination(
    recipe: Recipe,
    scores: Mapping[str, Any],
    parts: Sequence[str],
    *,
    processes: int,
    progress: bool | None,
) -> tuple[list[Part], Prepared]:
    """Lay out what some parts train; nothing is trained yet.

    Parameters
    ----------
    recipe
        Of `examined_recipe`.
    scores
        Of the run.
    parts
        Of `parts_named`.
    processes, progress
        For reading the data.

    Returns
    -------
    tuple
        Each part, and the run's data.

    Raises
    ------
    DataFileError
        If the data, or the file of the split, are not those of the run.
    """
    with StageProgress(show=progress) as stages:
        prepared = prepare(recipe, processes=processes, progress=stages)
        check_data(prepared.origin, scores)
        _check_split(recipe, scores)
        planned = []
        for part in parts:
            if part == "ladder":
                planned.append(_ladder(prepared, processes, stages))
            elif part == "curve":
                planned.append(_curve(prepared.inputs))
            else:
                planned.append(_scrambled(recipe, processes, stages))
    return planned, prepared


def seconds_of(parts: Sequence[Part], scores: Mapping[str, Any]) -> float:
    """Estimate core seconds from those that the run's folds took; 0 where it does not tell.

    Variants that two parts share count once.
    """
    protocol = scores["protocol"]
    n_trained = len(protocol["seeds_used"]) * protocol["folds"] + bool(protocol.get("refit", True))
    each = float(scores.get("fold_seconds") or 0.0) / n_trained
    variants = {variant.store: variant for part in parts for variant in part.variants}
    return float(sum(each * v.n_folds * v.share for v in variants.values()))


def _check_split(recipe: Recipe, scores: Mapping[str, Any]) -> None:
    if split_hash(recipe) != scores.get("split_hash", ""):
        raise DataFileError(
            recipe.protocol.file,
            "the split is not the one the run was trained on (another sha256)",
            "Restore it, or train again.",
        )


def _ladder(prepared: Prepared, processes: int, stages: StageProgress) -> Part:
    rungs = rungs_of(prepared, processes=processes, progress=stages)
    own = prepared.inputs.recipe.protocol.split
    variants = tuple(
        Variant(name, OWN if name == own else name, inputs)
        for name, inputs in rungs.inputs.items()
    )
    return Part("ladder", variants, rungs.left_out)


def _curve(inputs: FoldInputs) -> Part:
    """Sizes from small to large; baselines are not asked."""
    bare = with_protocol(inputs.recipe, baselines=())
    found = with_fewer_rows(replace(inputs, recipe=bare))
    variants = tuple(
        Variant(f"{share:.4g}", OWN if share == 1 else f"fewer-{share:.4g}", smaller, share)
        for share, smaller in found.inputs.items()
    )
    return Part("curve", variants, {f"{s:.4g}": why for s, why in found.left_out.items()})


def _scrambled(recipe: Recipe, processes: int, stages: StageProgress) -> Part:
    dealt = with_protocol(recipe, scramble=True, baselines=(CHANCE,))
    try:
        prepared = prepare(dealt, processes=processes, progress=stages)
    except KekuleError as error:  # whole groups may leave a fold one class of the labels dealt
        return Part("scrambled", (), {"scrambled": str(error)})
    return Part("scrambled", (Variant("scrambled", "scrambled", prepared.inputs),))
