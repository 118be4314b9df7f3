"""Which of several models is best on the same folds, and whether by more than noise.

From the ``scores.json`` of runs to a table of scores, from there to tests and intervals for
every pair, and to a verdict that names a winner only where there is one. Statistics alone:
must not know files, pictures or how the scores were made.

References
----------
Ash et al. 2025, Practically Significant Method Comparison Protocols for Machine Learning in
Small Molecule Drug Discovery, J. Chem. Inf. Model. 65:9398.
"""

from kekule.evaluation.model_comparison.assumptions import Assumptions as Assumptions
from kekule.evaluation.model_comparison.assumptions import assumptions as assumptions
from kekule.evaluation.model_comparison.parametric import Anova as Anova
from kekule.evaluation.model_comparison.parametric import anova as anova
from kekule.evaluation.model_comparison.parametric import corrected_pairs as corrected_pairs
from kekule.evaluation.model_comparison.parametric import tukey as tukey
from kekule.evaluation.model_comparison.ranks import RankPair as RankPair
from kekule.evaluation.model_comparison.ranks import RankTest as RankTest
from kekule.evaluation.model_comparison.ranks import conover as conover
from kekule.evaluation.model_comparison.ranks import friedman as friedman
from kekule.evaluation.model_comparison.ranks import median_pairs as median_pairs
from kekule.evaluation.model_comparison.table import ComparisonError as ComparisonError
from kekule.evaluation.model_comparison.table import FoldTable as FoldTable
from kekule.evaluation.model_comparison.table import Pair as Pair
from kekule.evaluation.model_comparison.table import fold_table as fold_table
from kekule.evaluation.model_comparison.verdict import Comparison as Comparison
from kekule.evaluation.model_comparison.verdict import compare_models as compare_models
