import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import DataFileError, KekuleError
from kekule.data.splits import NEVER_TESTED, SplitInputs, index_file, make_split, training_rows

ENTRY = {"test": [4, 5], "model_selection": [{"train": [0, 1], "validation": [2, 3]}]}


@pytest.fixture
def from_file(tmp_path, by_rows):
    """Split n rows as a file of this text says."""

    def build(text, name="split.json", n=6, **how):
        path = tmp_path / name
        raw = (
            text
            if isinstance(text, bytes)
            else (text if isinstance(text, str) else json.dumps(text)).encode()
        )
        path.write_bytes(raw)
        return make_split("given", by_rows(n, file=path, **how))

    return build


@pytest.fixture
def from_cells(by_rows):
    def build(cells, **how):
        return make_split("given", by_rows(len(cells), column=cells, column_name="fold", **how))

    return build


@pytest.mark.parametrize(
    ("name", "n"), [("NCI1", 4110), ("ENZYMES", 600), ("PROTEINS_full", 1113)]
)
def test_the_folds_of_a_fair_comparison_come_out_as_they_are(data_root, by_rows, name, n):
    path = data_root / "splits" / f"CHEMICAL_{name}_splits.json"
    folds = json.loads(path.read_text())
    split = make_split("given", by_rows(n, file=path))

    assert split.n_folds == 10
    assert (split.fold >= 0).all()
    for number, fold in enumerate(folds):
        (inner,) = fold["model_selection"]
        assert np.flatnonzero(split.fold == number).tolist() == sorted(fold["test"])
        assert training_rows(split, number).tolist() == sorted(inner["train"])
        assert split.validation[number].tolist() == sorted(inner["validation"])
    assert split.description == "as given: 10 folds"


def test_ogbs_file_comes_out_as_it_is_less_the_rows_that_were_set_aside(data_root):
    path = data_root / "splits" / "molhiv_scaffold.csv"
    theirs = pd.read_csv(path, index_col="index")["split"].sort_index().to_numpy()
    rows = np.setdiff1d(np.arange(41127), [137, 987, 12882, 18293, 30784, 30785, 35728])
    codes = (np.arange(len(rows)) % 2)[:, None]
    split = make_split("given", SplitInputs(codes, rows, 41127, file=path))

    np.testing.assert_array_equal(split.fold == 0, theirs[rows] == "test")
    np.testing.assert_array_equal(split.validation[0], np.flatnonzero(theirs[rows] == "valid"))
    np.testing.assert_array_equal(training_rows(split, 0), np.flatnonzero(theirs[rows] == "train"))
    assert split.description == (
        "as given: 32898 rows to train, 4111 to validate, 4111 to test on, "
        "7 more that were set aside"
    )


def test_the_model_column_of_bace_and_the_two_files_of_tdc_are_splits(data_root, from_cells):
    bace = pd.read_csv(data_root / "moleculenet" / "BACE.csv")["Model"]
    split = from_cells(bace.tolist())
    assert np.bincount(split.fold + 1).tolist() == [203 + 45, 1265]
    np.testing.assert_array_equal(split.validation[0], np.flatnonzero(bace == "Valid"))

    sizes = [
        len(pd.read_csv(data_root / "tdc" / f"hERG_{part}.csv")) for part in ("train", "test")
    ]
    split = from_cells(["train"] * sizes[0] + ["test"] * sizes[1])
    assert split.fold.tolist() == [NEVER_TESTED] * sizes[0] + [0] * sizes[1]
    assert split.validation is None


def test_case_and_blanks_of_words_do_not_matter(from_cells):
    split = from_cells(["TRAIN", " training", "Val ", "validation", "Test", "testing", "valid"])

    assert split.fold.tolist() == [-1, -1, -1, -1, 0, 0, -1]
    assert split.validation[0].tolist() == [2, 3, 6]
    assert training_rows(split, 0).tolist() == [0, 1]


