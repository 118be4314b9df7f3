"""The kinds of protocol, and the settings each of them reads.

A setting that a kind does not read is null in the resolved recipe, and an error where it is
given: a `folds` that a holdout ignores would be believed. Must not know data or results.
"""

import difflib
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from kekule._errors import RecipeError
from kekule.data import SPLITS
from kekule.evaluation.grid import MOST_COMBINATIONS, Grid, dotted
from kekule.models import BASELINES, OF_GRAPHS, OF_MOLECULES

KINDS: dict[str, frozenset[str]] = {  # settings that a kind reads, of those that not all do
    "kfold": frozenset({"folds"}),
    "holdout": frozenset({"test"}),
    "repeated": frozenset({"folds"}),
    "given": frozenset(),
    "nested": frozenset({"folds", "grid", "inner", "final_runs"}),
}
OF_SOME = ("test", "folds", "grid", "inner", "final_runs")
WRITTEN_ONCE = {"test": 0.2}  # into every resolved recipe, before there were kinds
OF_TIME = "time"  # the split that tests a share of the rows under any kind
OWN_SHARE = "scaffold-ordered"  # the split whose share is no choice
REPEATED = {"folds": 5, "seeds": 5}
BESIDE_GRAPHS = ("majority", "structure-free")  # an ensemble
BESIDE_MOLECULES = (*BESIDE_GRAPHS, "ECFP-logistic")


