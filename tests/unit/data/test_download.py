import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kekule._errors import DataFileError, DownloadError, OutputError
from kekule.data import SETS, find_set, get_set, read_tu
from kekule.data import fetch as fetch_module

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.*:DeprecationWarning")


@pytest.fixture
def zipped(tiny, tmp_path):
    """Zip the tiny set as the collection does, with other members added."""

    def write(name="TINY", extra=None, **changes):
        folder = tiny(tmp_path / "source" / name, name=name, **changes)
        path = tmp_path / "source" / f"{name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}/", "")
            for file in sorted(folder.iterdir()):
                archive.write(file, f"{name}/{file.name}")
            for member, text in (extra or {}).items():
                archive.writestr(member, text)
        shutil.rmtree(folder)
        return path

    return write


def test_a_set_fetched_over_http_is_the_set(server, zipped, tiny, tmp_path):
    server.script = [zipped().read_bytes()]
    folder = get_set("TINY", raw=tmp_path / "raw", mirror=server.url)

    assert server.asked == ["/sets/TINY.zip"]
    assert folder == tmp_path / "raw" / "TINY"
    assert read_tu(folder).sha256 == read_tu(tiny()).sha256
    assert find_set("tiny", raw=tmp_path / "raw").sha256 == read_tu(tiny()).sha256


def test_without_a_mirror_the_address_is_pytorch_geometrics(server, zipped, tmp_path, monkeypatch):
    from torch_geometric.datasets import TUDataset

    assert TUDataset.url.startswith("https://")
    monkeypatch.setattr(TUDataset, "url", server.url)
    server.script = [zipped().read_bytes()]

    assert get_set("TINY", raw=tmp_path / "raw").is_dir()
    assert server.asked == ["/sets/TINY.zip"]


def test_pytorch_geometric_finds_a_fetched_set_without_fetching(tmp_path, monkeypatch):
    from torch_geometric.datasets import TUDataset

    get_set("MUTAG", raw=tmp_path)
    monkeypatch.setattr(TUDataset, "download", lambda _: pytest.fail("it wants to fetch"))
    dataset = TUDataset(str(tmp_path), "MUTAG")

    assert len(dataset) == 188
    assert get_set("MUTAG", raw=tmp_path).is_dir()  # its cache beside the files is no change


def test_mutag_needs_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "_attempt", lambda *_: pytest.fail("it went out"))
    folder = get_set("mutag", raw=tmp_path)

    assert find_set(folder).alphabet == SETS["MUTAG"].alphabet
    np.testing.assert_array_equal(find_set(folder).targets, find_set("MUTAG").targets)


@pytest.mark.parametrize("name", ["PTC_MR", "ENZYMES"])
@pytest.mark.parametrize("as_address", [False, True])
def test_a_real_set_comes_from_a_folder_of_folders(tu_root, tmp_path, name, as_address):
    mirror = tu_root.as_uri() if as_address else str(tu_root)
    folder = get_set(name, raw=tmp_path, mirror=mirror)

    assert read_tu(folder).sha256 == read_tu(tu_root / name).sha256
    assert find_set(folder).alphabet == find_set(tu_root / name).alphabet


def test_a_folder_with_a_zip_is_a_mirror_and_is_left_as_it_was(zipped, tmp_path):
    path = zipped()
    before = path.read_bytes()
    folder = get_set("TINY", raw=tmp_path / "raw", mirror=str(path.parent))

    assert len(read_tu(folder)) == 2
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["TINY.zip"]


def test_litter_of_file_managers_is_not_unpacked_into_the_set(server, zipped, tmp_path):
    litter = {"__MACOSX/TINY/._TINY_A.txt": "x", "TINY/.DS_Store": "x", "TINY/README.txt": "words"}
    server.script = [zipped(extra=litter).read_bytes()]
    folder = get_set("TINY", raw=tmp_path, mirror=server.url)

    names = {path.name for path in (folder / "raw").iterdir()}
    assert "README.txt" in names
    assert all(name.endswith(".txt") for name in names)
    assert sorted(path.name for path in folder.iterdir()) == ["checksums.json", "raw"]


def test_files_are_read_only_and_their_sums_written_down(server, zipped, tmp_path):
    path = zipped()
    server.script = [path.read_bytes()]
    folder = get_set("TINY", raw=tmp_path, mirror=server.url)

    record = json.loads((folder / "checksums.json").read_text())
    assert record["address"] == f"{server.url}/TINY.zip"
    assert record["archive_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record["files"] == {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in (folder / "raw").iterdir()
    }
    for each in folder.rglob("*.*"):
        assert not stat.S_IMODE(each.stat().st_mode) & 0o222, each


