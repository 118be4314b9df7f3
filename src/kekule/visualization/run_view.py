"""Everything a report shows about one run, as plain arrays and words.

A view is filled by whoever ran the training and read by figures and page alone, so
neither knows how the other works. Nothing here is computed anew: probabilities are
out-of-fold, scores and verdict arrive finished.

Symbols: R rows (graphs) with an out-of-fold prediction, C classes, H width of the
embedding, E directed edges and V nodes of one graph. Knows NumPy and RDKit's molecule
type; must not know training, files or pages.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from kekule.visualization.ensemble_view import EnsembleView
from kekule.visualization.examination_view import ExaminationView
from kekule.visualization.nearness_view import CliffsView, SimilarityView, TopListView
from kekule.visualization.uncertainty_view import UncertaintyView

GraphDrawing = Callable[[int], tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]]

FINAL_FOLD = -1  # `FoldCurve.fold` of the model that is shipped


@dataclass(frozen=True, eq=False)
class FoldCurve:
    """Losses of one training, one value an epoch.

    Attributes
    ----------
    seed, fold
        Which training; fold is -1 for the final model on all rows.
    train_loss, validation_loss
        float64 (epochs,), nats per graph.
    best_epoch
        0-based; chosen on validation rows, never on test rows.
    learning_rate
        float64 (epochs,), of each epoch's last step; empty where it was not kept.
    """

    seed: int
    fold: int
    train_loss: NDArray[np.float64]
    validation_loss: NDArray[np.float64]
    best_epoch: int
    learning_rate: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class ParameterHistory:
    """How large the arrays of the final model, and their gradients, were while it trained.

    Attributes
    ----------
    names
        A arrays, in the model's order.
    values, gradients
        float64 (epochs, A), root mean square; NaN where it was not kept.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    gradients: NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One metric of one model over folds; NaN where the metric is undefined."""

    mean: float
    std: float
    low: float
    high: float
    folds: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class TaskView:
    """One of several tasks learnt together.

    Attributes
    ----------
    classes
        Its two classes, the positive one last.
    truth
        int64 (R,), class index; -1 where the label is missing.
    probability
        float64 (R,), of the positive class, out-of-fold, first seed; NaN where there is none.
    scores, baselines
        Metric to score, of this model and of each baseline by name.
    top
        What the tops of the rankings of its seeds share; None with one seed.
    """

    name: str
    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    probability: NDArray[np.float64]
    scores: dict[str, Score]
    baselines: dict[str, dict[str, Score]]
    top: TopListView | None = None


@dataclass(frozen=True)
class Layer:
    """One line of the layer table."""

    name: str
    kind: str
    shape: str
    n_parameters: int


@dataclass(frozen=True, eq=False)
class RunView:
    """One finished run as the report reads it.

    Attributes
    ----------
    verdict
        One line in plain words; see `kekule.visualization.tables.winner` for how it
        decides what the table of scores may highlight.
    classes
        C names as spelt in the data.
    positive
        The class whose probability is shown in binary tasks (the last); None otherwise.
    rows, truth, fold
        int64 (R,): row in the source (0-based), class index, test fold.
    probabilities
        float64 (R, C), out-of-fold, first seed; a row of NaN has no prediction.
    scores, baselines
        Metric to score, of this model and of each baseline by name.
    n_nodes, n_edges
        int64 (R,), undirected edges.
    label_counts
        Node label or element to int64 (C,): nodes so labelled in graphs of each class.
    molecules
        R molecules, None where the graph is not a valid molecule.
    graphs
        Position to ``edge_index`` (2, E), node label codes (V,), names of the codes;
        used to draw what is not a molecule. None where there is nothing to draw.
    smiles
        R strings, empty where there is none.
    weights
        Parameter name to its values, flat.
    embedding
        float32 (R, H) of the final model, which was trained on these very rows.
    audit
        Findings with keys ``name``, ``verdict`` (green, amber, red), ``value``, ``advice``.
    seed_spread
        Metric to its mean over folds, one value a seed.
    duplicates
        What became of rows of one molecule, in one sentence; empty where there is nothing to say.
    protocol
        How rows were shared out among the folds, in one line.
    tasks
        Several tasks, each with its own classes, truth and probability. `classes` is empty
        then, `truth` -1 everywhere, and `probabilities` (R, 0). Empty where there is one.
    history
        Of the final model's parameters; None where none was kept.
    profiles
        Pages about where time went, by name.
    refit
        Whether the model that is shipped was trained anew on all rows; else it is that of
        the first seed's first fold.
    top_lists
        What the tops of the rankings of several seeds share; empty with one seed or more than
        two classes.
    similarity, cliffs, uncertainty, ensemble, examination
        What else is known of the run; None where it is not.

    Without a network `curves`, `layers` and `weights` are empty and `embedding` is (0, 0).
    """

    name: str
    dataset: str
    model: str
    verdict: str
    created: str
    classes: tuple[str, ...]
    positive: str | None
    n_rejected: int
    rows: NDArray[np.int64]
    truth: NDArray[np.int64]
    fold: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    scores: dict[str, Score]
    baselines: dict[str, dict[str, Score]]
    curves: tuple[FoldCurve, ...]
    n_nodes: NDArray[np.int64]
    n_edges: NDArray[np.int64]
    label_counts: dict[str, NDArray[np.int64]]
    molecules: tuple[Chem.Mol | None, ...]
    graphs: GraphDrawing | None
    smiles: tuple[str, ...]
    layers: tuple[Layer, ...]
    weights: dict[str, NDArray[np.float32]]
    embedding: NDArray[np.float32]
    recipe: str
    environment: dict[str, str]
    hashes: dict[str, str]
    audit: list[dict[str, Any]]
    seed_spread: dict[str, tuple[float, ...]]
    duplicates: str = ""
    protocol: str = ""
    tasks: tuple[TaskView, ...] = ()
    history: ParameterHistory | None = None
    profiles: tuple[str, ...] = ()
    refit: bool = True
    top_lists: tuple[TopListView, ...] = ()
    similarity: SimilarityView | None = None
    cliffs: CliffsView | None = None
    uncertainty: UncertaintyView | None = None
    ensemble: EnsembleView | None = None
    examination: ExaminationView | None = None


def known_rows(view: RunView) -> NDArray[np.bool_]:
    """Whether each row has an out-of-fold prediction, bool (R,)."""
    return np.asarray(np.isfinite(view.probabilities).all(axis=1), dtype=np.bool_)


def predicted_class(view: RunView) -> NDArray[np.int64]:
    """Class index of the highest probability, int64 (R,); -1 where there is no prediction."""
    known = known_rows(view)
    best = np.argmax(np.where(known[:, None], view.probabilities, 0.0), axis=1)
    return np.where(known, best, -1).astype(np.int64)


def truth_probability(view: RunView) -> NDArray[np.float64]:
    """Probability given to each row's own class, float64 (R,)."""
    taken: NDArray[np.float64] = view.probabilities[np.arange(len(view.truth)), view.truth]
    return taken


def wrong_rows(view: RunView) -> NDArray[np.int64]:
    """Positions of wrongly predicted rows, the least probable truth first; int64 (W,)."""
    predicted = predicted_class(view)
    wrong = np.flatnonzero((predicted != view.truth) & (predicted >= 0))
    order = np.argsort(truth_probability(view)[wrong], kind="stable")
    return wrong[order].astype(np.int64)
