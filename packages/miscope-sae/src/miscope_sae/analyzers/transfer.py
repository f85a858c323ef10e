"""Whether an autoencoder of one step of a training has what there is at another."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Cohort, Grain, Needs, Observation, ObservedArtifact
from miscope_sae.measuring.ended import Ended
from miscope_sae.measuring.fidelity import unexplained
from miscope_sae.measuring.over_steps import OUTPUTS, OverSteps
from miscope_sae.measuring.principal_components import PrincipalComponents
from miscope_sae.sites import LATENTS, RECONSTRUCTED

__all__ = ["TRANSFER"]

_LEAST = 1e-12
"""Mean norms below it count as this."""


def transfer(cohort: Cohort) -> Arrays:
    """What autoencoders of the same site at several steps of one training leave unexplained at each other's steps.

    Each at its last checkpoint, on the inputs that it was not trained on, about their mean, in raw space. Inputs are
    brought to the mean norm of those that the autoencoder was trained on before it is run, so a site that only grows
    costs nothing. `pca` is of as many principal components as the autoencoder of the step has active latents there,
    rounded, one at least, fitted to what that was trained on. Of several seeds at a step the mean.
    """
    compared = OverSteps.of([Ended.of(member) for member in cohort.members])
    members = compared.members
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
        **compared.arrays,
    }


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
    version=3,
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
        **OUTPUTS,
    },
)
