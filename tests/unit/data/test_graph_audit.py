import json

import numpy as np
import pytest

from kekule.data import audit_graphs, read_tu


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
            assert set(each) == {"name", "verdict", "value", "advice"}
            assert each["verdict"] in ("green", "amber", "red")


def finding(audit, name):
    return next(each for each in audit["findings"] if each["name"] == name)


def value(audit, name):
    return finding(audit, name)["value"]


def verdict(audit, name):
    return finding(audit, name)["verdict"]
