"""`kekule rates` as a verb: what it reads, refuses and leaves."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from kekule import learning_rate_range, read_recipe
from kekule._errors import KekuleError, OutputError
from kekule.evaluation import NETWORK, FoldTask, split_rows
from kekule.models.rate_range import Span
from kekule.visualization.rates import rates_figure
from kekule.workflow.prepare import prepare
from kekule.workflow.rates import range_of

SMALL = ("data=MUTAG", "model=gcn", "model.hidden=8")


def test_picture_and_table_show_what_is_returned(tmp_path):
    out, csv = tmp_path / "new" / "rates.svg", tmp_path / "rates.csv"
    found = learning_rate_range(None, SMALL, out=out, csv=csv, steps=40)
    table = pd.read_csv(csv)

    np.testing.assert_array_equal(table["learning_rate"], found.rates)
    np.testing.assert_allclose(table["smoothed_loss"], found.smoothed)
    text = " ".join(ET.parse(out).getroot().itertext())  # noqa: S314
    assert "gcn on MUTAG" in text
    assert "this recipe: 2.0e-03" in text
    assert "1e-3" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "rates.csv"]


def test_test_and_validation_rows_of_the_fold_are_never_read():
    inputs = prepare(read_recipe(None, SMALL), processes=1).inputs
    train, held, test = split_rows(inputs, FoldTask(NETWORK, 0, 0))
    targets, span = inputs.targets.copy(), Span(1e-6, 1.0, 40)
    found = range_of(inputs, span)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kekule.workflow.rates.split_rows", lambda *_: (train, held, test))
        targets[np.concatenate([held, test])] = 1 - targets[np.concatenate([held, test])]
        np.testing.assert_array_equal(range_of(replace(inputs, targets=targets), span).losses,
                                      found.losses)  # fmt: skip
        targets[train] = 1 - targets[train]
        assert range_of(replace(inputs, targets=targets), span).losses[0] != found.losses[0]


def test_the_same_recipe_has_the_same_range_as_file_as_keys_and_as_its_class(tmp_path):
    recipe = read_recipe(None, SMALL)
    (tmp_path / "r.yaml").write_text(recipe.to_yaml())
    ways = [(None, SMALL), (tmp_path / "r.yaml", ()), (recipe, ())]
    losses = [learning_rate_range(*way, steps=30).losses for way in ways]
    np.testing.assert_array_equal(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lowest": 0.0}, "from 0 to 1"),
        ({"lowest": 2.0}, "from 2 to 1"),
        ({"highest": float("nan")}, "to nan"),
        ({"steps": 3}, "steps: 3"),
        ({"out": "rates.pdf"}, "no kind of picture"),
        ({"out": "."}, "no kind of picture"),
    ],
)
def test_what_cannot_be_done_is_said_before_data_are_read(given, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((KekuleError, OutputError), match=said) as caught:
        learning_rate_range(None, ["data=no/such/place"], **given)
    assert "\n" not in str(caught.value)


def test_a_sweep_without_a_fall_is_drawn_without_a_mark():
    rates = np.geomspace(1e-6, 1, 30)
    loss = np.ones(30)
    figure = rates_figure(rates, loss, smoothed=loss, suggested=None, own=1e-3, title="$x$ <b>")
    assert not figure.findobj(lambda artist: artist.get_gid() == "suggested")
    empty = np.zeros(0)
    assert rates_figure(empty, empty, smoothed=empty, suggested=None, own=1e-3, title="x").axes
