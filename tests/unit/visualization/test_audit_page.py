"""The page of an audit: every finding on it, the worst first, and nothing on it but words."""

import re

import pytest

from kekule._errors import OutputError
from kekule.data.audit import finding
from kekule.visualization.audit_page import render_audit, write_audit_page

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def audit():
    """Findings of every colour and with every kind of picture."""
    interval = {"kind": "intervals", "unit": "AUROC", "chance": 0.5, "how": "x", "points": []}

    def probe(name, verdict, value):
        points = [{"name": "active", "value": value, "low": value - 0.04, "high": value + 0.03}]
        figure = interval | {"points": points}
        return finding(f"shortcut: {name}", verdict, f"AUROC {value}", "why", figure=figure)

    findings = [
        finding("rows", "green", 12, ""),
        probe("length", "amber", 0.71),
        probe("row order", "red", 0.96),
        finding(
            "conflicting exact duplicates",
            "amber",
            "1 group",
            "Look it up.",
            rows=[3, 5],
            table=[
                {"rows": [3, 5], "labels": ["0", "1"], "smiles": "Cc1ccc(I)cc1"},
                {"rows": [7, 8], "labels": [EVIL, "1"], "smiles": "no molecule"},
            ],
        ),
        finding(
            "range of logP",
            "green",
            "-1 to 4",
            "",
            figure={"kind": "histogram", "unit": "logP", "edges": [-1, 2, 4], "counts": [3, 9]},
        ),
        finding(
            "missing labels",
            "amber",
            0.25,
            EVIL,
            figure={"kind": "bars", "unit": "share", "points": [{"name": EVIL, "value": 0.25}]},
        ),
        finding("a later kind", "green", None, "", figure={"kind": "of another version"}),
    ]
    head = {"name": f"assay {EVIL}", "source": "assay.csv", "sha256": "ab" * 32, "rows": 12}
    return {**head, "classes": {"0": 6, "1": 6}, "verdict": "red", "findings": findings}


def test_every_finding_is_on_the_page_and_the_worst_comes_first(audit):
    page = render_audit(audit)
    places = [page.index(f"<b>{f['name']}</b>") for f in audit["findings"]]
    by_tone = {
        tone: [p for p, f in zip(places, audit["findings"], strict=True) if f["verdict"] == tone]
        for tone in ("red", "amber", "green")
    }

    assert max(by_tone["red"]) < min(by_tone["amber"])
    assert max(by_tone["amber"]) < min(by_tone["green"])
    assert "Do not train yet" in page
    assert "Look it up." in page


def test_what_a_table_says_stays_text_whatever_it_says(audit):
    page = render_audit(audit)

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_loads_nothing_from_elsewhere(audit):
    page = render_audit(audit)

    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page)
    assert not re.search(r"url\((?!#)", page)


def test_each_probe_is_drawn_with_its_number(audit):
    picture = re.search(r"<figure class=\"wide\".*?</figure>", render_audit(audit), re.S)[0]

    for words in ("row order", "length", "0.96", "0.71"):
        assert words in picture


def test_a_molecule_of_a_finding_is_drawn_and_what_is_none_is_left_to_the_table(audit):
    page = render_audit(audit)

    assert page.count('<li class="card">') == 1
    assert "no molecule" in page


def test_without_probes_there_is_no_picture_of_them(audit):
    kept = [f for f in audit["findings"] if not f["name"].startswith("shortcut")]

    assert "Shortcut probes" not in render_audit(audit | {"findings": kept})


def test_a_place_that_cannot_be_written_is_one_line(audit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_audit_page(audit, tmp_path / "file" / "audit.html")


def test_a_written_page_is_the_rendered_one(audit, tmp_path):
    path = write_audit_page(audit, tmp_path / "new folder" / "audit.html")

    assert path.read_text() == render_audit(audit)
