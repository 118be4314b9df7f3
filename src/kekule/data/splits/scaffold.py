"""Folds of whole Bemis-Murcko scaffolds, as even as they can be dealt."""

import numpy as np
from numpy.typing import NDArray

from kekule.data.splits.grouped import grouped_split
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.labels import numbered
from kekule.data.splits.split import Split


def scaffold_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Test on ring systems that were not trained on, in k folds even in rows and classes.

    Use it by default for molecules: a model is asked about the next series, not about the
    one it has seen. It is no proof of distance, as scaffolds that differ by one atom are
    dealt apart: `butina_split` goes by likeness.

    Molecules without a ring are one group, as they are for DeepChem, OGB and chemprop:
    that keeps numbers comparable, and no acyclic analogue is then on two sides. They may
    be many (23 % of tox21), and then fill a fold by themselves; the description tells.
    A fold misses N / k rows by less than the largest group.
    """
    groups = scaffold_groups("scaffold", inputs, dealing)
    return grouped_split("scaffold", inputs, groups, dealing, unit="scaffolds")


def scaffold_groups(kind: str, inputs: SplitInputs, dealing: Dealing) -> NDArray[np.int64]:
    """Number the scaffolds of the rows; found once for all seeds."""
    if "scaffold" not in inputs.found:
        from kekule.data.splits.scaffolds import scaffolds_of

        smiles = inputs.molecules(kind)
        names = scaffolds_of(smiles, processes=dealing.processes, progress=dealing.progress)
        inputs.found["scaffold"] = numbered(names)
    return inputs.found["scaffold"]
