"""A table of molecules by the real command: audited, trained on, asked about."""

import json
import os
import re

import pandas as pd
import pytest

SMALL = (
    *("model=gcn", "model.hidden=4", "train.epochs=2", "protocol.folds=2", "protocol.seeds=1"),
    "protocol.baselines=[majority]",
)


@pytest.fixture(autouse=True)
def _cache_of_its_own(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("KEKULE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def table(tmp_path):
    """Forty alcohols and amines, sorted by label, one of them twice and one unreadable."""
    rings = ("C1CCCCC1", "c1ccccc1", "c1ccncc1", "c1ccsc1", "c1ccoc1")
    tails = ["C" * n + ring for n in range(1, 5) for ring in rings]
    rows = [*((f"O{tail}", "yes") for tail in tails), *((f"N{tail}", "no") for tail in tails)]
    rows += [("OCc1ccccc1", "no"), ("OCc1ccccc", "yes")]
    path = tmp_path / "assay.csv"
    pd.DataFrame(rows, columns=["SMILES", "active"]).to_csv(path, index=False)
    return path


def test_an_audit_is_printed_worst_first_and_written_as_json_and_as_a_page(door, table, tmp_path):
    out = tmp_path / "audit.json", tmp_path / "audit.html"
    said = door("audit", table, "target=active", "--json", out[0], "--html", out[1])
    audit = json.loads(out[0].read_text())
    shown = [line.split("│")[1].strip() for line in said.out.splitlines() if line.startswith("│")]
    colours = [word for word in shown if word]

    assert said.code == 0, said.err
    assert said.err == ""
    assert colours == sorted(colours, key=["red", "amber", "green"].index)
    assert "shortcut: row order" in said.out
    assert said.out.splitlines()[-2:] == [str(path) for path in out]
    assert f"Verdict: {audit['verdict']}" in said.out
    assert audit["verdict"] == "red"
    assert out[1].read_text().startswith("<!doctype html>")


def test_an_audit_without_a_target_looks_at_the_molecules_alone(door, table):
    said = door("audit", table)

    assert said.code == 0
    assert "unparsable rows" in said.out
    assert "AUROC" not in said.out


def test_an_audit_of_a_graph_set_tells_of_isomorphic_graphs(door):
    said = door("audit", "MUTAG")

    assert said.code == 0
    assert "isomorphic duplicates" in said.out


def test_a_table_is_trained_on_and_asked_about_with_no_other_word(door, table, tmp_path):
    run = tmp_path / "run"
    trained = door("train", f"data={table}", "target=active", *SMALL, "--out", run, "-q")
    scores = json.loads((run / "scores.json").read_text())
    asked = door("predict", run, "Oc1ccccc1", "nonsense")
    answers = asked.out.splitlines()

    assert trained.code == 0, trained.err
    assert "assay, 39 of 42 rows, scaffold 2-fold" in trained.out
    assert "conflict" in trained.out
    assert scores["protocol"]["split"] == "scaffold"
    assert scores["n_rows"] == 42
    assert asked.code == 0
    assert len(answers) == 3
    either = r"(yes|no|yes\|no|no\|yes|)"
    sure = rf"{either},(True|False),0\.\d+,\d+$"
    assert re.match(rf"0,Oc1ccccc1,ok,,Oc1ccccc1,(yes|no),0\.\d+,{sure}", answers[1])
    assert answers[2].startswith("1,nonsense,invalid,syntax error")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "data=TABLE"], "target="),
        (["train", "data=TABLE", "target=activ"], "'active'"),
        (["train", "data=TABLE", "target=SMILES"], "SMILES"),
        (["train", "data=nowhere.csv", "target=y"], "nowhere.csv"),
        (["train", "data=BBBP"], "kekule data get BBBP"),
        (["audit", "TABLE", "target=active", "smiles=smile"], "SMILES"),
        (["audit", "TABLE", "target=active", "protocol.split=tine"], "did you mean time"),
        (["audit", "TABLE", "--html", "TABLE/audit.html"], "cannot be written"),
        (["train", "data=TABLE", "target=active", "standardise=parant"], "parent"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line_and_exit_code_two(
    door, table, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    said = door(*(word.replace("TABLE", str(table)) for word in arguments))

    assert said.code == 2, said.out
    assert said.err.count("\n") == 1
    assert said.err.startswith("kekule: ")
    assert words in said.err


@pytest.mark.slow
def test_every_row_of_bbbp_is_accounted_for(kekule, data_root, tmp_path):
    table = data_root / "moleculenet" / "BBBP.csv"
    small = (*SMALL[:3], *SMALL[4:])  # folds as they come
    said = kekule("train", f"data={table}", "target=p_np", *small, "--out", "run", cwd=tmp_path)
    rejected = pd.read_csv(tmp_path / "run" / "rejected.csv")
    answered = pd.read_csv(tmp_path / "run" / "predictions.csv")
    trained_on = answered["prediction"].notna()

    assert said.code == 0, said.err
    assert len(answered) == 2050
    assert trained_on.sum() + len(rejected) == 2050
    assert rejected["reason"].notna().all()
    assert rejected["reason"].str.contains("valence").sum() == 11
    assert answered["fold"].max() == 5


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_an_audit_does_not_write_over_the_table_it_is_of(door, table, option):
    before = table.read_bytes()
    said = door("audit", table, "target=active", option, table)

    assert said.code == 2
    assert "it is what is audited" in said.err
    assert table.read_bytes() == before


def test_an_audit_that_cannot_be_written_says_so_before_the_work(door, table, tmp_path):
    said = door("audit", table, "target=active", "--html", tmp_path)
    twice = door("audit", table, "--html", tmp_path / "a", "--json", tmp_path / "a")

    assert said.code == twice.code == 2
    assert "it is a folder" in said.err
    assert "two files" in twice.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_that_looks_like_a_table_is_refused_and_not_waited_for(kekule, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    said = kekule("audit", tmp_path / "pipe.csv", timeout=60)

    assert said.code == 2
    assert "a pipe or a device" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "a" * 300 + ".csv"], "cannot be read"),
        (["data", "get", "BBBP", "--mirror", "http://[bad"], "no address"),
        (["data", "get", "BBBP", "--mirror", "http://localhost:99999/x"], "no address"),
        (["audit", "MOLT", "target=x"], "by its name this is none"),
        (["train", "data=[]", "target=x"], "data.source"),
    ],
)
def test_odd_names_and_addresses_are_one_line(door, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    said = door(*arguments)

    assert said.code == 2
    assert said.err.count("\n") == 1
    assert words in said.err


def test_a_first_line_that_names_the_separator_is_no_header(door, tmp_path):
    (tmp_path / "excel.csv").write_text("sep=;\nsmiles;note\nCCO;a,b\nCCN;c\n")
    said = door("audit", tmp_path / "excel.csv", "--json", tmp_path / "a.json")

    assert said.code == 0
    assert json.loads((tmp_path / "a.json").read_text())["rows"] == 2
