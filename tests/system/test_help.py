"""What the command says about itself, and how soon."""

import importlib.metadata
import inspect
import json
import subprocess
import sys
import time

import pytest
import typer.main

import kekule as package
from kekule.cli import app
from kekule.evaluation import Recipe

HEAVY = {"torch", "torch_geometric", "rdkit", "matplotlib", "mlflow", "pandas", "scipy", "sklearn"}
FUNCTIONS = {  # what each command is in Python
    "train": "train",
    "audit": "audit",
    "predict": "predict",
    "report": "report",
    "compare": "compare",
    "examine": "examine",
    "rates": "learning_rate_range",
    "tune": "tune",
    "data list": "list_sets",
    "data get": "get_set",
    "data convert": "convert",
    "recipe check": "read_recipe",
    "recipe schema": "Recipe",
}


def leaves(group, path=()):
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from leaves(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


COMMANDS = dict(leaves(typer.main.get_command(app)))


def test_every_command_is_a_public_python_function():
    assert FUNCTIONS.keys() == COMMANDS.keys()
    for name in FUNCTIONS.values():
        assert callable(getattr(package, name))
        assert name in dir(package)
        assert inspect.getdoc(getattr(package, name))


@pytest.mark.parametrize(
    "name",
    [
        "train",
        "audit",
        "predict",
        "report",
        "examine",
        "rates",
        "tune",
        "data convert",
        "data get",
    ],
)
def test_options_have_the_names_of_the_functions_parameters(name):
    ours = {"verbose", "quiet", "settings", "help", "progress", "recipe", "overrides", "inputs"}
    options = {parameter.name for parameter in COMMANDS[name].params} - ours
    parameters = set(inspect.signature(getattr(package, FUNCTIONS[name])).parameters) - ours
    assert options == parameters


@pytest.mark.parametrize("name", ["", "data", "recipe", *COMMANDS])
def test_every_help_has_an_example_that_names_the_command(door, name):
    said, short = door(*name.split(), "--help"), door(*name.split(), "-h")
    text = " ".join(said.out.split())

    assert said.code == short.code == 0
    assert said.out == short.out
    assert said.err == ""
    assert "Example" in text
    assert f"kekule {name}".strip() in text.partition("Example")[2]


def test_a_command_alone_shows_its_help_and_does_nothing(door):
    said = door()
    assert said.code == 2
    assert said.err == ""
    assert "train" in said.out
    assert "predict" in said.out


def test_help_is_there_in_four_tenths_of_a_second(kekule):
    def seconds():
        start = time.perf_counter()
        assert kekule("--help").code == 0
        return time.perf_counter() - start

    best = 9.0
    for _ in range(15):  # the machine may be busy; the command is judged by its best
        best = min(best, seconds())
        if best < 0.4:
            break
    assert best < 0.4


@pytest.mark.parametrize("arguments", [["-c", "import kekule"], ["-m", "kekule", "--help"]])
def test_neither_import_nor_help_loads_anything_heavy(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "kekule" in loaded
    assert not {name.partition(".")[0] for name in loaded} & HEAVY


def test_listing_sets_does_not_wait_for_pytorch(kekule):
    code = "import kekule, sys; kekule.list_sets(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'torch'" not in done.stdout


def test_the_version_is_that_of_the_package(door):
    assert package.__version__ == importlib.metadata.version("kekule")
    assert door("--version") == (0, f"kekule {package.__version__}\n", "")


def test_a_name_kekule_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'kekule' has no attribute 'pretrain'"):
        package.pretrain  # noqa: B018
    from kekule import workflow

    with pytest.raises(AttributeError, match=r"'kekule\.workflow' has no attribute 'pretrain'"):
        workflow.pretrain  # noqa: B018
    assert "train" in dir(workflow)


def test_the_schema_of_recipes_is_a_json_schema(door):
    schema = json.loads(door("recipe", "schema").out)
    assert schema["type"] == "object"
    assert set(schema["properties"]) == set(Recipe.model_fields)
    assert schema["additionalProperties"] is False
    for name in [*schema["$defs"], ""]:
        properties = schema["$defs"][name]["properties"] if name else schema["properties"]
        for each in properties.values():
            references = json.dumps(each).split('"$ref": "')[1:]
            for reference in references:
                assert reference.partition('"')[0].removeprefix("#/$defs/") in schema["$defs"]


def test_a_checked_recipe_can_be_given_back(door, tmp_path):
    said = door("recipe", "check", "train.epochs=7", "model=gcn")
    (tmp_path / "a=b.yaml").write_text(said.out)
    again = door("recipe", "check", tmp_path / "a=b.yaml")
    assert again.code == 0
    assert again.out == said.out
    assert "epochs: 7" in said.out
