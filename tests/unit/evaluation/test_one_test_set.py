"""A single test set has an interval over its rows, and a verdict that says what it is worth."""

import numpy as np
import pytest

from kekule.data import Split
from kekule.evaluation import NETWORK, FoldInputs, FoldResult, FoldTask, read_recipe, scores_json
from kekule.evaluation.bootstrap import bootstrap_interval
from kekule.evaluation.metrics import METRICS
from kekule.evaluation.one_test_set import difference_of, has_one_test_set, interval_of

SEEDS = (0, 1)
OTHER = "majority"


def answered(rows, right, draw):
    """Answers of a model that is right on a share of the rows."""
    truth = rows % 2
    labels = np.where(draw.random(len(rows)) < right, truth, 1 - truth)
    probabilities = np.where(labels[:, None] == np.arange(2), 0.8, 0.2)
    return FoldResult(rows, labels, probabilities)


@pytest.fixture
def made(packed_mutag):
    """A hundred test rows of a single test set, answered by two models with two seeds."""

    def run(ours=0.9, theirs=0.6, seeds=SEEDS):
        draw = np.random.default_rng(0)
        fold = np.where(np.arange(188) < 100, 0, -1)
        splits = dict.fromkeys(seeds, Split("given", "a file", 1, fold))
        overrides = ["protocol.kind=given", "protocol.file=x.json", "protocol.refit=false"]
        overrides += [f"protocol.seeds={len(seeds)}", f"protocol.baselines=[{OTHER}]"]
        inputs = FoldInputs(
            packed_mutag, np.arange(188) % 2, 2, read_recipe(overrides=overrides), splits=splits
        )
        results = {
            FoldTask(model, seed, 0): answered(np.arange(100), right, draw)
            for model, right in ((NETWORK, ours), (OTHER, theirs))
            for seed in seeds
        }
        return results, inputs

    return run


def test_of_one_seed_it_is_the_interval_of_the_score_itself(made):
    results, inputs = made(seeds=(0,))
    one = results[FoldTask(NETWORK, 0, 0)]
    truth = inputs.targets[one.rows]
    expected = bootstrap_interval(METRICS["accuracy"], truth, one.labels, one.probabilities)
    found = interval_of(results, NETWORK, inputs, "accuracy")

    assert has_one_test_set(inputs)
    assert (found.low, found.high) == (expected.low, expected.high)


def test_the_interval_holds_the_mean_of_the_seeds_and_is_as_wide_as_rows_allow(made):
    results, inputs = made()
    summary = scores_json(results, inputs)["metrics"]["accuracy"]
    assert summary["low"] < summary["mean"] < summary["high"]
    assert 0.02 < summary["high"] - summary["low"] < 0.2


def test_a_lead_beyond_the_noise_of_the_rows_is_named_with_its_interval(made):
    results, inputs = made(ours=0.95, theirs=0.6)
    scores, gap = (
        scores_json(results, inputs),
        difference_of(results, NETWORK, OTHER, inputs, "accuracy"),
    )
    assert gap.low > 0
    assert "more than the noise of its rows, with these training rows" in scores["verdict"]
    assert "single test set" in scores["protocol"]["interval"]


def test_a_lead_within_the_noise_of_the_rows_names_no_winner(made):
    results, inputs = made(ours=0.8, theirs=0.79)
    verdict = scores_json(results, inputs)["verdict"]
    assert "interval over the test rows" in verdict
    assert "within noise, so nothing here separates the two" in verdict


def test_the_difference_of_two_models_turns_round_with_them(made):
    results, inputs = made()
    one = difference_of(results, NETWORK, OTHER, inputs, "accuracy")
    other = difference_of(results, OTHER, NETWORK, inputs, "accuracy")
    np.testing.assert_allclose([one.low, one.high], [-other.high, -other.low], atol=0.02)
