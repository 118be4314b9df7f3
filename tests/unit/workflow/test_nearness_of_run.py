"""Similarities, cliffs and tops of lists of a run are those of its own folds and rows."""

import json

import numpy as np
import pandas as pd
import pytest

from kekule._errors import OutputError
from kekule.data import find_set, read_molecules
from kekule.data.standardisation import StandardisationPolicy
from kekule.evaluation.error_by_similarity import N_BINS
from kekule.workflow import nearness_of_run as module
from kekule.workflow.graph_set import GraphSet
from kekule.workflow.molecule_set import molecule_set
from kekule.workflow.nearness_of_run import RunRows, nearness_of_run, top_lists_of_run
from kekule.workflow.reporting import view_of
from kekule.workflow.run_reading import EXAMINATION, told_besides

# Stereoisomers of two classes, a homologue of each, and rows unlike all.
SMILES = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC[C@H](N)C(=O)O", "c1ccccc1", "c1ccncc1", "CCO"]


def run_rows(truth, fold, probabilities, classes=("no", "yes")):
    n = len(truth)
    return RunRows(
        np.arange(n), np.asarray(fold), np.asarray(truth), np.asarray(probabilities), classes
    )


@pytest.fixture
def molecules(tmp_path):
    pd.DataFrame({"smiles": SMILES, "y": [0, 1, 0, 0, 1, 1]}).to_csv(tmp_path / "t.csv")
    table = read_molecules(tmp_path / "t.csv", smiles="smiles", targets=("y",))
    return molecule_set(table, StandardisationPolicy(), cache=tmp_path / "cache")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KEKULE_CACHE", str(tmp_path / "cache"))


def test_a_twin_in_the_same_fold_is_no_training_row_and_a_twin_elsewhere_is(molecules):
    truth, given = [0, 1, 0, 0, 1, 1], np.full((6, 2), 0.5)
    apart, _ = nearness_of_run(molecules, run_rows(truth, [1, 2, 2, 1, 2, 2], given))
    together, _ = nearness_of_run(molecules, run_rows(truth, [1, 1, 2, 1, 2, 2], given))

    assert apart.similarity[0] == 1
    assert 0 < together.similarity[0] < 1
    assert sum(b.errors.n for b in apart.bins) == apart.n_tested == 6
    assert "ECFP4" in apart.measure


def test_stereoisomers_of_two_classes_are_the_worst_cliff_and_are_drawn_with_their_rows(molecules):
    given = np.array([[0.2, 0.8], [0.8, 0.2], *[[0.5, 0.5]] * 4])
    _, cliffs = nearness_of_run(molecules, run_rows([0, 1, 0, 0, 1, 1], [1, 2] * 3, given))
    pair = cliffs.pairs[0]

    assert pair.similarity == 1
    assert (pair.first.row, pair.first.truth, pair.first.predicted) == (0, "no", "yes")
    assert (pair.second.row, pair.second.truth, pair.second.predicted) == (1, "yes", "no")
    assert pair.first.chance == pytest.approx(0.2)
    assert pair.first.molecule.GetNumAtoms() == 6
    assert (cliffs.on.hits, cliffs.on.n) == (2, 2)
    assert cliffs.off.n == 4


def test_a_row_that_no_fold_tests_is_a_partner_without_an_answer(molecules):
    given = np.full((6, 2), np.nan)
    given[0] = [0.1, 0.9]
    _, cliffs = nearness_of_run(molecules, run_rows([0, 1, 0, 0, 1, 1], [1, 0, 0, 0, 0, 0], given))
    pair = cliffs.pairs[0]

    assert cliffs.n_looked_at == 1
    assert pair.first.wrong
    assert pair.second.predicted == ""
    assert np.isnan(pair.second.chance)


def test_of_several_tasks_only_similarities_are_told(molecules):
    rows = run_rows([-1] * 6, [1, 2] * 3, np.zeros((6, 0)), classes=())
    similarity, cliffs = nearness_of_run(molecules, rows)
    assert len(similarity.similarity) == 6
    assert similarity.bins == ()
    assert cliffs is None


