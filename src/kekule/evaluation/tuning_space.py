"""The search space of a tuning: which settings may vary, and between what.

The keys are those of a nested protocol's grid, by the same rules: what changes no score, or
is not for a search to change, is refused, and both ends of a span and every value of a list
are tried in the recipe before anything is trained. Must not know data, scores or studies.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from kekule._errors import RecipeError
from kekule.evaluation.grid import SEARCHED, Combination, Value, checked_grid
from kekule.evaluation.plain_yaml import read_yaml
from kekule.evaluation.recipe import Recipe

DIGITS = 3  # of a number drawn from a span: more would only be longer to write
SPAN_KEYS = ("low", "high", "log", "step")
GIVEN = "space"  # what errors call a space that came from no file
EXAMPLE = "{train.learning_rate: {low: 1e-4, high: 1e-2, log: true}, model.hidden: [32, 64]}"


class Choice(NamedTuple):
    """Some values, none nearer to one than to another."""

    values: tuple[Value, ...]


class Span(NamedTuple):
    """All numbers from `low` to `high`, both among them; whole ones where both are whole."""

    low: float
    high: float
    log: bool = False  # as many draws from 0.001 to 0.01 as from 0.01 to 0.1
    step: float | None = None  # between the numbers; any where None


Space = dict[str, Choice | Span]
Parts = Mapping[str, BaseModel]


def read_space(given: str | Path | Mapping[str, Any], recipe: Recipe) -> Space:
    """Read a space from a YAML file, or from what such a file holds.

    A list is a `Choice`, ``{low: 1e-4, high: 1e-2, log: true}`` a `Span`; keys are written
    with dots or below one another.

    Raises
    ------
    RecipeError
        Naming the key, and the nearest right one; or the first value that does not fit.
    """
    source = str(given) if isinstance(given, str | Path) else GIVEN
    content = read_yaml(Path(given)) if isinstance(given, str | Path) else dict(given)
    written = _leaves(content)
    if not written:
        raise RecipeError(GIVEN, "it names no key", f"Write {EXAMPLE}, for one.", source=source)
    parts = _parts(recipe)
    return {key: _read(key, value, parts, source) for key, value in written.items()}


def default_space(recipe: Recipe) -> Space:
    """Space that suits the recipe's network: its width, depth, dropout and readout, and training.

    The recipe's own values lie in it, so that a search can begin with them.
    """
    model, train = recipe.model, recipe.train
    usual = {name: field.default for name, field in type(model).model_fields.items()}
    wanted: dict[str, Any] = {}
    if isinstance(width := usual.get("hidden"), int):
        wanted["model.hidden"] = _with([width // 2, width, 2 * width], own=_own(model, "hidden"))
    if isinstance(depth := usual.get("layers"), int):
        own = _own(model, "layers")
        wanted["model.layers"] = {"low": min(2, own), "high": max(depth + 2, own)}
    if "dropout" in usual:
        wanted["model.dropout"] = {"low": 0.0, "high": max(0.6, _own(model, "dropout"))}
    if "readout" in usual:
        readouts = ["sum", "mean", usual["readout"], _own(model, "readout")]
        wanted["model.readout"] = list(dict.fromkeys(readouts))
    rate, decay = train.learning_rate, train.weight_decay
    wanted["train.learning_rate"] = {"low": min(2e-4, rate), "high": max(1e-2, rate), "log": True}
    wanted["train.batch_size"] = _with([32, 64, 128], own=train.batch_size)
    low = min(1e-6, decay or 1e-6)
    wanted["train.weight_decay"] = {"low": low, "high": max(1e-2, decay), "log": True}
    parts = _parts(recipe)
    return {key: _read(key, value, parts, "default space") for key, value in wanted.items()}


def space_json(space: Space) -> dict[str, Any]:
    """The space as `read_space` would read it back, keys in their order."""
    return {key: _written(one) for key, one in space.items()}


def space_sha256(space: Space) -> str:
    """Hash of the space; the order of its keys changes nothing, that of values does."""
    return hashlib.sha256(json.dumps(space_json(space), sort_keys=True).encode()).hexdigest()


def distributions_of(space: Space) -> dict[str, Any]:
    """What Optuna draws from, by key."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    drawn: dict[str, Any] = {}
    for key, one in space.items():
        if isinstance(one, Choice):
            drawn[key] = CategoricalDistribution(one.values)
        elif isinstance(one.low, int):
            drawn[key] = IntDistribution(
                one.low, int(one.high), log=one.log, step=int(one.step or 1)
            )
        else:
            drawn[key] = FloatDistribution(one.low, one.high, log=one.log, step=one.step)
    return drawn


def combination_of(space: Space, drawn: Mapping[str, Any]) -> Combination:
    """Values as they are trained and written: those of spans rounded to three digits.

    Rounding never leaves the span.
    """
    tidy: Combination = {}
    for key, one in space.items():
        value = drawn[key]
        if isinstance(one, Span) and isinstance(value, float):
            value = min(max(float(f"{value:.{DIGITS}g}"), one.low), one.high)
        tidy[key] = value
    return tidy


