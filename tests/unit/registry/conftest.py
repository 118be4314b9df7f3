"""Bundles of networks nobody trained: what a bundle promises does not depend on their skill."""

import json
import shutil

import numpy as np
import pytest

from kekule.features import schema_of
from kekule.models import NETWORKS, build_network, weights_of
from kekule.registry import BundleContent, Predictor, open_bundle, save_bundle
from kekule.registry.manifest import _own_sum, json_bytes, sha256_of


@pytest.fixture(scope="session")
def content_of():
    """What a bundle of an untrained network on the given graphs would hold."""

    def build(graphs, *, classes=("-1", "1"), network="gin", **changes):
        settings = NETWORKS[network].Settings(hidden=8, layers=2)
        schema = schema_of(graphs)
        given = {
            "name": f"untrained-{network}",
            "classes": classes,
            "schema": schema,
            "model_settings": settings.model_dump(mode="json"),
            "weights": weights_of(build_network(schema, len(classes), settings, seed=1)),
            "recipe_yaml": "data: {source: MUTAG}\n",
            "recipe_sha256": "a" * 64,
            "data_sha256": graphs.sha256,
            "scores": {"verdict": "nobody trained it"},
            "examples": graphs.take(np.arange(min(3, len(graphs)))),
            "created": "1865-01-27T12:00:00+00:00",
        }
        return BundleContent(**given | changes)

    return build


@pytest.fixture(scope="session")
def saved(tmp_path_factory, mutag, content_of):
    """Folder of a sound bundle; not to be written into."""
    folder = tmp_path_factory.mktemp("registry") / "bundle"
    save_bundle(folder, content_of(mutag))
    return folder


@pytest.fixture(scope="session")
def model(saved):
    return Predictor(open_bundle(saved))


@pytest.fixture
def copied(saved, tmp_path):
    """A copy of the sound bundle, to be damaged."""
    return shutil.copytree(saved, tmp_path / "bundle")


@pytest.fixture
def forge(copied):
    """Change a bundle as somebody would who knows the format, every sum right again.

    ``forge(name=...)`` sets parts of the manifest, ``None`` removes one; bytes written into
    the folder beforehand are taken over.
    """

    def sign(**changes):
        path = copied / "bundle.json"
        manifest = json.loads(path.read_text())
        manifest["files"] = {
            p.name: sha256_of(p) for p in copied.iterdir() if p != path and p.is_file()
        }
        manifest |= changes
        manifest = {key: value for key, value in manifest.items() if value is not None}
        manifest["sha256"] = _own_sum(manifest)
        path.write_bytes(json_bytes(manifest))
        return copied

    return sign
