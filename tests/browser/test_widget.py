"""`miscope.scrub` and `miscope.compare` in a real Chromium: the widget's own script, and its own Python behind it."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import urlsplit

import comm
import pytest
from comm.base_comm import BaseComm
from playwright.sync_api import expect

import miscope
import miscope_views
from miscope.bound import open_bound
from miscope.testing import tables

PATIENCE = 300_000

pytestmark = pytest.mark.browser

HOST = "<!doctype html><html><head><meta charset='utf-8'></head><body><div id='cell'></div></body></html>"

FRONT_END = """
async ({state, script}) => {
  // A front end's model, as ipywidgets and anywidget give it to a widget's script.
  const heard = {}
  const changed = {}
  const emit = (name, ...told) => (heard[name] ?? []).slice().forEach((action) => action(...told))
  const tell = async (message) => (await to_python(JSON.stringify(message))).forEach(window.from_python)
  window.from_python = ({data, buffers}) => {
    if (data.method === "custom") {
      const bytes = buffers.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer))
      emit("msg:custom", data.content, bytes)
    }
    if (data.method === "update") for (const [name, value] of Object.entries(data.state)) {
      state[name] = value
      emit(`change:${name}`)
    }
  }
  const model = {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return
      state[name] = changed[name] = value
      emit(`change:${name}`)
    },
    save_changes() {
      const now = {...changed}
      for (const name of Object.keys(changed)) delete changed[name]
      tell({method: "update", state: now, buffer_paths: []})
    },
    send: (content) => tell({method: "custom", content}),
    on: (name, action) => (heard[name] ??= []).push(action),
    off: (name, action) => (heard[name] = (heard[name] ?? []).filter((one) => one !== action)),
  }
  const module = await import(URL.createObjectURL(new Blob([script], {type: "text/javascript"})))
  window.remove = await module.default.render({model, el: document.getElementById("cell")})
}
"""


class Wire(BaseComm):
    """The messages of one widget; nothing of it is left out or made up."""

    def __init__(self, **opened: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        super().__init__(**opened)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **k: Any) -> None:
        if msg_type == "comm_msg":
            coded = [base64.b64encode(each).decode() for each in buffers or ()]
            self.told.append({"data": data, "buffers": coded})

    def take(self) -> list[dict[str, Any]]:
        taken, self.told = self.told, []
        return taken

    def hear(self, text: str) -> list[dict[str, Any]]:
        self.asked.append(json.loads(text))
        self.handle_msg({"content": {"data": json.loads(text)}, "buffers": []})
        return self.take()

    def drawn(self, card: int) -> list[int | None]:
        """The steps at which the browser asked for a card's figure."""
        asked = [message["content"] for message in self.asked if message["method"] == "custom"]
        return [content["step"] for content in asked if content["kind"] == "draw" and content["card"] == card]


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Two toys that memorise at different epochs, with a checkpoint at every tenth."""
    workspace = open_bound(tmp_path_factory.mktemp("widgets") / "workspace", tables(views=miscope_views))
    for seed in (0, 1):
        variant = workspace.variant("toy.fourier", seed=seed, checkpoints="every:10")
        list(variant.train(steps=200, threads=1))
        variant.analyze("events.grokking", "spectra.embedding")
    return workspace.variants()


@pytest.fixture
def shown(chromium, monkeypatch):
    """shown(make): the widget that it makes, on a page; no error may come of it, and no request to anywhere."""
    monkeypatch.setattr(comm, "create_comm", Wire)
    errors, asked = [], []
    context = chromium.new_context(viewport={"width": 1140, "height": 900})
    page = context.new_page()
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(urlsplit(request.url).scheme))

    def make(made: Any):
        widget = made()
        page.set_content(HOST)
        page.expose_function("to_python", widget.comm.hear)
        widget.comm.take()
        state = {name: value for name, value in widget.get_state().items() if name in widget.keys}
        state = {name: state[name] for name in state if not name.startswith("_") and name != "layout"}
        page.evaluate(FRONT_END, {"state": state, "script": widget._esm})
        return page, widget

    yield make
    context.close()
    assert errors == []
    assert {*asked} <= {"blob", "data"}


def told(page, widget) -> None:
    """What Python did meanwhile, to the browser."""
    for message in widget.comm.take():
        page.evaluate("(message) => from_python(message)", message)


def until(page, so) -> None:
    """Waits while the page goes on: Python hears of a move when the hand has rested."""
    patience = time.monotonic() + PATIENCE / 1000
    while not so():
        assert time.monotonic() < patience
        page.wait_for_timeout(20)


def card(page, number: int):
    return page.locator("section.card").nth(number)


def line(page, number: int) -> float:
    """Where the cursor lies over a card's plot, as a share of the plot's width."""
    return card(page, number).evaluate(
        "(card) => { const x = card.querySelector('.plot')._fullLayout.xaxis;"
        " return (parseFloat(card.querySelector('.line').style.left) + 0.75 - x._offset) / x._length }"
    )


def at_line(page, number: int) -> float:
    """The same on the plot's axis."""
    return card(page, number).evaluate(
        "(card) => { const x = card.querySelector('.plot')._fullLayout.xaxis;"
        " return x.p2d(parseFloat(card.querySelector('.line').style.left) + 0.75 - x._offset) }"
    )


