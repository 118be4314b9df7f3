"""Row i in is row i out, whatever else is in the input."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from kekule import KekuleError, MoleculeError
from kekule._errors import SchemaError
from kekule.data import MoleculeAlphabet, molecule_from_graph
from kekule.data.structures import Structures
from kekule.registry import Predictor, open_bundle, save_bundle

NITRO = "O=[N+]([O-])c1ccc2ccccc2c1"
GOOD = [NITRO, "CCO", "c1ccccc1I", "C", "Clc1ccccc1", "OC(=O)c1ccccc1"]
BAD = [
    "",
    "not a molecule",
    "C(C)(C)(C)(C)C",
    "[Na+].[Cl-]",
    "B",
    "c1ccccc",
    "nan",
    "\x00",
    "é",
    "C\udcff",
]


def predictor_of(content, folder):
    save_bundle(folder, content)
    return Predictor(open_bundle(folder))


@pytest.fixture(scope="module")
def three_classes(content_of, mutag, tmp_path_factory):
    content = content_of(mutag, classes=("in, active", "<b>7</b>", "-1"), network="gcn")
    return predictor_of(content, tmp_path_factory.mktemp("three") / "bundle")


@pytest.fixture(scope="module")
def no_chemistry(content_of, mutag, tmp_path_factory):
    content = content_of(replace(mutag, alphabet=None))
    return predictor_of(content, tmp_path_factory.mktemp("graphs") / "bundle")


def test_the_three_smiles_of_the_readme_give_three_rows_in_order(model):
    table = model.predict([NITRO, "CCO", "not a molecule"])

    assert table["row"].tolist() == [0, 1, 2]
    assert table["status"].tolist() == ["ok", "ok", "invalid"]
    assert table["reason"].tolist()[:2] == ["", ""]
    assert table["reason"][2]
    assert table["prediction"].isin(["-1", "1"]).tolist() == [True, True, False]
    assert table["probability"].isna().tolist() == [False, False, True]
    columns = ["row", "smiles", "status", "reason", "smiles_used", "prediction", "probability"]
    assert list(table.columns) == columns


def test_smiles_and_graphs_of_the_same_molecules_get_the_same_answers(model, mutag):
    smiles, rows = [], []
    for row in range(len(mutag)):
        try:
            smiles.append(Chem.MolToSmiles(molecule_from_graph(mutag, row)))
            rows.append(row)
        except MoleculeError:
            continue
    from_smiles, from_graphs = model.predict(smiles), model.predict(mutag)

    assert len(rows) == 186
    assert set(from_smiles["status"]) == {"ok"}
    assert set(from_graphs["status"]) == {"ok"}
    assert from_graphs["probability"].nunique() > 100
    np.testing.assert_allclose(
        from_smiles["probability"], from_graphs["probability"][rows], rtol=0, atol=1e-6
    )


def test_the_class_given_is_the_more_probable_one(model, mutag):
    table = model.predict(mutag)
    positive = table["probability"] > 0.5
    assert (table["prediction"] == np.where(positive, "1", "-1")).all()


def test_an_answer_does_not_depend_on_what_is_asked_beside_it(model):
    together = model.predict(GOOD)["probability"].to_numpy()
    alone = [model.predict([smiles])["probability"][0] for smiles in GOOD]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.sampled_from([*GOOD, *BAD]), max_size=12))
def test_bad_rows_keep_their_place_and_change_no_other(model, rows):
    known = dict(zip(GOOD, model.predict(GOOD)["probability"], strict=True))
    table = model.predict(rows)

    assert table["row"].tolist() == list(range(len(rows)))
    assert table["status"].tolist() == ["ok" if row in GOOD else "invalid" for row in rows]
    assert [bool(reason) for reason in table["reason"]] == [row in BAD for row in rows]
    wanted = [known.get(row, np.nan) for row in rows]
    np.testing.assert_allclose(table["probability"].astype(float), wanted, rtol=0, atol=1e-6)


def test_the_same_question_gets_the_same_answer_to_the_last_bit(model, mutag):
    pd.testing.assert_frame_equal(model.predict(mutag), model.predict(mutag), check_exact=True)


def test_eight_threads_get_the_answers_one_would(model, mutag):
    parts = [mutag.take(np.arange(k, k + 40)) for k in range(0, 144, 6)]
    wanted = [model.predict(part)["probability"].to_numpy() for part in parts]
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(model.predict, parts * 3))
    for table, probabilities in zip(tables, wanted * 3, strict=True):
        np.testing.assert_allclose(table["probability"], probabilities, rtol=0, atol=1e-6)


def test_graphs_with_labels_the_model_never_saw_are_invalid_rows(model, mutag):
    odd = mutag.node_labels.copy()
    odd[mutag.node_pointer[5]] = 99
    table = model.predict(replace(mutag, node_labels=odd))

    assert np.flatnonzero(table["status"] == "invalid").tolist() == [5]
    assert "node label 99" in table["reason"][5]
    assert table["prediction"][5] == ""
    others = table["row"] != 5
    np.testing.assert_allclose(
        table["probability"][others], model.predict(mutag)["probability"][others], atol=1e-6
    )


def test_graphs_of_another_kind_are_refused_whole(model, mutag):
    wide = replace(mutag, node_attributes=np.ones((len(mutag.node_labels), 2), dtype=np.float32))
    with pytest.raises(SchemaError, match=r"node attributes are 2.*trained on 0"):
        model.predict(wide)


def test_labels_that_stand_for_other_elements_are_refused_not_misread(model, mutag):
    """Read by number, an indium of PTC_MR would be taken for a carbon of MUTAG."""
    swapped = MoleculeAlphabet(
        {0: "N", 1: "C"} | dict(list(mutag.alphabet.elements.items())[2:]), mutag.alphabet.bonds
    )
    with pytest.raises(SchemaError, match=r"label 0 is N, not C.*kekule data convert"):
        model.predict(replace(mutag, alphabet=swapped))


def test_labels_that_do_not_say_what_they_stand_for_are_answered_with_a_warning(model, mutag):
    table = model.predict(replace(mutag, alphabet=None))

    assert set(table["status"]) == {"warning"}
    assert table["reason"].str.contains("not stated").all()
    assert table["probability"].tolist() == model.predict(mutag)["probability"].tolist()


@pytest.mark.parametrize("row", [0, 2])
def test_strict_stops_at_the_first_invalid_row_and_names_it(model, row):
    smiles = [*["CCO"] * row, "not a molecule", "c1ccccc"]
    with pytest.raises(MoleculeError, match=f"row {row}: .*'not a molecule'.*leave out --strict"):
        model.predict(smiles, strict=True)


def test_strict_names_the_graph_that_does_not_fit(model, mutag):
    odd = mutag.edge_labels.copy()
    odd[mutag.edge_pointer[7]] = 99
    with pytest.raises(SchemaError, match=r"row 7: edge label 99.*leave out --strict"):
        model.predict(replace(mutag, edge_labels=odd), strict=True)


@pytest.mark.parametrize("text", ["CCO", "", b"CCO"])
def test_one_string_for_a_list_is_refused_with_the_list_to_give(model, text):
    with pytest.raises(KekuleError, match=r"one string.*Give a list: \["):
        model.predict(text)


@pytest.mark.parametrize("inputs", [[], (), np.array([], dtype=str), pd.Series([], dtype=str)])
def test_nothing_in_is_nothing_out_with_the_same_columns(model, inputs):
    table = model.predict(inputs)
    assert len(table) == 0
    assert list(table.columns) == list(model.predict(["CCO"]).columns)


def test_no_graphs_in_is_nothing_out(model, mutag):
    none = model.predict(mutag.take(np.array([], dtype=np.int64)))
    assert len(none) == 0
    assert list(none.columns) == list(model.predict(mutag.graph(0)).columns)


def test_any_sequence_of_text_will_do(model):
    wanted = model.predict(["CCO", NITRO])["probability"].tolist()
    for inputs in (
        ("CCO", NITRO),
        pd.Series(["CCO", NITRO], index=[7, 7]),
        np.array(["CCO", NITRO]),
    ):
        assert model.predict(inputs)["probability"].tolist() == wanted


def test_more_than_two_classes_have_a_column_each_and_a_row_sums_to_one(three_classes, mutag):
    table = three_classes.predict(mutag)
    columns = ["probability_in, active", "probability_<b>7</b>", "probability_-1"]

    assert list(table.columns)[-4:] == ["prediction", *columns]
    np.testing.assert_allclose(table[columns].sum(axis=1), 1.0, atol=1e-12)
    best = table[columns].to_numpy().argmax(axis=1)
    assert table["prediction"].tolist() == [three_classes.classes[k] for k in best]


def test_a_table_of_odd_class_names_survives_a_csv_file(three_classes, mutag):
    table = three_classes.predict(mutag.take(np.arange(4)))
    back = pd.read_csv(StringIO(table.to_csv(index=False)), dtype=str, keep_default_na=False)
    assert back["prediction"].tolist() == table["prediction"].tolist()
    assert list(back.columns) == list(table.columns)


def test_smiles_are_refused_by_a_model_that_knows_no_chemistry(no_chemistry, mutag):
    with pytest.raises(KekuleError, match=r"SMILES are given.*not known to be molecules"):
        no_chemistry.predict(["CCO"])
    assert set(no_chemistry.predict(mutag)["status"]) == {"ok"}


def table_of(**columns):
    frame = pd.DataFrame(columns, dtype=str)
    return Structures(frame, frame.iloc[:, 0].tolist(), None, "table")


def test_own_columns_come_out_as_they_went_in_between_row_and_status(model):
    cells = ["007", " NA ", "=1+1", 'a,"b"\nc', ""]
    table = model.predict(table_of(SMILES=["CCO"] * 5, id=cells))
    assert list(table.columns)[:4] == ["row", "SMILES", "id", "status"]
    assert table["id"].tolist() == cells


def test_an_own_column_named_like_a_result_keeps_its_cells_under_another_name(model):
    names = ["row", "status", "reason", "prediction", "probability", "smiles_used"]
    given = {name: [f"my {name}"] for name in names}
    table = model.predict(table_of(smiles=["CCO"], **given))

    for name in names:
        assert table[f"input_{name}"].tolist() == [f"my {name}"]
        assert table[name].tolist() != [f"my {name}"]


def test_own_columns_never_hide_each_other(model):
    given = {"input_status": ["mine"], "status": ["also mine"], "input_input_status": ["too"]}
    table = model.predict(table_of(smiles=["CCO"], **given))

    assert table.columns.is_unique
    assert table["status"].tolist() == ["ok"]
    cells = table.loc[0].tolist()
    assert {"mine", "also mine", "too"} <= set(cells)
    assert table["input_status"].tolist() == ["mine"]


def test_an_own_column_named_like_a_class_keeps_its_cells(three_classes):
    table = three_classes.predict(table_of(smiles=["CCO"], **{"probability_-1": ["mine"]}))
    assert table["input_probability_-1"].tolist() == ["mine"]
    assert table["probability_-1"][0] == pytest.approx(1 / 3, abs=1 / 3)


def test_answers_can_be_asked_about_again(model):
    first = model.predict(["CCO", NITRO])
    text = first.astype(str)
    second = model.predict(Structures(text, text["smiles"].tolist(), None, "again"))
    third_input = second.astype(str)
    third = model.predict(Structures(third_input, third_input["smiles"].tolist(), None, "more"))
    assert third.columns.is_unique
    assert third["input_probability"].tolist() == second["input_probability"].tolist()
    assert third["probability"].tolist() == first["probability"].tolist()


def test_a_table_of_two_hundred_columns_is_answered_without_a_word(model):
    table = model.predict(table_of(smiles=["CCO"], **{f"c{k}": ["x"] for k in range(200)}))
    assert table.shape == (1, 207)
