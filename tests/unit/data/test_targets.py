import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import DataFileError
from kekule.data.targets import MISSING_TEXTS, read_targets


def targets_of(cells, column="y"):
    targets, remarks = read_targets(pd.DataFrame({column: cells}, dtype=str), [column], "t.csv")
    return targets.classes[0], targets.codes[:, 0].tolist(), remarks


def test_classes_that_are_numbers_are_sorted_as_numbers():
    assert targets_of(["10", "9", "-1", "9", "2.5"])[:2] == (
        ("-1", "2.5", "9", "10"),
        [3, 2, 0, 2, 1],
    )


def test_classes_that_are_words_are_sorted_by_their_letters():
    classes, codes, remarks = targets_of(["low", "high", "10", "high"])

    assert (classes, codes, remarks) == (("10", "high", "low"), [2, 1, 0, 1], [])


def test_true_and_false_stay_as_spelt():
    assert targets_of(["True", "False", "True"])[:2] == (("False", "True"), [1, 0, 1])


def test_one_number_spelt_twice_is_one_class_and_said():
    classes, codes, remarks = targets_of(["1", "0.0", "1.0", "0", "1e0"])

    assert classes == ("0.0", "1")
    assert codes == [1, 0, 1, 0, 1]
    assert remarks == [
        "Column 'y': '1' and '1.0' and '1e0' are one class, '1'.",
        "Column 'y': '0.0' and '0' are one class, '0.0'.",
    ]


def test_numbers_that_only_floats_cannot_tell_apart_are_two_classes():
    assert targets_of(["10000000000000001", "10000000000000000"])[1] == [1, 0]


def test_words_that_differ_in_case_are_two_classes_and_said():
    classes, _, remarks = targets_of(["Active", "active", "Active"])

    assert classes == ("Active", "active")
    assert remarks == ["Column 'y': 'Active' and 'active' are classes of their own."]


@pytest.mark.parametrize(
    "text", ["", "  ", "NA", "N/A", "NaN", "nan", "null", "None", "-", "?", "<NA>", "#N/A", " na "]
)
def test_what_says_that_there_is_no_label_is_none(text):
    classes, codes, remarks = targets_of(["1", text, "0"])

    assert (classes, codes) == (("0", "1"), [1, -1, 0])
    said = [f"Column 'y': {text.strip()!r} counts as no label (1 rows)."] if text.strip() else []
    assert remarks == said


def test_several_tasks_have_their_own_classes_and_gaps():
    frame = pd.DataFrame({"a": ["1", "", "0"], "b": ["x", "z", "y"], "smiles": ["C", "C", "C"]})
    targets, remarks = read_targets(frame, ["b", "A"], "t.csv")

    assert targets.tasks == ("b", "a")
    assert targets.classes == (("x", "y", "z"), ("0", "1"))
    assert targets.codes.dtype == np.int64
    assert targets.codes.tolist() == [[0, 1], [2, -1], [1, 0]]
    assert targets.names(1) == ["1", "", "0"]
    assert remarks == []


@pytest.mark.parametrize("columns", ["a, b", ["a,b"], ["a", "b"], ("a", "b")])
def test_names_may_be_given_with_commas_between_them(columns):
    frame = pd.DataFrame({"a": ["1", "0"], "b": ["0", "1"]})
    assert read_targets(frame, columns, "t.csv")[0].tasks == ("a", "b")


def test_a_name_with_a_comma_is_one_column():
    frame = pd.DataFrame({"a,b": ["1", "0"]})
    assert read_targets(frame, "a,b", "t.csv")[0].tasks == ("a,b",)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("actve", "no column 'actve'; there are 'active', 'id'. Did you mean 'active'"),
        (["active", "Active"], "column 'active' is a target twice"),
    ],
)
def test_a_wrong_name_and_one_given_twice_are_errors(columns, why):
    frame = pd.DataFrame({"active": ["1", "0"], "id": ["a", "b"]})

    with pytest.raises(DataFileError, match=f"t.csv: .*{why}"):
        read_targets(frame, columns, "t.csv")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([f"{k / 8}" for k in range(21)] * 10, "'y' has 21 distinct values, as a measured"),
        ([f"name {k}" for k in range(60)] * 4, "'y' has 60 distinct values in 240 labels"),
        ([str(k) for k in range(1000)], "'y' has 1,000 distinct values in 1,000 labels"),
    ],
)
def test_a_measured_quantity_or_names_are_refused_with_what_to_do(cells, why):
    with pytest.raises(DataFileError, match=why) as caught:
        targets_of(cells)
    assert "active/inactive at a threshold" in caught.value.cure


@pytest.mark.parametrize(
    "cells",
    [
        [f"{k / 8}" for k in range(20)],  # grades in eighths
        [str(k) for k in range(21)] * 2,
        [f"name {k}" for k in range(60)] * 5,
    ],
)
def test_many_classes_with_enough_rows_each_are_classes(cells):
    assert len(targets_of(cells)[0]) == len(set(cells))


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["1", "1.0", ""], "column 'y' has one class, '1', and a model needs two"),
        (["", "NA"], "column 'y' has no label"),
        ([], "column 'y' has no label"),
    ],
)
def test_fewer_than_two_classes_are_refused(cells, why):
    with pytest.raises(DataFileError, match=why):
        targets_of(cells)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.lists(
        st.sampled_from(["0", "0.0", "1", "-1", " 1.00", "x", "X", "", "NA", "?", "1e3", "1000"])
        | st.text(max_size=3),
        max_size=30,
    )
)
def test_a_code_always_names_the_class_its_cell_says(cells):
    cells = ["first", "second", *cells]
    classes, codes, _ = targets_of(cells)

    assert len(set(classes)) == len(classes)
    for cell, code in zip(cells, codes, strict=True):
        text = cell.strip()
        if text.lower() in MISSING_TEXTS:
            assert code == -1
        elif text != classes[code]:
            assert float(text) == float(classes[code])


@pytest.mark.parametrize("cell", ["1e99999999999", "9" * 5000, "0x10", "1_0", "٣", "inf"])
def test_a_cell_that_is_nearly_a_number_is_a_word(cell):
    classes, codes, _ = targets_of(["1", cell])

    assert sorted(classes) == sorted(["1", cell])
    assert sorted(codes) == [0, 1]
