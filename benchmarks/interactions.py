"""How long a person waits: for the cursor, another variant, lens or page, a filter, a job, its losses, a picture.

    python benchmarks/interactions.py [--small]

Prints one JSON object. Chromium is the one of BROWSER_PATH, or on PATH. The workspaces are those of `figures` and
`load`; what is measured of them is in `looking` and `working`, by the clock of the page (`page_clock`).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import load
import startup
from figures import Size, grow
from looking import looked_at
from page_clock import ROWS, page_of, row, until
from workbench import FLAGS, served
from working import worked_on

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from miscope.bound import BoundVariant

LOOKED_AT = (
    *("behaviour.metrics", "spectra.embedding", "neurons.frequencies", "neurons.clusters", "attention.patterns"),
    *("attention.sequence", "keys.votes", "factors.shares"),
)
FRAMES = 60


@dataclass(frozen=True)
class Amount:
    """How much there is, and how often each is done."""

    size: Size
    variants: int = 1000
    repeats: int = 12
    jobs: int = 5
    seconds: int = 20


def main() -> None:
    """Build the workspaces, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a small network and few variants, to see that it runs")
    small = Amount(Size(prime=23, checkpoints=FRAMES, steps=600), variants=60, repeats=4, jobs=2, seconds=8)
    amount = small if parser.parse_args().small else Amount(Size(checkpoints=FRAMES))
    # The queue's own process may write its last lines while the folder is removed; that must not cost the figures.
    with tempfile.TemporaryDirectory(prefix="miscope-bench-", ignore_cleanup_errors=True) as folder:
        rows = [*waited_for(Path(folder), amount)]
    notes = [
        f"One server and one Chromium on the same machine; up to {amount.repeats} times each. A wait begins with the "
        "browser's own event of the press and ends when the page has what it says, looked for "
        "every 5 ms, or as often as takes a tenth of the page's time.",
        "A first visit is that of a Chromium with an empty profile of its own, the later ones are that Chromium's.",
        "A key is handled and the page laid out anew; when that is painted is the screen's. What the server then draws "
        "is in the section Workbench.",
        "At work is processor time; the rest of a wait is for the server, for the browser's other threads, and for a "
        "core to be free.",
        "A filter is asked for when the page is at rest after the one before.",
        "Another variant is looked at where it was not drawn before, another lens as often as it comes.",
        "A record waits from the moment that its file was written; a training writes five times a second, and the last "
        "row has what a record waits for that as well.",
    ]
    print(json.dumps({"title": "Interactions", "rows": rows, "notes": notes}))


def waited_for(folder: Path, amount: Amount) -> Iterator[dict[str, object]]:
    """Every row, of two workspaces."""
    from playwright.sync_api import sync_playwright

    from miscope.figures.export import browser

    variants = fill(folder / "two", amount.size)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=[*FLAGS])
        with served(folder / "two") as server:
            yield from looked_at(chromium, server.address, variants, amount.repeats)
            yield from worked_on(chromium, server.address, folder / "two", jobs=amount.jobs, seconds=amount.seconds)
        load.fill(folder / "many", load.Size(variants=amount.variants))
        with served(folder / "many") as server:
            yield from filtered(chromium, server.address, amount)
        chromium.close()
    yield film(variants[0], folder / "film.gif")
    beside = Path(sys.executable).parent / "miscope"
    yield row("`miscope --help`, ms", [1e3 * startup.measure([str(beside), "--help"])["wall"]], 300)


def fill(root: Path, size: Size) -> list[BoundVariant]:
    """Two variants with what the cards read."""
    import torch

    import miscope

    torch.set_num_threads(1)
    place = miscope.open(root)
    variants = [grow(place, seed, size) for seed in (0, 1)]
    for variant in variants:
        for _ in variant.analyze(*LOOKED_AT):
            pass
    return variants


def filtered(chromium: Browser, address: str, amount: Amount) -> Iterator[dict[str, object]]:
    """A table of many variants, by a word and by a condition."""
    page = page_of(chromium, address)
    page.locator(".tabulator-row").nth(min(40, amount.variants - 1)).wait_for()
    whole = page.locator(".tabulator-row").count()
    for what, placeholder, text, wanted in (
        ("a word", "p113 seed=1", f"seed={amount.variants - 1}", 1),
        ("a condition", "prime > 50", "seed < 5 and prime = 5", 4),
    ):
        taken, field = [], page.get_by_placeholder(placeholder)
        for _ in range(amount.repeats):
            for typed, count in ((text, wanted), ("", whole)):
                field.fill(typed)
                # The server's answer to the one before stands in the place of the browser's by then.
                page.wait_for_timeout(1000)
                shown = until(page, "keydown", lambda field=field: field.press("Enter"), ROWS, count)
                taken += [shown] if typed else []
        yield row(f"{amount.variants:,} variants filtered by {what}, ms", taken, 50, 100)
    page.close()


def film(variant: BoundVariant, path: Path) -> dict[str, object]:
    """Its browser started and the file written."""
    began = time.perf_counter()
    variant.view("neurons.heatmap").film(path, frames=FRAMES)
    return row(f"frames a second of a film (GIF) of {FRAMES}, at least", [FRAMES / (time.perf_counter() - began)], 4)


if __name__ == "__main__":
    main()
