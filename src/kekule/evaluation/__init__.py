"""Recipes run under a protocol: select inside the training rows, estimate outside.

Knows data, features and models; must not know layer types, pictures or where results are
kept.
"""

from kekule.evaluation.comparison import INTERVAL as INTERVAL
from kekule.evaluation.comparison import compare as compare
from kekule.evaluation.comparison import verdict as verdict
from kekule.evaluation.cross_validation import FoldStore as FoldStore
from kekule.evaluation.cross_validation import cross_validate as cross_validate
from kekule.evaluation.cross_validation import out_of_fold as out_of_fold
from kekule.evaluation.cross_validation import scores_json as scores_json
from kekule.evaluation.cross_validation import shipped_model as shipped_model
from kekule.evaluation.cross_validation import tasks_of as tasks_of
from kekule.evaluation.folds import FINAL as FINAL
from kekule.evaluation.folds import NETWORK as NETWORK
from kekule.evaluation.folds import FoldInputs as FoldInputs
from kekule.evaluation.folds import FoldResult as FoldResult
from kekule.evaluation.folds import FoldTask as FoldTask
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
