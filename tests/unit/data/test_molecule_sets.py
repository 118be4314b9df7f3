"""Tables of MoleculeNet: what is known of them, and that only such a table is accepted."""

import csv
import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys

import pytest

from kekule._errors import DataFileError, DownloadError
from kekule.data import fetch as fetch_module
from kekule.data import find_set, get_set
from kekule.data import molecule_download as molecule_download_module
from kekule.data.archive import table_address
from kekule.data.molecule_sets import (
    MOLECULE_SETS,
    MoleculeSource,
    find_molecule_set,
    molecule_set_entry,
)
from kekule.data.sets import SETS

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.*:DeprecationWarning")

BBBP = 'num,name,p_np,smiles\n1,"ethanol, pure",1,CCO\n2,salt,0,[Na+].[Cl-]\n3,none,1,nonsense\n'
REAL = {"BACE": "BACE", "BBBP": "BBBP", "HIV": "HIV", "ClinTox": "clintox", "Tox21": "tox21"}


def table_of(name):
    """Write a table of three rows with the columns of a set, where PyTorch Geometric has them."""
    entry = MOLECULE_SETS[name]
    tasks = list(entry.tasks) or [f"assay {k}" for k in range(entry.n_tasks)]
    cells = [
        [f"{(row + k) % 2}" if (row + k) % 5 else "" for k in range(len(tasks))]
        for row in range(3)
    ]
    smiles_first = name in ("BACE", "ClinTox", "HIV", "SIDER", "ToxCast")
    others = {"BACE": ["CID"], "HIV": ["activity"], "BBBP": ["num"]}.get(name, [])
    rows = []
    for smiles, labels in zip(["smiles", "CCO", "c1ccccc1"], [tasks, *cells], strict=False):
        extra = [f"{smiles} {each}" for each in others] if smiles != "smiles" else others
        if smiles_first:
            rows.append([smiles, *extra, *labels])
        else:
            rows.append([*extra, *labels, smiles])
    return "".join(
        ",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\n" for row in rows
    )


@pytest.fixture
def usb(tmp_path):
    """A folder with BBBP.csv, as one brings it on a disk."""
    folder = tmp_path / "usb"
    folder.mkdir()
    (folder / "BBBP.csv").write_text(BBBP)
    return folder


@pytest.mark.parametrize("name", MOLECULE_SETS)
def test_the_catalogue_names_the_columns_pytorch_geometric_takes_by_number(name):
    from torch_geometric.datasets import MoleculeNet

    entry = MOLECULE_SETS[name]
    _, address, file, smiles_at, labels_at = MoleculeNet.names[name.lower()]
    header = next(csv.reader(table_of(name).splitlines()))
    labels = header[labels_at] if isinstance(labels_at, slice) else [header[labels_at]]

    assert entry.file == f"{file}.csv"
    assert address == entry.file + ".gz" * entry.packed
    assert entry.columns(header) == (header[smiles_at], tuple(labels))
    assert entry.n_tasks == len(labels)
    assert table_address(name) == MoleculeNet.url.format(address)


