"""The cursor goes by keys at once, by play where the pictures are: the next step is asked for while one is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.figures.client import FILES
from miscope_panel.page import client

pytestmark = pytest.mark.browser

PAGE = Path(client.__file__).parent

SCRIPT = """window.script = {
  // A cursor over four steps, of a page whose cards are as they are told to be; its clock goes when it is moved on.
  begin() {
    const [later, never, now] = [window.setTimeout, window.clearTimeout, performance.now]
    let [time, serial, timers] = [1000, 0, []]
    performance.now = () => time
    window.setTimeout = (action, pause = 0) => (timers.push({id: ++serial, at: time + pause, action}), serial)
    window.clearTimeout = (id) => (timers = timers.filter((each) => each.id !== id))
    const cards = {settled: true, arrived: false}
    const heard = {}
    const el = document.createElement("div")
    document.body.replaceChildren(el)
    const model = {steps: [0, 10, 20, 30], asked: 0, step_label: "step", events: {}, active: true,
      on: (name, action) => (heard[name] ??= []).push(action)}
    const target = new EventTarget()
    const hub = hub_on(target, {step: null})
    const [settled, arrived] = [() => cards.settled, () => cards.arrived]
    step_cursor({model, el, hub, settled, arrived})
    return {
      cards,
      press: (key) => target.dispatchEvent(Object.assign(new Event("keydown", {cancelable: true}), {key})),
      draw: () => hub.announce("drawing"),
      leave: () => {
        model.active = false
        for (const action of heard.active) action()
      },
      pass: (pause) => {
        const until = time + pause
        for (let next; (next = timers.filter(({at}) => at <= until).sort((a, b) => a.at - b.at)[0]); ) {
          timers = timers.filter((each) => each !== next)
          time = next.at
          next.action()
        }
        time = until
      },
      seen: () => [hub.state.step, model.asked, el.querySelector("[aria-pressed=true]") ? "yes" : "no"],
      end: () => {
        Object.assign(window, {setTimeout: later, clearTimeout: never})
        performance.now = now
      },
    }
  },
  run(story) {
    const cursor = script.begin()
    try {
      const seen = []
      const at = () => seen.push(cursor.seen())
      story(cursor, at)
      return seen
    } finally {
      cursor.end()
    }
  },
}"""


@pytest.fixture(scope="module")
def played(chromium):
    """played(story): what is shown, what is asked for and whether it plays, each time that the story looks."""
    page = chromium.new_page()
    parts = [(FILES / name).read_text() for name in ("dom.js", "cursor.js")]
    page.add_script_tag(content="\n".join([*parts, SCRIPT]))
    yield lambda story: page.evaluate(f"() => script.run((cursor, at) => {{ {story} }})")
    page.close()


BEGUN = "cursor.press(' '); cursor.cards.settled = false; cursor.pass(50);"


def test_keys_move_the_cursor_at_once_and_python_hears_of_all_of_them_in_one_word(played):
    story = "cursor.press('ArrowRight'); at(); cursor.press('ArrowRight'); at(); cursor.pass(100); at();"
    assert played(story) == [[10, 0, "no"], [20, 0, "no"], [20, 20, "no"]]


def test_play_asks_for_the_next_step_once_this_one_begins_to_be_drawn(played):
    story = BEGUN + "at(); cursor.cards.arrived = true; cursor.draw(); at();"
    assert played(story) == [[0, 10, "yes"], [10, 20, "yes"]]


def test_the_cursor_stays_until_all_that_is_drawn_of_the_step_has_come(played):
    assert played(BEGUN + "cursor.draw(); at(); cursor.pass(100); at();") == [[0, 10, "yes"]] * 2


def test_a_step_that_comes_at_once_is_shown_and_the_next_asked_for_after_a_pause(played):
    story = "cursor.press(' '); cursor.cards.settled = false; cursor.cards.arrived = true; cursor.pass(10);"
    story += "cursor.draw(); at(); cursor.pass(20); at(); cursor.pass(30); at();"
    assert played(story) == [[10, 10, "yes"], [10, 10, "yes"], [10, 20, "yes"]]


def test_the_last_step_is_shown_before_play_ends(played):
    story = BEGUN + "cursor.cards.arrived = true; for (let i = 0; i < 3; i++) { cursor.draw(); cursor.pass(50); } at();"
    story += "cursor.cards.settled = true; cursor.pass(100); at();"
    assert played(story) == [[30, 30, "yes"], [30, 30, "no"]]


def test_a_step_that_is_on_its_way_when_play_is_ended_is_where_the_cursor_stays(played):
    assert played(BEGUN + "cursor.press(' '); at(); cursor.pass(500); at();") == [[10, 10, "no"]] * 2


def test_what_takes_long_holds_the_cursor_back_no_longer_than_a_moment(played):
    assert played(BEGUN + "cursor.pass(250); at();") == [[10, 10, "yes"]]


WIRED = """() => {
  const [card, model] = [{}, {asked: 20, followed: 20, active: false, on: () => {}}]
  const seen = []
  const look = () => seen.push([page_script.given.arrived(20), page_script.given.settled(20)])
  page_script.render({model, el: null})
  const {late, waiting} = miscope
  waiting.add(card) && late.add(card)
  look()
  late.delete(card)
  look()
  waiting.delete(card)
  look()
  Object.assign(model, {followed: 10})
  look()
  return seen
}"""


def test_a_step_has_arrived_when_no_picture_of_it_is_late_and_is_settled_when_all_are_drawn(chromium):
    """And neither where the cards were not asked for it yet."""
    page = chromium.new_page()
    parts = [(FILES / "dom.js").read_text(), (PAGE / "page.js").read_text()]
    cursor = (PAGE / "page_cursor.js").read_text().replace("export function render", "function render")
    given = "window.page_script = {render, given: null}; const step_cursor = (given) => (page_script.given = given)"
    page.add_script_tag(content="\n".join([*parts, cursor, given]))
    assert page.evaluate(WIRED) == [[False, False], [True, False], [True, True], [False, False]]
    page.close()


ROUND = """async () => {
  const heard = []
  page_script.listen({on: () => {}}, "miscope:drawing", () => heard.push("begins"))
  await page_script.together().then(() => heard.push("drawn"))
  return heard
}"""


def test_a_round_of_drawing_is_announced_before_anything_of_it_is_drawn(chromium):
    page = chromium.new_page()
    parts = [(FILES / "dom.js").read_text(), (PAGE / "page.js").read_text()]
    page.add_script_tag(content="\n".join([*parts, "window.page_script = {together, listen}"]))
    assert page.evaluate(ROUND) == ["begins", "drawn"]
    page.close()


def test_a_page_that_is_left_plays_no_more(played):
    assert played(BEGUN + "cursor.leave(); at(); cursor.pass(500); at();") == [[0, 10, "no"]] * 2
