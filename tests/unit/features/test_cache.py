import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

from kekule.features import Column, GraphSchema
from kekule.features.cache import CacheEntry, GraphCache, cache_folder

SCHEMA = GraphSchema((Column("label", (1, 6, 7)),), (Column("label", (1, 2)),), 2)
KEY = {"data": "abc", "policy": '{"name": "parent"}', "schema": "12"}
ROWS = pd.DataFrame(
    {
        "smiles": ["CCO", "", "C,C\n\"'\r\n \t", "ß→\x00"],
        "status": ["ok", "invalid", "ok", "NaN"],
    },
    dtype=str,
)


@pytest.fixture
def maker(random_packed):
    """Something to be made, and the times it was."""

    class Maker:
        def __init__(self, seed=0, sizes=(3, 0, 2, 6)):
            rng = np.random.default_rng(seed)
            self.entry = CacheEntry(random_packed(SCHEMA, list(sizes), rng), ROWS)
            self.n_made = 0

        def __call__(self):
            self.n_made += 1
            return self.entry

    return Maker


@pytest.fixture
def cache(tmp_path):
    return GraphCache(tmp_path / "cache")


@pytest.fixture
def assert_same(arrays_of):
    def compare(found, wanted):
        np.testing.assert_equal(arrays_of(found.graphs), arrays_of(wanted.graphs))
        assert found.graphs.schema == wanted.graphs.schema
        pd.testing.assert_frame_equal(found.rows, wanted.rows)

    return compare


def entries(cache):
    return sorted(path for path in cache.folder.iterdir() if path.is_dir())


def test_what_was_made_once_is_read_the_next_time_and_is_the_same(cache, maker, assert_same):
    make = maker()
    first, second = (cache.load_or_make(KEY, make) for _ in range(2))
    anew = GraphCache(cache.folder).load_or_make(dict(reversed(KEY.items())), make)

    assert make.n_made == 1
    for found in (first, second, anew):
        assert_same(found, make.entry)


def test_arrays_from_the_cache_are_mapped_and_cannot_be_written_to(cache, maker):
    nodes = cache.load_or_make(KEY, maker()).graphs.nodes

    assert isinstance(nodes, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        nodes[...] = 0


@pytest.mark.parametrize("part", KEY)
def test_any_change_of_the_key_is_another_entry(cache, maker, assert_same, part):
    first, second = maker(1), maker(2)
    cache.load_or_make(KEY, first)
    other = KEY | {part: KEY[part] + "1"}

    for _ in range(2):
        assert_same(cache.load_or_make(other, second), second.entry)
        assert_same(cache.load_or_make(KEY, first), first.entry)
    assert (first.n_made, second.n_made) == (1, 1)


FILES = [
    "entry.json",
    "rows.parquet",
    "graphs/schema.json",
    "graphs/nodes.npy",
    "graphs/edge_index.npy",
    "graphs/node_pointer.npy",
    "graphs/node_attributes.npy",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["changed byte", "cut", "emptied", "gone", "a folder"])
def test_a_damaged_entry_is_never_read_and_made_anew(cache, maker, assert_same, name, damage):
    make = maker()
    cache.load_or_make(KEY, make)
    file = entries(cache)[0] / name
    whole, times = file.read_bytes(), file.stat()
    if damage in {"gone", "a folder"}:
        file.unlink()
        if damage == "a folder":
            file.mkdir()
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :]
        file.write_bytes({"changed byte": flipped, "cut": whole[:-3], "emptied": b""}[damage])
        os.utime(file, (times.st_atime, times.st_mtime))  # size and time tell nothing

    for _ in range(2):
        assert_same(cache.load_or_make(KEY, make), make.entry)
    assert make.n_made == 2
    assert [path.name for path in entries(cache)] == [file.relative_to(cache.folder).parts[0]]


def test_a_file_too_many_and_the_entry_of_another_key_are_damage_too(cache, maker):
    make = maker()
    cache.load_or_make(KEY, make)
    (entries(cache)[0] / "graphs" / "more.npy").write_bytes(b"")
    cache.load_or_make(KEY, make)
    assert make.n_made == 2

    record = entries(cache)[0] / "entry.json"
    given = json.loads(record.read_text())
    record.write_text(json.dumps(given | {"key": KEY | {"data": "abd"}}))
    cache.load_or_make(KEY, make)
    assert make.n_made == 3


