"""The few verbs a user calls: audit, train, compare, examine, predict, report, and more.

Each is a short composition of the parts below. The command line calls these and nothing
else; whatever it can do, these can do from Python. A verb is fetched when it is first used:
listing data sets does not wait for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kekule.data import get_set as get_set
    from kekule.evaluation import Recipe as Recipe
    from kekule.evaluation import read_recipe as read_recipe
    from kekule.workflow.auditing import audit as audit
    from kekule.workflow.comparing import compare as compare
    from kekule.workflow.datasets import convert as convert
    from kekule.workflow.datasets import list_sets as list_sets
    from kekule.workflow.examining import Examination as Examination
    from kekule.workflow.examining import examine as examine
    from kekule.workflow.predicting import predict as predict
    from kekule.workflow.rates import learning_rate_range as learning_rate_range
    from kekule.workflow.reporting import report as report
    from kekule.workflow.training import Run as Run
    from kekule.workflow.training import train as train
    from kekule.workflow.tuning import Tuning as Tuning
    from kekule.workflow.tuning import tune as tune

_HOMES = {
    "Examination": "kekule.workflow.examining",
    "Recipe": "kekule.evaluation",
    "Run": "kekule.workflow.training",
    "audit": "kekule.workflow.auditing",
    "compare": "kekule.workflow.comparing",
    "convert": "kekule.workflow.datasets",
    "examine": "kekule.workflow.examining",
    "get_set": "kekule.data",
    "learning_rate_range": "kekule.workflow.rates",
    "list_sets": "kekule.workflow.datasets",
    "predict": "kekule.workflow.predicting",
    "read_recipe": "kekule.evaluation",
    "report": "kekule.workflow.reporting",
    "train": "kekule.workflow.training",
    "Tuning": "kekule.workflow.tuning",
    "tune": "kekule.workflow.tuning",
}

__all__ = [*_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
