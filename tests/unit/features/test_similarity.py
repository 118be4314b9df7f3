"""Nearest rows are those of the definition, whatever the block, the type and the order."""

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from scipy import sparse

from kekule.features import wl_features
from kekule.features.fingerprints import fingerprints
from kekule.features.similarity import SimilarityError, nearest


@pytest.mark.parametrize("measure", ["min-max", "cosine"])
@pytest.mark.parametrize("most", [1, 3, 250, 3000])
@pytest.mark.parametrize("density", [0.02, 0.3])
def test_nearest_is_what_the_definition_gives_for_every_pair(measure, most, density):
    rng = np.random.default_rng(most)
    queries, references = (drawn(rng, n, 60, most, density) for n in (40, 90))

    similarity, rows = nearest(queries, references, k=4, measure=measure)
    expected = by_definition(queries, references, measure)
    order = np.argsort(-expected, axis=1, kind="stable")[:, :4]
    np.testing.assert_array_equal(similarity, np.take_along_axis(expected, order, 1))
    np.testing.assert_array_equal(rows, order)
    assert (similarity.dtype, rows.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize("measure", ["min-max", "cosine"])
@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_answer_does_not_depend_on_the_block(measure, block):
    rng = np.random.default_rng(0)
    rows = drawn(rng, 80, 20, 2, 0.2)  # many ties

    whole, parts = (
        nearest(rows, rows, k=5, measure=measure, leave_one_out=True, block=size)
        for size in (4096, block)
    )
    np.testing.assert_array_equal(parts.similarity, whole.similarity)
    np.testing.assert_array_equal(parts.rows, whole.rows)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(
    "form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array]
)
def test_the_answer_does_not_depend_on_how_counts_are_stored(dtype, form):
    rng = np.random.default_rng(1)
    queries, references = drawn(rng, 20, 50, 9, 0.1), drawn(rng, 30, 50, 9, 0.1)

    found = nearest(form(queries.astype(dtype)), form(references.astype(dtype)), k=2)
    expected = nearest(queries, references, k=2)
    np.testing.assert_array_equal(found.similarity, expected.similarity)
    np.testing.assert_array_equal(found.rows, expected.rows)


def test_reordering_columns_changes_nothing_and_reordering_references_only_their_numbers():
    rng = np.random.default_rng(2)
    queries = rng.integers(0, 1000, (15, 30))
    references = rng.integers(0, 1000, (25, 30))  # no ties
    columns, order = rng.permutation(30), rng.permutation(25)

    found = nearest(queries, references, k=3)
    moved = nearest(queries[:, columns], references[order][:, columns], k=3)
    np.testing.assert_array_equal(moved.similarity, found.similarity)
    np.testing.assert_array_equal(order[moved.rows], found.rows)


def test_min_max_of_three_molecules_worked_out_by_hand():
    ethanol, glycol, methane = [2, 1, 0], [2, 2, 0], [1, 0, 0]  # C, O, N

    found = nearest(np.array([ethanol]), np.array([methane, glycol, ethanol]), k=3)
    assert found.rows.tolist() == [[2, 1, 0]]
    np.testing.assert_allclose(found.similarity, [[1, 3 / 4, 1 / 3]], rtol=1e-7)


@pytest.mark.parametrize("measure", ["min-max", "cosine"])
def test_empty_rows_are_the_same_as_each_other_and_share_nothing_with_the_rest(measure):
    rows = np.array([[0, 0], [3, 1], [0, 0]])

    found = nearest(rows, rows, k=3, measure=measure)
    assert found.similarity.tolist() == [[1, 1, 0], [1, 0, 0], [1, 1, 0]]
    assert found.rows.tolist() == [[0, 2, 1], [1, 0, 2], [0, 2, 1]]


def test_of_equally_near_references_the_first_is_named():
    rows = np.array([[1, 0], [1, 1], [1, 0], [1, 0]], dtype=np.uint8)

    for block in (1, 2, 100):
        assert nearest(rows[:1], rows, k=3, block=block).rows.tolist() == [[0, 2, 3]]
        alone = nearest(rows, rows, leave_one_out=True, block=block)
        assert alone.rows.ravel().tolist() == [2, 0, 0, 0]


def test_a_row_left_out_is_never_its_own_neighbour_and_without_that_always_is():
    rows = np.unique(drawn(np.random.default_rng(3), 60, 40, 5, 0.3), axis=0)
    own = np.arange(len(rows))

    np.testing.assert_array_equal(nearest(rows, rows).rows[:, 0], own)
    np.testing.assert_array_equal(nearest(rows, rows).similarity, 1)
    left_out = nearest(rows, rows, k=len(rows) - 1, leave_one_out=True).rows
    assert (left_out != own[:, None]).all()
    assert (np.sort(left_out, axis=1)[:, 0] == (own == 0)).all()


def test_cosine_does_not_see_size_and_min_max_does():
    rows = np.array([[3, 1, 4], [6, 2, 8]])

    assert nearest(rows[:1], rows[1:], measure="cosine").similarity[0, 0] == 1
    assert nearest(rows[:1], rows[1:]).similarity[0, 0] == 0.5


def test_no_query_has_no_neighbour_and_is_no_error():
    found = nearest(np.zeros((0, 3), dtype=np.uint8), np.ones((4, 3), dtype=np.uint8), k=2)
    assert found.similarity.shape == found.rows.shape == (0, 2)


def test_sums_beyond_what_float32_holds_are_still_exact():
    found = nearest(np.array([[1]]), np.array([[17_000_000]]))
    assert found.similarity[0, 0] == np.float32(1 / 17_000_000)


def test_what_is_given_is_left_as_it_was():
    given = sparse.csr_matrix((np.array([1, 2, 0]), np.array([1, 1, 0]), [0, 3]), shape=(1, 2))

    nearest(given, given)
    assert given.data.tolist() == [1, 2, 0]
    assert given.indices.tolist() == [1, 1, 0]


def test_counts_of_real_molecules_are_as_alike_as_rdkit_finds_them(smiles_of):
    smiles = smiles_of("moleculenet/BACE.csv")[:60]
    table = fingerprints(smiles, ["ecfp"]).values["ecfp"]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    mols = [Chem.MolFromSmiles(s) for s in smiles]
    counts = [generator.GetCountFingerprint(mol) for mol in mols]
    bits = [generator.GetFingerprint(mol) for mol in mols]

    for rows, theirs in ((table, counts), (table > 0, bits)):
        expected = np.array([DataStructs.BulkTanimotoSimilarity(x, theirs) for x in theirs])
        found = nearest(rows, rows, k=5)
        order = np.argsort(-expected.astype(np.float32), axis=1, kind="stable")[:, :5]
        np.testing.assert_array_equal(found.rows, order)
        np.testing.assert_allclose(
            found.similarity, np.take_along_axis(expected, order, 1), rtol=1e-6
        )


def test_subtree_patterns_of_real_graphs_are_rows_like_any_other(packed_mutag):
    rounds = wl_features(packed_mutag, 3)
    rows = sparse.hstack(rounds).tocsr()

    found = nearest(rows, rows, k=3, leave_one_out=True)
    expected = by_definition(rows.toarray(), rows.toarray(), "min-max")
    np.fill_diagonal(expected, -1)
    np.testing.assert_array_equal(found.similarity, -np.sort(-expected, axis=1)[:, :3])


@pytest.mark.parametrize(
    ("queries", "references", "settings", "message"),
    [
        ([[1, -2]], [[1, 1]], {}, r"queries, row 0: -2 in column 1 is no count"),
        ([[1.0, 2]], [[1, 1], [0.5, 1]], {}, r"references, row 1: 0\.5 in column 0"),
        ([[1, np.nan]], [[1, 1]], {}, r"nan in column 1"),
        ([[1, np.inf]], [[1, 1]], {}, r"inf in column 1"),
        ([1, 2], [[1, 1]], {}, r"shape \(2,\)"),
        ([["C", "O"]], [[1, 1]], {}, r"no type of counts"),
        ([[1]], [[1, 1]], {}, r"1 columns against 2"),
        ([[1, 1]], [[1, 1]], {"k": 2}, r"k = 2: a row has 1 neighbours"),
        ([[1, 1]], [[1, 1]], {"k": 0}, r"k = 0"),
        ([[1, 1]], [[1, 1]], {"leave_one_out": True}, r"a row has 0 neighbours"),
        ([[1, 1]], [[1, 1], [1, 2]], {"leave_one_out": True}, r"1 queries are not the 2"),
        ([[1, 1]], [[1, 1]], {"measure": "dice"}, r"measure 'dice'.*min-max"),
        ([[1, 1]], [[1, 1]], {"block": 0}, r"block: 0"),
        ([[1, 2**40]], [[1, 1]], {}, r"at most .* can be spread"),
        ([[1, 2**40]], [[1, 1]], {"measure": "cosine"}, r"too much to add exactly"),
    ],
)
def test_rows_that_have_no_similarity_are_refused_with_the_reason(
    queries, references, settings, message
):
    with pytest.raises(SimilarityError, match=message):
        nearest(np.array(queries), np.array(references), **settings)


def drawn(rng, n, width, most, density):
    """Random counts, mostly zero, with an empty row among them."""
    rows = rng.integers(1, most + 1, (n, width)) * (rng.random((n, width)) < density)
    rows[n // 2] = 0
    return rows


def by_definition(queries, references, measure):
    """Similarity of all pairs from the formula, in float64 and then rounded."""
    x, y = queries[:, None, :].astype(np.float64), references[None].astype(np.float64)
    if measure == "min-max":
        shared, whole = np.minimum(x, y).sum(2), np.maximum(x, y).sum(2)
    else:
        shared = (x * y).sum(2)
        whole = np.sqrt((x**2).sum(2) * (y**2).sum(2))
    both_empty = (x.sum(2) == 0) & (y.sum(2) == 0)
    alike = np.where(both_empty, 1, shared / np.where(whole == 0, 1, whole))
    return alike.astype(np.float32)
