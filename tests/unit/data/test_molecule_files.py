"""Every kind of table in: the same rows out, whatever they were written to."""

import codecs
import csv
import gzip
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import DataFileError, KekuleError
from kekule.data.file_kinds import KINDS, is_file_name
from kekule.data.molecule_files import iter_molecules, read_molecules

ROWS = [
    ["id", "smiles", "active"],
    ["007", "CCO", "1"],
    ["NA", "F/C=C/F", "0"],
    ["a, b", "not a molecule", ""],
    ['says "hé"', "[Na+].[Cl-]", "1"],
    ["two\nlines", "C(C)(C)(C)(C)C", "0"],
    ["", "", "NA"],
]


def as_csv(rows, separator=","):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


def as_frame(rows):
    return pd.DataFrame(rows[1:], columns=rows[0])


def write_csv(path, rows):
    path.write_text(as_csv(rows), encoding="utf-8", newline="")


def write_tsv(path, rows):
    path.write_text(as_csv(rows, "\t"), encoding="utf-8", newline="")


def write_semicolons(path, rows):
    path.write_bytes(codecs.BOM_UTF8 + as_csv(rows, ";").encode())


def write_bars(path, rows):
    path.write_text(as_csv(rows, "|"), encoding="utf-8", newline="")


def write_utf16(path, rows):
    path.write_text(as_csv(rows), encoding="utf-16", newline="")


def write_packed(path, rows):
    path.write_bytes(gzip.compress(as_csv(rows).encode()))


def write_parquet(path, rows):
    as_frame(rows).to_parquet(path, row_group_size=2)


WRITERS = {
    "a.csv": write_csv,
    "a.tsv": write_tsv,
    "a.tab": write_tsv,
    "a.txt": write_tsv,
    "semicolons.csv": write_semicolons,
    "bars.csv": write_bars,
    "utf16.csv": write_utf16,
    "packed.csv.gz": write_packed,
    "a.parquet": write_parquet,
}
OPTIONS = {"id_column": "id", "targets": ("active",)}


def content(table):
    """What must not depend on how the rows were written."""
    codes = None if table.targets is None else table.targets.codes.tolist()
    names = None if table.targets is None else (table.targets.tasks, table.targets.classes)
    return table.frame.to_dict("list"), table.structures, table.ids, table.reasons, names, codes


def together(parts):
    """Content of the parts of a table, as that of one."""
    parts = list(parts)
    frame = pd.concat([part.frame for part in parts], ignore_index=True).to_dict("list")
    structures = [text for part in parts for text in part.structures]
    return frame, structures, [reason for part in parts for reason in part.reasons]


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rows_come_from_every_kind_of_file(tmp_path, name):
    WRITERS[name](tmp_path / name, ROWS)
    table = read_molecules(tmp_path / name, **OPTIONS)

    assert table.structures == [row[1] for row in ROWS[1:]]
    assert table.ids == [row[0] for row in ROWS[1:]]
    assert table.targets.codes[:, 0].tolist() == [1, 0, -1, 1, 0, -1]
    assert content(table) == content(read_molecules(as_frame(ROWS), **OPTIONS))
    assert table.frame.columns.tolist() == ROWS[0]
    assert table.structure_column == "smiles"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@settings(max_examples=15, derandomize=True, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, st.sampled_from(["0", "1", "", "NA"])), max_size=8))
