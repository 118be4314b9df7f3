"""A bundle: everything a trained model needs, in one folder that can be trusted.

Files of format 2: ``bundle.json`` (manifest with checksums), ``weights.safetensors``,
``recipe.yaml`` (resolved), ``scores.json``, ``example.json`` (graphs or SMILES and the
probabilities they must give; replayed on every load). Format 1 knew graphs of a set alone,
and had neither a standardisation policy nor the codes seen in training.
"""

import importlib.metadata
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from kekule._errors import BundleError, KekuleError
from kekule.data import LabelledGraphs, StandardisationPolicy
from kekule.features import (
    MOLECULE_SCHEMA,
    GraphSchema,
    PackedGraphs,
    Seen,
    pack,
    standard_graphs,
)
from kekule.models import (
    NETWORKS,
    Network,
    NetworkSettings,
    build_network,
    probabilities,
    set_weights,
    shapes_of,
)
from kekule.registry.example import example_from_json, example_to_json
from kekule.registry.manifest import (
    COPY_AGAIN,
    json_bytes,
    read_json,
    read_manifest,
    write_manifest,
)

WEIGHTS, EXAMPLE = "weights.safetensors", "example.json"
LIBRARIES = ("kekule", "numpy", "rdkit", "safetensors", "scikit-learn", "torch", "torch_geometric")
TOLERANCE = 1e-4  # probability; another processor's float32 sums differ by less than 1e-5
_MISFIT = (  # what parts of a bundle raise that do not fit each other
    KekuleError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, eq=False)
class BundleContent:
    """What goes into a bundle.

    Attributes
    ----------
    name
        Of the model, such as ``mutag-gin``.
    classes
        As spelt in the training data; class k is column k of the probabilities.
    schema
        Of the arrays the network reads.
    network_settings
        JSON form of the network's settings, its ``name`` among them.
    weights
        Arrays by parameter name.
    recipe_yaml, recipe_sha256, data_sha256
        What it was made from.
    scores
        Content of ``scores.json``.
    examples
        A few graphs of the training set, or SMILES of a table; replayed on load.
    created
        UTC time, ISO 8601.
    policy
        How SMILES of a table were standardised; None where the model was trained on graphs.
    seen
        Codes that occurred in training, by part and column.
    """

    name: str
    classes: tuple[str, ...]
    schema: GraphSchema
    network_settings: dict[str, Any]
    weights: dict[str, NDArray[np.generic]]
    recipe_yaml: str
    recipe_sha256: str
    data_sha256: str
    scores: dict[str, Any]
    examples: LabelledGraphs | tuple[str, ...]
    created: str
    policy: StandardisationPolicy | None = None
    seen: Seen = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class OpenBundle:
    """A verified bundle in memory.

    Attributes
    ----------
    manifest
        Content of ``bundle.json``.
    classes, schema, policy, seen
        See `BundleContent`.
    network
        In evaluation mode.
    """

    manifest: dict[str, Any]
    classes: tuple[str, ...]
    schema: GraphSchema
    network: Network
    policy: StandardisationPolicy | None = None
    seen: Seen = field(default_factory=dict)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries a result depends on."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        found[library] = importlib.metadata.version(library)
    return found


def save_bundle(folder: Path, content: BundleContent) -> None:
    """Write a bundle into `folder`, which must not exist; the manifest is written last."""
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(save(dict(content.weights)))
    (folder / "recipe.yaml").write_text(content.recipe_yaml, encoding="utf-8")
    (folder / "scores.json").write_bytes(json_bytes(content.scores))
    settings = _settings(content.network_settings)
    network = build_network(content.schema, len(content.classes), settings, seed=0)
    set_weights(network, content.weights)
    expected = probabilities(network, _packed(content.examples, content.schema, content.policy))
    (folder / EXAMPLE).write_bytes(json_bytes(example_to_json(content.examples, expected)))
    write_manifest(
        folder,
        {
            "name": content.name,
            "task": "binary" if len(content.classes) == 2 else "multiclass",
            "classes": list(content.classes),
            "input": _input_kind(content.schema),
            "policy": None if content.policy is None else content.policy.model_dump(mode="json"),
            "seen": content.seen,
            "schema": content.schema.to_json(),
            "schema_sha256": content.schema.sha256,
            "network": content.network_settings,
            "recipe_sha256": content.recipe_sha256,
            "data_sha256": content.data_sha256,
            "created": content.created,
            "versions": versions(),
        },
    )


