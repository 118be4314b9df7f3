import time

import numpy as np
import pytest

from kekule.data import LabelledGraphs, read_tu

SETS = ["MUTAG", "PTC_MR", "NCI1", "PROTEINS", "ENZYMES"]


@pytest.mark.parametrize("name", SETS)
def test_the_edges_of_a_real_set_are_those_pytorch_geometric_reads(tu_root, name):
    from torch_geometric.io import read_tu_data

    graphs = read_tu(tu_root / name)
    data, slices, _ = read_tu_data(str(tu_root / name), name)

    loops = graphs.edge_index[0] == graphs.edge_index[1]
    np.testing.assert_array_equal(graphs.edge_index[:, ~loops], data.edge_index.numpy())
    assert not loops.any()
    np.testing.assert_array_equal(graphs.edge_pointer, slices["edge_index"].numpy())
    np.testing.assert_array_equal(graphs.node_pointer, slices["x"].numpy())
    _, codes = np.unique(graphs.targets, return_inverse=True)
    np.testing.assert_array_equal(codes, data.y.numpy())


@pytest.mark.parametrize("name", SETS)
def test_node_labels_and_attributes_are_those_pytorch_geometric_reads(tu_root, name):
    from torch_geometric.io import read_tu_data

    graphs = read_tu(tu_root / name)
    x = read_tu_data(str(tu_root / name), name)[0].x.numpy()
    width = graphs.node_attributes.shape[1]
    codes = graphs.node_labels[:, 0] - graphs.node_labels.min()

    np.testing.assert_array_equal(graphs.node_attributes, x[:, :width])
    np.testing.assert_array_equal(np.eye(x.shape[1] - width)[codes], x[:, width:])


@pytest.mark.parametrize("name", ["MUTAG", "PTC_MR"])
def test_edge_labels_are_those_pytorch_geometric_reads(tu_root, name):
    from torch_geometric.io import read_tu_data

    graphs = read_tu(tu_root / name)
    one_hot = read_tu_data(str(tu_root / name), name)[0].edge_attr.numpy()

    np.testing.assert_array_equal(graphs.edge_labels[:, 0], one_hot.argmax(axis=1))


def test_a_quarter_of_a_million_edges_are_read_in_half_a_second(tu_root):
    seconds = []
    for _ in range(5):  # the machine may be busy with something else
        start = time.perf_counter()
        graphs = read_tu(tu_root / "NCI1")
        seconds.append(time.perf_counter() - start)

    assert graphs.edge_index.shape[1] == 265_506
    assert min(seconds) < 0.5


def test_the_tiny_set_is_read_as_it_is_written(tiny):
    graphs = read_tu(tiny())

    assert (graphs.name, len(graphs)) == ("TINY", 2)
    assert graphs.node_pointer.tolist() == [0, 3, 5]
    assert graphs.edge_pointer.tolist() == [0, 4, 6]
    assert graphs.edge_index.tolist() == [[0, 1, 1, 2, 0, 1], [1, 0, 2, 1, 1, 0]]
    assert graphs.node_labels.tolist() == [[0], [7], [0], [7], [7]]
    assert graphs.edge_labels.tolist() == [[1], [1], [2], [2], [1], [1]]
    assert graphs.node_attributes.tolist()[4] == [-4.5, 5.0]
    assert graphs.targets.tolist() == [1, -1]
    assert (graphs.node_columns, graphs.edge_columns) == (("label",), ("label",))
    assert graphs.remarks == ()


def test_arrays_have_the_types_of_the_contract(tiny):
    graphs = read_tu(tiny())

    for field in ("node_pointer", "edge_pointer", "edge_index", "node_labels", "edge_labels"):
        assert getattr(graphs, field).dtype == np.int64, field
    assert graphs.targets.dtype == np.int64
    assert graphs.node_attributes.dtype == graphs.edge_attributes.dtype == np.float32


def test_one_graph_cut_out_is_the_graph_read_alone(tiny, tmp_path):
    alone = tiny(
        tmp_path / "alone",
        A="1, 2\n2, 1\n",
        graph_indicator="1\n1\n",
        graph_labels="-1\n",
        node_labels="7\n7\n",
        edge_labels="1\n1\n",
        node_attributes="3.5, 4\n-4.5, 5\n",
    )

    assert_same_graphs(read_tu(tiny()).graph(1), read_tu(alone))