def test_no_text_in_a_cell_changes_what_the_kinds_of_file_agree_on(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("kinds")
    rows = [*ROWS[:3], *map(list, rows)]
    expected = content(read_molecules(as_frame(rows), **OPTIONS))

    assert expected[1] == [row[1] for row in rows[1:]]
    for name, write in WRITERS.items():
        write(folder / name, rows)
        assert content(read_molecules(folder / name, **OPTIONS)) == expected, name


@pytest.mark.parametrize("name", [*WRITERS, "a.smi", "frame"])
@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_parts_are_the_table_in_the_order_of_its_rows(tmp_path, name, chunk_rows):
    source = as_frame(ROWS)
    if name in WRITERS:
        WRITERS[name](tmp_path / name, ROWS)
    elif name == "a.smi":
        (tmp_path / name).write_text("CCO a\n\nCC\nC#N\n")
    if name != "frame":
        source = tmp_path / name
    whole = read_molecules(source)
    parts = list(iter_molecules(source, chunk_rows=chunk_rows))

    assert max(map(len, parts)) <= chunk_rows
    assert together(parts) == together([whole])
    assert {(part.name, part.sha256) for part in parts} == {(whole.name, whole.sha256)}
    assert tuple(text for part in parts for text in part.remarks) == whole.remarks
    assert all(part.frame.index.tolist() == list(range(len(part))) for part in parts)


def test_reading_in_parts_needs_at_least_one_row_a_part():
    with pytest.raises(KekuleError, match="at least one row, not 0"):
        iter_molecules(["CC"], chunk_rows=0)


def test_a_wrong_file_or_column_is_told_before_the_first_part_is_asked_for(tmp_path):
    write_csv(tmp_path / "a.csv", ROWS)

    with pytest.raises(DataFileError, match="no such file"):
        iter_molecules(tmp_path / "b.csv")
    with pytest.raises(DataFileError, match=r"no column 'smile'.*Did you mean 'smiles'\?"):
        iter_molecules(tmp_path / "a.csv", smiles="smile")


def test_a_list_of_smiles_is_a_table_of_one_column():
    table = read_molecules(["CCO", "", None, "not a molecule", "C\ud800"])

    assert table.structures == ["CCO", "", "", "not a molecule", "C?"]
    assert table.frame.columns.tolist() == ["smiles"]
    assert (table.source, table.remarks, table.ids, table.targets) == ("list", (), None, None)
    assert len(read_molecules([])) == 0


def test_values_of_a_frame_become_the_text_they_are_written_as():
    frame = pd.DataFrame(
        {
            "smiles": ["C", "CC", None],
            "count": pd.array([1, None, 3], dtype="Int64"),
            "single": np.array([0.1, np.nan, 2], dtype=np.float32),
            "flag": [True, False, None],
            "day": pd.to_datetime(["2020-01-02", None, "2021-03-04"]),
            "kind": pd.Categorical(["a", None, "b"]),
            "any": [b"x", [1, 2], float("nan")],
        }
    )
    assert read_molecules(frame).frame.to_dict("list") == {
        "smiles": ["C", "CC", ""],
        "count": ["1", "", "3"],
        "single": ["0.1", "", "2.0"],
        "flag": ["True", "False", ""],
        "day": ["2020-01-02 00:00:00", "", "2021-03-04 00:00:00"],
        "kind": ["a", "", "b"],
        "any": ["x", "[1, 2]", ""],
    }


def test_an_index_with_a_name_is_a_column_and_one_without_is_none():
    frame = pd.DataFrame({"smiles": ["C", "CC"]}, index=pd.Index(["x", "y"], name="id"))

    assert read_molecules(frame, id_column="id").ids == ["x", "y"]
    assert read_molecules(frame.rename_axis(None)).frame.columns.tolist() == ["smiles"]
    with pytest.raises(DataFileError, match="index and a column are both named 'id'"):
        read_molecules(frame.assign(id=["1", "2"]))


def test_integers_with_gaps_stay_integers_in_parquet(tmp_path):
    frame = pd.DataFrame({"smiles": ["C", "CC"], "id": pd.array([7, None], dtype="Int64")})
    frame.to_parquet(tmp_path / "a.parquet")

    assert read_molecules(tmp_path / "a.parquet", id_column="id").ids == ["7", ""]


def test_the_hash_is_of_the_bytes_of_the_files_in_order_or_of_the_cells(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"smiles,id\nCC,{name}\n")
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    joined = tmp_path / "joined.csv"
    joined.write_bytes(b"".join(path.read_bytes() for path in paths))

    assert read_molecules(joined).sha256 == hashlib.sha256(joined.read_bytes()).hexdigest()
    assert read_molecules(paths).sha256 != read_molecules(joined).sha256  # other rows
    assert read_molecules(paths[::-1]).sha256 != read_molecules(paths).sha256
    frames = [["CC", "C"], ["C", "CC"], ["CCC", ""], ["CC", "C"]]
    hashes = [read_molecules(smiles).sha256 for smiles in frames]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3
    assert {len(text) for text in hashes} == {64}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.csv"], "a"),
        (["a.b.csv.gz"], "a.b"),
        (["a.csv", "b.tsv"], "a+b"),
        (["a.csv", "b.csv", "c.csv", "d.csv"], "a+3"),
    ],
)
def test_a_table_is_called_like_its_files(tmp_path, names, expected):
    for name in names:
        separator = "\t" if ".tsv" in name else ","
        (tmp_path / name).write_text(f"smiles{separator}id\nC{separator}1\n")
    table = read_molecules([tmp_path / name for name in names])

    assert table.name == expected
    assert table.source == ", ".join(str(tmp_path / name) for name in names)
    assert len(table) == len(names)