def open_bundle(path: Path) -> OpenBundle:
    """Read a bundle, or the bundle of a run folder, and verify all of it.

    Every checksum is compared and the example replayed: a bundle that opens gives the
    probabilities it gave when it was made.

    Raises
    ------
    BundleError
        If anything is missing, changed, of a newer format or predicts differently.
    """
    folder = path / "bundle" if (path / "bundle").is_dir() else path
    manifest = read_manifest(folder, needed=(WEIGHTS, EXAMPLE))
    try:
        classes = _classes(manifest["classes"])
        schema = GraphSchema.from_json(manifest["schema"])
        settings = _settings(manifest["network"])
        policy, seen = _policy(manifest, schema), _seen(manifest, schema)
        weights = load_file(folder / WEIGHTS)
        _check_weights(weights, shapes_of(schema, len(classes), settings))
        network = build_network(schema, len(classes), settings, seed=0)
        set_weights(network, weights)
    except _MISFIT as error:
        raise BundleError(
            folder, f"its parts do not fit each other: {_first_words(error)}", COPY_AGAIN
        ) from error
    bundle = OpenBundle(manifest, classes, schema, network, policy, seen)
    _replay(folder / EXAMPLE, bundle)
    return bundle


def _packed(
    examples: LabelledGraphs | tuple[str, ...],
    schema: GraphSchema,
    policy: StandardisationPolicy | None,
) -> PackedGraphs:
    """Lay examples out as the predictor would."""
    if isinstance(examples, LabelledGraphs):
        return pack(examples, schema)
    if policy is None or schema.featuriser is None:
        raise ValueError("the example is SMILES, but the model was trained on graphs")
    return standard_graphs(examples, policy).graphs


def _input_kind(schema: GraphSchema) -> str:
    return "graph" if schema.alphabet is None and schema.featuriser is None else "smiles"


def _policy(manifest: dict[str, Any], schema: GraphSchema) -> StandardisationPolicy | None:
    given = manifest.get("policy")
    if schema.featuriser is None:
        return None
    if schema.featuriser != MOLECULE_SCHEMA.featuriser:
        raise ValueError(f"atoms are coded by {schema.featuriser!r}, which is unknown here")
    if schema.sha256 != MOLECULE_SCHEMA.sha256:
        raise ValueError(f"the codes of {schema.featuriser!r} differ from those it has here")
    try:
        return StandardisationPolicy.model_validate(given, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"policy {first['loc']}: {first['msg']}") from None


def _seen(manifest: dict[str, Any], schema: GraphSchema) -> Seen:
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


def _classes(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) < 2 or not all(isinstance(k, str) for k in given):
        raise ValueError(f"classes {given!r} are not two names or more")
    if len(set(given)) < len(given):
        raise ValueError(f"classes {given!r} name one twice")
    return tuple(given)


def _check_weights(
    weights: dict[str, NDArray[np.generic]], wanted: dict[str, tuple[int, ...]]
) -> None:
    """Hold names, shapes and numbers against the network's, before room is made for it."""
    found = {name: array.shape for name, array in weights.items()}
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise ValueError(
                f"{WEIGHTS}: array {name!r} is {found.get(name)}, not {wanted.get(name)}"
            )
        if not np.isfinite(weights[name]).all():
            raise ValueError(f"{WEIGHTS}: array {name!r} holds values that are no numbers")


def _replay(path: Path, bundle: OpenBundle) -> None:
    examples, expected = example_from_json(path, read_json(path))
    try:
        packed = _packed(examples, bundle.schema, bundle.policy)
        given = probabilities(bundle.network, packed)
        moved = float(np.abs(given - expected).max())
    except _MISFIT as error:
        raise BundleError(
            path, f"it cannot be replayed: {_first_words(error)}", COPY_AGAIN
        ) from error
    if not (given.shape == expected.shape and moved <= TOLERANCE):
        raise BundleError(
            path,
            f"replayed, a probability moved by {moved:.2g} (at most {TOLERANCE:g} is allowed)",
            f"Open it with the versions it was made with: {bundle.manifest.get('versions')}.",
        )


def _settings(given: dict[str, Any]) -> NetworkSettings:
    name = given.get("name")
    if name not in NETWORKS:
        raise BundleError("bundle", f"network {name!r} is unknown here", "Install a newer kekule.")
    try:
        return NETWORKS[name].Settings.model_validate(given)
    except ValidationError as error:
        raise BundleError(
            "bundle", f"settings of {name} do not fit: {error}", COPY_AGAIN
        ) from None


def _first_words(error: Exception, most: int = 300) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split())[:most] or type(error).__name__
