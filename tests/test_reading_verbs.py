"""Whatever only reads records, rows or names imports no tensors: each such verb in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from miscope.bound import open_bound
from miscope.cli.app import application
from miscope.testing.staging import tables

COMPUTING = {"torch", "transformer_lens", "scipy", "plotly", "pandas", "panel", "bokeh"}
DATABASE = {"duckdb", "pyarrow"}

READING = (
    ["plugins"],
    ["families"],
    ["families", "modadd.transformer"],
    ["analyzers"],
    ["analyzers", "heads.roles"],
    ["lenses"],
    ["lenses", "grokking"],
    ["views"],
    ["views", "heads.roles"],
    ["views", "--find", "hessian"],
    ["executors"],
    ["where", "heads.roles"],
    ["where", "modadd.transformer"],
    ["catalogue"],
    ["variants"],
    ["templates"],
    ["templates", "show", "none"],
    ["runs", "list"],
    ["runs", "show", "1"],
    ["runs", "cancel", "1"],
    ["annotate", "toys.parity"],
    ["annotate", "toys.parity", "--tag", "paper"],
    ["trash"],
    ["cache"],
    ["cache", "--empty"],
    ["restore", "none"],
    ["delete", "none"],
    ["prune", "toys.parity"],
    ["variants", "toys.parity"],
    ["variants", "no.family"],
    ["ask", "SELECT * FROM runs"],
    ["ask", "SELECT nothing"],
    ["index", "status"],
    ["index", "rebuild"],
    ["bundle", "toys.parity", "--out", "runs.zip"],
    ["export", "history", "toys.parity"],
    ["export", "history", "no.family"],
    ["new-plugin", "plugin"],
)
ASKING = {"prune", "ask", "index", "export"}
"""Those that need the database, or what was recorded."""
MAKING = {"train", "analyze", "sweep", "import", "show", "report", "serve", "demo", "lal", "sae"}
"""Those that compute, draw or serve."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose workspace holds a trained variant."""
    from miscope_toys.parity import ParityFamily

    folder = tmp_path_factory.mktemp("reading")
    workspace = open_bound(folder / "miscope-workspace", tables(ParityFamily()))
    small = {"bits": 5, "degree": 2, "examples": 20, "width": 8}
    list(workspace.variant("toys.parity", **small, steps=2, checkpoints="every:1").train(threads=1))
    return folder


EACH_FORKED = """
import json, os, sys
from typer.main import get_command
from miscope.cli import main
from miscope.cli.app import application

get_command(application())
for words in json.loads(sys.argv[1]):
    reads, writes = os.pipe()
    if os.fork() == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nowhere, stream)
        try:
            main(words)
        except SystemExit:
            os.write(writes, " ".join(name for name in sys.modules if "." not in name).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as loaded:
        print(loaded.read(), flush=True)
"""
"""Prints a line for each verb: the packages that a process holds once it has ended, '' where it ended otherwise.

Forked from one that has imported what all of them do.
"""


@pytest.fixture(scope="module")
def loaded(place: Path) -> dict[tuple[str, ...], set[str]]:
    """The packages that a process holds once it has done what each verb says."""
    run = [sys.executable, "-c", EACH_FORKED, json.dumps(READING)]
    lines = subprocess.run(run, stdout=subprocess.PIPE, text=True, check=True, cwd=place).stdout.splitlines()
    return {tuple(words): set(line.split()) for words, line in zip(READING, lines, strict=True)}


def loaded_by(code: str, folder: Path) -> set[str]:
    """Which packages a fresh interpreter holds once it has run the code there."""
    report = "import sys\nprint('LOADED', *sys.modules)"
    run = [sys.executable, "-c", f"{code}\n{report}"]
    out = subprocess.run(run, capture_output=True, text=True, check=True, cwd=folder).stdout
    return {name for name in out.rpartition("LOADED")[2].split() if "." not in name}


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_verb_that_reads_imports_no_tensors_and_no_figures(
    words: list[str], loaded: dict[tuple[str, ...], set[str]]
) -> None:
    banned = COMPUTING if words[0] in ASKING else COMPUTING | DATABASE
    found = loaded[tuple(words)]
    assert "miscope" in found, "it ended in an error of its own"
    assert found & banned == set()


def test_what_applies_to_a_variant_is_told_without_drawing_and_without_a_database(place: Path) -> None:
    (folder,) = (place / "miscope-workspace" / "variants" / "toys.parity").iterdir()
    code = (
        "from miscope.cli import main\nfor kind in ('views', 'analyzers'):\n    try:\n"
        f"        main([kind, '--for', {folder.name!r}])\n    except SystemExit as end:\n        assert not end.code"
    )
    assert loaded_by(code, place) & (COMPUTING | {"duckdb"}) == {"torch"}


def test_every_verb_is_known_to_read_or_to_make() -> None:
    group = typer.main.get_group(application())
    assert set(group.list_commands(typer.Context(group))) == {words[0] for words in READING} | MAKING


def test_names_metrics_and_rows_are_read_in_python_without_tensors(place: Path) -> None:
    code = (
        "import miscope\nworkspace = miscope.open()\n(variant,) = workspace.variants()\n"
        "variant.steps, variant.metrics(), variant.at(1), repr(variant), variant.view('behaviour.losses')\n"
        "assert workspace.ask('SELECT count(*) AS n FROM checkpoints').to_pylist() == [{'n': 3}]\n"
        "assert len(variant.metric('train_loss')[0])"
    )
    assert loaded_by(code, place) & COMPUTING == set()


@pytest.fixture
def served(place: Path) -> Iterator[tuple[str, int]]:
    """The address and the process of a server over the workspace."""
    command = [sys.executable, "-c", "from miscope.cli import main; main(['serve', '--port', '0', '--no-open'])"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=place) as process:
        try:
            assert process.stdout is not None
            address = next(found[1] for line in process.stdout if (found := re.match(r"at (http\S+)", line)))
            yield address, process.pid
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="what a process has mapped is read from /proc")
def test_the_first_answer_of_the_server_needs_no_tensors(served: tuple[str, int]) -> None:
    from urllib.request import urlopen

    address, pid = served
    with urlopen(f"{address}api/v1/variants", timeout=200) as answer:
        found = json.load(answer)
    assert len(found) == 1
    assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()
