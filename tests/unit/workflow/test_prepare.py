"""Every row is accounted for before the first fold is trained."""

import numpy as np
import pytest

from kekule import KekuleError
from kekule._errors import DataFileError
from kekule.evaluation import read_recipe
from kekule.workflow.prepare import prepare


def prepared(folder, *overrides):
    return prepare(read_recipe(None, [f"data={folder}", "protocol.folds=2", *overrides]))


def test_a_graph_without_nodes_is_set_aside_with_its_reason(tiny_set):
    found = prepared(tiny_set(empty=(0, 5)))

    assert found.usable.tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert len(found.inputs.graphs) == len(found.inputs.targets) == 10
    status = [each.status for each in found.statuses]
    assert status == ["invalid" if row in (0, 5) else "ok" for row in range(12)]
    assert found.rejected().to_dict("list") == {
        "row": [0, 5],
        "status": ["invalid"] * 2,
        "reason": ["the graph has no nodes"] * 2,
    }


def test_where_nothing_is_set_aside_the_table_of_it_has_its_columns(tiny_set):
    rejected = prepared(tiny_set()).rejected()
    assert list(rejected.columns) == ["row", "status", "reason"]
    assert rejected.empty


def test_rows_keep_their_class_when_others_are_set_aside(tiny_set):
    found = prepared(tiny_set(empty=(0, 5), classes=(7, -3)))

    assert found.classes == ("-3", "7")
    given = found.origin.graphs.targets[found.usable]
    assert np.array(found.classes)[found.inputs.targets].astype(int).tolist() == given.tolist()


def test_classes_are_numbered_in_their_order_whatever_their_numbers(tiny_set):
    found = prepared(tiny_set(classes=(10, 9, -1)))
    assert found.classes == ("-1", "9", "10")
    assert found.inputs.n_classes == 3


def test_a_set_without_classes_says_which_file_to_add(tiny_set):
    with pytest.raises(DataFileError, match=r"no class labels.*Add TINY_graph_labels\.txt"):
        prepared(tiny_set(labelled=False))


def test_a_class_too_rare_for_the_folds_is_said_before_anything_is_trained(tiny_set):
    with pytest.raises(KekuleError, match=r"too few rows \(6\) for 7 folds"):
        prepared(tiny_set(), "protocol.folds=7")


def test_a_class_that_lost_its_rows_is_too_rare(tiny_set):
    with pytest.raises(KekuleError, match="class 0 has too few rows"):
        prepared(tiny_set(empty=(1, 3, 5, 7, 9)))


def test_a_set_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataFileError, match="nowhere"):
        prepared(tmp_path / "nowhere")
