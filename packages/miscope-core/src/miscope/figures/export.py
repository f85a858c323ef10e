"""Figures as files: images through a local Chromium, self-contained pages and the numbers themselves without one."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, final

from miscope.errors import BadValue, MiscopeError
from miscope.figures.figure_numbers import npz, numbers, parquet
from miscope.figures.figure_style import CONFIG
from miscope.figures.kept_page import draw_on
from miscope.figures.paper import is_on_paper, on_paper, read_paper
from miscope.store.atomic import write_whole

if TYPE_CHECKING:
    from kaleido import Kaleido
    from plotly.graph_objects import Figure

__all__ = ["SUFFIXES", "Exporter", "NoBrowser", "browser", "check_suffix", "export", "with_preset"]

T = TypeVar("T")

IMAGES = ("png", "svg", "pdf")
SUFFIXES = (*IMAGES, "html", "csv", "parquet", "npz")

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PATIENCE = 120.0
"""Seconds one image may take, the start of the browser included."""


class NoBrowser(MiscopeError):
    """An image was asked for and there is no browser to draw it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path.name} needs a Chromium to be drawn, and there is none that works.",
            reason,
            f"Install one (Debian: `apt install chromium`), or set BROWSER_PATH to one, or export {path.stem}.html, "
            "which needs none.",
        )


def export(  # noqa: PLR0913 - what a picture looks like, keyword-only
    figure: Figure,
    path: str | Path,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float = 2,
    preset: str | None = None,
) -> Path:
    """Write the figure as png, svg, pdf or html, or its numbers as csv, parquet or npz, by the suffix of the path.

    The numbers are named as `figures.figure_data.figure_data` says: a row for each point or cell, in npz an array for
    each quantity of each trace. width, height: in CSS pixels; None takes the figure's own. scale: image pixels per CSS
    pixel. preset: 'paper:85mm:8pt' for a picture as a paper has it (`figures.paper`). For more than one image keep an
    Exporter open. Returns the path. Raises BadValue on another suffix or preset and for numbers of a figure that has
    neither points nor grids, NoBrowser where an image cannot be drawn.
    """
    with Exporter() as exporter:
        return exporter.export(with_preset(figure, Path(path), preset), path, width=width, height=height, scale=scale)


def with_preset(figure: Figure, path: Path, preset: str | None) -> Figure:
    """The figure as the preset has it; BadValue where that says nothing of such a file."""
    if preset is None:
        return figure
    paper = read_paper(preset)
    if path.suffix.removeprefix(".").lower() not in IMAGES:
        raise BadValue(
            f"A preset is of pictures, and {path.name!r} is none.",
            f"Pictures are {', '.join(f'.{suffix}' for suffix in IMAGES)}.",
            f"Try {path.stem}.pdf.",
        )
    return on_paper(figure, paper)


