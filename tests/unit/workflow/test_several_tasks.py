"""A table of several tasks from file to run folder and back: no label is lost, none invented."""

import json

import numpy as np
import pandas as pd
import pytest

from kekule._errors import BundleError, DataFileError, OutputError
from kekule.evaluation import read_recipe
from kekule.registry import load
from kekule.workflow import audit, predict, report, train
from kekule.workflow.prepare import prepare

QUICK = (
    *("model=gcn", "model.hidden=4", "train.epochs=2", "protocol.folds=3", "protocol.seeds=2"),
    *("protocol.split=random", "protocol.baselines=[majority]"),
)
TASKS = ["toxic", "NR-AR", "soluble"]
TARGET = f"target=[{', '.join(TASKS)}]"
RINGS = ("C1CCCCC1", "c1ccccc1", "c1ccncc1", "c1ccsc1", "c1ccoc1", "C1CCNCC1", "C1CCOCC1")
SMILES = [f"O=[N+]([O-])C{'C' * n}{ring}" for n in range(7) for ring in RINGS]
ODD = [  # after the 49: (structure, toxic, NR-AR, soluble)
    ("nonsense", "1", "0", "yes"),
    ("CCCCCCCl", "", "NA", "-"),
    ("BrCCCO", "1", "", "yes"),  # stands for the two below, which know what it does not
    ("OCCCBr", "1", "1", ""),
    ("C(CBr)CO", "0", "", "yes"),
    ("ClCCCO", "1", "", ""),  # of nothing but a conflict
    ("OCCCCl", "0", "", ""),
]


