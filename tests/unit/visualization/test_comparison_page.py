"""The page of a comparison: every model and pair on it, no number but the JSON's."""

import json
import math
import re
from itertools import pairwise

import numpy as np
import pytest
from pages_read import EVIL, Page, artists

from kekule._errors import OutputError
from kekule.evaluation.model_comparison import FoldTable, compare_models
from kekule.visualization.canvas import png_bytes
from kekule.visualization.comparison_figures import (
    best_first,
    folds_figure,
    grid,
    grid_figure,
    leads_figure,
    ranks_figure,
    stars,
)
from kekule.visualization.comparison_page import (
    FIGURES,
    headline,
    render_comparison,
    write_comparison_page,
)
from kekule.visualization.palette import number

LONG = "models/2026-01-02/a-very-long-name-of-a-run-that-nobody-would-give/" + "x" * 120


def told_of(scores, names=None, *, least=0.0, higher=True, networks=2, folds=5):
    """JSON of a comparison, as it is read from a file."""
    scores = np.asarray(scores, dtype=np.float64)
    names = names or tuple(f"m{k}" for k in range(len(scores)))
    metric = "roc_auc" if higher else "brier"
    table = FoldTable(tuple(names), scores, metric, higher, folds, scores.shape[1] // folds)
    found = compare_models(table, smallest_difference=least).to_json()
    compared = {
        **{"dataset": "assay", "data_hash": "ab" * 32, "n_rows": 1200, "n_rejected": 3},
        **{"folds": "5 folds of scaffolds; 5 seed(s)", "split": "scaffold", "seeds": [0, 1, 2]},
        "runs": [
            {"name": name, "model": "gin", "created": "2026-01-02", "recipe_hash": "cd" * 32}
            for name in names[:networks]
        ],
    }
    return json.loads(json.dumps(found | {"compared": compared}, allow_nan=False))


def drawn(n_models=4, seed=0, gain=0.01, **settings):
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 0.03, 25)
    gains = gain * np.arange(n_models)[:, None]
    return told_of(0.7 + gains + hardness + rng.normal(0, 0.01, (n_models, 25)), **settings)


def without_spread():
    return told_of([[0.9, 0.8, 0.7, 0.7, 0.7], [0.8, 0.7, 0.6, 0.6, 0.6], [0.5] * 5])


KINDS = {
    "two": drawn(2),
    "four": drawn(4, least=0.015),
    "twenty": drawn(20, gain=0.003, least=0.01),
    "more": drawn(23, gain=0.003),
    "lower is better": drawn(4, higher=False, least=0.01),
    "no spread": without_spread(),
    "all alike": told_of([[0.5] * 5] * 3),
    "few folds": told_of(np.random.default_rng(1).binomial(9, 0.7, (4, 3)) / 9, folds=3),
}