def test_the_layout_of_pytorch_geometric_is_read_like_the_flat_one(tiny, tmp_path):
    tiny(tmp_path / "nested" / "raw")

    assert_same_graphs(read_tu(tmp_path / "nested"), read_tu(tiny()))
    assert read_tu(tmp_path / "nested").sha256 == read_tu(tiny()).sha256


def test_carriage_returns_marks_blanks_and_trailing_lines_change_nothing(tiny, tmp_path):
    dressed = {
        role: ("\ufeff" + text.replace(",", " ,\t").replace("\n", "  \r\n") + "\r\n \r\n").encode()
        for role, text in tiny.files.items()
    }

    assert_same_graphs(read_tu(tiny(tmp_path / "dressed", **dressed)), read_tu(tiny()))


def test_edges_listed_twice_are_kept_once_and_said(tiny):
    twice = "1, 2\n2, 1\n2, 3\n3, 2\n1, 2\n2, 1\n2, 3\n3, 2\n4, 5\n5, 4\n"
    graphs = read_tu(tiny(A=twice, edge_labels=None))

    assert graphs.edge_index.tolist() == read_tu(tiny()).edge_index.tolist()
    assert any("lists 4 edges again" in remark for remark in graphs.remarks)


def test_an_edge_listed_twice_with_one_label_keeps_that_label(tiny):
    labels = {"A": "1, 2\n2, 1\n1, 2\n", "edge_labels": "3\n4\n3\n"}
    graphs = read_tu(tiny(**labels))

    assert graphs.edge_index.tolist() == [[0, 1], [1, 0]]
    assert graphs.edge_labels.tolist() == [[3], [4]]


def test_nodes_listed_in_any_order_give_the_same_graphs(tiny, tmp_path):
    # The nodes of the tiny set in the order 4, 1, 5, 2, 3.
    mixed = tiny(
        tmp_path / "mixed",
        A="2, 4\n4, 2\n4, 5\n5, 4\n1, 3\n3, 1\n",
        graph_indicator="2\n1\n2\n1\n1\n",
        node_labels="7\n0\n7\n7\n0\n",
        node_attributes="3.5, 4\n0.5, 1\n-4.5, 5\n1.5, 2\n2.5, 3\n",
    )
    graphs = read_tu(mixed)

    assert_same_graphs(graphs, read_tu(tiny()))
    assert any("put in that order" in remark for remark in graphs.remarks)


@pytest.mark.parametrize("seed", range(5))
def test_permuting_the_nodes_of_a_real_set_only_renumbers_them(mutag, tiny, tmp_path, seed):
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(mutag)), mutag.n_nodes)
    ends = mutag.edge_index + np.repeat(mutag.node_pointer[:-1], mutag.n_edges)
    order = rng.permutation(len(owner))  # new place k holds old node order[k]
    place = np.argsort(order)
    shuffle = rng.permutation(ends.shape[1])
    folder = tiny(
        tmp_path / "permuted",
        A="".join(f"{u + 1}, {v + 1}\n" for u, v in place[ends[:, shuffle]].T.tolist()),
        graph_indicator=lines(owner[order] + 1),
        graph_labels=lines(mutag.targets),
        node_labels=lines(mutag.node_labels[order, 0]),
        edge_labels=lines(mutag.edge_labels[shuffle, 0]),
        node_attributes=None,
    )
    graphs = read_tu(folder)

    # The reader keeps the nodes of a graph in the order it met them.
    kept = order[np.argsort(owner[order], kind="stable")]
    np.testing.assert_array_equal(graphs.node_pointer, mutag.node_pointer)
    np.testing.assert_array_equal(graphs.node_labels, mutag.node_labels[kept])
    assert labelled_edges(graphs, names=kept) == labelled_edges(mutag, np.arange(len(kept)))


def test_isolated_nodes_and_empty_graphs_keep_their_place(tiny):
    graphs = read_tu(
        tiny(
            A="1, 2\n2, 1\n",
            graph_indicator="1\n1\n1\n3\n",
            graph_labels="1\n2\n3\n",
            node_labels="0\n0\n5\n6\n",
            edge_labels="1\n1\n",
            node_attributes=None,
        )
    )

    assert graphs.n_nodes.tolist() == [3, 0, 1]
    assert graphs.n_edges.tolist() == [2, 0, 0]
    assert graphs.node_labels[:, 0].tolist() == [0, 0, 5, 6]
    assert any("Graphs without nodes: 1" in remark for remark in graphs.remarks)


