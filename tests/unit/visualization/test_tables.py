from dataclasses import replace

import numpy as np
import pytest

from kekule.evaluation.comparison import INTERVAL as STATED_INTERVAL
from kekule.evaluation.comparison import verdict
from kekule.visualization.run_view import predicted_class, truth_probability, wrong_rows
from kekule.visualization.tables import (
    INTERVAL,
    MOST_ROWS,
    class_facts,
    headlines,
    row_lines,
    score_rows,
    winner,
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gin wins: 0.90 against 0.80 of WL-SVM, more than noise.", "gin"),
        ("gin beats WL-SVM by 0.05.", "gin"),
        ("WL-SVM is better than gin.", "WL-SVM"),
        ("It beats the best baseline, WL-SVM (80.0%), by 5 points: more than noise.", "gin"),
        ("The baseline structure-free (80.0%) beats it by 5 points.", "structure-free"),
        ("gin beats WL-SVM, but by not more than noise.", None),
        ("gin beats WL-SVM by 0.01, within noise.", None),
        ("gin is not distinguishable from WL-SVM.", None),
        ("begin beats nothing", None),
        ("", None),
    ],
)
def test_a_winner_is_whom_the_verdict_names_and_noise_takes_it_back(mutag, words, expected):
    assert winner(replace(mutag, verdict=words)) == expected


@pytest.mark.parametrize(("shift", "expected"), [(0.2, "gin"), (-0.2, "WL-SVM"), (0.0, None)])
def test_the_verdict_of_the_evaluation_is_understood(mutag, shift, expected):
    rng = np.random.default_rng(0)
    theirs = rng.normal(0.7, 0.02, 10)
    ours = theirs + shift + rng.normal(0, 0.02, 10)
    words = verdict("gin", ours.tolist(), {"WL-SVM": theirs.tolist()}, 10)
    assert winner(replace(mutag, verdict=words)) == expected


def test_the_interval_is_named_as_the_evaluation_names_it():
    assert INTERVAL == STATED_INTERVAL


def test_nothing_is_highlighted_without_a_winner(mutag):
    assert [row.best for row in score_rows(mutag)] == [frozenset()] * 4


def test_only_the_winner_is_highlighted_and_only_where_it_is_best(enzymes):
    rows = {row.name: row for row in score_rows(enzymes)}
    assert rows["gcn"].is_model
    assert [name for name, row in rows.items() if row.best] == ["WL-SVM"]
    for metric in rows["WL-SVM"].best:
        sign = -1 if metric in {"log_loss", "brier", "ece"} else 1
        means = [sign * row.scores[metric].mean for row in rows.values()]
        assert np.nanmax(means) == sign * rows["WL-SVM"].scores[metric].mean


def test_a_headline_names_the_best_baseline_of_its_own_metric(mutag):
    for line in headlines(mutag):
        means = {name: scores[line.metric].mean for name, scores in mutag.baselines.items()}
        assert line.rival == max(means, key=means.get)
    assert headlines(replace(mutag, baselines={}))[0].rival == ""


def test_every_row_has_a_line_in_order_with_the_row_number_of_the_source(mutag):
    lines = row_lines(mutag)
    assert [line.row for line in lines] == mutag.rows.tolist()
    assert [line.probability for line in lines] == mutag.probabilities[:, 1].tolist()
    assert [line.wrong for line in lines] == (predicted_class(mutag) != mutag.truth).tolist()


def test_the_probability_of_many_classes_is_that_of_the_predicted_one(enzymes):
    assert [line.probability for line in row_lines(enzymes)] == enzymes.probabilities.max(
        axis=1
    ).tolist()


def test_beyond_three_thousand_rows_only_the_wrong_ones_are_listed(mutag):
    n = MOST_ROWS + 200
    times = -(-n // len(mutag.rows))
    long = replace(
        mutag,
        rows=np.arange(n),
        truth=np.tile(mutag.truth, times)[:n],
        fold=np.tile(mutag.fold, times)[:n],
        probabilities=np.tile(mutag.probabilities, (times, 1))[:n],
        n_nodes=np.tile(mutag.n_nodes, times)[:n],
        smiles=(mutag.smiles * times)[:n],
    )
    lines = row_lines(long)
    assert len(lines) == len(wrong_rows(long)) > 0
    assert all(line.wrong for line in lines)


def test_the_worst_mistake_comes_first_and_right_rows_never(mutag):
    wrong = wrong_rows(mutag)
    chance = truth_probability(mutag)
    assert np.all(np.diff(chance[wrong]) >= 0)
    assert set(wrong) == set(np.flatnonzero(predicted_class(mutag) != mutag.truth))


def test_a_row_without_a_prediction_is_neither_wrong_nor_given_a_probability(mutag):
    probabilities = mutag.probabilities.copy()
    probabilities[3] = np.nan
    line = row_lines(replace(mutag, probabilities=probabilities))[3]
    assert (line.predicted, line.wrong) == ("", False)
    assert np.isnan(line.probability)


def test_facts_of_a_class_without_rows_are_zero_rows(mutag):
    facts = class_facts(replace(mutag, classes=("-1", "1", "absent")))
    assert [f.n_rows for f in facts] == [63, 125, 0]
    assert np.isnan(facts[2].median_nodes)