def test_progress_runs_up_to_the_length(server, zipped, tmp_path):
    body, seen = zipped().read_bytes(), []
    server.script = [body]
    get_set("TINY", raw=tmp_path, mirror=server.url, progress=lambda *now: seen.append(now))

    assert seen[-1] == (len(body), len(body))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_server_that_does_not_say_the_length_is_believed(server, zipped, tmp_path):
    seen = []
    server.script = [{"body": zipped().read_bytes(), "length": None}]
    get_set("TINY", raw=tmp_path, mirror=server.url, progress=lambda *now: seen.append(now))

    assert seen[-1][1] is None


@pytest.mark.parametrize("trouble", [503, 500, 429, "short", "empty"])
def test_trouble_that_passes_is_outlasted(server, zipped, tmp_path, trouble):
    body = zipped().read_bytes()
    first = {
        "short": {"body": body[:100], "length": len(body)},
        "empty": {"body": b"", "length": 9},
    }
    server.script = [first.get(trouble, trouble), body]

    assert len(read_tu(get_set("TINY", raw=tmp_path, mirror=server.url))) == 2
    assert len(server.asked) == 2


def test_trouble_that_stays_is_an_error_after_four_attempts(server, tmp_path):
    server.script = [503]

    with pytest.raises(
        DownloadError, match=r"TINY\.zip: the server answers 503 .*, 4 times.*--mir"
    ):
        get_set("TINY", raw=tmp_path, mirror=server.url)
    assert len(server.asked) == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "why"), [(404, "no such file"), (403, "answers 403")])
def test_a_lasting_refusal_is_not_tried_again(server, tmp_path, status, why):
    server.script = [status]

    with pytest.raises(DownloadError, match=why):
        get_set("TINY", raw=tmp_path, mirror=server.url)
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_nobody_at_the_address_is_an_error_that_offers_a_mirror(server, tmp_path):
    server.close()

    with pytest.raises(DownloadError, match=r"no connection .*, 4 times\. .*--mirror"):
        get_set("TINY", raw=tmp_path, mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_a_protected_address_may_not_lead_to_an_open_one(tmp_path, monkeypatch):
    class Answer:
        url = "http://elsewhere/TINY.zip"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer())
    with pytest.raises(DownloadError, match=r"leads to http://elsewhere/TINY\.zip, which is not"):
        get_set("TINY", raw=tmp_path, mirror="https://safe.example")


def test_a_redirect_is_followed(server, zipped, tmp_path):
    moved = {"status": 302, "body": b"", "headers": {"Location": f"{server.url}/new/TINY.zip"}}
    server.script = [moved, zipped().read_bytes()]

    assert get_set("TINY", raw=tmp_path, mirror=server.url).is_dir()
    assert server.asked[1] == "/sets/new/TINY.zip"


def test_an_archive_with_another_sum_is_refused(server, zipped, tmp_path):
    body, raw = zipped().read_bytes(), tmp_path / "raw"
    server.script = [body]

    with pytest.raises(DownloadError, match=r"has sha256 [0-9a-f]{64}, not 0{64}"):
        get_set("TINY", raw=raw, mirror=server.url, sha256="0" * 64)
    assert list(raw.iterdir()) == []
    right = hashlib.sha256(body).hexdigest().upper()
    folder = get_set("TINY", raw=raw, mirror=server.url, sha256=right)
    with pytest.raises(DownloadError, match=f"not {'0' * 64}"):
        get_set("TINY", raw=raw, mirror=server.url, sha256="0" * 64)
    assert folder.is_dir()


def test_a_folder_has_no_archive_to_sum(tiny, tmp_path):
    tiny(tmp_path / "mirror" / "TINY")

    with pytest.raises(DownloadError, match="a folder of files has no archive to sum"):
        get_set("TINY", raw=tmp_path / "raw", mirror=str(tmp_path / "mirror"), sha256="0" * 64)


def test_a_known_set_with_other_bytes_is_refused(server, zipped, tmp_path):
    server.script = [zipped(name="PTC_MR").read_bytes()]

    with pytest.raises(DownloadError, match=r"its PTC_MR_A\.txt is not the known one"):
        get_set("PTC_MR", raw=tmp_path / "raw", mirror=server.url)
    assert list((tmp_path / "raw").iterdir()) == []


