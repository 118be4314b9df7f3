"""A bundle: everything a trained model needs, in one folder that can be trusted.

Files of format 4: ``bundle.json`` (manifest with checksums), ``weights.safetensors``,
``recipe.yaml`` (resolved), ``scores.json``, ``example.json`` (graphs or SMILES and the
probabilities they must give; replayed on every load), ``calibration.json``, ``conformal.json``
and ``domain.npz`` (how sure to be of an answer; the example is of the model's own
probabilities). Format 1 knew graphs of a set alone,
and had neither a standardisation policy nor the codes seen in training; format 2 knew one
task alone; format 3 knew networks alone. All are read.
"""

import importlib.metadata
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from kekule._errors import BundleError, KekuleError
from kekule.data import LabelledGraphs, StandardisationPolicy
from kekule.evaluation.uncertainty import Uncertainty
from kekule.features import (
    GraphSchema,
    Seen,
    described,
    pack,
    standard_graphs,
)
from kekule.models import Network
from kekule.models.members.member import Material
from kekule.models.shipped import OneNetwork, Shipped, shipped_from
from kekule.registry.example import example_from_json, example_to_json
from kekule.registry.fingerprints import check_fingerprints, fingerprints_told, tables_of
from kekule.registry.manifest import (
    COPY_AGAIN,
    json_bytes,
    read_json,
    read_manifest,
    write_manifest,
)
from kekule.registry.parts import (
    Tasks,
    classes_in,
    counts_of,
    policy_in,
    seen_in,
    tasks_in,
)
from kekule.registry.uncertainty_files import read_uncertainty, write_uncertainty

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
        As spelt in the training data; class k is column k of the probabilities. Empty where
        there are several tasks.
    schema
        Of the arrays the network reads.
    model_settings
        JSON form of the model's settings, its ``name`` among them: a network's, or ``auto`` with
        what `Ensemble.stored` tells.
    weights
        Arrays by name.
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
    tasks
        Of several tasks the names, in the order of the probabilities, each with its classes;
        else empty.
    uncertainty
        What calibrates the model's probabilities, and says how sure to be of each.
    """

    name: str
    classes: tuple[str, ...]
    schema: GraphSchema
    model_settings: dict[str, Any]
    weights: dict[str, NDArray[np.generic]]
    recipe_yaml: str
    recipe_sha256: str
    data_sha256: str
    scores: dict[str, Any]
    examples: LabelledGraphs | tuple[str, ...]
    created: str
    policy: StandardisationPolicy | None = None
    seen: Seen = field(default_factory=dict)
    tasks: Tasks = field(default_factory=dict)
    uncertainty: Uncertainty | None = None


@dataclass(frozen=True, eq=False)
class OpenBundle:
    """A verified bundle in memory.

    Attributes
    ----------
    manifest
        Content of ``bundle.json``.
    classes, schema, policy, seen, tasks, uncertainty
        See `BundleContent`.
    model
        The network, or the ensemble.
    """

    manifest: dict[str, Any]
    classes: tuple[str, ...]
    schema: GraphSchema
    model: Shipped
    policy: StandardisationPolicy | None = None
    seen: Seen = field(default_factory=dict)
    tasks: Tasks = field(default_factory=dict)
    uncertainty: Uncertainty | None = None

    @property
    def network(self) -> Network | None:
        """The network; None where the model is an ensemble, which has no single embedding."""
        return self.model.network if isinstance(self.model, OneNetwork) else None


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
    n_classes, n_tasks = counts_of(content.classes, content.tasks)
    model = shipped_from(
        content.model_settings,
        content.weights,
        schema=content.schema,
        n_classes=n_classes,
        n_tasks=n_tasks,
    )
    material = _material(content.examples, content.schema, content.policy, model.needs)
    expected = model.probabilities(material)
    (folder / EXAMPLE).write_bytes(json_bytes(example_to_json(content.examples, expected)))
    if content.uncertainty is not None:
        write_uncertainty(folder, content.uncertainty)
    write_manifest(
        folder,
        {
            "name": content.name,
            "task": _kind_of_task(content),
            "classes": list(content.classes),
            "tasks": [
                {"name": task, "classes": list(classes)} for task, classes in content.tasks.items()
            ],
            "input": _input_kind(content.schema),
            "policy": None if content.policy is None else content.policy.model_dump(mode="json"),
            "seen": content.seen,
            "schema": content.schema.to_json(),
            "schema_sha256": content.schema.sha256,
            "model": content.model_settings,
            "fingerprints": fingerprints_told(model.needs),
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
        tasks = tasks_in(manifest.get("tasks", []))
        classes = () if tasks and manifest["classes"] == [] else classes_in(manifest["classes"])
        n_classes, n_tasks = counts_of(classes, tasks)
        schema = GraphSchema.from_json(manifest["schema"])
        policy, seen = policy_in(manifest, schema), seen_in(manifest, schema)
        weights = load_file(folder / WEIGHTS)
        model = shipped_from(
            manifest["model"] if "model" in manifest else manifest["network"],  # before format 4
            weights,
            schema=schema,
            n_classes=n_classes,
            n_tasks=n_tasks,
        )
        check_fingerprints(manifest.get("fingerprints", {}), model.needs)
    except _MISFIT as error:
        raise BundleError(
            folder, f"its parts do not fit each other: {_first_words(error)}", COPY_AGAIN
        ) from error
    uncertainty = read_uncertainty(folder, manifest, n_classes=n_classes, n_tasks=n_tasks)
    if uncertainty is not None and uncertainty.needs and schema.featuriser is None:
        why = "domain.npz compares fingerprints, and the model is of graphs that are no molecules"
        raise BundleError(folder, why, COPY_AGAIN)
    bundle = OpenBundle(manifest, classes, schema, model, policy, seen, tasks, uncertainty)
    _replay(folder / EXAMPLE, bundle)
    return bundle


def _material(
    examples: LabelledGraphs | tuple[str, ...],
    schema: GraphSchema,
    policy: StandardisationPolicy | None,
    needs: tuple[str, ...],
) -> Material:
    """Lay examples out as the predictor would."""
    if isinstance(examples, LabelledGraphs):
        return Material(pack(examples, schema))
    if policy is None or schema.featuriser is None:
        raise ValueError("the example is SMILES, but the model was trained on graphs")
    found = described(standard_graphs(examples, policy), schema)
    return Material(found.graphs, tables_of(found.rows.smiles, needs))


def _input_kind(schema: GraphSchema) -> str:
    return "graph" if schema.alphabet is None and schema.featuriser is None else "smiles"


def _kind_of_task(content: BundleContent) -> str:
    if content.tasks:
        return "multitask"
    return "binary" if len(content.classes) == 2 else "multiclass"


def _replay(path: Path, bundle: OpenBundle) -> None:
    examples, expected = example_from_json(path, read_json(path))
    try:
        material = _material(examples, bundle.schema, bundle.policy, bundle.model.needs)
        given = bundle.model.probabilities(material)
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


def _first_words(error: Exception, most: int = 300) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split())[:most] or type(error).__name__