@pytest.mark.parametrize("name", REAL)
def test_the_catalogue_says_of_a_real_table_what_its_lines_say(data_root, name):
    from torch_geometric.datasets import MoleculeNet

    with (data_root / "moleculenet" / f"{REAL[name]}.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    entry = MOLECULE_SETS[name]
    smiles_at, labels_at = MoleculeNet.names[name.lower()][3:]
    labels = header[labels_at] if isinstance(labels_at, slice) else [header[labels_at]]

    assert len(rows) == entry.n_rows
    assert entry.columns(header) == (header[smiles_at], tuple(labels))


def test_together_with_those_to_regress_on_they_are_all_pytorch_geometric_has():
    from torch_geometric.datasets import MoleculeNet

    known = {name.lower() for name in MOLECULE_SETS} | {"esol", "freesolv", "lipo"}
    assert known == set(MoleculeNet.names)
    assert not {name.lower() for name in SETS} & known


@pytest.mark.parametrize("name", REAL)
def test_a_real_table_comes_from_a_folder_unchanged(data_root, tmp_path, name):
    source = data_root / "moleculenet" / f"{REAL[name]}.csv"
    folder = get_set(name, raw=tmp_path / "raw", mirror=str(source.parent))
    found = find_molecule_set(name, raw=tmp_path / "raw")

    assert found.path == folder / "raw" / MOLECULE_SETS[name].file
    assert found.path.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", MOLECULE_SETS)
def test_every_set_is_fetched_packed_and_plain_and_lies_unpacked(server, tmp_path, name):
    text, entry = table_of(name).encode(), MOLECULE_SETS[name]
    for packed in (False, True):
        raw = tmp_path / f"raw{packed}"
        server.script = [gzip.compress(text) if packed else text]
        folder = get_set(name.upper(), raw=raw, mirror=server.url)

        assert folder == raw / name
        assert (folder / "raw" / entry.file).read_bytes() == text
        assert server.asked[-1] == f"/sets/{entry.file}{'.gz' * entry.packed}"


def test_without_a_mirror_the_address_is_pytorch_geometrics(server, tmp_path, monkeypatch):
    from torch_geometric.datasets import MoleculeNet

    assert MoleculeNet.url.startswith("https://")
    monkeypatch.setattr(MoleculeNet, "url", f"{server.url}/{{}}")
    server.script = [gzip.compress(table_of("Tox21").encode())]

    assert get_set("Tox21", raw=tmp_path / "raw").is_dir()
    assert server.asked == ["/sets/tox21.csv.gz"]


def test_a_server_is_asked_for_every_name_a_table_goes_by(server, tmp_path):
    server.script = [404, 404, 404, table_of("BACE").encode()]
    folder = get_set("BACE", raw=tmp_path, mirror=server.url)

    assert server.asked == [
        f"/sets/{name}" for name in ("bace.csv", "bace.csv.gz", "BACE.csv", "BACE.csv.gz")
    ]
    assert [path.name for path in (folder / "raw").iterdir()] == ["bace.csv"]


def test_a_server_that_has_none_of_them_is_named_with_all_of_them(server, tmp_path):
    server.script = [404]

    with pytest.raises(
        DownloadError, match=r"/sets: it holds none of BBBP\.csv, BBBP\.csv\.gz\. .*--mi"
    ):
        get_set("BBBP", raw=tmp_path / "raw", mirror=server.url)
    assert list((tmp_path / "raw").iterdir()) == []


def test_trouble_that_is_no_absence_is_not_tried_under_other_names(server, tmp_path):
    server.script = [403]

    with pytest.raises(DownloadError, match=r"bace\.csv: the server answers 403"):
        get_set("BACE", raw=tmp_path, mirror=server.url)
    assert server.asked == ["/sets/bace.csv"]


def test_a_fetched_folder_is_itself_a_mirror(usb, tmp_path):
    first = get_set("BBBP", raw=tmp_path / "first", mirror=usb.as_uri())
    second = get_set("BBBP", raw=tmp_path / "second", mirror=str(tmp_path / "first"))

    assert (second / "raw" / "BBBP.csv").read_bytes() == (first / "raw" / "BBBP.csv").read_bytes()


def test_the_table_is_read_only_and_its_sums_written_down(usb, tmp_path):
    (usb / "BBBP.csv").unlink()
    packed = gzip.compress(BBBP.encode())
    (usb / "BBBP.csv.gz").write_bytes(packed)
    folder = get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))

    record = json.loads((folder / "checksums.json").read_text())
    assert record["name"] == "BBBP"
    assert record["address"] == str(usb / "BBBP.csv.gz")
    assert record["archive_sha256"] == hashlib.sha256(packed).hexdigest()
    assert record["files"] == {"BBBP.csv": hashlib.sha256(BBBP.encode()).hexdigest()}
    for path in (folder / "checksums.json", folder / "raw" / "BBBP.csv"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path
    assert (usb / "BBBP.csv.gz").read_bytes() == packed


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_with_another_sum_is_refused(usb, tmp_path, packed):
    body = gzip.compress(BBBP.encode()) if packed else BBBP.encode()
    (usb / "BBBP.csv").unlink()
    (usb / ("BBBP.csv.gz" if packed else "BBBP.csv")).write_bytes(body)

    with pytest.raises(DownloadError, match=r"has sha256 [0-9a-f]{64}, not 0{64}"):
        get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb), sha256="0" * 64)
    assert list((tmp_path / "raw").iterdir()) == []
    right = hashlib.sha256(body).hexdigest()
    get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb), sha256=right)
    with pytest.raises(DownloadError, match=f"not {'0' * 64}"):
        get_set("BBBP", raw=tmp_path / "raw", sha256="0" * 64)


