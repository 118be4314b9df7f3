"""What a fold is given and what it leaves: names, rows, answers, and all that folds share.

Symbols: G graphs, n rows asked for, T tasks, K classes of each, C combinations of a grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data import SPLITS, Split
from kekule.evaluation.recipe import Recipe
from kekule.features import PackedGraphs

FINAL = -1  # the fold number of the model that holds no test rows back
NETWORK = "network"

Rows = NDArray[np.int64]


class FoldTask(NamedTuple):
    """Which model, which repeat, which fold."""

    model: str  # NETWORK or the name of a baseline
    seed: int
    fold: int  # FINAL for the model of all rows

    def __str__(self) -> str:
        """Name the task as logs and errors do."""
        if self.fold == FINAL:
            return "final model"
        return f"{self.model}, seed {self.seed}, fold {self.fold + 1}"


@dataclass(frozen=True, eq=False)
class FoldResult:
    """What a fold leaves behind.

    Attributes
    ----------
    rows
        int64 (n,), the test rows; empty for the final model.
    labels, probabilities
        int64 (n,) and float64 (n, K); of several tasks (n, T) and (n, T, K).
    train_loss, validation_loss
        float64 (epochs run,), nats; empty for a baseline.
    learning_rate
        float64 (epochs run,).
    parameter_rms, gradient_rms
        float32 (epochs run, arrays of `layers_of`), see `FitResult`.
    best_epoch
        0-based, chosen on validation rows; -1 for a baseline.
    seconds
        Wall time of the fold.
    weights
        Arrays of the trained network; kept for the one that is shipped only.
    chosen, inner_scores
        Of a nested fold: number of the combination in `combinations_of`, and float64
        (C, inner), what it was chosen by, higher is better. -1 and empty elsewhere.
    run_probabilities
        Of a nested fold: float64 (final runs, n, K) or (final runs, n, T, K), whose mean is
        `probabilities`; curves and weights are those of the first run.
    inner_rows, inner_probabilities
        int64 (m,), training rows that the model was not fitted on when it answered for them,
        rising, and float64 (m, K) or (m, T, K), those answers: of a network its validation rows,
        of an ensemble the out-of-fold answers that weighed its members. What calibrates the
        model is fitted on them. Empty for a baseline.
    member_probabilities
        Of an ensemble: float64 (M, n, K) or (M, n, T, K), each member's own answers for the test
        rows, members as `told` names them, pruned ones too.
    without_networks
        Of an ensemble with a network: float64 (n, K) or (n, T, K), what its other members would
        have answered, weighed anew without it.
    told
        Of an ensemble: JSON text, what `kekule.evaluation.ensemble` says of members and weights.
    """

    rows: Rows
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    train_loss: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    validation_loss: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    best_epoch: int = -1
    seconds: float = 0.0
    weights: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    learning_rate: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    parameter_rms: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))
    gradient_rms: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))
    chosen: int = -1
    inner_scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    run_probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    inner_rows: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    inner_probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    member_probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    without_networks: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    told: str = ""


@dataclass(frozen=True, eq=False)
class FoldInputs:
    """What every fold of a run shares, sent once to each worker process.

    Attributes
    ----------
    graphs
        The usable graphs of the set, G of them.
    targets
        int64 (G,), class numbers 0 to ``n_classes - 1``; of several tasks (G, T), with -1
        where a label is missing.
    n_classes
        K, the same for every task.
    recipe
        The resolved recipe.
    splits
        The split of each seed; a seed without one has stratified folds of single rows.
    weights
        float64 (G,), what each row counts in the loss of a network; None: all the same.
    tasks
        Names of several tasks, T of them; none where there is one.
    tables
        Fingerprints by name, (G, W), that the recipe's baselines need.
    folder
        Where an unfinished fold keeps its checkpoint; None: nowhere.
    profile
        Where the trainings of `profile_name` write where their time went; None: nowhere.
    """

    graphs: PackedGraphs
    targets: NDArray[np.int64]
    n_classes: int
    recipe: Recipe
    splits: Mapping[int, Split] = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None
    tasks: tuple[str, ...] = ()
    tables: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    folder: Path | None = None
    profile: Path | None = None

    @property
    def n_tasks(self) -> int:
        """T."""
        return self.targets.shape[1] if self.targets.ndim == 2 else 1

    @property
    def n_folds(self) -> int:
        """Folds of each seed; 1 where there is a single test set."""
        counts = [split.n_folds for split in self.splits.values()]
        return max(counts, default=self.recipe.protocol.folds or 1)

    @property
    def resampling(self) -> float:
        """Folds as the correction of intervals counts them: tested to trained as 1 to this - 1.

        Of test sets of a share that differ from seed to seed, one over the share.
        """
        protocol = self.recipe.protocol
        dealt = protocol.kind == "holdout" and SPLITS[protocol.split].seeded
        if not dealt or protocol.seeds < 2 or protocol.test is None:
            return float(self.n_folds)
        return 1 / protocol.test
