"""Sets of molecule descriptors: every member held to one contract, and none loses a row."""

import dataclasses
import math

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from kekule._errors import KekuleError, SchemaError
from kekule.data import POLICIES
from kekule.data.rows import INVALID, OK, WARNING
from kekule.features import (
    DESCRIPTORS,
    MOLECULE_SCHEMA,
    NO_DESCRIPTORS,
    GraphSchema,
    PackedBuilder,
    UnknownDescriptorsError,
    described,
    described_schema,
    descriptors_of,
    load_packed,
    save_packed,
    standard_graphs,
    without_descriptors,
)
from kekule.features.descriptors import FARTHEST
from kekule.features.structure_graphs import spread_graphs

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
DRUGS = [
    ASPIRIN,
    "CN1C=NC2=C1C(=O)N(C)C(=O)N2C",
    "C[C@H](N)C(=O)O",
    "F/C=C/F",
    "C[N+](C)(C)CC(=O)[O-]",
    "O=C1N(Cc2ccccc2)C(=O)c2ccccc12",
]
ODD = [
    "[He]",
    "[U]",
    "[H][H]",
    "N[Pt](N)(Cl)Cl",
    "CC(C)(C)P(->[Pd])(C(C)(C)C)C(C)(C)C",
    "[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1",
    "C12C3C4C1C5C2C3C45",
    "C" * 300,
    ".".join(["[Na+].[Cl-]"] * 40),
    "[Og]",
]
PLATINUM = "N[Pt](N)(Cl)Cl"


def descriptors(smiles, name, *, policy="parent", **options):
    """Standard graphs of SMILES with the descriptors of a set."""
    read = standard_graphs(smiles, POLICIES[policy])
    return described(read, described_schema(name), **options)


def by_another_hand(smiles, seed):
    """The same molecule with its atoms written in another order."""
    mol = Chem.MolFromSmiles(smiles)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
    return Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)


@pytest.fixture
def fails_at(monkeypatch):
    """Let RDKit fail at molecules of so many atoms."""
    from kekule.features import descriptors as module

    whole = module.values_of

    def start(n_atoms):
        def values_of(mol, names):
            if mol.GetNumAtoms() == n_atoms:
                raise RuntimeError("Invariant Violation\n\tsomewhere in Code/Graph.cpp")
            return whole(mol, names)

        monkeypatch.setattr(module, "values_of", values_of)

    return start


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_set_says_what_it_is_and_when_not_to_use_it(name):
    kind = DESCRIPTORS[name]

    assert kind.name == name
    assert kind.key == f"{name}-{kind.version}"
    assert len(set(kind.columns)) == len(kind.columns)
    assert kind.usual.keys() <= set(kind.columns)
    assert kind.use != kind.avoid
    assert all(text.endswith(".") and "\n" not in text for text in (kind.use, kind.avoid))


def test_the_large_set_is_all_rdkit_has_but_for_what_it_has_wrong():
    names = [name for name, _ in Descriptors._descList]

    assert list(DESCRIPTORS["rdkit"].columns) == [n for n in names if n not in ("Ipc", "AvgIpc")]


def test_the_values_are_rdkits_as_signed_logarithms():
    found = descriptors([ASPIRIN], "physchem").graphs.graph_attributes[0]
    mol = Chem.MolFromSmiles(ASPIRIN)
    wanted = [
        getattr(Descriptors, name)(mol) if name != "FormalCharge" else 0
        for name in DESCRIPTORS["physchem"].columns
    ]

    np.testing.assert_allclose(found, np.sign(wanted) * np.log1p(np.abs(wanted)), rtol=1e-6)
    assert wanted[0] == pytest.approx(180.16, abs=0.01)


@pytest.mark.parametrize(
    ("smiles", "charge"), [("C[N+](C)(C)C", 1), ("[O-][Cl+3]([O-])([O-])[O-]", -1), ("CCO", 0)]
)
def test_the_charge_is_that_of_the_whole_molecule_with_its_sign(smiles, charge):
    found = descriptors([smiles], "physchem", policy="as-given").graphs.graph_attributes[0]
    value = found[DESCRIPTORS["physchem"].columns.index("FormalCharge")]

    assert value == pytest.approx(math.copysign(math.log1p(abs(charge)), charge))


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_molecule_alone_is_that_molecule_in_company(name):
    together = descriptors([*DRUGS, "no molecule", *ODD], name).graphs

    for row, smiles in enumerate(DRUGS):
        alone = descriptors([smiles], name).graphs
        np.testing.assert_array_equal(
            alone.graph_attributes[0], together.graph_attributes[row], smiles
        )


