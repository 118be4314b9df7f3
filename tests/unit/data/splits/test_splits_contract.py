"""What every kind of split promises, found by going through all of them."""

import hashlib
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import kekule.data.splits
from kekule._errors import KekuleError
from kekule.data.splits import (
    NEVER_TESTED,
    SPLITS,
    Split,
    SplitInputs,
    grouped_validation_rows,
    make_split,
    training_rows,
)
from kekule.data.splits.gaps import class_gaps

DIGEST = """
import hashlib, json, sys
import numpy as np
from kekule.data.splits import SplitInputs, make_split
given = json.load(sys.stdin)
for kind, kwargs in given["kinds"].items():
    inputs = SplitInputs(np.array(given["codes"]), np.array(given["rows"]), 4000, **kwargs)
    split = make_split(kind, inputs, seed=3)
    print(kind, hashlib.sha256(split.fold.astype("<i8").tobytes()).hexdigest())
"""


@pytest.fixture(params=SPLITS)
def family(request):
    return SPLITS[request.param]


@pytest.fixture(scope="module")
def given(real):
    """Give a kind every fifth row of BBBP, and of all else what it needs and nothing more."""

    def build(family):
        whole = real("BBBP", 5)
        cells = {
            "time": [str(1990 + row % 25) for row in whole.rows],
            "group": [f"batch {row % 61}" for row in whole.rows],
            "given": [("train", "train", "valid", "test")[row % 7 % 4] for row in whole.rows],
        }
        return SplitInputs(
            whole.codes,
            whole.rows,
            whole.n_source,
            smiles=whole.smiles if family.needs == "smiles" else None,
            column=cells[family.name] if "column" in family.needs else None,
        )

    return build


def sides(split, inputs, fold):
    """Training, validation and test rows of a fold, as a training draws them."""
    test, train = np.flatnonzero(split.fold == fold), training_rows(split, fold)
    if split.validation is not None:
        return train, split.validation[fold], test
    drawn = grouped_validation_rows(inputs.codes, train, split.groups, fraction=0.1, seed=fold)
    return np.setdiff1d(train, drawn), drawn, test


def test_every_way_of_splitting_in_the_package_can_be_asked_for_by_name():
    found = set()
    for module in pkgutil.iter_modules(kekule.data.splits.__path__):
        here = importlib.import_module(f"kekule.data.splits.{module.name}")
        found |= {
            member
            for name, member in inspect.getmembers(here, inspect.isfunction)
            if name.endswith("_split")
            and member.__module__ == here.__name__
            and [*inspect.signature(member).parameters] == ["inputs", "dealing"]
        }

    assert found == {family.split for family in SPLITS.values()}
    for name, family in SPLITS.items():
        assert family.name == name
        assert family.split.__name__ == f"{name.replace('-', '_')}_split"


def test_every_fold_trains_on_some_rows_and_tests_others(family, given):
    inputs = given(family)
    split = make_split(family.name, inputs)

    assert split.kind == family.name
    assert split.fold.dtype == np.int64
    assert split.fold.shape == (len(inputs),)
    assert set(split.fold.tolist()) - {NEVER_TESTED} == set(range(split.n_folds))
    for fold in range(split.n_folds):
        train, validation, test = sides(split, inputs, fold)
        together = np.concatenate([train, validation, test])
        assert min(len(train), len(validation), len(test)) > 0
        assert len(np.unique(together)) == len(together)
        assert set(together.tolist()) <= set(range(len(inputs)))


def test_rows_of_one_group_are_never_on_two_sides(family, given):
    inputs = given(family)
    split = make_split(family.name, inputs)
    if split.groups is None:
        assert family.name in {"random", "given"}
        return
    for fold in range(split.n_folds):
        on = [set(split.groups[rows].tolist()) for rows in sides(split, inputs, fold)]
        assert not on[0] & on[1]
        assert not on[0] & on[2]
        assert not on[1] & on[2]


def test_folds_test_every_row_once_and_a_test_set_leaves_the_rest(family, given):
    inputs = given(family)
    split = make_split(family.name, inputs, n_folds=4)

    if family.form == "folds":
        assert split.n_folds == 4
        assert (split.fold != NEVER_TESTED).all()
    else:
        assert split.n_folds == 1
        assert (split.fold == NEVER_TESTED).any()


def test_another_seed_deals_otherwise_where_the_family_says_so(family, given):
    inputs = given(family)
    first, again, other = (make_split(family.name, inputs, seed=seed) for seed in (3, 3, 4))

    np.testing.assert_array_equal(first.fold, again.fold)
    assert (first.fold != other.fold).any() == family.seeded
    if first.groups is not None:
        np.testing.assert_array_equal(first.groups, other.groups)


