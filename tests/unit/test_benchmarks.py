"""What is published about speed: a script, its result beside it, and the bounds it met."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


def test_every_benchmark_is_run_by_make_and_told_of_in_the_readme():
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"contest"}
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")

    assert scripts == set(NAMES)
    assert set(re.findall(r"^\| `(\w+)\.py`", readme, flags=re.M)) == scripts
