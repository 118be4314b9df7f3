"""Kekulé: machine-learning operations for graph classification of molecules.

>>> import kekule
>>> run = kekule.train(overrides=["data=MUTAG", "model=gin"])  # doctest: +SKIP
>>> kekule.load(run.path).predict(["O=[N+]([O-])c1ccc2ccccc2c1"])  # doctest: +SKIP

Importing the package loads none of its heavy parts; each name below is fetched when it is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kekule._errors import KekuleError as KekuleError
from kekule._errors import MoleculeError as MoleculeError

if TYPE_CHECKING:
    from kekule.data import get_set as get_set
    from kekule.evaluation import Recipe as Recipe
    from kekule.evaluation import read_recipe as read_recipe
    from kekule.registry import Predictor as Predictor
    from kekule.registry import load as load
    from kekule.workflow import Run as Run
    from kekule.workflow import audit as audit
    from kekule.workflow import compare as compare
    from kekule.workflow import convert as convert
    from kekule.workflow import examine as examine
    from kekule.workflow import learning_rate_range as learning_rate_range
    from kekule.workflow import list_sets as list_sets
    from kekule.workflow import predict as predict
    from kekule.workflow import report as report
    from kekule.workflow import train as train
    from kekule.workflow import tune as tune

__version__ = "0.1.0"

_HOMES = {
    "get_set": "kekule.data",
    "Recipe": "kekule.evaluation",
    "read_recipe": "kekule.evaluation",
    "Predictor": "kekule.registry",
    "load": "kekule.registry",
    "Run": "kekule.workflow",
    "audit": "kekule.workflow",
    "compare": "kekule.workflow",
    "convert": "kekule.workflow",
    "examine": "kekule.workflow",
    "learning_rate_range": "kekule.workflow",
    "list_sets": "kekule.workflow",
    "predict": "kekule.workflow",
    "report": "kekule.workflow",
    "train": "kekule.workflow",
    "tune": "kekule.workflow",
}

__all__ = ["KekuleError", "MoleculeError", "__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kekule' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
