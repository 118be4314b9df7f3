"""What a user can put right is said in one line; nothing is printed, nothing is left behind."""

import errno
import os
import sys

import pytest

from kekule import cli

RECIPE = "model:\n  name: gin\ntrain:\n  epochs: 2\n"


def assert_refused(said, *words):
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("kekule: ")
    assert said.err.count("\n") == 1
    for word in words:
        assert word in said.err


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("train.epcohs=5", ["train.epcohs", "Did you mean epochs?"]),
        ("tarin.epochs=5", ["tarin", "Did you mean train?"]),
        ("train.learning_rate=-0.1", ["train.learning_rate", "-0.1"]),
        ("train.epochs=many", ["train.epochs", "many"]),
        ("train.epochs=0", ["train.epochs", "0"]),
        ("model=resnet", ["resnet", "gcn, gin"]),
        ("protocol.folds=1", ["protocol.folds", "1"]),
        ("protocol.baselines=[oracle]", ["oracle", "majority"]),
        ("data=MUTAGS", ["MUTAGS", "Did you mean MUTAG?"]),
        ("seed=-1", ["seed", "-1"]),
        ("=5", ["=5"]),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(door, tmp_path, setting, words):
    said = door("train", setting, "--out", tmp_path / "run")
    assert_refused(said, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["recipe.yaml", "No such file"]),
        ("", []),
        (RECIPE + "tarin: {}\n", ["recipe.yaml", "Did you mean train?"]),
        (RECIPE + "train: {}\n", ["recipe.yaml", "'train' is given twice"]),
        ("a: [", ["recipe.yaml", "not YAML"]),
        ("- a\n- b\n", ["recipe.yaml", "list"]),
        ("!!python/object/apply:os.system [exit]", ["recipe.yaml", "not YAML"]),
        ("\x00", ["recipe.yaml"]),
        (f"a: {'[' * 3000}", ["recipe.yaml"]),
    ],
    ids=lambda value: str(value)[:25],
)
def test_a_recipe_that_cannot_be_used_is_named(door, tmp_path, text, words):
    path = tmp_path / "recipe.yaml"
    if text is not None:
        path.write_text(text)
    if text == "":
        assert door("recipe", "check", path).code == 0
    else:
        assert_refused(door("train", path, "--out", tmp_path / "run"), *words)
    assert not (tmp_path / "run").exists()


def first_line(change):
    return lambda text: change(text.partition("\n")[0]) + "\n" + text.partition("\n")[2]