@settings(deadline=None)
@given(st.permutations(list(range(4)) * 3), st.sampled_from([0, 1]), st.booleans())
def test_fold_numbers_from_0_or_1_on_are_the_folds(numbers, start, decimal):
    n = len(numbers)
    cells = [f"{number + start}{'.0' if decimal else ''}" for number in numbers]
    codes = np.stack([np.arange(n) // 2**bit % 2 for bit in range(4)], axis=1)
    split = make_split("given", SplitInputs(codes, np.arange(n), n, column=cells))

    assert split.fold.tolist() == numbers
    assert (split.n_folds, split.validation, split.train) == (4, None, None)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["train", "test", "tset"], r"column 'fold', row 2: 'tset' is no part of a split\. Write"),
        (["train", "test", ""], "row 2: the cell is empty"),
        (["train", "test", "1"], "row 2: '1' is a number among words"),
        (["train", "valid", "train"], "column 'fold': no row is in the part 'test'"),
        (["test", "valid", "test"], "no row is in the part 'train'"),
        (["0", "2", "0"], "the fold numbers are 0, 2, not 0 to k - 1"),
        (["2", "3", "4"], "the fold numbers are 2, 3, 4, not"),
        (["1", "1", "1"], "the fold numbers are 1, not"),
        (["0", "1", "-1"], "row 0: '0' is a number among words"),
        (["0", "999999999", "1"], "the fold numbers are 0, 1, 999999999, not"),
    ],
)
def test_a_column_that_is_no_split_is_refused(from_cells, cells, message):
    with pytest.raises(KekuleError, match=message):
        from_cells(cells)


def test_rows_of_the_file_are_those_of_the_source(from_file):
    split = from_file(ENTRY, n=4, rows=[0, 1, 3, 5], n_source=6)

    assert split.fold.tolist() == [NEVER_TESTED, NEVER_TESTED, NEVER_TESTED, 0]
    assert split.validation[0].tolist() == [2]
    assert training_rows(split, 0).tolist() == [0, 1]
    assert split.description.startswith(
        "as given: 2 rows to train, 1 to validate, 1 to test on, 2 more that were set aside"
    )


def test_rows_in_no_part_are_neither_trained_on_nor_tested(from_file):
    split = from_file({"train": [0, 1], "valid": [2], "test": [5]})

    assert split.train[0].tolist() == [0, 1]
    assert np.flatnonzero(split.fold == 0).tolist() == [5]
    assert "2 in no part" in split.description
    table = from_file("index,split\n0,train\n1,train\n5,test\n", name="split.csv")
    assert table.train[0].tolist() == [0, 1]


def test_a_fold_without_training_rows_trains_on_what_is_left(from_file):
    split = from_file([{"test": [0, 1]}, {"test": [2, 3]}, {"test": [5, 4]}])

    assert split.fold.tolist() == [0, 0, 1, 1, 2, 2]
    assert training_rows(split, 1).tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "index,split\n0,train\n1,train\n2,test\n"),
        ("a.csv", "\ufeffsplit;index,INDEX, Split \r\nx,0,Train\r\n\r\ny,1,train\r\nz,2,TEST\r\n"),
        ("a.tsv", "row\tfold\n0\ttrain\n2\ttest\n1\ttrain\n"),
        ("a.csv", 'index,note,split\n0,"two\nlines",train\n1,,train\n2,"a,b",test\n'),
    ],
)
def test_tables_of_rows_and_parts_are_read_in_their_usual_forms(from_file, name, text):
    assert from_file(text, name=name, n=3).fold.tolist() == [NEVER_TESTED, NEVER_TESTED, 0]


def test_fold_numbers_may_stand_in_a_file(from_file):
    text = "index,fold\n5,2\n0,1\n1,1\n2,2\n"
    split = from_file(text, name="folds.csv")

    assert split.fold.tolist() == [0, 0, 1, NEVER_TESTED, NEVER_TESTED, 1]
    assert training_rows(split, 0).tolist() == [2, 5]