def test_the_labels_do_not_move_the_groups(family, given):
    inputs = given(family)
    turned = SplitInputs(
        inputs.codes[::-1],
        inputs.rows,
        inputs.n_source,
        smiles=inputs.smiles,
        column=inputs.column,
    )
    split, other = (make_split(family.name, each) for each in (inputs, turned))

    if split.groups is not None:
        np.testing.assert_array_equal(split.groups, other.groups)
    if not family.seeded:
        np.testing.assert_array_equal(split.fold, other.fold)


def test_what_a_family_needs_is_asked_for_when_it_is_not_there(family, given):
    whole = given(family)
    bare = SplitInputs(whole.codes, whole.rows, whole.n_source)
    if family.needs == "nothing":
        assert make_split(family.name, bare).n_folds == 5
        return
    words = {"smiles": "have no SMILES", "column": "column", "column or file": "column"}
    with pytest.raises(KekuleError, match=f"splits: {family.name} .*{words[family.needs]}"):
        make_split(family.name, bare)


def test_a_description_is_one_line(family, given):
    description = make_split(family.name, given(family)).description
    assert description
    assert "\n" not in description


def test_another_process_with_another_hash_seed_splits_alike(given):
    kinds, here = {}, {}
    for name, family in SPLITS.items():
        inputs = given(family)
        kinds[name] = {"smiles": inputs.smiles, "column": inputs.column}
        fold = make_split(name, inputs, seed=3).fold
        here[name] = hashlib.sha256(fold.astype("<i8").tobytes()).hexdigest()
    text = json.dumps(
        {"codes": inputs.codes.tolist(), "rows": inputs.rows.tolist(), "kinds": kinds}
    )
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        input=text,
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert dict(line.split() for line in done.stdout.splitlines()) == here
    assert done.stderr == ""


def test_looking_splits_up_loads_no_chemistry():
    code = "import sys, kekule.data.splits\nprint(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"rdkit", "torch", "pandas", "sklearn", "matplotlib"} & set(done.stdout.split())


def test_an_unknown_kind_is_refused_with_the_nearest(by_rows):
    with pytest.raises(KekuleError, match=r"'scafold'\. Did you mean scaffold\? There are random"):
        make_split("scafold", by_rows(10))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_folds": 1}, "1 folds leave nothing to train on"),
        ({"test": 1.0}, "test share 1.0 is not between 0 and 1"),
        ({"test": float("nan")}, "test share nan"),
    ],
)
def test_numbers_that_leave_nothing_are_refused(by_rows, numbers, message):
    with pytest.raises(KekuleError, match=message):
        make_split("random", by_rows(10), **numbers)


def test_no_row_at_all_is_refused():
    empty = SplitInputs(np.zeros((0, 1), dtype=np.int64), np.zeros(0, dtype=np.int64), 7)
    with pytest.raises(KekuleError, match="no row to split"):
        make_split("random", empty)


def test_parts_that_do_not_belong_together_are_a_mistake_of_the_caller(by_rows):
    with pytest.raises(ValueError, match="3 rows, but codes"):
        by_rows(3, smiles=["C", "CC"])
    with pytest.raises(ValueError, match="distinct numbers from 0 to 4"):
        by_rows(3, rows=[0, 1, 5], n_source=5)


def test_a_fold_that_would_train_on_one_class_is_refused(by_rows):
    inputs = by_rows(6, codes=[0, 0, 0, 1, 1, 1], column=list("aaabbb"))
    with pytest.raises(KekuleError, match="fold 1 of group trains on rows of one class alone"):
        make_split("group", inputs, n_folds=2)


def test_a_fold_without_rows_is_refused():
    fold = np.array([0, 0, 1, 1])
    with pytest.raises(
        KekuleError, match="fold 3 of by hand has 4 rows to train on and 0 to test"
    ):
        class_gaps(Split("by hand", "", 3, fold), np.array([[0], [1], [0], [1]]))


def test_a_class_that_a_fold_does_not_test_is_told(by_rows):
    inputs = by_rows(8, codes=[0, 1, 0, 1, 0, 0, 0, 0], column=list("aabbccdd"))
    description = make_split("group", inputs, n_folds=4).description

    untested = make_split("group", inputs, n_folds=4).fold[[4, 6]]
    assert description.endswith(
        f"; folds {min(untested) + 1}, {max(untested) + 1} do not test every class"
    )


def test_a_class_that_is_tested_but_not_trained_on_is_told(by_rows):
    inputs = by_rows(
        6, codes=[0, 1, 2, 0, 1, 0], column=["train", "train", "test"] + ["train"] * 3
    )
    assert make_split("given", inputs).description.endswith(
        "; fold 1 does not test every class; fold 1 does not train on every class"
    )
