"""How far autoencoders of the same activations found the same directions: what another seed alone changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations

import numpy as np

from miscope import Analyzer, Arrays, Cohort, Grain, Needs, Observation, ObservedArtifact, Options
from miscope.analyzer import Count, Whole
from miscope.errors import DoesNotApply
from miscope_sae.measuring.ended import Ended
from miscope_sae.measuring.matching import Agreement, chance
from miscope_sae.measuring.matching import agreement as agreement_of
from miscope_sae.roles import DECODER
from miscope_sae.sites import LATENTS

__all__ = ["AGREEMENT", "AgreementOptions"]


class AgreementOptions(Options):
    """How chance is drawn."""

    draws: Count = 3
    """Pairs of random dictionaries for each two numbers of latents."""
    seed: Whole = 0


def agreement(cohort: Cohort[AgreementOptions]) -> Arrays:
    """Cosines between the decoder rows of every two autoencoders of one architecture, checkpoint, site and positions.

    Of latents that are active at some input of the probe, at the last checkpoints. Beside each pair what random
    directions of the same numbers and width have in common.
    """
    members = [Ended.of(member) for member in cohort.members]
    pairs = [(i, j) for i, j in combinations(range(len(members)), 2) if _alike(members[i], members[j])]
    if not pairs:
        raise DoesNotApply("no two of them are of the same architecture, checkpoint, site and positions")
    rows = {index: _directions(members[index]) for index in sorted({index for pair in pairs for index in pair})}
    found = [agreement_of(rows[i], rows[j]) for i, j in pairs]
    drawn: dict[tuple[int, int, int], Agreement] = {}
    for i, j in pairs:
        size = (len(rows[i]), len(rows[j]), rows[i].shape[1])
        if size not in drawn:
            drawn[size] = chance(size[:2], size[2], draws=cohort.options.draws, seed=cohort.options.seed)
    by_chance = [drawn[len(rows[i]), len(rows[j]), rows[i].shape[1]] for i, j in pairs]
    return {
        "first": np.array([members[i].variant.name for i, _ in pairs]),
        "second": np.array([members[j].variant.name for _, j in pairs]),
        "at": np.array([members[i].source.step for i, _ in pairs], dtype=np.int64),
        "site": np.array([members[i].source.site for i, _ in pairs]),
        "alive": np.array([(len(rows[i]), len(rows[j])) for i, j in pairs], dtype=np.int64),
        **_stacked(found, ""),
        **_stacked(by_chance, "chance/"),
    }


def _alike(one: Ended, other: Ended) -> bool:
    same = one.sources == other.sources and one.variant.family == other.variant.family
    return same and one.settings.get("positions") == other.settings.get("positions")


def _directions(member: Ended) -> np.ndarray:
    """(n, d) decoder rows of the latents that fire."""
    fires, _ = member.firing(member.inputs)
    return member.weights[DECODER][fires].double().numpy()


def _stacked(each: Sequence[Agreement], prefix: str) -> dict[str, np.ndarray]:
    values = [asdict(one) for one in each]
    return {f"{prefix}{name}": np.array([value[name] for value in values]) for name in values[0]}


def agreement_observed(seen: ObservedArtifact) -> list[Observation]:
    """What share of the latents the seeds have in common, and how much of that is chance."""
    arrays = seen.arrays
    matched, by_chance = arrays["matched90"], arrays["chance/matched90"]
    there = np.isfinite(matched)
    if not there.any():
        return []
    least, most, median = (float(f(matched[there])) for f in (np.min, np.max, np.median))
    mmcs, mmcs_chance = (
        float(np.median(np.stack([arrays[f"{prefix}mmcs_there"], arrays[f"{prefix}mmcs_back"]])[:, there]))
        for prefix in ("", "chance/")
    )
    text = (
        f"Of {int(there.sum())} pairs of autoencoders of the same activations, {median:.1%} of the latents have a "
        f"partner with cosine above 0.9 in the median ({least:.1%} to {most:.1%}), "
        f"{float(by_chance[there].mean()):.1%} of random directions; the mean largest cosine is {mmcs:.2f}, by chance "
        f"{mmcs_chance:.2f}."
    )
    return [Observation(text=text, value=median, interval=(least, most))]


_WORDS = {
    "mmcs_there": "mean over the first's latents of the largest cosine with one of the second's",
    "mmcs_back": "the same from the second's to the first's",
    "matched90": "pairs of the one-to-one matching with cosine above 0.9, over the mean number of latents",
    "matched70": "with cosine above 0.7",
    "mutual90": "mutual nearest neighbours with cosine above 0.9, over the mean number of latents",
    "mutual70": "with cosine above 0.7",
    "cosine": "mean |cos| of the one-to-one matching",
}

AGREEMENT = Analyzer(
    name="sae.agreement",
    version=1,
    grain=Grain.COHORT,
    compute=agreement,
    observe=agreement_observed,
    needs=Needs(sites=(LATENTS,), weights=("*", DECODER), model=True, sources=True),
    options=AgreementOptions,
    question="How many of an autoencoder's latents does another seed find again?",
    formula="MMCS = mean_i max_j cos(w_i, v_j) of decoder rows w, v of latents that fire",
    source="MMCS: Sharkey, Braun & Millidge 2022; across seeds: Paulo & Belrose 2025 (arXiv 2501.16615)",
    outputs={
        "first": "(P,) names, of every pair of one architecture, checkpoint, site and positions",
        "second": "(P,) the other's",
        "at": "(P,) step of the source that both are built on",
        "site": "(P,) the site they reconstruct",
        "alive": "(P, 2) latents of each that are active at some input of the probe",
        **{name: f"(P,) {words}" for name, words in _WORDS.items()},
        **{f"chance/{name}": f"(P,) {name} of as many random directions, mean over draws" for name in _WORDS},
    },
)
