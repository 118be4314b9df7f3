import io

import pandas as pd
import pytest
from rdkit import Chem, rdBase

from kekule._errors import DataFileError, KekuleError
from kekule.data import SETS, read_structures


def test_smiles_given_as_arguments_are_the_rows():
    structures = read_structures(["CCO", "F/C=C/F", "", "not a molecule", "C\\C=C/C", "CC.O"])

    assert structures.smiles == ["CCO", "F/C=C/F", "", "not a molecule", "C\\C=C/C", "CC.O"]
    assert structures.frame["smiles"].tolist() == structures.smiles
    assert (structures.graphs, structures.source) == (None, "command line")


@pytest.mark.parametrize("smiles", ["F/C=C/F", "C/C=C\\C", "CC.Cl", "C.C.N.O", "C1CC1.O.[Na]", ""])
def test_slashes_and_dots_do_not_make_a_smiles_a_path(smiles):
    assert read_structures([smiles]).smiles == [smiles]


def test_standard_input_gives_a_row_for_each_line():
    stdin = io.BytesIO(b"CCO ethanol\n\nC#N\r\n  c1ccccc1\tbenzene ring  \n")
    structures = read_structures(["-"], stdin=stdin)

    assert structures.smiles == ["CCO", "", "C#N", "c1ccccc1"]
    assert structures.frame["name"].tolist() == ["ethanol", "", "", "benzene ring"]
    assert structures.source == "standard input"


def test_nothing_on_standard_input_is_no_rows():
    assert len(read_structures(["-"], stdin=io.BytesIO(b""))) == 0


