"""Does the page work where it is read: in a browser, without network, without a word on the console?"""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from seedwise.report.figures import Figure

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, headless=True, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def heard():
    """What the page said, asked for, or broke with."""
    return {"console": [], "requests": [], "errors": [], "dialogs": []}


@pytest.fixture(scope="module")
def page(chromium, page_file, heard):
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.on("console", lambda message: heard["console"].append(message.text))
    page.on("request", lambda request: heard["requests"].append(request.url))
    page.on("pageerror", lambda error: heard["errors"].append(str(error)))
    page.on("dialog", lambda dialog: (heard["dialogs"].append(dialog.message), dialog.dismiss()))
    page.goto(page_file.as_uri())
    yield page
    page.close()


@pytest.fixture
def browser_table(page):
    """The first table of trials, unfiltered."""
    table = page.locator(".browser").first
    table.locator("input").fill("")
    return table


def column(table, number):
    return table.locator(f"tbody tr:visible td:nth-child({number})").all_inner_texts()


def test_every_figure_is_drawn(page, report):
    figures = [figure for figure in report.figures if isinstance(figure, Figure)]
    assert len(figures) >= 3 * 10
    drawn = page.locator("figure > svg")
    assert drawn.count() == len(figures)
    for i in range(drawn.count()):
        box = drawn.nth(i).bounding_box()
        assert box["width"] > 100
        assert box["height"] > 50
        assert drawn.nth(i).locator("path").count() > 0


def test_trials_are_sorted_by_a_click(browser_table):
    heading = browser_table.locator("th", has_text="best").first.locator("button")
    heading.click()
    ascending = [float(text) for text in column(browser_table, 6)]
    assert ascending == sorted(ascending)
    heading.click()
    assert [float(text) for text in column(browser_table, 6)] == sorted(ascending, reverse=True)


def test_trials_are_filtered_by_what_is_typed(browser_table):
    identity = column(browser_table, 1)[7]
    browser_table.locator("input").fill(identity)
    assert column(browser_table, 1) == [identity]
    assert browser_table.locator("output").inner_text() == "1 of 36 trials"
    browser_table.locator("input").fill("")
    assert len(column(browser_table, 1)) == 36


def test_a_trial_shows_its_curve(browser_table):
    browser_table.locator("tbody tr").nth(3).click()
    curve = browser_table.locator(".curve svg")
    assert len(curve.locator("polyline").get_attribute("points").split()) == 12
    assert curve.locator("circle").count() == 12


def test_names_that_look_like_scripts_stay_text(page, heard):
    assert "<script>alert(1)</script>" in page.locator("h1").inner_text()
    assert page.locator("h2", has_text="<script>alert(1)</script>").count() == 2
    assert heard["dialogs"] == []


def test_page_fits_a_phone(chromium, page_file):
    phone = chromium.new_page(viewport={"width": 390, "height": 844})
    phone.goto(page_file.as_uri())
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def test_page_can_be_printed(page):
    printed = page.pdf()
    assert printed.startswith(b"%PDF")


def test_page_works_without_scripts(chromium, page_file):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("tbody tr", has_text="complete").count() == 3 * 36
    context.close()


def test_a_script_of_somebody_else_does_not_run(chromium, page_file, tmp_path):
    """The policy holds, whatever gets past the escaping."""
    text = page_file.read_text("utf-8").replace("<h1>", "<script>document.title='taken'</script><h1 onclick='x()'>", 1)
    (tmp_path / "broken.html").write_text(text, "utf-8")
    page = chromium.new_page()
    page.goto((tmp_path / "broken.html").as_uri())
    assert page.title() != "taken"
    page.close()


@pytest.mark.usefixtures("page")
def test_page_says_nothing_and_asks_for_nothing(page_file, heard):
    """Last, after everything above was clicked."""
    assert heard["console"] == []
    assert heard["errors"] == []
    assert set(heard["requests"]) <= {page_file.as_uri(), "data:,"}
