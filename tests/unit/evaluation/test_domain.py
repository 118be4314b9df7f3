"""A domain is drawn as defined, flags only with its worth, and its worth is what happened."""

import csv
import io
import json

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from kekule.evaluation.domain import (
    Domain,
    DomainError,
    DomainWorth,
    fit_domain,
    measure_worth,
    share,
)
from kekule.features import wl_features
from kekule.features.fingerprints import fingerprints
from kekule.features.similarity import SimilarityError, nearest

WORTH = DomainWorth(share(10, 100), share(8, 20), ())


@pytest.fixture(scope="module")
def bace(data_root):
    """ECFP rows and classes of every third molecule."""
    with (data_root / "moleculenet/BACE.csv").open(encoding="utf-8", newline="") as file:
        table = [(row["smiles"], int(row["Class"])) for row in csv.DictReader(file)][::3]
    smiles, truth = zip(*table, strict=True)
    return fingerprints(smiles, ["ecfp"]).values["ecfp"], np.array(truth)


@pytest.mark.parametrize("k", [1, 3])
def test_similarity_is_the_mean_over_the_nearest_training_rows_and_names_the_first(k):
    training, queries = drawn(0, 40), drawn(1, 25)
    numbers = np.random.default_rng(2).permutation(1000)[:40]

    near = fit_domain(training, rows=numbers, k=k).closeness(queries)
    found = nearest(queries, training, k=k)
    np.testing.assert_allclose(near.similarity, found.similarity.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(near.nearest_row, numbers[found.rows[:, 0]])


@pytest.mark.parametrize("quantile", [0.0, 0.05, 0.1, 0.5])
def test_at_most_the_quantile_of_training_rows_would_be_outside_were_they_new(quantile):
    training = drawn(3, 61)
    domain = fit_domain(training, quantile=quantile)

    outside = []
    for row in range(61):
        others = np.delete(training, row, axis=0)
        near = nearest(training[[row]], others, k=3).similarity.mean(dtype=np.float64)
        outside.append(near < domain.threshold)
    assert quantile - 1 / 61 <= np.mean(outside) <= quantile


def test_a_copy_of_a_training_row_is_inside_and_a_row_that_shares_nothing_is_outside():
    training = drawn(4, 50)
    training[:3] = training[0]  # similar to itself three times over
    training[:, 19] = 0
    stranger = np.eye(20, dtype=int)[[19]] * 4

    flag = fit_domain(training).with_worth(WORTH).flag(np.vstack([training[:1], stranger]))
    assert flag.inside.tolist() == [True, False]
    assert flag.similarity.tolist() == [1, 0]
    assert flag.nearest_row[0] == 0


def test_a_similarity_equal_to_the_threshold_is_inside():
    rows = np.array([[4, 0], [4, 0], [4, 1], [4, 2]])
    domain = fit_domain(rows, k=1, quantile=0.9).with_worth(WORTH)

    assert domain.threshold == 1
    assert domain.flag(rows[:1]).inside.tolist() == [True]


def test_no_flag_without_its_worth_but_the_similarity_is_told():
    domain = fit_domain(drawn(5, 20))

    with pytest.raises(DomainError, match=r"not measured.*measure_worth"):
        domain.flag(drawn(6, 2))
    assert domain.closeness(drawn(6, 2)).similarity.shape == (2,)
    assert domain.with_worth(WORTH).flag(drawn(6, 2)).inside.shape == (2,)
    assert domain.worth is None


def test_changing_the_given_rows_afterwards_does_not_change_the_domain():
    training, queries = sparse.csr_matrix(drawn(7, 30)), drawn(8, 10)
    numbers = np.arange(30)
    domain = fit_domain(training, rows=numbers)
    before = domain.closeness(queries)

    training.data[:] = 1
    numbers[:] = -1
    np.testing.assert_array_equal(domain.closeness(queries), before)


@pytest.mark.parametrize("measure", ["min-max", "cosine"])
@pytest.mark.parametrize("measured", [False, True])
def test_written_to_one_file_without_pickle_and_read_again_it_answers_the_same(measure, measured):
    training, queries = drawn(9, 60).astype(np.uint8), drawn(10, 30)
    domain = fit_domain(training, rows=np.arange(60) * 7, k=2, measure=measure)
    if measured:
        folds = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
        right = np.random.default_rng(0).random(60) < 0.7
        domain = domain.with_worth(measure_worth(training, right, folds, k=2, measure=measure))

    file = io.BytesIO()
    np.savez(file, **domain.to_arrays())
    file.seek(0)
    restored = Domain.from_arrays(np.load(file, allow_pickle=False))
    np.testing.assert_array_equal(restored.closeness(queries), domain.closeness(queries))
    assert restored.worth == domain.worth
    assert (restored.threshold, restored.k, restored.measure) == (domain.threshold, 2, measure)
    assert restored.references.dtype == np.uint8


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": None},
        {"threshold": np.float64(np.nan)},
        {"k": np.int64(0)},
        {"k": np.int64(21)},
        {"measure": np.int64(-1)},
        {"measure": np.int64(2)},
        {"rows": np.arange(3)},
        {"shape": np.array([20, 1])},
        {"worth": np.array([[1, 2]]), "bins": np.zeros((0, 2))},
        {"worth": np.array([[3, 2], [0, 1]]), "bins": np.zeros((0, 2))},
        {"worth": np.array([[0, 2], [0, 1]]), "bins": np.zeros((1, 2))},
    ],
)
def test_arrays_that_are_no_domain_are_refused(change):
    arrays = fit_domain(drawn(11, 20)).to_arrays() | change
    arrays = {name: array for name, array in arrays.items() if array is not None}

    with pytest.raises(DomainError, match="stored state"):
        Domain.from_arrays(arrays)


