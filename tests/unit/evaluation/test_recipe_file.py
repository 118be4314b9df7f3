import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule import KekuleError
from kekule._errors import RecipeError
from kekule.evaluation import Recipe, read_recipe
from kekule.models import NETWORKS, OF_GRAPHS, OF_MOLECULES
from kekule.models.members import OF_GRAPHS as MEMBERS_OF_GRAPHS
from kekule.models.members import OF_MOLECULES as MEMBERS_OF_MOLECULES

RECIPES = sorted((Path(__file__).parents[3] / "recipes").glob("*.yaml"))
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)


@pytest.fixture
def written(tmp_path):
    """Write a recipe and give its path."""

    def write(text):
        path = tmp_path / "recipe.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_a_published_recipe_is_valid_and_says_what_its_name_says(path):
    data, network = path.stem.split("-")
    recipe = read_recipe(path)

    assert recipe.model.name == network
    assert Path(recipe.data.source).stem.lower() == data


def test_there_are_published_recipes():
    assert {path.stem for path in RECIPES} >= {"mutag-gcn", "mutag-gin"}


@pytest.mark.parametrize("path", [None, *RECIPES])
def test_a_resolved_recipe_is_read_back_the_same(path, written):
    recipe = read_recipe(path, ["train.epochs=7", "protocol.baselines=[majority]", "data=/a b/ü"])
    back = read_recipe(written(recipe.to_yaml()))

    assert back == recipe
    assert back.sha256 == recipe.sha256


def test_an_empty_recipe_is_the_default(written):
    assert read_recipe(written("# nothing yet\n")) == read_recipe() == Recipe()


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("train.epochs=50", "train", "epochs", 50),
        ("train.learning_rate=1e-3", "train", "learning_rate", 0.001),
        ("train.learning_rate=0.01", "train", "learning_rate", 0.01),
        ("model.dropout=0", "model", "dropout", 0.0),
        ("protocol.baselines=[majority]", "protocol", "baselines", ("majority",)),
        ("protocol.baselines=[]", "protocol", "baselines", ()),
        ("data.source=a=b", "data", "source", "a=b"),
        ("train={epochs: 3}", "train", "epochs", 3),
        ("train.together=on", "train", "together", "on"),
        ("train.together=off", "train", "together", "off"),
    ],
)
def test_an_override_is_read_as_yaml_and_put_in_its_place(override, section, key, value):
    given = getattr(getattr(read_recipe(overrides=[override]), section), key)

    assert given == value
    assert type(given) is type(value)


def test_an_override_leaves_its_neighbours_as_they_were(written):
    recipe = read_recipe(written("train: {epochs: 5, patience: 2}"), ["train.epochs=6"])

    assert (recipe.train.epochs, recipe.train.patience) == (6, 2)


