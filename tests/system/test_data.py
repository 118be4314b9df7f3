"""`kekule data`: what there is, fetched once, laid out differently."""

import csv
import io

import pandas as pd

from kekule.data import SETS
from kekule.features import load_packed


def test_the_list_names_every_set_of_the_catalogue(door, tmp_path):
    said = door("data", "list", "--raw", tmp_path)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert said.code == 0
    assert [row["name"] for row in rows] == list(SETS)


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
