"""A visitor who looks at variants that are there: first pages, the cursor, another variant, lens or page, pictures."""

from __future__ import annotations

import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from page_clock import (
    IMAGE,
    JUMPED,
    KEYED,
    MARKED,
    NEW,
    OF_VARIANT,
    SHOWN,
    Work,
    drawn_page,
    page_of,
    row,
    since_asked,
    until,
)
from workbench import FLAGS

from miscope.figures.export import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

    from miscope.bound import BoundVariant

CURVES = (
    *("behaviour.losses", "behaviour.accuracies", "behaviour.margins", "behaviour.leakage"),
    *("spectra.embedding_lines", "spectra.embedding_map", "factors.shares", "neurons.specialisation"),
)
SIX = (
    *("behaviour.losses", "spectra.embedding", "neurons.heatmap"),
    *("neurons.frequencies", "attention.patterns", "keys.votes"),
)
LENSES = ("frequencies", "attention")
OF_NO_LENS = ("behaviour.accuracies", "neurons.heatmap")
"""Of none of these: a card that both have is not drawn anew."""


def looked_at(
    chromium: Browser, address: str, variants: Sequence[BoundVariant], repeats: int
) -> Iterator[dict[str, object]]:
    """What a visitor waits for who looks at variants that are there."""
    names = [variant.name for variant in variants]
    yield from first_pages(chromium, address, repeats)
    yield from moved(chromium, address, repeats)
    yield from switched(chromium, address, names, repeats)
    yield from turned(chromium, address, repeats)
    page = drawn_page(chromium, address, SIX[:3])
    taken = [page.evaluate(IMAGE) for _ in range(repeats)]
    page.close()
    yield row("PNG of a card, made by the browser, ms", taken, 500)
    yield row("PNG made by a warm server, ms", [*images(address, variants[0], repeats)], 1000)


def first_pages(chromium: Browser, address: str, repeats: int) -> Iterator[dict[str, object]]:
    """Until every card on the screen is drawn, by a browser that comes for the first time and by one that was there.

    Each browser has a profile on disk, as a person's has: it is there that Chromium keeps scripts as it compiled them.
    """
    visits: dict[str, list[tuple[float, float]]] = {"first": [], "second": [], "third": []}
    asked = f"{address}?page=views&views={','.join(SIX)}"
    # Whoever comes to a server that has just begun waits for what it has not loaded yet.
    drawn_page(chromium, address, SIX).close()
    for _ in range(min(repeats, 10)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            context = chromium.browser_type.launch_persistent_context(
                profile, executable_path=browser(), args=[*FLAGS], viewport={"width": 1440, "height": 900}
            )
            for taken in visits.values():
                taken.append(first_page(context, asked))
            context.close()
    for visit, taken in visits.items():
        waited, worked = zip(*taken, strict=True)
        yield row(f"a {visit} visit to a warm server until all on the screen is drawn, ms", waited, 2000, 4000)
        yield row(f"of a {visit} visit the page's main thread is at work, ms", worked)


def first_page(context: BrowserContext, address: str) -> tuple[float, float]:
    """Milliseconds since the page was asked for, and of these those that its main thread is at work."""
    page = context.new_page()
    page.set_default_timeout(300_000)
    work = Work(page)
    page.goto(address, wait_until="commit")
    taken = since_asked(page, SHOWN)
    worked = work.done()
    page.close()
    return taken, worked


def moved(chromium: Browser, address: str, repeats: int) -> Iterator[dict[str, object]]:
    """The cursor."""
    page = drawn_page(chromium, address, CURVES)
    keyed = [page.evaluate(KEYED, "ArrowLeft") for _ in range(3 * repeats)]
    marks = keyed[-1]["marks"]
    yield row(f"a key until the cursor's {marks} marks on curves moved, ms", [each["taken"] for each in keyed], 8, 16)
    area = page.locator("section.card .plot .nsewdrag").first.bounding_box()
    assert area is not None
    taken = []
    for time_of in range(repeats):
        at = area["x"] + (0.9 if time_of % 2 else 0.3) * area["width"], area["y"] + area["height"] / 2
        before = page.evaluate("miscope.step")
        taken.append(until(page, "pointerup", lambda at=at: page.mouse.click(*at), JUMPED, before))
        page.wait_for_timeout(400)
    page.close()
    yield row("a click on a curve until slider and marks are there, ms", taken, 150)


def switched(chromium: Browser, address: str, names: Sequence[str], repeats: int) -> Iterator[dict[str, object]]:
    """Another variant, at a step at which neither was drawn."""
    page = drawn_page(chromium, address, SIX, f"&v={names[0]}")
    taken = []
    for time_of in range(repeats):
        name = names[(time_of + 1) % 2]
        page.keyboard.press("Shift+ArrowLeft" if time_of == 0 else "ArrowLeft")
        page.wait_for_timeout(1000)
        page.locator(".MuiSelect-select").first.click()
        item = page.get_by_role("menuitem", name=name)
        taken.append(until(page, "click", item.click, OF_VARIANT, [name, len(SIX)]))
    page.close()
    yield row("another variant until its six cards are drawn, ms", taken, 500, 1000)


def turned(chromium: Browser, address: str, repeats: int) -> Iterator[dict[str, object]]:
    """Another lens, and another page."""
    lens, worked, opened, tab = [], [], [], []
    for _ in range(max(2, repeats // 4)):
        page = drawn_page(chromium, address, OF_NO_LENS, tall=900)
        for name in LENSES:
            page.evaluate(MARKED)
            work = Work(page)
            lens.append(until(page, "click", page.locator(f'[data-lens="{name}"]').click, NEW))
            worked.append(work.done())
        page.close()
        page = page_of(chromium, address)
        page.locator(".tabulator-row").first.wait_for()
        press = page.get_by_role("button", name="Workbench", exact=True).click
        opened.append(until(page, "click", press, SHOWN))
        page.get_by_role("button", name="Runs", exact=True).click()
        page.locator(".tabulator-row").first.wait_for()
        tab.append(until(page, "click", press, SHOWN))
        page.close()
    yield row("another lens until all on the screen is drawn, ms", lens, 400, 1000)
    yield row("of another lens the page's main thread is at work, ms", worked)
    words = "from the runs to the workbench until all on the screen is drawn"
    yield row(f"{words}, the first time, ms", opened, 2000, 4000)
    yield row(f"{words}, again, ms", tab, 400, 1000)


def images(address: str, variant: BoundVariant, repeats: int) -> Iterator[float]:
    """Milliseconds of pictures that a server draws which has drawn one before."""
    for step in variant.steps[-repeats - 1 :]:
        asked = urlencode({"view": "neurons.heatmap", "variant": variant.name, "step": step})
        began = time.perf_counter()
        with urllib.request.urlopen(f"{address.rstrip('/')}/api/v1/export/png?{asked}") as answer:
            answer.read()
        if step != variant.steps[-repeats - 1]:
            yield 1e3 * (time.perf_counter() - began)