@pytest.fixture(scope="module", autouse=True)
def _cache_of_its_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEKULE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Forty-nine nitro compounds with a third of their labels missing, and seven odd rows."""
    rng = np.random.default_rng(7)
    rows = []
    for k, smiles in enumerate(SMILES):
        labels = [str(k % 2), str((k // 2) % 2), ("no", "yes")[(k // 3) % 2]]
        gone = rng.random(3) < 1 / 3
        gone[k % 3] = False
        rows.append([smiles, *("" if g else text for g, text in zip(gone, labels, strict=True))])
    frame = pd.DataFrame([*rows, *map(list, ODD)], columns=["smiles", *TASKS])
    path = tmp_path_factory.mktemp("tables") / "assay.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "assay"
    return train(None, [f"data={table}", TARGET, *QUICK], out=out, processes=1)


@pytest.fixture(scope="module")
def predictions(run):
    return read(run.path / "predictions.csv")


def test_a_row_with_one_label_is_learnt_from_and_one_without_any_is_told_why_not(table, run):
    rejected = read(run.path / "rejected.csv").set_index("row")["reason"]

    assert list(rejected.index) == ["49", "50", "52", "53", "54", "55"]
    assert rejected["50"] == "there is no label in any of the 3 target columns"
    assert rejected["52"] == "duplicate of row 51, which takes over its label of NR-AR"
    assert rejected["53"] == "duplicate of row 51; of toxic their labels differ and are set aside"
    assert rejected["54"] == "same molecule as row 55, with another label of toxic"


def test_a_row_that_lost_a_label_says_so_beside_its_answer(predictions):
    row = predictions.iloc[51]

    assert row["status"] == "warning"
    assert "label of toxic is set aside, as rows 51, 52 and 53 differ in it" in row["reason"]
    assert [row[f"{task}.target"] for task in TASKS] == ["", "1", "yes"]
    assert all(row[f"{task}.prediction"] for task in TASKS)


def test_every_task_of_every_row_is_answered_out_of_fold_for_every_seed(table, predictions):
    given = read(table)
    learnt = predictions["status"] != "invalid"

    assert len(predictions) == 56
    assert predictions[["smiles", *TASKS]].equals(given)
    assert "target" not in predictions
    for prefix in ("", "seed1."):
        assert (predictions[f"{prefix}fold"] != "").equals(learnt)
        for task, classes in zip(TASKS, [("0", "1"), ("0", "1"), ("no", "yes")], strict=True):
            said = predictions[f"{prefix}{task}.prediction"]
            chance = pd.to_numeric(predictions[f"{prefix}{task}.probability"])
            assert chance.notna().equals(learnt)
            expected = np.where(chance > 0.5, classes[1], classes[0])
            assert said[learnt].tolist() == expected[learnt].tolist()
            assert set(said[~learnt]) == {""}


def test_the_targets_told_are_the_labels_learnt_from(table, run, predictions):
    found = prepare(read_recipe(None, [f"data={table}", TARGET, *QUICK]))

    assert found.inputs.targets.shape == (50, 3)
    assert found.inputs.tasks == tuple(TASKS)
    assert found.tasks["soluble"] == ("no", "yes")
    for k, (task, classes) in enumerate(found.tasks.items()):
        told = predictions[f"{task}.target"].iloc[found.usable]
        assert told.tolist() == [[*classes, ""][code] for code in found.inputs.targets[:, k]]
        counts = told.value_counts()
        assert run.scores["tasks"][task] == {name: counts[name] for name in classes}


def test_the_scores_can_be_computed_again_from_the_predictions(run, predictions):
    from sklearn.metrics import roc_auc_score

    for task in TASKS:
        positive = run.model().tasks[task][1]
        for fold in range(3):
            here = predictions[(predictions["fold"] == str(fold + 1))]
            here = here[here[f"{task}.target"] != ""]
            truth = here[f"{task}.target"] == positive
            value = run.scores["per_task"][task]["roc_auc"]["folds"][fold]
            chance = here[f"{task}.probability"].astype(float)
            assert value == pytest.approx(roc_auc_score(truth, chance))


def test_scores_of_several_tasks_are_plain_json_with_one_mean(run):
    scores = json.loads((run.path / "scores.json").read_text())
    json.dumps(scores, allow_nan=False)

    assert scores["classes"] == []
    assert list(scores["tasks"]) == list(scores["per_task"]) == TASKS
    assert scores["primary"] == "roc_auc"
    assert scores["baselines_per_task"]["majority"]["toxic"]["roc_auc"]["mean"] == 0.5
    assert "3 tasks" in scores["verdict"]
    assert "2 labels" not in scores["duplicates"]
    assert scores["duplicates"] == (
        "3 duplicates of 2 molecules: 2 rows merged, 1 label in conflict set aside, "
        "and 2 rows left with no label."
    )


def test_the_model_of_several_tasks_is_asked_about_new_molecules(run, tmp_path):
    out = tmp_path / "answers.csv"
    predict(run.path, [SMILES[5], "nonsense", SMILES[0]], out=out)
    told = read(out)
    alone = load(run.path).predict([SMILES[0]])

    assert told["status"].tolist() == ["ok", "invalid", "ok"]
    for task in TASKS:
        assert (told[f"{task}.prediction"] != "").tolist() == [True, False, True]
        assert float(told[f"{task}.probability"][2]) == pytest.approx(
            alone[f"{task}.probability"][0], abs=1e-6
        )


def test_the_page_shows_every_task_and_is_drawn_again(run, tmp_path):
    page = report(run.path, figures=tmp_path / "figures").read_text()
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.svg")}

    for task in TASKS:
        assert page.count(f">{task}</td>") >= 2  # of the data, of the scores, of their certainty
    assert {"tasks", "task-roc", "comparison", "learning", "folds"} <= drawn
    assert "confusion" not in drawn


@pytest.mark.parametrize(
    ("name", "key"), [("scores.json", "per_task"), ("predictions.csv", "NR-AR.target")]
)
def test_a_run_that_lacks_what_its_tasks_need_is_one_line(run, tmp_path, name, key):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in run.path.glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_text((folder / name).read_text().replace(key, "another"))

    with pytest.raises(OutputError, match=f"{name} has no '{key}'"):
        report(folder)


def test_the_bundle_of_several_tasks_replays_them_all(run, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for path in (run.path / "bundle").iterdir():
        (bundle / path.name).write_bytes(path.read_bytes())
    shapes = np.shape(json.loads((bundle / "example.json").read_text())["probabilities"])

    assert shapes[1:] == (3, 2)
    assert shapes[0] >= 2
    assert list(load(bundle).tasks) == TASKS
    manifest = (bundle / "bundle.json").read_text()
    (bundle / "bundle.json").write_text(manifest.replace("soluble", "insoluble"))
    with pytest.raises(BundleError, match=r"bundle\.json"):
        load(bundle)


def test_a_run_goes_on_with_the_folds_it_has(run, table):
    again = train(None, [f"data={table}", TARGET, *QUICK], out=run.path, processes=1, resume=True)
    assert again.scores == run.scores


def test_an_audit_looks_at_every_task(table):
    found = audit(table, [TARGET])
    assert list(found["classes"]) == TASKS


@pytest.mark.parametrize(
    ("column", "cells", "words"),
    [
        ("grade", "abc", r"task 'grade' has 3 classes \('a', 'b', 'c'\).*target=grade"),
        ("rare", ["x", *[""] * 60], "'rare' has one class"),
    ],
)
def test_a_task_that_cannot_be_learnt_with_others_is_named_with_the_cure(
    table, tmp_path, column, cells, words
):
    frame = read(table)
    frame[column] = [cells[k % len(cells)] for k in range(len(frame))]
    frame.to_csv(tmp_path / "t.csv", index=False)

    with pytest.raises(DataFileError, match=words) as caught:
        prepare(read_recipe(None, [f"data={tmp_path / 't.csv'}", f"target=[toxic, {column}]"]))
    assert "\n" not in str(caught.value)


def test_a_task_of_which_one_class_is_left_is_told_apart_from_one_that_never_had_two(
    table, tmp_path
):
    frame = read(table)
    frame["rare"] = ["b", *["a"] * (len(frame) - 1)]
    frame.loc[0, "smiles"] = "nonsense"
    frame.to_csv(tmp_path / "t.csv", index=False)

    with pytest.raises(DataFileError, match=r"rows left task 'rare' has 'a' alone.*Leave it out"):
        prepare(read_recipe(None, [f"data={tmp_path / 't.csv'}", "target=[toxic, rare]"]))


def test_where_no_task_has_two_classes_left_it_is_said_why(table, tmp_path):
    lines = ["smiles,a,b", *(f"{smiles},1,1" for smiles in SMILES), "xx,0,0", "yy,0,0"]
    (tmp_path / "t.csv").write_text("\n".join(lines))

    with pytest.raises(
        DataFileError, match=r"of 51 rows 49 .*none of the 2 tasks has two classes; most"
    ):
        prepare(read_recipe(None, [f"data={tmp_path / 't.csv'}", "target=[a, b]"]))


def test_a_list_of_one_column_is_a_run_of_one_task(table):
    one = prepare(read_recipe(None, [f"data={table}", "target=[toxic]", *QUICK]))

    assert one.inputs.targets.ndim == 1
    assert one.inputs.tasks == ()
    assert one.classes == ("0", "1")
    assert one.tasks == {}


def test_a_set_known_by_its_name_brings_all_its_tasks(tmp_path):
    raw = tmp_path / "ClinTox" / "raw"
    raw.mkdir(parents=True)
    lines = [f"{smiles},{k % 2},{k // 2 % 2}" for k, smiles in enumerate(SMILES)]
    (raw / "clintox.csv").write_text("\n".join(["smiles,FDA_APPROVED,CT_TOX", *lines, ""]))
    found = prepare(read_recipe(None, [f"data={tmp_path / 'ClinTox'}", "target=CT_TOX"]))
    assert found.inputs.n_tasks == 1

    entry = read_recipe(None, [f"data={tmp_path / 'ClinTox'}"])
    assert [*prepare(entry).tasks] == ["FDA_APPROVED", "CT_TOX"]


@pytest.mark.slow
def test_tox21_is_learnt_whole(data_root, tmp_path):
    from kekule.data import MOLECULE_SETS

    tasks = MOLECULE_SETS["Tox21"].tasks
    given = [f"data={data_root / 'moleculenet' / 'tox21.csv'}", f"target=[{','.join(tasks)}]"]
    given += ["model=gin", "train.epochs=2", "protocol.folds=2", "protocol.seeds=1"]
    run = train(None, [*given, "protocol.baselines=[majority]"], out=tmp_path / "run")

    assert run.scores["n_rows"] == 7831
    assert run.scores["n_tasks_scored"]["roc_auc"] == 12
    assert run.scores["metrics"]["roc_auc"]["mean"] > 0.65
    assert run.model().predict(["CCO"])["SR-p53.prediction"][0] in ("0", "1")


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)
