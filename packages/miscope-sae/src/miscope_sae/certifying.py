"""A trial of a crosscoder on births that are known: activations drawn as wide and as noisy as those it is built on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue
from miscope_sae.known_births import KnownBirthsFamily
from miscope_sae.known_features import SITE
from miscope_sae.over_checkpoints import OverCheckpoints
from miscope_sae.params import latent_count

if TYPE_CHECKING:
    from miscope import Variant
    from miscope.bound import BoundVariant
    from miscope.workspace import Workspace

__all__ = ["SOURCE", "is_trial", "trial", "trial_variant"]

SOURCE = KnownBirthsFamily.name
_FEWEST = 3
"""Checkpoints: with fewer no birth can be told from a flicker."""
_LATENTS_A_FEATURE = 4 / 3
"""As the toy that crosscoders are tried on has it: 64 latents, 48 features."""
_MOST_ACTIVE = 1 / 8
"""Of the features, at an input: with more these are no sparse sums."""
_THERE_FIRST = 1 / 4
"""Of the features, at the first checkpoint."""
_SQUARED_SIZE = 13 / 12
"""Mean of the square of a feature's size, which is uniform from 0.5 to 1.5."""
_MOST_INPUTS = 20_000
_DIGITS = 3


def trial(crosscoder: BoundVariant) -> BoundVariant:
    """A crosscoder of the same configuration, to be trained on activations whose births are known.

    `train()` it, `analyze("sae.births_found")`, and `sae.births_found` says how many births it finds: at this width,
    with so many latents, checkpoints and inputs (20,000 at most), as many of them active (an eighth of the features at
    most), as much left unexplained (half at most). Raises BadValue of what is no trained crosscoder.
    """
    from miscope.bound import BoundVariant

    place = crosscoder.workspace
    return BoundVariant(place, trial_variant(place.value, crosscoder.value))


def trial_variant(workspace: Workspace, crosscoder: Variant) -> Variant:
    """The variant of that; the record of the drawn activations is written."""
    context = workspace.context(crosscoder)
    family = _crosscoders(crosscoder, context.family)
    params = _enough(crosscoder)
    source = context.sources[0]
    latents = latent_count(params.latents, source.width)
    known = workspace.variant(
        SOURCE,
        width=source.width,
        checkpoints=len(params.source_steps),
        inputs=min(_MOST_INPUTS, family.rows_of(params).count),
        seed=params.seed,
        **_drawn_alike(workspace, crosscoder, latents=latents, width=source.width),
    )
    workspace.keep_record(known)
    built = {"variant": known.name, "site": SITE, "source_steps": tuple(range(len(params.source_steps)))}
    built |= {"positions": "answer", "shuffled": False}
    assert crosscoder.training is not None
    # More latents a dimension than usual is what its own configuration allows already.
    return workspace.value(family, {**params.model_dump(), **built}, crosscoder.training.model_dump())


def is_trial(variant: Variant) -> bool:
    """Whether it is built on births that are known."""
    return str(getattr(variant.params, "variant", "")).startswith(f"{SOURCE}/")


def _crosscoders(crosscoder: Variant, family: object) -> OverCheckpoints:
    """The family; BadValue where that is another kind."""
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


def _drawn_alike(workspace: Workspace, crosscoder: Variant, *, latents: int, width: int) -> dict[str, object]:
    """Features, how often they are on and the noise, for activations as sparse and as noisy as it found its own.

    Noise is what it leaves unexplained of inputs held out; with sizes of mean square 13/12, L0 features have a variance
    of 13/12 L0 / d a dimension.
    """
    ended = {
        name: each.values[-1] for name, each in workspace.store.metrics(crosscoder.name).items() if len(each.values)
    }
    if not {"test_l0", "test_fvu"} <= set(ended):
        raise BadValue(
            f"{crosscoder.name} is not trained.",
            "How sparse and how noisy a trial should be is read off what it found.",
            f"Train it:  miscope train {crosscoder.name}",
        )
    features = max(2, round(latents / _LATENTS_A_FEATURE))
    active = min(float(ended["test_l0"]), _MOST_ACTIVE * features)
    unexplained = min(max(float(ended["test_fvu"]), 0.0), 0.5)
    noise = math.sqrt(unexplained / (1 - unexplained) * active * _SQUARED_SIZE / width)
    return {
        "features": features,
        "present": round(features * _THERE_FIRST),
        "probability": _rounded(active / features),
        "noise": _rounded(noise),
    }


def _rounded(value: float) -> float:
    """To three digits, which a name can hold."""
    return float(f"{value:.{_DIGITS}g}")
