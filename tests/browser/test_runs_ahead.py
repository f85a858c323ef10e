"""What is looked for among the runs is found in the browser, as the server finds it, before the server answers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from miscope.tabulating.asked import Order, TableAsked
from miscope.tabulating.condition import admitted
from miscope.tabulating.showing import show
from miscope.tabulating.variant_table import Part, Row, VariantTable
from miscope_panel.page.client import source
from miscope_panel.shown.known_rows import known_rows
from miscope_panel.shown.variants_table import TableAnswer

pytestmark = pytest.mark.browser

PARTS: dict[str, Part] = {
    **{"variant": "variant", "family": "variant", "prime": "parameter", "seed": "parameter", "wide": "parameter"},
    **{"optimizer": "training", "rate": "training", "loss": "measure", "huge": "measure", "state": "work"},
    **{"step": "work", "notes": "work", "mixed": "parameter"},
    **{"rank": "measure", "Rank": "measure"},
}
OPTIMIZERS, STATES = ("AdamW", "sgd", None), ("finished", "running 3 %", "failed: STRASSE")
LOSSES, MIXED = (1e-7, 0.5, math.nan, None, 113.0, -2.0), (7, "seven", True, None, 7.5)
NOTES = ("Straße\nÜber İstanbul", "a_b 100%", 'says "so"', None, "x=y<z", "end.")
PLAIN = (
    *("seed=1", "seed=1e1", "seed=01", "prime=7 seed<4", "SEED>=10", "loss<1e-3", "loss!=0.5", "loss=abc", "loss!=abc"),
    *("optimizer=adamw", "optimizer!=adamw", "wide=true", "wide=false", "state=running", "adam", "ADAM seed=1", "a_b"),
    *("7", "nothing", "", "   ", "p7", "end.", "100%", '"so"', "rate=0.001 7", "step>5", "mixed=7", "mixed=seven"),
    *("mixed>=7", "mixed!=7", "family=toy.sum", "strasse", "x/", "variant<toy.sum/v7", "prime=.7e1", "=1", "<"),
    *("rank<5", "Rank<5"),
)
ODD = (
    *("Straße", "ß", "İ", "seed=1_0", "loss=nan", "huge<1", "loss<inf", "x=y", "prim=7", "seed=1\tprime=7", "\u00a0"),
    *("loss<inf_", "seed=", "seed==1", "seed<=>1"),
)
CONDITIONS = (
    *("seed < 5", "seed<5 and prime=7", "SEED >= 3 AND loss < 0.6", '"seed" = 2', "loss <> 0.5", "loss != 0.5"),
    *("seed = -1", "rate = 1e-3", "prime = 7.0", "step > 5"),
    *("rank < 5", '"Rank" < 5'),
)
OTHERS = (
    *("mixed = '7'", "seed in (1, 2)", "seed = 1 or seed = 2", "optimizer = 'sgd'", "wide = true", "not seed = 1"),
    *("seed = 1 -- and prime = 3", "loss is null", "huge > 1", "seed between 1 and 3", "variant = 'x and seed = 1'"),
    *("seed + 1 = 2", "1 = 1", "loss < seed"),
)
ANSWERS = """async ([script, known, asked]) => {
  const made = URL.createObjectURL(new Blob([`${script}\nexport {found_rows}`], {type: "text/javascript"}))
  const {found_rows} = await import(made)
  return asked.map(([text, where]) => found_rows(JSON.parse(known), text, where))
}"""


def odd_table() -> VariantTable:
    def row(place: int) -> Row:
        name = f"toy.{'sum' if place % 2 else 'other'}/v{place}-seed{place % 12}"
        cells = {
            **{"variant": name, "family": name.partition("/")[0], "prime": (7, 59, 113)[place % 3], "seed": place % 12},
            **{"wide": place % 2 == 0, "optimizer": OPTIMIZERS[place % 3], "rate": (1e-3, 0.01)[place % 2]},
            **{"loss": LOSSES[place % 6], "huge": (2**60, math.inf, 1.0)[place % 3], "state": STATES[place % 3]},
            **{"step": place, "notes": NOTES[place % 6], "mixed": MIXED[place % 5]},
            **{"rank": place, "Rank": place % 8},
        }
        return Row(variants=(name,), cells=cells)

    return VariantTable.of(PARTS, map(row, range(60)))


def server_finds(index: object, table: VariantTable, asked: TableAsked) -> Sequence[str]:
    names = admitted(index, table, asked.where)  # type: ignore[arg-type]
    return [row.variants[0] for row in show(table, asked, names).rows]


def test_the_browser_finds_what_the_server_finds_or_leaves_it_to_the_server(chromium, small):
    table, order = odd_table(), (Order(column="loss", descending=True),)
    base = TableAsked(order=order)
    asked = [replace(base, text=text) for text in (*PLAIN, *ODD)] + [
        replace(base, where=where) for where in (*CONDITIONS, *OTHERS)
    ]
    asked += [replace(base, text="seed=1", where="prime = 7"), replace(base, text="é", where="prime = 7")]
    every = show(table, base)
    known = known_rows(TableAnswer(shown=every, table=table), base)
    page = chromium.new_page()
    found = page.evaluate(ANSWERS, [source("found_rows"), known, [[one.text, one.where] for one in asked]])
    page.close()
    names = [row.variants[0] for row in every.rows]
    for one, places in zip(asked, found, strict=True):
        if places is not None:
            assert [names[place] for place in places] == server_finds(small.value.index, table, one), one
    own = {one.text or one.where for one, places in zip(asked, found, strict=True) if places is not None}
    assert own >= {*PLAIN, *CONDITIONS}
    assert own.isdisjoint({"Straße", "seed=1_0", "huge<1", "x=y", *OTHERS})


KEPT = """() => {
  const send = WebSocket.prototype.send
  const waiting = []
  WebSocket.prototype.send = function (...message) { waiting.push(() => send.apply(this, message)) }
  window.letGo = () => {
    WebSocket.prototype.send = send
    for (const one of waiting) one()
  }
}"""
"""From now on the server hears nothing, until it hears all."""
KNOWN = """() => Bokeh.index.query_one((view) => view.model.class_name === "FoundInBrowser")?.model.data.ready"""


def column(page, field):
    return page.locator(f'.tabulator-row .tabulator-cell[tabulator-field="c:{field}"]')


def entered(page, placeholder, text):
    field = page.get_by_placeholder(placeholder)
    field.fill(text)
    field.press("Enter")


def test_rows_are_there_before_the_server_hears_of_the_words_and_stay_what_is_done_to_them_waits(visit, small):
    _, one = (variant.name for variant in small.variants())
    page, _ = visit()
    expect(column(page, "variant")).to_have_text(["seed0", "seed1"])
    page.wait_for_function(KNOWN)
    page.evaluate(KEPT)

    entered(page, "p113 seed=1", "seed=1")
    expect(column(page, "variant")).to_have_text(["seed1"])
    page.locator(".tabulator-row").evaluate("(row) => (row.wasThere = true)")
    page.locator(".tabulator-row input[type=checkbox]").click()
    expect(page.locator(".tabulator-row input[type=checkbox]")).not_to_be_checked()

    page.evaluate("letGo()")
    expect(page).to_have_url(re.compile(r"find=seed%3D1"))
    expect(page.locator(".told")).to_have_text("1 of 2 variants")
    expect(page.locator(".tabulator-row.tabulator-selected")).to_have_count(1)
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_enabled()
    expect(column(page, "variant")).to_have_text(["seed1"])
    assert page.locator(".tabulator-row").evaluate("(row) => row.wasThere")
    assert page.get_by_title(one, exact=True).count() == 1


def test_what_the_server_finds_stands(visit):
    page, _ = visit()
    expect(column(page, "variant")).to_have_text(["seed0", "seed1"])
    page.wait_for_function(KNOWN)
    # As the browser has it no row has the word; what it has is not what the server knows.
    page.evaluate(
        """() => {
          const model = Bokeh.index.query_one((view) => view.model.class_name === "FoundInBrowser").model.data
          model.setv({known: JSON.stringify({...JSON.parse(model.known), columns: []})}, {sync: false})
        }"""
    )
    page.evaluate(KEPT)
    entered(page, "p113 seed=1", "p7")
    expect(page.locator(".tabulator-row")).to_have_count(0)
    entered(page, "prime > 50", "seed > 0")
    page.evaluate("letGo()")
    expect(page.locator(".told")).to_have_text("1 of 2 variants")
    expect(column(page, "variant")).to_have_text(["seed1"])
