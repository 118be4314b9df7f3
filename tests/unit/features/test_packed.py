import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule import KekuleError
from kekule._errors import SchemaError
from kekule.data import read_tu
from kekule.features import (
    Column,
    GraphSchema,
    load_packed,
    misfits,
    pack,
    save_packed,
    schema_of,
)

ARRAYS = (
    "node_pointer",
    "edge_pointer",
    "edge_index",
    "nodes",
    "edges",
    "node_attributes",
    "edge_attributes",
    "graph_attributes",
)
SCHEMA = GraphSchema(
    (Column("label", (1, 6, 7)),),
    (Column("label", (1, 2)),),
    n_node_attributes=2,
    n_graph_attributes=3,
)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32])
def test_rows_of_a_narrow_type_are_the_same_rows(random_packed, kind):
    graphs = random_packed(SCHEMA, [1, 2] * 150, np.random.default_rng(0))
    rows = np.array([127, 3, np.iinfo(kind).max if kind != np.int32 else 299])
    narrow, wide = graphs.take(rows.astype(kind)), graphs.take(rows)

    np.testing.assert_array_equal(narrow.nodes, wide.nodes)
    np.testing.assert_array_equal(narrow.node_pointer, wide.node_pointer)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(0, 7), max_size=12))
def test_taking_rows_is_joining_their_graphs_one_after_another(random_packed, rows):
    graphs = random_packed(SCHEMA, [1, 4, 2, 7, 3, 1, 6, 5], np.random.default_rng(0))
    taken = graphs.take(np.array(rows, dtype=np.int64))
    single = [graphs.take(np.array([row])) for row in rows]

    assert len(taken) == len(rows)
    for name in ("nodes", "edges", "node_attributes", "edge_attributes", "graph_attributes"):
        joined = np.concatenate([getattr(graphs, name)[:0], *(getattr(g, name) for g in single)])
        np.testing.assert_array_equal(getattr(taken, name), joined)
        assert getattr(taken, name).dtype == getattr(graphs, name).dtype
    edges = [graphs.edge_index[:, :0], *(g.edge_index for g in single)]
    np.testing.assert_array_equal(taken.edge_index, np.concatenate(edges, axis=1))
    sizes = [[0], *([g.node_pointer[-1]] for g in single)]
    np.testing.assert_array_equal(taken.node_pointer, np.cumsum(np.concatenate(sizes)))


def test_a_row_that_is_not_there_is_an_error_and_not_another_row(random_packed):
    graphs = random_packed(SCHEMA, [2, 3], np.random.default_rng(0))

    for row in (2, -1):
        with pytest.raises((IndexError, ValueError)):
            graphs.take(np.array([row]))


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_no_edge_leaves_its_graph(random_packed, rows):
    graphs = random_packed(SCHEMA, [1, 4, 2, 7, 3, 1, 6, 5], np.random.default_rng(1))
    taken = graphs.take(np.array(rows))
    source, target = taken.global_edge_index
    owner = np.repeat(np.arange(len(rows)), np.diff(taken.edge_pointer))

    np.testing.assert_array_equal(taken.graph_of_node[source], owner)
    np.testing.assert_array_equal(taken.graph_of_node[target], owner)


def test_codes_stand_for_the_labels_they_were_packed_from(by_hand):
    graphs = by_hand(([-3, 40, 7], [(0, 1, 5), (1, 2, -1)]), ([40], []))
    schema = schema_of(graphs)
    packed = pack(graphs, schema)

    assert schema.nodes == (Column("label", (-3, 7, 40)),)
    assert schema.edges == (Column("label", (-1, 5)),)
    for codes, columns, labels in (
        (packed.nodes, schema.nodes, graphs.node_labels),
        (packed.edges, schema.edges, graphs.edge_labels),
    ):
        np.testing.assert_array_equal(np.array(columns[0].values)[codes[:, 0]], labels[:, 0])
    np.testing.assert_array_equal(packed.edge_index, graphs.edge_index)


@pytest.mark.parametrize("name", ["MUTAG", "PTC_MR", "NCI1", "PROTEINS", "ENZYMES"])
def test_a_real_set_is_packed_without_loss(tu_root, name):
    graphs = read_tu(tu_root / name)
    schema = schema_of(graphs)
    packed = pack(graphs, schema)

    assert misfits(graphs, schema) == [""] * len(graphs)
    for k, column in enumerate(schema.nodes):
        labels = np.array(column.values)[packed.nodes[:, k]]
        np.testing.assert_array_equal(labels, graphs.node_labels[:, k])
    np.testing.assert_array_equal(packed.node_attributes, graphs.node_attributes)
    assert packed.nodes.dtype == np.uint8
    assert packed.edge_index.dtype == np.int32


