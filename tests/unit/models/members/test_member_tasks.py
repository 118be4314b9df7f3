import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from kekule.models.members import (
    MEMBERS,
    Constant,
    Material,
    PerTask,
    Stored,
    restored,
    train_member,
)
from stand_in_tables import tables_of

ROWS, ASKED = np.arange(0, 120), np.arange(120, 188)


@pytest.fixture
def material(packed_mutag):
    return Material(packed_mutag, tables_of(packed_mutag))


def learn(material, targets, name="LightGBM", n_classes=2):
    return train_member(
        MEMBERS[name],
        material,
        targets,
        train_rows=ROWS,
        held_rows=ASKED[:10],
        n_classes=n_classes,
        seed=0,
    )


def test_each_task_is_what_it_is_alone_on_the_rows_that_have_its_label(material, mutag_targets):
    targets = np.stack([mutag_targets, mutag_targets], axis=1)
    targets[::3, 1] = -1
    together = learn(material, targets).probabilities(material)
    labelled = ROWS[targets[ROWS, 1] >= 0]
    alone = MEMBERS["LightGBM"].train(
        material, mutag_targets, train_rows=labelled, held_rows=ROWS[:0], n_classes=2, seed=0
    )

    np.testing.assert_array_equal(
        together[:, 0], learn(material, mutag_targets).probabilities(material)
    )
    np.testing.assert_array_equal(together[:, 1], alone.probabilities(material))
    assert not np.array_equal(together[:, 0], together[:, 1])


def test_a_task_of_one_class_answers_it_and_one_without_labels_even_chances(
    material, mutag_targets
):
    targets = np.stack([mutag_targets, np.ones(188, int), np.full(188, -1)], axis=1)
    targets[ROWS[::2], 1] = -1
    targets[ASKED, 2] = 1
    trained = learn(material, targets)
    given = trained.probabilities(material)

    assert (given[:, 1] == [0, 1]).all()
    assert (given[:, 2] == 0.5).all()
    assert [type(task) for task in trained.tasks[1:]] == [Constant, Constant]
    assert trained.needs == ("ecfp", "rdkit-descriptors")


def test_one_column_of_targets_is_one_task(material, mutag_targets):
    given = learn(material, mutag_targets[:, None])

    assert not isinstance(given, PerTask)
    expected = learn(material, mutag_targets).probabilities(material)
    np.testing.assert_array_equal(given.probabilities(material), expected)


def test_arrays_of_tasks_do_not_mix(material, mutag_targets):
    """Eleven tasks: t1 is the beginning of the name of t10."""
    targets = np.stack([mutag_targets, 1 - mutag_targets] + [np.zeros(188, int)] * 9, axis=1)
    targets[:, 10] = mutag_targets
    trained = learn(material, targets)
    settings, arrays = trained.stored()
    again = restored(
        Stored(settings, arrays), schema=material.graphs.schema, n_classes=2, n_tasks=11
    )

    assert {name.split(".")[0] for name in arrays} == {f"t{k}" for k in range(11)}
    given = again.probabilities(material)
    np.testing.assert_array_equal(given, trained.probabilities(material))
    np.testing.assert_array_equal(given[:, 10], given[:, 0])


@pytest.mark.parametrize(
    "tasks",
    [
        [],
        [{}, {}],
        [1, 2],
        [{"kind": "per-task", "tasks": []}] * 2,
        "t0",
        None,
        [{"kind": []}] * 2,
    ],
)
def test_tasks_that_are_none_are_refused(material, tasks):
    with pytest.raises(ValueError, match="member"):
        restored(
            Stored({"kind": "per-task", "tasks": tasks}, {}),
            schema=material.graphs.schema,
            n_classes=2,
            n_tasks=2,
        )


@pytest.mark.parametrize("shares", [[0.5, 0.4], [1.5, -0.5], [np.nan, 1], [1.0], [[0, 1]]])
def test_a_constant_answer_is_a_distribution_or_refused(material, shares):
    stored = Stored({"kind": "constant"}, {"shares": np.array(shares, dtype=np.float64)})
    with pytest.raises(ValueError, match="shares"):
        restored(stored, schema=material.graphs.schema, n_classes=2, n_tasks=1)


@pytest.mark.parametrize("kind", [None, 1, "pickle", ["forest"], {}, "kekule.models"])
def test_a_kind_that_is_unknown_is_refused(material, kind):
    with pytest.raises(ValueError, match="kind"):
        restored(Stored({"kind": kind}, {}), schema=material.graphs.schema, n_classes=2)


ASK = """
import sys, json
import numpy as np
from safetensors.numpy import load_file
from kekule.data import find_set
from kekule.features import pack, schema_of
from kekule.models.members import Material, Stored, restored
graphs = find_set("MUTAG")
packed = pack(graphs, schema_of(graphs))
folder = sys.argv[1]
tables = load_file(f"{folder}/tables")
for name in sys.argv[2:]:
    settings = json.load(open(f"{folder}/{name}.json"))
    stored = Stored(settings, load_file(f"{folder}/{name}"))
    one = restored(stored, schema=packed.schema, n_classes=2)
    np.save(f"{folder}/{name}.npy", one.probabilities(Material(packed, tables)))
print(*sys.modules)
"""


def test_a_member_is_asked_without_the_libraries_that_trained_it(
    tmp_path, material, mutag_targets
):
    save_file(
        {k: np.ascontiguousarray(v) for k, v in material.tables.items()}, tmp_path / "tables"
    )
    names = ["extra-trees", "LightGBM", "WL-SVM", "WL-LightGBM"]
    expected = {}
    for name in names:
        trained = learn(material, mutag_targets, name)
        settings, arrays = trained.stored()
        (tmp_path / f"{name}.json").write_text(json.dumps(settings))
        save_file(arrays, tmp_path / name)
        expected[name] = trained.probabilities(material)
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path), *names],
        check=True,
        capture_output=True,
        text=True,
    )

    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert loaded.isdisjoint({"sklearn", "lightgbm", "scipy", "torch_geometric"})
    for name in names:
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), expected[name])
