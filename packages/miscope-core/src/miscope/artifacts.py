"""Artifacts as a reader asks for them: at a step or over training, with a sentence that says why there is none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.analyzer_options import Options, checked_options
from miscope.artifact import Arrays
from miscope.commands import in_workspace
from miscope.computed import asked_for, what_is_known
from miscope.errors import DoesNotApply, NoArtifact, UnknownName
from miscope.lazily import Lazily
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.seeing import Setting
    from miscope.store import Store
    from miscope.workspace import Workspace

__all__ = ["arrays", "artifact", "artifact_across", "artifact_if_there"]


def arrays(  # noqa: PLR0913 - the whole of a reader's choice, keyword-only past what is read
    workspace: Workspace,
    variant: Variant,
    analyzer: str,
    *,
    step: int | None = None,
    names: Collection[str] | None = None,
    options: Options | None = None,
) -> Arrays:
    """An analyzer's arrays at a step; without one over all steps, (T, ...) with those steps under 'step'.

    names: only these. options: those it was computed with, by analyzer name, of it and of what it reads. Raises
    UnknownName, NoArtifact where it was not computed, DoesNotApply where it cannot be, BadValue for the options.
    """
    from miscope.seeing import set_up

    table = workspace.plugins.analyzers
    workspace.plugins.analyzer(analyzer)
    workspace.store.refuse_another(variant)
    chosen = checked_options(table, options or {})
    setting = set_up(workspace, variant, [analyzer], steps=workspace.store.finite_steps(variant.name), options=chosen)
    found = artifact(workspace.store, setting, analyzer, step)
    wanted = found if names is None else (names,) if isinstance(names, str) else names
    for name in wanted:
        if name not in found:
            raise UnknownName("array", name, found, listing=f"{analyzer!r} keeps: {', '.join(found)}.")
    return {name: found[name] for name in wanted}


def artifact(store: Store, setting: Setting, name: str, step: int | None) -> Arrays:
    """The artifact at the step, or, of checkpoint grain without a step, stacked over training as it is looked at.

    Raises NoArtifact with the command that computes it, or DoesNotApply with the reason.
    """
    from miscope.not_applicable import cure_of, reason

    found = artifact_if_there(store, setting, name, step)
    if found is not None:
        return found
    variant = setting.variant.name
    why = reason(store, setting, name, step)
    if why is not None:
        raise DoesNotApply(why, name=name, subject=variant, cure=cure_of(setting.subject, why))
    at = step if setting.analyzers[name].grain is Grain.CHECKPOINT else None
    have = store.artifact_steps(variant, name, setting.recipes[name])
    known, asked = what_is_known(store, [setting], name, step), asked_for(setting, name)
    raise NoArtifact(name, variant, at, have, known=known, options=asked, root=store.root)


def artifact_across(store: Store, settings: Sequence[Setting], name: str) -> Arrays:
    """The artifact of an analyzer that spans variants, of these together.

    Raises DoesNotApply where they cannot be compared, NoArtifact with the command that computes it.
    """
    from miscope.not_applicable import beside, incomparable, reason
    from miscope.seeing import cohort_key

    names = [setting.variant.name for setting in settings]
    key, why = cohort_key(settings, name), incomparable(settings, name)
    if why is None and store.has(key):
        return store.load_arrays(key)
    reasons = (reason(store, setting, name, None) for setting in settings)
    why = why or store.refusal(key) or next(filter(None, reasons), None)
    if why is not None:
        cure = beside(settings, in_workspace(store.root, f"miscope analyze {', '.join(names)} OTHER --only {name}"))
        raise DoesNotApply(why, name=name, subject=", ".join(names), cure=cure)
    known = what_is_known(store, settings, name, None)
    asked = asked_for(settings[0], name)
    raise NoArtifact(name, " ".join(names), None, (), known=known, options=asked, root=store.root)


def artifact_if_there(store: Store, setting: Setting, name: str, step: int | None) -> Arrays | None:
    """As `artifact`; None where there is none, or where the analyzer is not part of the setting."""
    if name not in setting.analyzers:
        return None
    key = setting.key(name, step)
    if setting.analyzers[name].grain is not Grain.CHECKPOINT or step is not None:
        return store.load_arrays(key) if store.has(key) else None
    steps = store.artifact_steps(key.variant, name, key.recipe)
    if not steps:
        return None
    one = store.load_arrays(setting.key(name, steps[-1]))
    return Lazily(("step", *one), lambda array: store.stacked(key.variant, name, key.recipe, [array])[array])