class ProtocolSettings(BaseModel):
    """How the scores are estimated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[
        Literal["kfold", "holdout", "repeated", "given", "nested"],
        Field(
            description="`kfold` cross-validation; `holdout`, one test set a seed; `repeated`, "
            "5 times 5 folds where not stated; `given`, as a column or file says; `nested`, "
            "k folds with a choice from `grid` inside each."
        ),
    ] = "kfold"
    split: Annotated[
        str,
        Field(
            description="How rows are shared out: "
            + ", ".join(SPLITS)
            + ". `scaffold` for tables of molecules, `random` (stratified) for graph sets."
        ),
    ] = "random"
    column: Annotated[str | None, Field(description="Column of a time, group or given split.")] = (
        None
    )
    file: Annotated[str | None, Field(description="Index file of a given split, JSON or CSV.")] = (
        None
    )
    test: Annotated[
        Annotated[float, Field(gt=0, lt=1)] | None,
        Field(description="Share of the rows tested; of `holdout` and the split `time`."),
    ] = 0.2
    folds: Annotated[
        Annotated[int, Field(ge=2, le=1000)] | None,
        Field(description="Folds k; 5 for tables and `repeated`, where not stated."),
    ] = 10
    seeds: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Repeats, each with its own split and weights; 5 of `repeated` and 1 of "
            "`auto` on a table, where not stated.",
        ),
    ] = 3
    grid: Annotated[
        Grid | None,
        Field(
            description="Of `nested`: values to choose from by key, such as "
            "`{model.hidden: [32, 64]}`; of `model` and `train`, at most "
            f"{MOST_COMBINATIONS} combinations."
        ),
    ] = None
    inner: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        Field(
            description="Of `nested`: folds of the training rows that choose a combination; 1: "
            "one held-out part (`train.validation`), or that given with the split."
        ),
    ] = 1
    final_runs: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        Field(description="Of `nested`: trainings of the chosen combination in each fold."),
    ] = 3
    baselines: Annotated[
        tuple[str, ...],
        Field(
            description="Scored beside the network on the same folds: "
            + ", ".join(BASELINES)
            + ". All of them where not stated, on graph sets those that need no molecule."
        ),
    ] = OF_GRAPHS
    scramble: Annotated[
        bool,
        Field(
            description="Deal the labels out anew by chance first: a score above chance is then a "
            "leak. For a check; the model it ships knows nothing."
        ),
    ] = False
    refit: Annotated[
        bool,
        Field(
            description="Train the model that is shipped anew on all rows. `false` ships that of "
            "the first seed's first fold, which spares a training."
        ),
    ] = True

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, given: Any) -> Any:
        kind = given.get("kind", "kfold") if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            return given
        stated = {k: v for k, v in given.items() if v is not None or k not in (*OF_SOME, "seeds")}
        if kind == "given":
            stated = {"split": "given"} | stated
        split = stated.get("split", "random")
        if not isinstance(split, str) or split not in SPLITS:
            return given
        read = settings_read(kind, split)
        for key in OF_SOME:
            if key in stated and key not in read:
                if kind == "kfold" and stated[key] == WRITTEN_ONCE.get(key):
                    del stated[key]
                    continue
                raise _unread(key, kind, split, read)
        _check_split(kind, split, stated)
        if kind == "repeated":
            stated = REPEATED | stated
        if kind == "nested" and not stated.get("grid"):
            why = "nested chooses from a grid, and there is none"
            cure = "Give one: protocol.grid={model.hidden: [32, 64]}, for one."
            raise RecipeError("protocol.kind", why, cure)
        return dict.fromkeys(key for key in OF_SOME if key not in read) | stated

    @model_validator(mode="after")
    def _one_model_to_ship(self) -> "ProtocolSettings":
        if self.kind == "nested" and not self.refit and self.final_runs != 1:
            why = f"false ships one model of a fold, which has {self.final_runs} final runs"
            cure = "Set protocol.final_runs=1, or leave it true."
            raise RecipeError("protocol.refit", why, cure)
        return self

    @field_validator("split")
    @classmethod
    def _known_split(cls, given: str) -> str:
        if given not in SPLITS:
            near = difflib.get_close_matches(given, SPLITS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(SPLITS)}"
            raise ValueError(f"{given!r} is no split; {hint}")
        return given

    @field_validator("grid", mode="before")
    @classmethod
    def _dotted(cls, given: Any) -> Any:
        return dotted(given) if isinstance(given, dict) else given

    @field_validator("baselines")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for name in given:
            if name not in BASELINES:
                raise ValueError(f"{name!r} is no baseline; choose from {', '.join(BASELINES)}")
        if len(set(given)) < len(given):
            raise ValueError(f"{list(given)} names a baseline twice")
        return given


def settings_read(kind: str, split: str) -> frozenset[str]:
    """Names of the settings in `OF_SOME` that a kind reads under a split."""
    read = KINDS[kind]
    if kind == "holdout" and split == OWN_SHARE:
        return read - {"test"}
    return read | {"test"} if split == OF_TIME and kind != "given" else read


def with_defaults(given: dict[str, Any], *, of_table: bool, ensemble: bool) -> dict[str, Any]:
    """Protocol settings with the defaults that suit molecules, and an ensemble.

    Beside an ensemble stand what it is not made of: its members are scored anyway.
    """
    defaults: dict[str, Any] = {}
    if ensemble:
        defaults["baselines"] = BESIDE_MOLECULES if of_table else BESIDE_GRAPHS
    elif of_table:
        defaults["baselines"] = OF_MOLECULES
    if of_table:
        kind = given.get("kind", "kfold")
        if kind != "given":
            defaults["split"] = "scaffold"
        if kind in ("kfold", "nested"):
            defaults["folds"] = 5
        if kind == "kfold" and ensemble:
            defaults["seeds"] = 1  # a fold trains thirty models: an answer by lunch comes first
    return defaults | {k: v for k, v in given.items() if v is not None or k not in defaults}


def of_another_kind(given: dict[str, Any], kind: object) -> dict[str, Any]:
    """Leave out the settings that a kind put in place of another does not read."""
    if kind not in KINDS:
        return given
    read = settings_read(str(kind), str(given.get("split", "random")))
    gone = {key for key in OF_SOME if key not in read} | ({"split"} if kind == "given" else set())
    return {key: value for key, value in given.items() if key not in gone}


def _unread(key: str, kind: str, split: str, read: frozenset[str]) -> RecipeError:
    own = ", ".join(name for name in OF_SOME if name in read) or "column, file"
    under = f" with the split {split}" if split in (OWN_SHARE, OF_TIME) else ""
    cure = f"Leave it out, or give another protocol.kind; {kind} has {own}, seeds."
    return RecipeError(f"protocol.{key}", f"{kind}{under} does not use it", cure)


def _check_split(kind: str, split: str, stated: dict[str, Any]) -> None:
    """Refuse a split that says something else than the kind."""
    if kind == "given":
        if split != "given":
            why = f"{split!r} given: the kind given is split as given"
            raise RecipeError("protocol.split", why, "Leave it out.")
        if stated.get("column") is None and stated.get("file") is None:
            why = "given needs the split: a column of the table, or an index file"
            raise RecipeError("protocol.kind", why, "Give protocol.column or protocol.file.")
    if kind == "holdout" and split == "given":
        why = "'given' given: it says itself which rows are tested"
        raise RecipeError("protocol.split", why, "Use protocol.kind=given.")
    if kind == "repeated" and not SPLITS[split].seeded:
        why = f"{split!r} given: it is the same rows every time"
        cure = "Use protocol.kind=kfold, or a split that is dealt by seed."
        raise RecipeError("protocol.split", why, cure)
