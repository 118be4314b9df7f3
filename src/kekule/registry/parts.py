"""Parts of a bundle's manifest, believed only once they are what they must be.

What is not raises ValueError, or what Python raises where a part is missing or of another
kind; `kekule.registry.bundle` makes one error of them all.
"""

from typing import Any

from pydantic import ValidationError

from kekule.data import StandardisationPolicy
from kekule.features import (
    MOLECULE_SCHEMA,
    GraphSchema,
    Seen,
    descriptors_of,
    without_descriptors,
)

Tasks = dict[str, tuple[str, ...]]  # classes by the task's name


def policy_in(manifest: dict[str, Any], schema: GraphSchema) -> StandardisationPolicy | None:
    """Return how a table's SMILES were standardised; None where the model knows graphs."""
    given = manifest.get("policy")
    descriptors_of(schema)  # which refuses what cannot be computed here
    if schema.featuriser is None:
        return None
    if schema.featuriser != MOLECULE_SCHEMA.featuriser:
        raise ValueError(f"atoms are coded by {schema.featuriser!r}, which is unknown here")
    if without_descriptors(schema).sha256 != MOLECULE_SCHEMA.sha256:
        raise ValueError(f"the codes of {schema.featuriser!r} differ from those it has here")
    try:
        return StandardisationPolicy.model_validate(given, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"policy {first['loc']}: {first['msg']}") from None


def seen_in(manifest: dict[str, Any], schema: GraphSchema) -> Seen:
    """Codes seen in training; a model of a table must say of every column."""
    if schema.featuriser is None:
        return {}
    found: Seen = {}
    for part, columns in (("nodes", schema.nodes), ("edges", schema.edges)):
        given = manifest["seen"][part]
        found[part] = {column.name: _whole_numbers(given[column.name]) for column in columns}
    return found


def _whole_numbers(given: Any) -> list[int]:
    if not isinstance(given, list) or not all(type(value) is int for value in given):
        raise ValueError(f"codes seen in training are {str(given)[:60]}, not whole numbers")
    return given


def classes_in(given: Any) -> tuple[str, ...]:
    """Two names or more, no two alike."""
    if not isinstance(given, list) or len(given) < 2 or not all(isinstance(k, str) for k in given):
        raise ValueError(f"classes {given!r} are not two names or more")
    if len(set(given)) < len(given):
        raise ValueError(f"classes {given!r} name one twice")
    return tuple(given)


def tasks_in(given: Any) -> Tasks:
    """Several tasks with two classes each, or none."""
    if not isinstance(given, list) or not all(isinstance(task, dict) for task in given):
        raise ValueError(f"tasks {str(given)[:60]} are no list of names with classes")
    tasks = {task["name"]: classes_in(task["classes"]) for task in given}
    if not all(isinstance(name, str) for name in tasks) or len(tasks) < len(given):
        raise ValueError(f"tasks {str([*tasks])[:60]} are not different names")
    if len(tasks) == 1 or any(len(classes) != 2 for classes in tasks.values()):
        raise ValueError(f"{len(tasks)} tasks are not several, or one has not two classes")
    return tasks


def counts_of(classes: tuple[str, ...], tasks: Tasks) -> tuple[int, int]:
    """Classes of each task, and tasks."""
    if classes and tasks:
        raise ValueError(f"classes {classes!r} beside {len(tasks)} tasks with their own")
    return (2, len(tasks)) if tasks else (len(classes), 1)
