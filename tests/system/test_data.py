"""`kekule data`: what there is, fetched once, laid out differently."""

import csv
import io

import pandas as pd

from kekule.data import SETS
from kekule.data.molecule_sets import MOLECULE_SETS
from kekule.features import load_packed


def test_the_list_names_every_set_of_the_catalogues(door, tmp_path):
    said = door("data", "list", "--raw", tmp_path)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert said.code == 0
    assert [row["name"] for row in rows] == [*SETS, *MOLECULE_SETS]


def test_a_set_is_fetched_once_then_verified_and_its_damage_noticed(door, tmp_path):
    raw = tmp_path / "raw data"
    first = door("data", "get", "MUTAG", "--raw", raw)
    second = door("data", "get", "mutag", "--raw", raw)
    assert first == second == (0, f"{raw / 'MUTAG'}\n", "")

    damaged = raw / "MUTAG" / "raw" / "MUTAG_A.txt"
    damaged.chmod(0o644)
    damaged.write_text(damaged.read_text().replace("2, 1", "2, 3", 1))
    third = door("data", "get", "MUTAG", "--raw", raw)
    assert (third.code, third.out) == (2, "")
    assert "MUTAG_A.txt" in third.err
    assert third.err.count("\n") == 1


def test_a_set_of_moleculenet_is_fetched_from_a_folder(door, tmp_path):
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "BBBP.csv").write_text("num,name,p_np,smiles\n1,ethanol,1,CCO\n")
    raw = tmp_path / "raw"
    said = door("data", "get", "bbbp", "--raw", raw, "--mirror", tmp_path / "usb")

    assert said == (0, f"{raw / 'BBBP'}\n", "")
    listed = door("data", "list", "--raw", raw).out
    assert f"BBBP,MoleculeNet,molecules,2050,1,2,{raw / 'BBBP'}\n" in listed


def test_a_set_to_regress_on_is_answered_in_one_line(door, tmp_path):
    said = door("data", "get", "ESOL", "--raw", tmp_path / "raw")

    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert "ESOL: this set is for regression, and kekule sorts into classes" in said.err


def test_a_set_becomes_a_table_or_arrays_and_says_where(door, tmp_path, mutag):
    table, arrays = tmp_path / "interim" / "mutag.csv", tmp_path / "processed" / "mutag"
    assert door("data", "convert", "MUTAG", "-o", table) == (0, f"{table}\n", "")
    assert door("data", "convert", "MUTAG", "-o", arrays) == (0, f"{arrays}\n", "")

    assert len(pd.read_csv(table)) == len(load_packed(arrays)) == len(mutag)
    again = door("data", "convert", "MUTAG", "-o", arrays)
    assert again.code == 2
    assert "it is there already" in again.err


def test_the_page_of_a_run_is_drawn_again_with_its_figures(door, trained, tmp_path):
    folder, _ = trained
    page = folder / "models" / "tiny" / "report.html"
    before = page.read_text(encoding="utf-8")
    said = door("report", page.parent, "--figures", tmp_path / "figures")
    assert said == (0, f"{page}\n", "")
    assert page.read_text(encoding="utf-8") == before
    assert (tmp_path / "figures" / "roc.svg").exists()
