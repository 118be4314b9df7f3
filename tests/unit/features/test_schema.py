import dataclasses
import json

import numpy as np
import pytest

from kekule._errors import SchemaError
from kekule.data import MoleculeAlphabet, find_set
from kekule.features import Column, GraphSchema, schema_of

SCHEMA = GraphSchema(
    nodes=(Column("label", (-1, 6, 7)), Column("degree", (0, 1, 2))),
    edges=(Column("label", (1, 2)),),
    n_node_attributes=3,
    n_edge_attributes=1,
    alphabet=MoleculeAlphabet({-1: "H", 6: "C", 7: "N"}, {1: "single", 2: "double"}),
)
OTHERS = {
    "nodes": (Column("label", (-1, 6, 8)), Column("degree", (0, 1, 2))),
    "edges": (),
    "n_node_attributes": 2,
    "n_edge_attributes": 0,
    "alphabet": MoleculeAlphabet({-1: "H", 6: "C", 7: "O"}, {1: "single", 2: "double"}),
    "featuriser": "molecule-1",
    "n_graph_attributes": 2,
    "descriptors": "physchem-1",
}


@pytest.mark.parametrize("changes", [{}, {key: OTHERS[key] for key in list(OTHERS)[-3:]}])
def test_a_schema_survives_json(changes):
    schema = dataclasses.replace(SCHEMA, **changes)
    back = GraphSchema.from_json(json.loads(json.dumps(schema.to_json())))

    assert back == schema
    assert back.sha256 == schema.sha256


def test_the_hash_is_the_same_on_every_machine_and_in_every_version():
    assert SCHEMA.sha256 == "0c924312fb83201a551eb49e4dea0372c39e190d28db5d138bab2a5ab26e79c9"
    assert (
        schema_of(find_set("MUTAG")).sha256
        == "02ef24f63f43b84c63b4888d652d3ead246455790b46c8252d50757e9f696ef9"
    )


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(GraphSchema)])
def test_the_hash_feels_every_field(field):
    assert dataclasses.replace(SCHEMA, **{field: OTHERS[field]}).sha256 != SCHEMA.sha256


def test_the_hash_feels_a_column_s_name_order_and_lack_of_an_alphabet():
    renamed = (Column("element", (-1, 6, 7)), SCHEMA.nodes[1])
    changes = ({"nodes": renamed}, {"nodes": SCHEMA.nodes[::-1]}, {"alphabet": None})

    assert len({dataclasses.replace(SCHEMA, **c).sha256 for c in changes} | {SCHEMA.sha256}) == 4


def test_the_order_in_which_an_alphabet_was_written_is_no_difference():
    turned = MoleculeAlphabet({7: "N", 6: "C", -1: "H"}, {2: "double", 1: "single"})

    assert dataclasses.replace(SCHEMA, alphabet=turned).sha256 == SCHEMA.sha256


def test_what_is_not_set_leaves_no_trace_in_the_file():
    later = {"featuriser", "n_graph_attributes", "descriptors"}
    assert set(SCHEMA.to_json()) == set(OTHERS) - later
    assert set(SCHEMA.to_json()["nodes"][0]) == {"name", "values"}


def test_a_clamped_column_and_a_featuriser_survive_json_and_are_felt_by_the_hash():
    clamped = dataclasses.replace(SCHEMA, nodes=(Column("label", (-1, 6, 7), clamp=True),))
    named = dataclasses.replace(SCHEMA, featuriser="molecule-1")

    for schema in (clamped, named):
        assert GraphSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    free = dataclasses.replace(clamped, nodes=(Column("label", (-1, 6, 7)),))
    assert clamped.sha256 != free.sha256


def test_a_clamped_column_gives_its_ends_to_all_beyond_them_and_still_no_code_to_a_gap():
    codes, known = Column("ring", (0, 3, 4), clamp=True).codes(np.array([-5, 0, 2, 3, 4, 17]))

    assert known.tolist() == [True, True, False, True, True, True]
    assert codes[known].tolist() == [0, 0, 1, 2, 2]


@pytest.mark.parametrize("wrong", [1, ["molecule-1"], {}])
def test_a_featuriser_that_is_no_name_is_refused(wrong):
    with pytest.raises(SchemaError, match="Take the schema from a bundle"):
        GraphSchema.from_json(SCHEMA.to_json() | {"featuriser": wrong})


@pytest.mark.parametrize("wrong", [1, "yes", None])
def test_a_clamp_that_is_neither_true_nor_false_is_refused(wrong):
    given = SCHEMA.to_json()
    given["nodes"][0]["clamp"] = wrong

    with pytest.raises(SchemaError, match="Take the schema from a bundle"):
        GraphSchema.from_json(given)


@pytest.mark.parametrize("part", SCHEMA.to_json())
@pytest.mark.parametrize("wrong", ["missing", "text"])
def test_a_damaged_schema_is_refused_with_the_cure(part, wrong):
    given = SCHEMA.to_json()
    if wrong == "missing":
        del given[part]
    else:
        given[part] = "many"

    with pytest.raises(SchemaError, match=r"schema: .* Take the schema from a bundle"):
        GraphSchema.from_json(given)


@pytest.mark.parametrize("values", [(), (1, 1), (2, 1), (0, 5, 3)])
def test_values_that_do_not_rise_are_refused_since_codes_are_searched_for(values):
    with pytest.raises(SchemaError, match=r"'label' has the values .* do not rise strictly"):
        Column("label", values)


def test_codes_say_which_labels_have_none():
    codes, known = Column("label", (-2, 3, 9)).codes(np.array([9, -3, 3, 4, 10, -2]))

    assert known.tolist() == [True, False, True, False, False, True]
    assert codes[known].tolist() == [2, 1, 0]


def test_only_degrees_are_clipped():
    large = np.array([100])

    assert Column("degree", (0, 1, 2)).codes(large)[1].all()
    assert not Column("label", (0, 1, 2)).codes(large)[1].any()


def test_a_set_without_edges_still_has_a_code_for_one(by_hand):
    lone = by_hand(([6], []), edge_labels=np.zeros((0, 1), np.int64), edge_columns=("label",))

    assert schema_of(lone).edges == (Column("label", (0,)),)


def test_the_schema_holds_no_class_label(mutag):
    blind = dataclasses.replace(mutag, targets=1 - mutag.targets)

    assert schema_of(blind) == schema_of(dataclasses.replace(mutag, targets=None))


def test_a_mutag_schema_names_its_elements_and_bonds(mutag):
    schema = schema_of(mutag)

    assert schema.alphabet.elements[0] == "C"
    assert set(schema.alphabet.elements) == set(schema.nodes[0].values)
    assert set(schema.alphabet.bonds) == set(schema.edges[0].values)
