"""A page as a PDF, by the Chromium that draws figures; the page must hold all it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from miscope.figures.export import NoBrowser, browser

__all__ = ["printed"]

_PATIENCE = 180.0
"""Seconds that a print may take, the start of the browser included."""

# No sandbox, as it fails for root; and no name that any request could go to is found.
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-sandbox",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)


def printed(page: str, path: Path) -> bytes:
    """The page on paper, A4 and numbered; path: what it is for, named where there is no browser (NoBrowser)."""
    program = browser()
    if program is None:
        raise NoBrowser(path, "None was found on PATH, nor at BROWSER_PATH.")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source, made = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8")
        command = [program, *_FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}", source.as_uri()]
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_PATIENCE)
            return made.read_bytes()
        except (subprocess.SubprocessError, OSError) as error:
            raise NoBrowser(path, f"{program} printed nothing: {type(error).__name__}.") from error
