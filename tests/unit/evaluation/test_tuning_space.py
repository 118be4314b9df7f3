"""A search space: what may vary, read from what people write, and refused before any training."""

import numpy as np
import pytest

from kekule._errors import RecipeError
from kekule.evaluation import read_recipe
from kekule.evaluation.grid import FIXED
from kekule.evaluation.nested import recipe_at
from kekule.evaluation.tuning_space import (
    Choice,
    Span,
    combination_of,
    default_space,
    distributions_of,
    own_values,
    read_space,
    space_json,
    space_sha256,
)
from kekule.models import NETWORKS

optuna = pytest.importorskip("optuna", reason="the tune extra is not installed")


def drawn(space, seed):
    """A combination at random, as a study draws it."""
    sampler = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.create_study(sampler=sampler)
    return combination_of(space, study.ask(distributions_of(space)).params)


@pytest.fixture
def gin():
    return read_recipe(None, ["model=gin"])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_default_space_of_a_network_holds_its_own_settings_and_draws_only_what_fits(name):
    recipe = read_recipe(None, [f"model={name}"])
    space = default_space(recipe)
    own = own_values(space, recipe)

    assert {"model.hidden", "model.layers", "train.learning_rate"} <= set(space)
    assert recipe_at(recipe, own) == recipe
    for seed in range(20):
        combination = drawn(space, seed)
        assert recipe_at(recipe, combination).sha256  # or it would not be a recipe
        assert combination.keys() == space.keys()


@pytest.mark.parametrize(
    "override",
    ["train.learning_rate=0.3", "model.layers=1", "model.hidden=7", "model.readout=attention"],
)
def test_the_default_space_stretches_to_what_the_recipe_says(override):
    recipe = read_recipe(None, [override])
    assert recipe_at(recipe, own_values(default_space(recipe), recipe)) == recipe


def test_a_setting_outside_of_the_space_leaves_no_first_trial(gin):
    assert own_values({"model.hidden": Choice((32, 128))}, gin) is None
    assert own_values({"train.learning_rate": Span(0.01, 0.1)}, gin) is None
    assert own_values({"model.layers": Span(1, 7, step=2)}, gin) is None  # it has 4
    assert own_values({"model.layers": Span(2, 6, step=2)}, gin) == {"model.layers": 4}


def test_a_file_and_what_it_holds_give_one_space_however_its_keys_are_written(gin, tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(
        "train.learning_rate: {low: 1e-4, high: 1e-2, log: true}\n"
        "model:\n  hidden: [32, 64, 128]\n  layers: {low: 2, high: 6}\n"
        "  dropout: {low: 0, high: 0.6, step: 0.2}\n"
    )
    space = read_space(path, gin)

    assert space == {
        "train.learning_rate": Span(1e-4, 1e-2, log=True),
        "model.hidden": Choice((32, 64, 128)),
        "model.layers": Span(2, 6),
        "model.dropout": Span(0.0, 0.6, step=0.2),
    }
    assert isinstance(space["model.layers"].low, int)
    assert isinstance(space["model.dropout"].low, float)
    assert read_space(space_json(space), gin) == space


def test_the_hash_follows_the_values_and_not_the_order_of_the_keys(gin):
    one = read_space({"model.hidden": [32, 64], "model.layers": {"low": 0 + 2, "high": 4}}, gin)
    turned = dict(reversed(one.items()))
    other = one | {"model.hidden": Choice((64, 32))}

    assert space_sha256(one) == space_sha256(turned)
    assert len({space_sha256(space) for space in (one, other, {})}) == 3


@pytest.mark.parametrize("seed", range(50))
def test_a_drawn_number_has_three_digits_and_stays_in_its_span(seed):
    rng = np.random.default_rng(seed)
    low = float(rng.uniform(1e-6, 1))
    span = Span(low, low * float(rng.uniform(1.0001, 10)), log=bool(seed % 2))
    value = rng.uniform(span.low, span.high)
    tidy = combination_of({"x": span, "k": Span(1, 9)}, {"x": value, "k": 7})

    assert span.low <= tidy["x"] <= span.high
    assert abs(tidy["x"] - value) <= 0.005 * value
    assert tidy["x"] in (span.low, span.high, float(f"{tidy['x']:.3g}"))
    assert tidy["k"] == 7


def test_what_is_drawn_lies_on_the_steps():
    space = {"model.dropout": Span(0.1, 0.5, step=0.2), "model.layers": Span(2, 8, step=3)}
    found = [drawn(space, seed) for seed in range(30)]

    assert {one["model.dropout"] for one in found} == {0.1, 0.3, 0.5}
    assert {one["model.layers"] for one in found} == {2, 5, 8}


@pytest.mark.parametrize("key", FIXED)
def test_what_a_grid_must_not_vary_a_space_must_not_either(key, gin):
    with pytest.raises(RecipeError, match="it is the same for every combination"):
        read_space({key: [1, 2]}, gin)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model.hiden": [32, 64]}, "space: model.hiden: there is no such key to search. Did you"),
        ({"seed": [1, 2]}, "space: seed: there is no such key"),
        ({"model.hidden": [32, "wide"]}, "space: model.hidden: model.hidden 'wide'"),
        ({"model.hidden": [32, 0]}, "space: model.hidden: model.hidden 0"),
        ({"model.hidden": [32, 32]}, "names a value twice"),
        ({"model.hidden": [32]}, "leaves nothing to choose"),
        ({"model.hidden": 32}, "32 is one value"),
        ({"model.hidden": []}, "leaves nothing to choose"),
        ({"model.hidden": [[32], [64]]}, "[32] is no value"),
        ({"model.layers": {"low": 2}}, "lacks high"),
        ({"model.layers": {"low": 2, "high": 2}}, "from 2 to 2 does not rise"),
        ({"model.layers": {"low": 4, "high": 2}}, "from 4 to 2 does not rise"),
        ({"model.layers": {"low": 2, "high": 900}}, "model.layers 900"),
        ({"model.layers": {"low": 2, "hihg": 4}}, "'hihg' is no word of a span"),
        ({"model.layers": {"low": 2, "high": 6, "step": 3}}, "do not lead to 6"),
        ({"model.layers": {"low": 2, "high": 6, "step": 0.5}}, "no whole number above 0"),
        ({"model.dropout": {"low": 0, "high": 0.5, "step": -1}}, "no number above 0"),
        ({"model.dropout": {"low": 0, "high": 0.5, "log": True}}, "starts above 0"),
        ({"model.dropout": {"low": 0, "high": 0.5, "log": "yes, do"}}, "neither true nor false"),
        ({"model.readout": {"low": "sum", "high": "mean"}}, "'sum' is no number"),
        ({"model.residual": {"low": False, "high": True}}, "False is no number"),
        ({}, "it names no key"),
    ],
)
def test_a_space_that_cannot_be_is_refused_by_name(given, said, gin):
    with pytest.raises(RecipeError) as caught:
        read_space(given, gin)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_is_tried_beside_the_recipes_own():
    recipe = read_recipe(None, ["model=gatv2", "model.heads=4"])
    with pytest.raises(RecipeError, match=r"model\.hidden 30"):
        read_space({"model.hidden": [32, 30]}, recipe)


def test_an_error_names_the_file(gin, tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("model.hidden: [32, 0]\n")
    with pytest.raises(RecipeError, match=r"space\.yaml: model\.hidden: "):
        read_space(path, gin)
    with pytest.raises(RecipeError, match="cannot be read"):
        read_space(tmp_path / "none.yaml", gin)