def test_of_one_key_given_twice_the_later_counts():
    assert read_recipe(overrides=["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_given_beside_its_whole_counts_whichever_comes_first(order):
    recipe = read_recipe(overrides=["model.hidden=8", "model=gcn"][::order])

    assert (recipe.model.name, recipe.model.hidden) == ("gcn", 8)


@pytest.mark.parametrize("name", ["PTC_MR", "0123", "NO", "1e3", "/data/2024-01-01", "a b", "~/x"])
def test_the_name_of_a_set_is_taken_as_typed(name):
    assert read_recipe(overrides=[f"data={name}"]).data.source == name
    assert read_recipe(overrides=[f"data.source={name}"]).data.source == name


def test_short_forms_stand_in_a_file_too(written):
    recipe = read_recipe(written("data: PTC_MR\nmodel: gcn\n"))

    assert (recipe.data.source, recipe.model.name) == ("PTC_MR", "gcn")
    assert recipe.model == NETWORKS["gcn"].Settings()


@pytest.mark.parametrize("name", NETWORKS)
def test_another_network_replaces_the_file_s_with_its_own_defaults(written, name):
    recipe = read_recipe(written("model: {name: gcn, hidden: 7}"), [f"model={name}"])

    assert recipe.model == NETWORKS[name].Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle: gin", "modle: there is no such key. Did you mean model?"),
        ("train: {epcohs: 3}", "train.epcohs: there is no such key. Did you mean epochs?"),
        ("model: {hiden: 3}", "model.hiden: there is no such key. Did you mean hidden?"),
        ("model: {name: gcn, layer: 3}", "model.layer: there is no such key. Did you mean layers"),
        ("protocol: {fold: 3}", "protocol.fold: there is no such key. Did you mean folds?"),
        ("data: {sorce: x}", "data.sorce: there is no such key. Did you mean source?"),
        ("xyz: 1", "xyz: there is no such key. Known keys: data, standardise, features, model, "),
        ("model: {gin: 3}", "model.gin: there is no such key. Known keys: name, "),
        ("train: {learning_rate: -1}", "train.learning_rate: -1 given: input should be greater"),
        ("train: {learning_rate: .inf}", "train.learning_rate: inf given: input should be a fin"),
        ("train: {epochs: many}", "train.epochs: 'many' given: input should be a valid integer"),
        ("train: {epochs: 2.5}", "train.epochs: 2.5 given"),
        ("train: 3", "train: 3 given: it should hold keys with values"),
        ("train: {1: 2}", "train.1: 1 given: a key should be a word"),
        ("1: 2", "1: 1 given: a key should be a word"),
        ("data: null", "data: None given: it should hold keys with values"),
        (
            "data: [a, {b: c}]",
            "data.source: ['a', {'b': 'c'}] given: input should be a valid string",
        ),
        ("protocol: {folds: 1}", "protocol.folds: 1 given: input should be greater than or equal"),
        ("protocol: {seeds: 0}", "protocol.seeds: 0 given"),
        ("protocol: {kind: loo}", "protocol.kind: 'loo' given: input should be 'kfold'"),
        ("protocol: {baselines: [wl]}", "'wl' is no baseline; choose from majority, structure"),
        ("protocol: {baselines: majority}", "it should be a list, such as [a, b]"),
        ("protocol: {baselines: [majority, majority]}", "names a baseline twice"),
        ("model: gnc", "model.name: 'gnc' is no model. Choose one of auto, gcn, gin"),
        ("model: {name: [1]}", "model.name: [1] is no model"),
        ("model: [gin]", "model: ['gin'] given: it should hold keys"),
        ("seed: -1", "seed: -1 given"),
        ("seed: 4000000000", "seed: 4000000000 given: input should be less than 2147483648"),
        ("- a\n- b", "holds list, not keys with values. `kekule recipe schema` lists the keys."),
        ("just words", "holds str, not keys with values"),
        ("a: [1", "is not YAML: "),
        ("a: 1\n\tb: 2", "is not YAML: "),
        ("seed: 1\nseed: 2", "is not YAML: key 'seed' is given twice at line 2, column 1"),
        ("train: {epochs: 1, epochs: 1}", "key 'epochs' is given twice"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("x: &x {epochs: 1}\ntrain: *x", "an alias (*) stands for something written elsewhere"),
        ("x: &x {epochs: 1}\ntrain: {<<: *x}", "an alias (*)"),
        ("&x [*x]", "an alias (*)"),
        (BOMB, "an alias (*)"),
        ("[" * 600, "is not YAML: maximum recursion depth"),
        ("? [1, 2]\n: 3", "found unhashable key"),
        ("a: \x00", "is not YAML: "),
        (b"\xff\xfe\xff", "is not YAML: "),
        ("#" * 100_001, "is larger than 100 kB. Give a recipe, not a data file."),
    ],
    ids=lambda text: text[:30] if isinstance(text, str) else None,
)
def test_a_wrong_recipe_is_named_where_and_why_in_one_short_line(written, text, message):
    path = written(text)
    started = time.perf_counter()
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)

    given = str(caught.value)
    assert message in given
    assert str(path) in given
    assert len(given.splitlines()) == 1
    assert len(given) < 600 + len(str(path))
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epochs", "train.epochs: is not of the form key.sub=value. Write train.epochs=50"),
        ("=3", "is not of the form key.sub=value"),
        ("", "'': is not of the form key.sub=value"),
        ("train.=3", "is not of the form key.sub=value"),
        (".=3", "is not of the form key.sub=value"),
        ("train.epcohs=3", "train.epcohs: there is no such key. Did you mean epochs?"),
        ("train.epochs=", "train.epochs: None given"),
        ("train.epochs=[[[[", "train.epochs: '[[[[' given: input should be a valid integer"),
        ("train.epochs=" + "[" * 600, "train.epochs: '[[[["),
        ("train.epochs.more=3", "train.epochs: {'more': 3} given"),
        ("seed=!!python/name:os.system", "seed: '!!python/name:os.system' given"),
        ("model=gnc", "model.name: 'gnc' is no model"),
        ("model=12", "model.name: '12' is no model"),
        ("model=", "model: None given"),
        ("train={together: on, profile: true}", "of which no profile is written"),
        ("protocol.baselines=[extra-trees]", "extra-trees needs molecules"),
        ("two\nlines=3", "two lines: there is no such key"),
        ("two\nlines", "two lines: is not of the form"),
    ],
)
def test_a_wrong_override_is_blamed_on_the_command_line(written, override, message):
    for path in (None, written("seed: 3")):
        with pytest.raises(RecipeError) as caught:
            read_recipe(path, [override])

        assert str(caught.value).startswith("command line: ")
        assert message in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_an_override_of_what_has_no_keys_below_it_says_so(written):
    with pytest.raises(RecipeError, match=r"command line: seed\.x: 'seed' has no keys below it"):
        read_recipe(written("seed: 3"), ["seed.x=1"])


