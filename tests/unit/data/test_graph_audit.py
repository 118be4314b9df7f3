import json

import numpy as np
import pytest

from kekule.data import audit_graphs, read_tu
from kekule.data.splits import Split


def test_mutag_is_found_without_fault(mutag):
    audit = audit_graphs(mutag)

    assert audit["verdict"] == "green"
    assert audit["classes"] == {"-1": 63, "1": 125}
    assert audit["nodes"] == {"total": 3371, "min": 10, "median": 17.5, "max": 28}
    assert audit["edges"]["total"] == 7442


@pytest.mark.parametrize(("name", "isolated"), [("NCI1", 428), ("ENZYMES", 106), ("MUTAG", 0)])
def test_isolated_nodes_of_real_sets_are_counted(tu_root, name, isolated):
    assert value(audit_graphs(read_tu(tu_root / name)), "isolated nodes") == isolated


def test_what_is_odd_is_counted_and_coloured(tiny):
    # Graph 1: a loop, a one-way edge, node 4 alone. Graph 2: empty. Graph 3: no edges.
    graphs = read_tu(
        tiny(
            A="1, 2\n2, 1\n2, 3\n1, 1\n1, 2\n",
            edge_labels="1\n1\n1\n1\n1\n",
            graph_indicator="1\n1\n1\n1\n3\n",
            graph_labels="0\n1\n0\n",
        )
    )
    audit = audit_graphs(graphs)

    counts = {each["name"]: each["value"] for each in audit["findings"]}
    assert counts["graphs without nodes"] == 1
    assert counts["graphs without edges"] == 1
    assert counts["isolated nodes"] == 2
    assert counts["self loops"] == 1
    assert counts["one-way edges"] == 1
    assert counts["constant edge label columns"] == ["label"]
    assert counts["constant node label columns"] == []
    assert verdict(audit, "classes") == audit["verdict"] == "red"
    assert verdict(audit, "rows") == verdict(audit, "one-way edges") == "amber"
    remarks = [f["value"] for f in audit["findings"] if f["name"] == "remark of the reader"]
    assert remarks == list(graphs.remarks)
    assert len(remarks) == 2


def test_a_bond_with_two_types_is_counted_once(tiny):
    audit = audit_graphs(read_tu(tiny(edge_labels="1\n2\n2\n2\n1\n1\n")))

    assert value(audit, "edges labelled otherwise on the way back") == 1


@pytest.mark.parametrize(
    ("targets", "colour"),
    [([0] * 50 + [1] * 50, "green"), ([0] * 95 + [1] * 5, "amber"), ([0] * 100, "red")],
)
def test_classes_are_judged_by_their_rarest(tiny, targets, colour):
    folder = tiny(
        A="",
        graph_indicator="".join(f"{k}\n" for k in range(1, 101)),
        graph_labels="".join(f"{target}\n" for target in targets),
        node_labels=None,
        edge_labels=None,
        node_attributes=None,
    )

    assert verdict(audit_graphs(read_tu(folder)), "classes") == colour


def test_a_set_without_classes_is_amber(tiny):
    audit = audit_graphs(read_tu(tiny(graph_labels=None)))

    assert audit["classes"] is None
    assert verdict(audit, "classes") == "amber"


@pytest.mark.parametrize(
    ("attributes", "colour", "advice"),
    [
        ("0, 1\n1, 2\n2, 3\n3, 4\n4, 5\n", "green", ""),
        ("0, 1\n1e6, 2\n2, 3\n3, 4\n4, 5\n", "amber", "thousandfold"),
        ("0, 1\n1, 1\n2, 1\n3, 1\n4, 1\n", "amber", "never changes"),
    ],
)
def test_attributes_are_judged_by_their_ranges(tiny, attributes, colour, advice):
    audit = audit_graphs(read_tu(tiny(node_attributes=attributes)))
    each = next(f for f in audit["findings"] if f["name"] == "node attribute ranges")

    assert each["verdict"] == colour
    assert advice in each["advice"]
    assert each["value"][0] == [
        0.0,
        float(np.max([float(r.split(",")[0]) for r in attributes.split("\n")[:-1]])),
    ]


