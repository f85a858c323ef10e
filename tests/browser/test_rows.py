"""How cards share out a board: rows as alike as they can be, which fill its width, and its height if there is room."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import pytest

import miscope_panel
from miscope_panel.page.client import sheet

pytestmark = pytest.mark.browser

CLIENT = Path(miscope_panel.__file__).parent / "page" / "client"
SCRIPT = """window.laid = ([style, width, height, kinds]) => {
  const host = document.createElement("div")
  host.style.cssText = `width: ${width}px; height: ${height}px; box-sizing: border-box`
  document.body.replaceChildren(host)
  const root = host.attachShadow({mode: "open"})
  const parts = kinds.map((kind) => {
    const part = document.createElement("div")
    if (kind !== "heading") part.dataset.entry = kind.startsWith("held") ? "a.view@v:0" : "a.view"
    if (kind === "held") part.dataset.held = ""
    if (["wide", "table"].includes(kind)) part.classList.add(kind)
    // As Bokeh has them, and as high as a card with a small plot, or as a line.
    part.style.cssText = `width: 100%; min-height: ${kind === "heading" ? 30 : 400}px`
    return part
  })
  root.append(Object.assign(document.createElement("style"), {textContent: style}), ...parts)
  lay_out(root)
  return parts.map((part, i) => {
    const {left, top, width, height} = part.getBoundingClientRect()
    return [Math.round(top), Math.round(left), Math.round(width), Math.round(height), i]
  })
}"""


@pytest.fixture(scope="module")
def laid(chromium):
    """laid(width, height, kinds): rows of (index, left, width, height) of the parts of a board, from the top."""
    page = chromium.new_page(viewport={"width": 2600, "height": 1500})
    page.add_script_tag(
        content="\n".join([*((CLIENT / f"{n}.js").read_text() for n in ("rows_shared", "beside")), SCRIPT])
    )

    def measured(width: int, height: int, kinds: list[str]) -> list[list[tuple[int, int, int, int]]]:
        found = sorted(page.evaluate("asked => laid(asked)", [sheet("board"), width, height, kinds]))
        return [[(i, left, w, h) for _, left, w, h, i in row] for _, row in groupby(found, key=lambda box: box[0])]

    yield measured
    page.close()


def of(rows) -> list[list[int]]:
    """Which parts lie in which row."""
    return [[i for i, *_ in row] for row in rows]


@pytest.mark.parametrize("count", range(1, 10))
@pytest.mark.parametrize("width", [390, 1128, 2248])
def test_each_row_of_a_lens_fills_the_width_and_is_as_long_as_the_others_but_for_one_card(laid, width, count):
    rows = laid(width, 900, ["heading", *["card"] * count])
    assert [i for row in of(rows) for i in row] == list(range(count + 1))
    lengths = [len(row) for row in rows[1:]]
    assert max(lengths) - min(lengths) <= 1
    left, right = rows[0][0][1], rows[0][0][1] + rows[0][0][2]
    for row in rows:
        assert row[0][1] == pytest.approx(left, abs=1)
        assert row[-1][1] + row[-1][2] == pytest.approx(right, abs=1)
        gaps = [after[1] - before[1] - before[2] for before, after in pairwise(row)]
        assert gaps == pytest.approx([14] * len(gaps), abs=1)


def test_seven_cards_of_a_lens_are_four_and_three_on_a_large_screen_and_four_cards_two_and_two_of_a_board(laid):
    assert of(laid(2248, 1300, ["heading", *["card"] * 7])) == [[0], [1, 2, 3, 4], [5, 6, 7]]
    assert of(laid(2248, 1300, ["card"] * 4)) == [[0, 1], [2, 3]]


def test_a_pair_is_not_parted_and_a_card_with_a_row_of_its_own_breaks_none(laid):
    assert of(laid(1128, 900, ["card", "card", "held", "card"])) == [[0], [1, 2], [3]]
    assert of(laid(1128, 900, ["card", "wide", "card", "heading", "wide", "card"])) == [[0, 2], [1], [3], [4], [5]]


def test_rows_of_cards_share_the_height_that_is_left_over_under_headings_too(laid):
    upper, heading, lower = laid(2528, 1270, ["card", "card", "heading", "card", "card"])
    assert heading[0][3] == 30
    assert upper[0][3] == lower[0][3] == pytest.approx((1270 - 14 - 20 - 30 - 2 * 14) / 2, abs=1)
