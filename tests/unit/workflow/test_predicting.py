"""A table of answers is written whole or not at all, and only where it was asked to be."""

import errno
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kekule._errors import BundleError, OutputError
from kekule.workflow import predict
from kekule.workflow.csv_file import write_csv

TABLE = pd.DataFrame({"row": [0, 1], "name": ['a,"b"\nc', "é"]})


def test_a_table_comes_back_from_its_file_and_nothing_else_is_left(tmp_path):
    write_csv(TABLE, tmp_path / "new" / "a b.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "new" / "a b.csv"), TABLE)
    assert os.listdir(tmp_path / "new") == ["a b.csv"]  # noqa: PTH208


@pytest.mark.parametrize(
    ("problem", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
        (OSError("pandas says so"), OutputError),
        (ValueError("a bug"), ValueError),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_write_that_breaks_leaves_the_older_file_alone(tmp_path, monkeypatch, problem, raised):
    path = tmp_path / "out.csv"
    path.write_text("older")

    def break_down(table, where, **_):
        where.write_text("row,na")
        raise problem

    monkeypatch.setattr(pd.DataFrame, "to_csv", break_down)
    with pytest.raises(raised):
        write_csv(TABLE, path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "far" / "table.csv")
    write_csv(TABLE, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "far" / "table.csv")) == 2


def test_a_device_stays_a_device():
    before = os.stat(os.devnull).st_mode  # noqa: PTH116
    write_csv(TABLE, Path(os.devnull))
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode) == stat.S_ISCHR(before)  # noqa: PTH116


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_csv(TABLE, tmp_path / "pipe")
    reader.join(10)
    assert got == [TABLE.to_csv(index=False)]


def test_the_place_is_looked_at_before_the_bundle_and_the_input(tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path, tmp_path / "file" / "out.csv"):
        with pytest.raises(OutputError, match=str(out)):
            predict(tmp_path / "no bundle", ["CCO"], out=out)
    assert (tmp_path / "file").read_text() == "mine"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_a_bad_bundle_leaves_nothing_at_the_place(tmp_path):
    with pytest.raises(BundleError, match="no bundle"):
        predict(tmp_path / "no bundle", ["CCO"], out=tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_graphs_are_answered_row_by_row_and_written(finished_run, tmp_path, tiny_set):
    data = tiny_set(empty=(3,))
    table = predict(finished_run.path, str(data), out=tmp_path / "out.csv")
    back = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)

    assert table["graph"].tolist() == [str(number) for number in range(1, 13)]
    assert np.flatnonzero(table["status"] == "invalid").tolist() == [3]
    assert back["reason"][3] == "the graph has no nodes"
    assert back["prediction"].astype(str).tolist() == table["prediction"].tolist()
