"""Files cut short, mangled and absurd: a table that accounts for every row, or one clear error."""

import gzip
import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from kekule._errors import DataFileError, KekuleError
from kekule.data.molecule_files import iter_molecules, read_molecules

SMILES = ["CCO", "c1ccccc1O", "F/C=C/F", "C[C@H](N)C(=O)O", "[Na+].[Cl-]", "CC(=O)Oc1ccccc1C(=O)O"]
LONG = 10_000_000

CSV = "id,smiles,note,y\n" + "".join(
    f'{k},{smiles},"a ""note""{chr(10) if k % 2 else ""}, {k}",{k % 2}\n'
    for k, smiles in enumerate(SMILES)
)
HEADER = CSV.index("\n") + 1
ENDS = [CSV.index(f', {k}"') + len(f', {k}",0\n') for k in range(len(SMILES))]  # of each row


def sdf_record(smiles, k):
    block = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles))
    return f"mol {k}{block}> <y>\n{k % 2}\n\n> <note>\nline one\nline two\n\n$$$$\n"


def read(tmp_path, name, raw):
    """Read bytes as a file of a name; the table, or None for the one error there may be."""
    path = tmp_path / name
    path.write_bytes(raw)
    try:
        table = read_molecules(path, smiles=None if name.endswith("sdf") else "smiles")
    except DataFileError as error:
        said = str(error)
        clear = str(path) in said and "\n" not in said and len(said) < 5000
        return None if clear else pytest.fail(f"no clear error: {said[:200]}")
    lengths = {len(table.frame), len(table.structures), len(table.reasons)}
    assert lengths == {len(table)}
    assert table.structures == table.frame[table.structure_column].tolist()
    assert all(isinstance(text, str) for text in (*table.structures, *table.reasons))
    return table


@pytest.mark.parametrize("packed", [False, True])
def test_a_csv_cut_anywhere_keeps_every_row_before_the_cut(tmp_path, packed):
    rows = read(tmp_path, "whole.csv", CSV.encode())
    n_errors = 0
    cuts = range(HEADER, len(CSV), 5 if packed else 1)
    for cut in cuts:
        raw = CSV[:cut].encode()
        name = "cut.csv.gz" if packed else "cut.csv"
        table = read(tmp_path, name, gzip.compress(raw, 1) if packed else raw)
        n_whole = sum(end <= cut for end in ENDS)
        if table is None:
            n_errors += 1
            continue
        assert n_whole <= len(table) <= n_whole + 1
        pd.testing.assert_frame_equal(table.frame[:n_whole], rows.frame[:n_whole])
        assert not any(table.reasons[:n_whole])
        if len(table) > n_whole:  # what is left of the row that was cut
            assert table.reasons[-1] or any("has no end" in said for said in table.remarks)
            assert table.structures[-1] in ("", rows.structures[n_whole])

    assert n_errors < 0.1 * len(cuts)  # where a mark was opened on a line before the last


@pytest.mark.parametrize("cut", range(0, HEADER, 3))
def test_a_csv_cut_in_its_header_has_no_rows(tmp_path, cut):
    table = read(tmp_path, "cut.csv", CSV[:cut].encode())

    assert table is None or len(table) == 0


def test_an_sdf_cut_anywhere_keeps_every_record_before_the_cut(tmp_path):
    records = [sdf_record(smiles, k) for k, smiles in enumerate(SMILES[:3])]
    text = "".join(records)
    rows = read(tmp_path, "whole.sdf", text.encode())
    ends = [len("".join(records[: k + 1])) for k in range(3)]
    for cut in range(0, len(text), 7):
        table = read(tmp_path, "cut.sdf", text[:cut].encode())
        n_whole = sum(end <= cut + 1 for end in ends)  # the last line end may be missing

        assert n_whole <= len(table) <= n_whole + 1
        assert table.structures[:n_whole] == rows.structures[:n_whole]
        assert not any(table.reasons[:n_whole])
        for name in table.frame.columns[1:]:
            assert table.frame[name].tolist()[:n_whole] == rows.frame[name].tolist()[:n_whole]
        if len(table) > n_whole:
            said = table.reasons[-1] or "".join(table.remarks)
            assert "$$$$" in said or "the record is empty" in said
            values = [table.frame[name].iloc[-1] for name in table.frame.columns[2:]]
            assert set(values) <= {"", "0", "1", "line one\nline two"}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["a.csv.gz", "a.smi.gz", "a.sdf.gz"])
