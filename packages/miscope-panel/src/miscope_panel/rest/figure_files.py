"""Figures as files, for whoever asks over HTTP: one browser draws all images, as long as somebody asks for any."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, final

from anyio import to_thread

from miscope.figures.export import Exporter

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["FigureFiles"]

_IDLE = 60.0
"""Seconds after the last image for which its browser stays: it takes seconds to start, and hundreds of megabytes."""

_LEAVE = 5.0
"""Seconds that the end of the server waits for an image that is being drawn."""


@final
class FigureFiles:
    """Safe to use from any number of threads; images are drawn one after the other."""

    def __init__(self, *, idle: float = _IDLE) -> None:
        self._exporter, self._turn = Exporter(), threading.Lock()
        self._idle, self._lasting = idle, False
        self._rest: threading.Timer | None = None

    def content(self, figure: Figure, suffix: str) -> bytes:
        """The file; raises what `miscope.figures.export.export` does."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"figure.{suffix}"
            if suffix not in ("png", "svg", "pdf"):
                return Exporter().export(figure, path).read_bytes()
            with self._turn:
                try:
                    return self._exporter.export(figure, path).read_bytes()
                finally:
                    self._put_off()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """While the server runs the browser is kept between images; without, each image has its own."""
        self._lasting = True
        try:
            yield
        finally:
            self._lasting = False
            await to_thread.run_sync(self._end)

    def rest(self) -> None:
        """End the browser; the next image starts another."""
        with self._turn:
            self._exporter.close()

    def _put_off(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if not self._lasting:
            self._exporter.close()
            return
        self._rest = threading.Timer(self._idle, self.rest)
        self._rest.daemon = True
        self._rest.start()

    def _end(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        if self._turn.acquire(timeout=_LEAVE):
            try:
                self._exporter.close()
            finally:
                self._turn.release()
