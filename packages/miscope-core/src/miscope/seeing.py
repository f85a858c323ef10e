"""From stored weights to what an instrument is shown: exactly what it declared, each thing made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.analyzer_options import options_apart
from miscope.artifact import Arrays, ArtifactKey
from miscope.basis import Basis
from miscope.checkpoint_inputs import CheckpointInputs
from miscope.forward import activations
from miscope.lazily import Lazily, torch
from miscope.losses import losses_of
from miscope.model import LOGITS, cast, matching
from miscope.moment import Declared, Moment, Trajectory
from miscope.planning import looks_at_probe, recipes, resolve
from miscope.probe import Probe
from miscope.recipe import digest
from miscope.recipe_note import RecipeNote
from miscope.recorded import extent, metrics_until
from miscope.subject import Subject
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.store import Store
    from miscope.workspace import Workspace

__all__ = [
    "Setting",
    "artifact_of",
    "beside",
    "cohort_key",
    "in_order",
    "incomparable",
    "moment_of",
    "note_of",
    "record",
    "set_otherwise",
    "set_up",
    "trajectory_of",
]

V = TypeVar("V")


@cache
def _unseen() -> Probe:
    """What an instrument is shown whose recipe does not hold the probe's digest."""
    return Probe(name="-", inputs=torch.empty(0, dtype=torch.int64))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """One variant, the analyzers looking at it, the checkpoints they span and their options."""

    subject: Subject
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
        return self.subject.variant

    def key(self, name: str, step: int | None = None) -> ArtifactKey:
        """The key of an analyzer's artifact; the step is ignored where it spans the whole of training."""
        analyzer = self.analyzers[name]
        probe = f"{self.probe.name}@{self.probe.digest}" if looks_at_probe(self.analyzers, name) else "-"
        at = step if analyzer.grain is Grain.CHECKPOINT else None
        return ArtifactKey(variant=self.variant.name, analyzer=name, recipe=self.recipes[name], probe=probe, step=at)

    def options_of(self, name: str) -> Any:
        return self.analyzers[name].options.model_validate(dict(self.options.get(name, {})))

    def shown_probe(self, name: str) -> Probe:
        return self.probe if looks_at_probe(self.analyzers, name) else _unseen()


def cohort_key(settings: Sequence[Setting], name: str) -> ArtifactKey:
    """The key of an artifact over several variants, in the order of their names: their recipes are its recipe."""
    settings = in_order(settings)
    members = digest([setting.variant.digest for setting in settings])
    first = settings[0].key(name)
    return ArtifactKey(
        variant=f"cohort/{members}",
        analyzer=name,
        recipe=digest([setting.recipes[name] for setting in settings]),
        probe=first.probe if len({setting.key(name).probe for setting in settings}) == 1 else "several",
        step=None,
    )


def in_order(settings: Sequence[Setting]) -> list[Setting]:
    """Members of a cohort in the order of their names: in whichever order they are given, they are the same cohort."""
    return sorted(settings, key=lambda setting: setting.variant.name)


def incomparable(settings: Sequence[Setting], name: str) -> str | None:
    """Why an analyzer cannot look at these variants together, as a clause; None if it can.

    Variants of one modulus with different splits are shown the same inputs; those of another modulus are not.
    """
    first, *others = in_order(settings)
    if not others:
        return "it compares several variants, and this is one alone"
    if first.analyzers[name].same_probe:
        for other in others:
            if not torch.equal(first.probe.inputs, other.probe.inputs):
                pair = f"{first.variant.name} and {other.variant.name}"
                return f"it compares variants input by input, and {pair} are shown different inputs"
    return None


def beside(settings: Sequence[Setting], command: str) -> tuple[str, str] | None:
    """What is known and what to do where a variant is compared with none: the command names others; else None."""
    if len(settings) > 1:
        return None
    return "Nothing is missing of the variant: a comparison takes two or more.", f"Name others beside it:  {command}"