BAD_MEMBERS = {
    "up and out": ("../evil.txt", "leads out of the folder"),
    "up within": ("TINY/../../evil.txt", "leads out of the folder"),
    "from the root": ("/tmp/evil.txt", "leads out of the folder"),  # noqa: S108
    "backslashes": ("TINY\\..\\evil.txt", "leads out of the folder"),
    "another folder": ("OTHER/evil.txt", "is not a file in the folder TINY"),
    "no folder": ("evil.txt", "is not a file in the folder TINY"),
    "a folder within": ("TINY/deep/evil.txt", "is not a file in the folder TINY"),
}


@pytest.mark.parametrize("case", BAD_MEMBERS)
def test_an_archive_that_reaches_beyond_its_folder_is_not_unpacked(server, zipped, tmp_path, case):
    member, why = BAD_MEMBERS[case]
    server.script = [zipped(extra={member: "evil"}).read_bytes()]

    with pytest.raises(DownloadError, match=f"evil.txt' {why}"):
        get_set("TINY", raw=tmp_path / "raw", mirror=server.url)
    assert list(tmp_path.rglob("evil.txt")) == []
    assert not Path("/tmp/evil.txt").exists()  # noqa: S108
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_link_in_an_archive_is_refused(server, zipped, tmp_path):
    path = zipped()
    link = zipfile.ZipInfo("TINY/TINY_graph_attributes.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    server.script = [path.read_bytes()]

    with pytest.raises(DownloadError, match="is a link"):
        get_set("TINY", raw=tmp_path / "raw", mirror=server.url)


def test_a_bomb_is_refused_before_it_is_unpacked(server, zipped, tmp_path):
    server.script = [zipped(extra={"TINY/TINY_boom.txt": b"0" * 80_000_000}).read_bytes()]

    with pytest.raises(DownloadError, match=r"of \d+ bytes would swell to 8000\d+"):
        get_set("TINY", raw=tmp_path / "raw", mirror=server.url)


def test_an_archive_with_a_damaged_member_is_refused(server, zipped, tmp_path):
    body = bytearray(zipped().read_bytes())
    at = body.index(b"TINY/TINY_A.txt") + len("TINY/TINY_A.txt") + 4
    body[at] ^= 0xFF
    server.script = [bytes(body)]

    with pytest.raises(DownloadError, match="the archive cannot be unpacked"):
        get_set("TINY", raw=tmp_path / "raw", mirror=server.url)
    assert list((tmp_path / "raw").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _: b"<html>Please log in</html>", "what came is not a zip archive"),
        (lambda _: b"", "what came is not a zip archive"),
        (lambda zipped: zipped(A=None).read_bytes(), r"holds no TINY/TINY_A\.txt"),
        (
            lambda zipped: zipped(graph_indicator=None).read_bytes(),
            "graph_indicator.txt: there is",
        ),
        (lambda zipped: zipped(node_labels="0\nx\n0\n0\n0\n").read_bytes(), "line 2: 'x' is not"),
    ],
)
def test_what_is_no_set_is_refused_and_leaves_nothing(server, zipped, tmp_path, change, why):
    server.script = [change(zipped)]

    with pytest.raises(DownloadError, match=why) as caught:
        get_set("TINY", raw=tmp_path / "raw", mirror=server.url)
    assert caught.value.address == f"{server.url}/TINY.zip"
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_set_that_is_there_is_checked_and_not_fetched_again(server, zipped, tmp_path):
    server.script = [zipped().read_bytes()]
    first = get_set("TINY", raw=tmp_path, mirror=server.url)
    again = get_set("TINY", raw=tmp_path, mirror=server.url)

    assert first == again
    assert len(server.asked) == 1


@pytest.mark.parametrize("change", ["edit", "remove", "add", "record"])
def test_a_set_that_was_changed_since_is_an_error_naming_the_file(tiny, tmp_path, change):
    tiny(tmp_path / "mirror" / "TINY")
    folder = get_set("TINY", raw=tmp_path / "raw", mirror=str(tmp_path / "mirror"))
    labels = folder / "raw" / "TINY_graph_labels.txt"
    if change == "edit":
        labels.chmod(0o644)
        labels.write_text("1\n1\n")
    elif change == "remove":
        labels.unlink()
    elif change == "add":
        (folder / "raw" / "TINY_edge_attributes.txt").write_text("1\n" * 6)
    else:
        (folder / "checksums.json").chmod(0o644)
        (folder / "checksums.json").write_text("{")
    message = {
        "edit": r"TINY_graph_labels\.txt: the file was changed",
        "remove": r"TINY_graph_labels\.txt: the file is gone",
        "add": r"TINY_edge_attributes\.txt: the file was not in the set",
        "record": r"checksums\.json: it cannot be read",
    }[change]

    with pytest.raises(DataFileError, match=rf"{message}.*kekule data get TINY"):
        get_set("TINY", raw=tmp_path / "raw", mirror=str(tmp_path / "mirror"))


