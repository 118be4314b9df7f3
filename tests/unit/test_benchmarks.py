"""What is published about speed: a script, its result beside it, and the bounds it met."""

import importlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = {"commands", "contest", "noise", "pictures"}  # of the scripts, none themselves
COUNTED = {"floor", "quality"}  # held to nothing
NAMES = re.search(r"^BENCHMARKS := (.*)$", (ROOT / "Makefile").read_text(), flags=re.M)[1].split()


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_has_its_result_beside_it_and_met_every_bound(name):
    record = json.loads((ROOT / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))

    assert record["date"]
    assert record["cpu"]
    assert all(
        versions["rdkit" if name == "featurise" else "torch"]
        for versions in record["versions"].values()
    )
    bounded = {k: v for k, v in record["ratios"].items() if "below" in v or v.get("at_least")}
    assert bounded
    for what, found in bounded.items():
        assert found["low"] <= found["median"] <= found["high"]
        assert found["median"] >= (found.get("at_least") or 0), what
        assert found["median"] < found.get("below", float("inf")), what


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("train_")])
def test_a_training_benchmark_is_drawn_in_the_documentation(name):
    picture = f"{name.replace('_', '-')}.svg"

    assert (ROOT / "docs" / "images" / picture).read_text(encoding="utf-8").startswith("<svg")
    assert f"images/{picture}" in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["train_mutag", "train_bbbp"])
def test_beside_the_time_of_a_training_stands_its_score_over_three_seeds(name):
    record = json.loads((ROOT / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))
    scores = record.get("accuracy_of_seeds") or record["roc_auc_of_seeds"]

    assert all(len(seeds) >= 3 for seeds in scores.values())
    assert record["ratios"][next(key for key in record["ratios"] if "noise" in key)]["at_least"]
    assert all(cores["high"] <= 0.25 for cores in record["others"].values())


def test_every_benchmark_is_run_by_make_and_told_of_in_the_readme():
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - PARTS
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")

    assert scripts == {*NAMES, *COUNTED}
    assert set(re.findall(r"^\| `(\w+)\.py`", readme, flags=re.M)) == scripts


def test_the_scores_in_the_documentation_are_those_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    quality = importlib.import_module("quality")
    record = json.loads(quality.RECORD.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    lines = [line for name, found in record.items() for line in quality.shown(name, found)]

    assert lines == re.findall(r"^\| .* \| `.*$", page, flags=re.M)
    assert {found["date"] for found in record.values()} == set(
        re.findall(r"\d{4}-\d\d-\d\d", page)
    )
