"""SDF files: a record a row, whatever is wrong with one of them."""

import gzip
from pathlib import Path

import pytest
from rdkit import Chem, RDConfig
from rdkit.Chem import AllChem

from kekule._errors import DataFileError
from kekule.data.molecule_files import iter_molecules, read_molecules
from kekule.data.smiles import quiet


def block(smiles, title="", flat=True):
    """Mol block of a molecule, with coordinates that show its stereo."""
    mol = Chem.MolFromSmiles(smiles)
    if flat:
        AllChem.Compute2DCoords(mol)
    else:
        mol = Chem.AddHs(mol)
        AllChem.EmbedMolecule(mol, randomSeed=7)
    mol.SetProp("_Name", title)
    return Chem.MolToMolBlock(mol)


def record(smiles, title="", /, **fields):
    data = "".join(f">  <{name}>  (1)\n{value}\n\n" for name, value in fields.items())
    return block(smiles, title) + data + "$$$$\n"


@pytest.fixture
def read(tmp_path):
    """Read text as an SDF."""

    def as_table(text, **options):
        path = tmp_path / "a.sdf"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_molecules(path, **options)

    return as_table


def test_columns_are_structure_title_and_all_data_fields_as_they_first_appear(read):
    table = read(
        record("CCO", "ethanol", b="1", a="x") + record("CC", c="z", a="y") + record("C", b="0")
    )

    assert table.frame.to_dict("list") == {
        "smiles": ["CCO", "CC", "C"],
        "title": ["ethanol", "", ""],
        "b": ["1", "", "0"],
        "a": ["x", "y", ""],
        "c": ["", "z", ""],
    }
    assert table.structure_column == "smiles"
    assert table.ids == ["ethanol", "", ""]
    assert read(record("C", y="1")).ids is None


def test_data_fields_can_be_targets_ids_and_weights(read):
    text = record("CC", y="active", n="a", w="2") + record("C", y="inactive", n="b", w="1")
    table = read(text, targets="y", id_column="n", weight_column="w")

    assert table.targets.names() == ["active", "inactive"]
    assert (table.ids, table.weights.tolist()) == (["a", "b"], [2.0, 1.0])


def test_a_field_of_several_lines_or_given_twice_keeps_all_of_it(read):
    text = block("C") + "> <a>\none\ntwo\n\n> 25 <a>\nthree\n\n> DT12\nx\n\n>\ny\n\n$$$$\n"
    assert read(text).frame.iloc[0].to_dict() == {
        "smiles": "C",
        "a": "one\ntwo\nthree",
        "DT12": "x",
        "": "y",
    }


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("smiles", ["F/C=C/F", "F/C=C\\F", "C[C@H](F)Cl", "C[C@@H](N)C(=O)O"])
def test_stereo_comes_from_the_coordinates(read, smiles, flat):
    assert read(block(smiles, flat=flat) + "$$$$\n").structures == [Chem.CanonSmiles(smiles)]


def test_long_blocks_of_the_third_version_are_read(read):
    text = Chem.MolToV3KMolBlock(Chem.MolFromSmiles("c1ccccc1O"))
    assert read(text + "$$$$\n").structures == ["Oc1ccccc1"]


@pytest.mark.parametrize("field", ["smiles", "SMILES"])
def test_a_field_named_like_our_columns_keeps_its_name(read, field):
    table = read(record("CCO", "t", **{field: "CC", "title": "own"}))

    assert table.structure_column == "structure"
    assert table.structures == ["CCO"]
    assert table.frame.iloc[0].to_dict() == {
        "structure": "CCO",
        "title_line": "t",
        field: "CC",
        "title": "own",
    }
    assert read(record("CCO", **{field: "CC"}), smiles=field).structures == ["CC"]


def broken_blocks():
    valence = Chem.RWMol(Chem.MolFromSmiles("C"))
    for _ in range(5):
        valence.AddBond(0, valence.AddAtom(Chem.Atom(6)), Chem.BondType.SINGLE)
    yield Chem.MolToMolBlock(valence, kekulize=False), "Explicit valence for atom # 0 C, 5"
    yield "\n\n\njunk\nM  END\n", "Counts line too short: 'junk' on line4"
    yield block("CO").replace(" O ", " Zz"), "Element 'Zz' not found"
    yield block(""), "it has no atoms"
    yield "", "the record is empty"
    yield "\n\n", "the record is empty"
    yield block("CO").split("\n", 1)[1], "Cannot convert"
    yield "".join(block("CCO").splitlines(keepends=True)[:6]) + "M  END\n", ""
    yield block("CO").replace(" C ", " \0 "), "the record holds a NUL character"
    yield block("CO").replace("0.0000 C", "0.000é\u20acC"), "Cannot"
    yield "\n\n\n é\u20ac" + "é" * 30 + "\nM  END\n", ""