def test_a_smi_file_keeps_blank_lines_as_rows_but_not_the_last_line_end(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO\n\nCC\n\n")

    assert read_structures([str(path)]).smiles == ["CCO", "", "CC", ""]
    assert read_structures([str(path)]).frame.columns.tolist() == ["smiles"]


def test_a_smi_file_may_have_a_header(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("SMILES Name\nCCO ethanol\n")

    assert read_structures([str(path)]).frame.to_dict("records") == [
        {"smiles": "CCO", "name": "ethanol"}
    ]


@pytest.mark.parametrize(
    "header", ["smiles", "SMILES", "Canonical_Smiles", " Smiles ", "mol", "Drug", "structure"]
)
def test_the_column_of_smiles_is_found_by_its_name(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_text(f"id,{header},y\n007,CCO,1.0\n008,CC,NA\n")
    structures = read_structures([str(path)])

    assert structures.smiles == ["CCO", "CC"]


def test_a_column_called_smiles_goes_before_one_called_mol(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("mol,SMILES\nCHEMBL1,CCO\n")

    assert read_structures([str(path)]).smiles == ["CCO"]


def test_every_cell_keeps_its_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'id,smiles,note\n007,CCO,NA\n1e5,"C(=O)O"," a, ""b""\n c"\nTrue,,\n')
    frame = read_structures([str(path)]).frame

    assert frame["id"].tolist() == ["007", "1e5", "True"]
    assert frame["note"].tolist() == ["NA", ' a, "b"\n c', ""]
    assert frame["smiles"].tolist() == ["CCO", "C(=O)O", ""]
    assert frame.index.tolist() == [0, 1, 2]


def test_blank_lines_inside_a_table_keep_their_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,smiles\n1,CCO\n\n2,CC\n\n\n")

    assert read_structures([str(path)]).smiles == ["CCO", "", "CC"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_and_line_ends_do_not_show(tmp_path, encoding, end):
    path = tmp_path / "a.csv"
    path.write_bytes(f"smiles,näme{end}CCO,éthanol{end}".encode(encoding))
    frame = read_structures([str(path)]).frame

    assert frame.columns.tolist() == ["smiles", "näme"]
    assert frame.iloc[0].tolist() == ["CCO", "éthanol"]


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ";"), ("tsv", "\t"), ("TSV", "\t")])
def test_other_separators_are_read(tmp_path, suffix, separator):
    path = tmp_path / f"a.{suffix}"
    path.write_text(f"id{separator}smiles\n1{separator}CCO\n")

    assert read_structures([str(path)]).smiles == ["CCO"]


def test_cells_beyond_the_header_are_cut_only_where_they_are_empty(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,smiles\n1,CCO,,\n2,CC,x\n")

    structures = read_structures([str(path)])
    assert structures.smiles == ["CCO", ""]
    assert structures.reasons == ["", "line 3 has 3 cells where the header has 2 ('2, CC, x')"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no header"),
        ("smiles,id,id\nCC,1,2\n", "line 1: two columns are named 'id'"),
        ('id,smiles\n1,"CCO\n2,CC\n', r"line 3: not a table \(unexpected end of data\)"),
        ("id,name\n1,x\n", "no column is named like one of SMILES; there are 'id', 'name'"),
        ("a\x00b,smiles\n1,C\n", "it is not text"),
    ],
)
def test_a_damaged_table_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "a.csv"
    path.write_text(text)

    with pytest.raises(DataFileError, match=rf"a\.csv.*{message}"):
        read_structures([str(path)])


def test_a_column_asked_for_by_a_wrong_name_gets_the_nearest_offered(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,Smiles_parent,y\n1,CCO,0\n")

    with pytest.raises(DataFileError, match=r"no column 'smiles_parnt'; .*mean 'Smiles_parent'\?"):
        read_structures([str(path)], column="smiles_parnt")
    assert read_structures([str(path)], column="smiles_PARENT").smiles == ["CCO"]


def test_a_named_column_goes_before_one_called_smiles(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,product\nCCO,CC=O\n")

    assert read_structures([str(path)], column="product").smiles == ["CC=O"]


def test_a_graph_set_is_rows_with_the_numbers_and_classes_of_its_files(tiny):
    structures = read_structures([str(tiny())])

    assert structures.smiles is None
    assert len(structures.graphs) == len(structures) == 2
    assert structures.frame.to_dict("list") == {"graph": ["1", "2"], "target": ["1", "-1"]}
    unlabelled = read_structures([str(tiny(graph_labels=None, name="NEW"))])
    assert unlabelled.frame.columns.tolist() == ["graph"]


def test_the_name_of_a_set_is_the_set():
    assert len(read_structures(["MUTAG"]).graphs) == 188


def test_no_name_of_a_set_is_a_smiles():
    with rdBase.BlockLogs():
        assert [name for name in SETS if Chem.MolFromSmiles(name)] == []


@pytest.mark.parametrize("name", ["gone.csv", "gone.smi", "gone.sdf", "./gone", "sub/gone"])
def test_a_missing_file_is_not_taken_for_a_smiles(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()

    with pytest.raises(DataFileError, match=r"gone.*: there is no such file or folder\. Give"):
        read_structures([name])


def test_a_file_of_a_kind_that_is_not_read_is_named(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("")

    with pytest.raises(DataFileError, match=r"a\.xlsx: files of kind '\.xlsx' are not read"):
        read_structures([str(path)])


def test_every_kind_of_file_is_predicted_row_by_row(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "smiles": ["CCO", "C#N"]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv.gz", index=False)
    with Chem.SDWriter(str(tmp_path / "a.sdf")) as writer:
        for smiles in frame["smiles"]:
            writer.write(Chem.MolFromSmiles(smiles))

    for path in tmp_path.iterdir():
        structures = read_structures([str(path)])
        assert structures.smiles == ["CCO", "C#N"], path
        assert structures.reasons is None


def test_several_files_are_one_table_and_a_row_that_cannot_be_laid_out_says_in_which(tmp_path):
    (tmp_path / "a.csv").write_text("id,smiles\n1,CCO\n")
    (tmp_path / "b.tsv").write_text("smiles\tid\nCC\t2\nCCC\n")
    structures = read_structures([str(tmp_path / "a.csv"), str(tmp_path / "b.tsv")])

    assert structures.smiles == ["CCO", "CC", ""]
    assert structures.frame["id"].tolist() == ["1", "2", ""]
    assert structures.reasons[:2] == ["", ""]
    assert structures.reasons[2].startswith("b.tsv, line 3 has 1 cell where the header has 2")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "nothing was given"),
        (["CCO", "-"], "'-' is given beside"),
        (["a.csv", "CC"], "a.csv"),
        (["a.csv", "-"], "'a.csv' is given beside 1 other"),
    ],
)
def test_inputs_that_do_not_go_together_are_refused(inputs, message):
    with pytest.raises(KekuleError, match=message):
        read_structures(inputs)


def test_a_text_too_long_for_a_file_name_is_a_smiles():
    smiles = "C/C=C/C" * 3000

    assert read_structures([smiles]).smiles == [smiles]


def test_real_tables_keep_every_row(tu_root):
    counts = {"BBBP.csv": 2050, "BACE.csv": 1513, "clintox.csv": 1484}
    folder = tu_root.parent / "moleculenet"

    assert {name: len(read_structures([str(folder / name)])) for name in counts} == counts
