"""A table of molecules from file to run folder and back: every row accounted for."""

import json

import numpy as np
import pandas as pd
import pytest

from kekule import KekuleError
from kekule._errors import DataFileError
from kekule.evaluation import read_recipe
from kekule.registry import load
from kekule.workflow import audit, convert, predict, report, train
from kekule.workflow.prepare import prepare

QUICK = (
    *("model=gcn", "model.hidden=4", "train.epochs=3", "protocol.folds=3", "protocol.seeds=2"),
    "protocol.baselines=[majority]",
)
ODD = [  # what a table of some age holds: (structure, label, why it is not trained on)
    ("not a molecule", "1", "syntax error"),
    ("C(C)(C)(C)(C)C", "1", "valence"),
    ("", "-1", "empty"),
    ("CCO", "", "no label"),
    ("*CC", "1", r"\*"),
    ("c1ccccc1[N+](=O)[O-]", "1", None),  # nitrobenzene, three times, twice the same
    ("O=[N+]([O-])c1ccccc1", "1", "duplicate"),
    ("Cc1ccc(I)cc1", "1", "another label"),
    ("Ic1ccc(C)cc1", "-1", "another label"),
    ("[Na+].[O-]c1ccc(F)cc1", "-1", None),  # a salt: its parent is learnt
]