INNER = "model_selection"
BAD_JSON = [
    ("", "line 1: it is no JSON"),
    ('[\n{"test": [0,]}]', "line 2: it is no JSON"),
    ("[" * 100_000, "nested too deep"),
    ('[{"test": [' + "9" * 5000 + "]}]", "nested too deep or has huge numbers"),
    ([], "it holds no fold"),
    (7, "fold 0 is a number, not an object"),
    ([[0, 1]], "fold 0 is a list, not an object"),
    ([{"train": [0]}], "fold 0 has no 'test'"),
    ([{"test": 3}], "'test' of fold 0 is a number, not a list"),
    ([{"test": None}], "'test' of fold 0 is null, not a list"),
    ([{"test": [0, "1"]}], "'test' of fold 0 holds 1, which is no row number"),
    ([{"test": [0, True]}], "holds True, which is no row number"),
    ([{"test": [0, 1.0]}], r"holds 1\.0, which is no row number"),
    ([{"test": [-1]}], "holds -1, which is no row number"),
    ([{"test": [2**70]}], "which is no row number"),
    ([{"test": [0, 6]}], "row 6 is out of range: the source has the rows 0 to 5"),
    ([{"test": [2**39]}], "is out of range"),
    ([{"test": [1, 2, 2]}], "row 2 is tested twice"),
    (
        [{"test": [1, 2], "train": [2, 3, 1]}],
        "row 1 and 1 more rows are in the parts of fold 0 twice",
    ),
    ([{"test": [1]}, {"test": [1]}], "row 1 is tested twice"),
    ([{"test": [1], "valid": [2], "val": [3]}], "fold 0 has 'val', which is another name"),
    ([{"test": [1], "tset": [2]}], "fold 0 has 'tset', which is no part"),
    ([{"test": [1], INNER: []}], "of fold 0 is not a list of one object"),
    ([{"test": [1], INNER: [{}, {}]}], "of fold 0 is not a list of one object"),
    ([{"test": [1], "valid": [2]}, {"test": [3]}], "fold 1 has no validation rows, and others"),
    ([{"test": []}], "none of the 0 test rows of fold 0 is in use"),
    ([{"test": [0, 1, 2, 3, 4, 5]}], "none of the 0 train rows of fold 0 is in use"),
]


@pytest.mark.parametrize(("given_", "message"), BAD_JSON)
def test_a_json_file_that_is_no_split_is_refused_by_name(from_file, given_, message):
    with pytest.raises(DataFileError, match=rf"split\.json.*{message}"):
        from_file(given_)


BAD_CSV = [
    ("", "no column is named index or row, but nothing"),
    ("id,split\n", "no column is named index or row, but 'id', 'split'"),
    ("index,part\n", "no column is named split or fold"),
    ("index,split\n", "no row is in the part 'train'"),
    ("index,split\n0,train\n1,tset\n", "line 3: 'tset' is no part"),
    ("index,split\n0,train\n\n1\n", r"line 4: it has 1 cell\(s\)"),
    ("index,split\n0,train\nx,test\n", "line 3: 'x' is no row number"),
    ("index,split\n0,train\n-1,test\n", "line 3: '-1' is no row number"),
    ("index,split\n0,train\n²,test\n", "line 3: '²' is no row number"),
    ("index,split\n0,train\n9,test\n", "row 9 is out of range"),
    ("index,split\n0,train\n0,test\n", "row 0 is in the parts of fold 0 twice"),
    (f"index,split\n0,{'x' * 200_000}\n", "line 2: it is no CSV"),
    (b"index,split\n0,train\n1,\xff\n", "line 3: it is no UTF-8 text"),
]


@pytest.mark.parametrize(("given_", "message"), BAD_CSV)
def test_a_table_that_is_no_split_is_refused_by_name(from_file, given_, message):
    with pytest.raises(DataFileError, match=rf"split\.csv.*{message}"):
        from_file(given_, name="split.csv")


def test_files_too_large_missing_or_no_files_are_refused(
    from_file, by_rows, tmp_path, monkeypatch
):
    for path in (tmp_path, tmp_path / "nowhere.json"):
        with pytest.raises(DataFileError, match="there is no such file"):
            make_split("given", by_rows(6, file=path))
    monkeypatch.setattr(index_file, "LARGEST", 2**20)
    with pytest.raises(DataFileError, match="more than the 1 MB that are read"):
        from_file(" " * 2**20 + "[]")


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["test", "train", "valid", INNER, "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    ),
    st.integers(0, 40),
)
def test_no_json_whatever_it_holds_gets_past_the_checks(tmp_path_factory, value, cut):
    path = tmp_path_factory.mktemp("json") / "split.json"
    text = json.dumps(value)
    path.write_text(text[: len(text) - cut] if cut < len(text) else text)
    codes = np.array([[0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1]]).T
    try:
        split = make_split("given", SplitInputs(codes, np.arange(6), 6, file=path))
    except KekuleError:
        return
    assert (split.fold >= 0).any()
    for fold in range(split.n_folds):
        assert (split.fold[training_rows(split, fold)] != fold).all()
