"""What every figure must do, found by enumeration; and what each one draws."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import matplotlib
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from kekule.visualization.calibration import calibration_bins
from kekule.visualization.canvas import png_bytes, svg_text
from kekule.visualization.catalogue import FIGURES
from kekule.visualization.curves import median_curve
from kekule.visualization.data_summary import label_shares
from kekule.visualization.discrimination import (
    precision_recall_points,
    roc_points,
    step_area,
    trapezoid_area,
)
from kekule.visualization.embedding import principal_axes
from kekule.visualization.folds import shown_metrics
from kekule.visualization.parameters import MOST_PANELS, shown_parameters
from kekule.visualization.run_view import FINAL_FOLD, FoldCurve, predicted_class, wrong_rows

HOSTILE = "<script>alert(1)</script> $\\foo_{$ & -->\x07 好"


@pytest.fixture(params=["mutag", "enzymes"])
def view(request):
    return request.getfixturevalue(request.param)


def drawn(figure, gid):
    """Artists a figure marked with `gid`, in the order they were drawn."""
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def text_of(figure):
    return " ".join(t.get_text() for t in figure.findobj(matplotlib.text.Text))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_data_and_is_well_formed_svg_with_its_own_ids(name, view):
    figure = FIGURES[name](view)
    marks = [
        artist
        for axes in figure.axes
        for artist in (*axes.lines, *axes.collections, *axes.patches, *axes.images, *axes.artists)
    ]
    assert marks, f"{name} is empty"

    svg = svg_text(figure, name)
    ids = [e.get("id") for e in ET.fromstring(svg).iter() if e.get("id")]  # noqa: S314
    assert all(i.startswith(f"{name}-") for i in ids)
    assert png_bytes(figure, dpi=40).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_neither_follows_nor_changes_the_settings_of_matplotlib(name, mutag):
    undisturbed = svg_text(FIGURES[name](mutag), name)
    with matplotlib.rc_context({"font.size": 23, "axes.facecolor": "pink"}):
        before = dict(matplotlib.rcParams)
        svg = svg_text(FIGURES[name](mutag), name)
        assert dict(matplotlib.rcParams) == before
    assert svg == undisturbed


@pytest.mark.parametrize("name", FIGURES)
def test_hostile_names_are_drawn_as_text(name, mutag):
    hostile = replace(
        mutag,
        classes=(HOSTILE, HOSTILE),
        positive=HOSTILE,
        model=HOSTILE,
        label_counts={HOSTILE: np.array([3, 4])},
        weights={HOSTILE: np.ones(30, np.float32)},
    )
    svg = svg_text(FIGURES[name](hostile), name)
    tags = {e.tag.split("}")[1] for e in ET.fromstring(svg).iter()}  # noqa: S314
    assert "script" not in tags


@pytest.mark.parametrize("name", FIGURES)
def test_ten_rows_of_one_class_out_of_twenty_can_be_drawn(name, enzymes):
    few = first_rows(enzymes, 10)
    few = replace(
        few,
        classes=tuple(f"class {k}" for k in range(20)),
        truth=np.full(10, 7),
        probabilities=np.full((10, 20), 0.05),
        label_counts={},
        weights={},
        curves=(),
        scores={},
        baselines={},
        embedding=np.ones((10, 1), np.float32),
    )
    assert ET.fromstring(svg_text(FIGURES[name](few), name)) is not None  # noqa: S314


@pytest.mark.parametrize("name", FIGURES)
def test_rows_without_a_prediction_are_left_out_not_fatal(name, mutag):
    probabilities = mutag.probabilities.copy()
    probabilities[::2] = np.nan
    svg = svg_text(FIGURES[name](replace(mutag, probabilities=probabilities)), name)
    assert "nan" not in "".join(ET.fromstring(svg).itertext()).lower()  # noqa: S314


def test_the_roc_line_encloses_the_area_of_scikit_learn(mutag):
    (line,) = drawn(FIGURES["roc"](mutag), "pooled")
    assert trapezoid_area(line.get_data()) == pytest.approx(
        roc_auc_score(mutag.truth == 1, mutag.probabilities[:, 1])
    )


def test_the_precision_line_encloses_the_average_precision_of_scikit_learn(mutag):
    (line,) = drawn(FIGURES["precision-recall"](mutag), "pooled")
    assert step_area(line.get_data()) == pytest.approx(
        average_precision_score(mutag.truth == 1, mutag.probabilities[:, 1])
    )


def test_each_class_has_its_own_roc_line_against_the_rest(enzymes):
    figure = FIGURES["roc"](enzymes)
    for k in range(6):
        (line,) = drawn(figure, f"class {k}")
        expected = roc_auc_score(enzymes.truth == k, enzymes.probabilities[:, k])
        assert trapezoid_area(line.get_data()) == pytest.approx(expected)
        assert f"{expected:.3f}" in line.get_label()


def test_tied_scores_make_one_step_not_many():
    truth, score = np.array([True, False, True, False]), np.full(4, 0.5)
    assert roc_points(truth, score)[0].tolist() == [0, 1]
    assert precision_recall_points(truth, score)[1].tolist() == [0.5, 0.5]


def test_a_class_nobody_belongs_to_is_called_undefined(enzymes):
    without = replace(enzymes, truth=np.where(enzymes.truth == 3, 2, enzymes.truth))
    (line,) = drawn(FIGURES["roc"](without), "class 3")
    assert "undefined" in line.get_label()
    one_class = replace(without, positive="EC 6", truth=np.full(len(without.truth), 5))
    assert "Undefined" in text_of(FIGURES["roc"](one_class))


def test_confusion_cells_sum_to_the_rows_and_agree_with_scikit_learn(view):
    cells = [int(t.get_text()) for t in drawn(FIGURES["confusion"](view), "count")]
    assert sum(cells) == len(view.rows)
    expected = confusion_matrix(view.truth, predicted_class(view))
    np.testing.assert_array_equal(np.reshape(cells, expected.shape), expected)


def test_calibration_bars_hold_every_row_and_whiskers_hold_the_share(view):
    figure = FIGURES["calibration"](view)
    assert sum(bar.get_height() for bar in drawn(figure, "counts")) == len(view.rows)
    (line,) = drawn(figure, "bins")
    assert np.all((line.get_ydata() >= 0) & (line.get_ydata() <= 1))


def test_a_wilson_interval_holds_its_share_and_narrows_with_rows():
    rng = np.random.default_rng(0)
    few, many = (calibration_bins(np.full(n, 0.95), rng.random(n) < 0.9) for n in (10, 1000))
    for bins in (few, many):
        assert bins.counts[9] == bins.counts.sum()
        assert bins.low[9] <= bins.share[9] <= bins.high[9]
        assert np.isnan(bins.share[:9]).all()
    assert many.high[9] - many.low[9] < few.high[9] - few.low[9]


def test_probabilities_of_zero_and_one_fall_into_the_outer_bins():
    bins = calibration_bins(np.array([0.0, 1.0]), np.array([False, True]))
    assert bins.counts.tolist() == [1] + [0] * 8 + [1]


def test_a_dot_marks_the_epoch_each_training_kept(mutag):
    (dots,) = drawn(FIGURES["learning"](mutag), "best")
    folds = [c for c in mutag.curves if c.fold != FINAL_FOLD]
    expected = [(c.best_epoch + 1, c.validation_loss[c.best_epoch]) for c in folds]
    np.testing.assert_allclose(dots.get_offsets(), expected)


def test_every_training_has_a_line_in_both_panels_and_the_final_model_its_own(mutag):
    figure = FIGURES["learning"](mutag)
    assert len(drawn(figure, "fold")) == 2 * 30
    assert len(drawn(figure, "final")) == 2
    assert len(drawn(figure, "median")) == 2


def test_a_final_model_without_validation_and_a_best_epoch_beyond_the_end_are_not_fatal(mutag):
    odd = (
        FoldCurve(0, 0, np.ones(4), np.ones(4), 9),
        FoldCurve(0, -1, np.ones(4), np.empty(0), 0),
    )
    figure = FIGURES["learning"](replace(mutag, curves=odd))
    assert not drawn(figure, "best")
    assert len(drawn(figure, "final")) == 1


def test_the_median_stops_where_fewer_than_half_of_the_trainings_run():
    losses = [np.array([3.0, 2.0, 1.0]), np.array([1.0]), np.array([2.0])]
    assert median_curve(losses).tolist() == [2.0]


def test_the_fold_figure_has_one_box_a_model_and_one_dot_a_fold(mutag):
    figure = FIGURES["folds"](mutag)
    models = 1 + len(mutag.baselines)
    for axes, metric in zip(figure.axes, shown_metrics(mutag, 4), strict=True):
        assert len([b for b in axes.patches if b.get_gid() == "box"]) == models
        dots = [c for c in axes.collections if c.get_gid() == "folds"]
        np.testing.assert_allclose(dots[0].get_offsets()[:, 0], mutag.scores[metric].folds)


def test_an_undefined_fold_is_counted_on_the_figure(mutag):
    score = mutag.scores["roc_auc"]
    folds = (float("nan"), *score.folds[1:])
    odd = replace(mutag, scores={**mutag.scores, "accuracy": replace(score, folds=folds)})
    assert "undefined in 1 of 10 folds" in text_of(FIGURES["folds"](odd))


def test_an_undefined_mean_is_said_on_the_comparison(enzymes):
    undefined = enzymes.scores["pr_auc"]
    odd = replace(enzymes, scores={**enzymes.scores, "accuracy": undefined})
    assert "undefined" in text_of(FIGURES["comparison"](odd))


def test_class_bars_are_as_long_as_the_classes(view):
    bars = drawn(FIGURES["classes"](view), "classes")
    assert [bar.get_width() for bar in bars] == np.bincount(view.truth).tolist()


def test_size_histograms_of_a_class_sum_to_the_whole_class(mutag):
    for steps in drawn(FIGURES["sizes"](mutag), "class 0"):
        assert steps.get_data().values.sum() == pytest.approx(1)


def test_label_shares_of_a_class_sum_to_one_even_when_labels_are_gathered(mutag):
    many = {f"label {i}": np.array([i + 1, 2]) for i in range(30)}
    for view in (mutag, replace(mutag, label_counts=many)):
        names, shares = label_shares(view)
        assert len(names) == len(shares) <= 13
        np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert names[-1] == "18 others"


def test_the_map_shows_every_row_and_rings_the_wrong_ones(view):
    figure = FIGURES["embedding"](view)
    per_class = [
        len(drawn(figure, f"class {k}")[0].get_offsets()) for k in range(len(view.classes))
    ]
    assert per_class == np.bincount(view.truth).tolist()
    assert len(drawn(figure, "wrong")[0].get_offsets()) == len(wrong_rows(view))


def test_principal_axes_keep_distances_of_a_flat_cloud_and_do_not_flip():
    rng = np.random.default_rng(1)
    flat = rng.normal(0, [3, 1], (50, 2)).astype(np.float32)
    turned = np.pad(flat, ((0, 0), (0, 5))) + 7
    places, shares = principal_axes(turned)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    expected = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    np.testing.assert_allclose(apart, expected, atol=1e-4)
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(
        principal_axes(turned * [1, -1, 1, 1, 1, 1, 1])[0], places, atol=1e-4
    )


def test_rows_that_do_not_vary_have_an_undefined_share(mutag):
    same = replace(mutag, embedding=np.ones_like(mutag.embedding))
    assert "undefined share" in text_of(FIGURES["embedding"](same))


def test_a_dense_map_is_one_picture_inside_the_figure(mutag):
    rng = np.random.default_rng(0)
    n = 5000
    view = replace(
        mutag,
        rows=np.arange(n),
        truth=rng.integers(0, 2, n),
        fold=np.arange(n) % 10,
        probabilities=np.full((n, 2), 0.5),
        embedding=rng.normal(size=(n, 8)).astype(np.float32),
    )
    svg = svg_text(FIGURES["embedding"](view), "embedding")
    assert len(svg) < 400_000
    assert "data:image/png;base64," in svg


def test_a_parameter_histogram_counts_every_finite_value(mutag):
    weights = {"a": np.append(np.arange(40.0), np.nan).astype(np.float32)}
    figure = FIGURES["parameters"](replace(mutag, weights=weights))
    (histogram,) = drawn(figure, "histogram")
    assert histogram.get_data().values.sum() == 40
    assert "1 not finite" in text_of(figure)


def test_only_the_largest_parameters_are_drawn_in_the_order_of_the_model(mutag):
    weights = {f"p{i}": np.zeros(i + 1, np.float32) for i in range(MOST_PANELS + 6)}
    shown = shown_parameters(replace(mutag, weights=weights))
    assert shown == [f"p{i}" for i in range(6, MOST_PANELS + 6)]


def first_rows(view, n):
    """The view cut to its first `n` rows."""
    cut = ("rows", "truth", "fold", "probabilities", "n_nodes", "n_edges", "embedding")
    return replace(
        view,
        **{name: getattr(view, name)[:n] for name in cut},
        molecules=view.molecules[:n],
        smiles=view.smiles[:n],
    )
