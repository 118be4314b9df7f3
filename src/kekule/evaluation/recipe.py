"""The recipe: everything that decides a run's result, in one checked YAML file.

Any key can be overridden as ``key.sub=value``. A key that does not exist is an error that
names the nearest one which does, because a mistyped ``train.epcohs`` that is silently
ignored costs a night.
"""

import difflib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from kekule._errors import RecipeError
from kekule.data import (
    POLICIES,
    DuplicatePolicy,
    StandardisationPolicy,
    is_molecule_source,
    policy_of,
)
from kekule.evaluation.grid import checked_grid
from kekule.evaluation.plain_yaml import read_yaml, yaml_value
from kekule.evaluation.protocol_settings import (
    ProtocolSettings,
    of_another_kind,
    with_defaults,
)
from kekule.evaluation.uncertainty_settings import UncertaintySettings
from kekule.features import DESCRIPTORS, NO_DESCRIPTORS
from kekule.models import (
    BASELINES,
    NETWORKS,
    NetworkSettings,
    TrainSettings,
)
from kekule.models.ensemble_settings import AUTO, AutoSettings
from kekule.models.members import MEMBERS, OF_GRAPHS, OF_MOLECULES

if TYPE_CHECKING:
    ModelSettings = NetworkSettings
else:
    ModelSettings = Annotated[
        Union[(AutoSettings, *(network.Settings for network in NETWORKS.values()))],
        Field(discriminator="name"),
    ]

PLAIN = {  # where pydantic speaks of Python
    "tuple_type": "it should be a list, such as [a, b]",
    "model_type": "it should hold keys with values",
    "model_attributes_type": "it should hold keys with values",
    "invalid_key": "a key should be a word",
}
SHOWN = 80  # characters of a value, and of a key, that an error repeats
KIND = "protocol.kind"  # its override leaves out what another kind was told
SHORT_FORMS = {
    "data": "source",
    "model": "name",
}  # `data: MUTAG` stands for `data: {source: MUTAG}`
OF_DATA = ("smiles", "target", "id", "weight")  # `target: active` stands for `data.target`
NAMES = {
    *SHORT_FORMS,
    *(f"{key}.{sub}" for key, sub in SHORT_FORMS.items()),
    *OF_DATA,
    *(f"data.{key}" for key in OF_DATA),
    *("standardise", "features.descriptors", "protocol.column", "protocol.file"),
}