def test_the_cursor_of_a_widget_moves_its_figures_and_python_hears_of_it(toys, shown) -> None:
    page, widget = shown(lambda: miscope.scrub(toys[0], ["behaviour.losses", "spectra.embedding"], step=100))
    expect(card(page, 0)).to_have_attribute("data-drawn", "1")
    expect(card(page, 1)).to_have_attribute("data-step", "100")
    expect(card(page, 1).locator(".badge")).to_have_text("epoch 100")
    assert line(page, 0) == pytest.approx(0.5, abs=0.05)
    page.locator(".track").focus()
    for key, step in (("ArrowRight", 110), ("Home", 0), ("End", 200)):
        page.keyboard.press(key)
        expect(card(page, 1)).to_have_attribute("data-step", str(step))
        until(page, lambda step=step: widget.step == step)
    assert line(page, 0) > 0.9
    widget.step = 110
    told(page, widget)
    expect(card(page, 1)).to_have_attribute("data-step", "110")
    # A view over training is drawn once, a checkpoint once each.
    assert widget.comm.drawn(0) == [None]
    assert widget.comm.drawn(1) == [100, 110, 0, 200]
    box = card(page, 0).locator(".plot .nsewdrag").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    until(page, lambda: 30 <= widget.step <= 70)
    expect(card(page, 1)).to_have_attribute("data-step", str(widget.step))
    page.locator(".place input").fill("123")
    page.locator(".place input").press("Enter")
    expect(page.locator(".note")).to_have_text("123 is no checkpoint")
    expect(card(page, 1)).to_have_attribute("data-step", "120")
    until(page, lambda: widget.step == 120)
    page.evaluate("remove()")


def test_aligned_by_an_event_each_variant_is_at_its_own_step(toys, shown) -> None:
    views = ["behaviour.compare", "behaviour.losses", "spectra.embedding"]
    page, widget = shown(lambda: miscope.compare(toys, views, align="memorised"))
    events = [int(each.arrays("events.grokking")["memorised"]) for each in toys]
    assert len({*events}) == 2
    for number in range(5):
        expect(card(page, number)).to_have_attribute("data-drawn", "1")
    page.locator(".track").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: widget.step > 0)
    for number, event in ((3, events[0]), (4, events[1])):
        nearest = min(range(0, 201, 10), key=lambda step, event=event: abs(step - event - widget.step))
        expect(card(page, number)).to_have_attribute("data-step", str(nearest))
    # Over all of them the cursor lies where the clock is, over one at its own step.
    for number, place in ((0, widget.step), (1, events[0] + widget.step), (2, events[1] + widget.step)):
        assert at_line(page, number) == pytest.approx(place, abs=1)
    page.evaluate("remove()")