DAMAGE = {
    "a missing file": ({"graph_indicator": lambda _: None}, ["BAD_graph_indicator.txt"]),
    "counts that disagree": (
        {"node_labels": lambda text: text.partition("\n")[2]},
        ["BAD_node_labels.txt, line 3371", "3370 lines"],
    ),
    "an edge between graphs": (
        {"A": first_line(lambda _: "1, 3371")},
        ["BAD_A.txt, line 1", "graph 1", "graph 188"],
    ),
    "an index out of range": ({"A": first_line(lambda _: "0, 1")}, ["BAD_A.txt, line 1"]),
    "text where a number belongs": (
        {"graph_labels": first_line(lambda _: "active")},
        ["BAD_graph_labels.txt, line 1", "'active'"],
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("verb", ["train", "convert", "predict"])
def test_a_damaged_set_is_named_with_file_and_line(door, tu_copy, tmp_path, run, damage, verb):
    changes, words = DAMAGE[damage]
    folder, out = tu_copy(**changes), tmp_path / "out"
    said = {
        "train": lambda: door("train", f"data={folder}", "--out", out),
        "convert": lambda: door("data", "convert", folder, "-o", out),
        "predict": lambda: door("predict", run, folder, "-o", out),
    }[verb]()
    assert_refused(said, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["BAD"]


def test_a_set_without_classes_cannot_be_trained_on(door, tu_copy, tmp_path):
    folder = tu_copy(graph_labels=lambda _: None)
    said = door("train", f"data={folder}", "--out", tmp_path / "out")
    assert_refused(said, "no class labels", "BAD_graph_labels.txt")


@pytest.mark.parametrize("place", ["a file", "a file/run", "/proc/run", "/", "mine"])
@pytest.mark.parametrize("option", [None, "--resume", "--overwrite"])
def test_a_place_that_is_no_place_for_a_run_is_refused_and_kept(door, tmp_path, place, option):
    if place.startswith("/proc") and not os.path.isdir("/proc/self"):  # noqa: PTH112
        pytest.skip("no /proc here")
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").write_text("mine")
    out = place if place.startswith("/") else tmp_path / place
    said = door("train", "data=MUTAG", "--out", out, *([option] if option else []))

    assert_refused(said, str(out).rstrip("/"))
    assert (tmp_path / "a file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.docx"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", "mine"]


def test_a_complete_run_is_refused_a_second_time_and_shown_with_resume(door, trained, tiny):
    folder, first = trained
    out = folder / "models" / "tiny"
    assert_refused(door("train", *tiny, "--out", out), "--overwrite", "--resume")
    assert_refused(door("train", *tiny, "seed=4", "--out", out, "--resume"), "another recipe")
    again = door("train", *tiny, "--out", out, "--resume")
    assert again.code == 0
    assert again.out.partition("Report: ")[0] == first.out.partition("Report: ")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--epochs", "5"], ["--epochs", "`kekule train --help`"]),
        (["train", "--processes", "0"], ["--processes", "`kekule train --help`"]),
        (["train", "--processes", "two"], ["--processes"]),
        (["train", "a.yaml", "b.yaml"], ["b.yaml", "key.sub=value"]),
        (["predict"], ["`kekule predict --help`"]),
        (["predict", "nowhere", "CCO"], ["nowhere: there is no such folder", "run folder"]),
        (["predict", ".", "CCO"], ["there is no bundle.json", "run folder"]),
        (["report", "nowhere"], ["nowhere", "no complete run"]),
        (["nonsense"], ["nonsense", "`kekule --help`"]),
        (["data", "get", "../MUTAG"], ["../MUTAG"]),
        (["data", "get", "MUTAG", "--mirror", "nowhere"], ["nowhere", "--mirror"]),
        (["recipe", "check", "nowhere.yaml"], ["nowhere.yaml", "No such file"]),
    ],
    ids=" ".join,
)
def test_a_command_that_makes_no_sense_says_what_would(
    door, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    assert_refused(door(*arguments), *words)


def test_a_name_that_tries_to_rule_the_terminal_is_shown_as_text(door, tmp_path):
    said = door("predict", tmp_path / "\x1b[2J\nkekule: all is well", "CCO")
    assert_refused(said, r"\x1b[2J kekule: all is well")
    assert "\x1b" not in said.err


@pytest.fixture
def broken(monkeypatch):
    """Let `kekule data list` end in an error; standard output is put back afterwards."""
    keep = os.dup(1)
    yield lambda error: monkeypatch.setattr(
        "kekule.workflow.datasets.list_sets", lambda *_: (_ for _ in ()).throw(error)
    )
    os.dup2(keep, 1)
    os.close(keep)


def test_a_bug_keeps_its_traceback(monkeypatch, broken):
    monkeypatch.setattr(sys, "argv", ["kekule", "data", "list"])
    for bug in (ZeroDivisionError("a bug"), OSError(errno.EBADF, "a bug")):
        broken(bug)
        with pytest.raises(type(bug), match="a bug"):
            cli.main()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_no_more_is_no_bug(door, broken, number):
    broken(OSError(number, os.strerror(number), "some/file"))
    said = door("data", "list")
    assert_refused(said, f"kekule: some/file: {os.strerror(number)}. Make room")


def test_a_reader_that_had_enough_is_no_error(door, broken):
    broken(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert door("data", "list") == (0, "", "")


def test_ctrl_c_in_a_training_says_how_to_go_on(door, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("kekule.workflow.training.train", interrupted)
    said = door("train")
    assert said.code == 130
    assert said.err.count("\n") == 1
    assert "--resume" in said.err


def test_a_disk_that_fills_in_the_middle_is_one_line(kekule, tmp_path, tiny):
    resource = pytest.importorskip("resource", reason="no limits on file sizes here")
    limit = 8_000  # bytes: less than a network's weights
    said = kekule(
        *("train", *tiny, "protocol.baselines=[majority]", "--processes", 1),
        *("--out", tmp_path / "run"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert_refused(said, "File too large", "--resume")
    assert not (tmp_path / "run").exists()
