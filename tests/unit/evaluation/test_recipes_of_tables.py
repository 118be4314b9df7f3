"""Recipes of a table: short forms, defaults that suit molecules, and mistakes named."""

import pytest

from kekule._errors import RecipeError
from kekule.data import SPLITS
from kekule.evaluation import Recipe, read_recipe
from kekule.features import DESCRIPTORS

TABLE = "data=assay.csv"


def test_the_short_form_of_a_table_is_its_long_form():
    table = [TABLE, "model=gin"]
    short = read_recipe(None, [*table, "smiles=SMILES", "target=active", "id=CID", "weight=w"])
    long = read_recipe(
        None,
        [*table, "data.smiles=SMILES", "data.target=active", "data.id=CID", "data.weight=w"],
    )

    assert short == long
    assert short.data.target == "active"
    assert read_recipe_from(short) == short


@pytest.mark.parametrize(
    "source", ["a.csv", "a.CSV", "x/a.csv.gz", "a.sdf", "a.parquet", "a.smi", "[a.csv, b.csv]"]
)
def test_molecules_are_split_by_scaffold_in_five_folds_unless_told(source):
    recipe = read_recipe(None, [f"data={source}", "target=y"])
    told = read_recipe(
        None, [f"data={source}", "target=y", "protocol.split=random", "protocol.folds=7"]
    )

    assert recipe.is_table
    assert (recipe.protocol.split, recipe.protocol.folds) == ("scaffold", 5)
    assert (told.protocol.split, told.protocol.folds) == ("random", 7)
    assert read_recipe_from(told) == told


@pytest.mark.parametrize("source", ["MUTAG", "data/raw/NCI1", "./sets/x", "x.y/z"])
def test_a_graph_set_keeps_its_stratified_folds(source):
    recipe = read_recipe(None, [f"data={source}"])

    assert not recipe.is_table
    assert (recipe.protocol.split, recipe.protocol.folds) == ("random", 10)


def test_several_files_stay_several():
    assert read_recipe(None, ["data=[a.csv, b.csv]"]).data.source == ("a.csv", "b.csv")


@pytest.mark.parametrize("target", ["NO", "0123", "NR-AR", "1"])
def test_the_name_of_a_column_is_taken_as_typed(target):
    assert read_recipe(None, [TABLE, f"target={target}"]).data.target == target


def test_a_policy_is_named_by_a_word_or_by_its_keys():
    word = read_recipe(None, [TABLE, "target=y", "standardise=as-given"]).standardise
    keys = read_recipe(None, [TABLE, "target=y", "standardise.neutralise=false"]).standardise

    assert word.fragment == "keep"
    assert not word.neutralise
    assert keys.fragment == "largest-organic"
    assert not keys.neutralise
    assert keys.name != "parent"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["standardise=parnet"], r"standardise.*parent"),
        (["standardise.neutralize=true"], r"neutrali[sz]e"),
        (["protocol.split=scafold"], "did you mean scaffold"),
        (["data.duplicates=maybe"], "data.duplicates"),
        (["targt=y"], "Did you mean"),
        (["protocol.test=1.5"], "protocol.test"),
        (["features.descriptors=physchm"], r"features.descriptors: .*did you mean physchem\?"),
        (["features.descriptors=zzz"], "choose from none, physchem, rdkit"),
        (["features.descriptor=rdkit"], r"features.descriptor: .*Did you mean descriptors\?"),
    ],
)
def test_a_mistake_is_named_with_what_may_have_been_meant(overrides, message):
    with pytest.raises(RecipeError, match=message):
        read_recipe(None, [TABLE, "target=y", *overrides])


def test_every_split_can_be_named_and_is_in_the_schema():
    text = str(Recipe.model_json_schema())
    for name in SPLITS:
        assert read_recipe(None, [f"protocol.split={name}"]).protocol.split == name
        assert name in text


@pytest.mark.parametrize("name", ["none", *DESCRIPTORS])
def test_every_set_of_descriptors_can_be_named_and_is_in_the_schema(name):
    recipe = read_recipe(None, [TABLE, "target=y", f"features.descriptors={name}"])

    assert recipe.features.descriptors == name
    assert name in str(Recipe.model_json_schema()["$defs"]["FeatureSettings"])
    assert read_recipe_from(recipe) == recipe


@pytest.mark.parametrize("data", ["MUTAG", "data/raw/NCI1"])
def test_descriptors_of_a_graph_set_are_refused_with_the_way_out(data):
    message = (
        r"^command line: features: .*descriptors are of molecules, and "
        + data
        + " is a set of graphs; leave them out, or .*`kekule data convert`"
    )
    with pytest.raises(RecipeError, match=message) as caught:
        read_recipe(None, [f"data={data}", "features.descriptors=physchem"])
    assert "\n" not in str(caught.value)
    assert read_recipe(None, [f"data={data}", "features.descriptors=none"])


def test_the_hash_feels_the_column_and_the_policy():
    base = read_recipe(None, [TABLE, "target=y"])
    for change in (
        *("target=z", "standardise=as-given", "data.duplicates=keep"),
        "features.descriptors=physchem",
    ):
        assert read_recipe(None, [TABLE, "target=y", change]).sha256 != base.sha256


def read_recipe_from(recipe):
    """The recipe that its own YAML means."""
    import yaml

    return Recipe.model_validate(yaml.safe_load(recipe.to_yaml()))


def test_an_override_has_the_last_word_whichever_form_either_has(tmp_path):
    for written in ("target: y\n", "data: {target: y}\n"):
        (tmp_path / "r.yaml").write_text(f"{written}")
        for override in ("target=z", "data.target=z"):
            assert read_recipe(tmp_path / "r.yaml", [override, TABLE]).data.target == "z"


def test_a_recipe_built_from_its_own_parts_keeps_them():
    data = read_recipe(None, [TABLE, "target=y"]).data

    assert Recipe(data=data).data == data
    assert Recipe(data=data).protocol.split == "scaffold"


def test_several_columns_are_several_tasks_and_a_list_of_one_is_that_one():
    several = read_recipe(None, [TABLE, "target=[NR-AR, 7, b]"])

    assert several.data.target == ("NR-AR", "7", "b")
    assert read_recipe_from(several) == several
    assert read_recipe(None, [TABLE, "target=[y]"]) == read_recipe(None, [TABLE, "target=y"])
    assert several.sha256 != read_recipe(None, [TABLE, "target=[7, NR-AR, b]"]).sha256


@pytest.mark.parametrize("target", ["[]", "[a, a]", "[[a], b]", "{a: b}", "['', a]"])
def test_a_target_that_is_no_column_and_no_columns_is_one_line(target):
    with pytest.raises(RecipeError, match=r"data\.target") as caught:
        read_recipe(None, [TABLE, f"target={target}"])
    assert "\n" not in str(caught.value)
