"""Boosted trees on subtree patterns, sizes and compositions, after their training and before.

Trained as the baseline WL-LightGBM is, and with its answers: one set of trees for patterns of
each depth, their answers averaged. Of the patterns only those that some tree asks for are kept.

Symbols: G graphs, A columns of composition and size, P patterns of a depth, k classes seen, K
classes.

References
----------
Shervashidze et al. 2011, JMLR 12:2539-2561, for the patterns; Ke et al. 2017, NeurIPS 30.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kekule.features import GraphSchema, PackedGraphs
from kekule.features.wl_vocabulary import WLVocabulary
from kekule.models.baseline import spread_columns
from kekule.models.members.columns import pieces_of
from kekule.models.members.contents import Contents, prefixed, storable
from kekule.models.members.grown import trees_of_booster
from kekule.models.members.links import n_margins
from kekule.models.members.member import Material, Rows, Size, Stored, Trained
from kekule.models.members.one_task import OneTaskMember
from kekule.models.members.patterns import arrays_of_vocabulary, vocabulary_in
from kekule.models.members.trees import Trees
from kekule.models.wl_lightgbm import (
    DEPTHS,
    WLLightGBM,
    boosted_on,
    common_columns,
    plain_columns,
)

KIND = "WL-LightGBM"
MOST_MODELS = 100


class WLTreesMember(OneTaskMember):
    """LightGBM on what a graph is made of, its size, and subtree patterns of depth 0 to 4."""

    def _trained(
        self, material: Material, rows: Rows, truth: NDArray[np.int64], n_classes: int, seed: int
    ) -> Trained:
        graphs = material.graphs.take(rows)
        trees: list[Trees] = []
        for features in WLLightGBM(graphs).features:
            columns = common_columns(features)
            model = boosted_on(features[:, columns], truth, seed=seed)
            trees.append(_renumbered(trees_of_booster(model.booster), columns))
        # Ranks of patterns among these graphs, which the features go by, are those of hashes.
        vocabulary = WLVocabulary.of(graphs, max(DEPTHS))
        n_plain = plain_columns(graphs).shape[1]
        vocabulary, trees = _asked_for(vocabulary, trees, n_plain)
        return WLTrees(vocabulary, tuple(trees), n_plain, np.unique(truth), n_classes)

    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
        return n_margins(size.classes) * (0.1 + 1e-3 * size.rows + 4e-5 * size.nodes)


@dataclass(frozen=True, eq=False)
class WLTrees:
    """Trained trees.

    Attributes
    ----------
    vocabulary
        Patterns of each depth that some tree asks for: columns A, A + 1, ... of all trees.
    trees
        Their probabilities are averaged.
    n_plain
        A.
    classes
        int64 (k,), those seen in training.
    n_classes
        K.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    vocabulary: WLVocabulary
    trees: tuple[Trees, ...]
    n_plain: int
    classes: NDArray[np.int64]
    n_classes: int

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """See `kekule.models.members.member.Trained.probabilities`."""
        graphs = material.graphs
        found = np.zeros((len(graphs), len(self.classes)))
        for rows in pieces_of(len(graphs)):
            features = self._features(graphs.take(np.arange(rows.start, rows.stop)))
            found[rows] = np.mean([t.probabilities(features) for t in self.trees], axis=0)
        return spread_columns(found, self.classes, self.n_classes)

    def _features(self, graphs: PackedGraphs) -> NDArray[np.float32]:
        plain = plain_columns(graphs)
        if plain.shape[1] != self.n_plain:
            raise ValueError(
                f"graphs have {plain.shape[1]} plain columns; the member knows {self.n_plain}"
            )
        sizes = self.vocabulary.sizes
        features = np.zeros((len(graphs), self.n_plain + sum(sizes)), dtype=np.float32)
        features[:, : self.n_plain] = plain
        first = self.n_plain
        for known, size in zip(self.vocabulary.counts(graphs), sizes, strict=True):
            features[known.graph, first + known.column] = known.times
            first += size
        return features

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        arrays = arrays_of_vocabulary(self.vocabulary)
        for k, trees in enumerate(self.trees):
            arrays |= prefixed(f"trees{k}.", trees.arrays())
        told = {
            "kind": KIND,
            "depth": len(self.vocabulary.patterns) - 1,
            "models": len(self.trees),
            "plain": self.n_plain,
            "classes": self.classes.tolist(),
        }
        return storable(told, arrays)


def restored_wl_trees(given: Contents, schema: GraphSchema, n_classes: int) -> WLTrees:
    """Read what `WLTrees.stored` gave."""
    vocabulary, n_models = vocabulary_in(given), given.whole("models", 1, MOST_MODELS)
    classes, n_plain = given.classes(n_classes), plain_columns(_no_graphs(schema)).shape[1]
    given.whole("plain", n_plain, n_plain)
    n_columns = n_plain + sum(vocabulary.sizes)
    trees = tuple(
        Trees.from_arrays(
            given.under(f"trees{k}."), n_columns=n_columns, n_classes=len(classes), link="sum"
        )
        for k in range(n_models)
    )
    given.end()
    return WLTrees(vocabulary, trees, n_plain, classes, n_classes)


def _renumbered(trees: Trees, places: Rows) -> Trees:
    """Trees that ask for ``places[c]`` where they asked for column c."""
    feature = np.where(trees.feature < 0, -1, places[trees.feature])
    return replace(trees, feature=feature.astype(np.int32))


def _asked_for(
    vocabulary: WLVocabulary, trees: list[Trees], n_plain: int
) -> tuple[WLVocabulary, list[Trees]]:
    """Leave out patterns that no tree asks for."""
    asked = np.unique(np.concatenate([t.feature for t in trees]))
    kept = np.union1d(np.arange(n_plain), asked[asked >= 0])
    places = np.zeros(n_plain + sum(vocabulary.sizes), dtype=np.int64)
    places[kept] = np.arange(len(kept))
    ends = np.cumsum(vocabulary.sizes) + n_plain
    patterns = tuple(
        own[kept[(kept >= end - len(own)) & (kept < end)] - (end - len(own))]
        for own, end in zip(vocabulary.patterns, ends, strict=True)
    )
    return WLVocabulary(patterns), [_renumbered(t, places) for t in trees]


def _no_graphs(schema: GraphSchema) -> PackedGraphs:
    none = np.zeros(1, dtype=np.int64)
    codes = schema.code_dtype
    return PackedGraphs(
        schema=schema,
        node_pointer=none,
        edge_pointer=none,
        edge_index=np.zeros((2, 0), dtype=np.int32),
        nodes=np.zeros((0, len(schema.nodes)), dtype=codes),
        edges=np.zeros((0, len(schema.edges)), dtype=codes),
        node_attributes=np.zeros((0, schema.n_node_attributes), dtype=np.float32),
        edge_attributes=np.zeros((0, schema.n_edge_attributes), dtype=np.float32),
    )
