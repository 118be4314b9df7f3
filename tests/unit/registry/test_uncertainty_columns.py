"""Columns beside the answers: one cell a row, in its place, empty where there is no answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from kekule.evaluation.conformal import Conformal
from kekule.evaluation.domain import fit_domain
from kekule.evaluation.domain_worth import DomainWorth
from kekule.evaluation.shares import share
from kekule.evaluation.uncertainty_fitting import fit_uncertainty
from kekule.evaluation.uncertainty_settings import UncertaintySettings
from kekule.registry.uncertainty_columns import uncertainty_columns

WORTH = DomainWorth(share(3, 90), share(2, 10), ())
CLASSES = ("no", "yes")


def test_a_set_lists_class_names_in_their_order_or_none():
    known = tuple(np.linspace(0, 0.8, 99) for _ in range(3))
    odd = replace(fitted(3).tasks[0], conformal=Conformal("hinge", known))
    uncertainty = replace(fitted(3), tasks=(odd,))
    given = np.array([[0.9, 0.05, 0.05], [0.4, 0.4, 0.2], [0.05, 0.5, 0.45], [0.25, 0.25, 0.25]])

    sets = asked(uncertainty, given, classes=("a", "b", "c"))["prediction_set"]
    assert sets.tolist() == ["a", "a|b", "b|c", ""]


def test_a_row_without_an_answer_has_empty_cells_and_moves_no_other():
    rng = np.random.default_rng(0)
    counts, uncertainty = rng.integers(0, 3, (9, 50)), near(rng)
    given = rng.dirichlet([1, 1], 9)
    gap = given.copy()
    gap[4] = np.nan

    whole = asked(uncertainty, given, counts, classes=CLASSES)
    holed = asked(uncertainty, gap, counts, classes=CLASSES)
    assert list(holed) == ["prediction_set", "in_domain", "similarity", "nearest_row"]
    assert [holed[name][4] for name in ("prediction_set", "in_domain", "nearest_row")] == [
        *("", None, None)
    ]
    assert np.isnan(holed["similarity"][4])
    for name, column in whole.items():
        assert len(column) == 9
        assert np.delete(holed[name], 4).tolist() == np.delete(column, 4).tolist()
    cells = pd.DataFrame(holed).to_csv(index=False).splitlines()
    assert cells[5] == ",,,"


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_nearness_is_that_of_the_domain_and_counts_may_be_of_some_rows(form):
    rng = np.random.default_rng(1)
    counts, uncertainty = rng.integers(0, 3, (9, 50)), near(rng)
    given = rng.dirichlet([1, 1], 9)
    given[[0, 5]] = np.nan
    answered = np.setdiff1d(np.arange(9), [0, 5])

    flag = uncertainty.domain.flag(counts[answered])
    whole = asked(uncertainty, given, form(counts), classes=CLASSES)
    some = asked(uncertainty, given, form(counts[answered]), counted=answered, classes=CLASSES)
    for found in (whole, some):
        assert found["in_domain"][answered].tolist() == flag.inside.tolist()
        assert found["nearest_row"][answered].tolist() == flag.nearest_row.tolist()
        np.testing.assert_array_equal(found["similarity"][answered], flag.similarity)
        assert np.isnan(found["similarity"][[0, 5]]).all()


def test_no_flag_is_raised_whose_worth_was_not_measured():
    rng = np.random.default_rng(2)
    uncertainty = near(rng)
    bare = replace(uncertainty, domain=replace(uncertainty.domain, worth=None))
    given, counts = rng.dirichlet([1, 1], 3), rng.integers(0, 3, (3, 50))

    assert list(asked(bare, given, counts, classes=CLASSES)) == [
        *("prediction_set", "similarity", "nearest_row")
    ]
    assert list(asked(bare, given, classes=CLASSES)) == ["prediction_set"]
    assert list(asked(fitted(2), given, counts, classes=CLASSES)) == ["prediction_set"]


def test_each_task_has_its_set_and_a_row_its_neighbours_once():
    rng = np.random.default_rng(3)
    tasks = {"toxic": CLASSES, "bitter": ("0", "1")}
    domain = near(rng).domain
    uncertainty = replace(fitted(2, n_tasks=2), domain=domain, similarity="ecfp")
    given = rng.dirichlet([1, 1], (6, 2))
    given[2] = np.nan

    found = asked(uncertainty, given, rng.integers(0, 3, (6, 50)), tasks=tasks)
    assert list(found) == [
        *("toxic.prediction_set", "bitter.prediction_set"),
        *("in_domain", "similarity", "nearest_row"),
    ]
    sets = uncertainty.sets(given)
    for t, (task, names) in enumerate(tasks.items()):
        wanted = ["|".join(np.array(names)[row]) for row in sets[:, t]]
        assert found[f"{task}.prediction_set"].tolist() == wanted
    assert found["nearest_row"][2] is None


@pytest.mark.parametrize("n_tasks", [1, 2])
def test_no_rows_have_columns_without_cells(n_tasks):
    uncertainty = replace(fitted(2, n_tasks=n_tasks), domain=near(np.random.default_rng(0)).domain)
    tasks = {"a": CLASSES, "b": CLASSES} if n_tasks == 2 else {}
    shape = (0, 2, 2) if tasks else (0, 2)

    found = asked(
        uncertainty, np.zeros(shape), np.zeros((0, 50), dtype=int), classes=CLASSES, tasks=tasks
    )
    assert {len(column) for column in found.values()} == {0}


def asked(uncertainty, given, counts=None, *, classes=(), tasks=None, **rest):
    return uncertainty_columns(
        uncertainty, given, counts, classes=classes, tasks=tasks or {}, **rest
    )


def fitted(n_classes, *, n_tasks=1):
    rng = np.random.default_rng(n_classes)
    given = rng.dirichlet(np.ones(n_classes), (80, n_tasks))
    truth = rng.integers(0, n_classes, (80, n_tasks))
    one = n_tasks == 1
    return fit_uncertainty(
        given[:, 0] if one else given,
        truth[:, 0] if one else truth,
        settings=UncertaintySettings(),
        n_classes=n_classes,
    )


def near(rng):
    counts = rng.integers(0, 3, (30, 50))
    domain = fit_domain(counts, rows=100 + np.arange(30), quantile=0.5).with_worth(WORTH)
    return replace(fitted(2), domain=domain, similarity="ecfp")


def test_a_bar_in_a_name_is_no_bar_between_names():
    from kekule.registry.uncertainty_columns import _joined

    told = _joined(np.array([[True, True, False], [False, False, True]]), ["a", "b", "a|b"])
    assert told.tolist() == ["a|b", r"a\|b"]
