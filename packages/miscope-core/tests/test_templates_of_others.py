"""Templates that miStudio exported: the format is read here, what the hyperparameters mean a family says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from miscope import TranslatedFields
from miscope.field_text import shortened
from miscope.studies.template_exchange import Action, import_templates
from miscope.studies.templates import Templates
from miscope.testing import tables
from miscope.testing.toy import ToyVariation
from miscope.workspace import open_workspace


@final
class Answering(ToyVariation):
    """The toy, which knows two words of miStudio's."""

    name = "toy.answering"
    title = "Toy: (a + b) mod n, with words of another program"

    def bases(self, params: Any) -> Mapping[str, Any]:
        return {}

    def read_hyperparameters(
        self, program: str, architecture: str, given: Mapping[str, Any]
    ) -> TranslatedFields | None:
        if (program, architecture) != ("miStudio", "plain"):
            return None
        return TranslatedFields(fields={"steps": given["total_steps"]}, left_out=("rest: it means nothing here",))


def exported(*items: Mapping[str, Any]) -> str:
    return json.dumps({"version": "1.0", "templates": list(items)})


def item(**more: object) -> dict[str, Any]:
    return {"name": "Wide", "encoder_type": "plain", "hyperparameters": {"total_steps": 60}, **more}


def test_the_family_that_answers_says_what_the_hyperparameters_are(tmp_path: Path) -> None:
    templates = Templates(open_workspace(tmp_path, tables(Answering())))
    said = {"description": "of layer 12", "is_favorite": True, "tags": ["a"], "model_id": "7f"}
    (report,) = import_templates(templates, exported(item(**said)))
    assert (report.name, report.action, report.error) == ("Wide", Action.CREATED, "")
    assert report.left_out == (
        "rest: it means nothing here",
        "model_id: it is of the place where it was written",
    )
    (kept,) = templates.all()
    assert (kept.facts.description, kept.facts.favourite, kept.facts.tags) == ("of layer 12", True, ("a",))
    assert {name: kept.study.values[name] for name in ("family", "base")} == {
        "family": "toy.answering",
        "base": {"steps": 60},
    }


def test_where_no_family_answers_each_item_says_so_and_the_others_are_kept(tmp_path: Path) -> None:
    templates = Templates(open_workspace(tmp_path, tables(Answering())))
    broken = {"name": "Broken", "encoder_type": "plain"}
    first, second, third = import_templates(templates, exported(item(encoder_type="gated"), broken, item()))
    assert (first.action, second.action, third.action) == (Action.INVALID, Action.INVALID, Action.CREATED)
    assert first.error == (
        "The template is of the architecture 'gated', which no family that is installed has.\n"
        f"Installed are: {shortened(sorted(templates.plugins.families))}.\n"
        "Install a package that has it, and import the templates again."
    )
    assert second.error == (
        "This is no template of miStudio's.\nIt has: name, encoder_type, hyperparameters.\n"
        "Export it again from miStudio."
    )
