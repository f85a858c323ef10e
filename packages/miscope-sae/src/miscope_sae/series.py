"""Autoencoders of one configuration, one for each of several checkpoints of a variant, or one of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue, UnknownName
from miscope_sae.autoencoder_family import STEPS, AutoencoderFamily
from miscope_sae.params import INPUTS_A_LATENT, latent_count
from miscope_sae.preset import preset_fields
from miscope_sae.warm_series import in_direction, later_steps, warm_series

if TYPE_CHECKING:
    from miscope import Remark, Variant
    from miscope.bound import BoundVariant
    from miscope.workspace import Workspace

__all__ = ["autoencoder_variants", "autoencoders", "chosen_checkpoints", "fitting_latents", "remarks", "with_untrained"]


def autoencoders(
    run: BoundVariant,
    site: str,
    *,
    step: str | int | Sequence[int] = "last",
    architecture: str | None = None,
    preset: str | None = None,
    **fields: Any,
) -> list[BoundVariant]:
    """Autoencoders of a site of a trained variant, to be trained: one for each step, with these fields for all.

    A crosscoder is one alone, of all these steps.

    step: 'last', 'first', 'best', 'all', a number, several, or a schedule ('every:100'). architecture: 'topk' or
    'sae.topk'; None: the preset's, or 'topk'. preset: a name that `miscope sae presets` lists. fields: parameters and
    training fields of the architecture's family, which go before the preset's; `steps` brings what depends on the
    length of a training with it. warm='forward' or 'backward' among them has each begin with the weights of the one
    before, which is to be trained first, and make `warm_steps` updates (None: a tenth of the first's). Raises BadValue
    and UnknownName, before anything is trained.
    """
    from miscope.bound import BoundVariant

    place = run.workspace
    steps = chosen_checkpoints(place.value, run.name, step)
    named = {"architecture": architecture, "preset": preset}
    found = autoencoder_variants(place.value, run.value, site, steps, {**named, **fields})
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
    if step == "all":
        return there
    if isinstance(step, str) and step not in ("first", "last", "best"):
        asked = chosen_steps(step, [there])
    elif isinstance(step, str | int):
        asked = [one_step(step, there, name, lambda: store.metrics(name))]
    else:
        asked = sorted(set(step))
    for each in asked:
        if each not in there:
            raise no_checkpoint(store.layout, name, each, there)
    return asked


def autoencoder_variants(
    workspace: Workspace, source: Variant, site: str, steps: Sequence[int], fields: Mapping[str, Any]
) -> list[Variant]:
    """The variants to train, in this order: one for each step of the source, or one of all of them.

    Among the fields are 'architecture', 'preset', 'warm' and 'warm_steps'.
    """
    given = dict(fields)
    architecture, preset, warm, warm_steps = (
        given.pop(name, None) for name in ("architecture", "preset", "warm", "warm_steps")
    )
    chosen = preset_fields(preset) if preset else {}
    family = _family(workspace, str(architecture or chosen.pop("architecture", "topk")))
    chosen.pop("architecture", None)
    context = workspace.context(source)
    for each in (site, *([given["target_site"]] if "target_site" in given else [])):
        if each not in context.model.sites:
            sites = sorted(context.model.sites)
            raise UnknownName("site", str(each), sites, listing=f"{source.name} has: {', '.join(sites)}.")
    length = given.get("steps", STEPS if not chosen else None)
    of_length = family.length_fields(length) if isinstance(length, int) and (chosen or length != STEPS) else {}
    if str(given.get("lr_decay_steps")) == "0" and "lr_schedule" not in given:
        of_length |= {"lr_schedule_steps": None}  # nothing is left that it would be of
    values = chosen | of_length | given
    if warm is None and warm_steps is not None:
        raise BadValue("warm_steps is of a warm series.", "Each of these is trained by itself.", "Give warm='forward'.")
    ordered = in_direction(family, warm, steps)
    built_on = family.built_on(ordered)
    if "latents" not in values:
        latents, usual = fitting_latents(context.width(site), len(context.probe().inputs))
        values |= {"latents": latents}
        if not usual:
            # What somebody asked for is kept within its ranges all the same.
            workspace.variant(family.name, variant=source.name, site=site, **built_on[0], **values)
            values |= {"allow_out_of_range": True}
    workspace.keep_record(source)
    values |= {"variant": source.name, "site": site}
    if warm is None:
        return [workspace.variant(family.name, **each, **values) for each in built_on]
    first = workspace.variant(family.name, **built_on[0], **values)
    return warm_series(workspace, first, ordered[1:], values | {"warm": warm}, later_steps(warm_steps))


def with_untrained(
    workspace: Workspace, source: Variant, site: str, steps: Sequence[int], fields: Mapping[str, Any]
) -> list[Variant]:
    """The same, and one of the first checkpoint to compare with; beside a warm series that is trained by itself."""
    first = workspace.store.finite_steps(source.name)[:1]
    if fields.get("warm") is None:
        return autoencoder_variants(workspace, source, site, sorted({*steps, *first}), fields)
    alone = {name: value for name, value in fields.items() if name not in ("warm", "warm_steps")}
    series = autoencoder_variants(workspace, source, site, steps, fields)
    beside = autoencoder_variants(workspace, source, site, first, alone)
    return list({one.name: one for one in (*series, *beside)}.values())


def fitting_latents(width: int, inputs: int) -> tuple[str, bool]:
    """How many latents for so many inputs, and whether that is in the usual range.

    Eight times the width, or the largest of four, two and one times it that leaves each latent four inputs: with fewer,
    latents learn inputs by heart.
    """
    for times in (8, 4, 2):
        if latent_count(f"{times}x", width) * INPUTS_A_LATENT <= inputs:
            return f"{times}x", True
    return "1x", False


def _family(workspace: Workspace, architecture: str) -> AutoencoderFamily:
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
