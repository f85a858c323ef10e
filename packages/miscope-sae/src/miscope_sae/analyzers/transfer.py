"""Whether an autoencoder of one step of a training has what there is at another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from miscope import Analyzer, Arrays, Cohort, Grain, Needs, Observation, ObservedArtifact
from miscope.errors import DoesNotApply
from miscope_sae.ended import LATENTS, RECONSTRUCTED, Ended
from miscope_sae.fidelity import unexplained
from miscope_sae.principal_components import PrincipalComponents
from miscope_sae.warm_start import LENGTHS

__all__ = ["TRANSFER", "WARM", "in_order", "warm_of"]

WARM = "(1,) 'forward' or 'backward' of a series in which each began with the weights of the one before; else ''"
"""An output of what compares autoencoders of several steps."""

_LEAST = 1e-12
"""Mean norms below it count as this."""
_MAY_DIFFER = {"step", "seed", "imported", "begins_with", "begins_at"}


def transfer(cohort: Cohort) -> Arrays:
    """What autoencoders of the same site at several steps of one training leave unexplained at each other's steps.

    Each at its last checkpoint, on the inputs that it was not trained on, about their mean, in raw space. Inputs are
    brought to the mean norm of those that the autoencoder was trained on before it is run, so a site that only grows
    costs nothing. `pca` is of as many principal components as the autoencoder of the step has active latents there,
    rounded, one at least, fitted to what that was trained on. Of several seeds at a step the mean.
    """
    members = in_order([Ended.of(member) for member in cohort.members])
    at, which = np.unique([member.source.step for member in members], return_inverse=True)
    count = np.bincount(which)
    inputs = [members[int(np.argmax(which == step))] for step in range(len(at))]
    fvu, pca, l0 = np.zeros((len(at), len(at))), np.zeros(len(at)), np.zeros(len(at))
    for member, row in zip(members, which, strict=True):
        _, active = member.firing(member.held_out(member.inputs))
        fvu[row] += [_unexplained(member, other) for other in inputs]
        pca[row] += _of_components(member, active)
        l0[row] += active
    fvu = fvu / count[:, None]
    return {
        "at": at.astype(np.int64),
        "fvu": fvu,
        "diagonal": fvu.diagonal().copy(),
        "pca": pca / count,
        "l0": l0 / count,
        "seeds": count.astype(np.int64),
        "variant": np.array([member.variant.name for member in members]),
        "source": np.array([members[0].source.variant]),
        "site": np.array([members[0].source.site]),
        "warm": np.array([warm_of(members)]),
    }


def in_order(members: Sequence[Ended]) -> list[Ended]:
    """By the step they are built on. Raises DoesNotApply where they differ in more than that, the seed and the file
    they are from, or where one reconstructs another site than it reads: what that would do at another step hangs on
    both."""
    if any(len(member.sources) != 1 for member in members):
        raise DoesNotApply("they reconstruct another site than they read")
    for what, several in (
        ("are of several architectures", {member.variant.family for member in members}),
        ("are built on several variants", {member.source.variant for member in members}),
        ("are of several sites", {member.source.site for member in members}),
    ):
        if len(several) > 1:
            raise DoesNotApply(f"they {what}: {', '.join(sorted(several))}")
    settings = _settings(members)
    names = {name for each in settings for name in each} - _MAY_DIFFER
    differ = sorted(name for name in names if any(each.get(name) != settings[0].get(name) for each in settings))
    if differ:
        raise DoesNotApply(f"they differ in {', '.join(differ)}")
    return sorted(members, key=lambda member: member.source.step)


def warm_of(members: Sequence[Ended]) -> str:
    """'forward' or 'backward' of a series in which each began with the weights of the one before; '' of others."""
    return next((str(warm) for member in members if (warm := member.settings.get("warm"))), "")


def _settings(members: Sequence[Ended]) -> list[dict[str, object]]:
    """What is compared of each. The first of a warm series, with which others begin, is trained longer than these."""
    warm = next((member.settings for member in members if member.settings.get("warm")), {})
    theirs = {name: warm[name] for name in ("warm", *LENGTHS) if name in warm}
    begun_with = {member.settings.get("begins_with") for member in members}
    found = []
    for member in members:
        own = member.settings
        if member.variant.name in begun_with and not own.get("warm"):
            own = {name: value for name, value in own.items() if name not in LENGTHS} | theirs
        found.append(own)
    return found


def _unexplained(one: Ended, other: Ended) -> float:
    """FVU of the first at the other's step."""
    scale = one.mean_norm / max(other.mean_norm, _LEAST)
    inputs = one.held_out(other.inputs) * scale
    return unexplained(inputs.double().numpy(), one.reconstruction(inputs).double().numpy())


def _of_components(member: Ended, l0: float) -> float:
    inputs = member.inputs.double()
    count = min(inputs.shape[1], max(1, round(l0)))
    components = PrincipalComponents.of(inputs[member.trained_on].numpy())
    return components.unexplained(member.held_out(inputs).numpy(), count)


def transfer_observed(seen: ObservedArtifact) -> list[Observation]:
    """The first step's autoencoder at the last step, beside that step's own."""
    arrays = seen.arrays
    at, fvu, pca = arrays["at"], arrays["fvu"], arrays["pca"]
    first = float(fvu[0, -1])
    text = (
        f"Of {arrays['site'][0]} at {seen.at(at[-1])} of {arrays['source'][0]} the autoencoder of {seen.at(at[0])} "
        f"leaves {first:.3g} of the variance unexplained, that step's own {fvu[-1, -1]:.3g}, and as many principal "
        f"components {pca[-1]:.3g}."
    )
    return [Observation(text=text, value=first)] if np.isfinite(first) else []


TRANSFER = Analyzer(
    name="sae.transfer",
    version=2,
    grain=Grain.COHORT,
    compute=transfer,
    observe=transfer_observed,
    needs=Needs(sites=(LATENTS, RECONSTRUCTED), weights=("*",), model=True, sources=True),
    question="Between which steps does the representation stay one that the same dictionary reconstructs?",
    formula="FVU(t, t') = sum |s x' - x^_t(s x')|^2 / sum |s x' - mean|^2, s = mean |x_t| / mean |x_t'|",
    source="Frozen autoencoders over checkpoints: Xu et al. 2024 (arXiv 2412.17626)",
    outputs={
        "at": "(T,) steps of the source, ascending",
        "fvu": "(T, T) fraction of variance unexplained, of the autoencoder of the row's step at the column's step",
        "diagonal": "(T,) each at its own step",
        "pca": "(T,) of as many principal components of that step as its own autoencoder has active latents",
        "l0": "(T,) mean number of these, of the inputs held out",
        "seeds": "(T,) autoencoders of each step, over which the other numbers are means",
        "variant": "(n,) their names, by step",
        "source": "(1,) the variant they are built on",
        "site": "(1,) the site they reconstruct",
        "warm": WARM,
    },
)
