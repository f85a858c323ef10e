"""Trainings as the page of jobs and the workbench have them: begun, watched while they write, stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from page_clock import LAST_SHOWN, NOTED, page_of, row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from miscope.remote.remote_workspace import RemoteWorkspace

FAMILY, ENDLESS = "modadd.embedding-mlp", 10**8
AFTER = 3000
"""Milliseconds before the end of the watch: what was written later may be on its way."""


def worked_on(chromium: Browser, address: str, root: Path, *, jobs: int, seconds: int) -> Iterator[dict[str, object]]:
    """Rows of so many jobs one after the other, and of one that is watched for so long."""
    import miscope

    page = page_of(chromium, f"{address}?page=jobs")
    page.get_by_text("Running").first.wait_for()
    page.evaluate(NOTED)
    with miscope.connect(address) as remote:
        # The first has somebody started who works through the queue.
        _, *times = [begun_and_stopped(page, remote, seed) for seed in range(jobs + 1)]
        for what, part, aim in (
            ("a job asked for until it stands on its page, ms", "row", 200),
            ("a job asked for until it is said to be running, ms", "running", 2000),
            ("Stop pressed until it is said to be stopping, ms", "stopping", 2000),
            ("Stop pressed until it has stopped, a checkpoint saved, ms", "stopped", None),
        ):
            # One that stops at once may never be said to be stopping.
            if taken := [each[part] for each in times if part in each]:
                counted = "" if len(taken) == len(times) else f" ({len(taken)} of {len(times)} said so)"
                yield row(f"{what}{counted}", taken, aim)
        page.close()
        yield from watched(chromium, address, root, remote, seconds)


def begun_and_stopped(jobs: Page, remote: RemoteWorkspace, seed: int) -> dict[str, float]:
    """Milliseconds of one training's beginning and end, as the page of jobs has them."""
    asked = 1e3 * time.time()
    run = remote.queue.train(remote.variant(FAMILY, prime=59, seed=seed, checkpoints="every:100000"), steps=ENDLESS)
    card = jobs.locator(f'article[data-run="{run.number}"]')
    card.locator(".chart").wait_for()
    card.get_by_role("button", name="Stop", exact=True).click()
    jobs.wait_for_function("(key) => noted[key]", arg=f"{run.number} stopped")
    noted, pressed = jobs.evaluate("noted"), jobs.evaluate("pressed")
    row_at, running, stopped = (noted[f"{run.number} {what}"] for what in ("row", "running", "stopped"))
    stopping = noted.get(f"{run.number} stopping")
    return {
        "row": row_at - asked,
        "running": running - asked,
        **({} if stopping is None else {"stopping": stopping - pressed}),
        "stopped": stopped - pressed,
    }


def watched(
    chromium: Browser, address: str, root: Path, remote: RemoteWorkspace, seconds: int
) -> Iterator[dict[str, object]]:
    """How late the curve of a training is that goes on."""
    import miscope

    variant = remote.variant(FAMILY, prime=59, seed=100, checkpoints="every:100000")
    run = remote.queue.train(variant, steps=ENDLESS)
    page = page_of(chromium, f"{address}?page=jobs")
    page.locator(f'article[data-run="{run.number}"] .chart').wait_for()
    page.goto(f"{address}?page=views&v={variant.name}&views=behaviour.losses")
    page.locator("section.card .plot .nsewdrag").first.wait_for()
    with written(miscope.open(root).store.layout.metrics(variant.name)) as parts:
        page.evaluate(LAST_SHOWN)
        page.wait_for_timeout(1000 * seconds)
        shown, end = page.evaluate("[shown, performance.timeOrigin + performance.now()]")
    run.stop()
    run.wait(120)
    page.close()
    if len(shown) < 2 or not parts:
        raise SystemExit("the workbench did not show how a training went on")
    yield from lateness(parts, shown, end)


def lateness(parts: list[tuple[float, int]], shown: list[tuple[float, int]], end: float) -> Iterator[dict[str, object]]:
    """parts: when a file was written and the last step in it; shown: when the chart had come to which step; in ms."""
    late, whole = [], []
    for (before, _), (when, step) in pairwise(parts):
        if before >= shown[0][0] and when < end - AFTER:
            at = next((at for at, last in shown if last >= step), end)
            late.append((at - when) / 1e3)
            whole.append((at - before) / 1e3)
    if not late:
        raise SystemExit("nothing was written while the workbench was looked at, of which it could be late")
    yield row("a record written until its curve in the workbench has it, s", late, 1)
    yield row("the longest of them, s", [max(late)])
    yield row("the longest since the record before was written, s", [max(whole)], 1)


@contextmanager
def written(folder: Path) -> Iterator[list[tuple[float, int]]]:
    """While it is entered, when each file of metrics was written, in ms, and the last step in it."""
    parts: dict[Path, tuple[float, int]] = {}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            parts.update(new_in(folder, parts))

    looking, found = threading.Thread(target=look), list[tuple[float, int]]()
    looking.start()
    try:
        yield found
    finally:
        ended.set()
        looking.join()
        found += sorted(parts.values())


def new_in(folder: Path, known: dict[Path, tuple[float, int]]) -> dict[Path, tuple[float, int]]:
    """Of files that are not known; without those into which others were merged."""
    import pyarrow.compute
    import pyarrow.parquet

    from miscope.store.metrics_file import parts_in

    new = {}
    for first, last, path in parts_in(folder):
        # One that is merged meanwhile was there too short to be read.
        with suppress(FileNotFoundError):
            if first == last and path not in known:
                steps = pyarrow.parquet.read_table(path, columns=["step"])["step"]
                new[path] = (path.stat().st_mtime_ns / 1e6, pyarrow.compute.max(steps).as_py())
    return new