def set_up(
    workspace: Workspace,
    variant: Variant,
    names: Iterable[str],
    *,
    steps: Sequence[int],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Setting:
    """The setting of the named analyzers and everything they read."""
    subject = workspace.subject(variant)
    analyzers = resolve(workspace.plugins.analyzers, names)
    curious = any(analyzer.facts for analyzer in analyzers.values())
    facts = workspace.store.variant_record(variant.name).facts if curious else {}
    recorded = () if steps else extent(workspace.store, variant.name)
    plain = Setting(
        subject=subject,
        probe=subject.probe(),
        analyzers=analyzers,
        recipes={},
        steps=(),
        facts=facts,
        recorded=recorded,
    )
    return set_otherwise(plain, steps=steps, options=options or {})


def set_otherwise(setting: Setting, *, steps: Sequence[int], options: Mapping[str, Mapping[str, Any]]) -> Setting:
    """The same analyzers over these checkpoints and with these options: other recipes."""
    analyzers, facts = setting.analyzers, setting.facts
    variant, probe = setting.subject.family.identity(setting.variant), setting.probe.digest
    spanned = steps or setting.recorded
    found = recipes(analyzers, variant=variant, probe=probe, steps=spanned, options=options)
    found |= {name: digest([found[name], facts]) for name, analyzer in analyzers.items() if analyzer.facts}
    return replace(setting, recipes=found, steps=tuple(steps), options=dict(options))


def note_of(setting: Setting, name: str) -> RecipeNote:
    """What the recipe of an analyzer's artifact stands for."""
    chain = resolve(setting.analyzers, [name])
    spans = setting.analyzers[name].grain is not Grain.CHECKPOINT
    return RecipeNote(
        options=options_apart(chain, list(chain), setting.options), steps=setting.steps if spans else None
    )


def record(
    subject: Subject, probe: Probe, weights: Mapping[str, Tensor], analyzers: Iterable[Analyzer]
) -> dict[str, dict[str, Tensor]]:
    """Activations of every site that the analyzers declare, by 'answer' and 'all' positions; one pass for each.

    Float32; the logits come from a pass of their own in float64 throughout.
    """
    model = subject.model
    wanted: dict[str, set[str]] = {"answer": set(), "all": set()}
    for analyzer in analyzers:
        wanted[analyzer.positions] |= set(matching(analyzer.sites, model.sites))
    look = {"answer": model.answers, "all": model.run}
    everything = wanted["answer"] | wanted["all"]
    # Each precision once, and only where a site is wanted in it.
    double = cast(weights, torch.float64) if LOGITS in everything else {}
    single = cast(weights, torch.float32) if everything - {LOGITS} else {}
    return {
        positions: activations(look[positions], double, probe.inputs, sites & {LOGITS})
        | activations(look[positions], single, probe.inputs, sites - {LOGITS})
        for positions, sites in wanted.items()
    }


def moment_of(
    setting: Setting,
    name: str,
    *,
    seen: CheckpointInputs,
    artifacts: Mapping[str, Arrays],
) -> Moment:
    """What a checkpoint analyzer is shown. artifacts: of everything it reads."""
    analyzer, model, checkpoint = setting.analyzers[name], setting.subject.model, seen.checkpoint
    roles = matching(analyzer.weights, model.roles)
    recorded = seen.activations.get(analyzer.positions, {})
    sites = [site for site in matching(analyzer.sites, sorted(model.sites)) if site in recorded]
    takes_loss = analyzer.gradients or analyzer.objective
    losses = losses_of(setting.subject, checkpoint.step, seen.buffers) if takes_loss else {}
    return Moment(
        variant=setting.variant,
        step=checkpoint.step,
        options=setting.options_of(name),
        probe=setting.shown_probe(name),
        weights=_declared(analyzer, "weights", {role: checkpoint.weights[role] for role in roles}),
        activations=_declared(analyzer, "sites", {site: recorded[site] for site in sites}),
        artifacts=_declared(analyzer, "reads", artifacts),
        bases=_declared(analyzer, "bases", _bases(setting, analyzer)),
        axes={role: model.roles[role].axes for role in roles},
        gradients=losses["train"].gradient(checkpoint.weights, roles) if analyzer.gradients else {},
        moments={role: seen.moments[role] for role in roles if role in seen.moments} if analyzer.optimizer else {},
        losses=losses if analyzer.objective else {},
        model=model if analyzer.runs else None,
    )


def trajectory_of(setting: Setting, name: str, store: Store) -> Trajectory:
    """What a trajectory or cohort analyzer is shown of one variant; arrays and weights are loaded when asked for."""
    analyzer, variant = setting.analyzers[name], setting.variant
    roles = matching(analyzer.weights, setting.subject.model.roles) if analyzer.weights else ()
    weights = {role: partial(_role_over_time, store, variant.name, setting.steps, role) for role in roles}
    artifacts = {upstream: artifact_of(setting, upstream, store) for upstream in analyzer.reads}
    return Trajectory(
        variant=variant,
        steps=np.asarray(setting.steps, dtype=np.int64),
        options=setting.options_of(name),
        probe=setting.shown_probe(name),
        artifacts=_declared(analyzer, "reads", artifacts),
        metrics=_declared(analyzer, "metrics", metrics_until(store, variant.name, setting.steps, analyzer.metrics)),
        weights=_declared(analyzer, "weights", weights),
        bases=_declared(analyzer, "bases", _bases(setting, analyzer)),
        axes={role: setting.subject.model.roles[role].axes for role in roles},
        losses=losses_of(setting.subject, setting.steps[-1]) if analyzer.objective and setting.steps else {},
        model=setting.subject.model if analyzer.runs else None,
        facts=setting.facts if analyzer.facts else {},
    )


def artifact_of(setting: Setting, name: str, store: Store) -> Arrays:
    """An artifact as a trajectory sees it: of checkpoint grain stacked over the steps, otherwise as it is."""
    if setting.analyzers[name].grain is not Grain.CHECKPOINT:
        return store.load_arrays(setting.key(name))
    if not setting.steps:
        return {}
    return Lazily(store.load_arrays(setting.key(name, setting.steps[0])), partial(_stack, store, setting, name))


def _stack(store: Store, setting: Setting, analyzer: str, array: str) -> np.ndarray:
    key = setting.key(analyzer)
    stacked = store.stacked(key.variant, key.analyzer, key.recipe, [array])
    if np.array_equal(stacked["step"], setting.steps):
        return stacked[array]
    return stacked[array][np.searchsorted(stacked["step"], setting.steps)]


def _role_over_time(store: Store, variant: str, steps: Sequence[int], role: str) -> Tensor:
    return torch.stack([store.load_checkpoint(variant, step, [role]).weights[role].float() for step in steps])


def _bases(setting: Setting, analyzer: Analyzer) -> dict[str, Basis]:
    bases = setting.subject.bases
    return {axis: bases[axis] for axis in matching(analyzer.bases, bases)}


_WHAT = {"weights": "weight", "sites": "site", "reads": "artifact", "bases": "basis", "metrics": "metric"}


def _declared(analyzer: Analyzer, field_name: str, values: Mapping[str, V]) -> Declared[V]:
    patterns = getattr(analyzer, field_name)
    return Declared(values, reader=analyzer.name, field=field_name, what=_WHAT[field_name], patterns=patterns)
