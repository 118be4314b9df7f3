"""What a command waits for before its work begins: modules nobody asked for are not loaded."""

import subprocess
import sys

import pytest

DRAWN_WITH = {"matplotlib", "jinja2"}
NEVER = {"torch_geometric", "torch._dynamo", "tensorboard", "joblib"}
LATER = {"scipy.stats", "scipy.sparse", "sklearn"}  # baselines, intervals and probes need them


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("kekule.workflow.training", DRAWN_WITH | NEVER | LATER | {"rdkit.Chem.FilterCatalog"}),
        # What every process of a fold loads before it can begin.
        ("kekule.evaluation", DRAWN_WITH | NEVER | LATER | {"pandas", "pyarrow", "rich.progress"}),
        # What every process that audits molecules loads.
        ("kekule.data.audit.molecules", DRAWN_WITH | NEVER | LATER | {"torch"}),
    ],
)
def test_importing_loads_only_what_is_used_at_once(module, unwanted):
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()

    assert module in loaded
    assert sorted(unwanted.intersection(loaded)) == []
