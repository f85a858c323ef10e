"""Each notebook runs from an empty folder, without an error, and shows what it promises."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).parent
NOTEBOOKS = sorted(HERE.glob("[0-9]*.py"))

FIGURE, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"
SHOWN = {
    "01_train_and_look": {FIGURE: 2, WIDGET: 0},
    "02_every_checkpoint": {FIGURE: 1, WIDGET: 1},
    "03_compare_seeds": {FIGURE: 1, WIDGET: 1},
    "04_write_an_analyzer": {FIGURE: 1, WIDGET: 0},
    "05_queue_and_studies": {FIGURE: 1, WIDGET: 0},
}
SAID = {
    "01_train_and_look": ("memorised at step", "are there"),
    "02_every_checkpoint": ("when it generalised",),
    "03_compare_seeds": ("3 variants of 1 family", "seed2"),
    "04_write_an_analyzer": ("()",),
    "05_queue_and_studies": ("RunState.COMPLETED", "w16", "w32", "2 done"),
}


@pytest.fixture
def ran(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NotebookNode:
    """The notebook with its outputs: in a process of its own, which talks to this one and to nobody else."""
    for name, folder in (("IPYTHONDIR", "ipython"), ("JUPYTER_RUNTIME_DIR", "runtime"), ("JUPYTER_DATA_DIR", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("MISCOPE_WORKSPACE", raising=False)
    notebook = jupytext.read(request.param)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    return client.execute()


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_what_is_promised_is_of_the_notebooks_there_are() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(SHOWN) == sorted(SAID)


@pytest.mark.parametrize("ran", NOTEBOOKS, ids=lambda path: path.stem, indirect=True)
def test_it_runs_from_an_empty_folder(ran: NotebookNode, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    made = outputs(ran)
    assert [output for output in made if output.output_type == "error"] == []
    shown = [kind for output in made for kind in output.get("data", {})]
    assert {kind: shown.count(kind) for kind in SHOWN[name]} == SHOWN[name]
    said = "\n".join(
        output.get("text", "") or "".join(v for k, v in output.data.items() if k.startswith("text/")) for output in made
    )
    assert [words for words in SAID[name] if words not in said] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_explains_what_it_does(path: Path) -> None:
    cells = jupytext.read(path).cells
    assert cells[0].source.startswith("# ")
    assert sum(cell.cell_type == "markdown" for cell in cells) >= len(cells) / 3
