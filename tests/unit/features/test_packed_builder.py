import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import SchemaError
from kekule.features import Column, GraphSchema, PackedGraphs, load_packed, save_packed
from kekule.features.packed_builder import PackedBuilder

SCHEMA = GraphSchema(
    (Column("label", (1, 6, 7)),),
    (Column("label", (1, 2)), Column("ring", (0, 1))),
    n_node_attributes=2,
    n_edge_attributes=1,
    n_graph_attributes=3,
)


def built(*parts, schema=SCHEMA):
    builder = PackedBuilder(schema)
    for part in parts:
        builder.add(part)
    return builder.build()


def assert_same(graphs, others, arrays_of):
    np.testing.assert_equal(arrays_of(graphs), arrays_of(others))
    assert graphs.schema == others.schema


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 40), max_size=12), seed=st.integers(0, 3))
def test_parts_put_together_are_the_whole_wherever_it_was_cut(
    random_packed, arrays_of, cuts, seed
):
    rng = np.random.default_rng(seed)
    whole = random_packed(SCHEMA, rng.integers(0, 9, 40).tolist(), rng)
    bounds = [0, *sorted(cuts), 40]
    rows = [np.arange(*pair) for pair in pairwise(bounds)]

    assert_same(built(*(whole.take(part) for part in rows)), whole, arrays_of)


def test_many_small_parts_are_the_whole(random_packed, arrays_of):
    rng = np.random.default_rng(0)
    whole = random_packed(SCHEMA, rng.integers(0, 12, 700).tolist(), rng)
    ones = (whole.take(np.array([row])) for row in range(700))

    assert_same(built(*ones), whole, arrays_of)


def test_nothing_added_is_no_graphs_with_the_columns_of_the_schema():
    graphs = built()

    assert len(graphs) == 0
    assert graphs.edges.shape == (0, 2)
    assert graphs.node_attributes.shape == (0, 2)
    assert graphs.global_edge_index.shape == (2, 0)


@pytest.mark.parametrize(
    ("largest", "dtype"), [(256, np.uint8), (257, np.uint16), (65_537, np.uint32)]
)
def test_node_numbers_take_the_smallest_type_that_holds_the_largest(random_packed, largest, dtype):
    rng = np.random.default_rng(0)
    bare = GraphSchema((), ())
    small = random_packed(bare, [3, 2, 7], rng)
    large = path_of(largest, bare)
    graphs = built(small, large, small, schema=bare)

    assert graphs.edge_index.dtype == dtype
    assert graphs.edge_index.max() == largest - 1
    np.testing.assert_array_equal(graphs.take(np.array([4, 5, 6])).edge_index, small.edge_index)


def path_of(n_nodes, schema):
    """One long chain, its nodes in a row."""
    return PackedGraphs(
        schema=schema,
        node_pointer=np.array([0, n_nodes]),
        edge_pointer=np.array([0, n_nodes - 1]),
        edge_index=np.array([np.arange(n_nodes - 1), np.arange(1, n_nodes)], dtype=np.int32),
        nodes=np.zeros((n_nodes, 0), np.uint8),
        edges=np.zeros((n_nodes - 1, 0), np.uint8),
        node_attributes=np.zeros((n_nodes, 0), np.float32),
        edge_attributes=np.zeros((n_nodes - 1, 0), np.float32),
    )


def test_what_was_built_is_saved_mapped_and_cut_like_any_other(random_packed, arrays_of, tmp_path):
    whole = random_packed(SCHEMA, [4, 0, 2, 8], np.random.default_rng(0))
    graphs = built(whole, whole)
    save_packed(graphs, tmp_path / "packed")
    back = load_packed(tmp_path / "packed")
    rows = np.array([6, 1, 3])

    assert back.edge_index.dtype == np.uint8
    assert_same(back, graphs, arrays_of)
    np.testing.assert_array_equal(back.global_edge_index, graphs.global_edge_index)
    assert_same(back.take(rows), whole.take(rows % 4), arrays_of)


def test_graphs_of_another_schema_are_refused(random_packed):
    other = GraphSchema((Column("label", (1, 6, 8)),), SCHEMA.edges, 2, 1)
    part = random_packed(other, [3], np.random.default_rng(0))

    with pytest.raises(SchemaError, match=other.sha256[:12]):
        built(part)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_the_molecules_of_moses_are_packed_in_less_than_120_mb(data_root, processes):
    code = """
        import csv, gzip, re, sys
        from kekule.features.molecules import molecule_graphs

        def mb(what):
            with open("/proc/self/status") as status:
                return int(re.search(what + r":\\s+(\\d+) kB", status.read())[1]) / 1000 * 1.024

        if __name__ == "__main__":
            molecule_graphs(["CCO"])  # all that is loaded late
            before = mb("VmRSS")
            with gzip.open(sys.argv[1], "rt") as file:
                rows = (row["SMILES"] for row in csv.DictReader(file))
                graphs = molecule_graphs(rows, processes=int(sys.argv[2])).graphs
            print(len(graphs), mb("VmHWM") - before)
    """
    path = data_root / "throughput" / "moses_test.csv.gz"
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), str(processes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    n_graphs, megabytes = done.stdout.split()

    assert int(n_graphs) == 176_074
    assert float(megabytes) < 120