def test_a_file_where_the_entry_should_be_is_replaced(cache, maker, assert_same):
    make = maker()
    cache.load_or_make(KEY, make)
    place = entries(cache)[0]
    for path in sorted(place.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    place.rmdir()
    place.write_text("in the way")

    assert_same(cache.load_or_make(KEY, make), make.entry)
    assert place.is_dir()


def test_what_goes_wrong_while_it_is_made_passes_through_and_leaves_nothing(cache, maker):
    def fail():
        raise OSError("the table is gone")

    with pytest.raises(OSError, match="the table is gone"):
        cache.load_or_make(KEY, fail)
    assert entries(cache) == []
    make = maker()
    cache.load_or_make(KEY, make)  # the lock was let go
    assert make.n_made == 1


def test_a_cache_that_cannot_be_written_to_is_done_without_and_said_once(
    tmp_path, maker, assert_same, caplog
):
    place = tmp_path / "a file"
    place.write_text("no folder")
    make, cache = maker(), GraphCache(place / "cache")
    with caplog.at_level(logging.INFO, "kekule"):
        for _ in range(3):
            assert_same(cache.load_or_make(KEY, make), make.entry)

    assert make.n_made == 3
    assert len(caplog.messages) == 1
    assert "a file/cache: nothing can be kept here" in caplog.messages[0]
    assert "Set KEKULE_CACHE to a folder that can be written to." in caplog.messages[0]


def test_a_full_disk_costs_the_entry_and_not_the_run(
    cache, maker, assert_same, monkeypatch, caplog
):
    def full(*_):
        raise OSError(28, "No space left on device")

    make = maker()
    with monkeypatch.context() as patch:
        patch.setattr("kekule.features.cache._flush", full)
        assert_same(cache.load_or_make(KEY, make), make.entry)

    assert entries(cache) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    cache.load_or_make(KEY, make)
    assert len(entries(cache)) == 1


def test_rows_that_cannot_be_kept_as_text_are_still_given_back(cache, maker, caplog):
    make = maker()
    make.entry = CacheEntry(make.entry.graphs, pd.DataFrame({"smiles": ["\udc80"]}, dtype=object))

    assert cache.load_or_make(KEY, make) is make.entry
    assert entries(cache) == []
    assert len(caplog.records) == 1


def test_the_longest_unused_entries_give_way_to_new_ones(tmp_path, maker):
    sizes = [400] * 4
    probe = GraphCache(tmp_path / "probe")
    probe.load_or_make(KEY, maker(0, sizes))
    one = sum(path.stat().st_size for path in probe.folder.rglob("*"))
    cache = GraphCache(tmp_path / "cache", most_bytes=int(2.5 * one))
    makes = {name: maker(0, sizes) for name in "abc"}
    for name in "ababc":  # c needs the room of a, which was used before b
        cache.load_or_make({"data": name}, makes[name])
        time.sleep(0.02)
    cache.load_or_make({"data": "b"}, makes["b"])
    cache.load_or_make({"data": "a"}, makes["a"])

    assert {name: make.n_made for name, make in makes.items()} == {"a": 2, "b": 1, "c": 1}


def test_an_entry_larger_than_the_cache_may_be_is_not_kept(tmp_path, maker, assert_same):
    cache, make = GraphCache(tmp_path / "cache", most_bytes=1000), maker()

    assert_same(cache.load_or_make(KEY, make), make.entry)
    assert entries(cache) == []


def test_the_folder_is_for_its_user_alone(cache, maker):
    cache.load_or_make(KEY, maker())

    assert cache.folder.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"KEKULE_CACHE": "/a/b", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/kekule"),
        ({"KEKULE_CACHE": "", "XDG_CACHE_HOME": "x", "HOME": "/h"}, "/h/.cache/kekule"),
        ({"HOME": "/h"}, "/h/.cache/kekule"),
    ],
)
def test_the_cache_is_where_the_environment_says(monkeypatch, environment, expected):
    for name in ("KEKULE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert str(cache_folder()) == expected


OTHER = """
    import sys, time
    from pathlib import Path
    import numpy as np, pandas as pd
    from kekule.features import cache as module
    from kekule.features.cache import CacheEntry, GraphCache
    from kekule.features.molecules import molecule_graphs

    def make():
        with open(sys.argv[2], "a") as log:
            log.write("made ")
        time.sleep(float(sys.argv[3]))
        return CacheEntry(molecule_graphs(["CCO"] * 20000).graphs, pd.DataFrame({"a": ["x"]}))

    def wait(folder):
        print("written", flush=True)
        time.sleep(60)

    if sys.argv[4] == "stop before the end":
        module._flush = wait
    print("ready", flush=True)
    entry = GraphCache(Path(sys.argv[1])).load_or_make({"data": "1"}, make)
    print(len(entry.graphs), entry.graphs.nodes.sum())
"""


def other_process(cache, log, *, pause=0.0, how="to the end"):
    command = [sys.executable, "-c", textwrap.dedent(OTHER)]
    arguments = [str(cache.folder), str(log), str(pause), how]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)


def test_two_processes_that_want_the_same_make_it_once(cache, tmp_path):
    log = tmp_path / "log"
    both = [other_process(cache, log, pause=0.5) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split("\n")[1] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert said[0].startswith("20000 ")
    assert log.read_text() == "made "


def test_a_process_killed_while_it_writes_leaves_nothing_that_is_read(cache, tmp_path):
    log = tmp_path / "log"
    with other_process(cache, log, how="stop before the end") as first:
        assert first.stdout.readline() == "ready\n"
        assert first.stdout.readline() == "written\n"
        first.send_signal(signal.SIGKILL)
    assert [path.suffix for path in entries(cache)] == [".partial"]

    second = other_process(cache, log)
    assert "20000 " in second.communicate(timeout=60)[0]
    assert log.read_text() == "made made "
    assert [path.suffix for path in entries(cache)] == [""]


def test_what_a_killed_process_left_of_another_entry_is_cleared_away(cache, maker):
    cache.folder.mkdir()
    left = cache.folder / f"{'a' * 64}.partial"
    left.mkdir()
    (left / "rows.parquet").write_bytes(b"half")
    stranger = cache.folder / "notes"
    stranger.mkdir()
    cache.load_or_make(KEY, maker())

    assert not left.exists()
    assert stranger.exists()


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_a_cache_that_works(cache, tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(15):
        with other_process(cache, tmp_path / "log") as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.6))
            process.kill()
        for path in entries(cache):
            if rng.random() < 0.7 and not path.suffix:
                (path / "rows.parquet").write_bytes(b"x")  # make it again
    said = other_process(cache, tmp_path / "log").communicate(timeout=60)[0]

    assert "20000 " in said
    assert [path.suffix for path in entries(cache)] == [""]