def own_values(space: Space, recipe: Recipe) -> Combination | None:
    """The recipe's own values of the space's keys; None where one of them lies outside."""
    parts = _parts(recipe)
    own = {key: _own(parts[key.partition(".")[0]], key.partition(".")[2]) for key in space}
    return own if all(_holds(one, own[key]) for key, one in space.items()) else None


def _written(one: Choice | Span) -> list[Value] | dict[str, Any]:
    if isinstance(one, Choice):
        return list(one.values)
    more = ({"log": True} if one.log else {}) | ({"step": one.step} if one.step else {})
    return {"low": one.low, "high": one.high, **more}


def _holds(one: Choice | Span, value: Any) -> bool:
    if isinstance(one, Choice):
        return value in one.values
    if not one.low <= value <= one.high:
        return False
    return one.step is None or _is_whole((value - one.low) / one.step)


def _is_whole(steps: float) -> bool:
    return abs(steps - round(steps)) < 1e-9


def _parts(recipe: Recipe) -> Parts:
    return {part: getattr(recipe, part) for part in SEARCHED}


def _own(settings: BaseModel, name: str) -> Any:
    return getattr(settings, name)


def _with(values: list[int], *, own: int) -> list[int]:
    return sorted({*values, own})


def _leaves(given: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Keys with dots, down to the lists and spans."""
    flat: dict[str, Any] = {}
    for key, value in given.items():
        name = f"{prefix}{key}"
        below = isinstance(value, Mapping) and not any(word in value for word in SPAN_KEYS)
        flat |= _leaves(value, f"{name}.") if below and value else {name: value}
    return flat


def _read(key: str, given: Any, parts: Parts, source: str) -> Choice | Span:
    if isinstance(given, list | tuple):
        return _read_choice(key, tuple(given), parts, source)
    if isinstance(given, Mapping):
        return _read_span(key, given, parts, source)
    _checked(key, (given,), parts, source)
    why = f"{given!r} is one value, and there is nothing to choose"
    raise RecipeError(key, why, "Give a list, or low and high.", source=source)


def _read_choice(key: str, given: tuple[Any, ...], parts: Parts, source: str) -> Choice:
    if odd := [value for value in given if not isinstance(value, bool | int | float | str)]:
        raise RecipeError(key, f"{odd[0]!r} is no value", "Give plain values.", source=source)
    if len(given) < 2:
        why = f"{list(given)} leaves nothing to choose"
        raise RecipeError(key, why, "Give two values at least.", source=source)
    return Choice(_checked(key, given, parts, source))


def _read_span(key: str, given: Mapping[Any, Any], parts: Parts, source: str) -> Span:
    if strange := [name for name in given if name not in SPAN_KEYS]:
        why = f"{strange[0]!r} is no word of a span"
        raise RecipeError(key, why, f"A span has {', '.join(SPAN_KEYS)}.", source=source)
    if not {"low", "high"} <= set(given):
        why = f"{dict(given)} lacks {'low' if 'low' not in given else 'high'}"
        raise RecipeError(key, why, "Give low and high.", source=source)
    low, high = (_checked(key, (given[end],), parts, source)[0] for end in ("low", "high"))
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, int | float):
            raise RecipeError(
                key, f"{end!r} is no number", "Give a list of values.", source=source
            )
    span = Span(low, high, given.get("log", False), _step(key, given.get("step"), low, source))  # type: ignore[arg-type]
    _check_span(key, span, source)
    return span


def _step(key: str, given: Any, low: Value, source: str) -> float | None:
    if given is None:
        return None
    try:
        step = float(given)
    except (TypeError, ValueError):
        step = -1.0
    if isinstance(low, int) and step == int(step):
        step = int(step)
    if isinstance(given, bool) or step <= 0 or (isinstance(low, int) and step != int(step)):
        why = f"step {given!r} is no {'whole ' if isinstance(low, int) else ''}number above 0"
        raise RecipeError(key, why, "Correct it, or leave it out.", source=source)
    return step


def _check_span(key: str, span: Span, source: str) -> None:
    cure = "Correct the span."
    if not span.low < span.high:
        why = f"from {span.low} to {span.high} does not rise"
        raise RecipeError(key, why, cure, source=source)
    if not isinstance(span.log, bool):
        raise RecipeError(key, f"log {span.log!r} is neither true nor false", cure, source=source)
    if span.log and (span.low <= 0 or span.step is not None):
        why = "a span with log starts above 0 and has no step"
        raise RecipeError(key, why, cure, source=source)
    if span.step is not None and not _is_whole((span.high - span.low) / span.step):
        why = f"steps of {span.step} from {span.low} do not lead to {span.high}"
        raise RecipeError(key, why, cure, source=source)


def _checked(key: str, values: tuple[Any, ...], parts: Parts, source: str) -> tuple[Value, ...]:
    """Values as the settings read them, by the rules of a nested grid."""
    try:
        return checked_grid({key: values}, parts)[key]
    except RecipeError as error:
        named = error.key.removeprefix("protocol.grid").removeprefix(".") or key
        raise RecipeError(named, error.why, error.cure, source=source) from None