@pytest.mark.parametrize("policy", ["parent", "as-given"])
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_renumbering_atoms_changes_nothing(name, policy):
    given = [*DRUGS, *ODD]
    moved = [by_another_hand(smiles, seed=k) for k, smiles in enumerate(given)]
    first, second = (descriptors(s, name, policy=policy) for s in (given, moved))

    assert sum(a != b for a, b in zip(given, moved, strict=True)) > len(given) / 2
    np.testing.assert_array_equal(first.graphs.graph_attributes, second.graphs.graph_attributes)


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_salt_has_the_descriptors_of_its_parent(name):
    salt, parent, left = descriptors(
        ["[Na+].[O-]C(=O)c1ccccc1", "OC(=O)c1ccccc1", "c1ccccc1"], name
    ).graphs.graph_attributes

    np.testing.assert_array_equal(salt, parent)
    assert not np.array_equal(left, parent)


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_every_value_of_odd_and_of_screened_molecules_is_a_number_in_bounds(name, smiles_of):
    screened = smiles_of("moleculenet/HIV.csv")[::200] + smiles_of("moleculenet/BBBP.csv")[::10]
    found = descriptors([*ODD, *screened], name)
    values, schema = found.graphs.graph_attributes, described_schema(name)

    assert values.dtype == np.float32
    assert values.shape == (len(ODD) + len(screened), schema.n_graph_attributes)
    assert np.isfinite(values).all()
    assert abs(values).max() <= FARTHEST
    assert found.graphs.schema == schema


@pytest.mark.slow
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_every_value_of_bbbp_is_a_number_and_varies(name, smiles_of):
    found = descriptors(smiles_of("moleculenet/BBBP.csv"), name, processes=2)
    values = found.graphs.graph_attributes

    assert np.isfinite(values).all()
    assert (values.std(0) > 0).mean() > 0.95


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_two_processes_give_what_one_gives(name, monkeypatch):
    monkeypatch.setitem(DESCRIPTORS, name, dataclasses.replace(DESCRIPTORS[name], few=0))
    given = [*DRUGS, "no molecule", *ODD] * 3
    one, two = (descriptors(given, name, processes=n) for n in (1, 2))

    np.testing.assert_array_equal(one.graphs.graph_attributes, two.graphs.graph_attributes)
    assert one.rows.statuses == two.rows.statuses


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_descriptors_are_cut_saved_joined_and_loaded_with_their_graphs(name, tmp_path):
    graphs = descriptors([DRUGS[0], "no molecule", *DRUGS[1:]], name).graphs
    save_packed(graphs, tmp_path / "packed")
    back, rows = load_packed(tmp_path / "packed"), np.array([4, 0, 4, 1])
    builder = PackedBuilder(graphs.schema)
    builder.add(back.take(rows[:1]))
    builder.add(back.take(rows[1:]))

    assert back.schema == graphs.schema
    for found, wanted in (
        (back, graphs.graph_attributes),
        (back.take(rows), graphs.graph_attributes[rows]),
        (builder.build(), graphs.graph_attributes[rows]),
    ):
        np.testing.assert_array_equal(found.graph_attributes, wanted)
    assert not graphs.graph_attributes[1].any()
    assert len(np.unique(graphs.graph_attributes, axis=0)) == len(DRUGS) + 1


def test_the_graphs_are_those_without_descriptors(arrays_of):
    plain = standard_graphs(DRUGS, POLICIES["parent"])
    with_them = described(plain, described_schema("physchem")).graphs
    same = dataclasses.replace(
        with_them, schema=MOLECULE_SCHEMA, graph_attributes=plain.graphs.graph_attributes
    )

    np.testing.assert_equal(arrays_of(same), arrays_of(plain.graphs))
    assert described(plain, MOLECULE_SCHEMA) is plain


def test_graphs_given_other_places_take_their_descriptors_with_them():
    graphs = descriptors(DRUGS, "physchem").graphs
    spread = spread_graphs(graphs, np.arange(len(DRUGS)) * 2, 2 * len(DRUGS))

    np.testing.assert_array_equal(spread.graph_attributes[::2], graphs.graph_attributes)
    assert not spread.graph_attributes[1::2].any()


