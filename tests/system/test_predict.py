"""`kekule predict`: one row out for every row in, from whatever the rows come in."""

import csv
import io
import sys

import pandas as pd
import pytest

from kekule import load, predict

from_issue = ["O=[N+]([O-])c1ccc2ccccc2c1", "CCO", "not a molecule"]


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def typed(monkeypatch):
    """Put bytes on standard input."""

    def put(raw):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return put


def test_three_smiles_give_three_rows_in_order(kekule, run):
    said = kekule("predict", run, *from_issue)
    rows = rows_of(said.out)

    assert said.code == 0
    assert said.err == ""
    assert [row["row"] for row in rows] == ["0", "1", "2"]
    assert [row["smiles"] for row in rows] == from_issue
    assert [row["status"] for row in rows] == ["ok", "ok", "invalid"]
    assert [bool(row["reason"]) for row in rows] == [False, False, True]
    assert [row["prediction"] in ("1", "-1") for row in rows] == [True, True, False]
    assert [0 <= float(row["probability"] or 2) <= 1 for row in rows] == [True, True, False]


def test_strict_stops_at_the_bad_row_and_names_it(door, run):
    said = door("predict", run, *from_issue, "--strict")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("kekule: command line, row 2: cannot read 'not a molecule'")
    assert said.err.count("\n") == 1
    assert door("predict", run, *from_issue[:2], "--strict").code == 0


def test_the_command_and_python_give_the_same_table(door, run):
    rows = rows_of(door("predict", run, *from_issue).out)
    for table in (predict(run, from_issue), load(run).predict(from_issue)):
        assert rows_of(table.to_csv(index=False)) == rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_smiles_and_names_keep_their_places_blank_ones_too(door, run, tmp_path, end):
    path = tmp_path / "a library, été.smi"
    path.write_bytes(end.join(["CCO ethanol", "", "xx bad one", "c1ccccc1\tbenzene", ""]).encode())
    rows = rows_of(door("predict", run, path).out)

    assert [row["name"] for row in rows] == ["ethanol", "", "bad one", "benzene"]
    assert [row["status"] for row in rows] == ["ok", "invalid", "invalid", "ok"]


def test_standard_input_is_read_like_a_file_of_smiles(door, run, typed):
    typed(b"CCO\nnot-a-molecule\nc1ccccc1\n")
    said = door("predict", run, "-")
    assert [row["status"] for row in rows_of(said.out)] == ["ok", "invalid", "ok"]


@pytest.mark.parametrize("raw", [b"", b"smiles\n"])
def test_nothing_on_standard_input_gives_the_header_alone(door, run, typed, raw):
    typed(raw)
    said = door("predict", run, "-")
    assert said.code == 0
    columns = said.out.removesuffix("\n").split(",")
    assert columns == [
        *("row", "smiles", "status", "reason", "smiles_used", "prediction", "probability"),
        *("prediction_set", "in_domain", "similarity", "nearest_row"),
    ]


def test_a_table_keeps_its_own_columns_and_none_hides_a_result(door, run, tmp_path):
    (tmp_path / "assay.csv").write_text(
        'id,SMILES,status,probability,note\r\n007,CCO,fresh,0.123,"a, ""b""\nc"\r\n'
        "NA,xx,,1e5,\r\n,CCO,gone,,ü\r\n",
        encoding="utf-8-sig",
    )
    rows = rows_of(door("predict", run, tmp_path / "assay.csv").out)

    assert [row["id"] for row in rows] == ["007", "NA", ""]
    assert [row["input_status"] for row in rows] == ["fresh", "", "gone"]
    assert [row["input_probability"] for row in rows] == ["0.123", "1e5", ""]
    assert [row["note"] for row in rows] == ['a, "b"\nc', "", "ü"]
    assert [row["status"] for row in rows] == ["ok", "invalid", "ok"]
    assert list(rows[0])[:2] == ["row", "id"]


def test_the_column_of_smiles_can_be_named(door, run, tmp_path):
    (tmp_path / "assay.tsv").write_text("key\twhat\tother\n1\tCCO\tCCN\n")
    said = door("predict", run, tmp_path / "assay.tsv")
    assert said.code == 2
    assert "'what'" in said.err
    assert "'other'" in said.err
    assert "--column" in said.err or "column=" in said.err
    said = door("predict", run, tmp_path / "assay.tsv", "--column", "what")
    assert rows_of(said.out)[0]["status"] == "ok"


def test_a_graph_set_is_answered_graph_by_graph(door, run, tu_copy, tmp_path):
    said = door("predict", run, tu_copy(), "-o", tmp_path / "new" / "answers.csv")
    table = pd.read_csv(tmp_path / "new" / "answers.csv")

    assert said.code == 0
    assert said.out == ""
    assert said.err == f"{tmp_path / 'new' / 'answers.csv'}: 188 rows (188 warning)\n"
    assert table["graph"].tolist() == list(range(1, 189))
    assert set(table["status"]) == {"warning"}  # nothing says what a copy's labels stand for
    by_name = door("predict", run, "MUTAG")
    assert [row["probability"] for row in rows_of(by_name.out)] == [
        row["probability"] for row in rows_of((tmp_path / "new" / "answers.csv").read_text())
    ]


def test_a_file_of_answers_is_whole_and_counted(door, run, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("older")
    said = door("predict", run, *from_issue, "-o", out)

    assert said == (0, "", f"{out}: 3 rows (2 ok, 1 invalid)\n")
    assert out.read_text() == door("predict", run, *from_issue).out
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_strict_run_that_stops_leaves_the_older_answers(door, run, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("older")
    assert door("predict", run, *from_issue, "--strict", "-o", out).code == 2
    assert out.read_text() == "older"


@pytest.mark.parametrize("place", ["", "file/out.csv"])
def test_a_place_that_cannot_be_written_is_refused_before_the_input_is_read(
    door, run, tmp_path, typed, place
):
    (tmp_path / "file").write_text("mine")
    typed(b"CCO\n")
    said = door("predict", run, "-", "-o", tmp_path / place)
    assert said.code == 2
    assert said.err.startswith(f"kekule: {tmp_path / place}: ")
    assert sys.stdin.read() == "CCO\n"


def test_a_bundle_a_run_and_a_run_with_a_slash_are_the_same_model(door, run, monkeypatch):
    wanted = door("predict", run, "CCO").out
    assert door("predict", run / "bundle", "CCO").out == wanted
    assert door("predict", f"{run}/", "CCO").out == wanted
    monkeypatch.chdir(run)
    assert door("predict", ".", "CCO").out == wanted


def test_a_smiles_with_slashes_is_no_path(door, run):
    rows = rows_of(door("predict", run, "F/C=C/F", "C(/F)=C\\F").out)
    assert [row["smiles"] for row in rows] == ["F/C=C/F", "C(/F)=C\\F"]
    assert {row["status"] for row in rows} == {"ok"}