@pytest.fixture(scope="module", params=KINDS)
def told(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def page(told):
    return render_comparison(told)


def test_every_model_is_on_the_page_with_the_numbers_of_the_json(told, page):
    rows = Page(page).tables["models"][1:]
    models = {model["name"]: model for model in told["models"]}

    assert [row[0] for row in rows] == [model["name"] for model in best_first(told)]
    for name, kind, mean, std, rank, best in rows:
        model = models[name]
        assert mean == number(model["mean"])
        assert std == number(model["std"])
        assert rank == number(model["mean_rank"], 2)
        assert best == ("yes" if name in told["best_group"] else "no")
        assert kind == ("network" if name in ("m0", "m1") else "baseline")


def test_every_pair_is_on_the_page_once_with_the_numbers_of_the_json(told, page):
    rows = Page(page).tables["all-pairs"][1:]
    n = len(told["models"])

    assert len(rows) == math.comb(n, 2)
    for row, pair, corrected in zip(rows, told["pairs"], told["corrected_pairs"], strict=True):
        assert row[:3] == [pair["one"], pair["other"], number(pair["mean"])]
        low = pair["low"]
        assert row[3] == (
            "none: too few folds" if low is None else f"{number(low)} to {number(pair['high'])}"
        )
        p = "< 0.001" if pair["p"] < 0.001 else f"{pair['p']:.3f}"
        assert row[4] == p + stars(pair["p"])
        if told["method"] != "corrected t":
            assert row[5].startswith(number(corrected["low"]))
            assert row[6] == ("< 0.001" if corrected["p"] < 0.001 else f"{corrected['p']:.3f}")
        else:
            assert len(row) == 5


def test_the_verdict_comes_first_and_is_that_of_the_json(told, page):
    text = "".join(Page(page).words)

    assert told["verdict"] in text
    assert page.index('class="verdict') < page.index("<table")
    assert headline(told) in text
    assert ("wins" in headline(told)) == (told["winner"] is not None)


def test_each_way_not_to_win_has_a_headline_of_its_own():
    base = {"winner": None, "best_group": ["a"], "confirmed": None}

    said = [
        headline(base | {"winner": "a", "confirmed": True}),
        headline(base | {"best_group": ["a", "b"]}),
        headline(base),
        headline(base | {"confirmed": False}),
    ]
    assert said[0] == "a wins"
    assert len(set(said)) == 4
    assert all(words.startswith("No winner") for words in said[1:])


@pytest.mark.parametrize(("networks", "tone"), [(4, "model"), (1, "baseline")])
def test_a_network_that_wins_and_a_baseline_that_wins_differ_in_colour(networks, tone):
    told = drawn(4, gain=0.04, networks=networks)

    assert told["winner"] == "m3"
    assert f'class="verdict {tone}"' in render_comparison(told)
    assert 'class="verdict even"' in render_comparison(drawn(4, gain=0.0))


def test_data_hash_protocol_folds_and_runs_are_on_the_page():
    told = KINDS["four"]
    text = "".join(Page(render_comparison(told)).words)

    for words in ("ab" * 32, "5 folds of scaffolds; 5 seed(s)", "scaffold", "0, 1, 2", "1,200"):
        assert words in text
    for run in told["compared"]["runs"]:
        assert run["name"] in text


def test_every_assumption_is_told_with_its_p_and_what_it_decided():
    text = "".join(Page(render_comparison(KINDS["twenty"])).words)
    checks = KINDS["twenty"]["assumptions"]

    assert f"Shapiro–Wilk p {checks['normality_p']:.3f}" in text
    assert f"Mauchly W {checks['sphericity']['w']:.3f}" in text
    assert f"allowed up to {checks['variance_ratio_allowed']:g}" in text
    assert "Speaks for" in text
    for reason in without_spread()["assumptions"]["reasons"]:
        assert reason in "".join(Page(render_comparison(without_spread())).words)


@pytest.mark.parametrize("name", [EVIL, LONG, "好 \udc80 \x07", ""])
def test_a_name_stays_a_name_whatever_it_says(name, tmp_path):
    rng = np.random.default_rng(0)
    told = told_of(rng.normal(0.8, 0.02, (3, 25)), (name, "b", name + "/majority"))
    told["compared"]["dataset"] = name
    path = write_comparison_page(told, tmp_path / "new" / "c.html")
    page = path.read_text(encoding="utf-8")

    assert "<script" not in page
    assert Page(page).tables["models"][1:] != []
    shown = name.encode("utf-8", "replace").decode()
    assert shown in [row[0] for row in Page(page).tables["models"]]


def test_the_page_loads_nothing_from_elsewhere_and_ids_are_there_once(page):
    assert "default-src 'none'" in page
    assert "script-src" not in page
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page)
    assert not re.search(r"url\((?!#)", page)
    parsed = Page(page)
    assert sorted(parsed.ids) == sorted(set(parsed.ids))
    targets = [given["href"][1:] for tag, given in parsed.tags if tag == "a"]
    assert set(targets) <= set(parsed.ids)


def test_every_figure_has_a_caption_and_can_be_scrolled_to_by_keyboard(page):
    parsed = Page(page)
    for name in FIGURES:
        assert {f"figure-{name}", f"caption-{name}"} <= set(parsed.ids)
    figures = [given for tag, given in parsed.tags if tag == "figure"]
    assert {given["aria-labelledby"] for given in figures} == {f"caption-{n}" for n in FIGURES}
    scrolls = [given for _, given in parsed.tags if given.get("class") == "scroll"]
    assert all(given["tabindex"] == "0" and given["aria-label"] for given in scrolls)


def test_the_same_comparison_gives_the_same_page():
    assert render_comparison(KINDS["four"]) == render_comparison(KINDS["four"])


def test_every_figure_can_be_a_picture(told):
    for make in FIGURES.values():
        assert png_bytes(make(told), dpi=30).startswith(b"\x89PNG")


def test_boxes_and_dots_are_those_of_the_folds_and_few_models_are_joined():
    figure = folds_figure(KINDS["four"])
    for model, dots in zip(best_first(KINDS["four"]), artists(figure, "folds"), strict=True):
        np.testing.assert_allclose(np.asarray(dots.get_offsets())[:, 0], model["folds"])

    assert len(artists(figure, "box")) == 4
    assert len(artists(figure, "pairing")) == 25
    assert artists(folds_figure(KINDS["twenty"]), "pairing") == []


