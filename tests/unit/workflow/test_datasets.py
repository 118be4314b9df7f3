"""Sets are listed as they are here, and laid out differently without loss."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from kekule._errors import DataFileError, OutputError
from kekule.data import SETS, get_set
from kekule.data.molecule_sets import MOLECULE_SETS
from kekule.features import load_packed
from kekule.workflow import convert, list_sets


def test_the_list_says_of_every_set_whether_it_is_here(tmp_path):
    (tmp_path / "raw" / "PTC_MR").mkdir(parents=True)
    (tmp_path / "raw" / "a file").write_text("")
    table = list_sets(tmp_path / "raw").set_index("name")

    assert list(table.index) == [*SETS, *MOLECULE_SETS]
    assert table.loc["PTC_MR", "here"] == str(tmp_path / "raw" / "PTC_MR")
    assert table.loc["MUTAG", "here"] == "embedded"
    assert set(table.drop(["PTC_MR", "MUTAG"])["here"]) == {""}
    assert table.loc["MUTAG", ["graphs", "classes"]].tolist() == [188, 2]


def test_the_list_tells_the_collections_apart(tmp_path):
    (tmp_path / "raw" / "BBBP").mkdir(parents=True)
    (tmp_path / "raw" / "hiv").mkdir()  # as PyTorch Geometric spells it
    table = list_sets(tmp_path / "raw").set_index("name")

    assert set(table["collection"][list(SETS)]) == {"TU"}
    assert set(table["collection"][list(MOLECULE_SETS)]) == {"MoleculeNet"}
    tox21 = table.loc["Tox21", ["kind", "graphs", "tasks", "classes", "here"]]
    assert tox21.tolist() == ["molecules", 7831, 12, 2, ""]
    assert table.loc["BBBP", "here"] == str(tmp_path / "raw" / "BBBP")
    assert table.loc["HIV", "here"] == str(tmp_path / "raw" / "hiv")


def test_a_fetched_set_stands_before_the_embedded_one(tmp_path):
    path = get_set("MUTAG", raw=tmp_path / "raw")
    assert list_sets(tmp_path / "raw").set_index("name").loc["MUTAG", "here"] == str(path)


def test_mutag_becomes_a_table_of_smiles_with_the_two_that_are_none(tmp_path, mutag):
    out = convert("MUTAG", tmp_path / "new" / "mutag.csv")
    table = pd.read_csv(out, keep_default_na=False)

    assert table["row"].tolist() == list(range(188))
    assert table["target"].tolist() == mutag.targets.tolist()
    assert np.flatnonzero(table["status"] == "invalid").tolist() == [82, 187]
    assert table["reason"].astype(bool).tolist() == (table["status"] == "invalid").tolist()
    sound = table["status"] == "ok"
    assert all(Chem.MolFromSmiles(smiles) for smiles in table["smiles"][sound])
    assert set(table["smiles"][~sound]) == {""}


@pytest.mark.parametrize("name", ["tiny.csv", "TINY.CSV"])
def test_graphs_that_are_no_molecules_make_a_table_without_smiles(tmp_path, tiny_set, name):
    table = pd.read_csv(convert(str(tiny_set()), tmp_path / name), keep_default_na=False)
    assert set(table["status"]) == {"ok"}
    assert table["target"].tolist() == [1, -1] * 6
    assert "smiles" not in table


def test_mutag_becomes_arrays_that_hold_the_same_graphs(tmp_path, mutag, packed_mutag):
    out = convert("MUTAG", tmp_path / "processed" / "mutag")
    found = load_packed(out)

    assert found.schema == packed_mutag.schema
    np.testing.assert_array_equal(found.edge_index, packed_mutag.edge_index)
    np.testing.assert_array_equal(found.nodes, packed_mutag.nodes)
    np.testing.assert_array_equal(np.load(out / "targets.npy"), mutag.targets)
    assert [path.name for path in out.parent.iterdir()] == ["mutag"]


@pytest.mark.parametrize("name", ["there.csv", "there"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_there_is_left_alone(tmp_path, tiny_set, name, kind):
    out = tmp_path / name
    if kind == "file":
        out.write_text("mine")
    else:
        (out / "mine").mkdir(parents=True)
    with pytest.raises(OutputError, match="it is there already"):
        convert(str(tiny_set()), out)
    assert out.read_text() == "mine" if kind == "file" else (out / "mine").is_dir()


@pytest.mark.parametrize("name", ["x.csv", "x"])
def test_a_place_that_cannot_be_written_is_one_line(tmp_path, tiny_set, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"cannot be written: .*file is a file, not a folder"):
        convert(str(tiny_set()), tmp_path / "file" / name)


def test_a_set_nobody_has_leaves_nothing_at_the_place(tmp_path):
    with pytest.raises(DataFileError, match="MUTAGS"):
        convert("MUTAGS", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