def test_the_audit_is_ready_for_json(tu_root):
    for name in ("ENZYMES", "PROTEINS", "PTC_MR"):
        audit = audit_graphs(read_tu(tu_root / name))
        assert json.loads(json.dumps(audit, allow_nan=False)) == audit
        for each in audit["findings"]:
            assert {"name", "verdict", "value", "advice"} <= set(each)
            assert set(each) <= {"name", "verdict", "value", "advice", "rows", "table", "figure"}
            assert each["verdict"] in ("green", "amber", "red")


@pytest.mark.parametrize(
    ("name", "duplicates", "conflicts"),
    [
        ("NCI1", "71 graphs beyond the first of 67 groups", "7 groups, 7 of 15 graphs"),
        ("PTC_MR", "7 graphs beyond the first of 6 groups", "2 groups, 2 of 4 graphs"),
        (
            "PROTEINS",
            "44 graphs beyond the first of 19 groups by labels; 3 with",
            "3 groups, 3 of",
        ),
    ],
)
def test_doubles_and_conflicts_of_real_sets_are_told(tu_root, name, duplicates, conflicts):
    audit = audit_graphs(read_tu(tu_root / name))

    assert value(audit, "isomorphic duplicates").startswith(duplicates)
    assert value(audit, "isomorphic conflicts").startswith(conflicts)
    assert verdict(audit, "isomorphic duplicates") == "amber"
    assert verdict(audit, "isomorphic conflicts") in ("amber", "red")


def test_a_conflict_lists_the_rows_of_its_group_and_their_classes(by_hand):
    path, turned, other = ([0, 1], [(0, 1, 1)]), ([1, 0], [(0, 1, 1)]), ([0, 0], [(0, 1, 1)])
    graphs = by_hand(path, other, turned, path, targets=np.array([5, 7, 7, 5]))
    conflict = finding(audit_graphs(graphs), "isomorphic conflicts")

    assert conflict["rows"] == [0, 2, 3]
    assert conflict["table"] == [{"rows": [0, 2, 3], "classes": ["5", "7", "5"]}]
    assert conflict["value"] == "1 group, 1 of 3 graphs unavoidably wrong"
    assert conflict["verdict"] == "red"


@pytest.mark.parametrize("targets", [[1, 2, 1, 1], [3, -3, 3, 3]])
def test_names_of_classes_play_no_part_in_conflicts(by_hand, targets):
    path, other = ([0, 1], [(0, 1, 1)]), ([0, 0], [(0, 1, 1)])
    graphs = by_hand(path, path, other, other, targets=np.array(targets))

    assert finding(audit_graphs(graphs), "isomorphic conflicts")["rows"] == [0, 1]


def test_a_double_on_both_sides_of_a_split_is_named(by_hand):
    path, other = ([0, 1], [(0, 1, 1)]), ([0, 0], [(0, 1, 1)])
    graphs = by_hand(path, other, path, other, targets=np.array([0, 1, 1, 1]))
    split = Split("given", "by hand", 2, np.array([0, 1, 1, 1]))
    leak = finding(audit_graphs(graphs, split=split), "same graph on both sides of the split")

    assert leak["rows"] == [0, 2]
    assert leak["table"] == [
        {"fold": 1, "tested row": 0, "learnt row": 2},
        {"fold": 2, "tested row": 2, "learnt row": 0},
    ]
    assert "another class" in leak["value"]


def finding(audit, name):
    return next(each for each in audit["findings"] if each["name"] == name)


def value(audit, name):
    return finding(audit, name)["value"]


def verdict(audit, name):
    return finding(audit, name)["verdict"]