def test_a_set_without_edges_keeps_the_column_of_edge_labels(tiny):
    graphs = read_tu(tiny(A="", edge_labels=""))

    assert graphs.edge_index.shape == (2, 0)
    assert graphs.edge_labels.shape == (0, 1)
    assert graphs.edge_columns == ("label",)


def test_several_columns_of_labels_are_several_properties(tiny):
    graphs = read_tu(tiny(node_labels="0, 1\n7, 1\n0, 2\n7, 1\n7, -3\n"))

    assert graphs.node_columns == ("label_0", "label_1")
    assert graphs.node_labels[4].tolist() == [7, -3]


def test_edge_attributes_follow_their_edges(tiny):
    attributes = "0.12\n0.21\n0.23\n0.32\n0.45\n0.54\n"
    backwards = "5, 4\n4, 5\n3, 2\n2, 3\n2, 1\n1, 2\n"
    graphs = read_tu(tiny(edge_attributes=attributes))
    turned = read_tu(
        tiny(
            name="TURNED",
            A=backwards,
            edge_labels="1\n1\n2\n2\n1\n1\n",
            edge_attributes="0.54\n0.45\n0.32\n0.23\n0.21\n0.12\n",
        )
    )

    expected = np.array([0.12, 0.21, 0.23, 0.32, 0.45, 0.54], dtype=np.float32)
    np.testing.assert_array_equal(graphs.edge_attributes[:, 0], expected)
    assert_same_graphs(turned, graphs)


def test_without_node_labels_the_number_of_neighbours_stands_in(tiny):
    # Node 2 of the path says its edges twice and loops; node 3 is only pointed at.
    graphs = read_tu(
        tiny(A="1, 2\n2, 1\n1, 2\n2, 2\n2, 3\n4, 5\n5, 4\n", node_labels=None, edge_labels=None)
    )

    assert graphs.node_columns == ("degree",)
    assert graphs.node_labels[:, 0].tolist() == [1, 2, 1, 1, 1]
    assert any("number of neighbours" in remark for remark in graphs.remarks)


def test_self_loops_are_kept_as_given(tiny):
    graphs = read_tu(tiny(A="1, 1\n1, 2\n2, 1\n", edge_labels=None))

    assert graphs.edge_index.tolist() == [[0, 0, 1], [0, 1, 0]]


def test_without_graph_labels_there_are_no_targets(tiny):
    graphs = read_tu(tiny(graph_labels=None))

    assert graphs.targets is None
    assert len(graphs) == 2


def test_numbers_to_regress_on_are_left_unread_and_said(tiny):
    folder = tiny(graph_attributes="0.1\n0.2\n")

    assert any("TINY_graph_attributes.txt" in remark for remark in read_tu(folder).remarks)


def test_the_hash_moves_with_any_byte_and_with_nothing_else(tiny, tmp_path):
    before = read_tu(tiny()).sha256
    (tiny(tmp_path / "elsewhere") / "README.txt").write_text("more words")

    assert read_tu(tmp_path / "elsewhere").sha256 == before
    assert read_tu(tiny(graph_labels="1\n-1")).sha256 != before
    assert read_tu(tiny(graph_labels="1\n-1\n", name="OTHER")).sha256 != before


def lines(values):
    return "".join(f"{value}\n" for value in values.tolist())


def labelled_edges(graphs, names):
    """Edges as a set that renumbering cannot change."""
    ends = names[graphs.edge_index + np.repeat(graphs.node_pointer[:-1], graphs.n_edges)]
    return set(zip(*ends.tolist(), graphs.edge_labels[:, 0].tolist(), strict=True))


def assert_same_graphs(left, right):
    assert isinstance(left, LabelledGraphs)
    for field in (
        "node_pointer",
        "edge_pointer",
        "edge_index",
        "node_labels",
        "edge_labels",
        "node_attributes",
        "edge_attributes",
        "targets",
    ):
        np.testing.assert_array_equal(getattr(left, field), getattr(right, field), field)
    assert left.node_columns == right.node_columns
    assert left.edge_columns == right.edge_columns
