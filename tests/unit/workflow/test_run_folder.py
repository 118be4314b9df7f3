"""A run appears complete, holds its place alone, and removes nothing that is not its own."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kekule._errors import OutputError
from kekule.workflow.run_folder import FILES, RunFolder

KEY = {"recipe": "r", "data": "d", "version": "1"}


def fill(folder):
    """Write something under every name a run has."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if name == "bundle":
            (folder / name).mkdir(exist_ok=True)
        (folder / name / "bundle.json" if name == "bundle" else folder / name).write_text("old")
    return folder


def opened(out, *, resume=False, **changes):
    folder = RunFolder(out)
    folder.open(KEY | changes, resume=resume)
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "models" / "my run"


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_run_is_not_there_until_it_is_complete_and_then_alone(out):
    folder = opened(out)
    (folder.files / "scores.json").write_text("{}")
    assert not out.exists()

    assert folder.publish() == out
    assert everything(out.parent) == ["my run", "my run/scores.json"]


def test_a_place_is_held_by_one_run_at_a_time(out):
    with RunFolder(out).locked():
        with (
            pytest.raises(OutputError, match=r"my run: another run is writing there"),
            RunFolder(out).locked(),
        ):
            raise AssertionError("two at once")
        with RunFolder(out.with_name("another")).locked():
            pass
    with RunFolder(out).locked():
        pass
    assert everything(out.parent) == []


def test_of_many_at_once_one_is_let_in(out):
    out.parent.mkdir()
    inside, refused, start = [], [], threading.Barrier(8)
    leave = threading.Event()

    def enter():
        start.wait()
        try:
            with RunFolder(out).locked():
                inside.append(1)
                leave.wait(10)
        except OutputError:
            refused.append(1)
            if len(refused) == 7:
                leave.set()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(inside), len(refused)) == (1, 7)


