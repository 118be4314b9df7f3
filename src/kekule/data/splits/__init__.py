"""Ways to decide which rows are tested, by rows, scaffolds, clusters, time or a given list."""

from kekule.data.splits.split import NEVER_TESTED as NEVER_TESTED
from kekule.data.splits.split import Split as Split
from kekule.data.splits.stratified import stratified_folds as stratified_folds
from kekule.data.splits.stratified import validation_rows as validation_rows