@pytest.mark.parametrize("fold", [[0] * 6, [1] * 6])
def test_without_rows_on_both_sides_nothing_is_told_and_nothing_breaks(molecules, fold):
    rows = run_rows([0, 1, 0, 0, 1, 1], fold, np.full((6, 2), 0.5))
    assert nearness_of_run(molecules, rows) == (None, None)


def test_of_many_rows_an_even_sample_is_asked_about_against_all_others(monkeypatch):
    origin, n = GraphSet(find_set("MUTAG")), 188
    truth = np.unique(origin.targets(), return_inverse=True)[1]
    rng = np.random.default_rng(0)
    given = rng.dirichlet([1, 1], n)
    rows = run_rows(truth, np.arange(n) % 5 + 1, given)
    whole, cliffs = nearness_of_run(origin, rows)
    monkeypatch.setattr(module, "MOST_COMPARED", n * 50)
    some, fewer = nearness_of_run(origin, rows)

    assert whole.n_tested == some.n_tested == n
    np.testing.assert_array_equal(some.similarity, whole.similarity[::4])
    assert len(whole.bins) <= N_BINS
    assert (cliffs.n_looked_at, fewer.n_looked_at) == (188, 47)
    assert "Weisfeiler" in whole.measure


def test_tops_of_lists_are_compared_between_all_seeds_on_rows_that_all_tested():
    rng = np.random.default_rng(0)
    scores = rng.random(100)
    table = pd.DataFrame({"probability": scores, "seed1.probability": scores})
    table["seed7.probability"] = np.where(np.arange(100) < 20, np.nan, scores)
    (same,) = top_lists_of_run(table, (0, 1), "probability", (10,))
    (fewer,) = top_lists_of_run(table, (0, 1, 7), "probability", (10,))

    assert (same.k, same.n, same.in_every) == (10, 100, 1)
    assert (fewer.k, fewer.n, fewer.in_every) == (8, 80, 1)
    assert top_lists_of_run(table, (0,), "probability", (10,)) == ()
    assert top_lists_of_run(table, (0, 3), "probability", (10,)) == ()
    assert top_lists_of_run(table.iloc[:30], (0, 1), "probability", (10,)) == ()


def test_a_finished_run_shows_how_near_its_rows_were(finished_run):
    view = view_of(finished_run.path)
    assert len(view.similarity.similarity) == len(view.rows)
    assert view.uncertainty is not None
    assert view.examination is view.ensemble is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"ladder": 3}',
        '{"ladder": [{"split": "random"}]}',
        '{"scrambled": {"primary": 1}}',
    ],
)
def test_a_damaged_examination_is_one_line_that_names_the_file(tmp_path, text):
    (tmp_path / EXAMINATION).write_text(text)
    scores = {"classes": ["a", "b"], "metrics": {}, "primary": "accuracy"}
    with pytest.raises(OutputError, match=r"examination\.json") as caught:
        told_besides(tmp_path, scores)
    assert "\n" not in str(caught.value)


def test_a_damaged_part_of_the_scores_is_named(tmp_path):
    scores = {"classes": ["a", "b"], "metrics": {}, "primary": "accuracy"}
    assert told_besides(tmp_path, scores) == {}
    with pytest.raises(OutputError, match=r"scores\.json, ensemble: KeyError\('members'\)"):
        told_besides(tmp_path, scores | {"ensemble": {"plan": {}}})
    with pytest.raises(OutputError, match=r"scores\.json, uncertainty"):
        told_besides(tmp_path, scores | {"uncertainty": {"calibration": {"setting": "auto"}}})


def test_an_examination_is_shown_by_the_metric_of_the_run_unless_it_names_its_own(tmp_path):
    scores = {"classes": ["a", "b"], "metrics": {}, "primary": "roc_auc"}
    scrambled = {"primary": {"mean": 0.5, "low": 0.4, "high": 0.6}, "chance": 0.5}
    for given, expected in (({}, "roc_auc"), ({"metric": "brier"}, "brier")):
        (tmp_path / EXAMINATION).write_text(json.dumps({"scrambled": scrambled, **given}))
        assert told_besides(tmp_path, scores)["examination"].metric == expected