def test_a_table_that_is_there_is_checked_and_not_fetched_again(usb, tmp_path, monkeypatch):
    first = get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))
    monkeypatch.setattr(fetch_module, "_attempt", lambda *_: pytest.fail("it went out"))

    assert get_set("bbbp", raw=tmp_path / "raw") == first


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("edit", r"BBBP\.csv: the file was changed"),
        ("remove", r"BBBP\.csv: the file is gone"),
        ("add", r"more\.csv: the file was not in the set"),
    ],
)
def test_a_table_that_was_changed_since_is_an_error_naming_the_file(usb, tmp_path, change, why):
    folder = get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))
    table = folder / "raw" / "BBBP.csv"
    if change == "edit":
        table.chmod(0o644)
        table.write_text(BBBP.replace("CCO", "CCN"))
    elif change == "remove":
        table.unlink()
    else:
        (folder / "raw" / "more.csv").write_text(BBBP)

    with pytest.raises(DataFileError, match=rf"{why}.*kekule data get BBBP"):
        get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))


def test_pytorch_geometric_finds_the_table_without_fetching(usb, tmp_path, monkeypatch):
    from torch_geometric.datasets import MoleculeNet

    folder = get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))
    read = []
    monkeypatch.setattr(MoleculeNet, "download", lambda _: pytest.fail("it wants to fetch"))
    monkeypatch.setattr(MoleculeNet, "process", lambda self: read.extend(self.raw_paths))
    monkeypatch.setattr(MoleculeNet, "load", lambda *_: None)
    MoleculeNet(str(tmp_path / "raw"), "BBBP")

    assert [os.path.realpath(path) for path in read] == [str(folder / "raw" / "BBBP.csv")]
    assert get_set("BBBP", raw=tmp_path / "raw") == folder  # its cache beside is no change


def test_a_table_pytorch_geometric_fetched_is_taken_if_it_is_one(tmp_path):
    place = tmp_path / "bbbp" / "raw"
    place.mkdir(parents=True)
    with pytest.raises(DataFileError, match=r"BBBP\.csv: there is no such file"):
        get_set("BBBP", raw=tmp_path)
    (place / "BBBP.csv").write_text(BBBP)

    assert get_set("BBBP", raw=tmp_path) == tmp_path / "bbbp"
    assert find_molecule_set("BBBP", raw=tmp_path).path == place / "BBBP.csv"
    assert [path.name for path in tmp_path.iterdir()] == ["bbbp"]
    (place / "BBBP.csv").write_text("<html>")
    with pytest.raises(DataFileError, match=r"it is no table of BBBP: no column 'smiles'"):
        get_set("BBBP", raw=tmp_path)


def test_a_disk_without_links_has_the_set_all_the_same(usb, tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.symlink_to", no_links)
    get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))

    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["BBBP"]


BAD = {
    "a page": (b"<!DOCTYPE html><html>Please log in</html>", "no column 'smiles'"),
    "nothing": (b"", "no column 'smiles'"),
    "no rows": (b"num,name,p_np,smiles\n", "no row follows its first line"),
    "no labels": (BBBP.replace("p_np", "other").encode(), "no column 'p_np'"),
    "no structures": (BBBP.replace("smiles", "structure").encode(), "no column 'smiles'"),
    "cut off": (BBBP[:-12].encode(), "line 4: 2 cells stand in it, and 4 in the first"),
    "another code": (BBBP.encode("utf-16"), "no table of text"),
    "bytes": (BBBP.encode().replace(b"salt", b"s\xe9l"), "no table of text"),
    "zero bytes": (BBBP.encode().replace(b"salt", b"s\0lt"), "it holds zero bytes"),
    "a zip": (b"PK\x03\x04" + bytes(200), "no table of text"),
    "a long line": (BBBP.encode() + b"C" * 2_000_000, "a line has more than"),
    "a long cell": (BBBP.encode() + b'1,"' + b"C\n" * 200_000 + b'",1,C\n', "no table of text"),
    "damaged gzip": (gzip.compress(BBBP.encode() * 99)[:-40], "it cannot be unpacked"),
    "no gzip": (b"\x1f\x8b" + b"x" * 99, "it cannot be unpacked"),
    "gzip within": (gzip.compress(gzip.compress(BBBP.encode())), "no table of text"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_of_the_set_is_refused_and_leaves_nothing(server, tmp_path, case):
    body, why = BAD[case]
    server.script = [body]

    with pytest.raises(DownloadError, match=why) as caught:
        get_set("BBBP", raw=tmp_path / "raw", mirror=server.url)
    assert caught.value.address == f"{server.url}/BBBP.csv"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_bomb_is_refused_while_it_is_unpacked(server, tmp_path, monkeypatch):
    monkeypatch.setattr(molecule_download_module, "SMALL", 2**20)
    server.script = [gzip.compress(BBBP.encode() + b"1,a,1,C\n" * 2**20)]

    with pytest.raises(DownloadError, match=r"of \d+ bytes would swell to more than \d+"):
        get_set("BBBP", raw=tmp_path / "raw", mirror=server.url)
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_table_beyond_any_reason_is_refused(usb, tmp_path, monkeypatch):
    monkeypatch.setattr(molecule_download_module, "LARGEST", 20)

    with pytest.raises(DownloadError, match="would swell to more than 20"):
        get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))