@pytest.mark.parametrize(
    ("n_values", "dtype"), [(256, np.uint8), (257, np.uint16), (65537, np.uint32)]
)
def test_codes_take_the_smallest_type_that_holds_the_longest_column(by_hand, n_values, dtype):
    graphs = by_hand((list(range(n_values)), []))
    packed = pack(graphs, schema_of(graphs))

    assert packed.nodes.dtype == dtype
    np.testing.assert_array_equal(packed.nodes[:, 0], np.arange(n_values))


def test_an_unknown_label_is_named_with_its_graph_and_the_known_ones(by_hand):
    schema = schema_of(by_hand(([6, 7, 8], [(0, 1, 1)])))
    strange = by_hand(([6, 7], [(0, 1, 1)]), ([6, 53, 9], [(0, 1, 1)]))

    assert misfits(strange, schema) == [
        "",
        "node label 53 is not in the model's schema (6, 7, 8)",
    ]
    with pytest.raises(SchemaError, match=r"by hand, graph 1: node label 53 .*Set the row aside"):
        pack(strange, schema)


def test_the_first_of_several_misfits_is_the_one_that_is_named(by_hand):
    schema = schema_of(by_hand(([(6, 0), (7, 1)], [(0, 1, 1)])))
    strange = by_hand(([(6, 9), (5, 8), (4, 0)], [(0, 1, 3), (1, 2, 4)]))

    assert misfits(strange, schema)[0].startswith("node label_0 5 ")


def test_an_unknown_bond_is_named_where_all_atoms_are_known(by_hand):
    schema = schema_of(by_hand(([6, 6], [(0, 1, 1)])))

    assert misfits(by_hand(([6, 6], [(0, 1, 2)])), schema) == [
        "edge label 2 is not in the model's schema (1)"
    ]


def test_a_graph_without_nodes_keeps_its_row_and_says_so(by_hand):
    graphs = by_hand(([6, 6], [(0, 1, 1)]), ([], []), ([6], []))
    schema = schema_of(graphs)

    assert misfits(graphs, schema) == ["", "the graph has no nodes", ""]
    with pytest.raises(SchemaError, match="graph 1: the graph has no nodes"):
        pack(graphs, schema)


def test_a_long_list_of_known_labels_is_cut(by_hand):
    schema = schema_of(by_hand((list(range(40)), [])))

    assert misfits(by_hand(([99], [])), schema)[0].endswith("10, 11, … 40 in all)")


def test_a_degree_beyond_the_largest_seen_shares_its_code(by_hand):
    seen = by_hand(([0, 1, 3], []), node_columns=("degree",))
    schema = schema_of(seen)
    star = by_hand(([2, 3, 4, 17], []), node_columns=("degree",))

    assert schema.nodes[0].values == (0, 1, 2, 3)
    assert pack(star, schema).nodes[:, 0].tolist() == [2, 3, 3, 3]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"node_columns": ("degree",)}, "node columns"),
        ({"edge_columns": ("order",)}, "edge columns"),
        ({"node_attributes": np.zeros((2, 3), np.float32)}, "node attributes"),
        ({"edge_attributes": np.zeros((2, 1), np.float32)}, "edge attributes"),
    ],
)
def test_graphs_of_another_kind_are_refused_naming_what_differs(by_hand, changes, what):
    pair = ([6, 6], [(0, 1, 1)])

    with pytest.raises(SchemaError, match=f"by hand: {what} are .*, but the model was trained"):
        pack(by_hand(pair, **changes), schema_of(by_hand(pair)))


def test_saved_graphs_come_back_the_same_mapped_and_read_only(random_packed, tmp_path):
    graphs = random_packed(SCHEMA, [1, 4, 2], np.random.default_rng(0))
    save_packed(graphs, tmp_path / "packed")
    back = load_packed(tmp_path / "packed")

    assert back.schema == graphs.schema
    for name in ARRAYS:
        array = getattr(back, name)
        np.testing.assert_array_equal(array, getattr(graphs, name))
        assert array.dtype == getattr(graphs, name).dtype
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_graphs_from_a_file_are_cut_like_those_in_memory(random_packed, tmp_path):
    graphs = random_packed(SCHEMA, [1, 4, 2, 5], np.random.default_rng(0))
    save_packed(graphs, tmp_path / "packed")
    rows = np.array([3, 0, 3])

    for name in ARRAYS:
        mapped = getattr(load_packed(tmp_path / "packed").take(rows), name)
        np.testing.assert_array_equal(mapped, getattr(graphs.take(rows), name))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32])
