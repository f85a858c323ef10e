"""A served workspace and a real Chromium; every page is checked for errors and for requests to other machines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]
PATIENCE = 300_000
"""Milliseconds a page may take for anything: all it guards against is waiting for ever, however busy the machine."""
SLOWED = int(os.environ.get("SLOW_BROWSER", "1"))
"""How many times slower the browser's pages compute than they could: SLOW_BROWSER=6 finds what fails elsewhere."""
SERVE = [sys.executable, "-c", "from miscope.cli import main; main()", "serve", "--no-open"]

PLUGIN = '''
from miscope import Grain, View, hookimpl

def broken(shown):
    """Divides by zero."""
    raise ZeroDivisionError("division by zero")

@hookimpl
def miscope_views():
    return [View(name="sour.broken", title="Sour", grain=Grain.CHECKPOINT, draw=broken)]
'''


LOOKED_AT = (
    *("behaviour.metrics", "events.grokking", "spectra.embedding", "parameters.trajectory", "parameters.velocity"),
    *("neurons.frequencies", "neurons.clusters", "factors.shares", "keys.votes", "progress.losses"),
)
"""Not the weight norms: a card must say how to have them."""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory):
    """Two variants of a small family, trained and analyzed; their weight norms were never computed.

    The one of seed 0 was trained last, so that it is the one to open on.
    """
    from miscope.bound import open_bound

    workspace = open_bound(tmp_path_factory.mktemp("browser") / "workspace")
    for seed in (1, 0):
        fields = {"prime": 7, "checkpoints": "every:100", "evaluate_every": 10}
        variant = workspace.variant("modadd.embedding-mlp", seed=seed, **fields)
        list(variant.train(steps=2000, threads=1))
        variant.analyze(*LOOKED_AT)
    return workspace


