"""The house around the package: commands, pins, versions and files that must agree."""

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import kekule
import kekule.evaluation

ROOT = Path(__file__).parents[2]
LARGEST = 1_000_000  # bytes of a file in git
TEXT = {".cff", ".cfg", ".css", ".csv", ".html", ".ini", ".ipynb", ".j2", ".js", ".json", ".md"}
TEXT |= {".py", ".rst", ".svg", ".toml", ".txt", ".yaml", ".yml", ""}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def settings():
    return tomllib.loads(read("pyproject.toml"))


@pytest.fixture(scope="module")
def tracked():
    """Files that are in git, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def make_targets():
    """Targets of the Makefile that a person calls, with their help."""
    lines = re.findall(r"^([a-z][a-z-]*):[^=\n]*?(?:## (.*))?$", read("Makefile"), flags=re.M)
    return dict(lines)


def pins():
    """Version of each package in requirements.txt, by canonical name."""
    lines = [Requirement(line) for line in read("requirements.txt").splitlines() if pinned(line)]
    return {canonicalize_name(line.name): line for line in lines}


def pinned(line):
    return line.strip() and not line.startswith("#")


def asked_for(settings):
    project = settings["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [Requirement(text) for texts in lists for text in texts]
    return [line for line in wanted if line.name != "kekule"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".ci/run", "docs/quickstart.md"])
def test_every_make_command_that_is_written_down_exists(name):
    written = set(re.findall(r"(?:^\$ |^|`|=\S+ )make ([a-z-]+)", read(name), flags=re.M))

    assert written
    assert written <= set(make_targets())


def test_the_readme_opens_with_the_two_commands_and_then_a_picture():
    commands = re.findall(r"^\$ (.*)$|!\[", read("README.md"), flags=re.M)
    assert commands[:3] == ["make train", "make test", ""]


def test_every_target_says_what_it_does_and_is_listed_as_phony():
    targets = make_targets()
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", read("Makefile"), flags=re.M)[1]

    assert {name for name, help_ in targets.items() if not help_} == set()
    assert set(phony.replace("\\\n", " ").split()) == set(targets)


def test_make_alone_lists_every_target():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make ([a-z-]+) +\S", done.stdout, flags=re.M)
    assert set(listed) == set(make_targets())


def test_every_recipe_is_run_by_make_train_or_by_make_quality():
    runs = re.search(r"^RUNS := (.*)$", read("Makefile"), flags=re.M)[1].split()
    scored = re.findall(r'"([a-z0-9]+-auto)"', read("benchmarks/quality.py"))
    found = {path.stem for path in (ROOT / "recipes").glob("*.yaml")}
    assert {*runs, *scored} == found
    for name in found:
        assert kekule.evaluation.read_recipe(ROOT / "recipes" / f"{name}.yaml")


def test_torch_and_rdkit_stand_at_the_builds_other_things_depend_on():
    lines = read("requirements.txt").splitlines()
    assert "torch==2.13.0" in lines
    assert "rdkit==2026.3.6" in lines


def test_every_requirement_is_pinned_to_one_release_and_none_is_for_a_graphics_card():
    for name, line in pins().items():
        assert re.fullmatch(r"==[^*,+]+", str(line.specifier)), line
        assert not line.url
        assert not name.startswith(("nvidia", "triton")), line


def test_the_frozen_environment_has_all_that_is_asked_for_in_a_release_that_will_do(settings):
    frozen = pins()
    for wanted in asked_for(settings):
        line = frozen[canonicalize_name(wanted.name)]
        version = str(line.specifier).removeprefix("==")
        assert wanted.specifier.contains(version), f"{wanted} is frozen at {version}"
        same = wanted.marker is None or str(wanted.marker) == str(line.marker)
        assert same, f"{wanted} and {line} are for different Pythons"


def test_the_frozen_environment_runs_on_the_first_release_of_every_supported_python():
    for name, line in pins().items():
        try:
            installed = metadata(name)
        except PackageNotFoundError:
            continue  # of another system or Python than this one
        if not line.specifier.contains(installed["Version"]):
            continue  # this is not the frozen environment
        wanted = SpecifierSet(installed.get("Requires-Python", ""))
        for python in ("3.11", "3.12", "3.13"):
            if line.marker is None or line.marker.evaluate({"python_version": python}):
                assert wanted.contains(f"{python}.0"), f"{line} wants Python {wanted}"


def test_an_exception_from_the_order_of_imports_has_its_decision(settings):
    contracts = settings["tool"]["importlinter"]["contracts"]
    told = " ".join(path.read_text() for path in (ROOT / "docs/decisions").glob("0*.md"))
    for edge in [edge for contract in contracts for edge in contract.get("ignore_imports", [])]:
        assert f"`{edge}`" in told, f"no decision tells of {edge}"


def test_the_version_is_the_same_wherever_it_is_written(settings):
    changelog = re.findall(r"^## (\d+\.\d+\.\d+) - (\S+)$", read("CHANGELOG.md"), flags=re.M)
    citation = yaml.safe_load(read("CITATION.cff"))

    assert settings["project"]["version"] == kekule.__version__
    assert changelog[0] == (kekule.__version__, citation["date-released"])
    assert citation["version"] == kekule.__version__


def test_the_check_of_a_change_is_the_readmes_test_command_and_every_other_check():
    script = ROOT / ".ci/run"
    commands = [line for line in script.read_text().splitlines() if line.startswith("make ")]
    checks = set(re.findall(r"[a-z-]+", " ".join(commands))) - {"make"}

    assert script.stat().st_mode & 0o111
    assert commands[0] == "make test"
    assert "$ make test\n" in read("README.md")
    assert checks == {"test", "lint", "docs"}
    lint = read("Makefile").split("\nlint:")[1].split("\n\n")[0]
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports"):
        assert tool in lint.replace("$(BIN)/", "")


def test_the_workflows_test_three_pythons_on_two_systems(settings):
    matrix = workflow("tests")["jobs"]["tests"]["strategy"]["matrix"]
    stated = re.findall(r"Python :: (3\.\d+)", " ".join(settings["project"]["classifiers"]))

    assert matrix["python"] == stated
    assert len(stated) == 3
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}
    for python in stated:
        assert f"py{python.replace('.', '')}" in read("tox.ini")


@pytest.mark.parametrize("name", ["tests", "lint", "docs"])
def test_a_workflow_may_only_read_is_cut_off_and_calls_a_make_target(name):
    content = workflow(name)
    (job,) = content["jobs"].values()
    steps = [step.get("run", "") for step in job["steps"]]
    actions = [step["uses"] for step in job["steps"] if "uses" in step]

    assert content["permissions"] == {"contents": "read"}
    assert content["concurrency"]["cancel-in-progress"] is True
    assert job["timeout-minutes"] <= 60
    assert any(step.removeprefix("make ") in make_targets() for step in steps)
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in actions)


def test_no_file_is_large_or_ends_without_a_line_end(tracked):
    for path in tracked:
        content = path.read_bytes()
        assert len(content) <= LARGEST, f"{path} has {len(content)} bytes"
        if path.suffix in TEXT and content:
            assert content.endswith(b"\n"), f"{path} does not end with a line end"
            assert not content.endswith(b"\n\n"), f"{path} ends with blank lines"


def test_no_file_names_a_folder_of_one_machine(tracked):
    homes = re.compile(r"(?<![\w.~:/-])/(?:home|Users|root|work|workspace)/[A-Za-z0-9_.-]+")
    for path in tracked:
        if path.suffix in TEXT:
            found = homes.findall(path.read_text(encoding="utf-8"))
            assert not found, f"{path} names {found[0]}"


def workflow(name):
    return yaml.safe_load(read(f".github/workflows/{name}.yml"))
