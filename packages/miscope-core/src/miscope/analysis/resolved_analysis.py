"""One variant with the analyzers of it: over which checkpoints, with which options, under which recipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, final

from miscope.analysis.analyzer_options import options_apart
from miscope.analysis.planning import depends_on_probe, recipes, resolve
from miscope.analysis.recipe_note import RecipeNote
from miscope.analysis.recorded_metrics import extent
from miscope.analyzer import Analyzer, Grain
from miscope.artifact import ArtifactKey
from miscope.lazily import torch
from miscope.model_context import ModelContext
from miscope.probe import Probe
from miscope.recipe import digest
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = [
    "ResolvedAnalysis",
    "cohort_key",
    "in_order",
    "note_of",
    "resolve_analysis",
    "resolved_otherwise",
]


@cache
def _unseen() -> Probe:
    """What an instrument is shown whose recipe does not hold the probe's digest."""
    return Probe(name="-", inputs=torch.empty(0, dtype=torch.int64))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ResolvedAnalysis:
    """One variant, its analyzers, the checkpoints they span and their options."""

    context: ModelContext
    probe: Probe
    analyzers: Mapping[str, Analyzer]
    """Resolved, what is read before what reads it."""
    recipes: Mapping[str, str]
    steps: tuple[int, ...]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    """Of the variant's record, where an analyzer declares that it needs them."""
    recorded: tuple[int, ...] = ()
    """What stands for the checkpoints in the recipes of a variant that has none: how much was recorded, until when."""

    @property
    def variant(self) -> Variant:
        return self.context.variant

    def key(self, name: str, step: int | None = None) -> ArtifactKey:
        """The key of an analyzer's artifact; the step is ignored where it spans the whole of training."""
        analyzer = self.analyzers[name]
        probe = f"{self.probe.name}@{self.probe.digest}" if depends_on_probe(self.analyzers, name) else "-"
        at = step if analyzer.grain is Grain.CHECKPOINT else None
        return ArtifactKey(variant=self.variant.name, analyzer=name, recipe=self.recipes[name], probe=probe, step=at)

    def options_of(self, name: str) -> Any:
        return self.analyzers[name].options.model_validate(dict(self.options.get(name, {})))

    def shown_probe(self, name: str) -> Probe:
        return self.probe if depends_on_probe(self.analyzers, name) else _unseen()


def cohort_key(analyses: Sequence[ResolvedAnalysis], name: str) -> ArtifactKey:
    """The key of an artifact over several variants, in the order of their names: their recipes are its recipe."""
    analyses = in_order(analyses)
    members = digest([analysis.variant.digest for analysis in analyses])
    first = analyses[0].key(name)
    return ArtifactKey(
        variant=f"cohort/{members}",
        analyzer=name,
        recipe=digest([analysis.recipes[name] for analysis in analyses]),
        probe=first.probe if len({analysis.key(name).probe for analysis in analyses}) == 1 else "several",
        step=None,
    )


def in_order(analyses: Sequence[ResolvedAnalysis]) -> list[ResolvedAnalysis]:
    """Members of a cohort in the order of their names: in whichever order they are given, they are the same cohort."""
    return sorted(analyses, key=lambda analysis: analysis.variant.name)


def resolve_analysis(
    workspace: Workspace,
    variant: Variant,
    names: Iterable[str],
    *,
    steps: Sequence[int],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> ResolvedAnalysis:
    """The analysis by the named analyzers and everything they read."""
    context = workspace.context(variant)
    analyzers = resolve(workspace.plugins.analyzers, names)
    curious = any(analyzer.needs.facts for analyzer in analyzers.values())
    facts = workspace.store.variant_record(variant.name).facts if curious else {}
    recorded = () if steps else extent(workspace.store, variant.name)
    plain = ResolvedAnalysis(
        context=context,
        probe=context.probe(),
        analyzers=analyzers,
        recipes={},
        steps=(),
        facts=facts,
        recorded=recorded,
    )
    return resolved_otherwise(plain, steps=steps, options=options or {})


def resolved_otherwise(
    analysis: ResolvedAnalysis, *, steps: Sequence[int], options: Mapping[str, Mapping[str, Any]]
) -> ResolvedAnalysis:
    """The same analyzers over these checkpoints and with these options: other recipes."""
    analyzers, facts = analysis.analyzers, analysis.facts
    variant, probe = analysis.context.family.identity(analysis.variant), analysis.probe.digest
    spanned = steps or analysis.recorded
    digests = recipes(analyzers, variant=variant, probe=probe, steps=spanned, options=options)
    digests |= {name: digest([digests[name], facts]) for name, analyzer in analyzers.items() if analyzer.needs.facts}
    return replace(analysis, recipes=digests, steps=tuple(steps), options=dict(options))


def note_of(analysis: ResolvedAnalysis, name: str) -> RecipeNote:
    """What the recipe of an analyzer's artifact stands for."""
    chain = resolve(analysis.analyzers, [name])
    spans = analysis.analyzers[name].grain is not Grain.CHECKPOINT
    return RecipeNote(
        options=options_apart(chain, list(chain), analysis.options), steps=analysis.steps if spans else None
    )