@pytest.fixture(scope="module", autouse=True)
def _cache_of_its_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEKULE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Sixty nitro compounds of MUTAG as SMILES, and ten rows of odd ones among them."""
    path = tmp_path_factory.mktemp("tables") / "assay.csv"
    mutag = path.with_name("mutag.csv")
    convert("MUTAG", mutag)
    rows = pd.read_csv(mutag, dtype=str).dropna(subset=["smiles"]).iloc[:60]
    given = list(zip(rows["smiles"], rows["target"], strict=True))
    for place, (smiles, label, _) in enumerate(ODD):
        given.insert(7 * place, (smiles, label))
    frame = pd.DataFrame(given, columns=["structure", "mutagenic"])
    frame.insert(0, "status", [f"batch {k % 3}" for k in range(len(frame))])  # one of our names
    frame["year"] = [2000 + k % 20 for k in range(len(frame))]
    frame.to_csv(path, index=False)
    return path


def odd_rows():
    return [7 * place for place in range(len(ODD))]


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "assay"
    return train(None, [f"data={table}", "target=mutagenic", *QUICK], out=out, processes=1)


@pytest.fixture(scope="module")
def predictions(run):
    return pd.read_csv(run.path / "predictions.csv", dtype=str, keep_default_na=False)


def test_every_row_is_trained_on_or_rejected_for_a_reason(table, run, predictions):
    given = pd.read_csv(table, dtype=str, keep_default_na=False)
    rejected = pd.read_csv(run.path / "rejected.csv", dtype=str, keep_default_na=False)
    answered = predictions["prediction"] != ""

    assert len(predictions) == len(given) == run.scores["n_rows"] == 70
    assert predictions["row"].tolist() == [str(row) for row in range(70)]
    assert run.scores["n_rejected"] == len(rejected) == (~answered).sum()
    assert set(rejected["row"]) == set(predictions["row"][~answered])
    assert (rejected["reason"] != "").all()
    assert rejected["structure"].tolist() == [
        given["structure"][int(row)] for row in rejected["row"]
    ]


@pytest.mark.parametrize("place", range(len(ODD)))
def test_an_odd_row_is_answered_or_refused_in_a_chemist_s_words(predictions, place):
    smiles, _, why = ODD[place]
    row = predictions.iloc[7 * place]

    assert row["structure"] == smiles
    if why is None:
        assert row["status"] == "ok"
        assert row["prediction"] in ("1", "-1")
    else:
        assert row["status"] == "invalid"
        assert pd.Series(row["reason"]).str.contains(why).item(), row["reason"]
        assert row["prediction"] == row["fold"] == ""


def test_the_table_s_own_columns_keep_their_cells(table, predictions):
    given = pd.read_csv(table, dtype=str, keep_default_na=False)

    assert predictions["input_status"].tolist() == given["status"].tolist()
    for name in ("structure", "mutagenic", "year"):
        assert predictions[name].tolist() == given[name].tolist()


def test_a_salt_is_learnt_as_its_parent_and_the_change_is_told(run, predictions):
    changes = pd.read_csv(run.path / "standardised.csv")
    row = odd_rows()[-1]
    (change,) = changes[changes["row"] == row].to_dict("records")

    assert predictions["smiles_used"][row] == change["output"] == "Oc1ccc(F)cc1"
    assert change["input"] == "[Na+].[O-]c1ccc(F)cc1"
    assert "Na" in change["steps"]


def test_no_scaffold_is_tested_by_a_model_that_learnt_it(predictions):
    from kekule.data.splits.scaffolds import scaffold_of

    tested = predictions[predictions["fold"] != ""]
    scaffolds = tested["smiles_used"].map(scaffold_of)
    for column in ("fold", "seed1.fold"):
        assert tested.groupby(scaffolds)[column].nunique().max() == 1
    assert tested["fold"].nunique() == 3


def test_the_model_of_a_table_answers_as_it_did_and_alone_as_in_company(run):
    model = load(run.path)
    smiles = ["Oc1ccc(F)cc1", "[Na+].[O-]c1ccc(F)cc1", "nonsense", "Cc1ccccc1[N+](=O)[O-]"]
    together = model.predict(smiles)
    alone = [model.predict([text]) for text in smiles]

    for column in together.columns.drop("row"):
        assert [*map(str, together[column])] == [str(one[column][0]) for one in alone]
    assert together["status"].tolist() == ["ok", "ok", "invalid", "ok"]
    assert together["probability"][0] == together["probability"][1]
    assert np.isnan(together["probability"][2])


def test_what_no_training_molecule_had_is_said_beside_the_answer(run):
    said = load(run.path).predict(["C[Si](C)(C)C", "Cc1ccccc1[N+](=O)[O-]"])

    assert said["status"].tolist() == ["warning", "ok"]
    assert "Si" in said["reason"][0]
    assert said["prediction"][0] != ""


def test_a_file_is_predicted_row_by_row_with_its_columns(run, table, tmp_path):
    out = tmp_path / "answers.csv"
    predict(run.path, str(table), out=out)
    told = pd.read_csv(out, dtype=str, keep_default_na=False)

    assert len(told) == 70
    assert told["structure"][0] == "not a molecule"
    assert told["status"][0] == "invalid"
    assert told["year"].tolist()[:3] == ["2000", "2001", "2002"]


def test_graphs_given_to_a_model_of_a_table_are_refused_with_the_way_out(run):
    with pytest.raises(KekuleError, match="kekule data convert"):
        predict(run.path, "MUTAG")


def test_the_report_is_drawn_again_from_the_folder_and_the_table(run):
    page = report(run.path).read_text()

    assert "Oc1ccc(F)cc1" in page
    assert "n_rejected" not in page
    assert "rejected.csv" in page


def test_another_table_at_the_same_place_is_noticed(run, table, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in run.path.iterdir():
        if path.is_file():
            (moved / path.name).write_bytes(path.read_bytes())
    other = tmp_path / "other.csv"
    other.write_text(table.read_text() + "batch 1,CCCC,1,2001\n")
    recipe = (moved / "recipe.yaml").read_text().replace(str(table), str(other))
    (moved / "recipe.yaml").write_text(recipe)
    (moved / "bundle").symlink_to(run.path / "bundle")

    with pytest.raises(DataFileError, match="another sha256"):
        report(moved)


def test_duplicates_are_kept_where_the_recipe_says_so(table):
    kept = prepared(table, "data.duplicates=keep")
    default = prepared(table)

    assert len(kept.usable) == len(default.usable) + 3
    assert "duplicate" in default.duplicates
    assert "conflict" in default.duplicates


def test_the_audit_of_a_run_is_that_of_the_table(run, table):
    told = json.loads((run.path / "audit.json").read_text())
    names = {finding["name"] for finding in told["findings"]}

    assert told["rows"] == 70
    assert told["verdict"] in ("green", "amber", "red")
    assert len(names) > 10
    assert names >= {f["name"] for f in audit(table, ["target=mutagenic"])["findings"]}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "no column of classes.*'mutagenic'.*target="),
        (["target=mutagen"], "mutagenic"),
        (["target=mutagenic", "smiles=strukture"], "structure"),
        (["target=mutagenic", "id=name"], "name"),
        (["target=mutagenic", "protocol.split=time"], "column"),
        (["target=mutagenic", "protocol.split=time", "protocol.column=yaer"], "yaer"),
        (["target=mutagenic", "protocol.split=given"], "column|file"),
        (["target=mutagenic", "protocol.folds=100"], "100"),
    ],
)
def test_what_is_missing_is_said_with_the_cure(table, overrides, message):
    with pytest.raises(KekuleError, match=message):
        prepared(table, *overrides, target=())


def test_a_split_by_time_tests_the_last_years(table):
    found = prepared(table, "protocol.split=time", "protocol.column=year", "protocol.test=0.3")
    years = found.origin.table.frame["year"].astype(int).to_numpy()[found.usable]
    fold = found.inputs.splits[0].fold

    assert found.inputs.n_folds == 1
    assert years[fold == 0].min() > years[fold != 0].max()


def prepared(table, *overrides, target=("target=mutagenic",)):
    named = {override.split("=")[0] for override in overrides}
    quick = [key for key in QUICK if key.split("=")[0] not in named]
    return prepare(read_recipe(None, [f"data={table}", *quick, *target, *overrides]))


def written(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


RINGS = ("C1CCCCC1", "c1ccccc1", "c1ccncc1", "c1ccsc1", "c1ccoc1", "C1CCNCC1")
NITROS = [f"O=[N+]([O-])C{'C' * n}{ring}" for n in range(3) for ring in RINGS]


def test_weights_stay_with_their_rows_when_others_are_set_aside(tmp_path):
    lines = ["unreadable,1,9", *(f"{s},{k % 2},{k + 1}" for k, s in enumerate(NITROS)), "C,1,"]
    found = prepared(
        written(tmp_path / "w.csv", "smiles,y,w", *lines), "weight=w", target=("target=y",)
    )

    assert found.usable.tolist() == list(range(1, 19))
    assert found.inputs.weights.tolist() == list(range(1, 19))
    assert found.statuses[19].reason == "there is no weight"


def test_a_split_is_told_to_the_audit_in_rows_of_the_table(tmp_path):
    lines = [f"{s},{k % 2},{'test' if k < 6 else 'valid' if k < 9 else 'train'}"
             for k, s in enumerate(NITROS)]  # fmt: skip
    table = written(tmp_path / "t.csv", "smiles,y,part", "unreadable,1,test", *lines)
    found = prepared(table, "protocol.split=given", "protocol.column=part", target=("target=y",))
    split = found.split()

    assert np.flatnonzero(split.fold == 0).tolist() == list(range(1, 7))
    assert split.validation[0].tolist() == [7, 8, 9]
    assert split.train[0].tolist() == list(range(10, 19))


def test_a_fold_of_which_no_row_can_be_used_is_refused_and_not_forgotten(tmp_path):
    lines = [f"{s},{k % 2},{k % 3}" for k, s in enumerate(NITROS)]
    table = written(tmp_path / "t.csv", "smiles,y,fold", *lines, "unreadable,1,3", "worse,0,3")

    with pytest.raises(KekuleError, match="none of the 2 test rows"):
        prepared(table, "protocol.split=given", "protocol.column=fold", target=("target=y",))


def test_two_policies_and_two_columns_of_one_file_are_kept_apart_in_the_cache(tmp_path):
    lines = [f"{s},{s}C.Cl,{k % 2}" for k, s in enumerate(["CCN" + "C" * n for n in range(12)])]
    table = written(tmp_path / "t.csv", "a,b,y", *lines)

    def used(*overrides):
        found = prepared(table, "protocol.split=random", *overrides, target=("target=y",))
        return found.origin.rows.smiles[0]

    assert used("smiles=a") == "CCN"
    assert used("smiles=b") == "CCNC"
    assert used("smiles=b", "standardise=as-given") == "CCNC.Cl"
    assert used("smiles=a") == "CCN"


def test_two_files_are_not_taken_for_their_halves_laid_end_to_end(tmp_path):
    halves = [
        [f"{s},{k % 2}" for k, s in enumerate(NITROS)][part] for part in (slice(9), slice(9, 18))
    ]
    one, two = (
        written(tmp_path / name, "smiles,y", *half)
        for name, half in zip(("1.csv", "2.csv"), halves, strict=True)
    )
    joined = tmp_path / "joined.csv"
    joined.write_text(one.read_text() + two.read_text())
    apart = prepared(f"[{one}, {two}]", target=("target=y",))
    together = prepared(joined, "data.duplicates=keep", target=("target=y",))

    assert len(apart) == 18
    assert len(together) == 19  # the second header is a row
    assert apart.origin.sha256 != together.origin.sha256
    assert apart.origin.rows.smiles[9:] == together.origin.rows.smiles[10:]


def test_a_row_of_too_many_cells_is_set_aside_for_that_in_training_and_prediction(run, tmp_path):
    lines = [f"{s},{k % 2}" for k, s in enumerate(NITROS)]
    table = written(tmp_path / "t.csv", "smiles,y", "CCO,1,2", *lines)
    found = prepared(table, target=("target=y",))
    answered = predict(run.path, str(table))

    assert "3 cells where the header has 2" in found.statuses[0].reason
    assert "3 cells where the header has 2" in answered["reason"][0]
    assert len(found.usable) == 18


def test_a_bundle_replays_a_molecule_that_its_policy_changes(run):
    bundle = run.path / "bundle"
    examples = json.loads((bundle / "example.json").read_text())["smiles"]

    assert "[Na+].[O-]c1ccc(F)cc1" in examples


def test_another_split_file_is_not_resumed(tmp_path, page_left_blank):
    table = written(
        tmp_path / "t.csv", "smiles,y", *(f"{s},{k % 2}" for k, s in enumerate(NITROS))
    )
    rows = list(range(18))
    split = tmp_path / "split.json"
    quick = [key for key in QUICK if "seeds" not in key and "folds" not in key]
    given = [f"data={table}", "target=y", *quick, "protocol.seeds=1"]
    given += ["protocol.split=given", f"protocol.file={split}"]
    split.write_text(json.dumps([{"test": rows[:6]}]))
    train(None, given, out=tmp_path / "run", processes=1)
    again = train(None, given, out=tmp_path / "run", processes=1, resume=True)
    split.write_text(json.dumps([{"test": rows[6:12]}]))

    assert again.scores["protocol"]["kind"] == "holdout"
    with pytest.raises(KekuleError, match="another split"):
        train(None, given, out=tmp_path / "run", processes=1, resume=True)


def test_a_table_of_which_one_class_is_left_says_what_happened_to_the_others(tmp_path):
    lines = [*(f"{s},1" for s in NITROS), "xx,0", "yy,0", "zz,0"]
    with pytest.raises(
        KekuleError, match=r"of 21 rows 18 can be trained on, all of class 1; most"
    ):
        prepared(written(tmp_path / "t.csv", "smiles,y", *lines), target=("target=y",))


def test_classes_that_pandas_would_take_for_nothing_are_classes(tmp_path):
    lines = [f"{s},{('#NA', '-nan')[k % 2]}" for k, s in enumerate(NITROS)]
    table = written(tmp_path / "t.csv", "smiles,y", *lines)
    done = train(None, [f"data={table}", "target=y", *QUICK], out=tmp_path / "run", processes=1)

    assert done.scores["classes"] == ["#NA", "-nan"]
    assert done.report.exists()
