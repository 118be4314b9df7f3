"""Recipes run under a protocol: select inside the training rows, estimate outside.

Knows data, features and models; must not know layer types, pictures or where results are
kept. Names that no training asks for are fetched when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kekule.evaluation.comparison import INTERVAL as INTERVAL
from kekule.evaluation.comparison import compare as compare
from kekule.evaluation.comparison import verdict as verdict
from kekule.evaluation.cross_validation import FoldStore as FoldStore
from kekule.evaluation.cross_validation import cross_validate as cross_validate
from kekule.evaluation.cross_validation import out_of_fold as out_of_fold
from kekule.evaluation.cross_validation import scores_json as scores_json
from kekule.evaluation.cross_validation import shipped_model as shipped_model
from kekule.evaluation.cross_validation import tasks_of as tasks_of
from kekule.evaluation.fold_inputs import FINAL as FINAL
from kekule.evaluation.fold_inputs import NETWORK as NETWORK
from kekule.evaluation.fold_inputs import FoldInputs as FoldInputs
from kekule.evaluation.fold_inputs import FoldResult as FoldResult
from kekule.evaluation.fold_inputs import FoldTask as FoldTask
from kekule.evaluation.folds import run_fold as run_fold
from kekule.evaluation.folds import shipped as shipped
from kekule.evaluation.folds import split_rows as split_rows
from kekule.evaluation.metrics import METRICS as METRICS
from kekule.evaluation.metrics import PRIMARY as PRIMARY
from kekule.evaluation.parallel import FoldError as FoldError
from kekule.evaluation.parallel import LostFoldError as LostFoldError
from kekule.evaluation.parallel import Progress as Progress
from kekule.evaluation.recipe import Recipe as Recipe
from kekule.evaluation.recipe import read_recipe as read_recipe

if TYPE_CHECKING:
    from kekule.evaluation.bootstrap import BootstrapError as BootstrapError
    from kekule.evaluation.bootstrap import Interval as Interval
    from kekule.evaluation.bootstrap import bootstrap_interval as bootstrap_interval
    from kekule.evaluation.bootstrap import paired_bootstrap as paired_bootstrap
    from kekule.evaluation.calibration import CALIBRATORS as CALIBRATORS
    from kekule.evaluation.calibration import CalibrationError as CalibrationError
    from kekule.evaluation.calibration import Calibrator as Calibrator
    from kekule.evaluation.calibration import Choice as Choice
    from kekule.evaluation.calibration import Reliability as Reliability
    from kekule.evaluation.calibration import calibrator_from_json as calibrator_from_json
    from kekule.evaluation.calibration import choose_calibrator as choose_calibrator
    from kekule.evaluation.calibration import cross_calibrated as cross_calibrated
    from kekule.evaluation.conformal import Conformal as Conformal
    from kekule.evaluation.conformal import ConformalError as ConformalError
    from kekule.evaluation.conformal import (
        cross_conformal_calibration as cross_conformal_calibration,
    )
    from kekule.evaluation.conformal import fit_conformal as fit_conformal
    from kekule.evaluation.conformal import least_rows as least_rows
    from kekule.evaluation.coverage import Coverage as Coverage
    from kekule.evaluation.domain import Domain as Domain
    from kekule.evaluation.domain import DomainError as DomainError
    from kekule.evaluation.domain import fit_domain as fit_domain
    from kekule.evaluation.domain import measure_worth as measure_worth
    from kekule.evaluation.domain_worth import DomainWorth as DomainWorth
    from kekule.evaluation.model_comparison import Comparison as Comparison
    from kekule.evaluation.model_comparison import ComparisonError as ComparisonError
    from kekule.evaluation.model_comparison import FoldTable as FoldTable
    from kekule.evaluation.model_comparison import compare_models as compare_models
    from kekule.evaluation.model_comparison import fold_table as fold_table
    from kekule.evaluation.thresholds import Threshold as Threshold
    from kekule.evaluation.thresholds import ThresholdError as ThresholdError
    from kekule.evaluation.thresholds import choose_threshold as choose_threshold
    from kekule.evaluation.thresholds import parse_aim as parse_aim

_LATER = {
    "BootstrapError": "bootstrap",
    "Interval": "bootstrap",
    "bootstrap_interval": "bootstrap",
    "paired_bootstrap": "bootstrap",
    "CALIBRATORS": "calibration",
    "CalibrationError": "calibration",
    "Calibrator": "calibration",
    "Choice": "calibration",
    "Reliability": "calibration",
    "calibrator_from_json": "calibration",
    "choose_calibrator": "calibration",
    "cross_calibrated": "calibration",
    "Conformal": "conformal",
    "ConformalError": "conformal",
    "cross_conformal_calibration": "conformal",
    "fit_conformal": "conformal",
    "least_rows": "conformal",
    "Coverage": "coverage",
    "Domain": "domain",
    "DomainError": "domain",
    "fit_domain": "domain",
    "measure_worth": "domain",
    "DomainWorth": "domain_worth",
    "Comparison": "model_comparison",
    "ComparisonError": "model_comparison",
    "FoldTable": "model_comparison",
    "compare_models": "model_comparison",
    "fold_table": "model_comparison",
    "Threshold": "thresholds",
    "ThresholdError": "thresholds",
    "choose_threshold": "thresholds",
    "parse_aim": "thresholds",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