def test_the_worth_is_counted_against_each_folds_own_training_rows():
    counts = drawn(12, 90)
    right = np.random.default_rng(1).random(90) < 0.6
    folds = thirds(90)

    worth = measure_worth(counts, right, folds, quantile=0.2)
    inside = np.zeros(90, dtype=bool)
    for train, test in folds:
        domain = fit_domain(counts[train], quantile=0.2).with_worth(WORTH)
        inside[test] = domain.flag(counts[test]).inside
    assert worth.inside == share(int((inside & ~right).sum()), int(inside.sum()))
    assert worth.outside == share(int((~inside & ~right).sum()), int((~inside).sum()))
    assert 0 < worth.outside.n < 90


def test_the_curve_holds_every_tested_row_once_in_bins_that_do_not_overlap():
    counts, right = drawn(13, 90), np.random.default_rng(2).random(90) < 0.6

    worth = measure_worth(counts, right, thirds(90)[:2], n_bins=4)
    assert sum(b.errors.n for b in worth.bins) == 60 == worth.inside.n + worth.outside.n
    assert sum(b.errors.hits for b in worth.bins) == worth.inside.hits + worth.outside.hits
    assert all(
        one.high < other.low for one, other in zip(worth.bins, worth.bins[1:], strict=False)
    )
    assert len(worth.bins) == 4
    assert min(b.errors.n for b in worth.bins) >= 10


def test_rows_that_are_all_alike_make_one_bin_and_a_gap_that_is_unknown():
    worth = measure_worth(np.ones((30, 4), dtype=int), np.ones(30, dtype=bool), thirds(30))

    assert [(b.low, b.high, b.errors.n) for b in worth.bins] == [(1, 1, 30)]
    assert worth.outside == (0, 0, None, None, None)
    assert worth.gap == (None, None, None)
    assert worth.separates is None
    json.dumps(worth.to_json(), allow_nan=False)


def test_a_model_that_is_wrong_on_strangers_alone_has_a_flag_that_separates():
    """Two families, four rows of strangers in each fold, all of them answered wrongly."""
    counts = np.repeat(drawn(14, 2), 60, axis=0) + (
        np.random.default_rng(3).random((120, 20)) < 0.1
    )
    stranger = np.arange(120) % 10 == 0
    counts[stranger] = np.roll(np.eye(20, dtype=int) * 9, 3, axis=1)[np.arange(12)]
    folds = [(np.flatnonzero(np.arange(120) % 3 != f), np.arange(f, 120, 3)) for f in range(3)]

    worth = measure_worth(counts, ~stranger, folds, quantile=0.15)
    assert worth.separates
    assert worth.outside.n >= 12
    assert worth.gap.low > 0.3
    assert worth.bins[0].errors.value > worth.bins[-1].errors.value == 0


def test_errors_that_have_nothing_to_do_with_similarity_seldom_separate():
    found = [
        measure_worth(
            drawn(seed, 150),
            np.random.default_rng(seed).random(150) < 0.7,
            thirds(150),
            quantile=0.2,
        ).separates
        for seed in range(40)
    ]
    assert sum(found) <= 4  # one in forty expected of each


