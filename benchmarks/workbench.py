"""What the dashboard costs: the server's first answer, the bytes of a visit, a key press, play. In a real Chromium.

    python benchmarks/workbench.py [--small] [--before PYTHON]

Prints one JSON object. Chromium is the one of BROWSER_PATH, or on PATH. The workspace is that of `figures`. With the
python of an environment that has other versions of the packages, the same is measured of those too, in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from figures import Size, grow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

LOOKED_AT = (
    *("spectra.embedding", "neurons.frequencies", "attention.patterns", "keys.votes", "factors.shares"),
    *("learning.correctness", "smoothness.spectrum"),
)
EIGHT = (
    *("neurons.heatmap", "spectra.embedding", "neurons.frequencies", "attention.patterns"),
    *("keys.votes", "factors.blocks", "behaviour.accuracy_grid", "smoothness.table"),
)
FOUR = EIGHT[:4]
CURVES = ("behaviour.losses", "behaviour.accuracies")
REPEATS, SECONDS = 15, 5
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")

CARDS = """(function found(root, cards = []) {
  for (const each of root.querySelectorAll("*")) {
    if (each.matches("section.card")) cards.push(each)
    if (each.shadowRoot) found(each.shadowRoot, cards)
  }
  return cards
})(document)"""
DRAWN = f"(count) => {CARDS}.filter((card) => card.matches('.is-figure') && card.dataset.drawn).length >= count"
PRESSED = f"""() => new Promise((done) => {{
  const cards = {CARDS}.filter((card) => card.matches(".is-figure"))
  const before = cards.map((card) => Number(card.dataset.drawn)), began = performance.now()
  const look = () => cards.every((card, i) => Number(card.dataset.drawn) > before[i])
    ? done(performance.now() - began) : setTimeout(look, 4)
  window.dispatchEvent(new KeyboardEvent("keydown", {{key: "ArrowLeft", bubbles: true}}))
  look()
}})"""
PLAYED = """(seconds) => new Promise((done) => {
  const key = () => window.dispatchEvent(new KeyboardEvent("keydown", {key: " ", bubbles: true}))
  const passed = new Set(), look = setInterval(() => passed.add(miscope.step), 4)
  key()
  setTimeout(() => { key(); clearInterval(look); done((passed.size - 1) / seconds) }, 1000 * seconds)
})"""


@dataclass(frozen=True)
class Served:
    """A server, and where it is."""

    address: str
    process: subprocess.Popen[str]

    def used(self) -> float:
        """CPU seconds until now."""
        import psutil

        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


def main() -> None:
    """Build a workspace, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a small network, to see that it runs")
    parser.add_argument("--before", type=Path, help="python of an environment with the versions to compare with")
    asked = parser.parse_args()
    small = ("--small",) if asked.small else ()
    before = measured([str(asked.before), __file__, *small]) if asked.before else {}
    with tempfile.TemporaryDirectory(prefix="miscope-bench-") as folder:
        root = Path(folder)
        fill(root, Size(prime=23, checkpoints=60, steps=600) if small else Size(checkpoints=200))
        rows = [*started(root), *looked_at(root)]
    if before:
        rows = [{"what": each["what"], "before": before[each["what"]], **each} for each in rows]
    notes = [
        f"One server and one Chromium on the same machine; medians of {REPEATS} keys, play for {SECONDS} s.",
        "A visit's kB came over the network, packed. Aims: an answer within 4 CPU seconds, a first visit "
        "of 3,500 kB and a second out of the browser's cache, eight cards within 400 ms, ten steps a second with four.",
        *(
            ["Before: the packages of `make bench BEFORE=REVISION`, by the same script, in the same run."]
            if before
            else []
        ),
    ]
    print(json.dumps({"title": "Workbench", "rows": rows, "notes": notes}))


def measured(words: list[str]) -> dict[str, float]:
    """What this script says elsewhere, by the names of its rows."""
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {each["what"]: each["measured"] for each in json.loads(said)["rows"]}