@pytest.mark.parametrize("name", ["four", "lower is better", "twenty"])
def test_leads_are_drawn_where_the_json_has_them_and_the_band_is_what_matters(name):
    told = KINDS[name]
    figure = leads_figure(told)
    dots = artists(figure, "lead")
    least = told["smallest_difference"]

    assert [dot.get_xdata()[0] for dot in dots] == [lead["mean"] for lead in told["leads"]]
    assert all(lead["mean"] >= 0 for lead in told["leads"])
    spans = [np.asarray(line.get_segments()[0])[:, 0] for line in artists(figure, "interval")]
    np.testing.assert_allclose(spans, [[x["low"], x["high"]] for x in told["leads"]])
    hollow = [dot.get_markerfacecolor() == "#FFFFFF" for dot in dots]
    assert hollow == [lead["other"] in told["best_group"] for lead in told["leads"]]
    (band,) = artists(figure, "band")
    corners = band.get_extents().transformed(figure.axes[0].transData.inverted())
    assert (corners.x0, corners.x1) == pytest.approx((-least, least))
    assert len(artists(figure, "corrected")) == len(told["leads"])


def test_no_band_without_a_difference_that_matters_and_no_second_interval_of_two():
    figure = leads_figure(KINDS["two"])
    assert artists(figure, "band") == []
    assert artists(figure, "corrected") == []


def test_the_grid_is_antisymmetric_and_blue_is_better_at_either_end_of_the_metric():
    for name in ("four", "lower is better"):
        told = KINDS[name]
        names = [model["name"] for model in best_first(told)]
        gaps, p_values = grid(told, names)
        np.testing.assert_array_equal(gaps, -gaps.T)
        np.testing.assert_array_equal(p_values, p_values.T)
        assert (gaps[0, 1:] >= 0).all()
        np.testing.assert_allclose(gaps[0, 1:], [lead["mean"] for lead in told["leads"]])


@pytest.mark.parametrize("name", ["four", "twenty"])
def test_only_what_matters_is_coloured_in_the_grid(name):
    told = KINDS[name]
    names = [model["name"] for model in best_first(told)]
    gaps, _ = grid(told, names)
    figure = grid_figure(told)
    inside = (np.abs(gaps) <= told["smallest_difference"]).sum()

    assert len(artists(figure, "within")) == inside
    assert len(artists(figure, "gap")) == gaps.size - inside
    assert 0 < inside < gaps.size
    colours = {patch.get_facecolor() for patch in artists(figure, "within")}
    assert len(colours) == 1


def test_of_more_than_twenty_models_the_grid_shows_the_best_twenty():
    assert len(artists(grid_figure(KINDS["more"]), "cell")) == 20 * 19
    assert "Of 23 models the 20" in render_comparison(KINDS["more"])


def test_stars_follow_the_p_value():
    assert [stars(p) for p in (0.2, 0.05, 0.0499, 0.0099, 0.0009, 0.0)] == [
        *("", "", "*", "**", "***", "***"),
    ]


def test_ranks_bars_and_the_critical_difference_are_those_of_the_json(told):
    figure = ranks_figure(told)
    ranks = {model["name"]: model["mean_rank"] for model in told["models"]}
    bars = [np.asarray(bar.get_segments()[0])[:, 0] for bar in artists(figure, "clique")]

    for bar, clique in zip(bars, told["cliques"], strict=True):
        assert bar[0] <= ranks[clique[0]] <= ranks[clique[-1]] <= bar[1]
    lines = sorted(line.get_xdata()[0] for line in artists(figure, "rank"))
    assert lines == pytest.approx(sorted(ranks.values()))
    (ruler,) = artists(figure, "critical")
    ends = np.asarray(ruler.get_segments()[0])[:, 0]
    assert ends[1] - ends[0] == pytest.approx(told["critical_difference"])


@pytest.mark.parametrize("n_models", [2, 5, 20])
def test_names_of_any_length_stay_inside_the_picture_and_apart(n_models):
    rng = np.random.default_rng(0)
    names = tuple(f"{k}{LONG}" for k in range(n_models))
    told = told_of(rng.normal(0.8, 0.02, (n_models, 25)), names)
    for make in (folds_figure, leads_figure, ranks_figure):
        figure = make(told)
        figure.draw_without_rendering()
        width = figure.bbox.width
        shown = [t for t in figure.axes[0].findobj(is_name) if t.get_text()]
        boxes = [text.get_window_extent() for text in shown]
        assert len(boxes) >= n_models - 1
        assert all(box.x0 >= -1 and box.x1 <= width + 1 for box in boxes)
        for side in (min, max):
            edge = side(box.x0 for box in boxes)
            column = sorted((b for b in boxes if b.x0 == edge), key=lambda b: b.y0)
            assert all(below.y1 <= above.y0 + 2 for below, above in pairwise(column))


def is_name(artist):
    return hasattr(artist, "get_text") and "…" in artist.get_text()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_comparison_page(KINDS["two"], tmp_path / "file" / "c.html")
