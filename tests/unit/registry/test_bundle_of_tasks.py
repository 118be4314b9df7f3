"""A bundle of several tasks answers for each, and is refused where its tasks do not add up."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kekule._errors import BundleError
from kekule.features import pack, schema_of
from kekule.models import NETWORKS, build_network, probabilities, weights_of
from kekule.registry import Predictor, open_bundle, save_bundle

TASKS = {"NR-AR": ("0", "1"), "says, who": ("no", "yes"), "prediction": ("NA", "<b>7</b>")}
NITRO = "O=[N+]([O-])c1ccc2ccccc2c1"


@pytest.fixture
def content(content_of, mutag):
    settings = NETWORKS["gin"].Settings(hidden=8, layers=2)
    network = build_network(schema_of(mutag), 2, settings, seed=1, n_tasks=3)
    return replace(content_of(mutag), classes=(), tasks=TASKS, weights=weights_of(network))


@pytest.fixture
def copied(content, tmp_path):
    save_bundle(tmp_path / "bundle", content)
    return tmp_path / "bundle"


def test_tasks_classes_and_probabilities_are_those_that_were_saved(copied, content, mutag):
    opened = open_bundle(copied)
    manifest = json.loads((copied / "bundle.json").read_text(encoding="utf-8"))
    network = build_network(
        content.schema, 2, NETWORKS["gin"].Settings(hidden=8, layers=2), seed=1, n_tasks=3
    )
    packed = pack(mutag, opened.schema)

    assert opened.tasks == TASKS
    assert list(opened.tasks) == list(TASKS)
    assert opened.classes == ()
    assert manifest["task"] == "multitask"
    assert manifest["format"] == 4
    np.testing.assert_array_equal(
        probabilities(opened.network, packed), probabilities(network, packed)
    )


def test_every_task_has_its_columns_and_every_row_its_place(copied):
    model = Predictor(open_bundle(copied))
    table = model.predict([NITRO, "not a molecule", "CCO"])
    columns = [f"{task}.{part}" for task in TASKS for part in ("prediction", "probability")]

    assert list(table.columns) == ["row", "smiles", "status", "reason", "smiles_used", *columns]
    assert table["row"].tolist() == [0, 1, 2]
    assert table["status"].tolist() == ["ok", "invalid", "ok"]
    for task, classes in TASKS.items():
        probability = table[f"{task}.probability"]
        assert probability.isna().tolist() == [False, True, False]
        said = [classes[int(p > 0.5)] for p in probability[[0, 2]]]
        assert table[f"{task}.prediction"].tolist() == [said[0], "", said[1]]


def test_the_columns_of_a_task_are_its_own_column_of_the_probabilities(copied, mutag):
    opened = open_bundle(copied)
    table = Predictor(opened).predict(mutag)
    values = probabilities(opened.network, pack(mutag, opened.schema))

    for k, task in enumerate(TASKS):
        np.testing.assert_array_equal(table[f"{task}.probability"], values[:, k, 1])
    assert len({tuple(values[:, k, 1]) for k in range(3)}) == 3


def test_nothing_asked_is_nothing_answered_under_the_same_columns(copied):
    model = Predictor(open_bundle(copied))

    pd.testing.assert_index_equal(model.predict([]).columns, model.predict(["CCO"]).columns)


def test_the_example_is_replayed_for_every_task(copied, forge):
    path = copied / "example.json"
    example = json.loads(path.read_text())
    example["probabilities"][0][2] = example["probabilities"][0][2][::-1]
    path.write_text(json.dumps(example))

    with pytest.raises(BundleError, match="moved"):
        open_bundle(forge())


LIST = [{"name": name, "classes": list(classes)} for name, classes in TASKS.items()]


@pytest.mark.parametrize(
    "changes",
    [
        *({"tasks": given} for given in ([], [*LIST[:2]], [*LIST, *LIST], [LIST[0]] * 3)),
        *({"tasks": given} for given in (7, "abc", ["a", "b", "c"], {"a": ["0", "1"]})),
        {"tasks": [*LIST[:2], {"name": "x"}]},
        {"tasks": [*LIST[:2], {"name": ["x"], "classes": ["0", "1"]}]},
        {"tasks": [*LIST[:2], {"name": 7, "classes": ["0", "1"]}]},
        {"tasks": [*LIST[:2], {"name": "x", "classes": ["0", "1", "2"]}]},
        {"tasks": [*LIST[:2], {"name": "x", "classes": ["0", "0"]}]},
        {"classes": ["0", "1"]},
        {"classes": None},
    ],
)
def test_tasks_that_do_not_fit_the_rest_are_refused_in_one_line(copied, forge, changes):
    with pytest.raises(BundleError, match="do not fit") as caught:
        open_bundle(forge(**changes))
    assert "\n" not in str(caught.value)
