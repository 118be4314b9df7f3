"""The grid a nested protocol chooses from: which settings may vary, and their combinations.

Every key and every value is tried before anything is trained: a value that only the third
fold's fifth combination meets would cost the night before it. Must not know data or scores.
"""

import difflib
import itertools
import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from kekule._errors import RecipeError

Value = bool | int | float | str
Grid = dict[str, Annotated[tuple[Value, ...], Field(min_length=1)]]
Combination = dict[str, Value]
Settings = TypeVar("Settings", bound=BaseModel)

MOST_COMBINATIONS = 64
SEARCHED = ("model", "train")  # parts of a recipe that a grid may vary
FIXED = (  # of these, what changes no score, or is not for a search to change
    *("model.name", "train.device", "train.together", "train.validation"),
    *("train.precision", "train.deterministic"),
    *("train.checkpoint", "train.profile", "train.tensorboard"),
)


def combinations_of(grid: Mapping[str, tuple[Value, ...]]) -> list[Combination]:
    """Every combination of a grid, the last key varying fastest."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def applied(settings: Settings, part: str, combination: Combination) -> Settings:
    """Settings of a part of the recipe with those of a combination in their places, checked."""
    changes = {
        key.partition(".")[2]: value
        for key, value in combination.items()
        if key.startswith(f"{part}.")
    }
    return type(settings).model_validate(settings.model_dump() | changes) if changes else settings


def checked_grid(
    grid: Mapping[str, tuple[Value, ...]], parts: Mapping[str, BaseModel]
) -> dict[str, tuple[Value, ...]]:
    """Grid with its values as the settings read them, each tried before anything is trained.

    Raises
    ------
    RecipeError
        Naming the key, and the nearest right one; or the first value that does not fit, alone
        or beside the others.
    """
    known = [f"{part}.{key}" for part in SEARCHED for key in type(parts[part]).model_fields]
    searched = [key for key in known if key not in FIXED]
    read: dict[str, tuple[Value, ...]] = {}
    for key, values in grid.items():
        if key not in searched:
            raise _unknown(key, known, searched)
        part, _, name = key.partition(".")
        read[key] = tuple(getattr(_tried(parts, {key: value})[part], name) for value in values)
        if len(set(read[key])) < len(values):
            why = f"{list(values)} names a value twice"
            raise RecipeError(f"protocol.grid.{key}", why, "Leave one out.")
    n_combinations = math.prod(map(len, grid.values()))
    if n_combinations > MOST_COMBINATIONS:
        why = f"it has {n_combinations} combinations, more than {MOST_COMBINATIONS}"
        raise RecipeError("protocol.grid", why, "Leave values out.")
    for combination in combinations_of(read):
        _tried(parts, combination)
    return read


def _tried(parts: Mapping[str, BaseModel], combination: Combination) -> dict[str, BaseModel]:
    """Parts of the recipe with a combination in them."""
    tried = {}
    for part in SEARCHED:
        try:
            tried[part] = applied(parts[part], part, combination)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join([part, *map(str, first["loc"])])
            key = f"protocol.grid.{name}" if name in combination else "protocol.grid"
            shown = ", ".join(f"{name} {value!r}" for name, value in combination.items())
            why = f"{shown}: {first['msg'].removeprefix('Value error, ')}"
            raise RecipeError(key, why, "Correct the value.") from None
    return tried


def _unknown(key: str, known: list[str], searched: list[str]) -> RecipeError:
    where = f"protocol.grid.{key}"
    if key in known:
        cure = "Set it as a whole; networks are compared by runs of their own."
        return RecipeError(where, "it is the same for every combination", cure)
    near = difflib.get_close_matches(key, searched, n=1)
    cure = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(searched)}."
    return RecipeError(where, "there is no such key to search", cure)


def dotted(given: dict[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Keys with dots, however deep they were written."""
    flat: dict[str, Any] = {}
    for key, value in given.items():
        below = dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {}
        flat |= below or {f"{prefix}{key}": value}
    return flat
