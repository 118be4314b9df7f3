import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kekule._errors import DataFileError
from kekule.data import LabelledGraphs, read_tu

DAMAGE = {
    "an edge between two graphs": (
        {"A": "1, 2\n2, 1\n3, 4\n4, 3\n4, 5\n5, 4\n"},
        "A.txt, line 3: edge 3, 4 joins a node of graph 1 to a node of graph 2",
    ),
    "a node that is not there": (
        {"A": "1, 2\n2, 1\n2, 3\n3, 2\n4, 6\n6, 4\n"},
        "A.txt, line 5: edge 4, 6 leaves the range of nodes, 1 to 5",
    ),
    "a node numbered zero": (
        {"A": "0, 1\n2, 1\n2, 3\n3, 2\n4, 5\n5, 4\n"},
        "A.txt, line 1: edge 0, 1 leaves",
    ),
    "text for a number": (
        {"node_labels": "0\n7\ncarbon\n7\n7\n"},
        "node_labels.txt, line 3: 'carbon' is not a whole number",
    ),
    "a fraction for a class": (
        {"graph_labels": "1.0\n-1\n"},
        "graph_labels.txt, line 1: '1.0' is not a whole number",
    ),
    "a line with a column too few": (
        {"A": "1, 2\n2, 1\n2, 3\n3\n4, 5\n5, 4\n"},
        "A.txt, line 4: 1 columns where line 1 has 2",
    ),
    "three ends for an edge": (
        {"A": "1, 2, 3\n" * 6},
        "A.txt, line 1: 3 columns where the format has 2",
    ),
    "a blank line in the middle": (
        {"graph_indicator": "1\n1\n\n1\n2\n2\n"},
        "graph_indicator.txt, line 3: a whole number is missing",
    ),
    "not a number": (
        {"node_attributes": "0.5, 1\n1.5, 2\n2.5, nan\n3.5, 4\n4.5, 5\n"},
        "node_attributes.txt, line 3: 'nan' is not a finite number",
    ),
    "infinity": (
        {"node_attributes": "0.5, 1\n1.5, -inf\n2.5, 3\n3.5, 4\n4.5, 5\n"},
        "node_attributes.txt, line 2: '-inf' is not a finite number",
    ),
    "an attribute beyond 32 bits": (
        {"node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 1e39\n4.5, 5\n"},
        "node_attributes.txt, line 4: '1e39' is too large",
    ),
    "an attribute beyond 64 bits": (
        {"node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n4.5, 1e400\n"},
        "node_attributes.txt, line 5: '1e400' is too large",
    ),
    "a label beyond 64 bits": (
        {"node_labels": "0\n7\n0\n99999999999999999999\n7\n"},
        "node_labels.txt, line 4: '99999999999999999999' is too large",
    ),
    "a label of five thousand digits": (
        {"node_labels": f"0\n7\n0\n7\n{'9' * 5000}\n"},
        r"node_labels.txt, line 5: '9{37}\.\.\.' is too large",
    ),
    "labels for fewer nodes": (
        {"node_labels": "0\n7\n0\n7\n"},
        "node_labels.txt, line 5: 4 lines where TINY_graph_indicator.txt has 5",
    ),
    "labels for more edges": (
        {"edge_labels": "1\n" * 8},
        "edge_labels.txt, line 7: 8 lines where TINY_A.txt has 6",
    ),
    "attributes for no node": (
        {"node_attributes": ""},
        "node_attributes.txt, line 1: 0 lines where TINY_graph_indicator.txt has 5",
    ),
    "a graph without a class": (
        {"graph_labels": "1\n"},
        "graph_indicator.txt, line 4: graph 2 is out of range.*graph_labels.txt has 1 lines",
    ),
    "a graph numbered zero": (
        {"graph_indicator": "1\n1\n0\n2\n2\n"},
        "graph_indicator.txt, line 3: graph 0 is out of range",
    ),
    "a graph number beyond belief": (
        {"graph_indicator": "1\n1\n1\n2\n900000000000\n", "graph_labels": None},
        "graph_indicator.txt, line 5: graph 900000000000 is out of range",
    ),
    "no nodes": ({"graph_indicator": ""}, "graph_indicator.txt: it is empty"),
    "no list of edges' graphs": (
        {"graph_indicator": None},
        "graph_indicator.txt: there is no such file",
    ),
    "one edge with two labels": (
        {"A": "1, 2\n2, 1\n2, 3\n3, 2\n4, 5\n2, 1\n", "edge_labels": "1\n1\n2\n2\n1\n5\n"},
        "edge_labels.txt, line 6: the edge is listed before, in line 2, with another value",
    ),
    "one edge with two attributes": (
        {
            "A": "1, 2\n1, 2\n",
            "edge_labels": None,
            "edge_attributes": "0.5\n0.25\n",
        },
        "edge_attributes.txt, line 2: the edge is listed before, in line 1",
    ),
    "bytes that are no text": (
        {"graph_labels": b"1\n\xff\xfe\x00\n"},
        "graph_labels.txt, line 2: byte 0xff is not text in UTF-8",
    ),
    "a binary file": (
        {"A": b"PK\x03\x04\x00\x00\n\x00"},
        "A.txt, line 1: .* is not a whole number",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_with_file_and_line_and_cure(tiny, damage):
    changes, message = DAMAGE[damage]
    folder = tiny(**changes)

    with pytest.raises(DataFileError, match=message) as caught:
        read_tu(folder)
    assert str(caught.value).startswith(f"{folder}/TINY_")
    assert "\n" not in str(caught.value)
    assert re.search(r"\. [A-Z][^.]*\.$", str(caught.value)), "no cure at the end"


def test_a_damaged_line_deep_in_a_real_set_is_found(tu_root, tmp_path):
    folder = tmp_path / "NCI1"
    folder.mkdir()
    for path in (tu_root / "NCI1").glob("NCI1_*.txt"):
        text = path.read_text()
        if path.name == "NCI1_A.txt":
            lines = text.split("\n")
            lines[199_999] = "17,O"
            text = "\n".join(lines)
        (folder / path.name).write_text(text)

    with pytest.raises(DataFileError, match=r"NCI1_A\.txt, line 200000: 'O' is not a whole"):
        read_tu(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataFileError, match=r"nowhere: there is no such folder\. Give"):
        read_tu(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_named(tiny):
    with pytest.raises(DataFileError, match=r"TINY_A\.txt: this is a file, not a folder"):
        read_tu(tiny() / "TINY_A.txt")


def test_a_folder_of_something_else_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("1, 2\n")

    with pytest.raises(DataFileError, match="no file in it is named NAME_A"):
        read_tu(tmp_path)


def test_two_sets_in_one_folder_are_not_guessed_between(tiny, tmp_path):
    tiny(tmp_path / "both", name="ONE")
    tiny(tmp_path / "both", name="TWO")

    with pytest.raises(DataFileError, match="it holds 2 sets: ONE, TWO"):
        read_tu(tmp_path / "both")
    assert read_tu(tmp_path / "both", "TWO").name == "TWO"
    with pytest.raises(DataFileError, match=r"THREE_A\.txt: there is no such file"):
        read_tu(tmp_path / "both", "THREE")


def test_a_folder_where_a_file_should_be_is_named(tiny):
    folder = tiny(graph_indicator=None)
    (folder / "TINY_graph_indicator.txt").mkdir()

    with pytest.raises(DataFileError, match=r"graph_indicator\.txt: it cannot be read"):
        read_tu(folder)


def test_missing_classes_are_an_error_only_where_they_are_needed(tiny):
    folder = tiny(graph_labels=None)

    with pytest.raises(DataFileError, match=r"graph_labels\.txt: there is no such file"):
        read_tu(folder, require_targets=True)
    assert read_tu(folder).targets is None


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_the_bytes_the_answer_is_graphs_or_an_error_of_ours(tiny, data):
    role = data.draw(st.sampled_from(sorted(tiny.files)))
    raw = bytearray(tiny.files[role].encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        new = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(TOKENS)))
        raw[at : at + data.draw(st.integers(0, 3))] = new
    try:
        graphs = read_tu(tiny(**{role: bytes(raw)}))
    except DataFileError as error:
        assert error.cure  # noqa: PT017 - either end is right, no other is
    else:
        assert_sound(graphs)


TOKENS = [b"\n", b",", b"-", b"9" * 19, b"1e5", b"nan", b" ", b"\r", b"\x00", b"_", b"\xc2\xb2"]


def assert_sound(graphs):
    """What the contract promises of any set."""
    assert isinstance(graphs, LabelledGraphs)
    assert graphs.node_pointer[-1] == len(graphs.node_labels) == len(graphs.node_attributes)
    assert graphs.edge_pointer[-1] == graphs.edge_index.shape[1] == len(graphs.edge_labels)
    for row in range(len(graphs)):
        edges = graphs.graph(row).edge_index
        assert edges.size == 0 or 0 <= edges.min() <= edges.max() < graphs.n_nodes[row]
        pairs = list(zip(*edges.tolist(), strict=True))
        assert pairs == sorted(set(pairs))
