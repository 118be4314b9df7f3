"""Ways to decide which rows are tested, by rows, scaffolds, clusters, time or a given list."""

from kekule.data.splits.families import SPLITS as SPLITS
from kekule.data.splits.families import SplitFamily as SplitFamily
from kekule.data.splits.families import make_split as make_split
from kekule.data.splits.gaps import training_rows as training_rows
from kekule.data.splits.inputs import Dealing as Dealing
from kekule.data.splits.inputs import SplitInputs as SplitInputs
from kekule.data.splits.multitask import multitask_folds as multitask_folds
from kekule.data.splits.split import NEVER_TESTED as NEVER_TESTED
from kekule.data.splits.split import Split as Split
from kekule.data.splits.stratified import stratified_folds as stratified_folds
from kekule.data.splits.stratified import validation_rows as validation_rows
from kekule.data.splits.validation import grouped_validation_rows as grouped_validation_rows