def test_a_packed_file_cut_short_is_an_error_that_says_about_where(tmp_path, name, share):
    if name.startswith("a.sdf"):
        text = "".join(sdf_record(SMILES[k % 6], k) for k in range(50))
    else:
        text = "smiles,id\n" + "".join(f"{SMILES[k % 6]},{k * k}\n" for k in range(5000))
    raw = gzip.compress(text.encode())
    path = tmp_path / name
    path.write_bytes(raw[: int(share * len(raw))])

    with pytest.raises(DataFileError, match=r"the archive is damaged or cut short after about li"):
        list(iter_molecules(path))
    path.write_bytes(raw[:-8] + bytes(8))  # its checksum
    with pytest.raises(DataFileError, match="damaged or cut short"):
        read_molecules(path)


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.99])
def test_a_parquet_file_cut_short_is_an_error(tmp_path, share):
    pd.DataFrame({"smiles": SMILES * 50}).to_parquet(tmp_path / "a.parquet")
    raw = (tmp_path / "a.parquet").read_bytes()

    assert read(tmp_path, "a.parquet", raw) is not None
    assert read(tmp_path, "a.parquet", raw[: int(share * len(raw))]) is None


LINES = {
    "letters": b"C" * LONG,
    "bytes that are no UTF-8": b"\xe9" * LONG,
    "blanks": b" " * LONG,
    "NULs": b"\0" * LONG,
    "separators": b"," * LONG,
    "tabs": b"\t" * LONG,
    "marks": b'"' * LONG,
    "cells in marks": b'"a",' * (LONG // 4),
    "one cell in marks": b'"' + b"C" * LONG + b'"',
    "doubled marks": b'"' + b'""' * (LONG // 2) + b'"',
}


@pytest.mark.parametrize("what", LINES)
@pytest.mark.parametrize("name", ["a.csv", "a.smi", "a.sdf"])
def test_a_line_of_ten_megabytes_costs_one_row(tmp_path, name, what):
    line = LINES[what]
    started = time.perf_counter()
    if name == "a.csv":
        table = read(tmp_path, name, b"smiles,y\nCCO,1\n" + line + b"\nCC,0\n")
    elif name == "a.smi":
        table = read(tmp_path, name, b"CCO a\n" + line + b"\nCC b\n")
    else:
        good = sdf_record("CCO", 0).encode()
        table = read(tmp_path, name, good + line + b"\n" + good + good)

    assert len(table) == 3
    assert table.structures[0] == "CCO"
    assert table.structures[1] == ""
    assert table.structures[2] in ("CC", "CCO")
    blank = name != "a.sdf" and (what == "blanks" or (what, name) == ("tabs", "a.smi"))
    assert bool(table.reasons[1]) is not blank
    assert table.reasons[::2] == ["", ""]
    assert max(map(len, table.reasons)) < 400
    assert time.perf_counter() - started < 20


def test_a_cell_of_ten_megabytes_costs_its_row_in_a_frame_and_in_parquet(tmp_path):
    frame = pd.DataFrame({"smiles": ["CCO", "C" * LONG, "CC"], "note": ["", "", "x\0y"]})
    frame.to_parquet(tmp_path / "a.parquet")

    for source in (frame, tmp_path / "a.parquet"):
        table = read_molecules(source, smiles="smiles")
        assert table.structures == ["CCO", "", ""]
        assert table.reasons == [
            "",
            "the cell of column 'smiles' has 10,000,000 characters, "
            "and at most 1,000,000 are read",
            "the cell of column 'note' holds a NUL character, which no text has",
        ]


@pytest.mark.parametrize("what", ["letters", "NULs", "separators", "marks"])
def test_a_header_of_ten_megabytes_is_an_error(tmp_path, what):
    assert read(tmp_path, "a.csv", LINES[what] + b"\nCC,0\n") is None


def test_a_line_that_never_ends_is_an_error_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("kekule.data.text_lines.LONGEST_LINE", LONG)
    bomb = gzip.compress(b"smiles,y\nCC,1\n" + b"C" * (2 * LONG), 1)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(bomb)

    with pytest.raises(DataFileError, match=r"a\.csv\.gz, line 3: the line has more than 10,000"):
        read_molecules(path)


def test_a_quotation_mark_that_is_never_closed_is_an_error_that_names_its_line(tmp_path):
    text = "id,smiles\n1,CC\n" + '2,"CCO\n' + "3,C\n" * 100_000
    path = tmp_path / "a.csv"
    path.write_text(text)

    with pytest.raises(DataFileError, match="the quotation mark opened in line 3 is not closed"):
        read_molecules(path)
    path.write_text('id,smiles\n1,CC\n2,"CCO\n3,"C"\n4,C\n')
    with pytest.raises(DataFileError, match=r"line 4: .*opened in line 3 is not closed"):
        read_molecules(path)


def test_text_behind_a_closing_mark_costs_its_row_only(tmp_path):
    table = read(tmp_path, "a.csv", b'id,smiles\n1,CC\n"2"x,CCO\n3,C\n')

    assert table.structures == ["CC", "", "C"]
    assert table.reasons[1] == "line 3: 'x,CCO' follows a closing quotation mark"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252", "cp037", "utf-32"])
@pytest.mark.parametrize("name", ["a.csv", "a.smi", "a.sdf", "a.txt"])
def test_a_text_in_another_encoding_is_read_or_refused(tmp_path, encoding, name):
    text = sdf_record("CCO", 0) * 2 if name == "a.sdf" else "smiles,name\nCCO,étude\nCC,b\n"
    table = read(tmp_path, name, text.encode(encoding))

    if encoding not in ("cp037", "utf-32"):
        assert table.structures == (["CCO"] * 2 if name == "a.sdf" else table.structures)
        assert len(table) in (2, 3)


PIECES = [
    b"CCO",
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b'"',
    b'""',
    b";",
    b"\t",
    b"|",
    b" ",
    b"\0",
    b"\xe9",
]
PIECES += [
    b"smiles",
    b"id,smiles\n",
    b"1,CC\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x1f\x8b",
    b"$$$$\n",
]
PIECES += [
    b"M  END\n",
    b"> <y>\n",
    b"\n\n",
    sdf_record("CCO", 1).encode(),
    b"  0  0  0  0 V2000\n",
]
PIECES += [
    b"  2  1  0     0  0            999 V2000\n",
    b"    0.0       0.0       0.0    C   0  0\n",
]
MESS = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=25).map(b"".join)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(MESS)
def test_no_bytes_crash_a_reader_and_parts_agree_with_the_whole(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("mess")
    for name in ("a.csv", "a.tsv", "a.smi", "a.txt", "a.sdf"):
        table = read(folder, name, raw)
        try:
            parts = list(iter_molecules(folder / name, smiles="smiles", chunk_rows=3))
        except KekuleError:
            continue
        if table is not None and table.structure_column == "smiles":
            assert [text for part in parts for text in part.structures] == table.structures
            assert [why for part in parts for why in part.reasons] == table.reasons


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.integers(0, len(CSV) - 1), st.sampled_from([*PIECES[:13], b"", b"x"]), st.booleans())
def test_one_mangled_place_in_a_csv_spares_the_rows_before_it(tmp_path_factory, at, piece, insert):
    folder = tmp_path_factory.mktemp("mangled")
    whole = read(folder, "whole.csv", CSV.encode())
    raw = CSV.encode()
    table = read(folder, "a.csv", raw[:at] + piece + raw[at if insert else at + 1 :])

    n_before = sum(end <= at for end in ENDS)
    if table is not None and n_before > 0:
        pd.testing.assert_frame_equal(table.frame[:n_before], whole.frame[:n_before])
