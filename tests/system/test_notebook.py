"""The notebooks run, say what is true, and hold no code of their own."""

import ast
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
ALLOWED = {"kekule", "pathlib", "tempfile", "IPython"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
ASK = """
import json
print(json.dumps({
    "accuracy": run.scores["metrics"]["accuracy"]["mean"],
    "majority": run.scores["baselines"]["majority"]["accuracy"]["mean"],
    "folds": len(run.scores["metrics"]["accuracy"]["folds"]),
    "classes": audit["classes"],
    "statuses": answers["status"].tolist(),
    "reasons": answers["reason"].tolist(),
    "gone": not run.path.exists(),
}))
"""


def code_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_a_notebook_defines_nothing(notebook):
    found = [n for n in ast.walk(ast.parse(code_of(notebook))) if isinstance(n, DEFINITIONS)]
    assert not found


def test_a_notebook_imports_kekule_and_what_shows_and_holds_its_results(notebook):
    imported = set()
    for node in ast.walk(ast.parse(code_of(notebook))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.partition(".")[0])
    assert "kekule" in imported
    assert imported <= ALLOWED


def test_a_notebook_is_kept_without_outputs(notebook):
    assert not [cell for cell in notebook.cells if cell.get("outputs")]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The exploration of MUTAG after it ran, and what its variables hold in the end."""
    (path,) = [path for path in NOTEBOOKS if path.stem == "1.0-mutag-exploration"]
    ran = nbformat.read(path, as_version=4)
    ran.cells.append(nbformat.v4.new_code_cell(ASK))
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(
        ran, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return ran, json.loads(ran.cells[-1].outputs[0].text)


def test_the_exploration_of_mutag_says_what_is_true_of_it(executed):
    ran, found = executed
    text = "".join(
        output.get("text", "") for cell in ran.cells for output in cell.get("outputs", [])
    )

    assert found["classes"] == {"-1": 63, "1": 125}
    assert found["folds"] == 5
    assert found["accuracy"] > found["majority"] + 0.05
    assert found["statuses"] == ["ok", "ok", "invalid", "invalid"]
    assert "element B" in found["reasons"][3]
    assert text.count("Explicit valence for atom") == 2  # the two that are no molecules
    assert "gin gives" in text
    assert found["gone"]


def test_the_exploration_of_mutag_shows_its_pictures(executed):
    ran, _ = executed
    data = [output.get("data", {}) for cell in ran.cells for output in cell.get("outputs", [])]
    drawings = [
        each["text/html"].count("<svg") for each in data if "<svg" in each.get("text/html", "")
    ]

    assert sum("image/png" in each for each in data) == 4
    assert drawings == [6]