@pytest.fixture(scope="session")
def plugins_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two more installed packages: one whose view fails, one that cannot be loaded."""
    site = tmp_path_factory.mktemp("site")
    (site / "miscope_sour.py").write_text(PLUGIN)
    (site / "miscope_lost.py").write_text("import jaxx_that_is_not_there\n")
    for name in ("sour", "lost"):
        folder = site / f"miscope_{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: miscope-{name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[miscope]\n{name} = miscope_{name}\n")
    return site


@pytest.fixture(scope="session")
def serving(plugins_path: Path) -> Callable[[Path], AbstractContextManager[str]]:
    """serving(root): while it is entered, where `miscope serve` shows that workspace."""
    return partial(_served, plugins_path)


@pytest.fixture(scope="session")
def address(small, serving) -> Iterator[str]:
    """Where `miscope serve` shows the small workspace."""
    with serving(small.root) as found:
        yield found


@dataclass
class Server:
    """`miscope serve` of one workspace, which can be killed and started again at the same address."""

    plugins_path: Path
    root: Path
    port: int = 0
    address: str = ""
    process: Any = None

    def start(self) -> None:
        """Until it says where it is."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(self.plugins_path)}
        self.process = subprocess.Popen(
            [*SERVE, "--port", str(self.port), "--workspace", str(self.root)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        said = ""
        while not (found := re.search(r"http://\S+", said)):
            said = self.process.stdout.readline()
            assert said, self.process.stderr.read()
        self.address = found[0]
        self.port = urlsplit(self.address).port or 0

    def kill(self) -> None:
        """As one dies that is asked nothing; a second time does nothing."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def end(self) -> None:
        """As Ctrl-C ends it; it has nothing to complain of."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate()
        assert self.process.returncode == 0
        assert [line for line in errors.splitlines() if "miscope-lost" not in line] == []


@contextmanager
def _server(plugins_path: Path, root: Path) -> Iterator[Server]:
    server = Server(plugins_path, root)
    try:
        server.start()
        yield server
        server.end()
    finally:
        # Where a test failed nobody has ended it, and waiting for it would be waiting for ever.
        server.kill()


@contextmanager
def _served(plugins_path: Path, root: Path) -> Iterator[str]:
    with _server(plugins_path, root) as server:
        yield server.address


@pytest.fixture(scope="session")
def restarting(plugins_path: Path) -> Callable[[Path], AbstractContextManager[Server]]:
    """restarting(root): the same as a Server, which can be killed and started again."""
    return partial(_server, plugins_path)


BETWEEN = ("parameters.norms", "Weight norms")
"""A view that was never computed, so that its card is there at once; it takes the place of all others."""


@dataclass
class Watched:
    """What a page did while it was looked at."""

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    """Websocket messages to the server, as text."""
    received: list[int] = field(default_factory=list)
    """Lengths of those from the server."""


@pytest.fixture(scope="session")
def chromium(chromium_path: str):
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visitor(chromium):
    """One visitor's browser, which keeps the scripts it was sent; the page keeps nothing else there."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@dataclass
class Tab:
    """An open page, and what it does."""

    page: Any
    seen: Watched = field(default_factory=Watched)

    def heard(self, frame: object) -> None:
        self.seen.frames.append(frame if isinstance(frame, str) else bytes(frame).decode("latin-1"))  # type: ignore[call-overload]

    def told(self, frame: str | bytes) -> None:
        self.seen.received.append(len(frame))

    def go(self, query: str) -> None:
        """As the browser's Back goes there: without loading the page anew. No field keeps the keys."""
        self.page.evaluate(
            """query => {
              let held = document.activeElement
              while (held?.shadowRoot?.activeElement) held = held.shadowRoot.activeElement
              held?.blur()
              history.pushState(null, "", query)
              dispatchEvent(new PopStateEvent("popstate"))
            }""",
            f"?{query}",
        )


def opened(visitor: Any, address: str, query: str) -> Tab:
    """A page of that address, once it is there."""
    tab = Tab(visitor.new_page())
    page = tab.page

    def asked(request: Any) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and not request.url.startswith(address):
            tab.seen.foreign.append(request.url)

    if SLOWED > 1:
        visitor.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: message.type == "error" and tab.seen.errors.append(message.text))
    page.on("pageerror", lambda error: tab.seen.errors.append(str(error)))
    page.on("request", asked)
    page.on("websocket", lambda socket: (socket.on("framesent", tab.heard), socket.on("framereceived", tab.told)))
    page.goto(f"{address}?{query}")
    page.locator(".track").or_(page.locator(".page")).first.wait_for()
    return tab


def check_quiet(visitor: Any, tabs: Iterable[Tab]) -> None:
    """Nothing is kept in the browser, nothing went wrong, and nobody else was asked."""
    kept = visitor.storage_state()
    assert (kept["cookies"], kept["origins"]) == ([], [])
    assert [error for tab in tabs for error in tab.seen.errors] == []
    assert [url for tab in tabs for url in tab.seen.foreign] == []


def visits(visitor: Any, address: str) -> Iterator[Callable]:
    """What `visit` is, for one visitor."""
    tabs: list[Tab] = []

    def new(query: str = "") -> tuple[Any, Watched]:
        tabs.append(opened(visitor, address, query))
        return tabs[-1].page, tabs[-1].seen

    yield new
    for tab in tabs:
        tab.page.close()
    check_quiet(visitor, tabs)


@pytest.fixture
def visit(visitor, address: str) -> Iterator[Callable]:
    """visit("e=0&views=..."): an open page and what it does; no error and no foreign request may come of it."""
    yield from visits(visitor, address)


@pytest.fixture
def another_visits(chromium, address: str) -> Iterator[Callable]:
    """The same of somebody else, in a browser that has nothing in common with the visitor's."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield from visits(context, address)
    context.close()


@pytest.fixture(scope="module")
def tab_of_file(address: str) -> Iterator[list[Tab]]:
    """The one page of a file, once there is one; closed before what it shows ends."""
    tabs: list[Tab] = []
    yield tabs
    for tab in tabs:
        tab.page.close()


@pytest.fixture
def turn_to(visitor, address: str, tab_of_file: list[Tab]) -> Iterator[Callable]:
    """turn_to("e=0&views=..."): the same of the page that the tests of a file share.

    It is taken there as the browser's Back takes it, in a tenth of the time that it takes to load; its cards are new.
    For what leaves nothing behind but where it went.
    """
    from playwright.sync_api import expect

    def there(query: str) -> tuple[Any, Watched]:
        if not tab_of_file:
            tab_of_file.append(opened(visitor, address, query))
            return tab_of_file[0].page, tab_of_file[0].seen
        (tab,) = tab_of_file
        tab.seen = Watched()
        between = tab.page.locator(f'section.card[aria-label="{BETWEEN[1]}"]')
        tab.go(f"views={BETWEEN[0]}")
        expect(tab.page.locator("section.card")).to_have_count(1)
        expect(between).to_have_count(1)
        tab.go(query)
        if BETWEEN[0] not in query:
            expect(between).to_have_count(0)
        return tab.page, tab.seen

    yield there
    check_quiet(visitor, tab_of_file)


CHOICES = """() => {
  let held = document.activeElement
  while (held?.shadowRoot?.activeElement) held = held.shadowRoot.activeElement
  return [...held.options].map((option) => [option.value, option.label])
}"""
"""The choices of the list that has the keys, each with its words."""
HELD = """() => {
  let held = document.activeElement
  while (held?.shadowRoot?.activeElement) held = held.shadowRoot.activeElement
  if (!held || held === document.body) return ""
  const of = (id) => held.getRootNode().getElementById(id)?.textContent
  return held.getAttribute("aria-label") || of(held.getAttribute("aria-labelledby")) || held.labels?.[0]?.textContent
    || held.placeholder || held.textContent.trim()
}"""
"""The name of what has the keys."""


class Keys:
    """A hand on the keyboard, which sees what has the keys and nothing else of the page."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def held(self) -> str:
        return self.page.evaluate(HELD)

    def to(self, name: str, by: str = "Tab", most: int = 60) -> None:
        """Until something of that name (a pattern) has the keys."""
        passed = []
        for _ in range(most):
            self.page.keyboard.press(by)
            passed.append(self.held())
            if re.fullmatch(name, passed[-1]):
                return
        pytest.fail(f"{by} does not come to {name}, but to {passed}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, choice: str) -> None:
        """Of the list of choices that has the keys, by arrows: letters that come slowly each begin another search."""
        choices = self.page.evaluate(CHOICES)
        (place,) = (place for place, named in enumerate(choices) if choice in named)
        after = len(choices) - 1 - place
        self.press(*(["Home"] + ["ArrowDown"] * place if place < after else ["End"] + ["ArrowUp"] * after))

    def write(self, text: str) -> None:
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)


@pytest.fixture(scope="session")
def comes_to_be() -> Callable[[Any, Callable[[], object], object], None]:
    """comes_to_be(page, look, wanted): waits until what is seen is that."""

    def wait(page: Any, look: Callable[[], object], wanted: object) -> None:
        for _ in range(PATIENCE // 100):
            if look() == wanted:
                return
            page.wait_for_timeout(100)
        assert look() == wanted

    return wait


@pytest.fixture(scope="session")
def keyboard() -> type[Keys]:
    """keyboard(page): a hand on the keys of that page."""
    return Keys


LOOKED_OVER = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]})
  return found.violations.flatMap(({id, impact, help, nodes}) => nodes.map((node) =>
    [impact, `${id}: ${help}`, node.failureSummary, node.target.flat(9).join(" "), node.html.slice(0, 160)]))
}"""


@pytest.fixture(scope="session")
def serious() -> Callable[[Any, str], list[str]]:
    """serious(page, place): what axe calls serious or critical of the page as it stands, a line each."""
    import axe_playwright_python

    axe = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")

    def looked_over(page: Any, place: str) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)
        found = page.evaluate(LOOKED_OVER)
        return ["  ".join([place, *words]) for impact, *words in found if impact in ("serious", "critical")]

    return looked_over
