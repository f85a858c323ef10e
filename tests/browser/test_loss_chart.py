"""The losses of a run as its card draws them: what stands there before they are a curve."""

from __future__ import annotations

from pathlib import Path

import pytest

import miscope_panel
from miscope.figures.client import FILES
from miscope_panel.page.client import sheet

pytestmark = pytest.mark.browser

CLIENT = Path(miscope_panel.__file__).parent / "page" / "client"
SCRIPT = """window.said = async (...asked) => {
  const {element, set, append} = loss_chart()
  document.body.replaceChildren(element)
  for (const [step, loss] of asked) step === "read" ? set({train_loss: loss}) : append(step, {train_loss: loss})
  await new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))
  const seen = element.querySelectorAll(".curve").length && element.querySelector("svg").checkVisibility()
  return [element.hidden ? "" : element.innerText.trim(), seen]
}"""


@pytest.fixture(scope="module")
def said(chromium):
    """said(...): the words of a chart that was told these, and whether a curve is seen; of a curve read, "read"."""
    page = chromium.new_page()
    page.add_style_tag(content=sheet("loss_chart"))
    parts = [FILES / "dom.js", CLIENT / "loss_chart.js"]
    page.add_script_tag(content="\n".join([*(path.read_text() for path in parts), SCRIPT]))
    yield lambda *asked: page.evaluate("asked => said(...asked)", asked)
    page.close()


def test_until_the_losses_are_a_curve_nothing_is_drawn_of_them(said):
    assert said([14_773, 0.29]) == ["loss curve \u2026", 0]
    assert said([0, 2.0], [1000, 0.5])[1]
    read = {"steps": [0, 6650], "values": [4.0, 0.5]}
    words, seen = said([6652, 0.25], ["read", read])
    assert (words.splitlines()[-1], seen) == ("train_loss 0.25", True)
    # Read, and there is no more: nothing is waited for.
    assert said([5, 0.5], ["read", {"steps": [5], "values": [0.5]}]) == ["", 0]
    assert said(["read", {"steps": [], "values": []}]) == ["", 0]
