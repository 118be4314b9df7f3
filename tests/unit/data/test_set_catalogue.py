import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from kekule._errors import DataFileError
from kekule.data import SETS, find_set, read_tu
from kekule.data.alphabet import read_alphabet
from kekule.data.catalogue import EMBEDDED, known_name

REAL = ["MUTAG", "PTC_MR", "NCI1", "PROTEINS", "ENZYMES"]
README = "Node labels:\n\n  0  C\n  1  N\n\nEdge labels:\n\n  0  aromatic\n  1  single\n"


@pytest.mark.parametrize("name", REAL)
def test_the_catalogue_says_of_a_set_what_its_files_say(tu_root, name):
    entry, graphs = SETS[name], read_tu(tu_root / name)

    assert entry.n_graphs == len(graphs)
    assert entry.n_classes == len(set(graphs.targets.tolist()))
    assert entry.node_labels == (graphs.node_columns == ("label",))
    assert entry.edge_labels == (graphs.edge_columns == ("label",))
    assert entry.node_attributes == (graphs.node_attributes.shape[1] > 0)
    assert entry.edge_attributes == (graphs.edge_attributes.shape[1] > 0)


@pytest.mark.parametrize("name", REAL)
def test_the_sums_in_the_catalogue_are_those_of_the_files(tu_root, name):
    files = {path.name: path for path in (tu_root / name).glob(f"{name}_*.txt")}

    assert set(SETS[name].files) == set(files)
    for file, digest in SETS[name].files.items():
        assert hashlib.sha256(files[file].read_bytes()).hexdigest() == digest


def test_the_embedded_mutag_is_the_collections_and_holds_no_readme(tu_root):
    files = {path.name for path in EMBEDDED["MUTAG"].iterdir()}

    assert files == set(SETS["MUTAG"].files)
    for file in files:
        assert (EMBEDDED["MUTAG"] / file).read_bytes() == (tu_root / "MUTAG" / file).read_bytes()


def test_the_card_of_mutag_states_the_sums_of_its_files():
    card = (Path(__file__).parents[3] / "references" / "MUTAG.md").read_text(encoding="utf-8")

    for file, digest in SETS["MUTAG"].files.items():
        row = next(line for line in card.splitlines() if line.startswith(f"| `{file}`"))
        assert digest in row
        n_lines = len((EMBEDDED["MUTAG"] / file).read_text().splitlines())
        assert f"| {n_lines:,} |" in row


@pytest.mark.parametrize("name", ["MUTAG", "PTC_MR"])
def test_the_alphabet_in_the_catalogue_is_that_of_the_readme(tu_root, name):
    graphs = read_tu(tu_root / name)

    assert SETS[name].alphabet == graphs.alphabet
    assert SETS[name].graphs_sha256 == graphs.sha256


def test_the_embedded_mutag_has_its_alphabet_and_a_changed_one_has_not(tiny):
    assert find_set("MUTAG").alphabet == SETS["MUTAG"].alphabet
    assert find_set(tiny(name="MUTAG")).alphabet is None


@pytest.mark.parametrize("name", ["NCI1", "PROTEINS", "ENZYMES"])
def test_sets_whose_labels_are_not_explained_have_no_alphabet(tu_root, name):
    assert find_set(tu_root / name).alphabet is None


@pytest.mark.parametrize(
    ("readme", "nodes", "edges", "found"),
    [
        (README, [0, 1], [0, 1], True),
        (README, [0], [1], True),
        (README.replace("\n", "\r\n"), [0, 1], [0, 1], True),
        (README, [0, 2], [0, 1], False),
        (README, [0, 1], [2], False),
        (README.replace("N\n", "CH3\n"), [0, 1], [0, 1], False),
        (README.replace("N\n", "Xx\n"), [0, 1], [0, 1], False),
        (README.replace("N\n", "C\n"), [0, 1], [0, 1], False),
        (README.replace("single", "sheet"), [0, 1], [0, 1], False),
        (README.replace("Edge", "Some"), [0, 1], [0, 1], False),
        ("", [0], [0], False),
    ],
)
def test_a_readme_is_believed_only_if_it_explains_every_label(readme, nodes, edges, found):
    alphabet = read_alphabet(readme, nodes, edges)

    assert (alphabet is not None) == found
    if alphabet:
        assert alphabet.elements == {0: "C", 1: "N"}
        assert alphabet.bonds == {0: "aromatic", 1: "single"}


