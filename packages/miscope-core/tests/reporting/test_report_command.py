from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def workspace_there(offer, place, seeds, monkeypatch: pytest.MonkeyPatch):
    """The shared workspace as a command finds it, with the toy families alone."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(place.root))


@pytest.mark.usefixtures("workspace_there")
def test_the_command_writes_a_report_and_says_what_is_left_out(command, seeds, tmp_path: Path):
    out = tmp_path / "report.html"
    code, printed, errors = command("report", seeds[0].name, "--out", out)
    assert (code, printed.startswith(f"{out}: ")) == (0, True), errors
    assert "Left out: parameters.trajectory, it was never computed.  To compute it:  miscope analyze " in errors


@pytest.mark.usefixtures("workspace_there")
def test_a_script_gets_observations_and_gaps_as_json(command, seeds, tmp_path: Path):
    out = tmp_path / "report.html"
    code, printed, _ = command("report", *[seed.name for seed in seeds], "--out", out, "--json")
    told = json.loads(printed)
    assert (code, told["path"], told["bytes"]) == (0, str(out), out.stat().st_size)
    assert {one["of"] for one in told["observations"]} == {"seed=0", "seed=1", "seed=2"}
    assert all(one["artifact"] for one in told["observations"])


@pytest.mark.usefixtures("workspace_there")
def test_a_misspelt_view_is_an_error_of_the_command(command, seeds, tmp_path: Path):
    code, _, errors = command("report", seeds[0].name, "--views", "no.such", "--out", tmp_path / "r.html")
    assert (code, "There is no view named 'no.such'" in errors) == (1, True)