def test_node_numbers_of_any_width_come_back_as_they_were_and_mean_the_same(
    random_packed, tmp_path, dtype
):
    graphs = random_packed(SCHEMA, [200, 200, 200], np.random.default_rng(0), bond_chance=0.01)
    narrow = dataclasses.replace(graphs, edge_index=graphs.edge_index.astype(dtype))
    save_packed(narrow, tmp_path / "packed")
    back = load_packed(tmp_path / "packed")

    assert back.edge_index.dtype == back.take(np.array([1])).edge_index.dtype == dtype
    np.testing.assert_array_equal(back.edge_index, graphs.edge_index)
    np.testing.assert_array_equal(back.global_edge_index, graphs.global_edge_index)
    assert graphs.global_edge_index.max() > 255


def test_graphs_already_saved_are_not_written_over(random_packed, tmp_path):
    graphs = random_packed(SCHEMA, [2], np.random.default_rng(0))
    save_packed(graphs, tmp_path / "packed")

    with pytest.raises(FileExistsError):
        save_packed(graphs, tmp_path / "packed")


@pytest.mark.parametrize("name", [*(f"{a}.npy" for a in ARRAYS), "schema.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "archive"])
def test_a_damaged_file_is_refused_naming_the_folder(random_packed, tmp_path, name, damage):
    folder = tmp_path / "packed"
    save_packed(random_packed(SCHEMA, [3, 40, 2], np.random.default_rng(0)), folder)
    file = folder / name
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "archive":
        with file.open("wb") as opened:
            np.savez(opened, a=np.zeros(3))
    else:
        file.write_bytes({"empty": b"", "cut": whole[:-5], "text": b"[1, 2]"}[damage])

    with pytest.raises(KekuleError, match=r"packed: no packed graphs .* Pack them again\."):
        load_packed(folder)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("nodes", lambda a: a.astype(np.int64)),
        ("nodes", lambda a: a[:-1]),
        ("edges", lambda a: np.concatenate([a, a], axis=1)),
        ("edge_index", lambda a: a.T.copy()),
        ("edge_index", lambda a: a.astype(np.int64)),
        ("edge_index", lambda a: a.astype(np.int8)),
        ("edge_index", lambda a: a.astype(np.uint64)),
        ("edge_index", lambda a: a.astype(np.float32)),
        ("node_attributes", lambda a: a.astype(np.float64)),
        ("edge_attributes", lambda a: a[:-2]),
        ("graph_attributes", lambda a: a[:-1]),
        ("graph_attributes", lambda a: a[:, 1:].copy()),
        ("node_pointer", lambda a: a[:-1]),
        ("node_pointer", lambda a: a[::-1].copy()),
        ("node_pointer", lambda a: a + 1),
        ("edge_pointer", lambda a: a * 2),
        ("edge_pointer", lambda a: a.astype(np.int32)),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused(random_packed, tmp_path, name, change):
    folder = tmp_path / "packed"
    save_packed(random_packed(SCHEMA, [3, 5, 2], np.random.default_rng(0)), folder)
    np.save(folder / f"{name}.npy", change(np.load(folder / f"{name}.npy")))

    with pytest.raises(SchemaError, match="Pack them again"):
        load_packed(folder)


def test_a_schema_of_another_width_is_refused(random_packed, tmp_path):
    folder = tmp_path / "packed"
    save_packed(random_packed(SCHEMA, [3], np.random.default_rng(0)), folder)
    given = json.loads((folder / "schema.json").read_text())
    (folder / "schema.json").write_text(json.dumps(given | {"n_node_attributes": 1}))

    with pytest.raises(SchemaError, match=r"node_attributes is float32 \(3, 2\)"):
        load_packed(folder)


def test_graphs_without_attributes_of_their_own_are_saved_as_before_there_were_any(
    random_packed, tmp_path
):
    schema = dataclasses.replace(SCHEMA, n_graph_attributes=0)
    save_packed(random_packed(schema, [3, 5], np.random.default_rng(0)), tmp_path / "packed")

    assert not (tmp_path / "packed" / "graph_attributes.npy").exists()
    assert "graph_attributes" not in (tmp_path / "packed" / "schema.json").read_text()
    assert load_packed(tmp_path / "packed").graph_attributes.shape == (2, 0)


def test_a_packed_molecule_takes_twenty_bytes_an_atom(tu_root):
    graphs = read_tu(tu_root / "NCI1")
    packed = pack(graphs, schema_of(graphs))
    n_bytes = sum(getattr(packed, name).nbytes for name in ARRAYS)

    assert n_bytes / len(packed.nodes) < 20  # one code, and two edges of two numbers
