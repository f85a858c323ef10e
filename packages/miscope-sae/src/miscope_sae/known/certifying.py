"""A trial of a crosscoder on births that are known: activations drawn as wide and as noisy as those it is built on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue
from miscope_sae.architectures.over_checkpoints import OverCheckpoints
from miscope_sae.known.births import KnownBirthsFamily
from miscope_sae.known.features import SITE
from miscope_sae.known.trial_sizes import TrialSizes
from miscope_sae.params import latent_count

if TYPE_CHECKING:
    from miscope import Variant
    from miscope.bound import BoundVariant
    from miscope.workspace import Workspace

__all__ = ["SOURCE", "is_trial", "trial", "trial_sizes", "trial_variant"]

SOURCE = KnownBirthsFamily.name
_FEWEST = 3
"""Checkpoints: with fewer no birth can be told from a flicker."""
_READ = ("test_l0", "test_fvu")
"""How sparse and how noisy it found its own activations, at inputs held out."""


def trial(crosscoder: BoundVariant) -> BoundVariant:
    """A crosscoder of the same configuration, to be trained on activations whose births are known.

    `train()` it, `analyze("sae.births_found")`, and `sae.births_found` says how many births it finds: at this width,
    with so many latents, checkpoints and inputs (20,000 at most), as many of them active (an eighth of the features at
    most), as much left unexplained (half at most). Raises BadValue of what is no crosscoder that is trained to its end.
    """
    from miscope.bound import BoundVariant

    place = crosscoder.workspace
    return BoundVariant(place, trial_variant(place.value, crosscoder.value))


def trial_variant(workspace: Workspace, crosscoder: Variant) -> Variant:
    """The variant of that; the record of the drawn activations is written."""
    family, params = _crosscoders(workspace, crosscoder), _enough(crosscoder)
    sizes = trial_sizes(workspace, crosscoder)
    known = workspace.variant(SOURCE, checkpoints=len(params.source_steps), seed=params.seed, **sizes.drawn)
    workspace.keep_record(known)
    built = {"variant": known.name, "site": SITE, "source_steps": tuple(range(len(params.source_steps)))}
    built |= {"positions": "answer", "shuffled": False}
    assert crosscoder.training is not None
    # More latents a dimension than usual is what its own configuration allows already.
    return workspace.value(family, {**params.model_dump(), **built}, crosscoder.training.model_dump())


def trial_sizes(workspace: Workspace, crosscoder: Variant) -> TrialSizes:
    """What a trial has after; BadValue of what is no crosscoder, or not trained to its end, or found nothing."""
    family, params = _crosscoders(workspace, crosscoder), _enough(crosscoder)
    source, rows = workspace.context(crosscoder).sources[0], family.rows_of(params)
    l0, fvu = _ended(workspace, crosscoder)
    latents = latent_count(params.latents, source.width)
    return TrialSizes(width=source.width, latents=latents, inputs=rows.count, l0=l0, fvu=fvu)


def is_trial(variant: Variant) -> bool:
    """Whether it is built on births that are known."""
    return str(getattr(variant.params, "variant", "")).startswith(f"{SOURCE}/")


def _crosscoders(workspace: Workspace, crosscoder: Variant) -> OverCheckpoints:
    """The family, with what it is built on; BadValue where that is another kind."""
    family = workspace.context(crosscoder).family
    if not isinstance(family, OverCheckpoints):
        raise BadValue(
            f"{crosscoder.name} is no crosscoder.",
            "Births are known, and so can be looked for, of several checkpoints together.",
            "Name one:  miscope sae train VARIANT --site SITE --step every:100 --architecture crosscoder",
        )
    return family


def _enough(crosscoder: Variant) -> Any:
    """Its parameters; BadValue where its checkpoints are too few."""
    params: Any = crosscoder.params
    if (count := len(params.source_steps)) < _FEWEST:
        raise BadValue(
            f"{crosscoder.name} is built on {count} checkpoints.",
            f"A birth among fewer than {_FEWEST} cannot be told from one that is there throughout.",
            "Train one of more:  --step every:100",
        )
    return params


def _ended(workspace: Workspace, crosscoder: Variant) -> tuple[float, float]:
    """L0 and FVU of the inputs held out, in the end."""
    assert crosscoder.training is not None
    recorded, aimed = workspace.store.metrics(crosscoder.name, _READ), crosscoder.training.steps
    done = min(int(recorded[name].steps[-1]) if name in recorded else 0 for name in _READ)
    if done < aimed:
        raise BadValue(
            f"{crosscoder.name} is trained for {done:,} of {aimed:,} steps.",
            "How sparse and how noisy a trial should be is read off what it found in the end.",
            f"Train it:  miscope train {crosscoder.name}",
        )
    l0, fvu = (float(recorded[name].values[-1]) for name in _READ)
    if not (l0 > 0 and math.isfinite(fvu)):
        raise BadValue(
            f"{crosscoder.name} found nothing.",
            f"In the end {l0:g} latents are active at an input held out, and {fvu:g} of its variance is unexplained.",
            "Train another, with a weaker penalty or a lower learning rate.",
        )
    return l0, fvu
