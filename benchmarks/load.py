"""A server under load: 1,000 variants in the table, ten browsers that scrub while two trainings run, for ten minutes.

    python benchmarks/load.py [--small]

Prints one JSON object. Chromium is the one of BROWSER_PATH, or on PATH.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import CARDS, DRAWN, FLAGS, Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FAMILY = "modadd.embedding-mlp"
VIEWS = ("behaviour.losses", "neurons.heatmap")
SCRUB = f"""(seconds) => {{
  const rest = (ms) => new Promise((done) => setTimeout(done, ms))
  const key = (name) => window.dispatchEvent(new KeyboardEvent("keydown", {{key: name, bubbles: true}}))
  const shown = () => {CARDS}.map((card) => card.querySelector(".badge")?.textContent ?? "").join()
  const scrub = async () => {{
    const taken = [], until = performance.now() + 1000 * seconds
    let late = 0
    for (let move = 0; performance.now() < until; move++) {{
      const before = shown(), began = performance.now()
      key(move % 40 < 20 ? "ArrowLeft" : "ArrowRight")
      while (shown() === before && performance.now() - began < 20000) await rest(10)
      if (shown() === before) late++
      else taken.push(performance.now() - began)
      await rest(300)
    }}
    return {{taken, late}}
  }}
  window.scrubbed = scrub()
}}"""
WATCHED = """(seconds) => {
  const rest = (ms) => new Promise((done) => setTimeout(done, ms))
  const charts = (root) => [...root.querySelectorAll("*")].flatMap((each) =>
    [...(each.matches("[data-last]") ? [each] : []), ...(each.shadowRoot ? charts(each.shadowRoot) : [])])
  const last = () => charts(document).map((chart) => chart.dataset.last).join()
  const watch = async () => {
    const gaps = [], until = performance.now() + 1000 * seconds
    let before = last(), since = performance.now()
    while (performance.now() < until) {
      await rest(50)
      if (last() === before) continue
      gaps.push((performance.now() - since) / 1000)
      since = performance.now()
      before = last()
    }
    return gaps
  }
  window.watched = watch()
}"""


@dataclass(frozen=True)
class Size:
    """How much there is, and for how long."""

    variants: int = 1000
    sessions: int = 10
    seconds: int = 600


def main() -> None:
    """Build a workspace, load, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few variants and seconds, to see that it runs")
    size = Size(variants=12, sessions=2, seconds=20) if parser.parse_args().small else Size()
    # The queue's own process may write its last lines while the folder is removed; that must not cost the figures.
    with tempfile.TemporaryDirectory(prefix="miscope-bench-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        rows = [*loaded(root, size, fill(root, size))]
    notes = [
        f"{size.variants:,} variants; {size.sessions} browsers press an arrow key 300 ms after the last was shown, for "
        f"{size.seconds} s; one more shows the table and one the jobs; all of it on one machine.",
        "A move is late that is not shown within 20 s.",
    ]
    print(json.dumps({"title": "Load", "rows": rows, "notes": notes}))


def fill(root: Path, size: Size) -> str:
    """The variants; the name of one that has more checkpoints."""
    import torch

    import miscope

    torch.set_num_threads(1)
    place = miscope.open(root)
    for seed in range(1, size.variants):
        list(place.variant(FAMILY, prime=5, seed=seed, checkpoints="every:10").train(steps=10, threads=1))
    longer = place.variant(FAMILY, prime=23, seed=0, checkpoints="every:20")
    list(longer.train(steps=1000, threads=1))
    return longer.name


def loaded(root: Path, size: Size, scrubbed: str) -> Iterator[dict[str, object]]:
    """What is seen of the server and its pages meanwhile."""
    from playwright.sync_api import sync_playwright

    import miscope
    from miscope.figures.export import browser

    with served(root) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=[*FLAGS])
        with miscope.connect(server.address) as remote:
            runs = [
                remote.queue.train(remote.variant(FAMILY, prime=59, seed=seed, checkpoints="every:1000"), steps=10**8)
                for seed in (1, 2)
            ]
            yield from pressed(chromium, server, size, scrubbed)
            for run in runs:
                run.stop()
            for run in runs:
                run.wait(120)
        chromium.close()


def pressed(chromium: Browser, server: Served, size: Size, scrubbed: str) -> Iterator[dict[str, object]]:
    """Ten minutes of it."""
    table = page_at(chromium, f"{server.address}?page=runs", ".tabulator-row")
    jobs = page_at(chromium, f"{server.address}?page=jobs", "[data-last]")
    scrubbing = [scrubber(chromium, server.address, scrubbed) for _ in range(size.sessions)]
    for each in scrubbing:
        each.evaluate(SCRUB, size.seconds)
    jobs.evaluate(WATCHED, size.seconds)
    memory = [*used(server, size.seconds)]
    found = [each.evaluate("window.scrubbed") for each in scrubbing]
    gaps = jobs.evaluate("window.watched")
    yield from told(found, gaps, memory)
    yield row("rows of the table's first page", table.locator(".tabulator-row").count())


def told(found: Sequence[Any], gaps: Sequence[float], memory: Sequence[float]) -> Iterator[dict[str, object]]:
    """The rows of the table."""
    taken = sorted(ms for each in found for ms in each["taken"])
    yield row("moves shown", len(taken))
    yield row("moves that were late", sum(each["late"] for each in found), 0)
    yield row("a move until it is shown, median ms", statistics.median(taken))
    yield row("a move until it is shown, 95 of 100, ms", taken[int(0.95 * (len(taken) - 1))])
    yield row("longest wait for a newer loss on the page of jobs, s", max(gaps, default=float("nan")))
    yield row("memory of the server after a tenth of the time, MB", memory[len(memory) // 10])
    yield row("memory of the server after half of the time, MB", memory[len(memory) // 2])
    yield row("memory of the server at the end, MB", memory[-1])


def row(what: str, value: float, aim: float | None = None) -> dict[str, object]:
    """A line of the table."""
    return {"what": what, "measured": round(value, 1), "aim": aim}


def page_at(chromium: Browser, address: str, there: str) -> Page:
    """A visitor of its own, once that is on the page."""
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(300_000)
    page.goto(address)
    page.locator(there).first.wait_for()
    return page


def scrubber(chromium: Browser, address: str, name: str) -> Page:
    """A visitor whose cards are drawn."""
    page = page_at(chromium, f"{address}?page=views&v={name}&views={','.join(VIEWS)}", "section.card")
    page.wait_for_function(DRAWN, arg=len(VIEWS))
    return page


def used(server: Served, seconds: int) -> Iterator[float]:
    """The server's memory at every hundredth of that time."""
    import psutil

    process = psutil.Process(server.process.pid)
    for _ in range(100):
        time.sleep(seconds / 100)
        yield process.memory_info().rss / 1e6


if __name__ == "__main__":
    main()