class DataSettings(BaseModel):
    """Which molecules, where they are, and which columns say what."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    source: Annotated[
        Annotated[str, Field(min_length=1)]
        | Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)],
        Field(
            description="A table (.csv, .tsv, .parquet, .smi, .sdf, also .gz), several in a "
            "list, the name of a set, or a TU folder."
        ),
    ] = "MUTAG"
    smiles: Annotated[
        str | None, Field(description="Column of the structures; found by its name if left out.")
    ] = None
    target: Annotated[
        str
        | Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
        | None,
        Field(
            description="Column of the class to learn, or a list of columns: one task each, "
            "learnt together. Needed for a table."
        ),
    ] = None
    id: Annotated[str | None, Field(description="Column that names the molecules.")] = None
    weight: Annotated[
        str | None, Field(description="Column of what each row counts in the training loss.")
    ] = None
    duplicates: Annotated[
        DuplicatePolicy,
        Field(
            description="What becomes of rows of one molecule: those that agree are merged; "
            "those in conflict are all dropped, go with the majority, or leave the first. "
            "`keep` keeps every row."
        ),
    ] = "drop-conflicts"

    @field_validator("target")
    @classmethod
    def _one_or_several(cls, given: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if not isinstance(given, tuple):
            return given
        if twice := [name for name in given if given.count(name) > 1]:
            raise ValueError(f"{twice[0]!r} is named twice")
        return given if len(given) > 1 else given[0]


class FeatureSettings(BaseModel):
    """What a network is given of a molecule beside its graph."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    descriptors: Annotated[
        str,
        Field(
            description="Numbers of the whole molecule, joined before the head of the network: "
            + ", ".join((NO_DESCRIPTORS, *DESCRIPTORS))
            + ". For tables of molecules."
        ),
    ] = NO_DESCRIPTORS

    @field_validator("descriptors")
    @classmethod
    def _known_set(cls, given: str) -> str:
        known = (NO_DESCRIPTORS, *DESCRIPTORS)
        if given not in known:
            near = difflib.get_close_matches(given, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            raise ValueError(f"{given!r} is no set of descriptors; {hint}")
        return given


class Recipe(BaseModel):
    """A whole experiment; equal recipes on equal data give equal scores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: DataSettings = DataSettings()
    standardise: Annotated[
        StandardisationPolicy,
        Field(
            description="What is done to a molecule of a table before it is learnt from: one of "
            + ", ".join(POLICIES)
            + ", or its keys."
        ),
    ] = POLICIES["parent"]
    features: FeatureSettings = FeatureSettings()
    model: ModelSettings = NETWORKS["gin"].Settings()
    train: TrainSettings = TrainSettings()
    protocol: ProtocolSettings = ProtocolSettings()
    uncertainty: UncertaintySettings = UncertaintySettings()
    seed: Annotated[int, Field(ge=0, lt=2**31, description="First seed of the repeats.")] = 0

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        given = {key: _long_form(key, _plain(value)) for key, value in given.items()}
        if any(key in given for key in OF_DATA):
            data = _with_short_keys(given)
            if isinstance(data, dict):
                given = {key: v for key, v in given.items() if key not in OF_DATA} | {"data": data}
        model, of_table = given.get("model", {}), _is_table(given.get("data"))
        if isinstance(model, dict):
            model = given["model"] = {"name": _usual_model(of_table)} | model
        if isinstance(protocol := given.get("protocol", {}), dict):
            ensemble = isinstance(model, dict) and model["name"] == AUTO
            given["protocol"] = with_defaults(protocol, of_table=of_table, ensemble=ensemble)
        return given

    @field_validator("standardise", mode="before")
    @classmethod
    def _named_policy(cls, given: Any) -> Any:
        return policy_of(given) if isinstance(given, str | dict) else given

    @field_validator("features")
    @classmethod
    def _of_molecules(cls, given: FeatureSettings, info: ValidationInfo) -> FeatureSettings:
        data = info.data.get("data")
        if given.descriptors != NO_DESCRIPTORS and data and not _is_table(data.model_dump()):
            raise ValueError(
                f"descriptors are of molecules, and {data.source} is a set of graphs; leave them "
                "out, or write the set as a table with `kekule data convert` and train on that"
            )
        return given

    @field_validator("protocol")
    @classmethod
    def _baselines_of_molecules(cls, given: ProtocolSettings, info: ValidationInfo) -> Any:
        data = info.data.get("data")
        if data is None or _is_table(data.model_dump()):
            return given
        for name in given.baselines:
            if BASELINES.needs(name):
                raise ValueError(
                    f"{name} needs molecules, and {data.source} is a set of graphs; leave it "
                    "out, or write the set as a table with `kekule data convert`"
                )
        return given

    @field_validator("model")
    @classmethod
    def _members_that_suit(cls, given: Any, info: ValidationInfo) -> Any:
        data = info.data.get("data")
        if not isinstance(given, AutoSettings) or data is None:
            return given
        suiting = OF_MOLECULES if _is_table(data.model_dump()) else OF_GRAPHS
        for name in given.members or ():
            if name not in suiting:
                known = ", ".join(suiting)
                why = f"{name!r} is no member for {data.source}"
                raise RecipeError("model.members", why, f"Choose from {known}.")
        if len(set(given.members or ())) < len(given.members or ()):
            why = f"{list(given.members or ())} names a member twice"
            raise RecipeError("model.members", why, "Leave one out.")
        if data.weight is not None:
            why = f"auto does not use the weights of {data.weight!r}"
            raise RecipeError("data.weight", why, "Name a network, such as model=dmpnn.")
        if given.network is not None and given.network not in NETWORKS:
            known = ", ".join(NETWORKS)
            raise RecipeError(
                "model.network", f"{given.network!r} is no network", f"Choose from {known}."
            )
        return given

    @field_validator("protocol")
    @classmethod
    def _grid_of_this_recipe(cls, given: ProtocolSettings, info: ValidationInfo) -> Any:
        model, train = info.data.get("model"), info.data.get("train")
        if given.kind != "nested" or given.grid is None or model is None or train is None:
            return given
        if isinstance(model, AutoSettings):
            why = "nested with model auto, which chooses inside every fold by itself"
            raise RecipeError("protocol.kind", why, "Use kfold, or name a network.")
        if train.together == "on":
            why = "'on' given: the kind nested chooses inside each fold, so folds train alone"
            raise RecipeError("train.together", why, "Leave it out.")
        grid = checked_grid(given.grid, {"model": model, "train": train})
        return given.model_copy(update={"grid": grid})

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Names of the fingerprints that its baselines and members need, each once."""
        needed = [name for model in self.protocol.baselines for name in BASELINES.needs(model)]
        if isinstance(self.model, AutoSettings):
            members = (self.model.members or OF_MOLECULES) if self.is_table else ()
            needed += [name for m in members for name in MEMBERS.needs(m)]
        return tuple(dict.fromkeys(needed))

    @property
    def is_table(self) -> bool:
        """Whether the data are a table of molecules, not a set of graphs."""
        return _is_table(self.data.model_dump())

    @property
    def sha256(self) -> str:
        """Hash of the resolved recipe, but for where the data lie.

        Their own hash says what they are: a set given by its name, by its folder or with a
        slash behind it is one set.
        """
        watched = {"checkpoint", "profile", "tensorboard"}  # they change no number
        resolved = self.model_dump(mode="json", exclude={"data": {"source"}, "train": watched})
        if self.protocol.grid is not None:  # its order decides between equals
            resolved["protocol"]["grid"] = [*self.protocol.grid.items()]
        return hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of each repeat."""
        return tuple(range(self.seed, self.seed + self.protocol.seeds))

    def to_yaml(self) -> str:
        """Write the resolved recipe so that `read_recipe` gives it back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def read_recipe(path: Path | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe, apply ``key.sub=value`` overrides, check the whole.

    Parameters
    ----------
    path
        YAML file; None for the defaults.
    overrides
        Values are read as YAML: ``train.epochs=50``, ``protocol.baselines=[majority]``; the
        name of a set or network is taken as typed. Of one key given twice the later counts.

    Raises
    ------
    RecipeError
        If the file cannot be read, a key is unknown, or a value does not fit; names the
        key and the nearest right one.
    """
    given = {} if path is None else read_yaml(path)
    # A whole part first (`model=gcn`), then its keys: they hold in whatever order they came.
    for override in sorted(overrides, key=_order):
        _apply(given, override)
    source = "recipe" if path is None else str(path)
    try:
        return Recipe.model_validate(given)
    except ValidationError as error:
        raise _recipe_error(error.errors(), given, overrides, source) from None


def _order(override: str) -> tuple[int, bool]:
    """Sort by depth, a kind of protocol before its settings."""
    path = override.partition("=")[0]
    return path.count("."), path != KIND


def _apply(given: dict[str, Any], override: str) -> None:
    path, separator, text = override.partition("=")
    if not separator or not all(path.split(".")):
        raise RecipeError(
            _short(override) or "''",
            "is not of the form key.sub=value",
            "Write train.epochs=50, for one.",
            source="command line",
        )
    if path in OF_DATA:
        path = f"data.{path}"
    *parents, last = path.split(".")
    value = _value(text, named=path in NAMES)
    if parents == ["data"]:
        given.pop(last, None)  # the short form in the file, which would have the last word
    place = given
    for key in parents:
        inner = _long_form(key, place.get(key) if place.get(key) is not None else {})
        if not isinstance(inner, dict):
            raise RecipeError(
                path, f"{key!r} has no keys below it", "Set it as a whole.", source="command line"
            )
        place[key] = of_another_kind(inner, value) if path == KIND else dict(inner)
        place = place[key]
    if (
        not parents
        and last in SHORT_FORMS
        and isinstance(place.get(last), dict)
        and not isinstance(value, dict)
    ):
        value = place[last] | {SHORT_FORMS[last]: value} if last == "data" else value
    place[last] = value


def _value(text: str, *, named: bool) -> Any:
    """Value of an override; what can only be a name stays as typed, be it `NO` or `0123`."""
    try:
        value = yaml_value(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    return value if isinstance(value, str | list | dict) or not (named and text) else text


def _plain(value: Any) -> Any:
    """Settings as keys and values: a part of a recipe may come as its own class."""
    return value.model_dump() if isinstance(value, BaseModel) else value


def _long_form(key: str, value: Any) -> Any:
    if key == "data" and isinstance(value, list):
        return {"source": value}
    if key in SHORT_FORMS and value is not None and not isinstance(value, dict | list):
        return {SHORT_FORMS[key]: str(value)}
    return value


def _with_short_keys(given: dict[str, Any]) -> Any:
    """Data settings, with the keys of them that stand beside them."""
    data = _long_form("data", given.get("data", {}))
    short = {key: given[key] for key in OF_DATA if key in given}
    return data | short if isinstance(data, dict) else data


def _usual_model(of_table: bool) -> str:
    return AUTO if of_table else "gin"


def _is_table(data: Any) -> bool:
    """Whether data settings, checked or not, mean a table of molecules."""
    if not isinstance(data, dict):
        return False
    if any(data.get(key) is not None for key in OF_DATA):
        return True
    source = data.get("source", "MUTAG")
    if isinstance(source, list | tuple):
        return bool(source) and all(is_molecule_source(str(one)) for one in source)
    return is_molecule_source(str(source))


def _recipe_error(
    errors: list[ErrorDetails], given: dict[str, Any], overrides: Sequence[str], source: str
) -> RecipeError:
    first = errors[0]
    loc = [str(part) for part in first["loc"]]
    if loc[:1] == ["model"] and len(loc) > 1:
        del loc[1]  # which network's settings were tried: pydantic's, not the reader's
    if loc[:2] in (["data", "source"], ["data", "target"]):
        del loc[2:]  # which of its two forms was tried
    if loc[:2] == ["protocol", "grid"]:
        del loc[3:]
    told = first.get("ctx", {}).get("error")
    unnamed = first["type"].startswith("union_tag")
    key = "model.name" if unnamed else ".".join(loc) or "recipe"
    key = told.key if isinstance(told, RecipeError) else key
    if any(_touch(key, text.partition("=")[0]) for text in overrides):
        source = "command line"
    key = _short(key)
    more = f" ({len(errors) - 1} more after it.)" if len(errors) > 1 else ""
    if isinstance(told, RecipeError):
        return RecipeError(key, _short(told.why), told.cure + more, source=source)
    if first["type"] == "extra_forbidden":
        known = _known_keys(loc[:-1], given)
        near = difflib.get_close_matches(loc[-1], known, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(known)}."
        owners = [name for name, kind in NETWORKS.items() if loc[-1] in kind.Settings.model_fields]
        if loc[:-1] == ["model"] and not near and owners and _model_named(given) == AUTO:
            cure = f"The model auto has none; name a network, such as model={owners[0]}."
        return RecipeError(key, "there is no such key", cure + more, source=source)
    if unnamed:
        return RecipeError(
            key,
            f"{_short(repr(first['input'].get('name')))} is no model",
            f"Choose one of {', '.join((AUTO, *NETWORKS))}." + more,
            source=source,
        )
    why = PLAIN.get(first["type"], first["msg"].removeprefix("Value error, "))
    why = f"{_short(repr(first['input']))} given: {why[:1].lower()}{why[1:]}"
    return RecipeError(key, why, "Correct the value." + more, source=source)


def _touch(one: str, other: str) -> bool:
    """Whether one key is the other, or lies below it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _short(text: str) -> str:
    """Fit text on the one line of an error."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def _model_named(given: dict[str, Any]) -> str:
    model = _long_form("model", given.get("model"))
    usual = _usual_model(_is_table(_with_short_keys(given)))
    return str(model.get("name", usual)) if isinstance(model, dict) else usual


def _known_keys(path: Sequence[str], given: dict[str, Any]) -> list[str]:
    if path == ["model"]:
        name = _model_named(given)
        settings = AutoSettings if name == AUTO else NETWORKS[name].Settings
        return list(settings.model_fields)
    fields: dict[str, Any] = Recipe.model_fields
    for key in path:
        fields = fields[key].annotation.model_fields
    return [*fields, *OF_DATA] if not path else list(fields)