@pytest.mark.parametrize(("text", "reason"), list(broken_blocks()))
def test_a_damaged_record_is_a_row_with_rdkits_reason_and_its_fields(read, capfd, text, reason):
    data = "> <y>\n1\n\n" if text.strip() else ""
    table = read(record("CCO", y="0") + text + data + "$$$$\n" + record("CC", y="0"))

    assert table.structures == ["CCO", "", "CC"]
    assert table.reasons[::2] == ["", ""]
    assert reason in table.reasons[1]
    assert table.reasons[1]
    assert table.frame["y"].tolist() == ["0", "1" if data else "", "0"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_show(read, end):
    text = (record("CCO", a="1") + record("C[C@H](F)Cl", a="2")).replace("\n", end)
    table = read(text)

    assert table.structures == ["CCO", Chem.CanonSmiles("C[C@H](F)Cl")]
    assert table.frame["a"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("tail", "reasons", "remark"),
    [
        ("", [""], "The last record of a.sdf has no line of $$$$."),
        ("> <y>\n1\n\n", [""], "The last record of a.sdf has no line of $$$$."),
        ("> <y>\n1\n", ["the file ends within the record, before its line of $$$$"], ""),
        ("> <y", ["the file ends within the record, before its line of $$$$"], ""),
        ("> <y>\n1\n\n$$$$\n\n \n", [""], ""),
    ],
)
def test_a_file_without_its_last_line_is_told_apart_from_one_that_is_cut(
    read, tail, reasons, remark
):
    table = read(block("CCO") + tail)

    assert table.reasons == reasons
    assert "".join(text for text in table.remarks if "$$$$" in text) == remark
    assert table.structures == ["" if reasons[0] else "CCO"]
    assert table.frame.columns.tolist() in (["smiles"], ["smiles", "y"])


def test_several_files_are_one_table_of_all_their_fields(tmp_path):
    (tmp_path / "a.sdf").write_text(record("CCO", a="1"))
    (tmp_path / "b.sd").write_text(record("CC", b="2"))
    (tmp_path / "c.sdf.gz").write_bytes(gzip.compress(record("C", "methane").encode()))
    paths = [tmp_path / name for name in ("a.sdf", "b.sd", "c.sdf.gz")]
    table = read_molecules(paths)

    assert table.structures == ["CCO", "CC", "C"]
    assert table.frame.columns.tolist() == ["smiles", "title", "a", "b"]
    parts = list(iter_molecules(paths, chunk_rows=1))
    assert [part.structures for part in parts] == [["CCO"], ["CC"], ["C"]]
    assert {tuple(part.frame.columns) for part in parts} == {tuple(table.frame.columns)}


def test_a_file_with_too_many_fields_is_refused(read, monkeypatch):
    monkeypatch.setattr("kekule.data.sdf.MOST_FIELDS", 3)

    with pytest.raises(DataFileError, match=r"a\.sdf: it has more than 3 different data fields"):
        read(record("C", a="1", b="1") + record("C", c="1", d="1"))


def test_no_record_of_an_empty_file_is_a_row(read):
    assert len(read("")) == 0
    assert len(read("\n\n")) == 0


def test_the_set_that_comes_with_rdkit_is_read_as_rdkit_reads_it():
    path = Path(RDConfig.RDDataDir) / "NCI" / "first_200.props.sdf"
    table = read_molecules(path)
    with quiet():
        mols = list(Chem.SDMolSupplier(str(path)))

    assert table.structures == [Chem.MolToSmiles(mol) for mol in mols]
    assert len(table) == 200
    for name in ("AMW", "CP", "ISM", "NUM_RINGS"):
        expected = [mol.GetProp(name) if mol.HasProp(name) else "" for mol in mols]
        assert table.frame[name].tolist() == expected