def test_a_set_put_there_by_hand_is_taken_if_it_can_be_read(tiny, tmp_path):
    tiny(tmp_path / "TINY")
    assert get_set("TINY", raw=tmp_path) == tmp_path / "TINY"

    tiny(tmp_path / "BAD", name="BAD", graph_labels="x\ny\n")
    with pytest.raises(DataFileError, match=r"BAD_graph_labels\.txt, line 1"):
        get_set("BAD", raw=tmp_path)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b", "a\n", "-rf", "é"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(DownloadError, match="this is no name of a set"):
        get_set(name, raw=tmp_path / "raw", mirror=str(tmp_path))
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("mirror", "why"),
    [("nowhere", "there is no such folder"), (".", "holds neither"), ("ftp://x", "of kind 'ftp'")],
)
def test_a_mirror_that_is_none_is_named(tmp_path, monkeypatch, mirror, why):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DownloadError, match=why):
        get_set("TINY", raw=tmp_path / "raw", mirror=mirror)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "raw").write_text("a file")

    with pytest.raises(OutputError, match=r"raw: nothing can be put here"):
        get_set("MUTAG", raw=tmp_path / "raw")


def test_two_processes_at_once_both_end_with_the_whole_set(server, zipped, tmp_path):
    server.script = [zipped().read_bytes()]
    code = (
        "import sys; from pathlib import Path; from kekule.data import get_set, read_tu;"
        "print(len(read_tu(get_set('TINY', raw=Path(sys.argv[1]), mirror=sys.argv[2]))))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "raw"), server.url]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in running]

    assert [
        (process.returncode, out.strip()) for process, (out, _) in zip(running, ends, strict=True)
    ] == [
        (0, "2"),
        (0, "2"),
    ], ends
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["TINY"]


def test_who_comes_second_takes_what_is_there(zipped, tmp_path, monkeypatch):
    from kekule.data import download

    mirror, raw = str(zipped().parent), tmp_path / "raw"
    check = download._check_whole

    def overtaken(*given):
        monkeypatch.setattr(download, "_check_whole", check)
        get_set("TINY", raw=raw, mirror=mirror)
        check(*given)

    monkeypatch.setattr(download, "_check_whole", overtaken)
    folder = get_set("TINY", raw=raw, mirror=mirror)

    assert [path.name for path in raw.iterdir()] == ["TINY"]
    assert len(read_tu(folder)) == 2


def test_a_fetch_killed_midway_leaves_no_set_and_its_litter_is_swept_up(server, zipped, tmp_path):
    body, raw = zipped().read_bytes(), tmp_path / "raw"
    server.script = [{"body": body[:200], "length": len(body), "stall": 5}, body]
    code = (
        "import sys; from pathlib import Path; from kekule.data import get_set;"
        "get_set('TINY', raw=Path(sys.argv[1]), mirror=sys.argv[2])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(raw), server.url])
    deadline = time.monotonic() + 60
    while not (server.asked and list(raw.glob(".TINY-*/*"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()

    litter = list(raw.iterdir())
    assert [path.name[:6] for path in litter] == [".TINY-"]
    with pytest.raises(DataFileError, match="no folder and no set"):
        find_set("TINY", raw=raw)
    long_ago = time.time() - 7200
    for path in (*litter[0].rglob("*"), litter[0]):
        os.utime(path, (long_ago, long_ago))
    get_set("TINY", raw=raw, mirror=server.url)
    assert [path.name for path in raw.iterdir()] == ["TINY"]


def test_a_fetch_interrupted_from_the_keyboard_leaves_nothing(server, zipped, tmp_path):
    server.script = [zipped().read_bytes()]

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get_set("TINY", raw=tmp_path / "raw", mirror=server.url, progress=interrupt)
    assert list((tmp_path / "raw").iterdir()) == []