def test_the_gap_is_that_of_newcombe_s_worked_example():
    """56 of 70 against 48 of 80: 0.2, from 0.0524 to 0.3339 (Newcombe 1998, table II, a)."""
    gap = DomainWorth(share(48, 80), share(56, 70), ()).gap

    np.testing.assert_allclose(gap, (0.2, 0.0524, 0.3339), atol=5e-5)


def test_gaps_at_the_ends_stay_within_minus_one_and_one():
    gap = DomainWorth(share(0, 20), share(10, 10), ()).gap
    assert 0 < gap.low < gap.value == gap.high == 1
    assert DomainWorth(share(20, 20), share(0, 10), ()).gap.low == -1


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_on_a_real_set_where_far_molecules_are_answered_as_well_the_flag_claims_nothing(
    bace, form
):
    """A linear model on BACE, where nearness decides little of what is answered rightly."""
    counts, truth = bace
    order = np.random.default_rng(0).permutation(len(truth))
    folds = [(np.setdiff1d(order, part), part) for part in np.array_split(order, 4)]
    right = np.zeros(len(truth), dtype=bool)
    for train, test in folds:
        model = LogisticRegression(C=0.1, solver="liblinear").fit(counts[train], truth[train])
        right[test] = model.predict(counts[test]) == truth[test]

    worth = measure_worth(form(counts), right, folds)
    assert worth.inside.n + worth.outside.n == len(truth)
    assert worth.inside.hits + worth.outside.hits == (~right).sum()
    assert 0.02 < worth.outside.n / len(truth) < 0.09
    assert worth.gap.low < 0 < worth.gap.high
    assert worth.separates is False


def test_graphs_that_are_no_molecules_have_a_domain_of_their_subtree_patterns(packed_mutag):
    rows = sparse.hstack(wl_features(packed_mutag, 2)).tocsr()
    train, test = np.arange(0, 188, 2), np.arange(1, 188, 2)

    domain = fit_domain(rows[train], rows=train)
    near = domain.closeness(rows[test])
    expected = nearest(rows[test], rows[train], k=3)
    np.testing.assert_array_equal(near.nearest_row, train[expected.rows[:, 0]])
    assert 0.5 < (near.similarity >= domain.threshold).mean() <= 1


def test_rows_that_cannot_be_measured_are_refused_with_the_reason():
    counts, right = drawn(15, 30), np.ones(30, dtype=bool)
    fold = (np.arange(20), np.arange(20, 30))

    with pytest.raises(DomainError, match="fold 2: row 5 is trained on and tested"):
        measure_worth(counts, right, [fold, (np.arange(20), np.array([5, 25]))])
    with pytest.raises(DomainError, match="row 20 is tested 2 times"):
        measure_worth(counts, right, [fold, fold])
    for nothing in ([], [(np.arange(30), np.zeros(0, dtype=int))]):
        with pytest.raises(DomainError, match="none is tested"):
            measure_worth(counts, right, nothing)
    with pytest.raises(DomainError, match=r"right: int64 \(30,\)"):
        measure_worth(counts, right.astype(np.int64), [fold])
    with pytest.raises(DomainError, match="n_bins: 0"):
        measure_worth(counts, right, [fold], n_bins=0)


def test_rows_no_domain_can_be_drawn_around_are_refused_with_the_reason():
    with pytest.raises(SimilarityError, match="k = 3: a row has 2 neighbours"):
        fit_domain(drawn(16, 3))
    for quantile in (1, -0.1, float("nan")):
        with pytest.raises(DomainError, match="quantile"):
            fit_domain(drawn(16, 10), quantile=quantile)
    with pytest.raises(DomainError, match=r"rows: shape \(9,\) for 10 rows"):
        fit_domain(drawn(16, 10), rows=np.arange(9))


def drawn(seed, n):
    """Counts in twenty columns, no two of the same similarity to a third but by chance."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 9, (n, 20)) * (rng.random((n, 20)) < 0.5)


def thirds(n):
    """Three folds of consecutive rows."""
    parts = np.array_split(np.arange(n), 3)
    return [(np.setdiff1d(np.arange(n), part), part) for part in parts]


def test_a_domain_that_was_drawn_for_the_same_rows_is_not_drawn_again(monkeypatch):
    counts, folds = drawn(0, 60), [(np.arange(40), np.arange(40, 60))]
    right = np.arange(60) % 3 > 0
    expected = measure_worth(counts, right, folds)
    known = fit_domain(counts[:40])
    monkeypatch.setattr("kekule.evaluation.domain.fit_domain", None)

    assert measure_worth(counts, right, folds, drawn=(np.arange(40), known)) == expected
