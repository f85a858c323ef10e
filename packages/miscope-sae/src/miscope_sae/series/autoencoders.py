"""Autoencoders of one configuration, one for each of several sites and checkpoints of a variant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue, UnknownName
from miscope.field_text import shortened
from miscope.patterns import matching
from miscope.validation import split_fields
from miscope_sae.autoencoder_family import STEPS, AutoencoderFamily
from miscope_sae.params import INPUTS_A_LATENT, STREAM, latent_count
from miscope_sae.rows.source_stream import check_sampled
from miscope_sae.series.given_apart import APART, refuse_apart
from miscope_sae.series.preset import preset_fields
from miscope_sae.series.warm import in_direction, later_trainings, warm_series
from miscope_sae.warm_start import WARM_FIELDS

if TYPE_CHECKING:
    from miscope import Remark, Variant
    from miscope.bound import BoundVariant
    from miscope.workspace import Workspace

__all__ = [
    "autoencoder_variants",
    "autoencoders",
    "check_sites",
    "chosen_checkpoints",
    "chosen_sites",
    "fitting_latents",
    "meant_family",
    "one_checkpoint",
    "remarks",
    "with_untrained",
]

_DIGITS = 19
"""No step has so many."""


def autoencoders(
    run: BoundVariant,
    site: str | Sequence[str],
    *,
    step: str | int | Sequence[int] = "last",
    architecture: str | None = None,
    preset: str | None = None,
    **fields: Any,
) -> list[BoundVariant]:
    """Autoencoders of sites of a trained variant, to be trained: one for each site and step, with these fields for all.

    A crosscoder is one alone of all these steps.

    site: a name, a pattern ('blocks.*.mlp.hook_post'), or several. step: 'last', 'first', 'best', 'all', a number,
    several, or a schedule ('every:100'). architecture: 'topk' or 'sae.topk'; None: the preset's, or 'topk'. preset: a
    name that `miscope sae presets` lists. fields: parameters and training fields of the architecture's family, which go
    before the preset's; `steps` brings what depends on the length of a training with it. warm='forward' or 'backward'
    among them has each begin with the weights of the one before, which is to be trained first, and make `warm_steps`
    updates (None: the architecture's share of the first's). Raises BadValue and UnknownName, before anything is
    trained.
    """
    from miscope.bound import BoundVariant

    place = run.workspace
    steps = chosen_checkpoints(place.value, run.name, step)
    named = {"architecture": architecture, "preset": preset}
    sites = chosen_sites(place.value, run.value, [site] if isinstance(site, str) else site)
    found = autoencoder_variants(place.value, run.value, sites, steps, {**named, **fields})
    return [BoundVariant(place, variant) for variant in found]


def remarks(autoencoder: BoundVariant) -> tuple[Remark, ...]:
    """What should be known before it is trained: errors, warnings, and what its fields come to. Nothing is written."""
    family = autoencoder.workspace.value.context(autoencoder.value).family
    return tuple(family.remarks(autoencoder.value))


def chosen_checkpoints(workspace: Workspace, name: str, step: str | int | Sequence[int]) -> list[int]:
    """The checkpoints of a variant that are meant, ascending; those with a weight that is no number are left out."""
    from miscope.analysis.chosen_steps import chosen_steps, one_step
    from miscope.store.no_checkpoint import no_checkpoint

    store = workspace.store
    there = store.finite_steps(name)
    if not there:
        raise no_checkpoint(store.layout, name, None, there)
    if not isinstance(step, str | int) and not step:
        raise BadValue("No step is given.", f"{name} has {len(there)}.", "Name one, several, or 'all'.")
    if step == "all":
        return there
    if isinstance(step, str) and step.removeprefix("-").isdecimal() and len(step) < _DIGITS:
        step = int(step)
    if isinstance(step, str) and step not in ("first", "last", "best"):
        asked = chosen_steps(step, [there], words="last, first, best, all, ")
    elif isinstance(step, str | int):
        asked = [one_step(step, there, name, lambda: store.metrics(name))]
    else:
        asked = sorted(set(step))
    for each in asked:
        if each not in there:
            raise no_checkpoint(store.layout, name, each, there)
    return asked


def one_checkpoint(workspace: Workspace, name: str, step: str | int) -> int:
    """The one checkpoint that is meant by 'last', 'first', 'best' or a number; BadValue for anything else."""
    from miscope.analysis.chosen_steps import one_step

    store = workspace.store
    if not isinstance(step, int) and not (isinstance(step, str) and step.removeprefix("-").isdecimal()):
        step = one_step(step, store.finite_steps(name), name, lambda: store.metrics(name))
    (chosen,) = chosen_checkpoints(workspace, name, step)
    return chosen


def autoencoder_variants(
    workspace: Workspace, source: Variant, sites: Sequence[str], steps: Sequence[int], fields: Mapping[str, Any]
) -> list[Variant]:
    """The variants to train, in this order: of each site one for each step of the source, or one of all of them.

    Among the fields are 'architecture', 'preset', 'warm' and 'warm_steps'.
    """
    family, given = meant_family(workspace, fields), {**fields}
    given.pop("architecture", None)
    preset, warm, warm_steps = (given.pop(name, None) for name in ("preset", "warm", "warm_steps"))
    chosen = _preset_of(preset)
    chosen.pop("architecture", None)
    refuse_apart(given)
    check_sites(workspace, source, (*sites, *([str(given["target_site"])] if "target_site" in given else [])))
    length = given.get("steps", STEPS if not chosen else None)
    known = isinstance(length, int) and length > 0 and (chosen or length != STEPS)
    of_length = family.length_fields(length) if known else {}
    if str(given.get("lr_decay_steps")) == "0" and "lr_schedule" not in given:
        of_length |= {"lr_schedule_steps": None}  # nothing is left that it would be of
    later = later_trainings(warm, warm_steps, given)
    ordered = in_direction(family, warm, steps)
    built_on = family.built_on(ordered)
    values = {**chosen, **of_length, **given, "variant": source.name, **built_on[0]}
    _check_fields(family, values)
    if values.get("data") == STREAM:
        context = workspace.context(source)
        check_sampled(source.name, context.family.sampled(source, 0, 0, 1), context.probe())
    of_sites = [_with_latents(workspace, source, {**values, "site": site}) for site in sites]
    workspace.keep_record(source)
    if warm is None:
        return [workspace.variant(family.name, **{**of_site, **each}) for of_site in of_sites for each in built_on]
    found = []
    for of_site in of_sites:
        first = workspace.variant(family.name, **of_site)
        found += warm_series(workspace, first, ordered[1:], {**of_site, "warm": warm}, later)
    return found


def with_untrained(
    workspace: Workspace, source: Variant, sites: Sequence[str], steps: Sequence[int], fields: Mapping[str, Any]
) -> list[Variant]:
    """The same, and one of the first checkpoint to compare with; beside a warm series that is trained by itself.

    One of several checkpoints together is of those it is told, and of no other.
    """
    several = meant_family(workspace, fields).of_several
    first = [] if several else workspace.store.finite_steps(source.name)[:1]
    if fields.get("warm") is None:
        return autoencoder_variants(workspace, source, sites, sorted({*steps, *first}), fields)
    alone = {name: value for name, value in fields.items() if name not in ("warm", "warm_steps")}
    series = autoencoder_variants(workspace, source, sites, steps, fields)
    beside = autoencoder_variants(workspace, source, sites, first, alone)
    return list({one.name: one for one in (*series, *beside)}.values())


def chosen_sites(workspace: Workspace, source: Variant, patterns: Sequence[str]) -> list[str]:
    """The sites of the source's network that are meant by names or shell patterns, each once, in their order.

    UnknownName where one of them is the name of none, or no site is like it.
    """
    known = sorted(workspace.context(source).model.sites)
    found: dict[str, None] = {}
    for pattern in patterns:
        meant = [pattern] if pattern in known else matching([pattern], known)
        found |= dict.fromkeys(meant or [pattern])
    check_sites(workspace, source, found)
    return list(found)


def check_sites(workspace: Workspace, source: Variant, sites: Iterable[str]) -> None:
    """UnknownName where the network of the source has not one of these sites."""
    known = sorted(workspace.context(source).model.sites)
    for site in sites:
        if site not in known:
            raise UnknownName("site", site, known, listing=f"{source.name} has: {shortened(known)}.")


def _preset_of(name: str | None) -> dict[str, Any]:
    return {} if name is None else preset_fields(str(name))


def _check_fields(family: AutoencoderFamily, values: Mapping[str, Any]) -> None:
    """UnknownName for one that the family has not, BadValue where a transcoder is not told what it reconstructs."""
    split_fields(family, values, unlisted={*APART, *WARM_FIELDS})
    target = family.params.model_fields.get("target_site")
    if target is not None and target.is_required() and "target_site" not in values:
        raise BadValue(
            f"{family.name} reconstructs another site than it reads, and was not told which.",
            "'target_site' is a site of the same network.",
            "Give it as --target-site SITE; in Python as target_site=SITE.",
            field="target_site",
        )


def fitting_latents(width: int, inputs: int) -> str:
    """How many latents for so many inputs.

    Eight times the width, or the largest of four, two and one times it that leaves each latent four inputs: with fewer,
    latents learn inputs by heart.
    """
    for times in (8, 4, 2):
        if latent_count(f"{times}x", width) * INPUTS_A_LATENT <= inputs:
            return f"{times}x"
    return "1x"


def _with_latents(workspace: Workspace, source: Variant, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of one autoencoder, and as many latents as fit where they say nothing of that.

    Inputs that are drawn anew are enough for as many as there are by default.
    """
    if "latents" in values or values.get("data") == STREAM:
        return values
    context = workspace.context(source)
    return {**values, "latents": fitting_latents(context.width(str(values["site"])), len(context.probe().inputs))}


def meant_family(workspace: Workspace, fields: Mapping[str, Any]) -> AutoencoderFamily:
    """That of the field 'architecture', else that of the 'preset', else topk; UnknownName for none."""
    architecture = str(fields.get("architecture") or _preset_of(fields.get("preset")).get("architecture", "topk"))
    families = workspace.plugins.families
    name = architecture if architecture in families else f"sae.{architecture}"
    found = families.get(name)
    if isinstance(found, AutoencoderFamily):
        return found
    known = [name.removeprefix("sae.") for name, each in families.items() if isinstance(each, AutoencoderFamily)]
    listing = f"Those there are: {', '.join(known)}."
    if found is not None:
        raise BadValue(f"{name} is no architecture of autoencoders.", listing, "Choose one of them.")
    raise UnknownName("architecture", architecture, known, listing=listing)