def test_a_folder_goes_before_a_fetched_set_and_that_before_the_embedded(
    tiny, tmp_path, monkeypatch
):
    raw = tmp_path / "raw"
    tiny(raw / "MUTAG" / "raw", name="MUTAG")
    monkeypatch.chdir(tmp_path)

    assert len(find_set("MUTAG", raw=tmp_path / "none")) == 188
    assert len(find_set("MUTAG", raw=raw)) == 2
    tiny(tmp_path / "MUTAG", name="MUTAG", graph_labels="1\n2\n3\n")
    assert len(find_set("MUTAG", raw=raw)) == 3


def test_a_folder_with_a_sets_name_that_holds_no_set_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "MUTAG").mkdir()

    assert len(find_set("MUTAG")) == 188
    with pytest.raises(DataFileError, match="no file in it is named"):
        find_set("./MUTAG")


def test_case_does_not_matter_where_one_name_fits(tiny, tmp_path):
    raw = tmp_path / "raw"
    tiny(raw / "Mixed", name="Mixed")

    assert len(find_set("mutag", raw=raw)) == 188
    assert find_set("mixed", raw=raw).name == "Mixed"


def test_case_matters_where_two_names_fit(tiny, tmp_path):
    tiny(tmp_path / "mine", name="mine")
    if (tmp_path / "MINE").exists():
        pytest.skip("this file system does not tell MINE from mine")
    tiny(tmp_path / "MINE", name="MINE", graph_labels="1\n2\n3\n")

    assert len(find_set("MINE", raw=tmp_path)) == 3
    with pytest.raises(DataFileError, match="Mine: no folder and no set"):
        find_set("Mine", raw=tmp_path)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("NCI1", r"Fetch it with `kekule data get NCI1`\."),
        ("nci1", r"Did you mean NCI1\? Fetch a set with `kekule data get NCI1`\."),
        ("IMDB-BINRY", r"Did you mean IMDB-BINARY\?"),
        ("xyzzyx", r"Fetch a set with `kekule data get xyzzyx`\."),
        ("some/where", r"Give the folder that holds NAME_A\.txt"),
    ],
)
def test_a_set_that_is_not_here_comes_with_the_command_that_fetches_it(tmp_path, name, cure):
    with pytest.raises(DataFileError, match=cure):
        find_set(name, raw=tmp_path)


def test_names_are_spelt_as_the_catalogue_spells_them():
    assert known_name("tox21_ahr_TRAINING") == "Tox21_AhR_training"
    assert known_name("my-own") == "my-own"
    assert all(name == entry.name == known_name(name.lower()) for name, entry in SETS.items())


def test_importing_the_data_part_loads_no_heavy_library():
    code = "import sys, kekule.data; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "kekule.data.rows" in loaded
    assert {"torch", "torch_geometric", "rdkit", "pandas", "sklearn"}.isdisjoint(loaded)


def test_molecules_and_tables_are_read_without_torch():
    code = (
        "import sys; from kekule.data import *; import kekule.data as d;"
        "d.graphs_from_smiles(['CC'], d.find_set('MUTAG').alphabet);"
        "d.read_structures(['CC']); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_a_name_the_data_part_does_not_have_is_an_attribute_error():
    import kekule.data

    with pytest.raises(AttributeError, match="has no attribute 'read_everything'"):
        _ = kekule.data.read_everything


def test_every_name_fetched_later_is_there_under_that_name():
    import kekule.data

    for name, home in kekule.data._LATER.items():
        module = importlib.import_module(f"kekule.data.{home}")
        assert getattr(kekule.data, name) is getattr(module, name)
