"""What tests need from outside the checkout, and what a run says at its end of those it had to leave out."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

import pytest
from hypothesis import HealthCheck, settings

# Both bounds are seconds, which a busy machine has fewer of.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

CALIBRATION = Path(__file__).resolve().parent.parent / "shared" / "calibration"
"""Published checkpoints, and the numbers measured on them independently; beside the checkout, and no part of it."""

CHROMIUM = "a Chromium"
_CALIBRATES, _WANTS = "calibrates", "wants"


@final
class Wanting(pytest.skip.Exception):
    """A skip that says what it wants, so that it can be counted."""

    def __init__(self, thing: str, reason: str) -> None:
        super().__init__(reason)
        self.thing = thing


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """until(condition): wait for it, for as long as the slowest machine may take."""

    def wait(condition: Callable[[], object]) -> None:
        patience = time.monotonic() + 600
        while not condition():
            assert time.monotonic() < patience, "it never came"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def calibration_file() -> Callable[[str], Path]:
    """calibration_file("paper_calibration.json"): where it is. Skips where it is not, in CI only if there are none."""

    def find(name: str) -> Path:
        if (path := CALIBRATION / name).exists():
            return path
        if os.environ.get("CI") == "true" and CALIBRATION.is_dir():
            pytest.fail(f"{CALIBRATION} is here, and {name} is not in it: a failure with CI=true", pytrace=False)
        raise Wanting(name, f"needs ../shared/calibration/{name}")

    return find


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that figures are drawn with; skips where there is none."""
    from miscope.figures.export import browser

    if (found := browser()) is None:
        raise Wanting(CHROMIUM, "needs a Chromium")
    return found


def pytest_configure() -> None:
    """Listen to Ctrl-C again: a shell's background ignores it, and so would every process that a test interrupts.

    Nor does any test cut the power: what is written in a test's own process waits for no disk, which would take a fifth
    of the time. The handle is looked at still. Processes that tests start wait for theirs. And garbage is looked for a
    hundredth as often as by default: among all that torch, plotly and panel hold, it would take another tenth.
    """
    gc.set_threshold(50_000, 50, 100)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.fsync = os.fstat  # type: ignore[assignment]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Properties of a report survive the way from a worker to the one that writes the summary."""
    if call.when == "setup" and "calibration_file" in getattr(item, "fixturenames", ()):
        item.user_properties.append((_CALIBRATES, True))
    if call.excinfo is not None and isinstance(call.excinfo.value, Wanting):
        item.user_properties.append((_WANTS, call.excinfo.value.thing))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ran = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    # The report of a file that was skipped whole has no properties.
    skipped = [report for report in terminalreporter.getreports("skipped") if hasattr(report, "user_properties")]
    calibrated = {report.nodeid for report in ran if _CALIBRATES in dict(report.user_properties)}
    wanted = [dict(report.user_properties)[_WANTS] for report in skipped if _WANTS in dict(report.user_properties)]
    for line in summary(len(calibrated), wanted):
        terminalreporter.write_line(line, yellow=bool(wanted))


def summary(calibrations: int, wanted: Sequence[str]) -> list[str]:
    """One line for calibrations and one for a browser; each only where a test was about it."""
    lines = []
    files = [thing for thing in wanted if thing != CHROMIUM]
    if calibrations or files:
        lines.append(f"calibrations: {calibrations} ran")
    if files:
        lines[0] += f", {len(files)} skipped for want of {', '.join(sorted(set(files)))} in ../shared/calibration"
    if without := wanted.count(CHROMIUM):
        tests = "test was" if without == 1 else "tests were"
        lines.append(
            f"browser: {without} {tests} left out for want of a Chromium, on PATH or at BROWSER_PATH;"
            " to bring one:  sudo .ci/browser"
        )
    return lines
