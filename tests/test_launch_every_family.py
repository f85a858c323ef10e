"""The form of Launch opens with every family that is trained here, its defaults stand, and checkpoints come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from miscope.family import Family
from miscope.runs.run_queue import RunQueue
from miscope.testing import tables
from miscope.workspace import Workspace, open_workspace
from miscope_panel.shown.launching.built_on import built_on
from miscope_panel.shown.launching.form_field import FAMILY, form_fields, trained_here
from miscope_panel.shown.launching.looked_over import looked_over

COVERAGE = Path(__file__).parents[1] / "docs" / "examples" / "coverage.json"
FAMILIES = [*json.loads(COVERAGE.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def workspace(shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_workspace(tmp_path_factory.mktemp("launch") / "workspace", tables(**shipped))


def _family(workspace: Workspace, name: str) -> Family:
    family = workspace.plugins.families[name]
    if not trained_here(family):
        pytest.skip("its networks are brought, not trained here")
    return family


@pytest.mark.parametrize("name", FAMILIES)
def test_every_field_of_a_family_stands_in_the_form_with_a_word_of_help(workspace: Workspace, name: str) -> None:
    family = _family(workspace, name)
    fields = {field.name: field for field in form_fields(family)}
    assert {*family.params.model_fields, *family.training_config.model_fields} <= {*fields}
    assert [field.name for field in fields.values() if not field.help] == []


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_family_is_by_default_is_not_refused_and_says_its_checkpoints(workspace: Workspace, name: str) -> None:
    family = _family(workspace, name)
    found = looked_over(workspace, RunQueue(workspace.root), family, {FAMILY: name})
    assert (found.form.problems, found.form.problem) == ({}, "")
    on = built_on(family)
    if on is None:
        assert found.lacking == ()
        assert found.preview is not None
        assert "checkpoint" in found.preview.marked
        assert found.review()["summary"] == "1 run: 1 new"
    else:
        # What it is built on is chosen by who launches it; nothing is asked that has a default.
        asked = {name for name, info in family.params.model_fields.items() if info.is_required()}
        assert {*on.fields} & asked <= {*found.lacking} <= asked