def test_what_is_wrong_in_the_file_is_not_blamed_on_the_command_line(written):
    path = written("train: {epcohs: 3}")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path, ["seed=1", "train.patience=3"])

    assert str(caught.value).startswith(f"{path}: train.epcohs")


def test_several_mistakes_are_counted(written):
    with pytest.raises(RecipeError, match=r"seed: 'x' given.*\(1 more after it\.\)"):
        read_recipe(written("train: {}\nseed: x\nother: 3"))


def test_a_recipe_that_is_not_there_says_so(tmp_path):
    with pytest.raises(RecipeError, match=r"none.yaml: cannot be read: No such file"):
        read_recipe(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match=r"cannot be read: Is a directory"):
        read_recipe(tmp_path)


def test_nothing_in_a_recipe_can_be_changed_once_it_is_read():
    with pytest.raises(ValueError, match="frozen"):
        read_recipe().seed = 3


def test_the_hash_feels_what_decides_the_result():
    texts = ["seed=1", "model=gcn", "train.epochs=3", "protocol.folds=5"]
    hashes = {read_recipe(overrides=[text]).sha256 for text in texts}

    assert len(hashes | {Recipe().sha256}) == len(texts) + 1


@pytest.mark.parametrize("place", ["MUTAG", "raw/MUTAG", "raw/MUTAG/"])
def test_the_hash_does_not_feel_where_the_data_lie(place):
    """What they are is said by their own hash, so a run goes on from any folder."""
    assert read_recipe(overrides=[f"data={place}"]).sha256 == Recipe().sha256


NESTED = "protocol.kind=nested"
KINDS = [
    (["protocol.kind=kfold"], {"folds": 10, "seeds": 3, "test": None, "inner": None}),
    (["protocol.kind=kfold", "data=a.csv"], {"folds": 5, "split": "scaffold"}),
    (["protocol.split=time", "protocol.column=y"], {"test": 0.2, "folds": 10}),
    (["protocol.kind=holdout"], {"test": 0.2, "folds": None, "seeds": 3, "grid": None}),
    (["protocol.kind=holdout", "data=a.csv"], {"split": "scaffold", "folds": None}),
    (["protocol.kind=holdout", "data=a.csv", "protocol.split=scaffold-ordered"], {"test": None}),
    (["protocol.kind=repeated"], {"folds": 5, "seeds": 5, "test": None}),
    (["protocol.kind=repeated", "protocol.folds=3", "data=a.csv"], {"folds": 3, "seeds": 5}),
    (["protocol.kind=given", "protocol.column=x"], {"split": "given", "folds": None}),
    (["protocol.kind=given", "protocol.file=f.json", "data=a.csv"], {"split": "given"}),
    (
        [NESTED, "protocol.grid={model.hidden: [8, 16]}"],
        {"folds": 10, "inner": 1, "final_runs": 3, "grid": {"model.hidden": (8, 16)}},
    ),
    (
        [NESTED, "protocol.grid.train.learning_rate=[0.1, 1e-3]", "protocol.inner=3"],
        {"inner": 3, "grid": {"train.learning_rate": (0.1, 0.001)}},
    ),
]


