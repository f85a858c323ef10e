"""Take pictures of every page of the dashboard into docs/pictures/dashboard: light and dark, 1440 and 2560 pixels wide.

Three seeds of the demo's network are trained and analyzed in ./examples-workspace, once; what is there is not done
again. Two more are in the queue while the pictures are taken. Chromium is the one of BROWSER_PATH, or on PATH.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.bound import BoundVariant, open_bound
from miscope_modadd.demo import DEMO, FAMILY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures" / "dashboard"
SIZES = ((1440, 1000), (2560, 1440))
LENS = "grokking"
ALIGNED = ("behaviour.losses", "parameters.norms", "spectra.embedding", "parameters.trajectory")
READ = (
    *("behaviour.metrics", "events.grokking", "keys.votes", "neurons.frequencies", "parameters.norms"),
    *("parameters.trajectory", "progress.losses", "representation.norm", "spectra.embedding"),
)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--hide-scrollbars")
DRAWN = """() => (function all(root, cards = []) {
  for (const each of root.querySelectorAll("*")) {
    if (each.matches("section.card")) cards.push(each)
    if (each.shadowRoot) all(each.shadowRoot, cards)
  }
  return cards
})(document).filter((card) => {
  const box = card.getBoundingClientRect()
  const seen = box.height && box.top < innerHeight && box.bottom > 0
  return seen && (card.matches(".is-new, .late") || (card.matches(".is-figure") && !card.dataset.drawn))
}).length === 0"""


def main() -> None:
    """Train, serve, look at each page, write."""
    from playwright.sync_api import sync_playwright

    from miscope.figures.export import browser

    os.environ["MISCOPE_WORKSPACE"] = str(ROOT / "examples-workspace")
    names = [variant.name for variant in prepared()]
    OUT.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        numbers = queue_more(address)
        chromium = playwright.chromium.launch(executable_path=browser(), args=[*FLAGS])
        for wide, high in SIZES:
            for theme in ("light", "dark"):
                for name, (query, seen) in places(names).items():
                    path = OUT / f"{name}-{wide}-{theme}.webp"
                    path.write_bytes(picture(chromium, f"{address}?{query}&theme={theme}", seen, (wide, high)))
                    print(path.relative_to(ROOT), path.stat().st_size, flush=True)
        chromium.close()
        stop(address, numbers)


def prepared() -> list[BoundVariant]:
    """Three seeds, trained and looked at."""
    place = open_bound()
    seeds = [place.variant(FAMILY, **{**DEMO, "seed": seed}) for seed in (0, 1, 2)]
    for variant in seeds:
        for progress in variant.train(threads=1):
            if progress.step % 500 == 0:
                print(variant.name, progress.step, flush=True)
        variant.analyze(*READ)
    return seeds


def places(names: list[str]) -> dict[str, tuple[str, str]]:
    """Of each page, by the name of its pictures: its address, and what is seen once it is there."""
    compared = "&".join(f"v={name}" for name in names)
    return {
        "runs": ("page=runs&sort=seed&runs:parallel=on", '[data-axis="seed"]'),
        "workbench": (f"page=views&v={names[0]}&lens={LENS}", ".context .chip, section.card[data-drawn]"),
        "compare": (
            f"page=compare&{compared}&compare:views={','.join(ALIGNED)}&compare:align=memorised",
            "section.card[data-drawn]",
        ),
        "launch": (f"page=launch&launch:study.family={FAMILY}", 'button:has-text("Start")'),
        "jobs": ("page=jobs", "[data-last]"),
        "analyses": ("page=jobs&jobs:part=analyses", "td.is-fresh"),
        "catalogue": (f"page=catalogue&v={names[0]}&catalogue:find=fourier", "text=by its synonyms"),
        "installed": ("page=installed", "text=miscope-modadd"),
    }


@contextmanager
def served() -> Iterator[str]:
    """While it is entered, where `miscope serve` shows the workspace."""
    words = [sys.executable, "-m", "miscope", "serve", "--no-open", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            found = None
            while found is None:
                found = re.search(r"http://\S+", server.stdout.readline())
            yield found[0]
        finally:
            server.send_signal(signal.SIGINT)


def queue_more(address: str) -> list[int]:
    """Have two more seeds trained, so that there is something to see of jobs; wait until the first is under way."""
    import miscope

    with miscope.connect(address) as remote:
        runs = [
            remote.queue.train(remote.variant(FAMILY, **{**DEMO, "seed": seed, "steps": 200_000})) for seed in (3, 4)
        ]
        while str(runs[0].state) == "pending":
            time.sleep(1)
        return [run.number for run in runs]


def stop(address: str, numbers: list[int]) -> None:
    """Nobody looks any more."""
    import miscope

    with miscope.connect(address) as remote:
        for run in map(remote.queue.run, numbers):
            # On a quick machine one may have come to its end meanwhile.
            if str(run.state) == "running":
                run.stop()


def picture(chromium: Browser, address: str, seen: str, size: tuple[int, int]) -> bytes:
    """What the page looks like once it is at rest, as WebP."""
    from PIL import Image

    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    settle(page, address, seen)
    taken = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    packed = io.BytesIO()
    taken.convert("RGB").save(packed, "WEBP", quality=82, method=6)
    return packed.getvalue()


def settle(page: Page, address: str, seen: str) -> None:
    """Go there, and wait until nothing that is seen is still to come."""
    page.set_default_timeout(120_000)
    page.goto(address)
    page.locator(seen).first.wait_for()
    page.wait_for_function(DRAWN)
    # Words that come when they are known, and what moves into its place.
    page.wait_for_timeout(3000)
    page.wait_for_function(DRAWN)


if __name__ == "__main__":
    main()
