"""Parts of the page to launch runs, each alone and with a model that only writes down what it is told."""

from __future__ import annotations

import pytest

from miscope_panel.page.client import source
from miscope_panel.page.launch.launch_view import LaunchView

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

MODEL = """window.put = (make, values) => {
  window.sent = []
  window.told = {}
  window.model = {...values, on: (name, then) => { told[name] = then }, send_msg: (message) => sent.push(message)}
  document.body.replaceChildren(make(model))
}
"""


@pytest.fixture
def part(chromium):
    """part(name, values): a page with that part alone."""
    page = chromium.new_page()

    def put(name, **values):
        # A component exports what draws it, which a script cannot.
        script = source(name).replace("export ", "")
        page.add_script_tag(content=f"{script}\n{MODEL}window.make = {name}")
        page.evaluate("values => put(make, values)", values)
        return page

    yield put
    page.close()


def chosen(size: int) -> dict[str, object]:
    return {"name": "some.json", "mimeType": "application/json", "buffer": b"x" * size}


def test_a_file_that_is_too_long_is_refused_before_it_is_sent(part):
    longest = LaunchView.param.longest.default
    page = part("launch_templates", templates={}, download={}, longest=longest)
    page.locator("details").evaluate("each => { each.open = true }")
    page.get_by_label("File with templates", exact=True).set_input_files(chosen(longest["bytes"] + 1))
    playwright.expect(page.get_by_role("status")).to_have_text(
        "The text is too long.Templates are at most 1048576 bytes together.Import parts."
    )
    playwright.expect(page.get_by_role("status")).to_have_class("told refused")
    assert page.evaluate("sent") == []
    page.get_by_label("File with templates", exact=True).set_input_files(chosen(3))
    page.wait_for_function("sent.length == 1")
    assert page.evaluate("sent") == [{"kind": "template", "action": "import", "id": "", "text": "xxx"}]


def test_no_refusal_stands_under_a_heading_that_says_something_was_started(part):
    page = part("launch_started", started={}, runs=[], curve={})
    heading = page.locator("h2")
    for refused, title in ((False, "Started"), (True, "Not started")):
        page.evaluate("refused => { model.started = {words: ['so'], refused}; told.started() }", refused)
        playwright.expect(heading).to_have_text(title)
        playwright.expect(page.get_by_role("region", name=title, exact=True)).to_be_visible()
    run = {"id": 3, "training": False, "title": "one", "state": "queued", "section": "queued"}
    page.evaluate("run => { model.runs = [run]; told.runs() }", run)
    playwright.expect(page.get_by_role("heading", name="Started before", exact=True)).to_be_visible()