@pytest.mark.parametrize(("overrides", "resolved"), KINDS)
def test_a_kind_of_protocol_says_all_its_settings_and_is_read_back(written, overrides, resolved):
    recipe = read_recipe(overrides=overrides)

    assert {key: getattr(recipe.protocol, key) for key in resolved} == resolved
    assert read_recipe(written(recipe.to_yaml())) == recipe


@pytest.mark.parametrize("kind", ["kfold", "holdout", "repeated"])
@pytest.mark.parametrize(("overrides", "resolved"), KINDS[:4] + KINDS[-2:])
def test_another_kind_on_the_command_line_leaves_out_what_only_the_first_read(
    written, overrides, resolved, kind
):
    path = written(read_recipe(overrides=[*overrides, "protocol.split=random"]).to_yaml())
    recipe = read_recipe(path, [f"protocol.kind={kind}"])

    assert recipe.protocol.kind == kind
    assert recipe.protocol.grid is recipe.protocol.inner is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["protocol.test=0.1"], "protocol.test: kfold does not use it"),
        (["protocol.kind=holdout", "protocol.folds=5"], "protocol.folds: holdout does not use it"),
        (["protocol.kind=repeated", "protocol.inner=2"], "protocol.inner: repeated does not use"),
        (["protocol.kind=given", "protocol.file=f", "protocol.folds=5"], "protocol.folds: given"),
        (["protocol.final_runs=2"], "protocol.final_runs: kfold does not use it"),
        (["protocol.grid={model.hidden: [8]}"], "protocol.grid: kfold does not use it"),
        (["protocol.kind=given"], "Give protocol.column or protocol.file."),
        (["protocol.kind=given", "protocol.file=f", "protocol.split=random"], "protocol.split"),
        (["protocol.kind=holdout", "protocol.split=given"], "Use protocol.kind=given."),
        (
            ["protocol.kind=holdout", "protocol.split=scaffold-ordered", "protocol.test=0.1"],
            "protocol.test: holdout with the split scaffold-ordered does not use it",
        ),
        (["protocol.kind=repeated", "protocol.split=time"], "'time' given: it is the same rows"),
        (["protocol.kind=nestd"], "protocol.kind: 'nestd' given: input should be 'kfold'"),
        ([NESTED], "nested chooses from a grid, and there is none. Give one: protocol.grid="),
        ([NESTED, "protocol.grid={model.hiden: [8]}"], "model.hiden: there is no such key to sea"),
        ([NESTED, "protocol.grid={model.hiden: [8]}"], "Did you mean model.hidden?"),
        ([NESTED, "protocol.grid={hidden: [8]}"], "Did you mean model.hidden?"),
        ([NESTED, "protocol.grid={model.hidden: [8, x]}"], "protocol.grid.model.hidden: model.hi"),
        ([NESTED, "protocol.grid={model.hidden: [8, -1]}"], "model.hidden -1: "),
        (
            [NESTED, "protocol.grid={model.hidden: 8}"],
            "protocol.grid.model.hidden: 8 given: it sh",
        ),
        ([NESTED, "protocol.grid={model.hidden: []}"], "protocol.grid.model.hidden: [] given"),
        ([NESTED, "protocol.grid={model.hidden: [8, 8]}"], "names a value twice"),
        ([NESTED, "protocol.grid={model.hidden: [8, 8.0]}"], "names a value twice"),
        ([NESTED, "protocol.grid={model.name: [gin]}"], "it is the same for every combination"),
        ([NESTED, "protocol.grid={seed: [1, 2]}"], "protocol.grid.seed: there is no such key"),
        (
            [
                *(NESTED, f"protocol.grid.model.hidden={[*range(1, 14)]}"),
                f"protocol.grid.train.epochs={[*range(1, 6)]}",
            ],
            "it has 65 combinations, more than 64",
        ),
        ([NESTED, "protocol.grid={model.hidden: [8]}", "train.together=on"], "train.together: "),
        (
            [NESTED, "protocol.grid={model.hidden: [8]}", "protocol.refit=false"],
            "protocol.refit: false ships one model of a fold, which has 3 final runs",
        ),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_refused_naming_the_key(overrides, message):
    with pytest.raises(RecipeError) as caught:
        read_recipe(overrides=overrides)

    assert message in str(caught.value)
    assert str(caught.value).startswith("command line: ")
    assert len(str(caught.value).splitlines()) == 1


