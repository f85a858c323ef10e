"""All that the page says of what stands in the form, found out at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, final

from miscope.family import Family
from miscope.studies.keeping import study_text
from miscope_panel.shown.launching.built_on import built_on, filled, offered
from miscope_panel.shown.launching.checked_form import CheckedForm, checked
from miscope_panel.shown.launching.form_field import FormField, form_fields
from miscope_panel.shown.launching.preview import Preview, preview
from miscope_panel.shown.launching.starting import free_name
from miscope_panel.shown.launching.study_form import Texts, study_values, yaml_of

if TYPE_CHECKING:
    from miscope.runs.run_queue import RunQueue
    from miscope.studies.study import Study
    from miscope.workspace import Workspace

__all__ = ["LookedOver", "looked_over"]


@final
@dataclass(frozen=True, kw_only=True)
class LookedOver:
    """What is refused, what would be run, and what there is to choose from."""

    form: CheckedForm
    fields: tuple[FormField, ...]
    """Those of its family."""
    yaml: str
    """The form as a study's file."""
    preview: Preview | None = None
    """None where something is refused."""
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field -> what there is in the workspace."""
    name: str = ""
    """What the study is called where no name is typed; "" for one training, which is none."""
    replaces: str = ""
    """The study of the typed name that is kept, and says something else; "" where there is none."""
    filled: Texts = field(default_factory=dict)
    """The form, with the last checkpoint where a variant was chosen and no step."""

    @property
    def lacking(self) -> tuple[str, ...]:
        """Fields that have to be filled in, in the order in which they are shown."""
        return tuple(each.name for each in self.fields if each.name in self.form.lacking)

    @property
    def defaults(self) -> dict[str, str]:
        """What a field is where nothing is typed, as far as the others say it."""
        return {**self.form.defaults, "study.name": self.name}

    def review(self) -> dict[str, Any]:
        """What would be run, as JSON has it; {} where something is refused."""
        seen = self.preview
        if seen is None:
            return {}
        return {
            "summary": seen.summary,
            "replaces": f"A start replaces the study {self.replaces} as it is kept." if self.replaces else "",
            "rows": [asdict(row) for row in seen.rows],
            "more": len(seen.plan) - len(seen.rows),
            "marks": list(seen.marks),
            "marked": seen.marked,
            "command": seen.command,
        }


def looked_over(workspace: Workspace, queue: RunQueue, family: Family, texts: Texts) -> LookedOver:
    """Of these texts; nothing is written."""
    form, choices, on = checked(workspace, family, texts), offered(workspace, family, texts), built_on(family)
    return LookedOver(
        form=form,
        fields=form_fields(family),
        yaml=yaml_of(study_values(family, texts)),
        preview=None if form.study is None else preview(workspace, queue, form.study),
        name="" if form.study is None or len(form.study.runs) == 1 else free_name(workspace, family, texts),
        replaces=form.study.name if form.study and texts.get("study.name") and _replaces(workspace, form.study) else "",
        choices={**_installed(workspace), **choices},
        filled=texts if on is None else filled(on, texts, choices),
    )


def _replaces(workspace: Workspace, study: Study) -> bool:
    """Whether another study is kept under its name."""
    kept = workspace.store.layout.study(study.name)
    return kept.exists() and kept.read_text(encoding="utf-8") != study_text(study)


def _installed(workspace: Workspace) -> dict[str, list[str]]:
    """Names of what is installed, for fields that take some."""
    plugins = workspace.plugins
    instruments = sorted(plugins.analyzers)
    return {
        "analyze.analyzers": instruments,
        "train.watch": instruments,
        "analyze.executor": sorted(plugins.executors),
    }
