"""Weights of an ensemble's members: the likeliest, held back by a prior, and none for no use."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from kekule.evaluation.weighing import LEAST, mixture, weigh, weigh_tasks
from kekule.features import composition


def close(found, expected, within=1e-9):
    np.testing.assert_allclose(found, expected, rtol=0, atol=within)


def pair(p):
    return np.stack([1 - p, p], axis=-1)


@pytest.fixture(scope="module")
def out_of_fold(packed_mutag, mutag_targets):
    """Answers (3, 188, 2) of three real models for rows they were not fitted on."""
    columns = composition(packed_mutag)
    models = (
        ExtraTreesClassifier(50, random_state=0),
        LogisticRegression(max_iter=1000),
        GaussianNB(),
    )
    found = [
        cross_val_predict(m, columns, mutag_targets, cv=5, method="predict_proba") for m in models
    ]
    return np.stack(found)


def loss(answers, truth, weights):
    given = np.maximum(answers[:, np.arange(len(truth)), truth], LEAST)
    return -np.log(weights @ given).mean()


def test_weights_are_the_likeliest_under_the_prior(out_of_fold, mutag_targets):
    """Compared with a general solver of the same problem."""
    prior = 20.0
    found = weigh(out_of_fold, mutag_targets, prior=prior)
    kept = out_of_fold[found.values > 0]

    def cost(free):
        w = np.exp(free) / np.exp(free).sum()
        return loss(kept, mutag_targets, w) * len(mutag_targets) - prior * np.log(w).mean()

    free = minimize(cost, np.zeros(len(kept)), method="Nelder-Mead", options={"xatol": 1e-7}).x
    close(found.values[found.values > 0], np.exp(free) / np.exp(free).sum(), 1e-3)


def test_weights_sum_to_one_and_are_none_below_zero(out_of_fold, mutag_targets):
    values = weigh(out_of_fold, mutag_targets).values
    close(values.sum(), 1)
    assert (values >= 0).all()


def test_more_belief_in_equal_weights_brings_them_nearer(out_of_fold, mutag_targets):
    two = out_of_fold[:2]
    far = [np.ptp(weigh(two, mutag_targets, prior=p).values) for p in (1.0, 100.0, 1e6)]
    assert far[0] >= far[1] > far[2]
    assert far[2] < 1e-3


def test_the_order_of_members_does_not_matter(out_of_fold, mutag_targets):
    order = [2, 0, 1]
    ours = weigh(out_of_fold, mutag_targets)
    theirs = weigh(out_of_fold[order], mutag_targets)
    close(theirs.values, ours.values[order], 1e-5)


def test_the_order_of_rows_does_not_matter(out_of_fold, mutag_targets):
    order = np.random.default_rng(0).permutation(len(mutag_targets))
    ours = weigh(out_of_fold, mutag_targets)
    close(weigh(out_of_fold[:, order], mutag_targets[order]).values, ours.values, 1e-5)


def test_a_member_that_answers_by_chance_is_left_out(out_of_fold, mutag_targets):
    noise = pair(np.random.default_rng(0).uniform(0, 1, len(mutag_targets)))
    found = weigh(np.concatenate([out_of_fold, noise[None]]), mutag_targets)
    assert found.values[-1] == 0
    assert found.adds[-1] <= 0


def test_leaving_out_any_member_that_is_kept_costs_log_loss(out_of_fold, mutag_targets):
    found = weigh(out_of_fold, mutag_targets)
    kept = np.flatnonzero(found.values > 0)
    for one in kept if len(kept) > 1 else ():
        others = [k for k in kept if k != one]
        without = weigh(out_of_fold[others], mutag_targets)
        assert without.log_loss > found.log_loss


def test_the_log_loss_is_that_of_the_mixture(out_of_fold, mutag_targets):
    found = weigh(out_of_fold, mutag_targets)
    mixed = mixture(out_of_fold, found.values)
    close(found.log_loss, -np.log(mixed[np.arange(188), mutag_targets]).mean(), 1e-6)


def test_without_a_label_all_count_the_same(out_of_fold):
    close(weigh(out_of_fold, np.full(188, -1)).values, np.full(3, 1 / 3))


def test_rows_without_a_label_say_nothing(out_of_fold, mutag_targets):
    known = mutag_targets.copy()
    known[100:] = -1
    ours = weigh(out_of_fold, known)
    close(weigh(out_of_fold[:, :100], mutag_targets[:100]).values, ours.values)


def test_a_single_member_counts_whole(out_of_fold, mutag_targets):
    close(weigh(out_of_fold[:1], mutag_targets).values, [1.0])


def test_a_member_that_is_sure_and_wrong_once_is_no_disaster():
    sure = pair(np.full(200, 1.0))
    truth = np.ones(200, dtype=np.int64)
    truth[0] = 0
    found = weigh(np.stack([sure, pair(np.full(200, 0.6))]), truth)
    assert np.isfinite(found.log_loss)
    assert found.values[0] > 0.5


def test_each_task_has_weights_of_its_own(out_of_fold, mutag_targets):
    swapped = np.stack([out_of_fold, out_of_fold[::-1]], axis=2)
    found = weigh_tasks(swapped, np.stack([mutag_targets, mutag_targets], axis=1))
    close(found[0].values, found[1].values[::-1], 1e-5)


def test_a_mixture_of_several_tasks_mixes_each_by_its_own_weights():
    answers = np.random.default_rng(1).dirichlet([1, 1], size=(2, 5, 3))  # two members, 3 tasks
    mixed = mixture(answers, np.array([[1.0, 0.0, 0.25], [0.0, 1.0, 0.75]]))
    close(mixed[:, 0], answers[0, :, 0])
    close(mixed[:, 1], answers[1, :, 1])
    close(mixed[:, 2], 0.25 * answers[0, :, 2] + 0.75 * answers[1, :, 2])


def test_a_member_that_was_left_out_need_not_have_answered():
    answers = np.stack([pair(np.full(4, 0.7)), np.full((4, 2), np.nan)])
    close(mixture(answers, np.array([1.0, 0.0])), answers[0])