def test_the_hash_feels_the_order_of_a_grid_which_decides_between_equals():
    one, other = (
        read_recipe(overrides=[NESTED, f"protocol.grid={{{text}}}"]).sha256
        for text in (
            "model.hidden: [8, 16], train.epochs: [5, 6]",
            "train.epochs: [5, 6], model.hidden: [8, 16]",
        )
    )
    assert one != other


def test_repeats_take_the_seeds_from_the_first_on():
    assert read_recipe(overrides=["seed=5", "protocol.seeds=3"]).seeds == (5, 6, 7)


def test_the_schema_lists_every_network_with_its_settings():
    schema = json.dumps(Recipe.model_json_schema())

    for name, network in NETWORKS.items():
        assert f'"const": "{name}"' in schema
        for key in network.Settings.model_fields:
            assert f'"{key}"' in schema


def test_every_number_of_the_schema_is_described():
    """A user who asks for the schema is told what each number is."""
    undescribed = [
        f"{owner}.{key}"
        for owner, part in Recipe.model_json_schema()["$defs"].items()
        for key, field in part["properties"].items()
        if field.get("type") in ("integer", "number") and "description" not in field
    ]

    assert undescribed == []


def test_all_baselines_are_run_unless_some_are_named():
    assert read_recipe().protocol.baselines == OF_GRAPHS
    of_table = read_recipe(overrides=["data=assay.csv", "target=active", "model=gin"])
    assert of_table.protocol.baselines == OF_MOLECULES
    assert set(of_table.fingerprints) == {"ecfp", "rdkit-descriptors"}
    assert not read_recipe().fingerprints


def test_the_model_of_a_table_is_auto_unless_one_is_named():
    table = ["data=assay.csv", "target=active"]
    assert read_recipe().model.name == "gin"
    assert read_recipe(overrides=table).model.name == "auto"
    assert read_recipe(overrides=[*table, "model.minutes=5"]).model.minutes == 5
    assert read_recipe(overrides=[*table, "model=gcn"]).model.name == "gcn"


def test_beside_an_ensemble_stand_only_what_it_is_not_made_of():
    of_table = read_recipe(overrides=["data=assay.csv", "target=active"])
    of_graphs = read_recipe(overrides=["model=auto"])
    assert not set(of_table.protocol.baselines) & set(MEMBERS_OF_MOLECULES)
    assert not set(of_graphs.protocol.baselines) & set(MEMBERS_OF_GRAPHS)
    assert set(of_table.fingerprints) > {"ecfp", "rdkit-descriptors"}
    assert not of_graphs.fingerprints


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["model.hidden=64"], "name a network, such as model="),
        (["model.minute=5"], "Did you mean minutes?"),
        (["model.members=[WL-SVM]"], "model.members: 'WL-SVM' is no member for assay.csv"),
        (["model.members=[]"], "model.members"),
        (["model.members=[LightGBM, LightGBM]"], "names a member twice"),
        (["weight=w"], "data.weight: auto does not use the weights of 'w'"),
        (["model.network=gnc"], "model.network: 'gnc' is no network"),
        (["protocol.kind=nested", "protocol.grid={model.epochs: [5]}"], "by itself"),
    ],
)
def test_a_wrong_setting_of_auto_is_told_with_the_cure(overrides, told):
    with pytest.raises(RecipeError, match=re.escape(told)):
        read_recipe(overrides=["data=assay.csv", "target=active", *overrides])


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=40))
def test_no_text_in_a_file_breaks_the_reader(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    assert len(complaint(path, []).splitlines()) <= 1


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet="abde.=[]{}:,-*&!\"' \n19", max_size=30))
def test_no_override_breaks_the_reader(text):
    assert len(complaint(None, [text, f"train.{text}", f"model={text}"]).splitlines()) <= 1


def complaint(path, overrides):
    """What is said against a recipe, empty where it is fine; anything else is a bug."""
    try:
        read_recipe(path, overrides)
    except KekuleError as error:
        return str(error)
    return ""