def test_columns_of_several_files_are_matched_by_name(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,id\nC,1\n")
    (tmp_path / "b.csv").write_text("id;smiles\n2;CC\n")
    pd.DataFrame({"id": ["3"], "smiles": ["CCC"]}).to_parquet(tmp_path / "c.parquet")
    table = read_molecules([tmp_path / name for name in ("a.csv", "b.csv", "c.parquet")])

    assert table.frame.to_dict("list") == {"smiles": ["C", "CC", "CCC"], "id": ["1", "2", "3"]}
    assert "The cells of b.csv are separated by a semicolon." in table.remarks


def test_columns_that_only_some_files_have_are_listed(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,id,y\nC,1,0\n")
    (tmp_path / "b.csv").write_text("smiles,id,dose\nC,1,0\n")
    said = (
        r"b\.csv: its columns are not those of \S+a\.csv: only \S+a.csv has 'y'; only \S+b.csv has"
    )

    with pytest.raises(DataFileError, match=said + " 'dose'"):
        read_molecules([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_several_files_of_lines_may_have_names_or_not(tmp_path):
    (tmp_path / "a.smi").write_text("C\nCC\n")
    (tmp_path / "b.smi").write_text("smiles name\nCCC third one\n")
    table = read_molecules([str(tmp_path / "a.smi"), str(tmp_path / "b.smi")])

    assert (table.structures, table.ids) == (["C", "CC", "CCC"], ["", "", "third one"])


def test_a_chemaxon_extension_stays_with_its_smiles(tmp_path):
    (tmp_path / "a.smi").write_text("CCO |$;;OH$| ethanol\nCC |2 bars\nC[C@H](F)Cl |o1:1|\n")
    table = read_molecules(tmp_path / "a.smi")

    assert table.structures == ["CCO |$;;OH$|", "CC", "C[C@H](F)Cl |o1:1|"]
    assert table.ids == ["ethanol", "|2 bars", ""]


@pytest.mark.parametrize(
    ("text", "structures", "columns"),
    [
        ("CCO\nCC\n", ["CCO", "CC"], ["smiles"]),
        ("CCO\tethanol\nCC\tethane\n", ["CCO", "CC"], ["smiles", "name"]),
        ("canonical_smiles id\nCC 1\n", ["CC"], ["smiles", "name"]),
        ("id\tSMILES\n1\tCC\n", ["CC"], ["id", "SMILES"]),
        ('"id";"what it is"\n1;CCO\n2;CCN\n', ["CCO", "CCN"], ["id", "what it is"]),
        ("", [], ["smiles"]),
    ],
)
def test_a_txt_is_lines_or_a_table_as_its_first_line_looks(tmp_path, text, structures, columns):
    (tmp_path / "a.txt").write_text(text)
    table = read_molecules(tmp_path / "a.txt")

    assert (table.structures, table.frame.columns.tolist()) == (structures, columns)


@pytest.mark.parametrize(
    ("header", "row", "chosen"),
    [
        ("id,SMILES", "1,CCO", "SMILES"),
        ("mol,Canonical Smiles", "CHEMBL25,CCO", "Canonical Smiles"),
        ("Drug,Y", "CCO,1", "Drug"),
        ("drug,parent", "aspirin,CC(=O)Oc1ccccc1C(=O)O", "parent"),
        ("drug,name", "aspirin,aspirin", "drug"),
        ("id,what,y", "1,CC(C)N,0", "what"),
    ],
)
def test_the_column_of_structures_is_guessed_and_said(tmp_path, header, row, chosen):
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n")
    table = read_molecules(tmp_path / "a.csv")

    assert table.structure_column == chosen
    assert table.remarks == (f"Column {chosen!r} was taken for the structures.",)
    assert table.structures == table.frame[chosen].tolist()


def test_a_column_that_is_named_is_no_guess(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,product\nCCO,CC=O\n")
    table = read_molecules(tmp_path / "a.csv", smiles="PRODUCT")

    assert (table.structures, table.remarks) == (["CC=O"], ())


def test_most_of_the_cells_must_be_smiles_for_a_column_to_be_guessed(tmp_path):
    cells = ["CCO"] * 2 + ["ethanol"] * 3
    (tmp_path / "a.csv").write_text("what,y\n" + "".join(f"{cell},1\n" for cell in cells))

    with pytest.raises(DataFileError, match=r"no column .*'what', 'y'. Say which .*smiles=NAME"):
        read_molecules(tmp_path / "a.csv")
    assert len(read_molecules(tmp_path / "a.csv", smiles="what")) == 5


def test_two_columns_that_could_be_meant_are_both_named(tmp_path):
    (tmp_path / "a.csv").write_text("educt,product\nCCO,CC=O\n")

    with pytest.raises(DataFileError, match="columns 'educt', 'product' all hold SMILES"):
        read_molecules(tmp_path / "a.csv")


def test_a_table_without_a_header_does_not_lose_its_first_row(tmp_path):
    (tmp_path / "a.csv").write_text("CCO,1\nCCN,0\n")

    with pytest.raises(DataFileError, match="names a column 'CCO', which is a SMILES"):
        read_molecules(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"smiles": "smile"}, "no column 'smile'; .*mean 'smiles'"),
        ({"id_column": "idd"}, "no column 'idd'; .*mean 'id'"),
        ({"targets": ("activ",)}, "no column 'activ'; .*mean 'active'"),
        ({"weight_column": "weihgt"}, "no column 'weihgt'; .*mean 'weight'"),
        ({"targets": "smiles"}, "'smiles' holds the structures and cannot be a target"),
    ],
)
def test_a_wrong_name_gets_the_nearest_offered(options, why):
    frame = as_frame(ROWS).assign(weight=1)

    with pytest.raises(DataFileError, match=why):
        read_molecules(frame, **options)


def test_weights_are_numbers_of_zero_or_more():
    frame = pd.DataFrame({"smiles": ["C", "CC", "CCC"], "w": ["0", " 2.5", "1e-3"]})
    weights = read_molecules(frame, weight_column="w").weights

    assert weights.dtype == np.float64
    assert weights.tolist() == [0, 2.5, 0.001]
    assert read_molecules(frame).weights is None


@pytest.mark.parametrize("cell", ["-1", "nan", "inf", "1e999", "much", "1_0", "9" * 500])
def test_a_weight_that_is_none_is_named_with_its_row(cell):
    frame = pd.DataFrame({"smiles": ["C", "CC"], "w": ["1", cell]})
    given = f"is '{cell[:40]}'"

    with pytest.raises(DataFileError, match=f"row 1: the weight in column 'w' {given}"):
        read_molecules(frame, weight_column="w")


def test_a_weight_that_is_not_given_is_none_at_its_row():
    frame = pd.DataFrame({"smiles": ["C", "CC"], "w": ["2.5", " "]})

    np.testing.assert_array_equal(read_molecules(frame, weight_column="w").weights, [2.5, np.nan])


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(DataFileError, match="every weight in column 'w' is 0"):
        read_molecules(pd.DataFrame({"smiles": ["C"], "w": [0]}), weight_column="w")


def test_a_row_that_cannot_be_laid_out_keeps_its_place_without_label_and_weight(tmp_path):
    (tmp_path / "a.csv").write_text("id,smiles,y,w\n1,CCO,1,2\n2,CC,x,0,3\n3,C,0,1\n4,CN\n")
    table = read_molecules(
        tmp_path / "a.csv", targets="y", id_column="id", weight_column="w", smiles="smiles"
    )

    assert table.structures == ["CCO", "", "C", ""]
    assert table.ids == ["1", "", "3", ""]
    assert table.targets.classes == (("0", "1"),)
    assert table.targets.codes[:, 0].tolist() == [1, -1, 0, -1]
    np.testing.assert_array_equal(table.weights, [2, np.nan, 1, np.nan])
    assert table.reasons == [
        "",
        "line 3 has 5 cells where the header has 4 ('2, CC, x, 0, 3')",
        "",
        "line 5 has 2 cells where the header has 4 ('4, CN')",
    ]


def test_blank_lines_are_rows_only_where_a_row_follows(tmp_path):
    (tmp_path / "a.csv").write_text("id,smiles\n1,CCO\n\n  \n2,CC\n,\n\n\n")
    table = read_molecules(tmp_path / "a.csv")

    assert table.structures == ["CCO", "", "", "CC", ""]
    assert table.frame["id"].tolist() == ["1", "", "", "2", ""]
    assert not any(table.reasons)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_show_but_inside_quotation_marks(tmp_path, end):
    (tmp_path / "a.csv").write_bytes(f'id,smiles{end}"a{end}b",CC{end}c,C{end}'.encode())
    table = read_molecules(tmp_path / "a.csv")

    assert table.structures == ["CC", "C"]
    assert table.frame["id"].tolist() == [f"a{end}b", "c"]


def test_a_line_end_cut_in_two_by_a_block_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr("kekule.data.text_lines._BLOCK", 3)
    (tmp_path / "a.csv").write_bytes(b'id,smiles\r\n1,CC\r\n\r\n"2\r\n",C\r\n')
    table = read_molecules(tmp_path / "a.csv")

    assert table.structures == ["CC", "", "C"]
    assert table.ids is None
    assert table.frame["id"].tolist() == ["1", "", "2\r\n"]


@pytest.mark.parametrize(
    ("raw", "name", "remark"),
    [
        ("é".encode(), "é", ""),
        ("€".encode("cp1252"), "€", "Line 2 of a.csv is not UTF-8; .* read as Windows-1252"),
        (b"\x81", "\x81", "Line 2 of a.csv is not UTF-8"),
    ],
)
def test_a_line_that_is_not_utf8_is_read_as_windows_1252_and_said(tmp_path, raw, name, remark):
    (tmp_path / "a.csv").write_bytes(b"name,smiles\n" + raw + b",CC\n" + raw + b",C\n")
    table = read_molecules(tmp_path / "a.csv", smiles="smiles")

    assert table.frame["name"].tolist() == [name, name]
    assert len(table.remarks) == (1 if remark else 0)
    assert pd.Series("".join(table.remarks)).str.contains(remark, regex=True).all()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_and_without_its_mark_and_said(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("name,smiles\nétude,CC\n".encode(encoding))
    table = read_molecules(tmp_path / "a.csv", smiles="smiles")

    assert table.frame["name"].tolist() == ["étude"]
    assert table.remarks == ("a.csv is in UTF-16.",)


def test_a_separator_other_than_the_expected_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("id;smiles;log, p\n1;CC;0,5\n2;C;1,5\n")
    table = read_molecules(tmp_path / "a.csv", smiles="smiles")

    assert table.frame["log, p"].tolist() == ["0,5", "1,5"]
    assert table.remarks == ("The cells of a.csv are separated by a semicolon.",)


def test_a_last_line_without_end_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,y\nCCO,1\nCCCC,1")
    table = read_molecules(tmp_path / "a.csv", smiles="smiles")

    assert table.structures == ["CCO", "CCCC"]
    assert table.remarks == ("The last line of a.csv has no end; is the file whole?",)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("CCO", r"no such file. If it is a SMILES, give it in a list: \['CCO'\]"),
        ("C" * 5000, "no such file. If it is a SMILES"),
        ("gone.csv", "no such file or folder"),
        ("a.xlsx", "files of kind '.xlsx' are not read"),
        ("a.parquet.gz", "a packed Parquet file is not read. Unpack it"),
        (["gone.csv", "CC"], "'gone.csv' is given beside 1 items that are no files"),
        (".", "it is a folder"),
    ],
)
def test_a_source_that_is_no_table_is_refused(tmp_path, monkeypatch, source, why):
    monkeypatch.chdir(tmp_path)
    for name in ("a.xlsx", "a.parquet.gz"):
        (tmp_path / name).write_bytes(b"")

    with pytest.raises(KekuleError, match=why):
        read_molecules(source)


def test_no_smiles_of_real_sets_is_taken_for_a_file(data_root):
    lines = (data_root / "throughput" / "zinc_jtnn_valid.txt").read_text().split()

    assert not any(map(is_file_name, lines))
    assert all(is_file_name(f"assay{kind}") for kind in KINDS)


@pytest.mark.parametrize(
    ("name", "options", "rows", "classes", "missing"),
    [
        ("moleculenet/BBBP.csv", {"targets": "p_np"}, 2050, 2, 0),
        ("moleculenet/BACE.csv", {"targets": "Class"}, 1513, 2, 0),
        ("moleculenet/clintox.csv", {"targets": "FDA_APPROVED,CT_TOX"}, 1484, 4, 0),
        ("moleculenet/tox21.csv", {"targets": ["NR-AR", "SR-p53"]}, 7831, 4, 1623),
        ("tdc/hERG_train.csv", {"targets": "Y"}, 523, 2, 0),
    ],
)
def test_real_tables_keep_every_row_and_label(data_root, name, options, rows, classes, missing):
    table = read_molecules(data_root / name, **options)

    assert len(table) == len(table.frame) == rows
    assert sum(map(len, table.targets.classes)) == classes
    assert (table.targets.codes < 0).sum() == missing
    assert all(table.structures)
    assert not any(table.reasons)


def test_all_tasks_of_tox21_agree_with_pandas(data_root):
    path = data_root / "moleculenet" / "tox21.csv"
    expected = pd.read_csv(path).drop(columns=["mol_id", "smiles"])
    targets = read_molecules(path, targets=list(expected.columns)).targets

    assert targets.tasks == tuple(expected.columns)
    np.testing.assert_array_equal(targets.codes, expected.fillna(-1).astype(int).to_numpy())


def test_the_packed_moses_set_streams_its_rows(data_root):
    path = data_root / "throughput" / "moses_test.csv.gz"
    sizes = [len(part) for part in iter_molecules(path)]

    assert sum(sizes) == 176_074
    assert max(sizes) == 8192


def write_many(path, n):
    """Write n rows with `path`'s kind; about 60 bytes each."""
    rows = [f"{k},c1ccccc1C(=O)N{'C' * (k % 20)},{k % 2}\n" for k in range(n)]
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(("id,smiles,y\n" + "".join(rows)).encode(), 1))
    else:
        frame = pd.DataFrame({"smiles": [row.split(",")[1] for row in rows], "id": range(n)})
        frame.to_parquet(path, row_group_size=10_000)


# Not getrusage: on Linux its maximum begins at what the process that started this one had.
PEAK = """
import re, sys
from pathlib import Path
from kekule.data.molecule_files import iter_molecules
rows = sum(len(part) for part in iter_molecules(sys.argv[1]))
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(rows, int(peak) * 1024)
"""


@pytest.mark.parametrize("name", ["many.csv.gz", "many.parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process's memory is read from /proc")
    peaks = []
    for n in (20_000, 150_000):
        path = Path(tmp_path, f"{n}.{name}")
        write_many(path, n)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
        )
        rows, peak = map(int, done.stdout.split())
        assert rows == n
        peaks.append(peak)

    assert peaks[1] - peaks[0] < 15e6