@pytest.mark.parametrize("name", ["ESOL", "esol", "FreeSolv", "Lipo", "Lipophilicity"])
def test_a_set_to_regress_on_is_named_as_one(tmp_path, name):
    with pytest.raises(DownloadError, match=r"^\w+: this set is for regression, and kekule sorts"):
        get_set(name, raw=tmp_path / "raw", mirror=str(tmp_path))
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("typo", "meant"), [("BBPB", "BBBP"), ("Tox-21", "Tox21"), ("PTCMR", "PTC_MR")]
)
def test_a_name_nobody_has_comes_with_the_nearest(server, tmp_path, typo, meant):
    server.script = [404]

    with pytest.raises(
        DownloadError, match=rf"{typo}\.zip: there is no such file .*Did you mean {meant}\? "
    ):
        get_set(typo, raw=tmp_path / "raw", mirror=server.url)
    with pytest.raises(DownloadError, match=rf"holds neither .*Did you mean {meant}\? "):
        get_set(typo, raw=tmp_path / "raw", mirror=str(tmp_path))


def test_a_molecule_set_asked_for_as_graphs_comes_with_the_command_that_fetches_it(tmp_path):
    with pytest.raises(DataFileError, match=r"Fetch it with `kekule data get BBBP`\."):
        find_set("BBBP", raw=tmp_path)
    with pytest.raises(DataFileError, match=r"Did you mean BBBP\? "):
        find_set("BBPB", raw=tmp_path)


@pytest.mark.parametrize("said", ["BBBP", "bbbp", "Bbbp"])
def test_a_fetched_set_is_found_by_its_name_with_its_columns(usb, tmp_path, said):
    folder = get_set("BBBP", raw=tmp_path / "raw", mirror=str(usb))
    found = MoleculeSource(folder / "raw" / "BBBP.csv", "smiles", ("p_np",))

    assert find_molecule_set(said, raw=tmp_path / "raw") == found
    assert find_molecule_set(folder, raw=tmp_path / "nowhere") == found
    assert find_molecule_set(str(folder), raw=tmp_path / "nowhere") == found


@pytest.mark.parametrize(
    "said", ["BBBP", "MUTAG", "assay.csv", "", ".", "some/where/BBBP", "ESOL"]
)
def test_what_is_not_here_or_no_name_is_none(tmp_path, said):
    assert find_molecule_set(said, raw=tmp_path) is None


def test_the_smiles_of_bace_go_by_either_name():
    entry = molecule_set_entry("bace")

    assert entry.columns(["mol", "CID", "Class"]) == ("mol", ("Class",))
    assert entry.columns(["smiles", "CID", "Class"]) == ("smiles", ("Class",))
    assert entry.lacks(["CID", "Class"]) == "no column 'smiles' or 'mol'"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", "\0\n", "p_np,smiles,\xff\n"])
def test_a_table_that_lost_its_columns_is_an_error_when_it_is_found(tmp_path, text):
    place = tmp_path / "BBBP" / "raw"
    place.mkdir(parents=True)
    (place / "BBBP.csv").write_bytes(text.encode("latin-1"))

    with pytest.raises(
        DataFileError, match=r"BBBP\.csv.*fetch the set again with `kekule data get B"
    ):
        find_molecule_set("BBBP", raw=tmp_path)


def test_two_processes_at_once_both_end_with_the_whole_table(server, tmp_path):
    server.script = [BBBP.encode()]
    code = (
        "import sys; from pathlib import Path; from kekule.data import get_set;"
        "print(get_set('BBBP', raw=Path(sys.argv[1]), mirror=sys.argv[2]).name);"
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "raw"), server.url]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in running]

    assert ends == [("BBBP\n", ""), ("BBBP\n", "")]
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["BBBP", "bbbp"]


def test_a_fetch_interrupted_from_the_keyboard_leaves_nothing(server, tmp_path):
    server.script = [BBBP.encode()]

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get_set("BBBP", raw=tmp_path / "raw", mirror=server.url, progress=interrupt)
    assert list((tmp_path / "raw").iterdir()) == []
