"""When few latents code a representation: autoencoders of one configuration over the steps of their source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import final

import numpy as np

from miscope import Analyzer, Arrays, Cohort, Grain, Needs, Observation, ObservedArtifact, Options
from miscope.analyzer import Count, Whole
from miscope_sae.measuring.ended import Ended
from miscope_sae.measuring.fidelity import spread, unexplained
from miscope_sae.measuring.matching import chance, cosines, mean_max_cosine
from miscope_sae.measuring.over_steps import OUTPUTS, OverSteps
from miscope_sae.measuring.principal_components import PrincipalComponents
from miscope_sae.roles import DECODER
from miscope_sae.sites import LATENTS, RECONSTRUCTED

__all__ = ["CODABILITY", "CodabilityOptions"]

_NUMBERS = ("fvu", "pca", "l0", "alive", "dimensions")


class CodabilityOptions(Options):
    """How chance is drawn."""

    draws: Count = 3
    """Pairs of random dictionaries for each two steps."""
    seed: Whole = 0


def codability(cohort: Cohort[CodabilityOptions]) -> Arrays:
    """What autoencoders of one configuration leave unexplained at each step of their source, with how many latents.

    Each at its last checkpoint and on the inputs that it was not trained on; of several seeds at a step the mean.
    Beside it as many principal components, and the participation ratio of all inputs' covariance, which counts the
    dimensions there are to code. Drift is the mean best cosine of decoder rows that fire with those of the next step of
    the same seed, both ways; its ceiling is the same between seeds at one step, NaN where there is one alone.
    """
    compared = OverSteps.of([Ended.of(member) for member in cohort.members])
    members = compared.members
    at = sorted({member.source.step for member in members})
    by_step = [[_Coded.of(member) for member in members if member.source.step == step] for step in at]
    following = [
        [(one.rows, other.rows) for one in here for other in there if one.seed == other.seed]
        for here, there in pairwise(by_step)
    ]
    beside = [[(one.rows, other.rows) for one, other in combinations(here, 2)] for here in by_step]
    return {
        "at": np.array(at, dtype=np.int64),
        **{name: np.array([np.mean([each.numbers[name] for each in here]) for here in by_step]) for name in _NUMBERS},
        "drift": np.array([_alike(pairs) for pairs in following]),
        "drift_chance": np.array([_by_chance(pairs, cohort.options) for pairs in following]),
        "ceiling": np.array([_alike(pairs) for pairs in beside]),
        "seeds": np.array([len(here) for here in by_step], dtype=np.int64),
        "source": np.array([members[0].source.variant]),
        "site": np.array([members[0].source.site]),
        **compared.arrays,
    }


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Coded:
    """What is read of one autoencoder."""

    seed: object
    rows: np.ndarray
    """(n, d) decoder rows of the latents that fire."""
    numbers: Mapping[str, float]

    @classmethod
    def of(cls, member: Ended) -> _Coded:
        fires, _ = member.firing(member.inputs)
        rows = member.weights[DECODER][fires].double().numpy()
        numbers = _measured(member) | {"alive": float(len(rows))}
        return cls(seed=member.settings.get("seed"), rows=rows, numbers=numbers)


def _measured(member: Ended) -> dict[str, float]:
    held, known = member.held_out(member.inputs), member.inputs.double().numpy()
    _, active = member.firing(held)
    raw = held.double().numpy()
    components = PrincipalComponents.of(known[member.trained_on.numpy()])
    return {
        "fvu": unexplained(raw, member.reconstruction(held).double().numpy()),
        "pca": components.unexplained(raw, min(known.shape[1], max(1, round(active)))),
        "l0": active,
        "dimensions": _participation(known),
    }


def _participation(x: np.ndarray) -> float:
    """(sum l)^2 / sum l^2 of the covariance's eigenvalues l; NaN of rows that are the same."""
    power = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2
    return float(power.sum() ** 2 / (power**2).sum()) if spread(x) > 0 else float("nan")


def _alike(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean best cosine both ways, of all pairs; NaN of none."""
    found = [mean_max_cosine(cosines(*way)) for one, other in pairs for way in ((one, other), (other, one))]
    return float(np.mean(found)) if found else float("nan")


def _by_chance(pairs: Sequence[tuple[np.ndarray, np.ndarray]], options: CodabilityOptions) -> float:
    drawn = [
        chance((len(one), len(other)), one.shape[1], draws=options.draws, seed=options.seed) for one, other in pairs
    ]
    return float(np.mean([(each.mmcs_there + each.mmcs_back) / 2 for each in drawn])) if drawn else float("nan")


def codability_observed(seen: ObservedArtifact) -> list[Observation]:
    """What the last step leaves beside the first, and beside principal components."""
    arrays = seen.arrays
    at, fvu, pca, l0 = (arrays[name] for name in ("at", "fvu", "pca", "l0"))
    if not np.isfinite([fvu[0], fvu[-1]]).all():
        return []
    text = (
        f"Of {arrays['site'][0]} of {arrays['source'][0]} autoencoders leave {fvu[0]:.3g} of the variance at "
        f"{seen.at(at[0])} with {l0[0]:.3g} latents an input, {fvu[-1]:.3g} at {seen.at(at[-1])} with {l0[-1]:.3g}; as "
        f"many principal components {pca[0]:.3g} and {pca[-1]:.3g}."
    )
    return [Observation(text=text, value=float(fvu[-1]))]


CODABILITY = Analyzer(
    name="sae.codability",
    version=3,
    grain=Grain.COHORT,
    compute=codability,
    observe=codability_observed,
    needs=Needs(sites=(LATENTS, RECONSTRUCTED), weights=("*", DECODER), model=True, sources=True),
    options=CodabilityOptions,
    question="When does the representation become one that few latents code, and when do these stay the same?",
    formula="FVU(t) of the autoencoder of step t; drift(t) = mean_i max_j cos(w_i(t), w_j(t + 1)), both ways",
    source="Autoencoders over checkpoints: Xu et al. 2024 (arXiv 2412.17626); MMCS: Sharkey, Braun & Millidge 2022",
    outputs={
        "at": "(T,) steps of the source, ascending",
        "fvu": "(T,) fraction of variance unexplained, of inputs held out",
        "pca": "(T,) of as many principal components as these have active latents in the mean",
        "l0": "(T,) mean number of those",
        "alive": "(T,) latents that are active at some input",
        "dimensions": "(T,) participation ratio of the activations",
        "drift": "(T - 1,) mean largest cosine of a decoder row that fires with one of the next step, both ways",
        "drift_chance": "(T - 1,) of as many random directions",
        "ceiling": "(T,) the same between seeds at one step; NaN where there is one",
        "seeds": "(T,) autoencoders of each step, over which the other numbers are means",
        "source": "(1,) the variant they are built on",
        "site": "(1,) the site they reconstruct",
        **OUTPUTS,
    },
)