def fill(root: Path, size: Size) -> None:
    """One variant with what the cards read."""
    import torch

    import miscope

    torch.set_num_threads(1)
    for _ in grow(miscope.open(root), 0, size).analyze(*LOOKED_AT):
        pass


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """While it is entered, `miscope serve` over that workspace."""
    words = [sys.executable, "-m", "miscope", "serve", "--no-open", "--port", "0", "--workspace", str(root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as made:
        assert made.stdout is not None
        try:
            made.stdout.readline()
            yield Served(made.stdout.readline().removeprefix("at ").strip(), made)
        finally:
            made.send_signal(signal.SIGINT)


def started(root: Path) -> Iterator[dict[str, object]]:
    """The CPU seconds of a fresh server."""
    heard, answered = [], []
    for _ in range(4):
        with served(root) as server:
            heard.append(server.used())
            with urllib.request.urlopen(server.address) as answer:
                answer.read()
            answered.append(server.used())
    # The first of all filled the caches of the disk.
    yield row("CPU seconds until it listens", statistics.median(heard[1:]))
    yield row("CPU seconds until its first page", statistics.median(answered[1:]), 4)


def looked_at(root: Path) -> Iterator[dict[str, object]]:
    """What a visitor's browser sees."""
    from playwright.sync_api import sync_playwright

    from miscope.figures.export import browser

    with served(root) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=[*FLAGS])
        for name, query in (("the runs", ""), ("eight cards", f"page=views&views={','.join(EIGHT)}")):
            context = chromium.new_context(viewport={"width": 1440, "height": 2400})
            for visit, aim in (("first", 3500), ("second", None)):
                yield row(f"{name}, {visit} visit, kB", visited(context, f"{server.address}?{query}") / 1e3, aim)
            context.close()
        taken = sorted(pressed(chromium, server.address))
        yield row("a key press to eight cards, ms", statistics.median(taken), 400)
        yield row("the slowest of them but one, ms", taken[-2])
        for name, views in (("four cards", FOUR), ("curves", CURVES)):
            yield row(f"play with {name}, steps a second", played(chromium, server.address, views), 10)
        yield row("a move of all neurons' sheet, kB", sent_for_sheet(chromium, server.address) / 1e3)
        chromium.close()


def row(what: str, value: float, aim: float | None = None) -> dict[str, object]:
    """A line of the table."""
    return {"what": what, "measured": round(value, 3), "aim": aim}


def opened(browser: Browser, address: str, views: tuple[str, ...], more: str = "") -> Page:
    """A page on which all these cards were drawn."""
    page = browser.new_page(viewport={"width": 1440, "height": 2400})
    page.set_default_timeout(300_000)
    page.goto(f"{address}?page=views&views={','.join(views)}{more}")
    page.wait_for_function(DRAWN, arg=len(views))
    page.wait_for_timeout(2000)
    return page


def visited(context: BrowserContext, address: str) -> float:
    """Bytes that came over the network until the page was at rest."""
    page = context.new_page()
    watch, came = context.new_cdp_session(page), []
    watch.send("Network.enable")
    watch.on("Network.loadingFinished", lambda loaded: came.append(loaded["encodedDataLength"]))
    page.goto(address)
    page.wait_for_timeout(8000)
    page.close()
    return sum(came)


def pressed(browser: Browser, address: str) -> list[float]:
    """Milliseconds until every card is drawn anew, of each press."""
    page = opened(browser, address, EIGHT)
    taken = []
    for _ in range(REPEATS):
        taken.append(page.evaluate(PRESSED))
        page.wait_for_timeout(500)
    page.close()
    return taken


def played(browser: Browser, address: str, views: tuple[str, ...]) -> float:
    """Steps a second."""
    page = opened(browser, address, views, "&e=0")
    steps = page.evaluate(PLAYED, SECONDS)
    page.close()
    return steps


def sent_for_sheet(browser: Browser, address: str) -> int:
    """Bytes of a step's sheet of every neuron."""
    page = browser.new_page(viewport={"width": 1440, "height": 1200})
    came: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: came.append(len(frame))))
    page.goto(f"{address}?page=views&views=neurons.contact_sheet&neurons.contact_sheet:amount=all")
    page.wait_for_function(DRAWN, arg=1)
    page.wait_for_timeout(2000)
    came.clear()
    page.evaluate(PRESSED)
    page.close()
    return sum(came)


if __name__ == "__main__":
    main()
