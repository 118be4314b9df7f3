"""The support vector machine on subtree patterns, kept as a weight a pattern.

Trained as the baseline of the same name is, and with its answers. The patterns stand under
their hashes, so that a graph that comes later is counted in the same columns.

Symbols: G graphs, P patterns of a depth, k classes seen, M = 1 margin of two classes and else
M = k, R = 1 or k rows of the logistic map, K classes.

References
----------
Shervashidze et al. 2011, JMLR 12:2539-2561; Platt 1999 for the probabilities.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kekule.features import PackedGraphs
from kekule.features.wl_vocabulary import KnownCounts, WLVocabulary
from kekule.models.baseline import INNER_FOLDS, ROWS_FOR_INNER_FOLDS, spread_columns
from kekule.models.members.contents import Contents, storable
from kekule.models.members.links import from_margins, n_margins
from kekule.models.members.member import Material, Rows, Size, Stored, Trained
from kekule.models.members.one_task import OneTaskMember
from kekule.models.members.patterns import arrays_of_vocabulary, vocabulary_in

KIND = "WL-SVM"
LARGEST_WEIGHT = 1e12


class WLMachineMember(OneTaskMember):
    """Linear support vector machine; depth and C are chosen inside the training rows."""

    def _trained(
        self, material: Material, rows: Rows, truth: NDArray[np.int64], n_classes: int, seed: int
    ) -> Trained:
        from kekule.models.wl_svm import WLSVM, fitted

        graphs = material.graphs.take(rows)
        depth, machine, platt = fitted(WLSVM(graphs).features, truth, seed=seed)
        # Ranks of patterns among these graphs, which the features go by, are those of hashes.
        vocabulary = WLVocabulary.of(graphs, depth)
        weights = np.split(machine.coef_.T, np.cumsum(vocabulary.sizes)[:-1])
        return WLMachine(
            vocabulary=vocabulary,
            weights=tuple(np.ascontiguousarray(w, dtype=np.float64) for w in weights),
            intercept=np.asarray(machine.intercept_, dtype=np.float64),
            platt_weights=np.array(platt.coef_, dtype=np.float64, order="C"),
            platt_intercept=np.asarray(platt.intercept_, dtype=np.float64),
            classes=np.asarray(platt.classes_, dtype=np.int64),
            n_classes=n_classes,
        )

    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
        splits = 1 if size.rows > ROWS_FOR_INNER_FOLDS else INNER_FOLDS
        a_node = 2e-5 + 1.2e-10 * size.nodes
        return a_node * size.nodes * splits * n_margins(size.classes)


@dataclass(frozen=True, eq=False)
class WLMachine:
    """Trained weights.

    Attributes
    ----------
    vocabulary, weights
        Patterns of each depth that is read, and float64 (P, M) of each depth.
    intercept
        float64 (M,).
    platt_weights, platt_intercept
        float64 (R, M) and (R,), from margins to probabilities.
    classes
        int64, those that have a probability.
    n_classes
        K.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    vocabulary: WLVocabulary
    weights: tuple[NDArray[np.float64], ...]
    intercept: NDArray[np.float64]
    platt_weights: NDArray[np.float64]
    platt_intercept: NDArray[np.float64]
    classes: NDArray[np.int64]
    n_classes: int

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """See `kekule.models.members.member.Trained.probabilities`."""
        margins = self._margins(material.graphs)
        found = from_margins(margins @ self.platt_weights.T + self.platt_intercept)
        return spread_columns(found, self.classes, self.n_classes)

    def _margins(self, graphs: PackedGraphs) -> NDArray[np.float64]:
        """Signed distances, (G, M)."""
        counts = self.vocabulary.counts(graphs)
        margins = np.zeros((len(graphs), len(self.intercept)))
        for known, weights in zip(counts, self.weights, strict=True):
            for m, column in enumerate(weights.T):
                parts = known.times * column[known.column]
                margins[:, m] += np.bincount(known.graph, parts, minlength=len(graphs))
        return margins / _lengths(counts)[:, None] + self.intercept

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        arrays = {
            "intercept": self.intercept,
            "platt_weights": self.platt_weights,
            "platt_intercept": self.platt_intercept,
            **arrays_of_vocabulary(self.vocabulary),
            **{f"weights{depth}": own for depth, own in enumerate(self.weights)},
        }
        depth = len(self.weights) - 1
        return storable({"kind": KIND, "depth": depth, "classes": self.classes.tolist()}, arrays)


def _lengths(counts: list[KnownCounts]) -> NDArray[np.float64]:
    """Length of each graph's vector of counts, unknown patterns included; 1 of an empty one."""
    squares: NDArray[np.int64] = sum(c.squares for c in counts)  # type: ignore[assignment]
    return np.where(squares > 0, np.sqrt(squares), 1.0)


def restored_machine(given: Contents, n_classes: int) -> WLMachine:
    """Read what `WLMachine.stored` gave."""
    vocabulary, classes = vocabulary_in(given), given.classes(n_classes)
    intercept = given.array("intercept", np.float64, (None,))
    width, n_maps = len(intercept), n_margins(len(classes))
    if not 0 < width <= n_classes:
        raise ValueError(f"{given.what}: {width} margins of {n_classes} classes")
    platt_weights = given.array("platt_weights", np.float64, (n_maps, width))
    platt_intercept = given.array("platt_intercept", np.float64, (n_maps,))
    weights = tuple(
        given.array(f"weights{depth}", np.float64, (size, width))
        for depth, size in enumerate(vocabulary.sizes)
    )
    given.end()
    for array in (intercept, platt_weights, platt_intercept, *weights):
        if (abs(array) > LARGEST_WEIGHT).any():
            raise ValueError(f"{given.what}: a weight is larger than {LARGEST_WEIGHT:g}")
    return WLMachine(
        vocabulary, weights, intercept, platt_weights, platt_intercept, classes, n_classes
    )