def test_what_rdkit_has_no_value_for_is_named_and_the_usual_one_stands_in():
    kind = DESCRIPTORS["rdkit"]
    found = descriptors([ASPIRIN, PLATINUM], "rdkit")
    column = kind.columns.index("BCUT2D_MWHI")

    assert found.rows.statuses[0].status == OK
    assert found.rows.statuses[1].status == WARNING
    assert found.rows.statuses[1].reason.endswith(
        "contains the metal Pt; RDKit has no MaxPartialCharge, MinPartialCharge, "
        "MaxAbsPartialCharge and 9 more of it; usual values stand in"
    )
    assert found.graphs.graph_attributes[1, column] == pytest.approx(math.log1p(16.7))


def test_a_row_without_descriptors_keeps_its_place_and_the_others_their_values(fails_at):
    given = [DRUGS[1], "no molecule", ASPIRIN, DRUGS[2]]
    whole = descriptors(given, "physchem")
    fails_at(13)
    found = descriptors(given, "physchem")

    assert [s.status for s in found.rows.statuses] == [OK, INVALID, INVALID, OK]
    assert found.rows.statuses[2].reason == "RDKit has no physchem of it: Invariant Violation"
    assert found.rows.smiles == [whole.rows.smiles[0], "", "", whole.rows.smiles[3]]
    assert np.diff(found.graphs.node_pointer).tolist() == [14, 0, 0, 6]
    assert not found.graphs.graph_attributes[1:3].any()
    for row in (0, 3):
        one, other = (g.take(np.array([row])) for g in (whole.graphs, found.graphs))
        np.testing.assert_array_equal(one.nodes, other.nodes)
        np.testing.assert_array_equal(one.graph_attributes, other.graph_attributes)


def test_no_molecule_that_can_be_read_is_a_table_all_the_same():
    for given in ([], ["no molecule"]):
        found = descriptors(given, "physchem")
        assert found.graphs.graph_attributes.shape == (len(given), 12)


def test_progress_runs_up_to_the_number_of_molecules():
    seen = []
    descriptors(DRUGS, "physchem", progress=lambda *now: seen.append(now))

    assert seen[-1] == ("descriptors", len(DRUGS), len(DRUGS))


def test_a_set_there_is_not_comes_with_the_nearest():
    with pytest.raises(UnknownDescriptorsError, match=r"'physchm'\. Did you mean physchem\?"):
        described_schema("physchm")
    with pytest.raises(UnknownDescriptorsError, match=r"There are none, physchem, rdkit\.$"):
        described_schema("zzz")


def test_an_rdkit_that_lacks_a_descriptor_is_named_with_it(monkeypatch):
    monkeypatch.setattr("kekule.features.descriptors.unknown_names", lambda names: names[:1])

    with pytest.raises(KekuleError, match=r"physchem-1: RDKit \S+ has no MolWt\. Install"):
        descriptors(DRUGS, "physchem")


def test_a_schema_without_descriptors_keeps_its_hash():
    schema = described_schema("physchem")

    assert described_schema(NO_DESCRIPTORS) is MOLECULE_SCHEMA
    assert without_descriptors(schema) == MOLECULE_SCHEMA
    assert without_descriptors(schema).sha256 == MOLECULE_SCHEMA.sha256 != schema.sha256
    assert "descriptors" not in MOLECULE_SCHEMA.to_json()
    assert descriptors_of(GraphSchema.from_json(schema.to_json())) is DESCRIPTORS["physchem"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"descriptors": "physchem-99"},
            r"'physchem-99' are not known here; known are physchem-1",
        ),
        ({"descriptors": None}, r"descriptors None are not known"),
        ({"n_graph_attributes": 5}, r"physchem-1 are 5 instead of 12"),
        ({"n_graph_attributes": 0}, r"physchem-1 are 0 instead of 12"),
        ({"featuriser": None}, r"physchem-1 are of no molecules"),
    ],
)
def test_a_schema_whose_descriptors_cannot_be_computed_is_refused(changes, message):
    schema = dataclasses.replace(described_schema("physchem"), **changes)

    with pytest.raises(SchemaError, match=message):
        descriptors_of(schema)