def test_a_place_held_by_a_killed_process_is_free(out):
    code = (
        "import os, sys; from pathlib import Path\n"
        "from kekule.workflow.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked(): os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, out], check=False)
    assert done.returncode == 9
    with RunFolder(out).locked():
        pass


@pytest.mark.parametrize("place", ["a file/run", "a file/below/run"])
def test_a_place_that_cannot_be_written_is_one_line(tmp_path, place):
    (tmp_path / "a file").write_text("mine")
    with (
        pytest.raises(OutputError, match=r"cannot be written: .*Give another --out"),
        RunFolder(tmp_path / place).locked(),
    ):
        raise AssertionError("locked")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
@pytest.mark.parametrize("place", ["/proc/run", "/proc/self/run", "/sys/kernel/run"])
def test_not_even_root_writes_a_run_into_the_kernel(place):
    with pytest.raises(OutputError, match="cannot be written"), RunFolder(Path(place)).locked():
        raise AssertionError("locked")


def test_a_name_too_long_for_the_disk_is_one_line(tmp_path):
    with (
        pytest.raises(OutputError, match="cannot be written"),
        RunFolder(tmp_path / ("x" * 300)).locked(),
    ):
        raise AssertionError("locked")


def test_resuming_keeps_folds_and_log_and_clears_what_was_half_written(
    out, fold_result, final_task
):
    folder = opened(out)
    folder.folds.put(final_task, fold_result())
    (folder.files / "log.txt").write_text("so far\n")
    (folder.files / "scores.json").write_text('{"half": ')
    (folder.files / "bundle").mkdir()

    again = opened(out, resume=True)
    assert again.folds.get(final_task) is not None
    assert everything(again.files) == ["log.txt"]
    assert (again.files / "log.txt").read_text() == "so far\n"


def test_resuming_nothing_starts_a_run(out):
    assert opened(out, resume=True).files.is_dir()


@pytest.mark.parametrize("name", KEY)
def test_an_unfinished_run_of_something_else_is_not_continued(out, fold_result, final_task, name):
    opened(out).folds.put(final_task, fold_result())
    with pytest.raises(OutputError, match=f"another {name}.*leave out --resume"):
        opened(out, resume=True, **{name: "other"})
    assert opened(out, resume=True).folds.get(final_task) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"key"', "\x00"])
def test_folds_of_nobody_knows_what_are_not_continued(out, fold_result, final_task, text):
    folder = opened(out)
    folder.folds.put(final_task, fold_result())
    (folder.partial / "key.json").write_text(text)
    with pytest.raises(OutputError, match="another recipe and data and version"):
        opened(out, resume=True)


def test_a_run_killed_before_its_first_word_can_be_resumed(out):
    folder = opened(out)
    (folder.partial / "key.json").unlink()
    again = opened(out, resume=True)
    assert json.loads((again.partial / "key.json").read_text()) == KEY


def test_starting_anew_discards_the_unfinished_run_and_says_so(
    out, fold_result, final_task, caplog
):
    opened(out).folds.put(final_task, fold_result())
    assert opened(out).folds.get(final_task) is None
    assert "unfinished run of 1 folds is discarded; --resume would" in caplog.text


def test_a_complete_run_is_replaced_when_told_to(out):
    fill(out)
    (out / ".DS_Store").write_text("a desktop's own")
    folder = opened(out)
    (folder.files / "scores.json").write_text("new")
    folder.publish(overwrite=True)
    assert everything(out.parent) == ["my run", "my run/scores.json"]
    assert (out / "scores.json").read_text() == "new"


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    "files", [["thesis.docx"], [".hidden"], ["scores.json"], [*FILES, "notes.txt"]], ids=str
)
def test_what_no_run_wrote_is_never_replaced(out, files, overwrite):
    folder = opened(out)
    out.mkdir()
    for name in files:
        (out / name).write_text("mine")
    with pytest.raises(OutputError, match=r"Move it away"):
        folder.publish(overwrite=overwrite)
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(files, "mine")
    assert folder.files.is_dir()


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_at_the_place_of_a_run_is_never_replaced(out, overwrite):
    folder = opened(out)
    out.write_text("mine")
    with pytest.raises(OutputError, match=r"Move it away"):
        folder.publish(overwrite=overwrite)
    assert out.read_text() == "mine"


def test_the_file_that_stands_in_the_way_is_named(out):
    fill(out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"no run of kekule wrote the 'notes\.txt' in it"):
        RunFolder(out).check_replaceable()
    (out / "notes.txt").unlink()
    (out / "audit.json").unlink()
    with pytest.raises(OutputError, match=r"no run of kekule \(audit\.json is missing\)"):
        RunFolder(out).check_replaceable()


def test_an_empty_folder_is_free_and_a_full_one_is_not(out):
    assert not RunFolder(out).occupied()
    folder = opened(out)
    out.mkdir()
    assert not folder.occupied()
    (folder.files / "scores.json").write_text("new")
    folder.publish()
    assert folder.occupied()
    assert everything(out) == ["scores.json"]


def test_a_rename_that_fails_leaves_the_older_run_in_its_place(out, monkeypatch):
    fill(out)
    folder = opened(out)
    (folder.files / "scores.json").write_text("new")
    rename = Path.rename

    def refuse(path, target):
        if path == folder.files:
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match=r"Permission denied.*--resume"):
        folder.publish(overwrite=True)
    assert (out / "scores.json").read_text() == "old"
    assert (folder.files / "scores.json").read_text() == "new"


def test_a_run_killed_between_the_two_renames_is_finished_by_resuming(out):
    fill(out)
    folder = opened(out)
    os.rename(out, folder.partial / "replaced")  # noqa: PTH104 # as the kill left it
    again = opened(out, resume=True)
    (again.files / "scores.json").write_text("new")
    again.publish(overwrite=True)
    assert everything(out.parent) == ["my run", "my run/scores.json"]
