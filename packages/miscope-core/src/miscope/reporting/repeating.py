"""Commands that do again what a report is of: each training, and the instruments that were used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from miscope.analysis.planning import complete, resolve
from miscope.analyzer import Analyzer, Grain
from miscope.commands import in_workspace
from miscope.figures.availability import analyzer_availability
from miscope.store.origin import Origin, origin_of
from miscope.train_request import train_request
from miscope.training_command import training_command
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["repeating"]


def repeating(workspace: Workspace, variants: Sequence[Variant]) -> list[str]:
    """Lines that make each variant anew, as far as a command can, `miscope train` of what was trained here, and that
    compute of it what is there.
    """
    trained = [_training(workspace, one) for one in variants if one.training is not None]
    return [in_workspace(workspace.root, line) for line in (*filter(None, trained), *_analyses(workspace, variants))]


def _training(workspace: Workspace, variant: Variant) -> str:
    """With as many threads as it had: the numbers of another count differ in their last digits. "" of others' work."""
    if not workspace.store.layout.record(variant.name).exists():
        return ""
    facts = workspace.store.variant_record(variant.name).facts
    if origin_of(facts) != Origin.TRAINED.value:
        return ""
    threads = facts.get("threads")
    request = train_request(variant)
    return training_command(request.model_copy(update={"threads": threads} if isinstance(threads, int) else {}))


def _analyses(workspace: Workspace, variants: Sequence[Variant]) -> Iterator[str]:
    """A line for all that were looked at by the same instruments; for each where comparing them would be more."""
    table = complete(workspace.plugins.analyzers)
    spanning = [name for name, each in sorted(table.items()) if each.grain is Grain.COHORT]
    compared = [name for name in spanning if len(variants) > 1 and _state(workspace, name, variants) == "there"]
    unasked = _unasked(table, spanning)
    whole = bool(compared) and all(_state(workspace, name, variants) != "missing" for name in unasked)
    alike: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for variant in variants:
        alike.setdefault(_asked_for(workspace, variant), []).append(variant.name)
    whole = whole and len(alike) == 1 and () in next(iter(alike))
    for asked, names in alike.items():
        for only in asked:
            yield from [_line(names, only)] if only or whole else [_line([name], ()) for name in names]
    rest = [name for name in compared if not (whole and name in unasked)]
    if rest:
        yield _line([variant.name for variant in variants], _topmost(table, rest))


def _asked_for(workspace: Workspace, variant: Variant) -> tuple[tuple[str, ...], ...]:
    """Instruments that bring all there is of the variant, by command; () for one that names none of them."""
    table, layout = complete(workspace.plugins.analyzers), workspace.store.layout
    alone = [name for name, each in sorted(table.items()) if each.grain is not Grain.COHORT]
    tried, unasked = [name for name in alone if layout.recipes(variant.name, name).is_dir()], _unasked(table, alone)
    if not tried:
        return ()
    left = (name for name in unasked if name not in tried)
    whole = all(_state(workspace, name, [variant]) != "missing" for name in left)
    named = [name for name in tried if not (whole and name in unasked)]
    only = _topmost(table, [name for name in named if any(layout.recipes(variant.name, name).glob("*/*.npz"))])
    return (*([()] if whole else []), *([only] if only else []))


def _state(workspace: Workspace, name: str, variants: Sequence[Variant]) -> str:
    return analyzer_availability(workspace, name, variants).state


def _unasked(table: Mapping[str, Analyzer], names: Sequence[str]) -> list[str]:
    return [name for name in names if not any(each.opt_in for each in resolve(table, [name]).values())]


def _topmost(table: Mapping[str, Analyzer], names: Sequence[str]) -> tuple[str, ...]:
    """Those of them that no other reads: what they read comes with them."""
    read = {each for name in names for each in resolve(table, [name]) if each != name}
    return tuple(name for name in names if name not in read)


def _line(names: Sequence[str], only: Sequence[str]) -> str:
    return " ".join(["miscope analyze", *names, *(f"--only {name}" for name in only)])
