"""What the report draws of how a training went: learning rates, and sizes of its parameters."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import matplotlib
import numpy as np
import pytest

from kekule.visualization.canvas import svg_text
from kekule.visualization.catalogue import FIGURES
from kekule.visualization.parameter_history import MOST_LINES, shown_arrays
from kekule.visualization.report import write_report
from kekule.visualization.run_view import FoldCurve, ParameterHistory


def text_of(figure):
    return " ".join(t.get_text() for t in figure.findobj(matplotlib.text.Text))


def with_history(view, values, gradients=None, names=None):
    names = names or tuple(f"layer.{k}.weight" for k in range(values.shape[1]))
    history = ParameterHistory(names, values, values if gradients is None else gradients)
    return replace(view, history=history)


def maps(figure):
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_each_line_of_the_map_is_the_logarithm_of_one_array_over_the_epochs(mutag):
    values = np.array([[1.0, 0.01], [10.0, 0.02], [100.0, 0.03]])
    gradients = np.array([[1.0, 0.0], [0.1, 0.0], [0.01, 0.0]])
    left, right = maps(FIGURES["history"](with_history(mutag, values, gradients)))

    np.testing.assert_allclose(left, np.log10(values.T))
    np.testing.assert_allclose(right[0], [0, -1, -2])
    assert right.mask[1].all(), "a gradient of zero is no small gradient"


def test_arrays_are_named_in_the_models_order_and_many_are_thinned_evenly(mutag):
    few = with_history(mutag, np.ones((3, 4)))
    assert shown_arrays(few) == [0, 1, 2, 3]
    figure = FIGURES["history"](few)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == list(few.history.names)

    many = with_history(mutag, np.ones((3, 500)))
    shown = shown_arrays(many)
    assert len(shown) == len(set(shown)) == MOST_LINES
    assert (shown[0], shown[-1]) == (0, 499)
    assert max(np.diff(shown)) - min(np.diff(shown)) <= 1


@pytest.mark.parametrize("sizes", [np.zeros((5, 3)), np.full((5, 3), np.nan), np.ones((1, 1))])
def test_sizes_of_zero_none_or_one_epoch_are_no_error(mutag, sizes):
    svg = svg_text(FIGURES["history"](with_history(mutag, sizes)), "history")
    assert ("zero" in "".join(ET.fromstring(svg).itertext())) == (not (sizes > 0).any())  # noqa: S314


def test_a_hostile_name_of_an_array_is_drawn_as_text(mutag):
    view = with_history(mutag, np.ones((2, 1)), names=("<script>$x$\x07 & -->",))
    tags = {e.tag for e in ET.fromstring(svg_text(FIGURES["history"](view), "history")).iter()}  # noqa: S314
    assert not any("script" in tag for tag in tags)


def test_a_run_without_sizes_says_so_on_the_page_and_draws_no_empty_map(mutag, tmp_path):
    page = write_report(replace(mutag, history=None), tmp_path / "r.html").read_text("utf-8")
    assert "were not recorded in this run" in page
    assert 'id="figure-history"' not in page
    page = write_report(mutag, tmp_path / "s.html").read_text("utf-8")
    assert "were not recorded" not in page
    assert 'id="figure-history"' in page


def test_profiles_are_named_on_the_page_where_there_are_some(mutag, tmp_path):
    page = write_report(replace(mutag, profiles=("final.md",)), tmp_path / "r.html").read_text()
    assert "profile/final.md" in page
    assert "profile/" not in write_report(mutag, tmp_path / "s.html").read_text()


def test_every_training_has_its_learning_rate_and_none_is_said(mutag):
    rates = FIGURES["learning"](mutag).findobj(lambda artist: artist.get_gid() == "rate")
    assert len(rates) == len(mutag.curves)
    np.testing.assert_array_equal(rates[3].get_ydata(), mutag.curves[3].learning_rate)

    old = replace(mutag, curves=(FoldCurve(0, 0, np.ones(4), np.ones(4), 2),))
    assert "No learning rates were recorded." in text_of(FIGURES["learning"](old))
