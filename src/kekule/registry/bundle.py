"""A bundle: everything a trained model needs, in one folder that can be trusted.

Files of format 1: ``bundle.json`` (manifest with checksums), ``weights.safetensors``,
``recipe.yaml`` (resolved), ``scores.json``, ``example.json`` (graphs and the probabilities
they must give; replayed on every load).
"""

import importlib.metadata
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from kekule._errors import BundleError, KekuleError
from kekule.data import LabelledGraphs
from kekule.features import GraphSchema, pack
from kekule.models import NETWORKS, Network, build_network, probabilities, set_weights
from kekule.registry.example import example_from_json, example_to_json
from kekule.registry.manifest import COPY_AGAIN, read_json, read_manifest, write_manifest

LIBRARIES = ("kekule", "numpy", "rdkit", "safetensors", "scikit-learn", "torch", "torch_geometric")
TOLERANCE = 1e-4  # probability; another processor's float32 sums differ by less than 1e-5


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
        A few graphs of the training set; replayed on load.
    created
        UTC time, ISO 8601.
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
    examples: LabelledGraphs
    created: str


@dataclass(frozen=True, eq=False)
class OpenBundle:
    """A verified bundle in memory.

    Attributes
    ----------
    manifest
        Content of ``bundle.json``.
    classes, schema
        See `BundleContent`.
    network
        In evaluation mode.
    """

    manifest: dict[str, Any]
    classes: tuple[str, ...]
    schema: GraphSchema
    network: Network


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries a result depends on."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        found[library] = importlib.metadata.version(library)
    return found


def save_bundle(folder: Path, content: BundleContent) -> None:
    """Write a bundle into `folder`, which must not exist; the manifest is written last."""
    folder.mkdir(parents=True)
    save_file(dict(content.weights), folder / "weights.safetensors")
    (folder / "recipe.yaml").write_text(content.recipe_yaml, encoding="utf-8")
    _write_json(folder / "scores.json", content.scores)
    network = _network(content.schema, len(content.classes), content.network_settings)
    set_weights(network, content.weights)
    expected = probabilities(network, pack(content.examples, content.schema))
    _write_json(folder / "example.json", example_to_json(content.examples, expected))
    write_manifest(
        folder,
        {
            "name": content.name,
            "task": "binary" if len(content.classes) == 2 else "multiclass",
            "classes": list(content.classes),
            "input": "graph" if content.schema.alphabet is None else "smiles",
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
    manifest = read_manifest(folder)
    try:
        classes = tuple(str(name) for name in manifest["classes"])
        schema = GraphSchema.from_json(manifest["schema"])
        network = _network(schema, len(classes), manifest["network"])
        set_weights(network, load_file(folder / "weights.safetensors"))
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError, KekuleError) as error:
        why = " ".join(str(error).split())[:300]
        raise BundleError(folder, f"its parts do not fit each other: {why}", COPY_AGAIN) from error
    bundle = OpenBundle(manifest, classes, schema, network)
    _replay(folder, bundle)
    return bundle


def _replay(folder: Path, bundle: OpenBundle) -> None:
    graphs, expected = example_from_json(
        folder / "example.json", read_json(folder / "example.json")
    )
    given = probabilities(bundle.network, pack(graphs, bundle.schema))
    moved = (
        float(np.abs(given - expected).max(initial=0)) if given.shape == expected.shape else 1.0
    )
    if not moved <= TOLERANCE:
        raise BundleError(
            folder / "example.json",
            f"replayed, a probability moved by {moved:.2g} (at most {TOLERANCE:g} is allowed)",
            f"Open it with the versions it was made with: {bundle.manifest['versions']}.",
        )


def _network(schema: GraphSchema, n_classes: int, settings: dict[str, Any]) -> Network:
    name = settings.get("name")
    if name not in NETWORKS:
        raise BundleError("bundle", f"network {name!r} is unknown here", "Install a newer kekule.")
    try:
        checked = NETWORKS[name].Settings.model_validate(settings)
    except ValidationError as error:
        raise BundleError(
            "bundle", f"settings of {name} do not fit: {error}", COPY_AGAIN
        ) from None
    return build_network(schema, n_classes, checked, seed=0)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
