import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pages_read import Page

from kekule._errors import OutputError
from kekule.evaluation import METRICS
from kekule.visualization.catalogue import FIGURES
from kekule.visualization.page import write_whole
from kekule.visualization.palette import METRIC_NAMES
from kekule.visualization.report import write_report
from kekule.visualization.tables import score_tables

SECTIONS = ("summary", "data", "learning", "scores", "members", "uncertainty", "examination")
SECTIONS += ("errors", "model", "embedding", "reproduce", "all-rows")
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module", params=["mutag", "enzymes"])
def written(request, tmp_path_factory):
    """A view, and the text of its report written with figure files."""
    view = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    path = write_report(view, folder / "report.html", figures=folder / "figures")
    return view, path.read_text(encoding="utf-8"), folder


def test_every_figure_and_every_section_stands_on_the_page_once(written):
    _, text, _ = written
    ids = Page(text).ids
    for expected in [*(f"figure-{name}" for name in FIGURES), *SECTIONS]:
        assert ids.count(expected) == 1, expected


def test_no_two_elements_share_an_id(written):
    _, text, _ = written
    ids = Page(text).ids
    assert sorted(ids) == sorted(set(ids))


def test_every_figure_has_a_caption_and_a_link_in_the_contents_leads_to_each_section(written):
    _, text, _ = written
    page = Page(text)
    assert sum(tag == "figcaption" for tag, _ in page.tags) == len(FIGURES)
    hrefs = {attrs.get("href") for tag, attrs in page.tags if tag == "a"}
    assert {f"#{section}" for section in SECTIONS} <= hrefs


def test_every_link_within_the_page_leads_somewhere(written):
    _, text, _ = written
    page = Page(text)
    ids = set(page.ids)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a" and "href" in attrs]
    assert all(link[1:] in ids for link in links if link.startswith("#"))
    assert sum(link.startswith("#row-") for link in links) >= 12


def test_nothing_is_loaded_from_outside_the_file(written):
    _, text, _ = written
    loading = ("src", "href", "xlink:href", "data", "action", "poster", "srcset")
    for tag, attrs in Page(text).tags:
        for name in loading:
            value = attrs.get(name) or "#"
            assert value.startswith(("#", "data:")), (tag, name, value)
    assert all(
        address.strip("'\"").startswith(("#", "data:"))
        for address in re.findall(r"url\(([^)]*)\)", text)
    )
    assert "@import" not in text


def test_figure_files_are_written_beside_the_page_and_nothing_else(written):
    _, _, folder = written
    names = {path.name for path in (folder / "figures").iterdir()}
    assert names == {f"{name}{end}" for name in FIGURES for end in (".svg", ".png")}
    assert (folder / "figures" / "roc.svg").read_text().startswith("<?xml")
    assert (folder / "report.html").stat().st_size < 4_000_000


def test_every_row_of_the_view_has_its_anchor(written):
    view, text, _ = written
    assert {f"row-{row}" for row in view.rows} <= set(Page(text).ids)


def test_an_undefined_number_is_said_in_words(written):
    view, text, _ = written
    undefined = any(np.isnan(score.mean) for score in view.scores.values())
    assert ('class="undefined">undefined' in text) == undefined
    assert "nan" not in " ".join(Page(text).words).lower().split()


def test_names_that_are_markup_stay_names(mutag, tmp_path):
    hostile = replace(
        mutag,
        name=HOSTILE,
        dataset=HOSTILE,
        verdict=HOSTILE,
        classes=(HOSTILE, "\" onmouseover='x"),
        positive="\" onmouseover='x",
        smiles=(HOSTILE,) * len(mutag.rows),
        recipe=f"</pre>{HOSTILE}",
        environment={HOSTILE: HOSTILE},
        hashes={HOSTILE: HOSTILE},
        audit=[{"name": HOSTILE, "verdict": HOSTILE, "value": HOSTILE, "advice": HOSTILE}],
        label_counts={HOSTILE: np.array([1, 2])},
        graphs=lambda i: (np.array([[0, 1], [1, 0]]), np.array([0, 0]), (HOSTILE,)),
        molecules=(None,) * len(mutag.rows),
    )
    page = Page(write_report(hostile, tmp_path / "r.html").read_text())
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not [attrs for _, attrs in page.tags if any(a.startswith("on") for a in attrs)]
    assert HOSTILE in page.words


def test_the_policy_of_the_page_allows_its_own_script_only(written):
    _, text, _ = written
    page = Page(text)
    (policy,) = (a["content"] for _, a in page.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)


def test_a_crash_while_drawing_leaves_no_file(mutag, tmp_path, monkeypatch):
    def broken(view):
        raise RuntimeError("no ink")

    monkeypatch.setitem(FIGURES, "roc", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        write_report(mutag, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_crash_while_writing_leaves_the_old_page_and_no_other_file(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def broken(self, target):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_a_place_that_cannot_be_written_to_names_itself_and_the_cure(mutag, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"report\.html: cannot be written .*Give a folder"):
        write_whole(tmp_path / "file" / "report.html", b"page")


def test_a_name_outside_unicode_is_no_reason_to_go_without_a_page(mutag, tmp_path):
    path = write_report(replace(mutag, name="assay \udc80"), tmp_path / "report.html")
    assert "assay ?" in " ".join(Page(path.read_text(encoding="utf-8")).words)


def test_a_run_without_anything_optional_still_has_a_page(mutag, tmp_path):
    bare = replace(
        mutag,
        baselines={},
        scores={},
        curves=(),
        label_counts={},
        molecules=(None,) * len(mutag.rows),
        graphs=None,
        smiles=("",) * len(mutag.rows),
        layers=(),
        weights={},
        audit=[],
        seed_spread={},
        verdict="Nothing was compared.",
    )
    words = " ".join(Page(write_report(bare, tmp_path / "r.html").read_text()).words)
    assert "not a valid molecule" in words
    assert "SMILES" not in words
    assert "No audit was run" in words


def test_a_run_without_mistakes_says_so(mutag, tmp_path):
    right = replace(mutag, probabilities=np.eye(2)[mutag.truth])
    assert "No row was predicted wrongly" in write_report(right, tmp_path / "r.html").read_text()


def test_a_report_of_mutag_takes_seconds(mutag, tmp_path):
    start = time.process_time()
    write_report(mutag, tmp_path / "r.html")
    assert time.process_time() - start < 6


def test_every_metric_stands_in_one_table_of_scores_by_its_name(mutag):
    shown = [metric for table in score_tables(mutag) for metric in table]

    assert sorted(shown) == sorted(METRICS)
    assert set(METRICS) == set(METRIC_NAMES)
    assert max(map(len, score_tables(mutag))) <= 9
