"""The page in a real browser: everything shows, nothing complains, nothing overflows."""

import shutil

import pytest

from kekule.visualization.report import write_report

pytestmark = pytest.mark.browser

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
EMPTY_PICTURES = """
[...document.querySelectorAll('main svg, main img')].filter(e => {
  const box = e.getBoundingClientRect(); return box.width < 1 || box.height < 1;
}).map(e => e.outerHTML.slice(0, 80))
"""


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["mutag", "enzymes"])
def address(request, tmp_path_factory):
    view = request.getfixturevalue(request.param)
    return write_report(view, tmp_path_factory.mktemp("page") / "report.html").as_uri()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_shows_every_picture_without_complaint_or_sideways_scrolling(
    chromium, address, width
):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)

    assert page.locator("main figure svg").count() >= 14
    assert page.evaluate(EMPTY_PICTURES) == []
    assert complaints == []
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_filter_keeps_wrong_rows_and_a_link_to_a_right_row_lifts_it(chromium, address):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    everything = page.locator("#rows tbody tr:visible").count()
    page.locator("#only-wrong").check()
    wrong = page.locator("#rows tbody tr:visible").count()
    assert 0 < wrong < everything
    assert wrong == page.locator("#rows tbody tr.wrong").count()
    page.evaluate("location.hash = document.querySelector('#rows tr:not(.wrong)[id]').id")
    page.wait_for_function("!document.getElementById('only-wrong').checked")
    assert page.locator("#rows tbody tr:visible").count() == everything
    page.close()


def test_without_scripts_the_page_still_shows_all_rows_and_no_dead_filter(chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#rows tbody tr").count() >= 180
    assert not page.locator("#only-wrong").is_visible()
    context.close()