def check_suffix(path: Path) -> str:
    """'png': what the suffix says; BadValue where no figure is written so."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in SUFFIXES:
        raise BadValue(
            f"A figure cannot be written as {path.name!r}.",
            f"The suffix says how: {', '.join(f'.{suffix}' for suffix in SUFFIXES)}; "
            ".gif, .webp or .mp4 over training.",
            f"Try {path.stem}.html, which needs no browser, or {path.stem}.png.",
        )
    return kind


def browser() -> str | None:
    """Path of the browser that draws images: BROWSER_PATH, else the first Chromium-like one on PATH."""
    chosen = os.environ.get("BROWSER_PATH")
    if chosen:
        return chosen if os.access(chosen, os.X_OK) and Path(chosen).is_file() else None
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


@final
class Exporter:
    """Writes figures; keeps one browser open from the first image until it is left."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._kaleido: Kaleido | None = None
        self._opened: Future[Any] | None = None
        self._drew = False
        """Whether the browser that is open has drawn an image."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def export(
        self, figure: Figure, path: str | Path, *, width: int | None = None, height: int | None = None, scale: float = 2
    ) -> Path:
        """As `export`; the file appears whole or not at all."""
        path = Path(path)
        kind = check_suffix(path)
        if kind == "html":
            content = page(figure).encode()
        elif kind == "csv":
            content = numbers(figure).encode()
        elif kind == "parquet":
            content = parquet(figure)
        elif kind == "npz":
            content = npz(figure)
        else:
            scale = 1 if kind != "png" and is_on_paper(figure) else scale
            content = self._draw(figure, path, {"format": kind, "width": width, "height": height, "scale": scale})
        return write_whole(path, lambda file: file.write(content))

    def start(self) -> None:
        """Have the browser started meanwhile; where there is none, the first image says so."""
        browser_path = browser()
        if browser_path is not None and find_spec("kaleido") is not None:
            with suppress(*_lost()):
                self._started(browser_path)

    def close(self) -> None:
        """End the browser and its thread; a later export starts them again."""
        if self._loop is None or self._thread is None:
            return
        if self._kaleido is not None and self._opened is not None:
            wait([self._opened], timeout=20)
            with suppress(*_lost()):
                self._wait(self._kaleido.close(), timeout=20)
        self._kaleido, self._opened, self._drew = None, None, False
        with suppress(TimeoutError):
            self._wait(_cancel_the_rest(), timeout=20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _draw(self, figure: Figure, path: Path, options: dict[str, Any]) -> bytes:
        if find_spec("kaleido") is None:
            raise NoBrowser(path, "The package kaleido is not installed: `pip install miscope-core[export]`.")
        browser_path = browser()
        if browser_path is None:
            chosen = os.environ.get("BROWSER_PATH")
            looked = f"Looked on PATH for {', '.join(_BROWSERS)}."
            raise NoBrowser(path, f"BROWSER_PATH is {chosen!r}, which is no program." if chosen else looked)
        try:
            kaleido, opened = self._started(browser_path)
            opened.result(_PATIENCE)
            given = {name: value for name, value in options.items() if value is not None}
            drawn = self._wait(draw_on(kaleido, figure, given), timeout=_PATIENCE)
        except _lost() as error:
            reused = self._drew
            self.close()
            if not reused:
                raise NoBrowser(path, f"{browser_path} did not answer: {type(error).__name__}.") from error
            # The browser was lost since the last image; a new one may do.
            return self._draw(figure, path, options)
        self._drew = True
        return drawn

    def _started(self, browser_path: str) -> tuple[Kaleido, Future[Any]]:
        if self._kaleido is None or self._opened is None:
            import kaleido

            # No mathjax: by default kaleido fetches it from the network. A sandbox is off, as it fails for root.
            self._kaleido = kaleido.Kaleido(n=1, timeout=_PATIENCE, mathjax=False, path=browser_path)
            self._opened = self._begin(self._kaleido.open())
        return self._kaleido, self._opened

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="miscope-export", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wait(self, work: Coroutine[Any, Any, T], *, timeout: float) -> T:
        future = self._begin(work)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise


def _lost() -> tuple[type[BaseException], ...]:
    """What a browser raises that does not answer.

    Kaleido's watch over one that died cancels what waits for it, or lets it fail, as they happen to meet.
    """
    from choreographer.channels import ChannelClosedError
    from kaleido.errors import BrowserClosedError, BrowserFailedError, ChromeNotFoundError

    return (
        *(BrowserClosedError, BrowserFailedError, ChannelClosedError, ChromeNotFoundError),
        *(CancelledError, TimeoutError),
    )


async def _cancel_the_rest() -> None:
    """End what the browser's library leaves running: its watch over the process."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def page(figure: Figure) -> str:
    """The figure as one HTML page that holds plotly.js itself and asks the network for nothing."""
    return figure.to_html(include_plotlyjs=True, full_html=True, config=dict(CONFIG))
